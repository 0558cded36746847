"""Judges an object or an event that is shaped like Stripe's by the resource classes of the
official SDK.

The SDK says `Optional` both for what may be null and for what may be absent, so an absent field
is a finding only where the type has no `Optional`.
"""

import importlib
import inspect
import typing
from decimal import Decimal
from functools import cache

from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import StripeObject, UntypedStripeObject
from typing_extensions import Literal

from annotations import choices, name_of, scope_of

DELETED = {"id", "object", "deleted"}


def judge(thing):
    """What is wrong with an object, as sentences; an empty list if nothing is."""
    if not isinstance(thing, dict) or not isinstance(thing.get("object"), str):
        return [f"not a Stripe object: {thing!r:.100}"]
    kind = thing["object"]
    if kind not in OBJECT_CLASSES:
        return [f"the SDK knows no object {kind!r}"]
    if kind in ("list", "search_result"):
        return judge_list(thing, kind)
    if thing.get("deleted") is True:
        return [f"{kind}.{name}: a deleted object has it not" for name in set(thing) - DELETED]
    findings = judge_fields(class_of(kind), thing, kind)
    if kind == "event" and isinstance(thing.get("data"), dict):
        findings += judge_event_data(thing["data"])
    return findings


def judge_list(thing, at):
    findings = [f"{at}.{name}: missing" for name in ("data", "has_more", "url") if name not in thing]
    known = {"object", "data", "has_more", "url", "total_count", "next_page"}
    findings += [f"{at}.{name}: no such field" for name in set(thing) - known]
    return findings + [one for item in thing.get("data", []) for one in judge(item)]


def judge_event_data(data):
    """The object of an event, and the fields that it says were different before."""
    if not isinstance(data.get("object"), dict):
        return ["event.data.object: missing"]
    findings = judge(data["object"])
    before = data.get("previous_attributes")
    kind = data["object"].get("object")
    if before is None or kind not in OBJECT_CLASSES:
        return findings
    fields = fields_of(class_of(kind))
    for name, value in before.items():
        at = f"previous_attributes.{name}"
        if name not in fields:
            findings.append(f"{at}: no such field on {kind}")
        elif not isinstance(value, dict):
            # Of a nested object only what changed is named, so only whole values are judged.
            findings += judge_value(*fields[name], value, at)
    return findings


@cache
def class_of(kind):
    module, name = OBJECT_CLASSES[kind]
    return getattr(importlib.import_module(module), name)


@cache
def fields_of(cls):
    """The fields of a class and its bases, each with the scope of its annotation."""
    fields = {}
    for base in reversed(cls.__mro__):
        if base is object or base is StripeObject:
            continue
        for name, annotation in inspect.get_annotations(base).items():
            if not name.startswith("_") and typing.get_origin(annotation) is not typing.ClassVar:
                fields[name] = (annotation, scope_of(base))
    return fields


def judge_fields(cls, thing, at):
    fields = fields_of(cls)
    findings = [f"{at}.{name}: no such field on {name_of(cls)}" for name in thing if name not in fields]
    for name, (annotation, scope) in fields.items():
        if name in thing:
            findings += judge_value(annotation, scope, thing[name], f"{at}.{name}")
        elif type(None) not in choices(annotation, scope):
            findings.append(f"{at}.{name}: required field missing")
    return findings


def judge_value(annotation, scope, value, at):
    members = choices(annotation, scope)
    if value is None:
        return [] if type(None) in members else [f"{at}: null, which it never is"]
    members = [member for member in members if member is not type(None)]
    answers = [judge_one(member, scope, value, at) for member in members]
    if [] in answers:
        return []
    # The member that the value was meant for is the one that complains about something inside.
    inside = [answer for answer in answers if not answer[0].startswith(f"{at}:")]
    return (inside or answers[::-1])[0]


def judge_one(annotation, scope, value, at):
    origin = typing.get_origin(annotation)
    if origin is Literal:
        words = typing.get_args(annotation)
        return [] if value in words else [f"{at}: {value!r} is not one of {list(words)}"]
    if origin is list:
        return judge_items(typing.get_args(annotation)[0], scope, value, at)
    if getattr(origin, "OBJECT_NAME", None) == "list":
        return judge_list_object(typing.get_args(annotation)[0], scope, value, at)
    if annotation is UntypedStripeObject or origin in (dict, UntypedStripeObject):
        return judge_map(annotation, scope, value, at)
    if inspect.isclass(annotation) and issubclass(annotation, StripeObject):
        return judge_object(annotation, value, at)
    return judge_scalar(annotation, value, at)


def judge_items(item, scope, value, at):
    if not isinstance(value, list):
        return [f"{at}: expected a list, got {value!r:.60}"]
    judged = (judge_value(item, scope, one, f"{at}[{index}]") for index, one in enumerate(value))
    return [finding for findings in judged for finding in findings]


def judge_list_object(item, scope, value, at):
    if not isinstance(value, dict) or value.get("object") != "list":
        return [f"{at}: expected a list object, got {value!r:.60}"]
    findings = [f"{at}.{name}: missing" for name in ("data", "has_more", "url") if name not in value]
    return findings + judge_items(item, scope, value.get("data", []), f"{at}.data")


def judge_map(annotation, scope, value, at):
    if not isinstance(value, dict):
        return [f"{at}: expected a map, got {value!r:.60}"]
    arguments = typing.get_args(annotation)
    if not arguments or arguments[-1] is typing.Any:
        return []
    judged = (judge_value(arguments[-1], scope, one, f"{at}.{key}") for key, one in value.items())
    return [finding for findings in judged for finding in findings]


def judge_object(cls, value, at):
    if not isinstance(value, dict):
        return [f"{at}: expected {name_of(cls)}, got {value!r:.60}"]
    wanted = getattr(cls, "OBJECT_NAME", None)
    if wanted is not None and value.get("object") != wanted:
        return [f"{at}: expected the object {wanted!r}, got {value.get('object')!r}"]
    if value.get("deleted") is True:
        return []
    return judge_fields(cls, value, at)


def judge_scalar(annotation, value, at):
    if annotation in (typing.Any, object):
        return []
    kinds = {str: str, Decimal: str, int: int, bool: bool, float: (int, float)}
    if annotation not in kinds:
        return [f"{at}: this judge does not know the type {name_of(annotation)}"]
    is_bool = isinstance(value, bool)
    if isinstance(value, kinds[annotation]) and is_bool == (annotation is bool):
        return []
    return [f"{at}: expected {name_of(annotation)}, got {value!r:.60}"]
