"""The judges themselves: the SDKs that are pinned are the ones that run."""

import json
import subprocess

import stripe

# The one API version that the adapter and the sandbox speak.
API_VERSION = "2026-10-28.endive"


def node(script):
    answer = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_the_python_sdk_speaks_our_api_version():
    assert stripe.api_version == API_VERSION


def test_the_node_sdk_speaks_our_api_version():
    script = "console.log(JSON.stringify(require('stripe').API_VERSION ?? null))"
    version = node(script) or node(
        "const S = require('stripe');"
        "console.log(JSON.stringify(new S('sk_test_x').getApiField('version')))"
    )
    assert version == API_VERSION
