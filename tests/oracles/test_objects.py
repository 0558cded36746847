"""Every object and event that the sandbox emits, judged by the SDK's resource classes.

One long story, told over plain HTTP, so that nothing is mended on the way. Each answer is judged
when it arrives, and so is the event log, which holds every object in every state it was in.
"""

import pytest
import story_changes
from judged import JudgedApi
from servers import pay

# What a story that covers the main job must have met.
KINDS = {
    "account", "charge", "checkout.session", "customer", "event", "invoice", "invoice_payment",
    "item", "line_item", "list", "payment_intent", "payment_method", "price", "product", "refund",
    "setup_intent", "subscription", "subscription_item", "webhook_endpoint",
}
EVENTS = {
    "charge.failed", "charge.refunded", "charge.succeeded", "checkout.session.completed",
    "checkout.session.expired", "customer.created", "customer.deleted",
    "customer.subscription.created", "customer.subscription.deleted",
    "customer.subscription.trial_will_end", "customer.subscription.updated", "customer.updated",
    "invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_failed",
    "invoice.payment_succeeded", "invoice.updated", "invoice_payment.paid", "payment_intent.created", "payment_intent.payment_failed",
    "payment_intent.succeeded", "payment_method.attached", "price.created", "product.created",
    "product.updated", "setup_intent.succeeded",
}
DECLINES_LATER = "4000000000000341"


