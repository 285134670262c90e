"""Read a recording: requests with their times, each together with its answer.

Takes an `Input`; gives `Run`s with notes, to `recording`.  The format is that of the package's
`monitor.recording`, whose documentation says what each byte is.  A request is given once its
answer is known, or none can be: where another session begins, or behind many more requests.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from xenbind.commands.decode.session_head import LATEST, read_head
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
_KIND = struct.Struct("<IH")  # how a record begins
_REQUEST, _FLAGS, _ANSWER, _OTHER = 1, 2, 3, 4
_NAMES = {
    _REQUEST: "a request",
    _FLAGS: "an answer's flags",
    _ANSWER: "an answer",
    _OTHER: "a request of another version",
}
_WORD = 4  # bytes, of an answer's flags
_LONGEST = 1 << 20  # of a record or a head's text: what is longer is damage
_PATIENCE = 1024  # requests that one waits for which has no answer


class _Asked(NamedTuple):
    """A request that was read: where, its kind, its bytes, and what is known about it.

    Whether it `is_other` says that it is of another version than its session.
    """

    position: int
    kind: Kind
    data: bytes
    note: Note
    session: Session
    is_other: bool = False


class _Damaged(Exception):
    """What is wrong with a record, so that nothing behind it can be relied on."""


class Parts:
    """The session that was read last: its requests may have their answers in another file."""

    def __init__(self) -> None:
        self._last: _Reader | None = None

    def go_on_in(self, session: Session) -> bool:
        """Tell whether this is another part of it."""
        if self._last is None:
            return False
        return _key(self._last.session) == _key(session)

    def next(self, source: Input, session: Session) -> _Reader:
        """Make the reader of the next session, or part of the last one."""
        self._last = _Reader(source, session, self._last)
        return self._last

    def rest(self) -> Iterator[Run]:
        """Give the requests that have no answer."""
        last, self._last = self._last, None
        if last is not None:
            yield from last.all_left()


def in_order(files: Sequence[Path]) -> list[Path]:
    """Put the files of a session in the order of their parts, where the first of them stood.

    A shell has guest.1.rec before guest.rec.
    """
    sessions = {file: _first_session(file) for file in files}
    known = {_key(session) for session in sessions.values() if session}
    found: list[Path] = []
    for file in files:
        session = sessions[file]
        if session is None:
            found.append(file)
        elif _key(session) in known:
            known.remove(_key(session))
            parts = [
                (other.part, each)
                for each in files
                if (other := sessions[each]) and _key(other) == _key(session)
            ]
            found += [each for _, each in sorted(parts, key=itemgetter(0))]
    return found


def _key(session: Session) -> tuple[str, int, int]:
    return session.name, session.domain, session.started


def _first_session(path: Path) -> Session | None:
    """Read what a recording begins with; None if that is no session that can be read."""
    with suppress(OSError, ValueError):
        if path.is_file():
            with path.open("rb") as file:
                start = file.read(_HEAD.size)
                magic, form, length = _HEAD.unpack(start.ljust(_HEAD.size, b"\0"))
                if (magic, form) == (MAGIC, _FORMAT) and length <= _LONGEST:
                    return read_head(file.read(length))
    return None


def sessions(source: Input, parts: Parts) -> Iterator[Run]:
    """Give the requests of all sessions, but for those that `parts` keeps for another file.

    A torn end is told once all else was given.
    """
    while source.peek(1):
        try:
            session = _head(source)
            if session is None:
                yield from parts.rest()
                _torn(source)
                return
            if not parts.go_on_in(session):
                yield from parts.rest()
            reader = parts.next(source, session)
            yield from reader.runs()
        except _Damaged as damaged:
            yield from parts.rest()
            error = source.fail(
                source.position,
                str(damaged),
                "pass --skip-bad to go on with the next session in the file",
            )
            error.skipped = _resume(source)
            continue
        if reader.torn:
            yield from parts.rest()
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
        session = read_head(text)
    except ValueError as error:
        raise _Damaged(f"the session's head cannot be read: {error}") from None
    source.skip(_HEAD.size + length)
    return session


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
    """The records of one session; `torn` says, behind them, whether the last one is.

    With the reader of a part `before`, its requests without an answer are this one's.
    """

    def __init__(self, source: Input, session: Session, before: _Reader | None) -> None:
        self._source = source
        self.session = session
        self._queue: deque[_Asked] = before._queue if before else deque()
        self._waiting: dict[int, _Asked] = before._waiting if before else {}
        whole = _RECORD.size + session.request_size
        self._sizes = {
            _REQUEST: whole,
            _FLAGS: _RECORD.size + _WORD,
            _ANSWER: whole,
            _OTHER: whole,
        }
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
                if self.torn:
                    self._require_known(data[read:])
                return
            least = _RECORD.size
            if len(data) - read >= 4:
                size = int.from_bytes(data[read : read + 4], "little")
                least = max(least, min(size, _RECORD.size + _LONGEST))

    def all_left(self) -> Iterator[Run]:
        """Give what has no answer."""
        self._waiting.clear()
        yield from self._answered()

    def _records(self, data: bytes) -> int:
        """Read the whole records in some bytes and pass over them; gives how long they are."""
        at, behind, start = 0, len(data) - _RECORD.size, self._source.position
        least, most = _RECORD.size, _RECORD.size + _LONGEST
        try:
            while at <= behind:
                size, kind, there, number, time = _RECORD.unpack_from(data, at)
                if size != self._sizes.get(kind, size) or not least <= size <= most:
                    if data[at : at + len(MAGIC)] == MAGIC:
                        break
                    raise _Damaged(self._wrong_size(kind, size))
                if time > LATEST:
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

    def _require_known(self, start: bytes) -> None:
        """Raise `_Damaged` for a torn record of a kind that no monitor leaves torn."""
        if len(start) >= _KIND.size and not MAGIC.startswith(start[: len(MAGIC)]):
            _, kind = _KIND.unpack_from(start)
            if kind not in _NAMES:
                raise _Damaged("the recording ends within a record of an unknown kind")

    def _wrong_size(self, kind: int, size: int) -> str:
        """Say what is wrong with a record's size, before anybody waits for so many bytes."""
        wanted = self._sizes.get(kind)
        if wanted is None:
            return f"no record begins here: it would be {size} bytes long"
        return f"{_NAMES[kind]} of {size - _RECORD.size} bytes, not {wanted - _RECORD.size}"

    def _ask(self, position: int, body: bytes, note: Note) -> None:
        kind = self._source.kind(body[:4])
        if kind is None:
            raise _Damaged(unknown_version(body))
        if len(body) != kind.size:
            raise _Damaged(
                f"the request has {len(body)} bytes, those of version"
                f" {kind.interface.version} have {kind.size}"
            )
        self._wait(_Asked(position, kind, body, note, self.session))

    def _ask_other(self, position: int, body: bytes, note: Note) -> None:
        """Take a request of another version than the session's, if it is known and whole."""
        kind = self._source.kind(body[:4])
        if kind is not None and kind.size <= len(body):
            data = body[: kind.size]
            self._wait(_Asked(position, kind, data, note, self.session, is_other=True))

    def _wait(self, asked: _Asked) -> None:
        self._waiting[asked.note.number] = asked
        self._queue.append(asked)

    def _answer(self, number: int, time: int, body: bytes, only_flags: bool) -> None:
        asked = self._waiting.pop(number, None)
        if asked is None:
            return  # to a request in a file that was not read before
        if asked.is_other and not only_flags:
            body = body[: asked.kind.size]
        if not only_flags and len(body) != asked.kind.size:  # in the file before
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
            if found and not _are_alike(queue[0], found[0]):
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
            found[0].session,
            [one.note for one in found],
            found[0].is_other,
        )


def _are_alike(one: _Asked, other: _Asked) -> bool:
    """Tell whether two requests can be in one run."""
    return one.kind is other.kind and one.session is other.session
