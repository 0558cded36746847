"""The part of the story in which things change: upgrades, schedules, refusals, refunds, disputes."""

from servers import pay

# Kinds of objects and events that only this part meets.
KINDS = {"balance_transaction", "billing_portal.session", "dispute", "subscription_schedule"}
EVENTS = {
    "billing_portal.session.created",
    "charge.dispute.closed", "charge.dispute.created", "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn", "charge.dispute.updated", "charge.refund.updated",
    "charge.updated", "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired", "invoice.marked_uncollectible",
    "invoice.payment_action_required", "invoice.voided", "payment_intent.canceled",
    "payment_intent.requires_action", "refund.failed", "refund.updated",
    "subscription_schedule.canceled", "subscription_schedule.completed",
    "subscription_schedule.created", "subscription_schedule.released",
    "subscription_schedule.updated",
}
LISTS = ["disputes", "subscription_schedules"]
ALWAYS_ASKS = "4000002760003184"
AT_ONCE = {"proration_behavior": "always_invoice"}
WHEN_PAID = AT_ONCE | {"payment_behavior": "pending_if_incomplete"}


def tell(story, growth):
    api = story.api
    product = api.post("products", name="Scale")
    price = {"product": product["id"], "currency": "usd"}
    scale = api.post("prices", unit_amount=9900, recurring={"interval": "month"}, **price)
    yearly = api.post("prices", unit_amount=99000, recurring={"interval": "year"}, **price)
    upgraded(story, growth, scale, yearly)
    upgraded_when_paid(story, growth, scale)
    downgraded(story, growth, scale)
    challenged(story, growth)
    given_up(story, growth)
    banks(story, growth)
    in_the_portal(story, growth, scale)


def item(subscription, price):
    return [{"id": subscription["items"]["data"][0]["id"], "price": price["id"], "quantity": 1}]


def upgraded(story, growth, scale, yearly):
    """A preview, the change that charges it, credit that is left, another interval."""
    api = story.api
    subscription = story.subscribe(growth)
    story.advance(days=9)
    change = {"items": item(subscription, scale), **AT_ONCE}
    preview = api.post(
        "invoices/create_preview", "customer", "lines.data.pricing.price_details.price",
        subscription=subscription["id"], subscription_details=change,
    )
    date = preview["parent"]["subscription_details"]["subscription_proration_date"]
    changed = api.post(
        f"subscriptions/{subscription['id']}", "latest_invoice.payments",
        proration_date=date, **change,
    )
    assert changed["latest_invoice"]["total"] == preview["total"] > 0
    api.post(f"subscriptions/{subscription['id']}", items=item(subscription, growth), **AT_ONCE)
    assert api.get(f"customers/{subscription['customer']}")["balance"] < 0
    api.post(f"subscriptions/{subscription['id']}", items=item(subscription, scale))
    api.post("invoices/create_preview", subscription=subscription["id"])
    story.advance(days=31)
    api.post(f"subscriptions/{subscription['id']}", items=item(subscription, yearly))
    status, error = api.refused(
        "POST", f"subscriptions/{subscription['id']}", items=[{"id": "si_gone"}]
    )
    assert (status, error["code"]) == (400, "resource_missing")


def upgraded_when_paid(story, growth, scale):
    """Upgrades that wait for a card: one is paid in the end, one is not."""
    api = story.api
    for paid in (True, False):
        subscription = story.subscribe(growth)
        path = f"subscriptions/{subscription['id']}"
        attach = "payment_methods/pm_card_chargeCustomerFail/attach"
        bad = api.post(attach, customer=subscription["customer"])
        api.post(path, default_payment_method=bad["id"])
        waiting = api.post(path, "latest_invoice", items=item(subscription, scale), **WHEN_PAID)
        assert waiting["pending_update"]["subscription_items"][0]["price"]["id"] == scale["id"]
        if paid:
            good = api.post("payment_methods/pm_card_visa/attach", customer=waiting["customer"])
            invoice = waiting["latest_invoice"]["id"]
            api.post(f"invoices/{invoice}/pay", payment_method=good["id"])
        story.advance(days=1)
        now = api.get(path)
        assert now["pending_update"] is None
        assert (now["items"]["data"][0]["price"]["id"] == scale["id"]) == paid


def phase(price, **more):
    return {"items": [{"price": price["id"], "quantity": 1}], **more}


def downgraded(story, growth, scale):
    """Schedules that run, are released, are canceled, and end their subscription."""
    api = story.api
    for end in ("runs", "release", "cancel", "ends"):
        subscription = story.subscribe(scale)
        made = api.post("subscription_schedules", from_subscription=subscription["id"])
        now = made["phases"][0]
        first = phase(scale, start_date=now["start_date"], end_date=now["end_date"])
        later = phase(growth, duration={"interval": "month"}, proration_behavior="none")
        path = f"subscription_schedules/{made['id']}"
        api.post(
            path, "subscription", "customer", phases=[first] if end == "ends" else [first, later],
            end_behavior="cancel" if end == "ends" else "release", metadata={"why": "story"},
        )
        status, error = api.refused(
            "POST", f"subscriptions/{subscription['id']}", cancel_at_period_end=True
        )
        assert status == 400 and "managed by the subscription schedule" in error["message"]
        if end in ("release", "cancel"):
            api.post(f"{path}/{end}")
        else:
            story.advance(days=32)
            story.advance(days=32)
        over = {"runs": "released", "release": "released", "cancel": "canceled", "ends": "completed"}
        assert api.get(path)["status"] == over[end]
    assert len(api.list_all("subscription_schedules", customer=subscription["customer"])) == 1


