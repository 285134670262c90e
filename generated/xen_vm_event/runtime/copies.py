"""Copy records into memory of our own, where the other side of a ring cannot change them.

A copy is filled again and again, so the nested members of its record are made at once:
reading `request.data.regs.x86` is then three slots of the interpreter's own, and no call.
"""

from __future__ import annotations

from functools import cache

from .annotations import TYPE_CHECKING, Generic, typing
from .records import Nested, Structure

if TYPE_CHECKING:
    Record = typing.TypeVar("Record", bound=Structure)
else:
    Record = Structure


class Copy(Generic[Record]):
    """Memory for one record: `octets`, 32-bit `words`, and the `record` in it.

    `ring` is the ring on which the request waits for an answer, None if it does not;
    `index` is where it was on it.
    """

    __slots__ = ("index", "octets", "record", "ring", "words")

    def __init__(self, record: type[Record], size: int) -> None:
        self.octets = memoryview(bytearray(size))
        self.words = self.octets[: size // 4 * 4].cast("I")
        self.record: Record = _whole(record, self.octets, 0)
        object.__setattr__(self.record, "_copy_", self)
        self.ring: object = None
        self.index = 0


def _whole(cls: typing.Any, octets: memoryview, start: int) -> typing.Any:
    """Make a record or array at `start`, with all of its nested members."""
    nested = _nested(cls)
    if not nested:
        return cls.from_buffer(octets, start)
    twin = _twin(cls)
    record = twin.from_buffer(octets, start)
    for member in cls._members_:
        if member.name in nested:
            place = start + nested[member.name].offset
            slot: typing.Any = twin.__dict__[member.name]
            slot.__set__(record, _whole(member.type, octets, place))
    return record


def _nested(cls: typing.Any) -> dict[str, Nested]:
    attributes: dict[str, object] = cls.__dict__
    return {
        name: member
        for name, member in attributes.items()
        if isinstance(member, Nested)
    }


@cache
def _twin(cls: typing.Any) -> typing.Any:
    """Make a subclass with a slot for each nested member, to be filled when it is made."""

    def copy(self: typing.Any) -> typing.Any:
        return cls.from_buffer_copy(self)

    def reduce(self: typing.Any) -> tuple[typing.Any, ...]:
        return copy(self).__reduce__()  # type: ignore[no-any-return]

    body = {
        "__doc__": cls.__dict__["__doc__"],
        "__module__": cls.__module__,
        "__slots__": tuple(_nested(cls)),
        "copy": copy,
        "__reduce__": reduce,
    }
    return type(cls)(cls.__name__, (cls,), body)
