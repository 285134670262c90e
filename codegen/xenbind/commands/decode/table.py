"""Write events as a table, for those who analyse millions with an engine of their own.

Takes `Event`s; writes an Arrow IPC file or a Parquet file through pyarrow, an optional
extra that is imported when a table is asked for.  A column for each number: what the reason
does not select is null.  pandas, by itself, makes floats of a column with nulls, which hold
no more than 53 bits: `pandas.read_parquet(path, dtype_backend="pyarrow")` keeps all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

from xenbind.commands.decode.events import Event, Plan, Shape
from xenbind.errors import SystemFailure, XenbindError
from xenbind.whole_file import whole_file

_BATCH = 1 << 14


def write(events: Iterator[Event], path: Path, form: str) -> int:
    """Write a table in the form `arrow` or `parquet`; gives the number of events.

    A file takes its place when it is whole.  Raises `XenbindError` without pyarrow, for
    no events, and for events of more than one version; `SystemFailure` for a path that
    cannot be written.
    """
    pyarrow = _pyarrow(form)
    batch = list(islice(events, _BATCH))
    if not batch:
        raise XenbindError(
            "there is no event to write", "look at the input without --format"
        )
    table = _Table(batch[0].plan.shape, pyarrow)
    count = 0
    with whole_file(path) as file, _writer(file, form, table.schema, pyarrow) as writer:
        while batch:
            writer.write_batch(table.batch(batch))
            count += len(batch)
            batch = list(islice(events, _BATCH))
    return count


def _pyarrow(form: str) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise SystemFailure(
            f"writing {form} needs pyarrow: {error}", "pip install 'xenbind[arrow]'"
        ) from None
    return pyarrow


def _writer(file: BinaryIO, form: str, schema: Any, pyarrow: Any) -> Any:
    if form == "parquet":
        return pyarrow.parquet.ParquetWriter(file, schema)
    return pyarrow.ipc.new_file(file, schema)


class _Table:
    """One version's columns: the place of each event, and all leaves that it may have."""

    def __init__(self, shape: Shape, pyarrow: Any) -> None:
        details = (leaf for leaves in shape.details.values() for leaf in leaves)
        self._shape = shape
        self._leaves = (*shape.head, *details, *shape.registers)
        self._pyarrow = pyarrow
        self._rows: dict[Plan, itemgetter[Any]] = {}
        columns = [("position", pyarrow.uint64())]
        for leaf in self._leaves:
            sign = "int" if leaf.signed else "uint"
            columns.append((leaf.path, getattr(pyarrow, f"{sign}{8 * leaf.size}")()))
        self.schema = pyarrow.schema(columns)

    def batch(self, events: Sequence[Event]) -> Any:
        """Turn the events' rows into columns."""
        columns = zip(*map(self._row, events), strict=True)
        arrays = [
            self._pyarrow.array(column, field.type)
            for column, field in zip(columns, self.schema, strict=True)
        ]
        return self._pyarrow.record_batch(arrays, schema=self.schema)

    def _row(self, event: Event) -> Any:
        """Give a number for each column, None for leaves that the event has not."""
        row = self._rows.get(event.plan)
        if row is None:
            row = self._rows[event.plan] = self._of(event)
        return row((event.position, *event.values, None))

    def _of(self, event: Event) -> itemgetter[Any]:
        """Make what picks the columns from an event's position and values, with None behind."""
        if event.plan.shape is not self._shape:
            raise XenbindError(
                f"event {event.index} is of version {event.plan.shape.version}, those"
                f" before it of version {self._shape.version}",
                "write one table for each version",
            )
        places = {leaf: place for place, leaf in enumerate(event.plan.leaves, 1)}
        none = len(places) + 1
        return itemgetter(0, *(places.get(leaf, none) for leaf in self._leaves))
