"""Read what a recording says of a session: its head's text, which is JSON.

Takes bytes; gives a `Session`.  What is wrong with them is told in the words of the format.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from xenbind.commands.decode.stream import Session

# Nanoseconds: the year 2116; times behind twice of that no table can hold.
LATEST = 1 << 62
_NAME = re.compile("[0-9a-f]{1,64}")
_WORDS = 1 << 32
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017


def read_head(text: bytes) -> Session:
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
