"""What the sandbox signs, both official SDKs accept; what was tampered with, both refuse."""

import json

import node_sdk
import pytest
import stripe
from servers import KEY, python_client

EVENTS = ["customer.created", "customer.updated"]


def verify_python(payload, secret, header):
    try:
        return {"type": stripe.Webhook.construct_event(payload, header, secret).type}
    except stripe.SignatureVerificationError as error:
        return {"refused": str(error)}


JUDGES = {"python": verify_python, "node": node_sdk.verify}


@pytest.fixture(scope="module")
def delivery(sandbox, inbox):
    """A secret, the header and the body of one real delivery."""
    client = python_client(sandbox.url)
    endpoint = client.v1.webhook_endpoints.create({"url": inbox.url, "enabled_events": EVENTS})
    client.v1.customers.create({"email": "signed@example.com", "name": "Zoë \u2603 \U0001f600"})
    headers, body = inbox.next()
    client.v1.webhook_endpoints.delete(endpoint.id)
    return endpoint.secret, headers["stripe-signature"], body.decode()


@pytest.mark.parametrize("judge", JUDGES)
def test_a_delivery_is_accepted(delivery, judge):
    secret, header, payload = delivery
    assert JUDGES[judge](payload, secret, header) == {"type": "customer.created"}


@pytest.mark.parametrize("judge", JUDGES)
def test_a_changed_body_another_secret_and_a_bare_time_are_refused(delivery, judge):
    secret, header, payload = delivery
    verify = JUDGES[judge]
    assert "refused" in verify(payload.replace("signed@", "forged@"), secret, header)
    assert "refused" in verify(payload, secret + "x", header)
    assert "refused" in verify(payload, secret, header.split(",")[0])


def test_a_failed_delivery_is_signed_anew_and_sent_again(sandbox, inbox):
    client = python_client(sandbox.url)
    endpoint = client.v1.webhook_endpoints.create({"url": inbox.url, "enabled_events": EVENTS})
    inbox.statuses.put(500)
    client.v1.customers.create({"email": "again@example.com"})
    first, body = inbox.next()
    second, again = inbox.next_while(lambda: sandbox.advance(days=0.5))
    client.v1.webhook_endpoints.delete(endpoint.id)
    assert json.loads(body)["id"] == json.loads(again)["id"]
    assert first["stripe-signature"] != second["stripe-signature"]
    header = second["stripe-signature"]
    signed_at = int(header.split(",")[0].removeprefix("t="))
    # World time may be far from ours, so the age is not judged here.
    payload = again.decode()
    signature = stripe.WebhookSignature
    assert signature.verify_header(payload, header, endpoint.secret, tolerance=None)
    assert 0 < signed_at
    assert KEY not in payload
