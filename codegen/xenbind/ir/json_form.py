"""Write an interface as JSON, and read it back.

Takes an `Interface`; gives a text with each constant, record and the like on a line of its
own, so that a diff shows which changed; and the other way round.  `stored` keeps interfaces
so.  A node is an object with one name, its class's, and the values of its fields in their
order, without the last ones that are the fields' defaults; a tuple is an array.

    {"Constant": ["VM_EVENT_REASON_CPUID", 10, "10", "A CPUID.", {"Coord": [...]}]}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import ModuleType
from typing import Any

from xenbind.ir import c_types, interface
from xenbind.ir.interface import Interface
from xenbind.plain import Struct, fields, replace
from xenbind.source import Coord

# Turns the path of a header into the name that it has in the text, or that into a path.
Rename = Callable[[str], str]


def _nodes(module: ModuleType) -> dict[str, type[Struct]]:
    found = vars(module).items()
    return {
        n: node
        for n, node in found
        if isinstance(node, type) and issubclass(node, Struct)
    }


_NODES: Mapping[str, type[Struct]] = {**_nodes(c_types), **_nodes(interface)}


def dump(told: Interface, rename: Rename) -> str:
    """Write an interface, with headers by the names that `rename` gives their paths."""
    named = _with_files(told, rename)
    encode = json.JSONEncoder(
        ensure_ascii=False, check_circular=False, default=partial(_plain, rename)
    ).encode
    lines = (
        f" {encode(field.name)}: {_lines(getattr(named, field.name), encode)}"
        for field in fields(named)
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def load(text: str, rename: Rename) -> Interface:
    """Read what `dump` wrote; `rename` turns the names of headers into paths."""
    values = json.loads(text).items()
    found = Interface(**{name: _read(value, rename) for name, value in values})
    return _with_files(found, rename)


def _with_files(told: Interface, rename: Rename) -> Interface:
    files = tuple(map(rename, told.files))
    return replace(told, header=rename(told.header), files=files)


def _lines(value: object, encode: Callable[[object], str]) -> str:
    """Write a field's value, each item of a tuple in its own line."""
    if not isinstance(value, tuple) or not value:
        return encode(value)
    return "[\n  " + ",\n  ".join(map(encode, value)) + "\n ]"


def _plain(rename: Rename, node: Any) -> dict[str, list[Any]]:
    """Give a node as what JSON has; its values are told in the same way."""
    if isinstance(node, Coord):
        return {"Coord": [rename(node.file), node.line, node.column]}
    return {node.__class__.__name__: _told(node)}


def _told(node: Any) -> list[Any]:
    """Give the values of a node's fields, but for the last ones that are the defaults."""
    names, defaults = _fields(node.__class__)
    told = [getattr(node, name) for name in names]
    while told and told[-1] == defaults[len(told) - 1]:
        told.pop()
    return told


@cache  # `fields` looks through all that a class has, each time
def _fields(node: type[Any]) -> tuple[list[str], list[Any]]:
    """Give the names of a node's fields and their defaults, which are NODEFAULT where none is."""
    return [f.name for f in fields(node)], [f.default for f in fields(node)]


def _read(value: Any, rename: Rename) -> Any:
    if isinstance(value, list):
        return tuple(_read(item, rename) for item in value)
    if not isinstance(value, dict):
        return value
    [(name, values)] = value.items()
    if name == Coord.__name__:
        file, line, column = values
        return Coord(rename(file), line, column)
    return _NODES[name](*(_read(item, rename) for item in values))
