"""Read a recording: requests with their times, each together with its answer.

Takes an `Input`; gives `Run`s with notes, to `recording`.  The format is that of the package's
`monitor.recording`, whose documentation says what each byte is.  A request is given once its
answer is known, or none can be: at the end of its session, or behind many more requests.
"""

from __future__ import annotations

import json
import re
import struct
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from xenbind.commands.decode.stream import (
    Input,
    Kind,
    Note,
    Run,
    Session,
    Torn,
    unknown_version,
)

MAGIC = b"\x89XENREC\n"

_FORMAT = 1
_HEAD = struct.Struct("<8sII")
_RECORD = struct.Struct("<IHHQQ")
_REQUEST, _FLAGS, _ANSWER, _OTHER = 1, 2, 3, 4
_WORD = 4  # bytes, of an answer's flags
_LONGEST = 1 << 20  # of a record or a head's text: what is longer is damage
_PATIENCE = 1024  # requests that one waits for which has no answer
_NAME = re.compile("[0-9a-f]{1,64}")
_WORDS = 1 << 32
_LATEST = (
    1 << 62
)  # nanoseconds: the year 2116; times behind twice of that no table can hold
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017


class _Asked(NamedTuple):
    """A request that was read: where, its kind, its bytes, and what is known about it.

    Whether it `is_other` says that it is of another version than its session.
    """

    position: int
    kind: Kind
    data: bytes
    note: Note
    is_other: bool = False


class _Damaged(Exception):
    """What is wrong with a record, so that nothing behind it can be relied on."""


def sessions(source: Input) -> Iterator[Run]:
    """Give the requests of all sessions.  A torn end is told once all else was given."""
    while source.peek(1):
        reader: _Reader | None = None
        try:
            session = _head(source)
            if session is None:
                _torn(source)
                return
            reader = _Reader(source, session)
            yield from reader.runs()
        except _Damaged as damaged:
            if reader is not None:
                yield from reader.all_left()
            error = source.fail(
                source.position,
                str(damaged),
                "pass --skip-bad to go on with the next session in the file",
            )
            error.skipped = _resume(source)
            continue
        if reader.torn:
            _torn(source)
            return


def _torn(source: Input) -> None:
    left = len(source.there(_LONGEST))
    error = source.fail(
        source.position,
        f"the recording ends {left} bytes into a record, which is left out",
        "nothing, if the monitor was killed or still runs: all that is before it was read",
        kind=Torn,
    )
    error.skipped = left
    source.skip(left)


def _head(source: Input) -> Session | None:
    """Read how a session begins, and pass over it; None if the input ends within that."""
    start = source.peek(_HEAD.size)
    if not (start.startswith(MAGIC) or MAGIC.startswith(start)):
        raise _Damaged("no session of a recording begins here")
    if len(start) < _HEAD.size:
        return None
    _, form, length = _HEAD.unpack(start)
    if form != _FORMAT:
        raise _Damaged(
            f"the recording has the format {form}, and this xenbind reads {_FORMAT}"
        )
    if length > _LONGEST:
        raise _Damaged(f"the session's head is {length} bytes long")
    text = source.peek(length, _HEAD.size)
    if len(text) < length:
        return None
    try:
        session = _session(json.loads(text))
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
        raise _Damaged(f"the session's head cannot be read: {error!r}") from None
    source.skip(_HEAD.size + length)
    return session


def _session(said: dict[str, Any]) -> Session:
    """Read a head's text.  Raises one of many errors for what no recording says."""
    session = Session(
        name=said["session"],
        part=int(said["part"]),
        domain=int(said["domain"]),
        release=said["release"],
        arch=str(said["arch"]),
        started=_nanoseconds(datetime.fromisoformat(said["started"])),
    )
    # Files are called after these.
    if not _NAME.fullmatch(session.name):
        raise ValueError(f"no session is called {session.name!r}")
    if not 0 <= session.part < _WORDS or not 0 <= session.domain < _WORDS:
        raise ValueError(f"no part {session.part} of domain {session.domain}")
    if not 0 <= session.started < _LATEST:
        raise ValueError("it did not start in this age")
    return session


def _nanoseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1) * 1000


def _resume(source: Input) -> int:
    """Skip to the next session; gives how many bytes were skipped."""
    start = source.position
    ahead = 1
    while len(window := source.peek(1 << 16, ahead)) >= len(MAGIC):
        found = window.find(MAGIC)
        if found >= 0:
            source.skip(ahead + found)
            return source.position - start
        source.skip(len(window) - len(MAGIC) + 1)
    source.skip(len(source.there(1 << 16)))
    return source.position - start


