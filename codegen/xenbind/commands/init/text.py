"""Write a new spec: keys with what is known, and with what each of them means.

Takes the `Layout` and the `Findings`; gives TOML.  What is a guess that would change the
package stands in a comment, for its user to take over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from xenbind.commands.init.findings import Findings, Selection, can_be_named
from xenbind.commands.init.layout import Layout
from xenbind.ir.interface import ConstantGroup
from xenbind.spec import Spec
from xenbind.spec.schema import SECTIONS
from xenbind.words import count

_WIDTH = 88
_MOST = 12  # names in a comment


def least(layout: Layout, needs: Sequence[str], defines: Sequence[str]) -> str:
    """Give the spec that says what is known before a header is read."""
    pairs: dict[str, str | list[str]] = {
        "name": layout.name,
        "package": layout.package,
        "header": layout.header,
        "needs": [*needs],
        "defines": [*defines],
    }
    return "\n".join(["[interface]", *(f"{k} = {_toml(v)}" for k, v in pairs.items())])


def spec(layout: Layout, spec: Spec, found: Findings) -> str:
    """Give the whole text of the new spec."""
    lines = [
        *_comment(f"What the header {layout.header} cannot say itself."),
        "",
        *_interface(layout, spec, found),
        *_names(found.interface.groups),
        *_payload(found.selections),
        *_rings(found),
        *_pages(found),
        *_further(layout, found),
        *_functions(found),
    ]
    return "\n".join(lines) + "\n"


def _interface(layout: Layout, spec: Spec, found: Findings) -> Iterator[str]:
    groups = found.interface.groups
    flags = [group.key for group in groups if group.is_flag and can_be_named(group)]
    extra = [folder for folder in spec.include if folder not in layout.trees]
    folders = layout.named([*layout.trees, *extra[layout.umbrella is not None :]])
    yield "[interface]"
    yield from _key("name", layout.name)
    yield from _key("package", layout.package)
    yield from _key("header", layout.header)
    if folders:
        yield from _key("include", folders)
    yield from _version(found)
    yield from _key("needs", [*spec.needs])
    yield from _key("defines", [*spec.defines])
    if asked := [name for name in found.asked if name not in spec.defines]:
        yield from _comment(f"Its conditions ask for these, too: {_some(asked)}.")
    yield from _key("flags", flags)
    yield from _key("values", [])
    yield from _skipped(found)
    yield from _comment(_meaning("strict"), "strict = true")
    yield from _comment(_meaning("libc"), 'libc = "own"')
    yield from _comment(_meaning("license"), 'license = "MIT"')
    yield from _comment(_meaning("url"), 'url = "https://example.org/bindings"')


def _version(found: Findings) -> Iterator[str]:
    if found.version_macro:
        yield from _key("version_macro", found.version_macro)
    elif found.versions:
        yield from _comment(
            _meaning("version_macro"),
            *(f"version_macro = {_toml(c.name)}  # {c.value}" for c in found.versions),
        )
    else:
        yield from _comment(_meaning("version_macro"), 'version_macro = "…"')


def _skipped(found: Findings) -> Iterator[str]:
    yield from _comment(_meaning("skip"))
    if not found.macros:
        yield "skip = []"
    else:
        yield "skip = ["
        for each in found.macros:
            yield f"    {_toml(each.name)},  # {_line(each.reason)}"
        yield "]"
    for each in found.others:
        yield from _comment(f"{each.name} is left out: {_line(each.reason)}")


def _names(groups: Sequence[ConstantGroup]) -> Iterator[str]:
    yield ""
    yield from _comment(
        "What the enums are called that groups of constants become; the keys are the"
        " constants' prefixes, or 'enum' and a tag."
    )
    yield "[names]"
    for group in groups:
        if can_be_named(group):
            names = [constant.name for constant in group.members]
            yield from _comment(f"{len(names)}: {_some(names)}")
            key = group.key if group.key.isidentifier() else _toml(group.key)
            yield f"{key} = {_toml(group.name)}"


def _payload(selections: Sequence[Selection]) -> Iterator[str]:
    if not selections:
        return
    yield ""
    yield from _comment(SECTIONS["payload"].meaning)
    only = len(selections) == 1
    for each in selections:
        lines = [
            "[payload]",
            f"record = {_toml(each.record)}",
            f"tag = {_toml(each.tag)}",
            f"union = {_toml(each.union)}",
            f"prefix = {_toml(each.prefix)}",
        ]
        if each.others:
            lines += _comment(
                f"Whose are these members of '{each.union}': {', '.join(each.others)}?",
                "[payload.members]",
            )
        yield from _comment(
            f"{each.selected} of the {each.selected + len(each.others)} members of"
            f" '{each.union}' have a constant {each.prefix}* of their name."
        )
        yield from (lines if only else [f"# {line}" for line in lines])


def _rings(found: Findings) -> Iterator[str]:
    for use in found.rings:
        yield ""
        yield from _comment(
            f"Requests are {use.ring.request}, responses {use.ring.response}."
        )
        yield f"[ring.{use.ring.name}]"
        if use.flags:
            yield from _comment(_meaning("flags", "ring"))
            yield f"flags = {_toml(use.flags)}"
            yield from _comment(_meaning("keep", "ring"))
            yield "keep = []"
        if use.version and found.version_macro:
            yield from _comment(_meaning("version", "ring"))
            yield f"version = {_toml(use.version)}"


def _pages(found: Findings) -> Iterator[str]:
    """Say who reads what is on pages of events and of bytes: that, names alone tell."""
    for page in found.interface.event_pages:
        for ring in page.rings:
            yield ""
            yield from _comment(f"Events of {page.record} are {ring.event}.")
            yield from _reader("event_ring", ring.macro, ring.reader)
            for key, value in zip(
                ("tag", "prefix"), found.event_tags.get(ring.event, ()), strict=False
            ):
                yield from _comment(_meaning(key, "event_ring"))
                yield f"{key} = {_toml(value)}"
    for bytes_page in found.interface.byte_pages:
        for each in bytes_page.rings:
            yield ""
            yield from _comment(f"{bytes_page.record} has {each.size} bytes of this.")
            yield from _reader("byte_ring", each.array, each.reader)


def _reader(section: str, name: str, reader: str) -> Iterator[str]:
    yield f"[{section}.{name}]"
    yield from _comment(_meaning("reader", section))
    yield f"reader = {_toml(reader)}"


def _functions(found: Findings) -> Iterator[str]:
    if not found.functions:
        return
    yield ""
    has = "them of this" if found.has_library else "them if this names their"
    yield from _comment(
        f"The header declares {count(len(found.functions), 'function')}:"
        f" {_some(found.functions)}. The package has {has} library."
    )
    if found.handles:
        handles = _some(each.name for each in found.handles)
        yield from _comment(
            f"Then these are handles, of which C knows no more: {handles}."
        )
    section = _functions_section(found)
    yield from section if found.has_library else (f"# {line}" for line in section)


def _functions_section(found: Findings) -> Iterator[str]:
    yield "[functions]"
    for name, number in found.libraries[:1]:
        having = f"is installed and has {number} of {len(found.functions)}"
        yield f"library = {_toml(name)}  # {having}"
    for name, _ in found.libraries[1:]:
        yield f"# or {_toml(name)}, which has as many"
    if not found.libraries:
        yield '# library = "…"  # its name; none that is installed has any of these'
    if found.errors:
        errors = _toml(list(found.errors))
        yield f"# errors = {errors}  # if such a result of any of them is a failure, with errno;"
        yield "#                        # [function.NAME] says so of single ones"
    if found.missing or found.left_out_functions:
        yield "skip = ["
        yield from _listed(
            found.missing, f"{found.libraries[0][0]} has none" if found.missing else ""
        )
        for reason in dict.fromkeys(each.reason for each in found.left_out_functions):
            names = [x.name for x in found.left_out_functions if x.reason == reason]
            yield from _listed(names, _line(reason))
        yield "]"


def _further(layout: Layout, found: Findings) -> Iterator[str]:
    """Say which headers that it includes have functions, and how the package has them, too."""
    if found.further:
        yield ""
        for header, names in found.further.items():
            yield from _comment(
                f"{header}, which it includes, declares {count(len(names), 'function')} that"
                f" the package has not: {_some(names)}."
            )
        headers = " ".join([layout.header, *found.further])
        yield from _comment("A spec of all of them has these, too:")
        yield f"# xenbind init {headers}"


def _listed(names: Sequence[str], reason: str) -> Iterator[str]:
    """Write entries of a list, as many as fit in a line."""
    if names:
        yield f"    # {reason}:"
        yield from wrap(
            ", ".join(map(_toml, names)) + ",",
            _WIDTH,
            initial_indent="    ",
            subsequent_indent="    ",
        )


def _key(name: str, value: str | list[str]) -> Iterator[str]:
    yield from _comment(_meaning(name))
    yield f"{name} = {_toml(value)}"


def _meaning(key: str, section: str = "interface") -> str:
    return SECTIONS[section].keys[key].meaning


def _comment(words: str, *keys: str) -> Iterator[str]:
    """Write words as a comment, and behind them keys that are not set."""
    yield from wrap(
        words,
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    yield from (f"# {key}" for key in keys)


def _some(names: Iterable[str]) -> str:
    told = list(names)
    more = len(told) - _MOST
    return ", ".join(told[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _line(words: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _toml(value: str | list[str]) -> str:
    """Write a text or a list of texts, in lines of their own if it is long."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    entries = [_toml(each) for each in value]
    if sum(map(len, entries)) < _WIDTH - 20:
        return f"[{', '.join(entries)}]"
    return "\n".join(["[", *(f"    {entry}," for entry in entries), "]"])
