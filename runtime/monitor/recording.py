"""Record what is reported of a guest and what is answered, each with its time.

A file of format 1 is sessions one after another, each of one monitor on one guest, and nothing
between them.  All numbers are little-endian.  A session begins with 16 bytes and a text:

    8 bytes   89 58 45 4e 52 45 43 0a       MAGIC
    u32       1                             the format
    u32       how long the text is
    text      JSON: an object with "release", "version" (of the interface), "domain", "arch",
              "started" (wall clock, ISO 8601, UTC), "request_size", "session" (a random
              name) and "part" (0, or which file it is of a session that goes over several)

Records follow, each of 24 bytes and a body:

    u32       how long the record is, these four bytes included
    u16       its kind; a reader passes over kinds that it does not know
    u16       of a request, how many waited on the ring, itself included; 0 where unknown
    u64       which request of the session this is or answers, counted from 0
    u64       nanoseconds since the session started, of a clock that never goes back

The kinds: 1 is a request, whose body is its bytes; 2 an answer that differs from its request in
its flags alone, which are its body, a u32; 3 any other answer, whose body is its bytes; 4 a
request of another interface version than the session's, whose body is what the ring's entry held:
that may be more than the request, or less.  It is as long as the session's requests, or as those
of its own version, by whose module it was taken; so is its answer.  No text and no body is longer
than 1 MiB.

A monitor that is killed leaves a file whose last record may be cut short.  The rest is whole,
and the next session that is appended to the file first takes the cut record away.  A file that
ends within a record of another kind, or of a version that the reader does not know and another
length than the session's, is damaged: what it lacks may be whole records.
"""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import struct
import time
from collections.abc import Container, Iterator
from functools import cache
from operator import index
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, Self, SupportsIndex

from .. import UnknownVersion, interface, interface_for_xen
from .guest import MonitorError, domain_number

MAGIC = b"\x89XENREC\n"
FORMAT = 1
REQUEST, FLAGS, ANSWER, OTHER = 1, 2, 3, 4

_SESSION = struct.Struct("<8sII")
_RECORD = struct.Struct("<IHHQQ")
_FLAGS = struct.Struct("<I")
_VERSION = struct.Struct("<I")  # how a request begins, and so its answer
_KIND = struct.Struct("<IH")  # how a record begins
_HEAD = -1  # the kind of what is no record
_LONGEST = 1 << 20  # bytes of a record or a head: what is longer is damage
_ANY = range(_LONGEST + 1)
_ARCHES = ("x86", "arm")
_ARCH_HERE = "arm" if os.uname().machine == "aarch64" else "x86"
_UNKNOWN, _MOST = 0, 0xFFFF  # how many requests wait


def recorded_requests(file: str | os.PathLike[str]) -> Iterator[Any]:
    """Give the requests of a recording in their order, as the module of their release has them.

    What was cut short at the end is passed over, and so are requests of another version.  Raises
    MonitorError for what is no recording, has another format or is damaged, or is of a Xen that
    the package does not know.
    """
    path = Path(file)
    vm_event: Any = None
    for piece in _pieces(path):
        if piece.kind == _HEAD:
            release = piece.head["release"]
            try:
                vm_event = (
                    interface_for_xen(release)
                    if release
                    else interface(piece.head["version"])
                )
            except UnknownVersion as unknown:
                raise MonitorError(f"{path}: {unknown}") from None
            size = len(bytes(vm_event.vm_event_st()))
            if piece.head["request_size"] != size:
                raise MonitorError(
                    f"{path} is damaged before byte {piece.end}: its requests have {size} bytes,"
                    f" and not {piece.head['request_size']}"
                )
        elif piece.kind == REQUEST:
            yield vm_event.vm_event_st.from_buffer_copy(piece.body)


class Output(Protocol):
    """What a recording can be written to: an open binary file, or what is like one.

    `write` says how many bytes it took.
    """

    def write(self, data: bytes, /) -> int: ...


