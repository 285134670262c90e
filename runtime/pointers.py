"""Assign to members that are pointers, and keep what they lead to.

`records` imports this for records that have such members.  A member takes None, which is NULL,
an int, which is an address, and by its type in C:

    node.value = c_uint32(5)            # T *: a T, an array of Ts or a pointer to one
    node.next = other                   # struct node *: a record, likewise
    node.name = "a name"                # char *, void *: str or bytes, which are copied
    node.data = bytearray(64)           # or what can be written to, which C sees in place
    node.compare = lambda a, b: 0       # a pointer to a function: a callable

What was assigned lives as long as the memory that the member is in: that of the record, of the
array or record around it, or of what it was copied to by `copy` or an assignment.  Memory that
is not Python's own, such as a page of `from_buffer`, has nothing that could keep it: there it
lives as long as the record that was assigned to, or the one around that.
"""

from __future__ import annotations

import ctypes
import sys

from .annotations import FUNCTION, TYPE_CHECKING, Member, is_array, typing

# pyright: reportPrivateUsage=false

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
else:
    # What `typing.get_type_hints` needs, without importing what it takes.
    Callable, Iterator, Sequence = type, tuple, tuple

# What ctypes has addresses in, functions, and things that have a place.
ADDRESSES: typing.Any = (ctypes.c_void_p, ctypes.c_char_p, ctypes._Pointer)
# What a byte of memory is declared as.
_BYTES = (ctypes.c_char, ctypes.c_byte, ctypes.c_ubyte)
_ARRAYS: typing.Any = (ctypes.Array, ctypes._Pointer)
OBJECTS: typing.Any = (
    *(ctypes.Array, ctypes.Structure, ctypes.Union),
    ctypes._SimpleCData,
)


class PointerMember:
    """A member that is a pointer; `field` reads and assigns it, or its address."""

    __slots__ = ("field", "member", "offset", "size")

    def __init__(self, member: Member, field: typing.Any) -> None:
        self.member = member
        self.field = field
        self.offset: int = field.offset
        self.size: int = field.size

    def __get__(self, record: object, owner: type | None = None) -> typing.Any:
        if record is None:
            return self
        read = self.field.__get__(record)
        ctype = self.member.read_type
        return read if ctype is self.member.type else ctypes.cast(read or 0, ctype)

    def __set__(self, record: typing.Any, value: typing.Any) -> None:
        """Assign an address, or the place of something, which is kept.

        Raises TypeError or ValueError for what the member cannot lead to.
        """
        try:
            kept = _kept(self.member, value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"'{self.member.name}' {error}") from None
        address = _address(kept)
        ctype = self.member.type
        is_plain = ctype is ctypes.c_void_p
        place = address if is_plain else ctypes.cast(address or 0, ctype)
        self.field.__set__(record, place)
        keep(record, ctypes.addressof(record) + self.offset, kept)


def keep(record: typing.Any, name: int | str, thing: object) -> None:
    """Keep something alive under a name, as long as a record's memory.

    ctypes has a dictionary for that in the object that the memory belongs to, which it hands
    on where one record is copied into another.
    """
    owner = _owner(record)
    objects: typing.Any = owner._objects
    if objects is None:
        ctypes.pointer(owner)  # makes ctypes have one
        objects = owner._objects
    objects[f"kept at {name}"] = thing


def keep_as(record: typing.Any, copied: typing.Any) -> None:
    """Keep alive with a copy what the record that it was made of keeps."""
    # Not the buffer, which a copy does without; ctypes calls it so.
    objects: dict[str, object] = _owner(record)._objects or {}
    kept = {k: thing for k, thing in objects.items() if k != "ffffffff"}
    if kept:
        keep(copied, "the original", kept)


def _owner(record: typing.Any) -> typing.Any:
    while record._b_base_ is not None:
        record = record._b_base_
    return record


