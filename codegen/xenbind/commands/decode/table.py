"""Write events as a table, for those who analyse millions with an engine of their own.

Takes `Run`s of requests; writes an Arrow IPC file, a Parquet file, or a folder of these, through
numpy and pyarrow, an optional extra that is imported when a table is asked for.  A column for
each number, made of thousands of requests at once, and one for its names if it has any; what the
reason does not select is null.  Of a recording there are columns for the times and answers too.
The schema tells pandas to take integers that can be null as such: by itself it makes floats of
them, which hold no more than 53 bits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, groupby, repeat
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from xenbind.commands.decode.alike import alike
from xenbind.commands.decode.events import Leaf, Names, Shape, Shapes, leaves
from xenbind.commands.decode.gather import Numbers
from xenbind.commands.decode.session_parts import each_once
from xenbind.commands.decode.stream import Note, Run, Session, moment
from xenbind.errors import SystemFailure, XenbindError
from xenbind.whole_file import whole_file

_BATCH = 1 << 17  # requests at once, at least: a row group
_DAY = 86400 * 10**9  # nanoseconds
# Columns that a row group's events have neighbouring numbers in, or that most queries name.
_SOUGHT = ("position", "reason", "vcpu_id", "number", "time")


def write(runs: Iterable[Run], shapes: Shapes, path: Path, form: str) -> int:
    """Write a table in the form `arrow` or `parquet`; gives the number of events.

    A file takes its place when it is whole.  Raises `XenbindError` without pyarrow, for
    no events, and for events that are not alike; `SystemFailure` for a path that
    cannot be written.
    """
    engines = _engines(form)
    fitting = alike(runs, shapes)
    first = next(fitting, None)
    if first is None:
        raise _nothing("--format")
    table = _Table(shapes.of(first), engines, form, first.session is not None)
    with whole_file(path) as file, _writer(file, form, table, engines) as writer:
        return _fill(writer, table, chain([first], fitting))


def write_dataset(runs: Iterable[Run], shapes: Shapes, folder: Path) -> tuple[int, int]:
    """Write Parquet files into a folder, `domain=3/date=2026-03-01/SESSION-PART.parquet`.

    Gives the number of events and of files.  A file takes its place when it is whole, and
    replaces that of an earlier run on the same recording.  Raises as `write` does, and
    `XenbindError` for what is no recording, or is given twice.
    """
    engines = _engines("parquet")
    count, written = 0, set[Path]()
    for part, of_part in groupby(_by_part(runs), itemgetter(0)):
        path = part.path(folder)
        written.add(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SystemFailure(
                f"cannot make {path.parent}: {error.strerror}",
                "name another folder with --out",
            ) from error
        its_runs = map(itemgetter(1), of_part)
        first = next(its_runs)
        shape = shapes.of(first)
        table = _Table(shape, engines, "parquet", True, has_domain=False)
        whole = whole_file(path)
        with whole as file, _writer(file, "parquet", table, engines) as writer:
            count += _fill(writer, table, chain([first], its_runs))
    if not count:
        raise _nothing("--out")
    return count, len(written)


def _fill(writer: Any, table: _Table, runs: Iterable[Run]) -> int:
    """Write the runs' events, many at a time; gives their number."""
    count = 0
    for run in runs:
        table.take(run)
        if table.count >= _BATCH:
            count += table.count
            writer.write_batch(table.batch())
    if table.count:
        count += table.count
        writer.write_batch(table.batch())
    return count


def _nothing(option: str) -> XenbindError:
    return XenbindError(
        "there is no event to write", f"look at the input without {option}"
    )


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


@contextmanager
def _writer(
    file: BinaryIO, form: str, table: _Table, engines: _Engines
) -> Iterator[Any]:
    pyarrow = engines.pyarrow
    if form != "parquet":
        with pyarrow.ipc.new_file(file, table.schema) as writer:
            yield writer
        return
    # Registers are seldom alike: without dictionaries it is a quarter faster, and smaller; their
    # least and greatest help no query, and take a tenth of the time.  Arrow's own schema, if it
    # were stored, would have readers give words as dictionaries, and not as strings.
    with pyarrow.parquet.ParquetWriter(
        file,
        table.schema,
        compression="zstd",
        use_dictionary=table.words,
        write_statistics=table.sought,
        write_batch_size=_BATCH,
        store_schema=False,
    ) as writer:
        writer.add_key_value_metadata(table.schema.metadata)
        yield writer


