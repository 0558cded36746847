"""The official Python SDK, pointed at the sandbox, does what an app would do at Stripe."""

import itertools

import pytest
import stripe
from servers import pay, python_client

counter = itertools.count()


@pytest.fixture(scope="module")
def client(sandbox):
    return python_client(sandbox.url)


@pytest.fixture(scope="module")
def price(client):
    product = client.v1.products.create({"name": "Growth", "metadata": {"plan": "growth"}})
    return client.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 4900,
            "recurring": {"interval": "month"},
            "lookup_key": "python_growth_month",
        }
    )


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"email": f"python-{next(counter)}@example.com"})


def checkout(client, customer, price, **more):
    return client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "http://127.0.0.1/done?session={CHECKOUT_SESSION_ID}",
            **more,
        }
    )


def test_a_price_is_found_by_its_lookup_key(client, price):
    found = client.v1.prices.list({"lookup_keys": ["python_growth_month"], "active": True})
    assert [one.id for one in found.data] == [price.id]
    assert client.v1.prices.list({"lookup_keys": ["nothing"]}).data == []


def test_a_subscription_is_bought_and_read_back(client, customer, price):
    session = checkout(client, customer, price, subscription_data={"metadata": {"order": "7"}})
    assert (session.status, session.payment_status) == ("open", "unpaid")
    landed = pay(session.url)
    assert landed.status_code == 303
    assert landed.headers["location"] == f"http://127.0.0.1/done?session={session.id}"
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status) == ("complete", "paid")
    subscription = client.v1.subscriptions.retrieve(
        done.subscription, {"expand": ["customer", "latest_invoice.payments"]}
    )
    assert subscription.status == "active"
    assert subscription.customer.email == customer.email
    assert subscription.metadata["order"] == "7"
    item = subscription["items"].data[0]
    assert item.price.lookup_key == "python_growth_month"
    assert 28 <= (item.current_period_end - item.current_period_start) / 86400 <= 31
    invoice = subscription.latest_invoice
    assert (invoice.status, invoice.amount_paid) == ("paid", 4900)
    assert invoice.parent.subscription_details.subscription == subscription.id
    payment = invoice.payments.data[0].payment
    intent = client.v1.payment_intents.retrieve(payment.payment_intent)
    assert (intent.status, intent.amount) == ("succeeded", 4900)


def test_a_declined_card_leaves_the_checkout_open(client, customer, price):
    session = checkout(client, customer, price)
    assert pay(session.url, "4000000000000002").status_code == 402
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert pay(session.url).status_code == 303


def test_pages_follow_one_another_without_gaps_or_repeats(client):
    made = [client.v1.products.create({"name": f"page {n}"}).id for n in range(7)]
    pages = client.v1.products.list({"limit": 3})
    assert pages.has_more
    seen = [product.id for product in pages.auto_paging_iter()]
    assert len(seen) == len(set(seen))
    assert [one for one in seen if one in made] == made[::-1]
    before = client.v1.products.list({"limit": 2, "ending_before": made[0]})
    assert [one.id for one in before.data] == [made[2], made[1]]


def test_the_same_idempotency_key_gives_the_same_answer(client):
    key = {"idempotency_key": "python-key-1"}
    first = client.v1.customers.create({"email": "once@example.com"}, key)
    again = client.v1.customers.create({"email": "once@example.com"}, key)
    assert first.id == again.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"email": "other@example.com"}, key)


def test_refusals_arrive_as_the_sdks_own_errors(client, customer, sandbox):
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.customers.create({"colour": "red"})
    assert (unknown.value.http_status, unknown.value.param) == (400, "colour")
    assert unknown.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.customers.retrieve("cus_gone")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_methods.attach(
            "pm_card_chargeDeclinedInsufficientFunds", {"customer": customer.id}
        )
    assert declined.value.code == "card_declined"
    assert declined.value.error.decline_code == "insufficient_funds"
    with pytest.raises(stripe.AuthenticationError):
        python_client(sandbox.url, key="sk_live_mine").v1.customers.list()


def test_another_api_version_is_refused_not_misread(sandbox):
    client = python_client(sandbox.url, stripe_version="2024-06-20")
    with pytest.raises(stripe.InvalidRequestError, match="2024-06-20"):
        client.v1.customers.list()


def test_a_subscription_is_cancelled_at_the_end_and_taken_back(client, customer, price):
    session = checkout(client, customer, price)
    pay(session.url)
    subscription = client.v1.checkout.sessions.retrieve(session.id).subscription
    ending = client.v1.subscriptions.update(subscription, {"cancel_at_period_end": True})
    assert (ending.status, ending.cancel_at_period_end) == ("active", True)
    assert ending.cancel_at == ending["items"].data[0].current_period_end
    kept = client.v1.subscriptions.update(subscription, {"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at) == (None, None)
    ended = client.v1.subscriptions.cancel(subscription)
    assert ended.status == "canceled"
    assert ended.ended_at is not None
