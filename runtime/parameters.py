"""What functions of a library take and give, and how that becomes what C is handed.

A parameter is annotated as a member of a record is, by the type that Python sees and the one
that ctypes has: `Annotated[Text, c_char_p]`.  The former are

- `int`, `float`, `bool`: an integer has to fit the parameter's bits, signed or not;
- `Speed | int`, for an enum: one of its numbers, or any other.  As a result, or handed to a
  callback, it is a `Speed`, which keeps numbers that it has no name for;
- `Text`, for `const char *`: a str, which C reads as UTF-8, or bytes; no NUL may be inside.  What
  has text already, such as what C gave, is passed in place, as for `Data`;
- `Ref[T]`, for a pointer to a T that C reads or writes: a T, of which C is told the place, an
  array of T, or a pointer.  A number that C gives back that way is the `value` of `c_uint32()`;
- `Const[T]`, for one to a const T: the same, or a list or tuple of what makes Ts, which is
  copied: C only reads;
- `WideText | Const[c_int]`, for `const wchar_t *`: a str without a NUL, too, and what ctypes has
  wide characters in, as in `WideArray | Ref[c_int]` for one that is not const;
- `Buffer`, for `void *` and pointers to bytes: a writable buffer such as a bytearray, an array
  or record, or an address;
- `Data`, for a const one of those: bytes, too;
- `Callback[[A], R]`: a callable, or an address;
- `Ref[c_void_p] | Callbacks[[A], R]`, for a pointer to such: a list or tuple of these, too;
- the class of a handle, such as a library gives to those who open it.

Each pointer may be None, which is C's NULL.  What is passed lives as long as the call; a
callable lives on, as `Library` says.
"""

from __future__ import annotations

import ctypes
import operator
from enum import EnumType

from .annotations import (
    FUNCTION,
    TYPE_CHECKING,
    Member,
    annotated_type,
    is_array,
    is_function,
    is_pointer,
    typing,
)
from .pointers import ADDRESSES, OBJECTS, in_place

# pyright: reportPrivateUsage=false

if TYPE_CHECKING:
    import _ctypes
    from collections.abc import Callable, Sequence
    from mmap import mmap
    from types import ModuleType

    _T = typing.TypeVar("_T", bound=_ctypes._CData)
    _P = typing.ParamSpec("_P")
    _R = typing.TypeVar("_R")

    Pointer: typing.TypeAlias = ctypes._Pointer[_T]
    Ref: typing.TypeAlias = _T | ctypes.Array[_T] | ctypes._Pointer[_T] | None
    Items: typing.TypeAlias = list[typing.Any] | tuple[typing.Any, ...]
    Const: typing.TypeAlias = _T | ctypes.Array[_T] | ctypes._Pointer[_T] | Items | None
    Callback: typing.TypeAlias = Callable[_P, _R] | int | None
    Buffer: typing.TypeAlias = (
        bytearray | memoryview | mmap | _ctypes._CData | int | None
    )
    Data: typing.TypeAlias = bytes | Buffer
    Text: typing.TypeAlias = str | Data
    WideArray: typing.TypeAlias = ctypes.Array[ctypes.c_wchar] | ctypes.c_wchar_p
    WideText: typing.TypeAlias = str | WideArray
    Callbacks: typing.TypeAlias = Sequence[Callable[_P, _R] | int | None]
    # What stands behind the parameters of a variadic function.
    Variadic: typing.TypeAlias = float | str | Data | _ctypes._CArgObject

    Convert: typing.TypeAlias = Callable[[typing.Any], typing.Any]
