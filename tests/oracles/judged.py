"""The sandbox's API over plain HTTP, with every answer judged as it passes."""

import object_judge
import presence_judge
import requests
from servers import ANSWER_SECONDS_MAX, KEY


class JudgedApi:
    """Sends requests and collects what the judge finds in the answers."""

    def __init__(self, url):
        self._url = url
        self.findings = []
        self.kinds = set()

    def get(self, path, *expand, **params):
        return self._call("GET", path, params, expand)

    def post(self, path, *expand, **params):
        return self._call("POST", path, params, expand)

    def delete(self, path):
        return self._call("DELETE", path, {}, ())

    def refused(self, method, path, **params):
        """The error envelope of a request that must be refused."""
        answer = self._send(method, path, flat(params))
        assert 400 <= answer.status_code, answer.text
        return answer.status_code, answer.json()["error"]

    def list_all(self, path, **params):
        """Every page of a list, each judged."""
        found, after = [], {}
        while True:
            page = self.get(path, limit=100, **params, **after)
            found += page["data"]
            if not page["has_more"]:
                return found
            after = {"starting_after": found[-1]["id"]}

    def _call(self, method, path, params, expand):
        form = flat(params) + [(f"expand[{n}]", one) for n, one in enumerate(expand)]
        answer = self._send(method, path, form)
        assert answer.status_code == 200, f"{method} {path}: {answer.text}"
        thing = answer.json()
        self.judge(thing, f"{method} {path} {' '.join(expand)}".strip())
        return thing

    def judge(self, thing, where):
        self.kinds |= set(kinds_within(thing))
        findings = object_judge.judge(thing) + presence_judge.judge(thing)
        self.findings += [f"{where}: {finding}" for finding in findings]

    def _send(self, method, path, form):
        return requests.request(
            method,
            f"{self._url}/v1/{path}",
            params=form if method == "GET" else None,
            data=form if method == "POST" else None,
            headers={"authorization": f"Bearer {KEY}"},
            timeout=ANSWER_SECONDS_MAX,
        )


def flat(value, name=""):
    """`{"a": [{"b": 1}]}` as `[("a[0][b]", "1")]`."""
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, (list, tuple)):
        parts = enumerate(value)
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return [(name, text)]
    return [
        pair for key, one in parts for pair in flat(one, f"{name}[{key}]" if name else str(key))
    ]


def kinds_within(thing):
    """The kinds of all objects in an answer, however deep."""
    if isinstance(thing, dict):
        if isinstance(thing.get("object"), str):
            yield thing["object"]
        thing = list(thing.values())
    if isinstance(thing, list):
        for one in thing:
            yield from kinds_within(one)
