"""The official Node SDK, pointed at the sandbox, walks the same way."""

import node_sdk
from servers import KEY


def test_the_node_sdk_buys_a_subscription_and_reads_it_back(sandbox):
    seen = node_sdk.run("node_walk.cjs", sandbox.url, KEY)
    assert seen.pop("customers") >= 1
    assert seen == {
        "status": "active",
        "amount_paid": 4900,
        "price": "node_growth_month",
        "missing": "StripeInvalidRequestError",
        "unknown": "StripeInvalidRequestError",
    }


def test_the_node_sdk_upgrades_schedules_a_downgrade_and_refunds(sandbox):
    assert node_sdk.run("node_changes.cjs", sandbox.url, KEY) == {
        "upgrade": "paid",
        "schedule": {"phases": 2, "status": "released"},
        "refund": {"whole": True, "status": "succeeded", "refunded": True},
    }
