"""Reads the type annotations of the official SDK, which its vendor generates from the API's
own description.

The SDK quotes most names and imports them only for type checkers, so `typing.get_type_hints`
cannot follow them. A `Scope` finds a name the way a type checker would: in the module, or where
the module imports it from.
"""

import ast
import importlib
import inspect
import sys
import typing
from collections.abc import Mapping
from functools import cache

from typing_extensions import Annotated, Literal, NotRequired, Required


class Scope(Mapping):
    """The names that an annotation in one module may use."""

    def __init__(self, module):
        self._module = module
        self._imports = {}
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    self._imports[alias.asname or alias.name] = (node.module, alias.name)

    def __getitem__(self, name):
        if name in vars(self._module):
            return vars(self._module)[name]
        if name in self._imports:
            module, attribute = self._imports[name]
            return getattr(importlib.import_module(module), attribute)
        raise KeyError(name)

    def __iter__(self):
        return iter({**vars(self._module), **self._imports})

    def __len__(self):
        return len({**vars(self._module), **self._imports})


@cache
def scope_of(cls):
    """The scope in which the annotations of a class were written."""
    return Scope(sys.modules[cls.__module__])


def resolve(annotation, scope):
    """An annotation without quotes around it."""
    while isinstance(annotation, (str, typing.ForwardRef)):
        text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        annotation = eval(text, {}, scope)  # noqa: S307, the SDK's own annotations
    return annotation


def unwrap(annotation, scope):
    """The plain type, and whether it is marked `NotRequired`."""
    annotation = resolve(annotation, scope)
    optional = False
    while typing.get_origin(annotation) in (NotRequired, Required, Annotated):
        optional = optional or typing.get_origin(annotation) is NotRequired
        annotation = resolve(typing.get_args(annotation)[0], scope)
    return annotation, optional


def choices(annotation, scope):
    """The members of a union, each resolved; the type itself if it is none.

    The SDK writes an enum as `Literal[...] | str` because a server may learn new words. What we
    send and what the sandbox emits must be words that exist today, so the `str` is left out.
    """
    annotation = resolve(annotation, scope)
    if not is_union(annotation):
        return [annotation]
    members = [one for part in typing.get_args(annotation) for one in choices(part, scope)]
    if any(is_enum(member) for member in members):
        members = [member for member in members if member is not str]
    return members


def is_union(annotation):
    origin = typing.get_origin(annotation)
    return origin is typing.Union or getattr(origin, "__name__", "") == "UnionType"


def is_enum(annotation):
    """A `Literal` of words, other than the empty one that stands for "unset"."""
    return typing.get_origin(annotation) is Literal and typing.get_args(annotation) != ("",)


def name_of(annotation):
    return getattr(annotation, "__name__", None) or str(annotation)
