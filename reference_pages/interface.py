"""What a module offers, by its own docstrings and signatures: functions, classes, methods, values.

A section for each name, with those of a class's methods below it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from reference_pages.markdown import block, first_sentence, inline, link, prose, table

_WIDTH = 88
# What has a syntax of its own, and is told where its class says something about it.
_SYNTAX = ("__enter__", "__exit__", "__iter__", "__aiter__", "__call__")


def overview(names: Sequence[tuple[str, Any]]) -> str:
    """Give a table of what a page has, methods in the rows of their classes."""
    rows = []
    for name, value in names:
        methods = [link(f"{name}.{each}", each) for each, _ in _members(value)]
        words = inline(first_sentence(_words(value)))
        rows.append([link(name), f"{words} {', '.join(methods)}".strip()])
    return table(["name", ""], rows)


def sections(names: Sequence[tuple[str, Any]]) -> str:
    """Give a section for each name."""
    parts = (part for name, value in names for part in _section(name, value))
    return "\n\n".join(part for part in parts if part)


def _section(name: str, value: Any) -> Iterator[str]:
    yield f"## `{name}`"
    if isinstance(value, Constant):
        yield prose(value.__doc__ or "")
        yield value.shown
        return
    yield block(HAD_BY.get(name) or signature(name, value), "python")
    yield prose(_words(value))
    if (
        inspect.isfunction(own := getattr(value, "__init__", None))
        and name not in HAD_BY
    ):
        yield prose(_words(own))
    for each, member in _members(value):
        yield f"### `{name}.{each}`"
        if isinstance(member, (property, cached_property)):
            getter = member.fget if isinstance(member, property) else member.func
            result = inspect.signature(_unwrapped(getter)).return_annotation
            yield block(f"{each}: {_annotation(result)}", "python")
        else:
            yield block(signature(each, member), "python")
        yield prose(_words(member))


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Give a class's own public methods, and those of its bases in the package."""
    if not isinstance(value, type):
        return
    found: dict[str, Any] = {}
    for base in reversed(value.__mro__):
        if base.__module__.startswith("xen_vm_event"):
            found |= vars(base)
    hidden = {
        name for base in value.__mro__ for name in INNER.get(base.__name__, "").split()
    }
    assert hidden <= found.keys(), hidden - found.keys()
    for name, member in found.items():
        is_public = not name.startswith("_") or (name in _SYNTAX and _words(member))
        if is_public and name not in hidden and _is_described(member):
            yield name, member


def _is_described(member: Any) -> bool:
    kinds = (property, cached_property, classmethod, staticmethod)
    return inspect.isfunction(member) or isinstance(member, kinds)


def _words(value: Any) -> str:
    words = getattr(value, "__doc__", None) or ""
    is_inherited = isinstance(value, type) and "__doc__" not in vars(value)
    return "" if is_inherited else inspect.cleandoc(words)


def signature(name: str, value: Any) -> str:
    """Give what a function or class takes, on one line if it fits."""
    if isinstance(value, type) and issubclass(value, BaseException):
        return f"class {name}({value.__mro__[1].__name__})"  # nobody makes one
    taken = inspect.signature(_unwrapped(value))
    parameters = [each for each in taken.parameters.values() if each.name != "self"]
    words = [_parameter(each) for each in parameters]
    for index, each in enumerate(parameters):
        if each.kind is each.KEYWORD_ONLY and not any(
            p.kind is p.VAR_POSITIONAL for p in parameters
        ):
            words.insert(index, "*")
            break
    result = ""
    if not isinstance(value, type) and taken.return_annotation is not taken.empty:
        result = f" -> {_annotation(taken.return_annotation)}"
    line = f"{name}({', '.join(words)}){result}"
    if len(line) <= _WIDTH:
        return line
    lines = "".join(f"    {each},\n" for each in words)
    return f"{name}(\n{lines}){result}"


def _unwrapped(value: Any) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(value, "__func__", value)
    return found


def _parameter(each: inspect.Parameter) -> str:
    stars = "*" * (each.kind is each.VAR_POSITIONAL) + "**" * (
        each.kind is each.VAR_KEYWORD
    )
    annotation = (
        "" if each.annotation is each.empty else f": {_annotation(each.annotation)}"
    )
    if each.default is each.empty:
        return f"{stars}{each.name}{annotation}"
    equals = " = " if annotation else "="
    return f"{stars}{each.name}{annotation}{equals}{_default(each.default)}"


def _default(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _annotation(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation.replace("typing.", "")
    if isinstance(annotation, type):
        return annotation.__name__
    return str(getattr(annotation, "__forward_arg__", annotation))


class Constant:
    """A value or a type that a module assigns to a name, and the words there about it."""

    def __init__(self, module: Any, name: str) -> None:
        value = getattr(module, name)
        source = inspect.getsource(module)
        body = ast.parse(source).body
        (at,) = (index for index, item in enumerate(body) if _assigns(item, name))
        if isinstance(value, dict):
            self.shown = table(
                ["", ""], [[f"`{k}`", inline(v)] for k, v in value.items()]
            )
        elif isinstance(value, tuple):
            self.shown = ", ".join(f"`{each}`" for each in value)
        else:
            assigned = ast.get_source_segment(source, body[at])
            self.shown = block(assigned or "", "python")
        match body[at + 1]:
            case ast.Expr(ast.Constant(str(words))):
                self.__doc__ = inspect.cleandoc(words)
            case _:
                above = source.splitlines()[body[at].lineno - 2]
                self.__doc__ = above.removeprefix("# ") if above[:1] == "#" else ""


def _assigns(item: ast.stmt, name: str) -> bool:
    match item:
        case ast.Assign([ast.Name(target)]) | ast.AnnAssign(ast.Name(target)):
            return target == name
        case _:
            return False


# How one comes by what nobody makes.
HAD_BY = {
    "Memory": "monitor.memory",
    "Views": "monitor.views",
    "View": "monitor.views.create(...)",
    "Breakpoints": "monitor.breakpoints",
    "Stepping": "monitor.stepping",
    "Emulator": "monitor.emulator",
    "PhysicalMemory": "monitor.physical",
    "PlayedXen": "played(...)",
    "PlayXen": "play_xen  # pytest's fixture",
    "Guest": "xen.guests[1]",
    "Vcpu": "xen.guests[1].vcpus[0]",
    "Findings": "xen.findings",
    "Selection": "ring.select(...)",
    "SharedRing": "ring.sring",
}

# Methods by which the package's own modules know each other, and no caller needs.
INNER = {
    "Memory": "wanted begin restore require_monitor",
    "Pages": "answer",
    "View": "step_aside",
    "Views": "restore answer answer_unimplemented",
    "Breakpoints": "restore answer",
    "PhysicalMemory": "close",
    "Stepping": "over fast is_own ends answer end",
    "PlayedXen": "function load end_by_file proceed run_for_others ioctl unmap finish"
    " close",
    "Guest": "run send proceed proceed_elsewhere take_answers attach give_up finish close find"
    " is_on replays_step is_synchronous fault flag flags_of reason pc_of is_moved ours unmasked",
    "Vcpu": "follow require run was_reported where go_on wake inject",
    "Instruction": "begin which is_reported is_waited_for fill carry_out emulate",
    "BackRing": "keep_cells",
    "execute": "is_breakpoint",
}