class Recording:
    """A file in which the requests of a monitor are recorded, and their answers.

        with Recording("guest.rec", limit=1 << 30) as recording:
            with Monitor(3, ["cpuid"], recording=recording) as monitor:
                ...

    A path's file is appended to if it is a recording already, and locked while it is open.  It
    ends behind `limit` bytes, where every request has its answer, or at twice as many with
    requests that wait; the session then goes on in `guest.1.rec`.  One monitor after the other
    can record in it, each a session.
    Without a monitor, on a ring of one's own, call `begin`, and then `request` for each that
    was taken, `answer` when that was answered, `flush` where a batch ends, and `end`.

    Raises MonitorError for a file that is something else, or that is recorded in already, and
    OSError where it cannot be written; TypeError and ValueError for what is no file to be
    written, or no limit.
    """

    def __init__(
        self, file: str | os.PathLike[str] | Output, limit: int | None = None
    ) -> None:
        self._limit = None if limit is None else _bytes(limit)
        self._path: Path | None = None
        self._own: BinaryIO | None = None  # to be closed
        self._file: Output
        if isinstance(file, str | os.PathLike):
            self._path = Path(file)
            self._file = self._own = _open(self._path)
        elif limit is None:
            _require_output(file)
            self._file = file
        else:
            raise ValueError("only a recording with a path can have a limit")
        self._buffer = bytearray()
        self._session: dict[str, object] = {}
        self._part = 0
        self._count = 0
        self._start = 0
        self._flags_at = 0
        self._version: int | None = None  # of the session's interface, None without one
        # The requests without an answer, by their identity: the record itself, so that no other
        # is given its identity, its number and its bytes as they came.
        self._waiting: dict[int, tuple[Any, int, bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(
        self,
        vm_event: Any,
        domain: int,
        release: str | None = None,
        arch: str | None = None,
    ) -> None:
        """Begin a session: of the requests that a version's module describes, of one guest.

        `arch` says whose registers the guest has, `x86` or `arm`: this machine's by default.
        Raises MonitorError while another one is open, and ValueError for another `arch`, or a
        domain that there cannot be.
        """
        domain = domain_number(domain)
        if self._version is not None:
            raise MonitorError(
                "this recording has a session already: give each monitor its own"
            )
        if arch not in (None, *_ARCHES):
            raise ValueError(f"arch={arch!r}: one of {', '.join(_ARCHES)}")
        request = vm_event.vm_event_st
        self._version = vm_event.VM_EVENT_INTERFACE_VERSION
        self._flags_at = request.flags.offset
        self._count = self._part = 0
        self._start = time.monotonic_ns()
        seconds, rest = divmod(time.time_ns(), 10**9)
        day = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        self._session = {
            "release": release,
            "version": self._version,
            "domain": domain,
            "arch": arch or _ARCH_HERE,
            "started": f"{day}.{rest // 1000:06}Z",
            "request_size": len(bytes(request())),
            "session": os.urandom(8).hex(),
        }
        self._head()

    def end(self) -> None:
        """End the session: what has no answer yet stays without."""
        self._version = None
        self._waiting.clear()

    def request(self, request: Any) -> None:
        """Record a request that was just taken, before anybody changes it.

        One of another interface version is marked as such, and recorded as the bytes that it is.
        Raises MonitorError without a session.
        """
        kind = REQUEST
        if request.version != self._version:
            if self._version is None:
                raise MonitorError("this recording has no session: call begin() first")
            kind = OTHER
        number, self._count = self._count, self._count + 1
        octets = bytes(request)
        self._waiting[id(request)] = request, number, octets
        now = time.monotonic_ns() - self._start
        size = _RECORD.size + len(octets)
        there = _waiting_on_ring(request)
        self._buffer += _RECORD.pack(size, kind, there, number, now)
        self._buffer += octets

    def answer(self, request: Any) -> None:
        """Record a request as it was answered, if it was recorded and has no answer yet."""
        known = self._waiting.pop(id(request), None)
        if known is None:
            return
        _, number, asked = known
        now = time.monotonic_ns() - self._start
        octets = bytes(request)
        at = self._flags_at
        behind = at + _FLAGS.size
        if octets[behind:] == asked[behind:] and octets[:at] == asked[:at]:
            size = _RECORD.size + _FLAGS.size
            self._buffer += _RECORD.pack(size, FLAGS, 0, number, now)
            self._buffer += octets[at:behind]
        else:
            size = _RECORD.size + len(octets)
            self._buffer += _RECORD.pack(size, ANSWER, 0, number, now)
            self._buffer += octets

    def flush(self) -> None:
        """Write what was recorded, so that it outlives this process.

        What cannot be written is kept for the next time.  Raises OSError then: BlockingIOError
        for a pipe that does not block and is full.
        """
        buffer = self._buffer
        while buffer:
            try:
                # All of it, but for a file without a buffer, which says how much.
                written = self._file.write(bytes(buffer))
            except BlockingIOError as full:  # of one with a buffer, which kept as much
                del buffer[: getattr(full, "characters_written", 0)]
                written = None
            if not written:  # None, of one that does not block
                raise BlockingIOError(
                    errno.EAGAIN, "the recording takes no more now: let its file block"
                )
            del buffer[:written]
        if self._limit is not None and self._own is not None and self._version:
            # A request and its answer are in one file, so that each file can be read alone.
            limit = self._limit * 2 if self._waiting else self._limit
            if self._own.tell() >= limit:
                self._next()

    def close(self) -> None:
        """End the session, write what is left, and close the file if it was given by its path."""
        self.end()
        try:
            self.flush()
        finally:
            if self._own is not None:
                self._own.close()

    def _head(self) -> None:
        text = json.dumps({**self._session, "part": self._part}).encode()
        self._buffer += _SESSION.pack(MAGIC, FORMAT, len(text)) + text

    def _next(self) -> None:
        """Go on in a file of the next number that is free."""
        first = self._path
        if first is None or self._own is None:
            return
        while True:
            self._part += 1
            path = first.with_name(f"{first.stem}.{self._part}{first.suffix}")
            if not path.exists():
                break
        opened = _open(path)
        self._own.close()
        self._file = self._own = opened
        self._head()


def _bytes(limit: SupportsIndex) -> int:
    """Give a number of bytes; raises TypeError or ValueError for what is none."""
    try:
        number = index(limit)
    except TypeError:
        raise TypeError(f"limit={limit!r} is no number of bytes") from None
    if number <= 0:
        raise ValueError(f"limit={number}: a file has one byte at least")
    return number


def _require_output(file: Any) -> None:
    """Raise TypeError or ValueError for what no bytes can be written to."""
    if not hasattr(file, "write"):
        raise TypeError(
            f"{file!r} is no file: give a path, or a binary file that is open"
        )
    if isinstance(file, io.TextIOBase):
        raise TypeError(f"{file!r} is open for text: open it in mode 'wb'")
    if getattr(file, "closed", False):
        raise ValueError(f"{file!r} is closed: open it")
    if isinstance(file, io.FileIO | io.BufferedReader) and not file.writable():
        raise ValueError(f"{file!r} is open for reading: open it in mode 'wb'")


def _waiting_on_ring(request: Any) -> int:
    """Count the requests on the ring of one that it gave out, those not yet taken included."""
    copy = getattr(request, "_copy_", None)
    ring = copy and copy.ring
    if ring is None:
        return _UNKNOWN
    sring = ring.sring
    there: int = sring.words[sring.req_prod] - ring.rsp_prod_pvt
    return min(there & 0xFFFF_FFFF, _MOST)


def _open(path: Path) -> BinaryIO:
    """Open a file to append to, behind its last whole record, for this process alone."""
    file = path.open("ab", buffering=0)
    try:
        if path.is_file():  # no pipe
            _lock(file, path)
            whole = 0
            for piece in _pieces(path):
                whole = piece.end
            file.truncate(whole)
            file.seek(0, os.SEEK_END)
        return file
    except BaseException:
        file.close()
        raise


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise MonitorError(
            f"{path} is recorded in already: close that recording, or name another file"
        ) from None
    except OSError:
        pass  # some file systems have no locks


class _Piece(NamedTuple):
    """A record or a session's head, which says how the records behind it are; where it ends."""

    end: int
    kind: int
    body: bytes
    head: dict[str, Any]


def _pieces(path: Path) -> Iterator[_Piece]:
    """Give the sessions' heads and the records of a recording, as far as they are whole.

    Raises MonitorError for what is no recording, has another format or is damaged.
    """
    head: dict[str, Any] = {}
    place = 0
    with path.open("rb", buffering=1 << 18) as file:
        while start := file.read(_SESSION.size):
            kind = _HEAD
            if MAGIC.startswith(start[: len(MAGIC)]):
                if len(start) < _SESSION.size:
                    return
                _, form, length = _SESSION.unpack(start)
                if form != FORMAT:
                    raise MonitorError(f"{path} has the format {form}, not {FORMAT}")
                size, before = _SESSION.size + length, _SESSION.size
            elif place == 0:
                raise MonitorError(f"{path} is no recording: name another file")
            elif len(start) < _KIND.size:
                return
            else:
                size, kind = _KIND.unpack_from(start)
                before = _RECORD.size
                if kind in (ANSWER, OTHER):
                    start += file.read(before + _VERSION.size - len(start))
                    if len(start) < before + _VERSION.size:
                        return
            lengths = _lengths(kind, start, head)
            if size - before not in lengths:
                raise MonitorError(f"{path} is damaged at byte {place}")
            data = start + file.read(size - len(start))
            if len(data) < size:
                # Nothing that writes this format leaves a part of any other kind; and of a
                # version that is not known it may be the length that is damaged.
                if kind != _HEAD and lengths == _ANY:
                    raise MonitorError(f"{path} is damaged at byte {place}")
                return
            body = data[before:]
            if kind == _HEAD:
                head = _read_head(body, path, place)
            place += size
            yield _Piece(place, kind, body, head)


def _lengths(kind: int, start: bytes, head: dict[str, Any]) -> Container[int]:
    """Give the lengths that a record's body may have, by how the record begins.

    For any other one it is damaged, however the file ends.
    """
    if kind == FLAGS:
        return (_FLAGS.size,)
    if kind not in (REQUEST, ANSWER, OTHER):
        return _ANY
    usual: int = head["request_size"]
    if kind == REQUEST:
        return (usual,)
    (version,) = _VERSION.unpack_from(start, _RECORD.size)
    own = _request_size(version)
    if own is None:
        return _ANY
    return usual, own


@cache
def _request_size(version: int) -> int | None:
    """Tell how long a version's requests are; None for a version that is not known."""
    try:
        return len(bytes(interface(version).vm_event_st()))
    except UnknownVersion:
        return None


def _read_head(text: bytes, path: Path, place: int) -> dict[str, Any]:
    try:
        head: dict[str, Any] = json.loads(text)
        if not isinstance(head["release"], str | None):
            raise TypeError
        for name in ("version", "request_size"):
            if type(head[name]) is not int:
                raise TypeError
    except (ValueError, LookupError, TypeError, RecursionError):
        raise MonitorError(f"{path} is damaged at byte {place}") from None
    return head
