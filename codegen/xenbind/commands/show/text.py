"""The picture of a view: columns of offsets, sizes, names, types and what they are for.

Takes a view; gives something for `command` to print with a `rich.console.Console`, which
fits each row to the width there is and colours it where there is colour.  To a console that
wraps softly (`console.print(…, soft_wrap=True)`) rows go whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from xenbind.commands.show.view import (
    FunctionView,
    GroupView,
    Overview,
    RecordView,
    View,
)
from xenbind.ir.interface import Constant, ConstantGroup, Span
from xenbind.ir.parts import Kind, Part
from xenbind.plain import Struct
from xenbind.words import count, printable

_BAR = 10
_LEAST = 30  # columns in which a sentence can be read
_NUMBER, _TYPE, _GAP, _SHARE, _ASIDE = "cyan", "green", "yellow", "blue", "dim"

Row = Sequence[Text]


class Table(Struct, frozen=True):
    """Rows in columns: numbers flush right, then a name, and more of it up to a sentence.

    `numbers` counts the first; columns that are empty in every row take no room.
    """

    rows: Sequence[Row]
    numbers: int

    def lines(self, console: Console, width: int | None) -> Iterator[Text]:
        """Write the rows for a terminal of this width, or whole for None.

        What a narrow terminal has no room for, from the last column on, goes beneath the
        row's name, as the words that it is.
        """
        widths = self._widths()
        heading, *rows = self.rows
        if width is None:
            yield from (self._line(row, widths) for row in self.rows)
            return
        kept = self._fitting(widths, width)
        indent = sum(size + 2 for size in widths[: self.numbers] if size)
        indent = max(0, min(indent, width - _LEAST))
        yield self._line(heading[:kept], widths)
        for row in rows:
            yield self._line(row[:kept], widths)
            beneath = Text("  ").join(cell for cell in row[kept:] if cell)
            for line in beneath.wrap(console, width - indent) if beneath else ():
                line.rstrip()
                yield Text(" " * indent) + line

    def _widths(self) -> list[int]:
        return [
            (
                max(cell.cell_len for cell in column)
                if any(column[1:]) or len(column) == 1
                else 0
            )
            for column in zip(*self.rows, strict=True)
        ]

    def _fitting(self, widths: Sequence[int], width: int) -> int:
        """Count the columns that there is room for: the name's at least, and much of a sentence."""
        wanted = [*widths[:-1], min(widths[-1], _LEAST)]
        for kept in range(len(wanted), self.numbers + 1, -1):
            if sum(size + 2 for size in wanted[:kept] if size) - 2 <= width:
                return kept
        return self.numbers + 1

    def _line(self, row: Row, widths: Sequence[int]) -> Text:
        line = Text()
        for index, (cell, width) in enumerate(zip(row, widths, strict=False)):
            if not width:
                continue
            blank = " " * (width - cell.cell_len)
            line.append("  " if line else "")
            line.append_text(
                Text(blank) + cell if index < self.numbers else cell + blank
            )
        line.rstrip()
        return line


class Picture:
    """What a console shows: words that it may wrap, and tables whose rows it may only cut."""

    def __init__(self, parts: Iterable[Text | Table]) -> None:
        self.parts = tuple(parts)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        width = None if options.no_wrap else options.max_width
        cut = options.update(overflow=options.overflow or "ellipsis", no_wrap=True)
        for part in self.parts:
            if isinstance(part, Table):
                for row in part.lines(console, width):
                    yield from console.render(row, cut)
            elif width is None:
                yield part
            else:
                for line in part.wrap(console, width):
                    line.rstrip()
                    yield line


def text(view: View) -> Picture:
    """Draw a view, ready to be printed by a `Console`."""
    match view:
        case RecordView():
            return _record(view)
        case GroupView():
            return _group(view)
        case FunctionView():
            return _function(view)
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
    facts = [count(record.size, "byte"), f"aligned to {record.alignment}"]
    facts += [record.span.phrase] if record.span else []
    prose = [_title(view.name, ", ".join(facts))]
    if view.typedefs:
        prose.append(Text(f"typedef {', '.join(view.typedefs)}"))
    prose += _about(view, view.doc, record.coord.file, record.coord.line)
    heading = _heading("offset", "size", "member", "type", "", "since Xen", "")
    rows = [heading, *_part_rows(view.parts, record.span)]
    notes = [Text(), Text(_tally(view.parts))]
    if any(row[4] for row in rows):
        notes.append(
            Text(
                "Bars: a union's members share its bytes; this is how much each fills."
            )
        )
    return Picture([*prose, Table(rows, numbers=2), *notes])


