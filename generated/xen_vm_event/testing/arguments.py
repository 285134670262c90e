"""What instructions are given: numbers of so many bits, names of those that there are, bytes."""

from __future__ import annotations

from typing import Any, TypeVar

_Choice = TypeVar("_Choice", str, int)


def number(what: str, given: Any, bits: int) -> int:
    """Give a number of so many bits; raises TypeError for no number, ValueError beyond."""
    if not isinstance(given, int):
        raise TypeError(f"{what} is a number, not {given!r}")
    if not 0 <= given < 1 << bits:
        most = (1 << bits) - 1
        raise ValueError(f"{what} is 0 to {most:#x}, not {given:#x}")
    return given


def one_of(what: str, given: Any, choices: tuple[_Choice, ...]) -> _Choice:
    """Give one of what there is, of a name in small letters too; raises ValueError."""
    for choice in choices:
        if given == choice or (isinstance(given, str) and given.upper() == choice):
            return choice
    raise ValueError(f"{what} is one of {', '.join(map(str, choices))}, not {given!r}")


def octets_of(what: str, given: Any) -> bytes:
    """Give bytes; raises TypeError for what is none."""
    try:
        return bytes(memoryview(given))
    except TypeError:
        raise TypeError(f"{what} are bytes, not {given!r}") from None