def _kept(member: Member, value: typing.Any) -> typing.Any:
    """Give what has the place that a member is to lead to, or the place."""
    if value is None or isinstance(value, int):
        return value
    if member.function is not None:
        return _function(member, value)
    ctype = member.read_type
    target: typing.Any = getattr(ctype, "_type_", None)
    if ctype is ctypes.c_void_p or target in _BYTES:
        return _memory(value)
    if isinstance(value, target):
        return value
    if isinstance(value, _ARRAYS) and value._type_ is target:
        return value
    name = target.__name__
    raise TypeError(
        f"takes a {name}, an array of them, a pointer to one, an address or None,"
        f" not {type(value).__name__}"
    )


def _memory(value: typing.Any) -> typing.Any:
    """Take anything that has bytes; C may write to what is str or bytes, so that is copied."""
    if isinstance(value, str):
        value = value.encode()
        if b"\0" in value:
            raise ValueError("has a NUL inside, where C would see the end")
    if isinstance(value, bytes):
        return ctypes.create_string_buffer(value)
    if isinstance(value, (*ADDRESSES, *OBJECTS, FUNCTION)):
        return value
    if callable(value):
        raise TypeError("takes no callable: Python does not know the function's type")
    try:
        return in_place(value)
    except (TypeError, BufferError):
        raise TypeError(
            "takes a record, text, what can be written to, an address or None,"
            f" not {type(value).__name__}"
        ) from None


def in_place(value: typing.Any) -> typing.Any:
    """Give a writable buffer as an array of chars, in place.

    Raises TypeError for anything else, and BufferError or TypeError for one with gaps.
    """
    try:
        view = memoryview(value)
    except TypeError:
        advice = ", which may be encoded" if isinstance(value, str) else ""
        raise TypeError(
            f"takes a buffer, an address or None, not {type(value).__name__}{advice}"
        ) from None
    if view.readonly:
        raise TypeError(
            f"C may write there: pass a bytearray(...), not {type(value).__name__}"
        )
    octets: typing.Any = ctypes.c_char
    return (octets * view.nbytes).from_buffer(view)


def _function(member: Member, value: typing.Any) -> typing.Any:
    if isinstance(value, FUNCTION):
        return value
    if not callable(value):
        raise TypeError(f"takes a callable, an address or None, not {value!r}")
    ctype = member.function
    return thunk(ctype, value, member.enums or (None,) * len(ctype._argtypes_))


def thunk(
    ctype: typing.Any, callback: typing.Any, enums: Sequence[typing.Any]
) -> typing.Any:
    """Make what C calls of a callable, which is then its `callback`."""
    made = ctype(called_by_c(callback, enums, ctype._restype_))
    made.callback = callback
    return made


def thunks(record: typing.Any) -> Iterator[typing.Any]:
    """Give what C calls of the callables that a record's memory keeps."""
    pending: list[typing.Any] = [_owner(record)._objects]
    while pending:
        kept = pending.pop()
        if isinstance(kept, dict):
            pending += kept.values()
        elif isinstance(kept, FUNCTION):
            yield kept


def has_functions(ctype: typing.Any) -> bool:
    """Tell whether a record has a pointer to a function that Python can be called by."""
    pending, seen = [ctype], {ctype}
    for each in pending:
        for member in getattr(each, "_members_", ()):
            if member.function is not None:
                return True
            inner = member.type
            while is_array(inner):
                inner = inner._type_
            if inner not in seen:
                seen.add(inner)
                pending.append(inner)
    return False


def _address(kept: typing.Any) -> int | None:
    if kept is None or isinstance(kept, int):
        return kept
    leads_on = isinstance(kept, (*ADDRESSES, FUNCTION))
    return (
        ctypes.cast(kept, ctypes.c_void_p).value if leads_on else ctypes.addressof(kept)
    )


def called_by_c(
    callback: Callable[..., object], enums: Sequence[typing.Any], result: typing.Any
) -> Callable[..., object]:
    """Hand a callback the enums that its numbers are of, and C something in any case.

    Where one raises, or gives what cannot be its result, ctypes gives C what was in memory.
    """

    def called(*given: typing.Any) -> object:
        try:
            found = callback(
                *(
                    enum(each) if enum else each
                    for enum, each in zip(enums, given, strict=True)
                )
            )
            if result is not None:
                result(found)
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
            return 0
        return found

    return called
