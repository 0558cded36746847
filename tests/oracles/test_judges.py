"""The judges are not blind: what they must find, and what they must let pass."""

import copy

import object_judge
import presence_judge
import pytest
import request_judge
from typing_extensions import is_typeddict

CHECKOUT = [
    ["mode", "subscription"],
    ["customer", "cus_1"],
    ["line_items[0][price]", "price_1"],
    ["line_items[0][quantity]", "1"],
    ["success_url", "https://example.com/ok"],
    ["subscription_data[trial_period_days]", "14"],
    ["subscription_data[metadata][customer]", "c-1"],
    ["allow_promotion_codes", "true"],
    ["expand[]", "subscription"],
]


def judge_checkout(*changes):
    form = dict(CHECKOUT)
    for name, value in changes:
        form.pop(name, None)
        if value is not None:
            form[name] = value
    return request_judge.judge("POST", "/v1/checkout/sessions", list(form.items()))


def test_all_of_the_sdks_routes_are_known():
    assert 400 < len(request_judge.routes())
    types = [route.params for route in request_judge.routes() if route.params is not None]
    assert all(is_typeddict(params) for params in types)


def test_a_right_request_passes():
    assert judge_checkout() == []
    lookup = [["lookup_keys[0]", "growth_month"], ["active", "true"], ["limit", "100"]]
    assert request_judge.judge("GET", "/v1/prices", lookup) == []
    in_query = "/v1/prices?lookup_keys%5B0%5D=growth+month&active=true"
    assert request_judge.judge("GET", in_query, []) == []
    assert request_judge.judge("GET", "/v1/subscriptions/sub_1", []) == []
    assert request_judge.judge("POST", "/v1/customers/cus_1", [["metadata", ""]]) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (("plan", "growth"), "plan: unknown parameter"),
        (("subscription_data[trial_days]", "14"), "subscription_data.trial_days: unknown"),
        (("mode", "subscribe"), "mode: 'subscribe' is not one of"),
        (("allow_promotion_codes", "yes"), "allow_promotion_codes: expected bool"),
        (("line_items[0][quantity]", "1.5"), "line_items[0].quantity: expected int"),
        (("customer[id]", "cus_1"), "customer[id]: given twice"),
        (("line_items[2][price]", "price_2"), "line_items: the indexes"),
        (("metadata[" + "k" * 41 + "]", "v"), "a key has at most 40"),
        (("metadata[k]", "v" * 501), "a value has at most 500"),
        (("mode[", "x"), "mode[: the brackets do not match"),
    ],
)
def test_a_planted_mistake_in_a_request_is_found(change, finding):
    answer = judge_checkout(change)
    assert any(finding in one for one in answer), answer


def test_a_parameter_given_twice_is_found():
    for again in (["mode", "payment"], ["line_items", "price_1"]):
        answer = request_judge.judge("POST", "/v1/checkout/sessions", [*CHECKOUT, again])
        assert f"{again[0]}: given twice" in answer


def test_a_mistake_in_a_query_is_found():
    answer = request_judge.judge("GET", "/v1/prices?lookup_key=growth&active=maybe", [])
    assert answer == ["lookup_key: unknown parameter", "active: expected bool, got 'maybe'"]


def test_a_missing_parameter_is_found():
    assert request_judge.judge("POST", "/v1/products", []) == ["name: required parameter missing"]
    nested = [["currency", "usd"], ["product_data[active]", "true"]]
    answer = request_judge.judge("POST", "/v1/prices", nested)
    assert answer == ["product_data.name: required parameter missing"]


def test_an_unknown_endpoint_is_found():
    for method, path in [
        ("POST", "/v1/subscription"),
        ("PATCH", "/v1/customers/cus_1"),
        ("GET", "/v1/customers/cus_1/plan"),
        ("GET", "/v1/customers//"),
    ]:
        assert request_judge.judge(method, path, []) == [f"there is no endpoint {method} {path}"]


