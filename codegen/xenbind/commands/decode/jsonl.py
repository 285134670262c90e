"""Read requests from JSON lines: an object a line, the request in hexadecimal.

Takes an `Input`; gives the request of each line, as a `Run`, to `recording`.  Of an object only
"request" counts; whatever else was recorded with it ("reason", "hypervisor") is for people.
The lines that `decode --json` prints are such.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from xenbind.commands.decode.stream import Input, Run, unknown_version

_LONGEST = 1 << 20


def lines(source: Input) -> Iterator[Run]:
    """Give the request of each line; blank lines are passed over."""
    number = index = 0
    while line := source.line(_LONGEST):
        number += 1
        position = source.position
        source.skip(len(line))
        try:
            run = _run(source, line, index, position)
        except _BadLine as bad:
            error = source.fail(
                position + bad.offset,
                bad.problem,
                'write a JSON object a line, with a whole request under "request", or'
                " pass --skip-bad to leave the line out",
                number,
            )
            error.skipped = len(line) + _finish(source, line)
            continue
        if run is not None:
            yield run
            index += 1


class _BadLine(Exception):
    """What is wrong with a line, `offset` bytes from its start."""

    def __init__(self, problem: str, offset: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset


def _run(source: Input, line: bytes, index: int, position: int) -> Run | None:
    if len(line) == _LONGEST and not line.endswith(b"\n"):
        raise _BadLine(f"the line is longer than {_LONGEST} bytes")
    if not line.strip():
        return None
    data = _request(line)
    if len(data) < 4:
        raise _BadLine(f"the request has {len(data)} bytes, too few for a version")
    kind = source.kind(data[:4])
    if kind is None:
        raise _BadLine(unknown_version(data))
    if len(data) != kind.size:
        version = kind.interface.version
        raise _BadLine(
            f"the request has {len(data)} bytes, those of version {version} have"
            f" {kind.size}"
        )
    return Run.on_end(index, position, data, kind.size, kind.interface)


def _request(line: bytes) -> bytes:
    """Give the bytes that a line holds."""
    try:
        text = line.decode()
        content = json.loads(text)
    except UnicodeDecodeError as error:
        raise _BadLine("the line is not UTF-8", error.start) from None
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode())
        raise _BadLine(f"the line is not JSON: {error.msg}", offset) from None
    except (ValueError, RecursionError) as error:  # huge numbers, deep nesting
        raise _BadLine(f"the line is JSON beyond reading: {error}") from None
    request = content.get("request") if isinstance(content, dict) else None
    if not isinstance(request, str):
        raise _BadLine('the line is no object with a text under "request"')
    try:
        return bytes.fromhex(request)
    except ValueError:
        raise _BadLine('the text under "request" is not hexadecimal') from None


def _finish(source: Input, line: bytes) -> int:
    """Skip the rest of a line that was cut off; gives how long that is."""
    skipped = 0
    while not line.endswith(b"\n") and (line := source.line(_LONGEST)):
        source.skip(len(line))
        skipped += len(line)
    return skipped
