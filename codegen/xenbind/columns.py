"""Events as a table, for those who analyse millions of them with their own engine.

Takes `Event`s; writes an Arrow IPC file or a Parquet file through pyarrow, an optional
extra. A column for each number: what the reason does not select is null.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from .decode import Event, Shape
from .errors import XenbindError

_BATCH = 1 << 16


def write(events: Iterator[Event], path: Path, form: str) -> int:
    """Write a table in the form `arrow` or `parquet`; gives the number of events.

    Raises `XenbindError` without pyarrow, for no events, and for events of more than
    one version.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise XenbindError(
            f"writing {form} needs pyarrow: {error}", "pip install 'xenbind[arrow]'"
        ) from None
    batch = list(islice(events, _BATCH))
    if not batch:
        raise XenbindError(
            "there is no event to write", "look at the input without --format"
        )
    shape = batch[0].shape
    if not path.absolute().parent.is_dir():
        raise XenbindError(
            f"there is no folder for {path}", "name another with --output"
        )
    schema = pyarrow.schema(_columns(shape, pyarrow))
    count = 0
    with (
        parquet.ParquetWriter(path, schema)
        if form == "parquet"
        else pyarrow.ipc.new_file(path, schema)
    ) as writer:
        while batch:
            rows = [_row(event, shape) for event in batch]
            writer.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema))
            count += len(batch)
            batch = list(islice(events, _BATCH))
    return count


def _columns(shape: Shape, pyarrow: Any) -> list[tuple[str, Any]]:
    leaves = list(shape.head)
    for _, details in shape.payloads.values():
        leaves += [leaf for leaf in details if leaf not in leaves]
    leaves += shape.registers
    columns = [("position", pyarrow.uint64())]
    for leaf in leaves:
        sign = "int" if leaf.signed else "uint"
        columns.append((leaf.path, getattr(pyarrow, f"{sign}{8 * leaf.size}")()))
    return columns


def _row(event: Event, shape: Shape) -> dict[str, int]:
    if event.shape is not shape:
        raise XenbindError(
            f"event {event.index} is of version {event.shape.interface.version}, those"
            f" before it of version {shape.interface.version}",
            "write one table for each version",
        )
    numbers = {**event.head, **event.details, **event.registers}
    row = {leaf.path: value for leaf, value in numbers.items()}
    row["position"] = event.position
    return row
