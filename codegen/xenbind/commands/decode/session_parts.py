"""Keep together what a session has in several files: its parts in their order, and its answers.

Takes files, and the sessions read of them; gives the files in order, and each session's `Reader`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import itemgetter
from pathlib import Path

from xenbind.commands.decode.session_head import Damaged, next_head
from xenbind.commands.decode.session_records import Reader
from xenbind.commands.decode.stream import Input, Run, Session, Unreadable
from xenbind.errors import XenbindError


class Parts:
    """The session that was read last: its requests may have their answers in another file."""

    def __init__(self) -> None:
        self._last: Reader | None = None

    def go_on_in(self, session: Session) -> bool:
        """Tell whether this is another part of it."""
        if self._last is None:
            return False
        return _key(self._last.session) == _key(session)

    def next(self, source: Input, session: Session) -> Reader:
        """Make the reader of the next session, or part of the last one."""
        self._last = Reader(source, session, self._last)
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
    if len(files) < 2:
        return list(files)
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


def each_once(runs: Iterable[Run]) -> Iterator[Run]:
    """Give runs on; raises `XenbindError` where a part of a session comes for a second time."""
    met: dict[tuple[str, int], Session] = {}
    for run in runs:
        session = run.session
        if session is not None:
            first = met.setdefault((session.name, session.part), session)
            if first is not session:
                raise XenbindError(
                    f"the session {session.name} is in the input twice",
                    "give each recording once",
                )
        yield run


def _first_session(path: Path) -> Session | None:
    """Read what a recording begins with; None if that is no session that can be read."""
    with suppress(OSError, Damaged, Unreadable):
        if path.is_file():
            with path.open("rb") as file:
                return next_head(Input(file, str(path), _nothing, _nothing))
    return None


def _nothing(_: object) -> None:
    """Know no version, and tell no error: that is for who reads the file."""


def _key(session: Session) -> tuple[str, int, int]:
    return session.name, session.domain, session.started
