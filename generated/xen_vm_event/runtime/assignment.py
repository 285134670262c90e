"""Make of what is assigned to a member the array or record that the member is.

`records` asks here for what ctypes does not take by itself: it takes tuples that fit, and is
faster.  Arrays take sequences, those of bytes also what has a buffer of bytes.  What a
shorter one leaves is zero, as in C's initialisers:

    trade.grid = [[1, 2, 3], [4, 5, 6]]
    trade.labels = [b"ask", b"bid"]         # char labels[2][4]
    trade.bytes = bytearray(4)              # unsigned char bytes[4]
    trade.venue = (1, b"paris")             # a struct, by what its constructor takes

Nothing is assigned before all of it is found to fit.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

from .annotations import is_array, is_pointer, typing

# To be taken for sequences of numbers these are too likely to be something else.
_NO_SEQUENCES = (str, bytes, bytearray, memoryview, dict)
# What a record's members are given in.
_VALUES: typing.Any = (tuple, list)


def made(ctype: typing.Any, value: typing.Any, name: str) -> typing.Any:
    """Make an array or record of the `value` for a member of that name.

    Raises TypeError for a value of a type that it cannot be made of, and ValueError for one
    that has too much; both say which member, or which element, it was for.
    """
    if isinstance(value, ctype):
        return value
    if not is_array(ctype):
        return _record(ctype, value, name)
    if _is_bytes(ctype):
        found = _octets(value)
        if found is not None:
            return ctype.from_buffer_copy(_padded(found, ctype._length_, name))
    return _array(ctype, value, name)


def of_member(error: TypeError, name: str) -> TypeError:
    """Have an error name the member that it is of: ctypes says which type it wants, and no more."""
    said = str(error)
    has_name = said.startswith((f"'{name}'", f"'{name}["))
    return error if has_name else TypeError(f"'{name}': {said}")


def _octets(value: typing.Any) -> bytes | None:
    """Give the bytes of what has a buffer of bytes, None for anything else."""
    try:
        view = memoryview(value)
    except TypeError:
        return None
    return view.tobytes() if view.itemsize == 1 else None


def _padded(value: bytes, size: int, name: str) -> bytes:
    """Fill up bytes with NULs; raises ValueError where there are too many."""
    if len(value) > size:
        raise ValueError(f"{len(value)} bytes do not fit '{name}', which has {size}")
    return value.ljust(size, b"\0")


def _refused(ctype: typing.Any, value: typing.Any, name: str) -> TypeError:
    """Say that a member or element does not take what is of this type."""
    return TypeError(f"'{name}' takes {_wanted(ctype)}, not {type(value).__name__}")


def _is_bytes(ctype: typing.Any) -> bool:
    return getattr(ctype._type_, "_type_", None) in ("b", "B", "c")


def _record(ctype: typing.Any, value: typing.Any, name: str) -> typing.Any:
    if not isinstance(value, _VALUES):
        raise _refused(ctype, value, name)
    try:
        return ctype(*value)
    except TypeError as error:
        raise TypeError(f"'{name}': {error}") from None
    except ValueError as error:
        raise ValueError(f"'{name}': {error}") from None


def _array(ctype: typing.Any, value: typing.Any, name: str) -> typing.Any:
    element, length = ctype._type_, ctype._length_
    if (
        element is ctypes.c_char
        or isinstance(value, _NO_SEQUENCES)
        or not hasattr(value, "__getitem__")
    ):
        raise _refused(ctype, value, name)
    if len(value) > length:
        count = f"{len(value)} {'item does' if len(value) == 1 else 'items do'}"
        raise ValueError(f"{count} not fit '{name}', which has {length}")
    is_nested = issubclass(element, ctypes.Array | ctypes.Structure | ctypes.Union)
    if not is_nested:
        with suppress(TypeError):  # one by one, it is found which item that was for
            return ctype(*value)
    array = ctype()
    for index, item in enumerate(value):
        if is_nested:
            array[index] = made(element, item, f"{name}[{index}]")
            continue
        try:
            array[index] = item
        except TypeError:
            raise _refused(element, item, f"{name}[{index}]") from None
    return array


def _wanted(ctype: typing.Any) -> str:
    """Say what a member or element of a type takes."""
    if is_array(ctype):
        if ctype._type_ is ctypes.c_char:
            return "bytes"
        either = "bytes or " if _is_bytes(ctype) else ""
        return f"{either}a sequence of {ctype._length_}"
    if issubclass(ctype, ctypes.Structure | ctypes.Union):
        return f"a {ctype.__name__}"
    if is_pointer(ctype):
        return f"a pointer to {ctype._type_.__name__}"
    return _WORDS.get(ctype._type_, "an integer")


# By ctypes' codes of simple types, what is no integer.
_WORDS = {"P": "an address or None", **dict.fromkeys("fdg", "a number")}