else:
    # What `typing.get_type_hints` needs, without importing what it takes.
    ModuleType = type(ctypes)
    Convert = object

    class _Written:
        """A name that annotations are written with: its parameters are for type checkers."""

        def __init__(self, name):
            self.name = name

        def __getitem__(self, parameters):
            return self

        def __or__(self, other):
            return self  # what else a list may have, the function's type says

        def __repr__(self):
            return self.name

        def said_of(self, ctype):
            """Write it as it is annotated, for who asks for a signature."""
            return self.name

    class _ToItems(_Written):
        """The type of a pointer to items."""

        def said_of(self, ctype):
            return f"{self.name}[{_name(ctype._type_)}]"

    class _Callback(_Written):
        """The type of a callable, which keeps what that is given."""

        def __init__(self, given=()):
            super().__init__("Callback")
            self.given = given

        def __getitem__(self, parameters):
            return _Callback(parameters[0])

        def said_of(self, ctype):
            taken = ", ".join(map(_name, ctype._argtypes_))
            return f"{self.name}[[{taken}], {_name(ctype._restype_)}]"

    def _name(ctype):
        if is_pointer(ctype):
            return f"Pointer[{_name(ctype._type_)}]"
        return getattr(ctype, "__name__", "None")

    Callback = _Callback()
    Callbacks = _Written("Callbacks")
    Pointer = _ToItems("Pointer")
    Ref = _ToItems("Ref")
    Const = _ToItems("Const")
    Text = _Written("Text")
    WideArray = _Written("WideArray")
    WideText = _Written("WideText")
    Buffer = _Written("Buffer")
    Data = _Written("Data")
    Variadic = _Written("Variadic")


class Handle(ctypes.c_void_p):
    """A pointer to a struct that only its library knows; false if it is NULL.

    Each such struct has a class of its own, and a function takes no other.  Two of one class are
    equal if they have the same address, as pointers are in C.
    """

    if TYPE_CHECKING:
        _c_name_: typing.ClassVar[str]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.value or 0:#x}>"


class Declared:
    """A parameter or result, as its function is annotated.

    `written` is the Python type, and `type` that of ctypes, None for `void`.  What leads to
    pointers to functions has their type in `function`.
    """

    __slots__ = ("function", "name", "type", "written")

    def __init__(self, name: str, annotation: typing.Any) -> None:
        self.name = name
        self.type: typing.Any = annotated_type(annotation)
        self.function: typing.Any = None
        if self.type is not None:
            self.written: typing.Any = annotation.__origin__.items[0]
            self.function = next(iter(annotation.__origin__.items[2:]), None)
        else:  # a class, which may be None
            self.written = getattr(annotation, "__args__", (annotation,))[0]
            self.type = self.written


def declared(function: typing.Any) -> tuple[list[Declared], Declared]:
    """Give the parameters of a function of a version's module, and its result.

    What a variadic function takes behind its parameters is none of them.
    """
    count = function.__code__.co_argcount
    names = function.__code__.co_varnames[:count]
    notes = function.__annotations__
    return [Declared(name, notes[name]) for name in names], Declared(
        "result", notes["return"]
    )


def functions(module: ModuleType) -> dict[str, typing.Any]:
    """Give the functions that a version's module declares, each by the name of its own."""
    return {
        name: value
        for name, value in dict(vars(module)).items()
        # Modules have an `__annotate__` of their own from CPython 3.14 on.
        if hasattr(value, "__code__")
        and value.__module__ == module.__name__
        and value.__name__ == name
        and not name.startswith("__")
    }


def is_variadic(function: typing.Any) -> bool:
    """Tell whether a function takes more than its parameters."""
    return bool(function.__code__.co_flags & 0x04)


# --- what Python passes, as what C is handed -----------------------------------------

# What items are given in; of them, type checkers want to know no more.
LISTS: typing.Any = (list, tuple)


def converter(parameter: Declared) -> Convert:
    """Give what makes an argument of what was passed for a parameter.

    It raises TypeError or ValueError for what cannot be, OverflowError for a number that
    does not fit.  Callbacks are the library's.
    """
    ctype = parameter.type
    if parameter.written is Text:
        return _text
    if parameter.written is Buffer:
        return _writable
    if parameter.written is Data:
        return _readable
    if parameter.written is WideText:
        return _wide_text(_items(ctype))
    if parameter.written is WideArray:
        return _wide(_place(ctype))
    if is_pointer(ctype):
        return _items(ctype) if parameter.written is Const else _place(ctype)
    return _value(ctype)


