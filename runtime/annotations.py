"""Annotate the members of records: what that is written with, and what is read out of it.

In a record, `uint32_t` stands for `Annotated[int, c_uint32]`: the type that Python sees,
and the type that ctypes lays out.  `Member` is what `records` reads of such an annotation.

`= ZERO` behind a member tells type checkers that its constructor can do without it.

`typing` is not imported: that would take a third of the time that importing the package
takes, and is of use only to those who ask for type hints.  `typing.get_type_hints` imports
it, and finds here what leads to its names; type checkers see the real ones.
"""

from __future__ import annotations

import ctypes
import sys
from enum import EnumType

# pyright: reportPrivateUsage=false


class LazyModule:
    """A module that is imported when one of its names is asked for."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> object:
        __import__(self._name)
        return getattr(sys.modules[self._name], name)


TYPE_CHECKING = False
if TYPE_CHECKING:
    import _ctypes
    import mmap as mmap
    import typing as typing
    from collections.abc import Sequence
    from typing import Annotated as Annotated
    from typing import Any as Any
    from typing import Final as Final
    from typing import Generic as Generic
    from typing import Protocol as Protocol
    from typing import dataclass_transform as dataclass_transform

    Item = typing.TypeVar("Item")
    # What an item that is an array or a record can be made of.
    Values: typing.TypeAlias = (
        tuple[Any, ...] | list[Any] | bytes | bytearray | memoryview
    )

    class Array(ctypes.Array[Any], Generic[Item]):
        """`ctypes.Array` by what its items are read as; as a member it takes sequences."""

        @typing.overload
        def __getitem__(self, key: int, /) -> Item: ...
        @typing.overload
        def __getitem__(self, key: slice, /) -> list[Item]: ...
        def __getitem__(self, key: Any, /) -> Any: ...
        @typing.overload
        def __setitem__(self, key: int, value: Item | tuple[Any, ...], /) -> None: ...
        @typing.overload
        def __setitem__(self, key: slice, value: typing.Iterable[Item], /) -> None: ...
        def __setitem__(self, key: Any, value: Any, /) -> None: ...
        def __iter__(self) -> typing.Iterator[Item]: ...
        def __get__(self, record: object, owner: Any = None) -> typing.Self: ...
        def __set__(
            self, record: object, value: typing.Self | Sequence[Item | Values]
        ) -> None: ...

    Target = typing.TypeVar("Target", bound=ctypes._CData)
    Result_co = typing.TypeVar("Result_co", covariant=True)
    Given = typing.ParamSpec("Given")
    Memory: typing.TypeAlias = (
        bytes | bytearray | memoryview | mmap.mmap | ctypes._CData | str | int | None
    )

    # What a callback is given.
    GivenPointer: typing.TypeAlias = ctypes._Pointer[Target]

    class PointerTo(Generic[Target]):
        """A member that points to a number or record: read as ctypes' pointer."""

        def __get__(
            self, record: object, owner: Any = None
        ) -> ctypes._Pointer[Target]: ...
        def __set__(
            self,
            record: object,
            value: Target | ctypes.Array[Target] | ctypes._Pointer[Target] | int | None,
        ) -> None: ...

    class CharPointer(Generic[Target]):
        """One that points to bytes: takes text and buffers, too."""

        def __get__(
            self, record: object, owner: Any = None
        ) -> ctypes._Pointer[Target]: ...
        def __set__(self, record: object, value: Memory) -> None: ...

    class AnyPointer:
        """One that points to anything: read as an address."""

        def __get__(self, record: object, owner: Any = None) -> int | None: ...
        def __set__(self, record: object, value: Memory) -> None: ...

    class FunctionPointer(Generic[Given, Result_co]):
        """One that points to a function: read as its address."""

        def __get__(self, record: object, owner: Any = None) -> int | None: ...
        def __set__(
            self,
            record: object,
            value: typing.Callable[Given, Result_co] | _ctypes.CFuncPtr | int | None,
        ) -> None: ...

    class Enumerated(Generic[Item]):
        """One of an enum's type: read as that, and assigned as any number."""

        def __get__(self, record: object, owner: Any = None) -> Item: ...
        def __set__(self, record: object, value: Item | int) -> None: ...

    Item_co = typing.TypeVar("Item_co", covariant=True)

    class Items(Protocol[Item_co]):
        """An array of records, of whichever release: what can be read of it."""

        @typing.overload
        def __getitem__(self, key: int, /) -> Item_co: ...
        @typing.overload
        def __getitem__(self, key: slice, /) -> Sequence[Item_co]: ...
        def __iter__(self) -> typing.Iterator[Item_co]: ...
        def __len__(self) -> int: ...

    # One in another array, which has no name of its own.
    CharArray: typing.TypeAlias = ctypes.Array[ctypes.c_char]

    ZERO: Any
