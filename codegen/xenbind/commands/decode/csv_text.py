"""Tell events as CSV, for spreadsheets and whatever else reads tables of text.

Takes `Event`s that are `alike`; gives lines, of which the first has the columns' names.  The
columns are those of `table` in their order, and what is null there is empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenbind.commands.decode.events import Event, Leaf, Plan, Shape, answer_of, leaves
from xenbind.commands.decode.stream import moment

_RECORDED = (
    *("domain", "session", "number", "time", "waiting", "latency"),
    *("answer_flags", "answer_flags_name", "answer"),
)


class CsvText:
    """The lines of one version's events; with `hexadecimal`, numbers of 64 bits as 0x…."""

    def __init__(self, hexadecimal: bool = False) -> None:
        self._hexadecimal = hexadecimal
        self._shape: Shape | None = None
        self._is_recorded = False
        self._forms: dict[Plan, str] = {}

    def __call__(self, event: Event) -> str:
        """Give an event's line, and before the first one's that of the names."""
        shape, title = event.plan.shape, ""
        if self._shape is None:
            self._shape, self._is_recorded = shape, event.note is not None
            title = ",".join(self._titles(shape)) + "\n"
        form = self._forms.get(event.plan)
        if form is None:
            form = self._forms[event.plan] = self._form(event.plan)
        values: list[int | str] = [event.position]
        for leaf, value in zip(event.plan.leaves, event.values, strict=True):
            values.append(value)
            if leaf.names is not None:
                values.append(leaf.names.of(value))
        line = form % tuple(values)
        if self._is_recorded:
            line = f"{line},{','.join(map(str, self._recorded(event)))}"
        return title + line

    def _titles(self, shape: Shape) -> Iterator[str]:
        yield "position"
        for leaf in leaves(shape):
            yield leaf.path
            if leaf.names is not None:
                yield f"{leaf.path}_name"
        if self._is_recorded:
            yield from _RECORDED

    def _form(self, plan: Plan) -> str:
        """Write a plan's line, with a place for each number that it has and each name."""
        there = set(plan.leaves)
        return ",".join(
            [
                "%d",
                *(self._places(leaf, leaf in there) for leaf in leaves(plan.shape)),
            ]
        )

    def _places(self, leaf: Leaf, is_there: bool) -> str:
        number = "%#x" if self._hexadecimal and leaf.size == 8 else "%d"
        places = [number] if leaf.names is None else [number, "%s"]
        return ",".join(places) if is_there else "," * (len(places) - 1)

    def _recorded(self, event: Event) -> Iterator[object]:
        session, note = event.session, event.note
        assert session is not None and note is not None
        yield from (session.domain, session.name, note.number)
        yield from (moment(session, note.time), note.waiting)
        if note.latency is None:
            yield from ("", "", "", "")
            return
        flags = answer_of(event, note).flags
        leaf = event.plan.shape.leaf("flags")
        yield from (note.latency, flags)
        yield leaf.names.of(flags) if leaf and leaf.names else ""
        yield note.answer.hex() if isinstance(note.answer, bytes) else ""
