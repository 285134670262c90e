"""Print records as a reader of events wants them: members by name, values by theirs.

`records` imports this when a record is first printed.  Padding is left out.  A large
union shows the member that its record is known to mean, and otherwise only the names of
what it may hold: the bytes of one member are nonsense as another's.
"""

from __future__ import annotations

import ctypes
import enum
import re

from .annotations import Member, is_array, is_pointer, typing

# As the generator tells padding: `paddr` is none.
_PADDING = re.compile(r"_*pad(ding)?_?\d*")

# A union of no more bytes shows all of its members, an array so many elements.
_SMALL_UNION = 16
_ELEMENTS = 16
_CHARS = 64
# And a record so many values in all, and records in it so many levels deep.
_VALUES = 1000
_LEVELS = 20


def text(record: typing.Any) -> str:
    """Print a record as its constructor is called."""
    return _Printer().record(record)


def value(record: typing.Any, member: Member) -> str:
    """Print what a member holds, as its record is printed."""
    return _Printer().member(record, member)


def is_padding(member: Member) -> bool:
    """Tell whether a member only fills what another one leaves."""
    return _PADDING.fullmatch(member.c_name) is not None


class _Printer:
    """Prints a record with those in it, and stops when that is more than anyone reads."""

    def __init__(self) -> None:
        self._left = _VALUES
        self._level = 0

    def record(self, record: typing.Any) -> str:
        if self._level == _LEVELS:
            return _call(record, "...")
        self._level += 1
        try:
            return self._record(record)
        finally:
            self._level -= 1

    def _record(self, record: typing.Any) -> str:
        members = _shown(record)
        tag, union, payloads = record._payload_
        if tag and not union and (name := payloads.get(getattr(record, tag))):
            return self._selected(record, name)
        if isinstance(record, ctypes.Union) and ctypes.sizeof(record) > _SMALL_UNION:
            return _call(record, " | ".join(member.name for member in members))

        def assignment(member: Member) -> str:
            return f"{member.name}={self.member(record, member)}"

        return _call(record, self._listed(members, len(members), assignment))

    def member(self, record: typing.Any, member: Member) -> str:
        tag, union, payloads = record._payload_
        value = getattr(record, member.name)
        if member.name == union:
            return self._selected(value, payloads.get(getattr(record, tag)))
        return self._value(value, member)

    def _listed(
        self, items: typing.Any, count: int, show: typing.Callable[..., str]
    ) -> str:
        """Print items as long as there is room, and how many of `count` there is none for."""
        shown: list[str] = []
        for item in items:
            if self._left <= 0:
                break
            self._left -= 1
            shown.append(show(item))
        if len(shown) < count:
            shown.append(f"... {count - len(shown)} more")
        return ", ".join(shown)

    def _selected(self, union: typing.Any, name: str | None) -> str:
        """Print the one member of a union that is in use, if any is."""
        chosen = [member for member in _shown(union) if member.name == name]
        values = [self._value(getattr(union, m.name), m) for m in chosen]
        return _call(union, ", ".join(f"{name}={value}" for value in values))

    def _value(self, value: typing.Any, member: Member) -> str:
        if member.values is not None and isinstance(value, int):
            return _name(value, member.values, 8 * ctypes.sizeof(member.type))
        return self._plain(value, member.type)

    def _plain(self, value: typing.Any, ctype: typing.Any) -> str:
        """Print what has no names: pointers and 64-bit numbers in hexadecimal."""
        if is_array(ctype):
            return self._array(value, ctype._type_)
        if issubclass(ctype, ctypes.Structure | ctypes.Union):
            return self.record(value)
        if ctype is ctypes.c_void_p or is_pointer(ctype):
            return hex(ctypes.cast(value, ctypes.c_void_p).value or 0)
        if isinstance(value, int) and ctypes.sizeof(ctype) == 8:
            return hex(value)
        return repr(value)

    def _array(self, values: typing.Any, element: typing.Any) -> str:
        """Print the first items, and how many more there are; chars as bytes."""
        if element is ctypes.c_char:
            octets = bytes(values[:_CHARS])
            more = len(values) - _CHARS
            return repr(octets) + (f"... {more} more" if more > 0 else "")

        def item(value: typing.Any) -> str:
            return self._plain(value, element)

        return f"[{self._listed(values[:_ELEMENTS], len(values), item)}]"


def _shown(record: typing.Any) -> list[Member]:
    return [member for member in record._members_ if not is_padding(member)]


def _call(record: typing.Any, arguments: str) -> str:
    return f"{type(record).__name__}({arguments})"


def _name(value: int, values: typing.Any, bits: int) -> str:
    """Give a value's name, or those of its flags; a flag without one is in hexadecimal.

    Both sides are taken as unsigned: 1 << 31 is negative in an int.
    """
    mask = (1 << bits) - 1
    names: dict[int, str] = {}
    for name, item in values.__members__.items():
        names.setdefault(item.value & mask, name)
    rest = value & mask
    if rest in names:
        return names[rest]
    if not issubclass(values, enum.Flag):
        return f"UNKNOWN_{value}"
    found: list[str] = []
    # Single bits first: a mask of several is a name for what they leave.
    for flag in sorted(names, key=lambda flag: (flag.bit_count(), flag)):
        if flag and rest & flag == flag:
            found.append(names[flag])
            rest &= ~flag
    return "|".join([*found, hex(rest)] if rest else found) or "0"