else:
    Array = CharArray = Items = ctypes.Array
    ZERO = None  # no number, which would look like a constant of the header

    class _Alias(type(list[int])):
        """An annotation: as a str, it is the type that Python sees."""

        __slots__ = ()

        def __repr__(self):
            return f"Annotated[{self}, {_said(self.__origin__.items[1])}]"

        def __str__(self):
            written, ctype = self.__origin__.items[:2]
            return (
                written.said_of(ctype)
                if hasattr(written, "said_of")
                else _said(written)
            )

    def _said(item):
        if item is Any:
            return "Any"
        is_class = isinstance(item, type) and not hasattr(item, "__args__")
        return item.__name__ if is_class else str(item)

    typing = LazyModule("typing")
    mmap = LazyModule("mmap")

    # As an annotation it is a forward reference, wherever it is evaluated.
    Any = "__import__('typing').Any"

    class Final:
        """Stands for `typing.Final`."""

        __slots__ = ()

    class Generic:
        """Stands for `typing.Generic`: its parameters are for type checkers alone."""

        __slots__ = ()

        def __class_getitem__(cls, parameters):
            return cls

    Protocol = Generic

    class _ReadAs:
        """A way to be assigned to, for type checkers: to Python, what is read."""

        def __init__(self, read):
            self.read = read

        def __getitem__(self, parameters):
            return self.read or parameters

    PointerTo = CharPointer = GivenPointer = _ReadAs(Any)
    FunctionPointer = _ReadAs(int | None)
    AnyPointer = int | None
    Enumerated = _ReadAs(None)

    def dataclass_transform(**options):
        """Stand for `typing.dataclass_transform`, which says nothing to Python."""
        return lambda decorator: decorator

    class Annotated:
        """Stands for `typing.Annotated`: an alias whose `__origin__` keeps the `items`.

        `typing.get_type_hints` subscripts an alias' origin anew, with what its arguments
        stand for, and so gets typing's own. From 3.15 on it does if one stands for another
        thing than itself: the first of them is there for that.
        """

        __slots__ = ("items",)

        def __class_getitem__(cls, items):
            first = items[0]
            if type(first) is _Alias and type(first.__origin__) is cls:
                items = (*first.__origin__.items, *items[1:])
            origin = object.__new__(cls)
            origin.items = items
            return _Alias(origin, ("None", items[0]))

        def __getitem__(self, arguments):
            _, first = arguments
            return typing.Annotated[(first, *self.items[1:])]

        def __repr__(self):
            return f"Annotated{self.items}"


int8_t = Annotated[int, ctypes.c_int8]
int16_t = Annotated[int, ctypes.c_int16]
int32_t = Annotated[int, ctypes.c_int32]
int64_t = Annotated[int, ctypes.c_int64]
uint8_t = Annotated[int, ctypes.c_uint8]
uint16_t = Annotated[int, ctypes.c_uint16]
uint32_t = Annotated[int, ctypes.c_uint32]
uint64_t = Annotated[int, ctypes.c_uint64]

# What all of ctypes' pointers to functions are.
FUNCTION: typing.Any = ctypes.CFUNCTYPE(None).__mro__[1]


class At:
    """A member's place: its first byte, and of a bit-field the first bit from there."""

    __slots__ = ("bit", "offset")

    def __init__(self, offset: int, bit: int = 0) -> None:
        self.offset = offset
        self.bit = bit


class Member:
    """A member of a record as the header declares it.

    `bits` is a bit-field's width, `values` the enum class of what the member holds, `at`
    its place, `pointer` the ctypes type of a pointer that `type` has as an address: one to a
    function, or to a record that is complete only below.  Each is None where there is none.  It
    `is_enum` if C declares it as one.  `enums` are those of the function's parameters, None for
    each that is of none, empty where all are.
    """

    __slots__ = (
        "_pointer",
        "at",
        "bits",
        "c_name",
        "enums",
        "is_enum",
        "name",
        "type",
        "values",
    )

    def __init__(self, name: str, annotation: typing.Any) -> None:
        """Read a member's annotation: a record's class, or its types and notes."""
        self.name = self.c_name = name
        self.bits: int | None = None
        self.values: typing.Any = None
        self.at: At | None = None
        self.is_enum = False
        self.enums: tuple[typing.Any, ...] = ()
        self._pointer: typing.Any = None
        if isinstance(annotation, type):
            self.type: typing.Any = annotation
            return
        written, self.type, *notes = annotation.__origin__.items
        self.is_enum = isinstance(written, EnumType)
        for note in notes:
            if isinstance(note, str):
                self.c_name = note
            elif isinstance(note, int):
                self.bits = note
            elif isinstance(note, EnumType):
                self.values = note
            elif isinstance(note, At):
                self.at = note
            elif isinstance(note, tuple):
                self.enums = note
            else:
                self._pointer = note

    @property
    def pointer(self) -> typing.Any:
        """Give the pointer's type; one with a record that was not complete is a lambda."""
        if self._pointer is not None and not isinstance(self._pointer, type):
            self._pointer = self._pointer()
        return self._pointer

    @property
    def read_type(self) -> typing.Any:
        """Give the ctypes type that the member is read as: a function's address is a number."""
        return self.pointer if is_pointer(self.pointer) else self.type

    @property
    def function(self) -> typing.Any:
        """Give the type of the function that the member points to, None if it is none."""
        return self.pointer if is_function(self.pointer) else None


def annotated_type(item: typing.Any) -> typing.Any:
    """Give the ctypes type of what `Annotated` writes, such as `uint32_t`; else None."""
    written: typing.Any = Annotated
    origin: typing.Any = getattr(item, "__origin__", None)
    return origin.items[1] if type(origin) is written else None


def is_array(ctype: typing.Any) -> bool:
    """Tell whether a ctypes type is an array.

    This, `is_pointer` and `is_function` ask for the class: what a record has may be called
    `contents`, or as ctypes calls what it keeps with a type.
    """
    return isinstance(ctype, type) and issubclass(ctype, ctypes.Array)


def is_pointer(ctype: typing.Any) -> bool:
    """Tell whether a ctypes type is a pointer to a type."""
    return isinstance(ctype, type) and issubclass(ctype, ctypes._Pointer)


def is_function(ctype: typing.Any) -> bool:
    """Tell whether a ctypes type is a pointer to a function."""
    return isinstance(ctype, type) and issubclass(ctype, FUNCTION)
