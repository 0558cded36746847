"""Judges which fields an object leaves out, by the declarations of the official Node SDK.

The Python SDK says `Optional` for what may be null and for what may be absent alike. The Node SDK
tells them apart (`field: string | null` against `field?: string`), so a field that the provider
always sends, if only as null, cannot be forgotten. The declarations are generated and regular; a
few patterns are enough to read them.
"""

import os
import pathlib
import re
from dataclasses import dataclass, field
from functools import cache

NAMESPACE = re.compile(r"(?:export )?(?:declare )?namespace (\w+) \{")
INTERFACE = re.compile(r"(?:export )?(?:declare )?interface (\w+)(?: extends [\w.]+)? \{")
FIELD = re.compile(r"(\w+)(\??): (.+)")
NAME = re.compile(r"[A-Z]\w*(?:\.\w+)*")


@dataclass
class Interface:
    """One interface: its place in its file, and its fields."""

    path: tuple
    file: dict
    required: set = field(default_factory=set)
    types: dict = field(default_factory=dict)


def judge(thing, at=""):
    """What is missing in an object and in all that it contains, as sentences."""
    if isinstance(thing, list):
        return [one for index, item in enumerate(thing) for one in judge(item, f"{at}[{index}]")]
    if not isinstance(thing, dict) or thing.get("deleted") is True:
        return []
    interface = interface_of(thing)
    if interface is not None:
        return judge_interface(interface, thing, at or thing["object"])
    return [one for name, value in thing.items() for one in judge(value, f"{at}.{name}")]


def judge_interface(interface, thing, at):
    missing = interface.required - set(thing)
    findings = [f"{at}.{name}: always sent, if only as null" for name in sorted(missing)]
    for name, value in thing.items():
        inside = nested(interface, interface.types.get(name, ""))
        for item, place in items_of(value, f"{at}.{name}"):
            plain = isinstance(item, dict) and interface_of(item) is None
            if plain and inside is not None:
                findings += judge_interface(inside, item, place)
            else:
                findings += judge(item, place)
    return findings


def interface_of(thing):
    """By the kind that an object says it is; an event's data has its object under that name."""
    kind = thing.get("object")
    return kinds().get(kind) if isinstance(kind, str) else None


def items_of(value, at):
    if isinstance(value, list):
        return [(item, f"{at}[{index}]") for index, item in enumerate(value)]
    return [(value, at)]


def nested(interface, text):
    """The one interface that a field's type names, looked up from the inside out."""
    found = {}
    for name in NAME.findall(text):
        parts = tuple(name.split("."))
        for depth in range(len(interface.path), -1, -1):
            hit = interface.file.get(interface.path[:depth] + parts)
            if hit is not None:
                found[hit.path] = hit
                break
    return found.popitem()[1] if len(found) == 1 else None


@cache
def kinds():
    """The interface of every kind of object."""
    folder = next(
        pathlib.Path(one, "stripe/cjs/resources")
        for one in os.environ.get("NODE_PATH", "").split(os.pathsep)
        if one and pathlib.Path(one, "stripe/cjs/resources").is_dir()
    )
    found = {}
    for path in sorted(folder.rglob("*.d.ts")):
        # The second generation of the API has its own objects under the same names.
        if "V2" in path.relative_to(folder).parts:
            continue
        for interface in read(path.read_text()).values():
            kind = re.fullmatch(r"'([\w.]+)'", interface.types.get("object", ""))
            if kind and len(interface.path) == 1 and not interface.path[0].startswith("Deleted"):
                found[kind[1]] = interface
    return found


def read(text):
    """The interfaces of one file of declarations, by their path."""
    file, open_blocks = {}, []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith(("/*", "*")):
            continue
        namespace, interface = NAMESPACE.match(line), INTERFACE.match(line)
        path = tuple(name for name, _ in open_blocks if name)
        if namespace:
            open_blocks.append((namespace[1], None))
        elif interface:
            current = file.setdefault(
                (*path, interface[1]), Interface((*path, interface[1]), file)
            )
            open_blocks.append((interface[1], current))
        elif line.startswith("}"):
            open_blocks.pop()
        else:
            if open_blocks and open_blocks[-1][1] is not None and (found := FIELD.match(line)):
                add_field(open_blocks[-1][1], found)
            if line.endswith("{"):
                open_blocks.append(("", None))
    return file


def add_field(interface, found):
    name, optional, text = found[1], found[2], found[3].rstrip(";")
    interface.types[name] = text
    if not optional:
        interface.required.add(name)