class _Reader:
    """The records of one session; `torn` says, behind them, whether the last one is."""

    def __init__(self, source: Input, session: Session) -> None:
        self._source = source
        self._session = session
        self._queue: deque[_Asked] = deque()
        self._waiting: dict[int, _Asked] = {}
        self.torn = False

    def runs(self) -> Iterator[Run]:
        """Give the requests up to the next session or the end.  Raises `_Damaged`."""
        least = _RECORD.size
        while True:
            data = self._source.there(least)
            read = self._records(data)
            yield from self._answered()
            ended = data[read : read + len(MAGIC)] == MAGIC
            if ended or len(data) < least:
                self.torn = not ended and read < len(data)
                yield from self.all_left()
                return
            least = _RECORD.size
            if len(data) - read >= 4:
                size = int.from_bytes(data[read : read + 4], "little")
                least = max(least, min(size, _LONGEST))

    def all_left(self) -> Iterator[Run]:
        """Give what has no answer."""
        self._waiting.clear()
        yield from self._answered()

    def _records(self, data: bytes) -> int:
        """Read the whole records in some bytes and pass over them; gives how long they are."""
        at, behind, start = 0, len(data) - _RECORD.size, self._source.position
        try:
            while at <= behind:
                size, kind, there, number, time = _RECORD.unpack_from(data, at)
                if size > _LONGEST or size < _RECORD.size:
                    if data[at : at + len(MAGIC)] == MAGIC:
                        break
                    raise _Damaged(
                        f"no record begins here: it would be {size} bytes long"
                    )
                if time > _LATEST:
                    raise _Damaged(
                        f"no record begins here: its time would be {time} ns"
                    )
                end = at + size
                if end > len(data):
                    break
                body = data[at + _RECORD.size : end]
                if kind == _REQUEST:
                    self._ask(start + at, body, Note(number, time, there))
                elif kind == _OTHER:
                    self._ask_other(start + at, body, Note(number, time, there))
                elif kind in (_FLAGS, _ANSWER):
                    self._answer(number, time, body, kind == _FLAGS)
                at = end
        finally:
            self._source.skip(at)
        return at

    def _ask(self, position: int, body: bytes, note: Note) -> None:
        kind = self._source.kind(body[:4])
        if kind is None:
            raise _Damaged(unknown_version(body))
        if len(body) != kind.size:
            raise _Damaged(
                f"the request has {len(body)} bytes, those of version"
                f" {kind.interface.version} have {kind.size}"
            )
        self._wait(_Asked(position, kind, body, note))

    def _ask_other(self, position: int, body: bytes, note: Note) -> None:
        """Take a request of another version than the session's, if it is known and whole."""
        kind = self._source.kind(body[:4])
        if kind is not None and kind.size <= len(body):
            self._wait(_Asked(position, kind, body[: kind.size], note, is_other=True))

    def _wait(self, asked: _Asked) -> None:
        self._waiting[asked.note.number] = asked
        self._queue.append(asked)

    def _answer(self, number: int, time: int, body: bytes, only_flags: bool) -> None:
        asked = self._waiting.pop(number, None)
        if asked is None:
            return  # to a request in the file before
        if asked.is_other and not only_flags:
            body = body[: asked.kind.size]
        if len(body) != (_WORD if only_flags else asked.kind.size):
            raise _Damaged(f"the answer to request {number} has {len(body)} bytes")
        asked.note.answered = time
        asked.note.answer = int.from_bytes(body, "little") if only_flags else body

    def _answered(self) -> Iterator[Run]:
        """Give the oldest requests, as far as they have their answers."""
        queue, waiting = self._queue, self._waiting
        while len(queue) > _PATIENCE and queue[0].note.number in waiting:
            del waiting[queue[0].note.number]
            yield from self._taken()
        yield from self._taken()

    def _taken(self) -> Iterator[Run]:
        queue, waiting = self._queue, self._waiting
        found: list[_Asked] = []
        while queue and queue[0].note.number not in waiting:
            if found and queue[0].kind is not found[0].kind:
                yield self._run(found)
                found = []
            found.append(queue.popleft())
        if found:
            yield self._run(found)

    def _run(self, found: list[_Asked]) -> Run:
        kind = found[0].kind
        return Run(
            [one.note.number for one in found],
            [one.position for one in found],
            b"".join([one.data for one in found]),
            kind.size,
            kind.interface,
            self._session,
            [one.note for one in found],
        )
