"""Judges a request to Stripe by the parameter types of the official SDK.

The routes are learnt from the SDK itself: every method of every service is called once with
placeholders for its ids and a requestor that writes down the verb and the path instead of
sending anything. The parameters' types are those that the method's signature names.
"""

import importlib
import inspect
import re
import typing
import urllib.parse
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import Literal, is_typeddict

from annotations import choices, name_of, resolve, scope_of, unwrap

PLACEHOLDER = "idplaceholder"
METADATA_KEYS_MAX, METADATA_KEY_MAX, METADATA_VALUE_MAX = 50, 40, 500


@dataclass(frozen=True)
class Route:
    """One method of the SDK: verb, path with placeholders, type of its parameters."""

    method: str
    path: str
    params: type | None

    def matches(self, method, path):
        pattern = re.escape(self.path).replace(PLACEHOLDER, "[^/]+")
        return method == self.method and re.fullmatch(pattern, path) is not None


class Requestor:
    """Stands in for the SDK's HTTP layer and remembers what it was asked to send."""

    def __init__(self):
        self.asked = None

    def request(self, method, url, *_args, **_kwargs):
        self.asked = (method.upper(), url)

    request_stream = request


def services(module_name, class_name):
    """A service class and all that hang below it."""
    module = importlib.import_module(module_name)
    yield getattr(module, class_name)
    for child in getattr(module, "_subservices", {}).values():
        yield from services(*child)


def routes_of(service):
    for name, method in inspect.getmembers(service, inspect.isfunction):
        if name.startswith("_") or name.endswith("_async"):
            continue
        signature = inspect.signature(method)
        before = [it for it in signature.parameters.values() if it.kind is it.POSITIONAL_ONLY]
        ids = [PLACEHOLDER for parameter in before if parameter.name != "self"]
        params = {"params": {}} if "params" in signature.parameters else {}
        requestor = Requestor()
        method(service(requestor), *ids, **params)
        yield Route(*requestor.asked, params_type(service, signature))


def params_type(service, signature):
    if "params" not in signature.parameters:
        return None
    scope = scope_of(service)
    found = choices(signature.parameters["params"].annotation, scope)
    found = [resolve(one, scope) for one in found]
    return next(one for one in found if one is not type(None))


@cache
def routes():
    found = {}
    for service in services("stripe._v1_services", "V1Services"):
        for route in routes_of(service):
            found[(route.method, route.path)] = route
    return list(found.values())


def route_for(method, path):
    hits = [route for route in routes() if route.matches(method, path)]
    # `/v1/invoices/upcoming` before `/v1/invoices/{id}`.
    return min(hits, key=lambda route: route.path.count(PLACEHOLDER), default=None)


def judge(method, target, form):
    """What is wrong with a request, as sentences; an empty list if nothing is.

    `target` is the path with its query, if it has one; `form` the name and value pairs of the
    body.
    """
    path, _, query = target.partition("?")
    route = route_for(method, path)
    if route is None:
        return [f"there is no endpoint {method} {path}"]
    asked = urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    tree, findings = nest([*asked, *form])
    if route.params is None:
        return findings + [f"{name}: {method} {path} takes no parameters" for name in tree]
    return findings + judge_dict(route.params, tree, "")


def nest(form):
    """`a[b][0]=x` as `{"a": {"b": {"0": "x"}}}`."""
    tree, findings = {}, []
    for name, value in form:
        shape = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])*)", name)
        if shape is None:
            findings.append(f"{name}: the brackets do not match")
            continue
        parts = [shape[1], *re.findall(r"\[([^\[\]]*)\]", shape[2])]
        place = tree
        for part in parts[:-1]:
            place = place.setdefault(part or str(len(place)), {})
            if not isinstance(place, dict):
                break
        last = parts[-1] or (str(len(place)) if isinstance(place, dict) else "")
        if not isinstance(place, dict) or last in place:
            findings.append(f"{name}: given twice")
        else:
            place[last] = value
    return tree, findings


def judge_dict(cls, tree, at):
    fields = {
        name: annotation
        for name, annotation in inspect.get_annotations(cls).items()
        # Some parameter types carry the SDK's own options for one call.
        if name not in RequestOptions.__annotations__
    }
    findings = [f"{at}{name}: unknown parameter" for name in tree if name not in fields]
    for name, annotation in fields.items():
        annotation, optional = unwrap(annotation, scope_of(cls))
        if name in tree:
            findings += judge_value(annotation, tree[name], f"{at}{name}", scope_of(cls))
        elif not optional:
            findings.append(f"{at}{name}: required parameter missing")
    return findings


def judge_value(annotation, value, at, scope):
    members = choices(annotation, scope)
    if len(members) == 1:
        return judge_one(members[0], value, at, scope)
    answers = [judge_one(member, value, at, scope) for member in members]
    if [] in answers:
        return []
    # The member that the value was meant for is the one that complains about something inside.
    inside = [answer for answer in answers if not answer[0].startswith(f"{at}:")]
    return (inside or answers[::-1])[0]


def judge_one(annotation, value, at, scope):
    origin = typing.get_origin(annotation)
    if origin is Literal:
        words = typing.get_args(annotation)
        return [] if value in words else [f"{at}: {value!r} is not one of {list(words)}"]
    if origin is list:
        return judge_list(typing.get_args(annotation)[0], value, at, scope)
    if annotation is UntypedStripeObject or origin in (dict, UntypedStripeObject):
        return judge_map(value, at)
    if is_typeddict(annotation):
        if isinstance(value, dict):
            return judge_dict(annotation, value, f"{at}.")
        return [f"{at}: expected an object, got {value!r}"]
    return judge_scalar(annotation, value, at)


def judge_list(item, value, at, scope):
    if not isinstance(value, dict):
        return [f"{at}: expected a list, got {value!r}"]
    findings = []
    if set(value) != {str(index) for index in range(len(value))}:
        findings.append(f"{at}: the indexes {sorted(value)} do not count from 0")
    for index, one in value.items():
        findings += judge_value(item, one, f"{at}[{index}]", scope)
    return findings


def judge_map(value, at):
    if not isinstance(value, dict):
        return [f"{at}: expected a map, got {value!r}"]
    findings = []
    if METADATA_KEYS_MAX < len(value):
        findings.append(f"{at}: more than {METADATA_KEYS_MAX} keys")
    for key, text in value.items():
        if METADATA_KEY_MAX < len(key):
            findings.append(f"{at}[{key}]: a key has at most {METADATA_KEY_MAX} characters")
        if not isinstance(text, str):
            findings.append(f"{at}[{key}]: a value is a string")
        elif METADATA_VALUE_MAX < len(text):
            findings.append(f"{at}[{key}]: a value has at most {METADATA_VALUE_MAX} characters")
    return findings


SCALARS = {
    str: r"(?s).*",
    bool: r"true|false",
    int: r"-?[0-9]+",
    float: r"-?[0-9]+(\.[0-9]+)?",
    Decimal: r"-?[0-9]+(\.[0-9]+)?",
}


def judge_scalar(annotation, value, at):
    if annotation not in SCALARS:
        return [f"{at}: this judge does not know the type {name_of(annotation)}"]
    if not isinstance(value, str) or not re.fullmatch(SCALARS[annotation], value):
        return [f"{at}: expected {name_of(annotation)}, got {value!r}"]
    return []
