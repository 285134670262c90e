"""Recorded requests as bytes: from a stream of any known form, one request after another.

Takes a binary stream; gives `Raw` requests, each with its place, for `decode`.  The
version word that every request begins with says how long it is.  The forms:

- raw: requests one after another, of one version or several;
- page: a dump of a ring's page, of which the requests not yet answered count;
- jsonl: a JSON object a line, with the request in hexadecimal under "request".

Which of them a stream is, if nobody says, is told by the first rule that fits:

1. it begins with `{`, and no zero byte is near (a page's header has many): jsonl;
2. it begins with two requests on end, a known version and again one behind it: raw;
3. it has exactly 4096 bytes: page.  No request's size divides that number, so it could
   only be a recording that was cut short, and such a one begins as the second rule says;
4. anything else: raw.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from xenbind.commands.decode.jsonl import lines
from xenbind.commands.decode.ring_page import ENTRIES, PAGE, entries
from xenbind.commands.decode.stream import DecodeError as DecodeError
from xenbind.commands.decode.stream import (
    Input,
    Interfaces,
    Raw,
    Report,
    unknown_version,
)

FORMS = ("auto", "raw", "page", "jsonl")

_WINDOW = 1 << 16
# What may be a version word: version numbers are below 256.
_VERSION = re.compile(rb"[^\0]\0\0\0")


def read(
    stream: BinaryIO, name: str, interfaces: Interfaces, form: str, report: Report
) -> Iterator[Raw]:
    """The requests in a stream, in order; `form` is one of `FORMS`.

    `name` is what messages call the stream.  What is no request is told to `report`:
    if that returns, reading goes on behind it.  Memory stays bounded for streams of any
    length.
    """
    input = Input(stream, name, interfaces, report)
    if form == "auto":
        form = _form(input)
    if form == "jsonl":
        yield from lines(input)
    elif form == "page":
        yield from entries(input)
    else:
        yield from _requests(input)


def _form(input: Input) -> str:
    start = input.peek(ENTRIES)
    if start.lstrip().startswith(b"{") and b"\0" not in start:
        return "jsonl"
    first = input.kind(start[:4])
    if first and input.kind(input.peek(4, first.size)):
        return "raw"
    return "page" if len(input.peek(PAGE + 1)) == PAGE else "raw"


def _requests(input: Input) -> Iterator[Raw]:
    index = 0
    while head := input.peek(4):
        kind = input.kind(head)
        data = input.peek(kind.size) if kind else head
        if kind and len(data) == kind.size:
            yield Raw(index, input.position, data, kind.interface)
            input.skip(kind.size)
            index += 1
            continue
        if kind or len(head) < 4:
            size = f"a request of {kind.size}" if kind else "a version word"
            error = input.fail(
                input.position,
                f"the input ends {len(data)} bytes into {size}",
                "record whole requests, or pass --skip-bad to leave this one out",
            )
        else:
            error = input.fail(
                input.position,
                unknown_version(head),
                "tell what the input is with --input, or pass --skip-bad to look for the"
                " next request",
            )
        error.skipped = _resume(input)


def _resume(input: Input) -> int:
    """Skip to the next bytes that look like a request; gives how many were skipped."""
    start = input.position
    while window := input.peek(_WINDOW):
        for found in _VERSION.finditer(window):
            if _looks_right(input, found.start()):
                input.skip(found.start())
                return input.position - start
        # A version word that the window cuts is looked at again in the next one.
        input.skip(len(window) - 3 if len(window) == _WINDOW else len(window))
    return input.position - start


def _looks_right(input: Input, ahead: int) -> bool:
    """Whether a request seems to begin there: one too many would end in the next one.

    It has a known version, flags and a reason with names, and behind it comes the end or
    another known version.
    """
    kind = input.kind(input.peek(4, ahead))
    if kind is None:
        return False
    data = input.peek(kind.size, ahead)
    if len(data) < kind.size or not kind.looks_right(data):
        return False
    behind = input.peek(4, ahead + kind.size)
    return not behind or input.kind(behind) is not None
