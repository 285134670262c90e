"""Give records memory that is aligned as C has them, where Python would align it less.

    class page(Compound, metaclass=AlignedStructure):
        _extent_ = (4096, 64)

C may read and write such a record by instructions that fail at any other place. So one that Python
makes, a copy of one, and an array of them are at a multiple of that alignment, inside memory that
is as much larger. What is given by its place, as to `from_buffer`, stays where it is.
"""

from __future__ import annotations

import ctypes
from functools import cache

from .annotations import TYPE_CHECKING, is_array, typing

# What ctypes' classes are made of has private names.
# pyright: reportGeneralTypeIssues=false, reportPrivateUsage=false

if TYPE_CHECKING:
    import _ctypes

    class AlignedStructure(_ctypes._PyCStructType):
        """The class of structs that are aligned beyond what Python aligns to."""

    class AlignedUnion(_ctypes._UnionType):
        """The class of such unions."""

else:

    class _Aligned:
        """What the classes of such records, and of arrays of them, do otherwise than ctypes'."""

        def __call__(cls, *values, **by_name):
            made = _memory_for(cls)
            made.__init__(*values, **by_name)
            return made

        def from_buffer_copy(cls, source, offset=0):
            copied = super().from_buffer_copy(source, offset)
            made = _memory_for(cls)
            size = ctypes.sizeof(cls)
            ctypes.memmove(ctypes.addressof(made), ctypes.addressof(copied), size)
            return made

        def __mul__(cls, length):
            return _array(cls, length)

        __rmul__ = __mul__

    class AlignedStructure(_Aligned, type(ctypes.Structure)):
        """The class of structs that are aligned beyond what Python aligns to."""

    class AlignedUnion(_Aligned, type(ctypes.Union)):
        """The class of such unions."""

    class _AlignedArray(_Aligned, type(ctypes.Array)):
        """The class of arrays of either, and of arrays of those."""

    @cache  # as ctypes does, to which two types of an array are two
    def _array(element, length):
        name = f"{element.__name__}_Array_{length}"
        return _AlignedArray(
            name, (ctypes.Array,), {"_type_": element, "_length_": length}
        )


def _memory_for(ctype: typing.Any) -> typing.Any:
    """Make a record or array of zeros at a place that is aligned."""
    item = ctype
    while is_array(item):
        item = item._type_
    alignment = item._extent_[1]
    memory = bytearray(ctypes.sizeof(ctype) + alignment)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return ctype.from_buffer(memory, -start % alignment)