def challenged(story, growth):
    """A card whose bank asks every time."""
    api = story.api
    items = [{"price": growth["id"], "quantity": 1}]
    session = story.checkout(story.customer(), "subscription", line_items=items)
    assert pay(session["url"], ALWAYS_ASKS).status_code == 200
    assert pay(session["url"], ALWAYS_ASKS, challenge="fail").status_code == 402
    assert pay(session["url"], ALWAYS_ASKS, challenge="confirm").status_code == 303
    subscription = api.get(f"checkout/sessions/{session['id']}")["subscription"]
    story.advance(days=32)
    intent = "latest_invoice.payments.data.payment.payment_intent"
    waiting = api.get(f"subscriptions/{subscription}", intent)
    intent = waiting["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
    assert (waiting["status"], intent["status"]) == ("past_due", "requires_action")
    url = intent["next_action"]["redirect_to_url"]["url"]
    assert pay(url, challenge="fail").status_code == 402
    api.get(f"payment_intents/{intent['id']}")
    status, error = api.refused("POST", f"invoices/{waiting['latest_invoice']['id']}/pay")
    assert (status, error["code"]) == (402, "invoice_payment_intent_requires_action")
    assert pay(url, challenge="confirm").status_code == 200
    assert api.get(f"subscriptions/{subscription}")["status"] == "active"


def given_up(story, growth):
    """A first invoice that is paid on its page after it was given up, and one that is void."""
    api = story.api
    items = [{"price": growth["id"]}]
    waits = {"items": items, "payment_behavior": "default_incomplete"}
    for end in ("pay", "void"):
        made = api.post("subscriptions", "latest_invoice", customer=story.customer()["id"], **waits)
        invoice = made["latest_invoice"]
        api.post(f"invoices/{invoice['id']}/mark_uncollectible")
        if end == "void":
            api.post(f"invoices/{invoice['id']}/void")
        else:
            assert pay(invoice["hosted_invoice_url"]).status_code == 303


def charge_of(story, growth, card):
    subscription = story.subscribe(growth, card)
    charges = story.api.get("charges", customer=subscription["customer"])
    return charges["data"][0]


def banks(story, growth):
    """Refunds that are pending or fail, and disputes won, lost and asked about."""
    api = story.api
    for card in ("4000000000007726", "4000000000005126"):
        charge = charge_of(story, growth, card)
        refund = api.post("refunds", "charge", charge=charge["id"])
        story.advance(days=1)
        ended = api.get(f"refunds/{refund['id']}")
        assert ended["status"] == ("succeeded" if card.endswith("7726") else "failed")
    evidence = {"4000000000000259": "winning_evidence", "4000000000002685": "losing_evidence"}
    for card in (*evidence, "4000000000001976"):
        charge = charge_of(story, growth, card)
        story.advance(days=1)
        dispute = api.get("disputes", charge=charge["id"])["data"][0]
        if card in evidence:
            text = {"uncategorized_text": evidence[card]}
            api.post(f"disputes/{dispute['id']}", "charge", "payment_intent", evidence=text)
        else:
            api.post(f"disputes/{dispute['id']}/close")
        story.advance(days=1)
        ended = api.get(f"disputes/{dispute['id']}")
        assert ended["status"] in ("won", "lost"), ended["status"]
        assert api.get(f"charges/{charge['id']}")["disputed"] is True


def in_the_portal(story, growth, scale):
    """What a customer does alone: another card, a planned end taken back, a planned switch."""
    api = story.api
    subscription = story.subscribe(growth)
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": subscription["id"]}}
    api.post("billing_portal/sessions", customer=subscription["customer"], flow_data=flow)
    update = {"id": subscription["items"]["data"][0]["id"], "price": scale["id"], "quantity": 1}
    confirm = {"subscription": subscription["id"], "items": [update]}
    flow = {
        "type": "subscription_update_confirm", "subscription_update_confirm": confirm,
        "after_completion": {"type": "redirect", "redirect": {"return_url": "http://127.0.0.1/"}},
    }
    api.post("billing_portal/sessions", customer=subscription["customer"], flow_data=flow)
    portal = api.post(
        "billing_portal/sessions", customer=subscription["customer"],
        return_url="http://127.0.0.1/back",
    )
    owned = {"subscription": subscription["id"]}
    assert pay(portal["url"], "5555555555554444", action="card").status_code == 303
    assert pay(portal["url"], action="cancel", **owned).status_code == 303
    ending = api.get(f"subscriptions/{subscription['id']}")
    assert ending["cancel_at"] is not None and ending["cancel_at_period_end"] is False
    assert pay(portal["url"], action="resume", **owned).status_code == 303
    switch = {"price": scale["id"], "when": "period_end"}
    assert pay(portal["url"], action="switch", **owned, **switch).status_code == 303
    assert api.get(f"subscriptions/{subscription['id']}", "schedule")["schedule"] is not None