def _value(ctype: typing.Any) -> Convert:
    """Take a value of a ctypes type that is no pointer to one."""
    if issubclass(ctype, Handle):
        return _instance(ctype)
    if getattr(ctype, "_type_", None) in _INTEGERS:
        return _integer(ctype)
    if issubclass(ctype, ctypes.Structure | ctypes.Union):
        return _instance(ctype)
    number: Convert = ctype
    return number


def _led_to(ctype: typing.Any) -> Convert:
    """Take what ctypes does for a pointer; ctypes itself would name a pointer's class alone."""
    place: Convert = ctype.from_param

    def convert(value: typing.Any) -> typing.Any:
        try:
            return place(value)
        except TypeError:
            name = ctype._type_.__name__
            raise TypeError(
                f"takes a {name}, an array of them, a pointer to one or None,"
                f" not {type(value).__name__}{_of_module(value, name)}"
                f"{_at_address(value, ctype._type_)}"
            ) from None

    return convert


def _of_module(value: typing.Any, name: str) -> str:
    """Say whose a value's class is, if it is called as the one that is wanted."""
    return f" of {type(value).__module__}" if type(value).__name__ == name else ""


def _at_address(value: typing.Any, ctype: typing.Any) -> str:
    """Say what has the record at an address, such as members that point to later ones give."""
    is_record = issubclass(ctype, ctypes.Structure | ctypes.Union)
    if not (is_record and isinstance(value, int)):
        return ""
    return f"; {ctype.__name__}.from_address(...) has what is at an address"


def _place(ctype: typing.Any) -> Convert:
    """Take a thing that a pointer may lead to, an array of them, or such a pointer."""
    place = _led_to(ctype)

    def convert(value: typing.Any) -> typing.Any:
        if isinstance(value, LISTS):
            array = f"({ctype._type_.__name__} * {len(value)})(...)"
            raise TypeError(f"C may write there: pass an array that it can, {array}")
        return place(value)

    return convert


def _items(ctype: typing.Any) -> Convert:
    """Take the same, and lists and tuples: an array of what they have."""
    element = ctype._type_
    place = _led_to(ctype)
    item = _item(element)

    def convert(value: typing.Any) -> typing.Any:
        if not isinstance(value, LISTS):
            return place(value)
        array = (element * len(value))()
        for index, each in enumerate(value):
            try:
                array[index] = item(each)
            except (TypeError, ValueError, OverflowError) as error:
                raise type(error)(f"[{index}]: {error}") from None
        return array

    return convert


def _wide(others: Convert) -> Convert:
    """Take wide characters as ctypes has them, and others as numbers."""

    def convert(value: typing.Any) -> typing.Any:
        items: object = getattr(value, "_type_", None)
        is_wide = items is ctypes.c_wchar or isinstance(value, ctypes.c_wchar_p)
        return value if is_wide else others(value)

    return convert


def _wide_text(others: Convert) -> Convert:
    """Take the same, and a str."""
    wide = _wide(others)

    def convert(value: typing.Any) -> typing.Any:
        if not isinstance(value, str):
            return wide(value)
        if "\0" in value:
            raise _shorter(value)
        return ctypes.create_unicode_buffer(value)

    return convert


def _item(ctype: typing.Any) -> Convert:
    """Take an item of a list: text, a record or what makes one, or any other value."""
    if ctype is ctypes.c_char_p:
        return lambda value: ctypes.cast(_text(value), ctypes.c_char_p)
    if issubclass(ctype, ctypes.Structure | ctypes.Union):
        from .assignment import made  # above, it would add to an import

        return lambda value: made(ctype, value, ctype.__name__)
    if is_pointer(ctype) or is_array(ctype):
        return lambda value: value  # which ctypes takes or refuses
    return _value(ctype)