def _part_rows(parts: Sequence[Part], of_record: Span | None) -> Iterator[Row]:
    """Make the rows of parts; one that all releases with the record have says nothing of it."""
    for part in parts:
        yield _part_row(part, "", of_record)
        yield from _nested_rows(part.parts, "", of_record)


def _nested_rows(
    parts: Sequence[Part], guide: str, of_record: Span | None
) -> Iterator[Row]:
    """Make the rows under the one of the record around; `guide` draws the tree on their left."""
    for part in parts:
        branch, stem = ("└ ", "  ") if part is parts[-1] else ("├ ", "│ ")
        yield _part_row(part, guide + branch, of_record)
        yield from _nested_rows(part.parts, guide + stem, of_record)


def _part_row(part: Part, guide: str, of_record: Span | None) -> Row:
    is_member = part.kind is Kind.MEMBER
    name = (part.name, "") if is_member else (f"({part.kind.value})", _GAP)
    return (
        Text(str(part.offset), _NUMBER),
        Text(_extent(part), _NUMBER),
        Text.assemble((guide, _ASIDE), name),
        Text(part.type, _TYPE),
        Text(_bar(part), _SHARE),
        _releases(None if part.span == of_record else part.span),
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
    rows = [_heading("value", "constant", "since Xen", ""), *_constant_rows(view)]
    return Picture([*prose, Table(rows, numbers=1)])


def _constant_rows(view: GroupView) -> Iterator[Row]:
    """Make a row of each constant; the one that was asked for has a mark."""
    for constant in view.group.members:
        is_asked = constant.name == view.asked
        mark, style = ("> ", "bold") if is_asked else ("", "")
        yield (
            Text.assemble(mark, (_value(constant, view.group.is_flag), _NUMBER)),
            Text(constant.name, style),
            _releases(constant.span),
            Text(summary(constant.doc)),
        )


def _value(constant: Constant, is_flag: bool = False) -> str:
    if isinstance(constant.value, int) and is_flag:
        return hex(constant.value)
    return printable(repr(constant.value))


# What the words of `Function.errors` say of a result.
_ERRORS = {
    "negative": "A negative result is an error, told in errno.",
    "null": "NULL as a result is an error, told in errno.",
    "false": "A false result is an error, told in errno.",
}


def _function(view: FunctionView) -> Picture:
    function = view.function
    library = view.interface.library
    prose = [
        Text(view.prototype, "bold"),
        *_about(view, function.doc, function.coord.file, function.coord.line),
    ]
    if library is not None:
        prose.append(Text(f"In {library.name}. {_ERRORS.get(function.errors, '')}"))
    if function.advice:
        prose.append(Text(printable(f"Then: {function.advice}.")))
    if function.span:
        prose.append(Text(str(function.span)))
    return Picture(prose)


def _overview(view: Overview) -> Picture:
    interface = view.interface
    title = _title(
        f"{interface.name} {interface.title}",
        f"{interface.header}, {interface.abi}",
    )
    records = [
        _heading("size", "align", "members", "struct or union", "since Xen", ""),
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
            _releases(constant.span),
            Text(summary(constant.doc)),
        )
        for constant in view.constants
    ]
    others = [_heading("value", "other constant", "since Xen", ""), *constants]
    functions = [
        _heading("function", ""),
        *(
            (Text(each.function.name), Text(summary(each.function.doc)))
            for each in view.functions
        ),
    ]
    tables = [
        Table(records, numbers=3),
        Table(groups, numbers=1),
        Table(others, numbers=1),
        Table(functions, numbers=0),
    ]
    picture: list[Text | Table] = [title]
    for table in tables:
        if len(table.rows) > 1:
            picture += [Text(), table]
    return Picture(picture)


def _record_row(view: RecordView) -> Row:
    record = view.record
    return (
        Text(str(record.size), _NUMBER),
        Text(str(record.alignment), _NUMBER),
        Text(str(len(record.fields)), _NUMBER),
        Text(view.name),
        _releases(record.span),
        Text(summary(view.doc)),
    )


def _group_row(group: ConstantGroup) -> Row:
    return (
        Text(str(len(group.members)), _NUMBER),
        Text(group.name),
        Text(group.spelling, _TYPE),
        Text(summary(group.doc)),
    )


def _releases(span: Span | None) -> Text:
    """Say since which Xen release something is so, and until which."""
    return Text(span.brief if span else "", _ASIDE)


# --- lines ---------------------------------------------------------------------------


def _title(name: str, facts: str) -> Text:
    return Text.assemble((name, "bold"), f"  {facts}")


def _about(
    view: RecordView | GroupView | FunctionView, doc: str, file: str, line: int
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
