"""Write events as a table, for those who analyse millions with an engine of their own.

Takes `Run`s of requests; writes an Arrow IPC file or a Parquet file through numpy and pyarrow,
an optional extra that is imported when a table is asked for.  A column for each number, made of
thousands of requests at once: what the reason does not select is null.  pandas, by itself, makes
floats of a column with nulls, which hold no more than 53 bits:
`pandas.read_parquet(path, dtype_backend="pyarrow")` keeps all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from xenbind.commands.decode.events import Leaf, Shape, Shapes
from xenbind.commands.decode.stream import Run
from xenbind.errors import SystemFailure, XenbindError
from xenbind.whole_file import whole_file

_BATCH = 1 << 14  # requests at once, at least


def write(runs: Iterable[Run], shapes: Shapes, path: Path, form: str) -> int:
    """Write a table in the form `arrow` or `parquet`; gives the number of events.

    A file takes its place when it is whole.  Raises `XenbindError` without pyarrow, for
    no events, and for events of more than one version; `SystemFailure` for a path that
    cannot be written.
    """
    engines = _engines(form)
    batches = _batches(runs)
    batch = next(batches, None)
    if batch is None:
        raise XenbindError(
            "there is no event to write", "look at the input without --format"
        )
    table = _Table(shapes.of(batch[0].interface), engines)
    count = 0
    with (
        whole_file(path) as file,
        _writer(file, form, table.schema, engines.pyarrow) as writer,
    ):
        while batch is not None:
            writer.write_batch(table.batch(batch))
            count += sum(map(len, batch))
            batch = next(batches, None)
    return count


class _Engines(NamedTuple):
    """The libraries that do the work."""

    numpy: Any
    pyarrow: Any


def _engines(form: str) -> _Engines:
    try:
        import numpy
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise SystemFailure(
            f"writing {form} needs pyarrow and numpy: {error}",
            "pip install 'xenbind[arrow]'",
        ) from None
    return _Engines(numpy, pyarrow)


def _writer(file: BinaryIO, form: str, schema: Any, pyarrow: Any) -> Any:
    if form == "parquet":
        # Registers are seldom alike: without dictionaries it is a quarter faster, and smaller.
        return pyarrow.parquet.ParquetWriter(
            file, schema, compression="zstd", use_dictionary=False
        )
    return pyarrow.ipc.new_file(file, schema)


def _batches(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """Put runs together until they are long.  Raises `XenbindError` for a second version."""
    batch: list[Run] = []
    version = None
    count = 0
    for run in runs:
        version = run.interface.version if version is None else version
        if run.interface.version != version:
            raise XenbindError(
                f"event {run.index} is of version {run.interface.version}, those"
                f" before it of version {version}",
                "write one table for each version",
            )
        batch.append(run)
        count += len(run)
        if count >= _BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


class _Table:
    """One version's columns: the place of each event, and all leaves that it may have."""

    def __init__(self, shape: Shape, engines: _Engines) -> None:
        self._numpy, self._pyarrow = engines
        self._shape = shape
        columns = [("position", self._pyarrow.uint64())]
        for leaf in _leaves(shape):
            sign = "int" if leaf.signed else "uint"
            kind = getattr(self._pyarrow, f"{sign}{8 * leaf.size}")
            columns.append((leaf.path, kind()))
        self.schema = self._pyarrow.schema(columns)

    def batch(self, runs: Sequence[Run]) -> Any:
        """Turn requests into columns."""
        requests = b"".join(run.data for run in runs)
        size = runs[0].size
        positions = self._numpy.concatenate(
            [
                self._numpy.arange(
                    run.position, run.position + len(run.data), size, dtype="u8"
                )
                for run in runs
            ]
        )
        return self._pyarrow.record_batch(
            [self._pyarrow.array(positions), *self._arrays(requests, size)],
            schema=self.schema,
        )

    def _arrays(self, requests: bytes, size: int) -> Iterator[Any]:
        shape = self._shape
        for leaf in shape.head:
            yield self._array(requests, size, leaf, None)
        if shape.details:
            kind = f"u{shape.tag.stop - shape.tag.start}"
            reasons = self._numbers(requests, size, kind, shape.tag.start)
        for payload, leaves in shape.details.items():
            selecting = [r for r, member in shape.selected.items() if member == payload]
            others = ~self._numpy.isin(reasons, selecting)
            for leaf in leaves:
                yield self._array(requests, size, leaf, others)
        for leaf in shape.registers:
            yield self._array(requests, size, leaf, None)

    def _array(self, requests: bytes, size: int, leaf: Leaf, nulls: Any) -> Any:
        """Give a leaf's number in each request, but for the `nulls`."""
        kind = f"{'i' if leaf.signed else 'u'}{leaf.size}"
        numbers = self._numbers(requests, size, kind, leaf.offset)
        if leaf.bits is not None:
            lowest, width = leaf.bits
            # Shifted up to the top first: shifting down then brings the sign along.
            above = 8 * leaf.size - lowest - width
            numbers = numbers << above >> above + lowest
        return self._pyarrow.array(numbers, mask=nulls)

    def _numbers(self, requests: bytes, size: int, kind: str, offset: int) -> Any:
        """Give the number at an offset in each request."""
        count = len(requests) // size
        there = self._numpy.ndarray(count, f"<{kind}", requests, offset, (size,))
        return self._numpy.ascontiguousarray(there)


def _leaves(shape: Shape) -> Iterator[Leaf]:
    """Give a column's leaf after the other."""
    yield from shape.head
    for leaves in shape.details.values():
        yield from leaves
    yield from shape.registers