# Their codes in ctypes.
_INTEGERS = tuple("bBhHiIlLqQ")


def _integer(ctype: typing.Any) -> Convert:
    bits = 8 * ctypes.sizeof(ctype)
    lowest, highest = -1 << (bits - 1), (1 << bits) - 1

    def convert(value: typing.Any) -> typing.Any:
        number = operator.index(value)
        if not lowest <= number <= highest:
            raise OverflowError(f"{number} does not fit {bits} bits")
        return ctype(number)

    return convert


def _instance(ctype: typing.Any) -> Convert:
    """Take a handle of one class, which may be None, or a record, which may not."""
    allowed = (ctype, type(None)) if issubclass(ctype, Handle) else ctype

    def convert(value: typing.Any) -> typing.Any:
        if not isinstance(value, allowed):
            name = ctype.__name__
            raise TypeError(f"not a {name}: {value!r}{_of_module(value, name)}")
        return value

    return convert


def _text(value: typing.Any) -> typing.Any:
    octets = value.encode() if isinstance(value, str) else value
    if octets is not None and not isinstance(octets, bytes):
        return _text_in_place(octets)
    if octets is not None and b"\0" in octets:
        raise _shorter(value)
    return ctypes.c_char_p(octets)


def _shorter(text: str | bytes) -> ValueError:
    """Say that a text would be shorter to C."""
    return ValueError(f"a NUL inside, where C would see the end: {text!r}")


def _text_in_place(value: typing.Any) -> typing.Any:
    """Give the place of text that is in memory already, with its NUL; C may give places in it."""
    try:
        if not isinstance(value, bool):  # truth is no address
            return _writable(value)
    except TypeError:
        pass
    raise TypeError(f"neither str nor bytes, nor memory to be read: {value!r}")


def _readable(value: typing.Any) -> typing.Any:
    if isinstance(value, memoryview) and value.readonly:  # ctypes tells no place of it
        raise TypeError("a memoryview that is read-only: pass bytes(...) of it")
    return ctypes.c_char_p(value) if isinstance(value, bytes) else _writable(value)


def _writable(value: typing.Any) -> typing.Any:
    """Give the place of what C may write to; what is a pointer already is as it is."""
    if value is None or isinstance(value, int):
        return ctypes.c_void_p(value)
    if isinstance(value, ADDRESSES):
        return ctypes.cast(value, ctypes.c_void_p)
    if isinstance(value, OBJECTS):
        return ctypes.byref(value)
    return in_place(value)


def variadic(value: typing.Any) -> typing.Any:
    """Give an argument behind the parameters: an int, or a long if it does not fit one."""
    if isinstance(value, str | bytes):
        return _text(value)
    if isinstance(value, float):
        return ctypes.c_double(value)
    if value is None:
        return ctypes.c_void_p()
    if isinstance(value, ctypes._SimpleCData):
        return _promoted(value)
    if isinstance(value, _RECORDS) and not _is_plain(type(value)):
        name = type(value).__name__
        raise TypeError(f"ctypes may not pass a {name} by value as C does")
    if isinstance(value, _CDATA):
        return value
    if not isinstance(value, int):
        try:
            return in_place(value)
        except TypeError:
            said = f"nothing that C could be given: {value!r}"
            raise TypeError(said) from None
    small = -(1 << 31) <= value < 1 << 31
    return ctypes.c_int(value) if small else _integer(ctypes.c_longlong)(value)


# What else C can be given: arrays, pointers, functions, records, and the places of all.
_CDATA: typing.Any = (
    *(*ADDRESSES, *OBJECTS, FUNCTION),
    type(ctypes.byref(ctypes.c_int())),
)


_RECORDS: typing.Any = (ctypes.Structure, ctypes.Union)