class Story:
    """What the story needs again and again."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.api = JudgedApi(sandbox.url)
        self.made = 0
        self.events = {}

    def advance(self, days):
        """Events are kept for 30 days, so they are read before time passes and after it."""
        self.read_events()
        self.sandbox.advance(days)
        self.read_events()

    def read_events(self):
        self.events |= {event["id"]: event for event in self.api.list_all("events")}

    def customer(self, **more):
        self.made += 1
        email = f"story-{self.made}@example.com"
        return self.api.post("customers", email=email, metadata={"n": self.made}, **more)

    def checkout(self, customer, mode, **more):
        return self.api.post(
            "checkout/sessions",
            mode=mode,
            customer=customer["id"],
            success_url="http://127.0.0.1/done",
            cancel_url="http://127.0.0.1/back",
            **more,
        )

    def subscribe(self, price, card="4242424242424242", **more):
        items = [{"price": price["id"], "quantity": 1}]
        session = self.checkout(self.customer(), "subscription", line_items=items, **more)
        assert pay(session["url"], card).status_code == 303
        done = self.api.get(f"checkout/sessions/{session['id']}", "line_items", "subscription")
        return done["subscription"]


@pytest.fixture(scope="module")
def story(sandbox):
    story = Story(sandbox)
    story.api.get("account")
    monthly, once = catalog(story)
    bought_once(story, once)
    saved_card(story)
    subscription = subscribed(story, monthly)
    on_trial(story, monthly)
    fails_later(story, monthly)
    given_up(story, monthly, subscription)
    story_changes.tell(story, monthly)
    story.read_events()
    return story


def catalog(story):
    api = story.api
    product = api.post("products", name="Growth", metadata={"plan": "growth"}, active=True)
    api.post(f"products/{product['id']}", name="Growth plan", description="For teams")
    price = {"product": product["id"], "currency": "usd"}
    monthly = api.post(
        "prices", "product", unit_amount=4900, recurring={"interval": "month"},
        lookup_key="story_month", metadata={"plan": "growth"}, **price,
    )
    once = api.post("prices", unit_amount=1000, nickname="Pack", **price)
    api.post(f"prices/{once['id']}", active=True, metadata={"pack": "small"})
    found = api.get("prices", lookup_keys=["story_month"], active=True)
    assert [one["id"] for one in found["data"]] == [monthly["id"]]
    gone = api.post("products", name="Mistake")
    api.delete(f"products/{gone['id']}")
    return monthly, once


def bought_once(story, price):
    """A payment, the page before and after it, and its refund in two parts."""
    api = story.api
    items = [{"price": price["id"], "quantity": 2}]
    session = story.checkout(story.customer(name="Ada"), "payment", line_items=items)
    assert pay(session["url"], "4000000000000002").status_code == 402
    assert pay(session["url"]).status_code == 303
    expanded = ["payment_intent.latest_charge", "customer", "line_items.data.price.product"]
    done = api.get(f"checkout/sessions/{session['id']}", *expanded)
    intent = done["payment_intent"]
    assert (done["payment_status"], intent["amount_received"]) == ("paid", 2000)
    refund = {"payment_intent": intent["id"], "reason": "requested_by_customer"}
    first = api.post("refunds", "charge", amount=500, **refund)
    api.get(f"refunds/{first['id']}", "payment_intent")
    api.post("refunds", **refund)
    charge = api.get(f"charges/{intent['latest_charge']['id']}", "payment_intent")
    assert (charge["refunded"], charge["amount_refunded"]) == (True, 2000)


def saved_card(story):
    """A setup session that keeps a card, which then becomes the default; and one that expires."""
    api, customer = story.api, story.customer()
    session = story.checkout(customer, "setup", currency="usd")
    assert pay(session["url"]).status_code == 303
    expanded = ["setup_intent.payment_method", "customer"]
    done = api.get(f"checkout/sessions/{session['id']}", *expanded)
    method = done["setup_intent"]["payment_method"]
    default = {"default_payment_method": method["id"]}
    api.post(f"customers/{customer['id']}", invoice_settings=default, name="Grace")
    api.get(f"customers/{customer['id']}", "invoice_settings.default_payment_method")
    assert len(api.list_all(f"customers/{customer['id']}/payment_methods")) == 1
    api.post(f"payment_methods/{method['id']}/detach")
    forgotten = story.checkout(customer, "setup", currency="usd")
    api.post(f"checkout/sessions/{forgotten['id']}/expire")
    api.delete(f"customers/{customer['id']}")
    assert api.get(f"customers/{customer['id']}")["deleted"] is True


def subscribed(story, price):
    """Bought, renewed once, set to end and taken back."""
    api = story.api
    subscription = story.subscribe(price)
    expanded = ["customer", "latest_invoice.payments", "default_payment_method"]
    before = api.get(f"subscriptions/{subscription['id']}", *expanded)
    story.advance(days=32)
    after = api.get(f"subscriptions/{subscription['id']}", "latest_invoice", "items.data.price")
    assert after["latest_invoice"]["id"] != before["latest_invoice"]["id"]
    assert after["latest_invoice"]["billing_reason"] == "subscription_cycle"
    assert after["latest_invoice"]["status"] == "paid"
    api.get(f"invoices/{after['latest_invoice']['id']}", "payments", "customer")
    api.get(f"invoices/{after['latest_invoice']['id']}/lines")
    for payment in api.list_all("invoice_payments", invoice=after["latest_invoice"]["id"]):
        api.get(f"payment_intents/{payment['payment']['payment_intent']}", "payment_method")
    api.post(f"subscriptions/{subscription['id']}", cancel_at_period_end=True)
    api.post(f"subscriptions/{subscription['id']}", cancel_at_period_end=False)
    return subscription


def on_trial(story, price):
    """A trial that is announced, ends and is paid; and one that nobody pays."""
    api = story.api
    trial = {"trial_period_days": 7, "metadata": {"customer": "story"}}
    subscription = story.subscribe(price, subscription_data=trial)
    assert subscription["status"] == "trialing"
    ends = {"end_behavior": {"missing_payment_method": "cancel"}}
    session = story.checkout(
        story.customer(), "subscription",
        line_items=[{"price": price["id"], "quantity": 1}],
        payment_method_collection="if_required",
        subscription_data={"trial_period_days": 7, "trial_settings": ends},
    )
    assert pay(session["url"], "").status_code == 303
    free = api.get(f"checkout/sessions/{session['id']}")
    assert free["payment_status"] == "no_payment_required"
    story.advance(days=8)
    assert api.get(f"subscriptions/{subscription['id']}")["status"] == "active"
    assert api.get(f"subscriptions/{free['subscription']}")["status"] == "canceled"


def fails_later(story, price):
    """A trial whose card turns out bad: past due, retried, paid with another card."""
    api = story.api
    failing = story.subscribe(price, DECLINES_LATER, subscription_data={"trial_period_days": 3})
    story.advance(days=4)
    late = api.get(f"subscriptions/{failing['id']}", "latest_invoice.payments")
    assert late["status"] == "past_due"
    assert late["latest_invoice"]["status"] == "open"
    status, error = api.refused("POST", f"invoices/{late['latest_invoice']['id']}/pay")
    assert (status, error["type"], error["code"]) == (402, "card_error", "card_declined")
    better = api.post("payment_methods/pm_card_visa/attach", customer=failing["customer"])
    paying = {"payment_method": better["id"]}
    api.post(f"invoices/{late['latest_invoice']['id']}/pay", "payments", **paying)
    assert api.get(f"subscriptions/{failing['id']}")["status"] == "active"


def given_up(story, price, subscription):
    """A subscription that fails until the last retry, and one that is ended by hand."""
    api = story.api
    failing = story.subscribe(price, DECLINES_LATER, subscription_data={"trial_period_days": 1})
    story.advance(days=40)
    assert api.get(f"subscriptions/{failing['id']}")["status"] == "canceled"
    assert api.delete(f"subscriptions/{subscription['id']}")["status"] == "canceled"
    endpoint = api.post(
        "webhook_endpoints", url="http://127.0.0.1:9/gone", enabled_events=["invoice.paid"]
    )
    api.post(f"webhook_endpoints/{endpoint['id']}", disabled=True)
    api.delete(f"webhook_endpoints/{endpoint['id']}")


LISTS = [
    "charges", "checkout/sessions", "customers", "events", "invoice_payments", "invoices",
    "payment_intents", "prices", "products", "refunds", "setup_intents", "webhook_endpoints",
    *story_changes.LISTS,
]


def test_every_answer_of_the_story_is_what_the_sdk_expects(story):
    assert story.api.findings == []


@pytest.mark.parametrize("path", LISTS)
def test_every_object_in_a_list_is_what_the_sdk_expects(story, path):
    api = JudgedApi(story.sandbox.url)
    found = api.list_all(path)
    story.api.kinds |= api.kinds
    assert api.findings == []
    assert path == "webhook_endpoints" or found, f"the story has made no {path}"


def test_canceled_subscriptions_are_listed_when_asked_for(story):
    api = JudgedApi(story.sandbox.url)
    everything = api.list_all("subscriptions", status="all")
    assert {"active", "canceled"} <= {one["status"] for one in everything}
    assert "canceled" not in {one["status"] for one in api.list_all("subscriptions")}
    assert api.findings == []


def test_the_story_has_met_every_kind_of_object(story):
    assert (KINDS | story_changes.KINDS) - story.api.kinds == set()


def test_the_story_has_met_every_kind_of_event(story):
    assert (EVENTS | story_changes.EVENTS) - {event["type"] for event in story.events.values()} == set()
