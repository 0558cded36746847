"""Starts what is judged, and listens to what it sends."""

import http.server
import json
import os
import pathlib
import queue
import subprocess
import threading

import requests
import stripe

READY_SECONDS_MAX = 20
ANSWER_SECONDS_MAX = 20
# Moving the clock over a month does a month's work.
ADVANCE_SECONDS_MAX = 60
KEY = "sk_test_oracles"


def built(name):
    """A program of the debug build, which must be there: nothing is built here."""
    folder = os.environ.get("ORACLES_DEBUG_DIR")
    assert folder, "run the oracles with `cargo xtask test oracles`"
    path = pathlib.Path(folder, name)
    assert path.is_file(), f"{path} is not built: run `cargo build --workspace --all-targets`"
    return str(path)


class Process:
    """A server that says in one line where it is, and is stopped in the end."""

    def __init__(self, *command, **options):
        self._lines = queue.Queue()
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **options
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._child.stdout:
            self._lines.put(line)
        self._lines.put("")

    def first_line(self):
        try:
            line = self._lines.get(timeout=READY_SECONDS_MAX)
        except queue.Empty:
            raise AssertionError(f"not ready within {READY_SECONDS_MAX} s") from None
        assert line, f"ended at start with code {self._child.wait()}"
        return line.strip()

    def stop(self):
        self._child.terminate()
        try:
            self._child.wait(timeout=ANSWER_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise AssertionError("the server did not stop when it was asked to") from None


class Sandbox:
    """The sandbox alone, with a world and a clock of its own."""

    def __init__(self):
        self._process = Process(built("examples/serve"), "0")
        self.url = self._process.first_line()

    def advance(self, days):
        """Moves the world's clock; what was to happen on the way has happened then."""
        seconds = str(int(days * 24 * 60 * 60))
        answer = requests.post(f"{self.url}/_advance", seconds, timeout=ANSWER_SECONDS_MAX)
        assert answer.status_code == 200, answer.text

    def stop(self):
        self._process.stop()


class Farthing:
    """`farthing dev`: the product, with the sandbox inside it, on data of its own."""

    def __init__(self, folder):
        self._data = pathlib.Path(folder)
        self._process = Process(
            built("farthing"), "dev", "--json", "--port", "0", "--data", str(self._data)
        )
        ready = json.loads(self._process.first_line())
        self.api, self.url = ready["api"], ready["sandbox"]
        self._headers = {"authorization": f"Bearer {ready['key']}"}

    def webhook_secret(self):
        """What the sandbox signs its deliveries to the product with."""
        return (self._data / "webhook-secret").read_text().strip()

    def get(self, path):
        return requests.get(
            f"{self.api}{path}", headers=self._headers, timeout=ANSWER_SECONDS_MAX
        )

    def post(self, path, body):
        return requests.post(
            f"{self.api}{path}", json=body, headers=self._headers, timeout=ADVANCE_SECONDS_MAX
        )

    def receive(self, payload, signature):
        """Hands over an event as the provider would."""
        headers = {"content-type": "application/json"}
        if signature is not None:
            headers["stripe-signature"] = signature
        return requests.post(
            f"{self.api}/webhooks/stripe",
            data=payload.encode(),
            headers=headers,
            timeout=ANSWER_SECONDS_MAX,
        )

    def advance(self, days):
        """Moves the world's clock; what was to happen on the way has happened then."""
        answer = self.post("/v1/sandbox/clock/advance", {"by": f"{int(days * 24)}h"})
        assert answer.status_code == 200, answer.text

    def stop(self):
        self._process.stop()


class Inbox:
    """A webhook endpoint on loopback that keeps what it gets and answers as it is told."""

    def __init__(self):
        inbox = self
        self.received = queue.Queue()
        self.statuses = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                inbox.received.put((dict(self.headers.items()), body))
                status = 200 if inbox.statuses.empty() else inbox.statuses.get()
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def next(self):
        """The headers and the raw body of the next delivery."""
        delivery = self._wait(ANSWER_SECONDS_MAX)
        assert delivery, f"no delivery within {ANSWER_SECONDS_MAX} s"
        return delivery

    def next_while(self, time_passes):
        """The next delivery, for one that waits for the sandbox's clock. The clock may move
        before the sandbox has noted how the last delivery ended, so it moves until it comes."""
        for _ in range(5):
            time_passes()
            if delivery := self._wait(2):
                return delivery
        return self.next()

    def _wait(self, seconds):
        try:
            headers, body = self.received.get(timeout=seconds)
        except queue.Empty:
            return None
        return {name.lower(): value for name, value in headers.items()}, body

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def python_client(url, **options):
    """The official Python SDK, pointed at the sandbox."""
    return stripe.StripeClient(
        options.pop("key", KEY), base_addresses={"api": url}, max_network_retries=0, **options
    )


def pay(page_url, card="4242424242424242", **more):
    """Fills in a hosted page that takes a card; answers where it leads."""
    answer = requests.post(
        page_url, data={"card": card, **more}, allow_redirects=False, timeout=ANSWER_SECONDS_MAX
    )
    return answer
