"""Runs the scripts that use the official Node SDK."""

import json
import pathlib
import subprocess

FOLDER = pathlib.Path(__file__).parent
SECONDS_MAX = 60


def run(script, *arguments, request=None):
    """The JSON that a script prints."""
    answer = subprocess.run(
        ["node", str(FOLDER / script), *arguments],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def sign(payload, secret, timestamp=None):
    request = {"do": "sign", "payload": payload, "secret": secret}
    if timestamp is not None:
        request["timestamp"] = timestamp
    return run("node_signatures.cjs", request=request)["header"]


def verify(payload, secret, header):
    """`{"type": ...}` of the event, or `{"refused": why}`."""
    request = {"do": "verify", "payload": payload, "secret": secret, "header": header}
    return run("node_signatures.cjs", request=request)