class _Part(NamedTuple):
    """Which file of a folder events belong to."""

    domain: int
    day: str
    session: str
    number: int

    def path(self, folder: Path) -> Path:
        name = f"{self.session}-{self.number}.parquet"
        return folder / f"domain={self.domain}" / f"date={self.day}" / name


def _by_part(runs: Iterable[Run]) -> Iterator[tuple[_Part, Run]]:
    """Give runs with the file that they belong to, by the day on which they came.

    Those of another version than their session's belong to none, as `alike` has it.
    Raises `XenbindError` for what is no recording, or is there twice.
    """
    for run in each_once(runs):
        if run.is_other:
            continue
        session, notes = run.session, run.notes
        if session is None or notes is None:
            raise XenbindError(
                "the input has no domain and no times, by which a folder is divided",
                "record with monitor.Recording, or write one file with --output",
            )
        days = [(session.started + note.time) // _DAY for note in notes]
        for day in sorted(set(days)):
            wanted = [place for place, one in enumerate(days) if one == day]
            date = moment(session, day * _DAY - session.started)[:10]
            part = _Part(session.domain, date, session.name, session.part)
            yield part, run if len(wanted) == len(run) else run.only(wanted)


class _Table:
    """One version's columns: the place of each event, and all leaves that it may have.

    `words` are the names of columns of words that come again and again, which Parquet is given
    as dictionaries, and `sought` of those by whose range a query leaves events out.
    """

    def __init__(
        self,
        shape: Shape,
        engines: _Engines,
        form: str,
        is_recorded: bool,
        has_domain: bool = True,
    ) -> None:
        self._numpy, self._pyarrow = engines
        self._shape = shape
        flags = shape.leaf("flags")
        self._flag_names = flags and flags.names
        self._is_recorded = is_recorded
        self._has_domain = has_domain
        arrow = self._pyarrow
        word = arrow.string()
        if form == "parquet":
            word = arrow.dictionary(arrow.int32(), word)
        self._word = word
        columns = [("position", arrow.uint64())]
        self.words: list[str] = []
        for leaf in leaves(shape):
            sign = "int" if leaf.signed else "uint"
            kind = getattr(arrow, f"{sign}{8 * leaf.size}")
            columns.append((leaf.path, kind()))
            if leaf.names is not None:
                self.words.append(f"{leaf.path}_name")
                columns.append((self.words[-1], word))
        if is_recorded:
            self.words += ["session", "answer_flags_name"]
            columns += [("domain", arrow.uint32())] if has_domain else []
            columns += [
                ("session", word),
                ("number", arrow.uint64()),
                ("time", arrow.timestamp("ns", tz="UTC")),
                ("waiting", arrow.uint16()),
                ("latency", arrow.int64()),
                ("answer_flags", arrow.uint32()),
                ("answer_flags_name", word),
                ("answer", arrow.binary()),
            ]
        self.sought = [name for name, _ in columns if name in _SOUGHT]
        self.schema = arrow.schema(columns).with_metadata(_for_pandas(columns))
        self._numbers = Numbers(engines.numpy, shape, 2 * _BATCH)
        self._positions: list[Sequence[int]] = []
        self._told: list[tuple[Session, Note]] = []
        self._nulls = lru_cache(maxsize=None)(arrow.nulls)

    @property
    def count(self) -> int:
        """How many events the next batch has."""
        return self._numbers.count

    def take(self, run: Run) -> None:
        """Add a run's events to the next batch."""
        self._numbers.take(run)
        self._positions.append(run.positions)
        if run.session is not None:
            self._told += zip(repeat(run.session), run.notes or (), strict=False)

    def batch(self) -> Any:
        """Give the events that were taken as columns, which last until others are taken."""
        positions = chain.from_iterable(self._positions)
        arrays = [
            self._pyarrow.array(self._numpy.fromiter(positions, "u8", self.count)),
            *self._arrays(self._numbers),
            *(self._recorded(self._told) if self._is_recorded else ()),
        ]
        self._numbers.clear()
        self._positions, self._told = [], []
        return self._pyarrow.record_batch(arrays, schema=self.schema)

    def _arrays(self, numbers: Numbers) -> Iterator[Any]:
        shape = self._shape
        for leaf in shape.head:
            yield from self._with_names(numbers, leaf, None)
        reasons = numbers.reasons
        there = () if reasons is None else self._numpy.unique(reasons).tolist()
        for payload, details in shape.details.items():
            selecting = [r for r in there if shape.selected.get(r) == payload]
            if selecting:
                others = ~self._numpy.isin(reasons, selecting)
                for leaf in details:
                    yield from self._with_names(numbers, leaf, others)
            else:
                for leaf in details:
                    yield from self._nothing(leaf, numbers.count)
        for leaf in shape.registers:
            yield from self._with_names(numbers, leaf, None)

    def _with_names(self, numbers: Numbers, leaf: Leaf, nulls: Any) -> Iterator[Any]:
        """Give a leaf's number in each request but for the `nulls`, and what it is called."""
        array = self._pyarrow.array(numbers.of(leaf), mask=nulls)
        yield array
        if leaf.names is not None:
            yield self._named(array, leaf.names)

    def _nothing(self, leaf: Leaf, count: int) -> Iterator[Any]:
        yield self._nulls(count, self.schema.field(leaf.path).type)
        if leaf.names is not None:
            yield self._nulls(count, self._word)

    def _named(self, numbers: Any, names: Names) -> Any:
        """Give what numbers are called: each of them is named once."""
        there = numbers.dictionary_encode()
        called = [names.of(number) for number in there.dictionary.to_pylist()]
        arrow = self._pyarrow
        words = arrow.array(called, arrow.string())
        named = arrow.DictionaryArray.from_arrays(there.indices, words)
        return named if named.type == self._word else named.cast(self._word)

    def _recorded(self, told: Sequence[tuple[Session, Note]]) -> Iterator[Any]:
        """Give the columns that only recordings have."""
        arrow = self._pyarrow
        notes = [note for _, note in told]
        kinds = {name: self.schema.field(name).type for name in self.schema.names}
        if self._has_domain:
            yield arrow.array([one.domain for one, _ in told], kinds["domain"])
        yield arrow.array([one.name for one, _ in told]).cast(self._word)
        yield arrow.array([note.number for note in notes], kinds["number"])
        times = [one.started + note.time for one, note in told]
        yield arrow.array(times, arrow.int64()).cast(kinds["time"])
        yield arrow.array([note.waiting for note in notes], kinds["waiting"])
        yield arrow.array([note.latency for note in notes], kinds["latency"])
        flags = arrow.array(list(map(self._answer_flags, notes)), kinds["answer_flags"])
        yield flags
        yield (
            self._named(flags, self._flag_names)
            if self._flag_names
            else flags.cast(arrow.string()).cast(self._word)
        )
        whole = [
            note.answer if isinstance(note.answer, bytes) else None for note in notes
        ]
        yield arrow.array(whole, kinds["answer"])

    def _answer_flags(self, note: Note) -> int | None:
        if isinstance(note.answer, bytes):
            leaf = self._shape.leaf("flags")
            return leaf.read(note.answer, 0) if leaf else None
        return note.answer


def _for_pandas(columns: Sequence[tuple[str, Any]]) -> dict[str, str]:
    """Say to pandas which of its own types hold each integer, those that can be null too."""
    kinds = [
        {
            "name": name,
            "field_name": name,
            "pandas_type": str(kind),
            "numpy_type": str(kind).replace("u", "U").replace("i", "I", 1),
            "metadata": None,
        }
        for name, kind in columns
        if str(kind).lstrip("u").startswith("int")
    ]
    said = {"index_columns": [], "column_indexes": [], "columns": kinds}
    return {"pandas": json.dumps(said)}
