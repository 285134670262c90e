"""What the forms of recorded requests have in common: bytes, versions and errors.

Takes a binary stream and the interfaces by version; gives `Input`, from which
`recording`, `ring_page` and `jsonl` each give their form's requests as `Run`s.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Sequence
from typing import BinaryIO

from xenbind.errors import Status, XenbindError
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import ConstantGroup, Interface, Record
from xenbind.plain import Struct

# Gives the interface of a version number, None where there is none.
Interfaces = Callable[[int], Interface | None]

_CHUNK = 1 << 16
_VERSION = 4  # bytes, at the start of a request


class DecodeError(XenbindError):
    """Bytes that are no request, and where.

    `position` counts bytes from the start of the input, `line` lines from 1 (None where
    there are none).  `skipped` is how many bytes were passed over because of it, known
    once reading goes on.
    """

    def __init__(
        self,
        name: str,
        position: int,
        problem: str,
        advice: str,
        line: int | None = None,
    ) -> None:
        place = name if line is None else f"{name}:{line}"
        super().__init__(f"{place}: byte {position}: {problem}", advice)
        self.position = position
        self.line = line
        self.skipped = 0


class Unreadable(DecodeError):
    """The system does not give any more bytes."""

    status = Status.NOT_RUN


# Is told what is wrong; reading goes on if it returns, and ends if it raises.
Report = Callable[[DecodeError], None]


class Torn(DecodeError):
    """A recording ends within a record, as one does whose monitor was killed."""


class Session(Struct, frozen=True):
    """What a recording says of one monitor on one guest.

    `started` is in nanoseconds since 1970; `part` says which file of the session this is, and
    `request_size` how many bytes each of its requests has.
    """

    name: str
    part: int
    domain: int
    release: str | None
    arch: str
    started: int
    request_size: int


class Note(Struct, eq=False):
    """What a recording says of one request: its number, and when it came, and its answer.

    Times are nanoseconds since the session started; `waiting` counts the requests on the ring,
    0 if unknown.  `answer` has the answer's flags if nothing else changed, else all its bytes.
    """

    number: int
    time: int
    waiting: int
    answered: int | None = None
    answer: bytes | int | None = None

    @property
    def latency(self) -> int | None:
        """How long the answer took, None if there is none."""
        return None if self.answered is None else self.answered - self.time


class Run(Struct, frozen=True):
    """Requests of one version on end: their bytes, each `size` of them, and where they begin.

    An index counts requests from 0; in a ring page it is the ring's own, in a recording the
    request's number.  `notes`, one for each request, and `session` are a recording's, whose
    requests of another version than the session's are `is_other`.
    """

    indices: Sequence[int]
    positions: Sequence[int]
    data: bytes
    size: int
    interface: Interface
    session: Session | None = None
    notes: Sequence[Note] | None = None
    is_other: bool = False

    def __len__(self) -> int:
        return len(self.positions)

    @classmethod
    def on_end(
        cls, index: int, position: int, data: bytes, size: int, interface: Interface
    ) -> Run:
        """Make one of requests that are one behind the other in the input."""
        indices = range(index, index + len(data) // size)
        positions = range(position, position + len(data), size)
        return cls(indices, positions, data, size, interface)

    def only(self, wanted: Sequence[int]) -> Run:
        """Give those of its requests, by their places in it."""
        size = self.size
        return Run(
            [self.indices[one] for one in wanted],
            [self.positions[one] for one in wanted],
            b"".join([self.data[one * size : (one + 1) * size] for one in wanted]),
            size,
            self.interface,
            self.session,
            self.notes and [self.notes[one] for one in wanted],
            self.is_other,
        )


class Kind(Struct, frozen=True, eq=False):
    """One version's requests: their size, and that of the ring entries they are in.

    `named` are the members whose values have names: offset, size and group of each.
    """

    interface: Interface
    size: int
    entry: int
    named: tuple[tuple[int, int, ConstantGroup], ...]

    def looks_right(self, data: bytes) -> bool:
        """Tell whether the members whose values have names hold such values."""
        return all(
            _has_name(int.from_bytes(data[offset : offset + size], "little"), group)
            for offset, size, group in self.named
        )


class Input:
    """A stream that can be looked ahead in; `position` is where reading is."""

    def __init__(
        self, stream: BinaryIO, name: str, interfaces: Interfaces, report: Report
    ) -> None:
        # read1 gives what is there, so that requests on a pipe are told as they come.
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._name = name
        self._interfaces = interfaces
        self._report = report
        self._kinds: dict[bytes, Kind] = {}
        self._buffer = b""
        self._at = 0
        self.position = 0

    def peek(self, size: int, ahead: int = 0) -> bytes:
        """Give the next bytes, `ahead` of the position; fewer only where the stream ends."""
        start = self._at + ahead
        if start + size > len(self._buffer):
            self._fill(ahead + size)
            start = self._at + ahead
        return self._buffer[start : start + size]

    def skip(self, size: int) -> None:
        """Move on over bytes that were peeked at."""
        self._at += size
        self.position += size

    def run(self, kind: Kind) -> bytes:
        """Give the requests of one kind that come next, as many as are there; perhaps none.

        What is longer than one request has been read already: nobody waits for it.
        """
        self.peek(kind.size)
        whole = (len(self._buffer) - self._at) // kind.size
        data = self._buffer[self._at : self._at + whole * kind.size]
        for byte in range(_VERSION):
            column = data[byte :: kind.size]
            if column.count(column[:1]) < len(column):
                alike = len(column) - len(column.lstrip(column[:1]))
                data = data[: alike * kind.size]
        return data

    def there(self, least: int) -> bytes:
        """Give all that has been read ahead, and at least so much but where the stream ends."""
        self.peek(least)
        return self._buffer[self._at :]

    def line(self, longest: int) -> bytes:
        """Give the next line with its newline; of one that is longer, as much."""
        size = 2048
        while True:
            found = self.peek(min(size, longest))
            end = found.find(b"\n") + 1
            if end or len(found) < size:
                return found[: end or len(found)]
            size *= 2

    def kind(self, head: bytes) -> Kind | None:
        """Give the kind of a request that begins with these four bytes, None if unknown."""
        kind = self._kinds.get(head)
        if kind is None and len(head) == 4:
            interface = self._interfaces(word(head))
            if interface is not None:
                kind = self._kinds[head] = _kind(interface)
        return kind

    def fail(
        self,
        position: int,
        problem: str,
        advice: str,
        line: int | None = None,
        kind: type[DecodeError] = DecodeError,
    ) -> DecodeError:
        """Tell what is wrong; gives the error if reading is to go on."""
        error = kind(self._name, position, problem, advice, line)
        self._report(error)
        return error

    def _fill(self, size: int) -> None:
        parts = [self._buffer[self._at :]]
        missing = size - len(parts[0])
        try:
            while missing > 0 and (part := self._read(_CHUNK)):
                parts.append(part)
                missing -= len(part)
        except OSError as error:
            raise Unreadable(
                self._name,
                self.position + len(b"".join(parts)),
                f"cannot be read: {error.strerror}",
                "name a file that can be read, or - for standard input",
            ) from error
        self._buffer = b"".join(parts)
        self._at = 0


def moment(session: Session, nanoseconds: int) -> str:
    """Write a time of a session as ISO 8601 has it, in UTC."""
    seconds, rest = divmod(session.started + nanoseconds, 10**9)
    day = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{day}.{rest:09}Z"


def request_record(interface: Interface) -> Record:
    """Give the record that a request is: the first member of the ring's entries."""
    records = interface.records_by_key
    for ring in interface.rings:
        request = records[ring.entry].fields[0].type
        if isinstance(request, RecordRef):
            return records[request.key]
    raise XenbindError(
        f"{interface.name} version {interface.version} declares no ring of requests",
        "use a spec whose header invokes DEFINE_RING_TYPES",
    )


