"""Read what a recording says of a session: its head, whose text is JSON.

Takes an `Input` where a session begins; gives a `Session`.  What is wrong with it is told in the
words of the format.
"""

from __future__ import annotations

import json
import re
import struct
from datetime import datetime, timedelta, timezone
from typing import Any

from xenbind.commands.decode.stream import Input, Session

MAGIC = b"\x89XENREC\n"
LONGEST = 1 << 20  # of a record or a head's text: what is longer is damage

# Nanoseconds: the year 2116; times behind twice of that no table can hold.
LATEST = 1 << 62
_FORMAT = 1
_HEAD = struct.Struct("<8sII")
_NAME = re.compile("[0-9a-f]{1,64}")
_WORDS = 1 << 32
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017


class Damaged(Exception):
    """What is wrong with a head or a record, so that nothing behind it can be relied on."""


def next_head(source: Input) -> Session | None:
    """Read how a session begins, and pass over it; None if the input ends within that.

    Raises `Damaged` for what is no such beginning.
    """
    start = source.peek(_HEAD.size)
    if not (start.startswith(MAGIC) or MAGIC.startswith(start)):
        raise Damaged("no session of a recording begins here")
    if len(start) < _HEAD.size:
        return None
    _, form, length = _HEAD.unpack(start)
    if form != _FORMAT:
        raise Damaged(
            f"the recording has the format {form}, and this xenbind reads {_FORMAT}"
        )
    if length > LONGEST:
        raise Damaged(f"the session's head is {length} bytes long")
    text = source.peek(length, _HEAD.size)
    if len(text) < length:
        return None
    try:
        session = _read(text)
    except ValueError as error:
        raise Damaged(f"the session's head cannot be read: {error}") from None
    source.skip(_HEAD.size + length)
    return session


def _read(text: bytes) -> Session:
    """Read a head's text; raises ValueError that says what no recording has."""
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    if not isinstance(said, dict):
        raise ValueError("it is no JSON object")
    release = said.get("release")
    if release is not None and not isinstance(release, str):
        raise ValueError(f"release is {_shown(release)}, and no text")
    name = _text(said, "session")
    if not _NAME.fullmatch(name):  # files are called after these
        raise ValueError(f"no session is called {_shown(name)}")
    return Session(
        name=name,
        part=_number(said, "part"),
        domain=_number(said, "domain"),
        release=release,
        arch=_text(said, "arch"),
        started=_started(_text(said, "started")),
        request_size=_number(said, "request_size"),
    )


def _text(said: dict[str, Any], key: str) -> str:
    found = _member(said, key)
    if not isinstance(found, str):
        raise ValueError(f"{key} is {_shown(found)}, and no text")
    return found


def _number(said: dict[str, Any], key: str) -> int:
    found = _member(said, key)
    if type(found) is not int or not 0 <= found < _WORDS:
        raise ValueError(f"{key} is {_shown(found)}, and no number of 32 bits")
    return found


def _member(said: dict[str, Any], key: str) -> Any:
    if key not in said:
        raise ValueError(f"it has no {key}")
    return said[key]


def _started(text: str) -> int:
    """Read a time as nanoseconds since 1970."""
    try:
        started = (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError, OverflowError):  # no zone is a TypeError
        raise ValueError(
            f"started is {_shown(text)}, and no time with a zone"
        ) from None
    if not 0 <= started * 1000 < LATEST:
        raise ValueError(f"started is {_shown(text)}, which is not in this age")
    return started * 1000


def _shown(found: object) -> str:
    """Show a value as JSON has it, not more of it than fits on a line."""
    text = json.dumps(found)
    return text if len(text) <= 40 else f"{text[:40]}…"
