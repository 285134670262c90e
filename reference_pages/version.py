"""The page of the newest version's module: its records, enums and other constants."""

from __future__ import annotations

import ast
import ctypes
import inspect
import re
from collections.abc import Iterator
from enum import Enum, IntFlag
from types import ModuleType
from typing import Any

import xen_vm_event
from xen_vm_event import interface

from reference_pages.markdown import code, fill, inline, link, prose, table

# A member in a record's docstring: its name, its C type, and words below it, if there are any.
_MEMBER = re.compile(r"(\w+): (.+)((?:\n    .*)*)")


def page() -> str:
    """Give the page of the newest version."""
    module = interface(max(xen_vm_event.VERSIONS))
    own = [
        each
        for name, each in vars(module).items()
        if _is_of(module, each) and name == each.__name__
    ]
    records = [each for each in own if hasattr(each, "_fields_")]
    enums = [each for each in own if issubclass(each, Enum)]
    synonyms = {
        name: record.__name__
        for record in records
        for name, value in vars(module).items()
        if value is record and name != record.__name__
    }
    return fill(
        "version.md.jinja",
        module=module.__name__,
        words=prose((module.__doc__ or "").split("\n\n")[0]),
        overview=table(
            ["struct or union", "bytes", ""],
            [
                [link(each.__name__), str(ctypes.sizeof(each)), _head(each)]
                for each in records
            ],
        ),
        synonyms=table(
            ["typedef", "of"], [[code(a), link(b)] for a, b in synonyms.items()]
        ),
        enums=[
            (each.__name__, prose(each.__doc__ or ""), _enum_table(each))
            for each in enums
        ],
        alone=table(["constant", "value", ""], _alone(module, enums)),
        records=[
            {
                "name": each.__name__,
                "words": prose(_paragraphs(each)[0]),
                "size": ctypes.sizeof(each),
                "alignment": ctypes.alignment(each),
                "members": _members(each),
                "properties": [
                    (name, inline(value.__doc__ or ""))
                    for name, value in vars(each).items()
                    if isinstance(value, property)
                ],
            }
            for each in records
        ],
    )


def _is_of(module: ModuleType, value: object) -> bool:
    return (
        isinstance(value, type)
        and value.__module__ == module.__name__
        and (hasattr(value, "_fields_") or issubclass(value, Enum))
    )


def _paragraphs(record: Any) -> list[str]:
    return inspect.cleandoc(record.__doc__).split("\n\n")


def _head(record: Any) -> str:
    words = _paragraphs(record)[0]
    return inline(re.split(r"(?<=\.)\s", " ".join(words.split()))[0])


def _members(record: Any) -> str:
    rows = []
    for paragraph in _paragraphs(record)[1:]:
        found = _MEMBER.fullmatch(paragraph)
        assert found, paragraph
        name, ctype, words = found.groups()
        offset = str(getattr(record, name).offset)
        rows.append([code(name), _type(record, ctype), offset, inline(words.strip())])
    return table(["member", "type", "offset", ""], rows)


def _type(record: Any, words: str) -> str:
    """Give a member's type, with a link if that has a place on the page."""
    module = interface(max(xen_vm_event.VERSIONS))

    def linked(match: re.Match[str]) -> str:
        is_here = _is_of(module, getattr(module, match[0], None))
        return link(match[0]) if is_here else match[0]

    ctype, comma, rest = words.partition(", ")
    shown = re.sub(r"\w+", linked, ctype)
    shown = shown if "](" in shown else code(ctype)
    return shown + comma + re.sub(r"Vm\w+|Mem\w+", linked, rest)


def _enum_table(enum: Any) -> str:
    words = _words(enum.__module__, enum.__name__)
    is_flag = issubclass(enum, IntFlag)
    rows = [
        [code(name), hex(each) if is_flag else str(int(each)), inline(words[name])]
        for name, each in enum.__members__.items()
    ]
    return table(["member", "value", ""], rows)


def _alone(module: ModuleType, enums: list[Any]) -> Iterator[list[str]]:
    """Give the constants that are in no enum."""
    words = _words(module.__name__, "")
    source = ast.parse(inspect.getsource(module))
    grouped = {
        each.value.id
        for item in ast.walk(source)
        if isinstance(item, ast.ClassDef) and item.name in {e.__name__ for e in enums}
        for each in item.body
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Name)
    }
    for name in words:
        value = getattr(module, name)
        if isinstance(value, (int, str)) and name not in {*grouped, "TYPE_CHECKING"}:
            yield [code(name), code(repr(value)), inline(words[name])]


def _words(module: str, name: str) -> dict[str, str]:
    """Give what stands under each name of a module, or of a class of it, in its source."""
    source: Any = ast.parse(inspect.getsource(__import__(module, fromlist=["*"])))
    if name:
        (source,) = (
            item
            for item in source.body
            if isinstance(item, ast.ClassDef) and item.name == name
        )
    found: dict[str, str] = {}
    for item, following in zip(source.body, [*source.body[1:], None], strict=True):
        match item:
            case ast.Assign([ast.Name(target)]) | ast.AnnAssign(ast.Name(target)):
                found[target] = ""
            case _:
                continue
        match following:
            case ast.Expr(ast.Constant(str(words))):
                found[target] = " ".join(inspect.cleandoc(words).split())
            case _:
                pass
    return found
