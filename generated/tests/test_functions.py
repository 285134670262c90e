"""Each function called from Python, and held against C: what it is given, and gives back.

C's side is a library with the same functions, compiled with the header: each notes what it is
given, and gives what it was told to.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from compiled import GENERATED, Header, compile_shared
from members import leaves, words_for
from subject import HEADERS, package

_parameters = importlib.import_module(f"{package.__name__}.runtime.parameters")

SOME = 8  # bytes of memory whose size a prototype does not say
MORE = (7, 1 << 40, 1.5, "more")  # what variadic functions are given besides


class Stub:
    """The functions of one interface, in a library that does what it is told."""

    def __init__(self, header: Header, folder: Path) -> None:
        source = GENERATED / "reference" / f"{header.source}_functions.c"
        path = str(compile_shared(source, header, folder))
        module: Any = header.module
        self.c = ctypes.CDLL(path)
        self.functions: dict[str, Any] = _parameters.functions(module)
        self.c_names: dict[str, str] = module.library._c_names
        module.library.load(path)

    def tell(self, octets: bytes, number: int = 0) -> None:
        """Say what the next call is to give back, and to leave in errno."""
        self._size("told").value = self._size("seen").value = 0
        room = (ctypes.c_char * len(octets)).in_dll(self.c, "xenbind_to_tell")
        ctypes.memmove(room, octets, len(octets))
        ctypes.c_int.in_dll(self.c, "xenbind_errno").value = number

    def seen(self) -> bytes:
        """Give what the last call was given."""
        room = ctypes.c_char * self._size("seen").value
        return bytes(room.in_dll(self.c, "xenbind_seen"))

    def _size(self, name: str) -> ctypes.c_size_t:
        return ctypes.c_size_t.in_dll(self.c, f"xenbind_{name}_size")


WITH_FUNCTIONS = [header for header in HEADERS if header.has_functions]


@pytest.fixture(scope="module", params=WITH_FUNCTIONS, ids=str)
def stub(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Stub:
    header: Header = request.param
    return Stub(header, tmp_path_factory.mktemp("functions"))


@dataclass
class Value:
    """A value on its way: as Python has it, as C notes it, and what C is told meanwhile.

    `arrived` tells afterwards whether what C was told is there.
    """

    python: Any
    seen: bytes
    told: bytes = b""
    arrived: Callable[[], bool] = field(default=lambda: True)


def word(number: int) -> bytes:
    return struct.pack("<Q", number & 0xFFFF_FFFF_FFFF_FFFF)


def passed(parameter: Any, random: Random) -> Value:
    """Choose a value for a parameter."""
    ctype: Any = parameter.type
    written = parameter.written
    if written is _parameters.Text:
        text: str = random.choice(["", "a text", "gr\u00fcn"])
        octets = text.encode()
        return Value(random.choice([text, octets]), octets + b"\0")
    if written is _parameters.Data:
        octets = random.randbytes(SOME)
        return Value(octets, octets)
    if written is _parameters.Buffer:
        octets, told = random.randbytes(SOME), random.randbytes(SOME)
        buffer = bytearray(octets)
        return Value(buffer, octets, told, lambda: bytes(buffer) == told)
    if hasattr(ctype, "_restype_"):
        return _callback(ctype, random)
    if hasattr(ctype, "contents"):
        size = ctypes.sizeof(ctype._type_)
        octets, told = random.randbytes(size), random.randbytes(size)
        item = ctype._type_.from_buffer_copy(octets)
        if written in (_parameters.Const, _parameters.WideText):
            return Value(item, octets)
        return Value(item, octets, told, lambda: bytes(item) == told)
    return replace(_number(ctype, random), told=b"")


def _number(ctype: Any, random: Random) -> Value:
    """Choose a number, handle or record, which C notes as it is told it."""
    if issubclass(ctype, ctypes.Structure | ctypes.Union):
        record = ctype()
        members = list(leaves(record))
        for leaf, number in zip(members, words_for(members), strict=True):
            leaf.write(record, number)
        return Value(record, bytes(record), bytes(record))
    if issubclass(ctype, ctypes.c_void_p):
        number = random.getrandbits(60) | 1
        made = number if ctype is ctypes.c_void_p else ctype(number)
        return Value(made, word(number), word(number))
    if ctype is ctypes.c_char:
        number = random.randrange(1, 128)
        return Value(bytes([number]), word(number), word(number))
    if ctype in (ctypes.c_float, ctypes.c_double, ctypes.c_longdouble):
        value = ctypes.c_float(random.random()).value
        octets = struct.pack("<d", value)
        return Value(value, octets, octets)
    if ctype is ctypes.c_bool:
        return Value(True, word(1), word(1))
    number = ctype(random.getrandbits(64)).value
    return Value(number, word(number), word(number))


def _callback(ctype: Any, random: Random) -> Value:
    """Make a callable that is called once, with what C is told, and gives what C notes."""
    expected = [_given(each, random) for each in ctype._argtypes_]
    result = Value(None, b"")
    if ctype._restype_ is not None:
        result = _number(ctype._restype_, random)
    calls: list[list[Any]] = []

    def callback(*arguments: Any) -> Any:
        calls.append([_plain(each) for each in arguments])
        return result.python

    told = b"".join(each.told for each in expected)
    wanted = [[_plain(each.python) for each in expected]]
    return Value(callback, word(1) + result.seen, told, lambda: calls == wanted)


def _given(ctype: Any, random: Random) -> Value:
    """Choose what C gives: to a callback, or as a result."""
    if ctype is None:
        return Value(None, b"")
    if ctype is ctypes.c_char_p:
        return Value(b"told", b"", word(1))
    if hasattr(ctype, "contents"):
        number = random.getrandbits(60) | 1
        return Value(number, b"", word(number))
    return _number(ctype, random)


def _plain(value: Any) -> Any:
    """Give what a value can be compared by: the address of a pointer, the bytes of a record."""
    if isinstance(value, ctypes.c_void_p | ctypes._Pointer):
        return ctypes.cast(value, ctypes.c_void_p).value
    if isinstance(value, ctypes.Structure | ctypes.Union):
        return bytes(value)
    return value


def failing(function: Any) -> bytes | None:
    """Give the result that tells of an error, None where no result does."""
    results = {"negative": word(-1), "null": word(0), "false": word(0)}
    return results.get(_parameters.errors(function))


def calls(stub: Stub) -> Iterator[tuple[Any, list[Value], Value]]:
    """Give each function with values for its parameters, and a result that is no error."""
    for name, function in stub.functions.items():
        random = Random(name)
        parameters, result = _parameters.declared(function)
        values = [passed(each, random) for each in parameters]
        given = _given(result.type, random)
        while failing(function) is not None and not _is_fine(given.python):
            given = _given(result.type, random)
        yield function, values, given


def _is_fine(value: Any) -> bool:
    return not isinstance(value, int) or value >= 0


def test_c_is_given_what_python_passes_and_the_other_way_round(stub: Stub) -> None:
    for function, values, result in calls(stub):
        more = MORE if _parameters.is_variadic(function) else ()
        wanted = b"".join(each.seen for each in values)
        if more:
            wanted += word(7) + word(1 << 40) + struct.pack("<d", 1.5) + b"more\0"
        stub.tell(b"".join(each.told for each in values) + result.told)
        found = function(*(each.python for each in values), *more)
        assert stub.seen() == wanted, function.__name__
        assert _plain(found) == _plain(result.python), function.__name__
        assert all(each.arrived() for each in values), function.__name__


def test_none_is_null(stub: Stub) -> None:
    for function, _, result in calls(stub):
        random = Random(function.__name__)
        values = []
        for each in _parameters.declared(function)[0]:
            value = passed(each, random)
            if _is_pointer(each.type):
                is_seen = hasattr(each.type, "_restype_")
                is_seen |= issubclass(each.type, _parameters.Handle)
                value = Value(None, word(0) if is_seen else b"")
            values.append(value)
        more = MORE if _parameters.is_variadic(function) else ()
        stub.tell(b"".join(each.told for each in values) + result.told)
        function(*(each.python for each in values), *more)
        wanted = b"".join(each.seen for each in values)
        assert stub.seen().startswith(wanted), function.__name__


def _is_pointer(ctype: Any) -> bool:
    return (
        hasattr(ctype, "contents")
        or hasattr(ctype, "_restype_")
        or issubclass(ctype, ctypes.c_void_p | ctypes.c_char_p)
    )


def test_errors_are_raised_with_errno(stub: Stub) -> None:
    for function, values, result in calls(stub):
        more = MORE if _parameters.is_variadic(function) else ()
        failed = failing(function)
        given = result.told if failed is None else failed
        stub.tell(b"".join(each.told for each in values) + given, errno.EACCES)
        try:
            function(*(each.python for each in values), *more)
        except PermissionError as error:
            assert failed is not None, function.__name__
            name = stub.c_names.get(function.__name__, function.__name__)
            said = f"{name}: {os.strerror(errno.EACCES)}"
            assert error.errno == errno.EACCES
            assert said in str(error)
        else:
            assert failed is None, function.__name__
