"""Read a recording: sessions one after another, each with its requests.

Takes an `Input`; gives `Run`s with notes, to `recording`.  The format is that of the package's
`monitor.recording`, whose documentation says what each byte is.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenbind.commands.decode.session_head import LONGEST, MAGIC, Damaged, next_head
from xenbind.commands.decode.session_parts import Parts
from xenbind.commands.decode.stream import Input, Run, Torn


def sessions(source: Input, parts: Parts) -> Iterator[Run]:
    """Give the requests of all sessions, but for those that `parts` keeps for another file.

    A torn end is told once all else was given.
    """
    while source.peek(1):
        try:
            session = next_head(source)
            if session is None:
                yield from parts.rest()
                _torn(source)
                return
            if not parts.go_on_in(session):
                yield from parts.rest()
            reader = parts.next(source, session)
            yield from reader.runs()
        except Damaged as damaged:
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
    left = len(source.there(LONGEST))
    error = source.fail(
        source.position,
        f"the recording ends {left} bytes into a record, which is left out",
        "nothing, if the monitor was killed or still runs: all that is before it was read",
        kind=Torn,
    )
    error.skipped = left
    source.skip(left)


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
