"""Read recorded requests from a stream of any known form, one after another.

Takes a binary stream; gives `Run`s of requests, each with its place, for `events` and `table`.
The version word that every request begins with says how long it is.  The forms:

- recording: what a monitor records, requests with their times and answers;
- raw: requests one after another, of one version or several;
- page: a dump of a ring's page, of which the requests not yet answered count;
- jsonl: a JSON object a line, with the request in hexadecimal under "request".

Which of them a stream is, if nobody says, is told by the first rule that fits:

1. it begins with the bytes that a recording begins with: recording;
2. it begins with `{`, and no zero byte is near (a page's header has many): jsonl;
3. it begins with two requests on end, a known version and again one behind it: raw;
4. it has exactly 4096 bytes: page.  No request's size divides that number, so it could
   only be a raw file that was cut short, and such a one begins as the third rule says;
5. anything else: raw.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import BinaryIO

from xenbind.commands.decode.jsonl import lines
from xenbind.commands.decode.ring_page import ENTRIES, PAGE, entries
from xenbind.commands.decode.session_head import MAGIC
from xenbind.commands.decode.session_parts import Parts
from xenbind.commands.decode.sessions import sessions
from xenbind.commands.decode.stream import (
    Input,
    Interfaces,
    Report,
    Run,
    unknown_version,
)


class Form(Enum):
    """What a stream holds; `AUTO` is to be told from its first bytes."""

    AUTO = "auto"
    RECORDING = "recording"
    RAW = "raw"
    PAGE = "page"
    JSONL = "jsonl"


_WINDOW = 1 << 16
# What may be a version word: version numbers are below 256.
_VERSION = re.compile(rb"[^\0]\0\0\0")


def read(
    stream: BinaryIO,
    name: str,
    interfaces: Interfaces,
    form: Form,
    report: Report,
    parts: Parts | None = None,
) -> Iterator[Run]:
    """Give the requests in a stream, in order, as many at once as have been read.

    `name` is what messages call the stream.  What is no request is told to `report`:
    if that returns, reading goes on behind it.  Memory stays bounded for streams of any
    length.  A recording's last requests that have no answer are left to `parts`, for the next
    file to answer; without it there is none.
    """
    source = Input(stream, name, interfaces, report)
    if form is Form.AUTO:
        form = _form(source)
    before = Parts() if parts is None else parts
    if form is Form.RECORDING:
        yield from sessions(source, before)
        if parts is None:
            yield from before.rest()
        return
    yield from before.rest()
    if form is Form.JSONL:
        yield from lines(source)
    elif form is Form.PAGE:
        yield from entries(source)
    else:
        yield from _requests(source)


def _form(source: Input) -> Form:
    """Tell what a stream holds, by the rules above."""
    start = source.peek(ENTRIES)
    if start.startswith(MAGIC):
        return Form.RECORDING
    if start.lstrip().startswith(b"{") and b"\0" not in start:
        return Form.JSONL
    first = source.kind(start[:4])
    if first and source.kind(source.peek(4, first.size)):
        return Form.RAW
    return Form.PAGE if len(source.peek(PAGE + 1)) == PAGE else Form.RAW


def _requests(source: Input) -> Iterator[Run]:
    index = 0
    while head := source.peek(4):
        kind = source.kind(head)
        if kind and (data := source.run(kind)):
            run = Run.on_end(index, source.position, data, kind.size, kind.interface)
            yield run
            source.skip(len(data))
            index += len(run)
            continue
        if kind or len(head) < 4:
            data = source.peek(kind.size) if kind else head
            size = f"a request of {kind.size}" if kind else "a version word"
            error = source.fail(
                source.position,
                f"the input ends {len(data)} bytes into {size}",
                "record whole requests, or pass --skip-bad to leave this one out",
            )
        else:
            error = source.fail(
                source.position,
                unknown_version(head),
                "tell what the input is with --input, or pass --skip-bad to look for the"
                " next request",
            )
        error.skipped = _resume(source)


def _resume(source: Input) -> int:
    """Skip to the next bytes that look like a request; gives how many were skipped."""
    start = source.position
    while window := source.peek(_WINDOW):
        for found in _VERSION.finditer(window):
            if _looks_right(source, found.start()):
                source.skip(found.start())
                return source.position - start
        # A version word that the window cuts is looked at again in the next one.
        source.skip(len(window) - 3 if len(window) == _WINDOW else len(window))
    return source.position - start


def _looks_right(source: Input, ahead: int) -> bool:
    """Tell whether a request seems to begin there: one too many would end in the next one.

    It has a known version, flags and a reason with names, and behind it comes the end or
    another known version.
    """
    kind = source.kind(source.peek(4, ahead))
    if kind is None:
        return False
    data = source.peek(kind.size, ahead)
    if len(data) < kind.size or not kind.looks_right(data):
        return False
    behind = source.peek(4, ahead + kind.size)
    return not behind or source.kind(behind) is not None