def _is_plain(ctype: typing.Any) -> bool:
    """Tell whether a record is but numbers and pointers, where ctypes would put them.

    Of other members, and of long doubles, libffi is not told what C's compilers go by.
    """
    members: tuple[Member, ...] = getattr(ctype, "_members_", ())
    if not members or issubclass(ctype, ctypes.Union) or hasattr(ctype, "_extent_"):
        return False
    return all(
        (
            _is_plain(each.type)
            if issubclass(each.type, _RECORDS)
            else each.bits is None
            and not is_array(each.type)
            and each.type is not ctypes.c_longdouble
        )
        for each in members
    )


def _promoted(value: typing.Any) -> typing.Any:
    """Widen a small number as C does in front of `...` (C11 6.5.2.2p6)."""
    code = value._type_
    if code == "f":
        return ctypes.c_double(value.value)
    small = code in (*_INTEGERS, "?") and ctypes.sizeof(value) < ctypes.sizeof(
        ctypes.c_int
    )
    return ctypes.c_int(value.value) if small else value


# --- what C gives, as Python has it ---------------------------------------------------


def enum_of(written: typing.Any) -> typing.Any:
    """Give the enum that a number is annotated with, `Speed` or `Speed | int`, None without one."""
    first: typing.Any = getattr(written, "__args__", (written,))[0]
    return first if isinstance(first, EnumType) else None


def enums_given(callback: Declared) -> list[typing.Any]:
    """Give the enum of each number that a callback is handed, None for anything else."""
    given: tuple[typing.Any, ...] = getattr(callback.written, "given", ())
    return [enum_of(each) for each in given]


# --- what a function is, in words ----------------------------------------------------


def prototype(function: typing.Any) -> str:
    """Say what a function takes and gives, as C's types and sizes: `signed 4 (void * data)`."""
    parameters, result = declared(function)
    said = [f"{word(each.type)} {each.name}" for each in parameters]
    said += ["..."] * is_variadic(function)
    return f"{word(result.type)} ({', '.join(said)})"


def enums(function: typing.Any) -> str:
    """Say which enums a function's numbers are of: `speed Speed, each.1 Speed, result Speed`."""
    parameters, result = declared(function)
    found: list[tuple[str, typing.Any]] = []
    for each in (*parameters, result):
        found.append((each.name, enum_of(each.written)))
        found += [
            (f"{each.name}.{number}", enum)
            for number, enum in enumerate(enums_given(each), 1)
        ]
    return ", ".join(f"{name} {enum.__name__}" for name, enum in found if enum)


def errors(function: typing.Any) -> str:
    """Say which results of a function are errors: `negative`, `null`, `false` or `none`."""
    methods = [n for n in function.__code__.co_names if n.startswith("unless_")]
    return methods[0].removeprefix("unless_") if methods else "none"


def word(ctype: typing.Any) -> str:
    """Say what a ctypes type is to C."""
    if ctype is None:
        return "void"
    if _is_a(ctype, Handle):
        return f"{ctype._c_name_} *"
    if _is_a(ctype, ctypes.Structure, ctypes.Union):
        name: str = ctype._c_name_
        return name
    if is_function(ctype):
        parameters = ", ".join(map(word, ctype._argtypes_))
        return f"{word(ctype._restype_)} (*)({parameters})"
    if is_array(ctype):
        return f"{word(ctype._type_)}[{ctype._length_}]"
    if is_pointer(ctype):
        return f"{word(ctype._type_)} *"
    kind = _WORDS[ctype._type_]
    return kind if kind.endswith("*") else f"{kind} {ctypes.sizeof(ctype)}"


def _is_a(ctype: typing.Any, *bases: type) -> bool:
    return issubclass(ctype, bases)


# What ctypes' codes of simple types stand for.
_WORDS = {
    "c": "char",
    "?": "bool",
    "P": "void *",
    "z": "char 1 *",
    **dict.fromkeys("bhilq", "signed"),
    **dict.fromkeys("BHILQ", "unsigned"),
    **dict.fromkeys("fdg", "float"),
}