def named_record(interface: Interface, name: str) -> Record:
    """Give a struct or union by its tag, with or without `struct`, or a typedef's name."""
    wanted = name.removeprefix("struct ").removeprefix("union ").strip()
    for record in interface.records:
        if record.path == wanted:
            return record
    for typedef in interface.typedefs:
        if typedef.name == wanted and isinstance(typedef.type, RecordRef):
            return interface.records_by_key[typedef.type.key]
    near = difflib.get_close_matches(wanted, [r.path for r in interface.records], 3, 0)
    raise XenbindError(
        f"{interface.name} {interface.title} has no struct or union '{name}'",
        f"name one that it has, such as {', '.join(near)}",
    )


def unknown_version(head: bytes) -> str:
    """Say what is wrong with bytes that begin with no known version."""
    return f"no request begins here: version {word(head)} is unknown"


def word(data: bytes) -> int:
    """Read the 32-bit number that bytes begin with."""
    return int.from_bytes(data[:4], "little")


def _kind(interface: Interface) -> Kind:
    record = request_record(interface)
    groups = interface.groups_by_hint
    named = (
        (field.offset, field.size, groups[field.hint])
        for field in record.fields
        if field.hint in groups
    )
    entry = interface.records_by_key[interface.rings[0].entry].size
    return Kind(interface, record.size, entry, tuple(named))


def _has_name(value: int, group: ConstantGroup) -> bool:
    values = [member.value for member in group.members if isinstance(member.value, int)]
    if not group.is_flag:
        return value in values
    for known in values:
        value &= ~known
    return value == 0