PRODUCT = {
    "id": "prod_1",
    "object": "product",
    "active": True,
    "created": 1,
    "default_price": None,
    "description": None,
    "images": [],
    "livemode": False,
    "marketing_features": [],
    "metadata": {"plan": "growth"},
    "name": "Growth",
    "package_dimensions": None,
    "shippable": None,
    "tax_code": None,
    "tax_details": None,
    "type": "service",
    "unit_label": None,
    "updated": 1,
    "url": None,
}

EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1,
    "data": {"object": PRODUCT, "previous_attributes": {"name": "Old", "metadata": {"plan": None}}},
    "livemode": False,
    "pending_webhooks": 0,
    "request": {"id": None, "idempotency_key": None},
    "type": "product.updated",
}


def test_a_right_object_a_right_event_and_a_right_list_pass():
    assert object_judge.judge(PRODUCT) == []
    assert object_judge.judge(EVENT) == []
    pages = {"object": "list", "data": [PRODUCT], "has_more": False, "url": "/v1/products"}
    assert object_judge.judge(pages) == []
    assert object_judge.judge({"id": "prod_1", "object": "product", "deleted": True}) == []


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        (["colour"], "red", "product.colour: no such field"),
        (["name"], ..., "product.name: required field missing"),
        (["name"], None, "product.name: null, which it never is"),
        (["created"], "1", "product.created: expected int"),
        (["created"], True, "product.created: expected int"),
        (["active"], 1, "product.active: expected bool"),
        (["type"], "thing", "product.type: 'thing' is not one of"),
        (["metadata"], {"plan": 1}, "product.metadata.plan: expected str"),
        (["images"], "x", "product.images: expected a list"),
        (["marketing_features"], [{"nme": "x"}], "marketing_features[0].nme: no such field"),
        (["default_price"], {"object": "plan"}, "default_price: expected the object 'price'"),
        (["default_price"], {"object": "price"}, "default_price.id: required field missing"),
        (["object"], "produce", "the SDK knows no object 'produce'"),
    ],
)
def test_a_planted_mistake_in_an_object_is_found(path, value, finding):
    broken = copy.deepcopy(PRODUCT)
    if value is ...:
        del broken[path[0]]
    else:
        broken[path[0]] = value
    answer = object_judge.judge(broken)
    assert any(finding in one for one in answer), answer
    in_event = object_judge.judge({**EVENT, "data": {"object": broken}})
    assert any(finding in one for one in in_event), in_event


def test_a_planted_mistake_in_an_event_is_found():
    unknown = object_judge.judge({**EVENT, "type": "product.painted"})
    assert any("event.type: 'product.painted' is not one of" in one for one in unknown)
    before = {"object": PRODUCT, "previous_attributes": {"colour": "red", "created": "x"}}
    answer = object_judge.judge({**EVENT, "data": before})
    assert "previous_attributes.colour: no such field on product" in answer
    assert "previous_attributes.created: expected int, got 'x'" in answer


def test_every_kind_of_object_is_known_to_both_judges_of_objects():
    main_job = {"subscription", "invoice", "line_item", "checkout.session", "event", "charge"}
    assert main_job <= set(presence_judge.kinds())
    assert main_job <= set(object_judge.OBJECT_CLASSES)


def test_nothing_is_missing_in_a_whole_object():
    assert presence_judge.judge(PRODUCT) == []
    assert presence_judge.judge(EVENT) == []
    assert presence_judge.judge({"id": "prod_1", "object": "product", "deleted": True}) == []


def test_a_field_that_is_left_out_instead_of_null_is_found_however_deep():
    lacking = {name: value for name, value in PRODUCT.items() if name != "description"}
    assert object_judge.judge(lacking) == [], "the Python SDK cannot tell"
    finding = "description: always sent, if only as null"
    assert presence_judge.judge(lacking) == [f"product.{finding}"]
    in_event = presence_judge.judge({**EVENT, "data": {"object": lacking}})
    assert in_event == [f"event.data.object.{finding}"]
    in_list = presence_judge.judge({"object": "list", "data": [PRODUCT, lacking]})
    assert in_list == [f".data[1].{finding}"]
    in_value = presence_judge.judge({**PRODUCT, "package_dimensions": {"height": 1}})
    missing = ["length", "weight", "width"]
    assert in_value == [
        f"product.package_dimensions.{name}: always sent, if only as null" for name in missing
    ]
