"""The picture of a view: columns of offsets, sizes, names, types and what they are for.

Takes a view; gives something for `command` to print with a `rich.console.Console`, which
cuts each row to the width there is and colours it where there is colour.  To a console that
wraps softly (`console.print(…, soft_wrap=True)`) rows go whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from xenbind.commands.show.parts import Kind, Part
from xenbind.commands.show.view import GroupView, Overview, RecordView, View
from xenbind.ir.interface import Constant, ConstantGroup
from xenbind.words import count, printable

_BAR = 10
_NUMBER, _TYPE, _GAP, _SHARE, _ASIDE = "cyan", "green", "yellow", "blue", "dim"

Row = Sequence[Text]


class Picture:
    """Lines for a console: prose that it may wrap, and rows that it may only cut."""

    def __init__(self, prose: Iterable[Text], rows: Iterable[Text]) -> None:
        self.prose = tuple(prose)
        self.rows = tuple(rows)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        cut = options.update(overflow=options.overflow or "ellipsis", no_wrap=True)
        for paragraph in self.prose:
            yield from self._wrapped(paragraph, console, options)
        for row in self.rows:
            yield from console.render(row, cut)

    def _wrapped(
        self, paragraph: Text, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        if options.no_wrap:
            yield paragraph
            return
        for line in paragraph.wrap(console, options.max_width):
            line.rstrip()
            yield line


def text(view: View) -> Picture:
    """Draw a view, ready to be printed by a `Console`."""
    match view:
        case RecordView():
            return _record(view)
        case GroupView():
            return _group(view)
        case Overview():
            return _overview(view)


def summary(doc: str) -> str:
    """Give the first sentence of a comment, without what a terminal would obey."""
    paragraph = " ".join(doc.partition("\n\n")[0].split())
    # A capital after the full stop tells a sentence's end from "e.g. this".
    end = re.search(r"(?<!e\.g)(?<!i\.e)[.!?](?=\s+[A-Z])", paragraph)
    return printable(paragraph[: end.end()] if end else paragraph)


def _record(view: RecordView) -> Picture:
    record = view.record
    prose = [
        _title(
            view.name, f"{count(record.size, 'byte')}, aligned to {record.alignment}"
        )
    ]
    if view.typedefs:
        prose.append(Text(f"typedef {', '.join(view.typedefs)}"))
    prose += _about(view, view.doc, record.coord.file, record.coord.line)
    heading = _heading("offset", "size", "member", "type", "", "")
    rows = [heading, *_part_rows(view.parts)]
    notes = [Text(), Text(_tally(view.parts))]
    if any(row[4] for row in rows):
        notes.append(
            Text(
                "Bars: a union's members share its bytes; this is how much each fills."
            )
        )
    return Picture(prose, [*_aligned(rows, right={0, 1}), *notes])


def _part_rows(parts: Sequence[Part]) -> Iterator[Row]:
    for part in parts:
        yield _part_row(part, "")
        yield from _nested_rows(part.parts, "")


def _nested_rows(parts: Sequence[Part], guide: str) -> Iterator[Row]:
    """Make the rows under the one of the record around; `guide` draws the tree on their left."""
    for part in parts:
        branch, stem = ("└ ", "  ") if part is parts[-1] else ("├ ", "│ ")
        yield _part_row(part, guide + branch)
        yield from _nested_rows(part.parts, guide + stem)


def _part_row(part: Part, guide: str) -> Row:
    is_member = part.kind is Kind.MEMBER
    name = (part.name, "") if is_member else (f"({part.kind.value})", _GAP)
    return (
        Text(str(part.offset), _NUMBER),
        Text(_extent(part), _NUMBER),
        Text.assemble((guide, _ASIDE), name),
        Text(part.type, _TYPE),
        Text(_bar(part), _SHARE),
        Text(summary(part.doc)),
    )


def _extent(part: Part) -> str:
    if part.bits is None:
        return str(part.size)
    lowest, highest = part.bits
    return f"bit {lowest}" if lowest == highest else f"bits {lowest}..{highest}"


def _bar(part: Part) -> str:
    """Draw how much of the union around it a part fills."""
    if not part.union:
        return ""
    filled = min(_BAR, max(1, round(_BAR * _bits(part) / (8 * part.union))))
    return "█" * filled + "░" * (_BAR - filled)


def _bits(part: Part) -> int:
    if part.bits is None:
        return 8 * part.size
    return part.bits[1] - part.bits[0] + 1


def _tally(parts: Sequence[Part]) -> str:
    members = count(sum(part.kind is Kind.MEMBER for part in parts), "member")
    holes, padding = (
        sum(_bits(part) for part in parts if part.kind is kind)
        for kind in (Kind.HOLE, Kind.PADDING)
    )
    return f"{members}; holes: {_amount(holes)}; padding at the end: {_amount(padding)}"


def _amount(bits: int) -> str:
    if not bits:
        return "none"
    return count(bits, "bit") if bits % 8 else count(bits // 8, "byte")


def _group(view: GroupView) -> Picture:
    group = view.group
    what = "flags" if group.is_flag else "values"
    prose = [
        _title(group.name, f"{count(len(group.members), 'constant')}, {what}"),
        *_about(view, group.doc, group.coord.file, group.coord.line),
    ]
    rows = [_heading("value", "constant", ""), *_constant_rows(group)]
    return Picture(prose, _aligned(rows, right={0}))


def _constant_rows(group: ConstantGroup) -> Iterator[Row]:
    for constant in group.members:
        yield (
            Text(_value(constant, group.is_flag), _NUMBER),
            Text(constant.name),
            Text(summary(constant.doc)),
        )


def _value(constant: Constant, is_flag: bool = False) -> str:
    if isinstance(constant.value, int) and is_flag:
        return hex(constant.value)
    return printable(repr(constant.value))


def _overview(view: Overview) -> Picture:
    interface = view.interface
    title = _title(
        f"{interface.name} {interface.title}",
        f"{interface.header}, {interface.abi}",
    )
    records = [
        _heading("size", "align", "members", "struct or union", ""),
        *(_record_row(record) for record in view.records),
    ]
    groups = [
        _heading("constants", "group", "prefix", ""),
        *(_group_row(group) for group in view.groups),
    ]
    constants = [
        (
            Text(_value(constant), _NUMBER),
            Text(constant.name),
            Text(summary(constant.doc)),
        )
        for constant in view.constants
    ]
    rows = [
        *_aligned(records, right={0, 1, 2}),
        Text(),
        *_aligned(groups, right={0}),
        Text(),
        *_aligned([_heading("value", "other constant", ""), *constants], right={0}),
    ]
    return Picture([title, Text()], rows)


def _record_row(view: RecordView) -> Row:
    record = view.record
    return (
        Text(str(record.size), _NUMBER),
        Text(str(record.alignment), _NUMBER),
        Text(str(len(record.fields)), _NUMBER),
        Text(view.name),
        Text(summary(view.doc)),
    )


def _group_row(group: ConstantGroup) -> Row:
    return (
        Text(str(len(group.members)), _NUMBER),
        Text(group.name),
        Text(group.spelling, _TYPE),
        Text(summary(group.doc)),
    )


# --- lines ---------------------------------------------------------------------------


def _title(name: str, facts: str) -> Text:
    return Text.assemble((name, "bold"), f"  {facts}")


def _about(
    view: RecordView | GroupView, doc: str, file: str, line: int
) -> Iterator[Text]:
    """Give the comment in full and the place, between the title and the rows."""
    version = f"{view.interface.name} {view.interface.title}"
    yield Text(f"{version}, {file}:{line}", _ASIDE)
    yield Text()
    for paragraph in filter(None, doc.split("\n\n")):
        yield Text(printable(" ".join(paragraph.split())))
        yield Text()


def _heading(*names: str) -> Row:
    return [Text(name, _ASIDE) for name in names]


def _aligned(rows: Sequence[Row], right: set[int]) -> Iterator[Text]:
    """Write rows as lines in columns, those in `right` flush right; empty columns take no room."""
    widths = [
        max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)
    ]
    for row in rows:
        line = Text()
        for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
            if not width:
                continue
            blank = " " * (width - cell.cell_len)
            line.append("  " if line else "")
            line.append_text(Text(blank) + cell if index in right else cell + blank)
        line.rstrip()
        yield line
