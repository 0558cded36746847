"""Every request that the Stripe adapter can make, judged by the official SDK's own types.

The adapter prints its requests itself, one per line, from the functions that also send them.
"""

import json
import subprocess

import pytest
import request_judge
import stripe
from servers import built

# What buying, changing and giving back cannot do without; a shorter list means that the printer
# forgot something.
NEEDED = [
    ("POST", "/v1/customers"),
    ("POST", "/v1/products"),
    ("POST", "/v1/prices"),
    ("GET", "/v1/prices"),
    ("POST", "/v1/checkout/sessions"),
    ("GET", f"/v1/checkout/sessions/{request_judge.PLACEHOLDER}"),
    ("GET", f"/v1/subscriptions/{request_judge.PLACEHOLDER}"),
    ("GET", f"/v1/invoices/{request_judge.PLACEHOLDER}"),
    ("POST", "/v1/webhook_endpoints"),
    ("POST", "/v1/invoices/create_preview"),
    ("POST", f"/v1/subscriptions/{request_judge.PLACEHOLDER}"),
    ("POST", "/v1/subscription_schedules"),
    ("POST", f"/v1/subscription_schedules/{request_judge.PLACEHOLDER}"),
    ("POST", f"/v1/subscription_schedules/{request_judge.PLACEHOLDER}/release"),
    ("POST", f"/v1/invoices/{request_judge.PLACEHOLDER}/pay"),
    ("POST", "/v1/refunds"),
    ("GET", f"/v1/disputes/{request_judge.PLACEHOLDER}"),
    ("POST", "/v1/billing_portal/sessions"),
]


@pytest.fixture(scope="module")
def printed():
    printer = subprocess.run(
        [built("examples/print_requests")], capture_output=True, text=True, check=False
    )
    assert printer.returncode == 0, printer.stderr
    return [json.loads(line) for line in printer.stdout.splitlines()]


def test_every_request_is_one_that_the_sdk_could_make(printed):
    findings = [
        f"{request['method']} {request['path']}: {finding}"
        for request in printed
        for finding in request_judge.judge(request["method"], request["path"], request["form"])
    ]
    assert findings == []


def test_the_printer_prints_what_is_needed(printed):
    routes = {
        request_judge.route_for(it["method"], it["path"].partition("?")[0]) for it in printed
    }
    seen = {(route.method, route.path) for route in routes if route is not None}
    assert [route for route in NEEDED if route not in seen] == []


def test_a_mistake_planted_into_each_request_is_found(printed):
    for request in printed:
        form = [*request["form"], ["plnted", "1"]]
        findings = request_judge.judge(request["method"], request["path"], form)
        assert any("plnted" in finding for finding in findings), request


def test_the_endpoint_asks_for_events_of_the_version_that_the_sdk_speaks(printed):
    creation = next(it for it in printed if it["path"] == "/v1/webhook_endpoints" and it["form"])
    assert dict(creation["form"])["api_version"] == stripe.api_version
