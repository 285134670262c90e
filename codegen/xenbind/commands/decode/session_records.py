"""Read the records of one session of a recording: requests, each together with its answer.

Takes an `Input` behind the session's head; gives `Run`s with notes.  A request is given once its
answer is known, or none can be: where another session begins, or behind many more requests.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from xenbind.commands.decode.session_head import LATEST, LONGEST, MAGIC, Damaged
from xenbind.commands.decode.stream import (
    Input,
    Kind,
    Note,
    Run,
    Session,
    unknown_version,
)

_RECORD = struct.Struct("<IHHQQ")
_KIND = struct.Struct("<IH")  # how a record begins
_REQUEST, _FLAGS, _ANSWER, _OTHER = 1, 2, 3, 4
_NAMES = {
    _REQUEST: "a request",
    _FLAGS: "an answer's flags",
    _ANSWER: "an answer",
    _OTHER: "a request of another version",
}
_WORD = 4  # bytes, of an answer's flags, and of a version
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


class Reader:
    """The records of one session; `torn` says, behind them, whether the last one is.

    With the reader of a part `before`, its requests without an answer are this one's.
    """

    def __init__(self, source: Input, session: Session, before: Reader | None) -> None:
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
        """Give the requests up to the next session or the end.  Raises `Damaged`."""
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
                least = max(least, min(size, _RECORD.size + LONGEST))

    def all_left(self) -> Iterator[Run]:
        """Give what has no answer."""
        self._waiting.clear()
        yield from self._answered()

    def _records(self, data: bytes) -> int:
        """Read the whole records in some bytes and pass over them; gives how long they are."""
        at, behind, start = 0, len(data) - _RECORD.size, self._source.position
        least, most = _RECORD.size, _RECORD.size + LONGEST
        try:
            while at <= behind:
                size, kind, there, number, time = _RECORD.unpack_from(data, at)
                if (
                    size != self._sizes.get(kind, size) or not least <= size <= most
                ) and not self._is_of_its_version(size, kind, data[at + least :]):
                    if data[at : at + len(MAGIC)] == MAGIC:
                        break
                    raise Damaged(self._wrong_size(kind, size))
                if time > LATEST:
                    raise Damaged(f"no record begins here: its time would be {time} ns")
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
        """Raise `Damaged` for a torn record of a kind that no monitor leaves torn."""
        if len(start) >= _KIND.size and not MAGIC.startswith(start[: len(MAGIC)]):
            size, kind = _KIND.unpack_from(start)
            if kind not in _NAMES:
                raise Damaged("the recording ends within a record of an unknown kind")
            word = start[_RECORD.size :][:_WORD]
            is_told = size == self._sizes[kind] or self._source.kind(word) is not None
            if len(word) == _WORD and not is_told:
                raise Damaged(
                    "the recording ends within a request of an unknown version, or its"
                    f" answer: {size - _RECORD.size} bytes may be too many"
                )

    def _is_of_its_version(self, size: int, kind: int, body: bytes) -> bool:
        """Tell whether an other version's request, or the answer to one, may be so long.

        The version that the body begins with says so, once it is there, if it is known.
        """
        length = size - _RECORD.size
        if kind not in (_ANSWER, _OTHER) or not _WORD <= length <= LONGEST:
            return False
        own = self._source.kind(body[:_WORD])
        return own is None or own.size == length

    def _wrong_size(self, kind: int, size: int) -> str:
        """Say what is wrong with a record's size, before anybody waits for so many bytes."""
        wanted = self._sizes.get(kind)
        if wanted is None:
            return f"no record begins here: it would be {size} bytes long"
        return f"{_NAMES[kind]} of {size - _RECORD.size} bytes, not {wanted - _RECORD.size}"

    def _ask(self, position: int, body: bytes, note: Note) -> None:
        kind = self._source.kind(body[:4])
        if kind is None:
            raise Damaged(unknown_version(body))
        if len(body) != kind.size:
            raise Damaged(
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
            raise Damaged(f"the answer to request {number} has {len(body)} bytes")
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
