"""What both official SDKs sign, the product accepts; everything else it refuses and forgets."""

import json
import time

import node_sdk
import pytest
import stripe
from servers import ANSWER_SECONDS_MAX, Farthing

SIGNERS = {
    "python": lambda payload, secret, at: stripe.WebhookSignature.generate_signature_header(
        payload, secret, at
    ),
    "node": node_sdk.sign,
}
TOO_OLD_SECONDS = 400


def event(name, livemode=False):
    """An event as Stripe writes it, down to the spaces and an escape that must not be touched."""
    body = {
        "id": f"evt_oracle_{name}",
        "object": "event",
        "api_version": stripe.api_version,
        "created": int(time.time()),
        "data": {"object": {"id": "in_nobody", "object": "invoice", "description": "Zoë ☃"}},
        "livemode": livemode,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "invoice.paid",
    }
    return json.dumps(body, indent=2)


def sign(signer, payload, farthing, age=0):
    return SIGNERS[signer](payload, farthing.webhook_secret(), int(time.time()) - age)


@pytest.mark.parametrize("signer", SIGNERS)
def test_a_signed_event_is_accepted_once(farthing, signer):
    payload = event(signer)
    first = farthing.receive(payload, sign(signer, payload, farthing))
    assert (first.status_code, first.json()["duplicate"]) == (200, False)
    again = farthing.receive(payload, sign(signer, payload, farthing))
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert first.json()["received"] == f"evt_oracle_{signer}"


@pytest.mark.parametrize("signer", SIGNERS)
def test_one_good_signature_among_others_is_enough(farthing, signer):
    payload = event(f"rolled_{signer}")
    at, good = sign(signer, payload, farthing).split(",")[:2]
    header = f"{at},v0=00,v1={'0' * 64},{good}"
    assert farthing.receive(payload, header).status_code == 200


def refused(farthing, payload, signature):
    answer = farthing.receive(payload, signature)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "invalid_signature"
    # What was refused is not remembered: the same event, signed, is new.
    name = json.loads(payload)["id"]
    known = farthing.get("/v1/events").json()["data"]
    assert name not in json.dumps(known)


@pytest.mark.parametrize("signer", SIGNERS)
def test_a_signature_that_is_old_or_of_the_future_is_refused(farthing, signer):
    payload = event(f"time_{signer}")
    refused(farthing, payload, sign(signer, payload, farthing, age=TOO_OLD_SECONDS))
    refused(farthing, payload, sign(signer, payload, farthing, age=-TOO_OLD_SECONDS))


@pytest.mark.parametrize("signer", SIGNERS)
def test_a_body_that_was_changed_is_refused(farthing, signer):
    payload = event(f"body_{signer}")
    signature = sign(signer, payload, farthing)
    refused(farthing, payload.replace("in_nobody", "in_another"), signature)
    refused(farthing, payload.replace("\n", ""), signature)


def test_a_header_that_is_missing_empty_or_nonsense_is_refused(farthing):
    payload = event("header")
    at = int(time.time())
    for header in [None, "", "nonsense", f"t={at}", f"t={at},v1=", "t=x,v1=00", "v1=00"]:
        refused(farthing, payload, header)


def test_another_secret_is_refused(farthing):
    payload = event("secret")
    at = int(time.time())
    refused(farthing, payload, SIGNERS["python"](payload, "whsec_another", at))


def test_an_event_of_another_mode_is_set_aside_with_its_reason(farthing):
    payload = event("live", livemode=True)
    answer = farthing.receive(payload, sign("python", payload, farthing))
    assert answer.status_code == 200, "it is signed, so it must not be sent again and again"
    kept = handled(farthing, "evt_oracle_live")
    assert kept["state"] == "quarantined"
    assert "another mode" in kept["last_error"]


def handled(farthing, name):
    """What became of an event, once it is decided."""
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while time.monotonic() < deadline:
        events = farthing.get("/v1/events").json()["data"]
        found = [one for one in events if one["event_id"] == name]
        if found and found[0]["state"] != "received":
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"{name} was not handled within {ANSWER_SECONDS_MAX} s")
