"""Call the functions of a C library, each declared in a version's module.

    library: Final = Library("libc.so.6", __name__)

    def getpgid(pid: Annotated[int, c_int]) -> Annotated[int, c_int]:
        return library.unless_negative(getpgid, pid)

A function is declared by its annotations, which `parameters` reads.  Its body has the library
call it, and says which results tell of an error in errno: that is raised as OSError.  Other
threads run meanwhile.

The library is loaded, and a function looked up, at the first call: modules can be imported
where there is no such library.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from types import BuiltinMethodType, MethodType, ModuleType

from . import parameters
from .annotations import FUNCTION, TYPE_CHECKING, is_function, is_pointer, typing
from .having import unknown
from .pointers import has_functions, thunk, thunks

# pyright: reportPrivateUsage=false

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    P = typing.ParamSpec("P")
    R = typing.TypeVar("R")
else:
    # What `typing.get_type_hints` needs, without importing what it takes.
    Callable, Mapping = parameters.Callback, dict
    Iterator = tuple
    R = object

    class P:
        args = kwargs = object


class LibraryError(OSError):
    """A library cannot be loaded or lacks a function, or no hypervisor runs that it is for."""


class _Prepared:
    """A function of the loaded library, and what makes its arguments, by parameter."""

    __slots__ = ("address", "converters")

    def __init__(
        self, address: typing.Any, converters: list[tuple[str, typing.Any]]
    ) -> None:
        self.address = address
        self.converters = converters


class Library:
    """A library and the functions that it may have.

    `module` is the name of the module that declares them; `name` is what the library is loaded
    by. `advice` says what to do about errors, by their names, `by_function` by functions'.
    `c_names` are those of functions that have another name in Python, `symbols` of those that
    have another in the library.

    A callable that is passed as a callback, or in a record by value, stays alive until it is given
    to `forget`, since only the library's documentation tells how long C calls it.  An exception in
    one cannot go through C, nor can what is no result of its type: Python prints it, and C is
    given 0.
    """

    def __init__(
        self,
        name: str,
        module: str,
        advice: Mapping[str, str] | None = None,
        by_function: Mapping[str, str] | None = None,
        c_names: Mapping[str, str] | None = None,
        symbols: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._module = module
        self._advice = {
            getattr(errno, number): words for number, words in (advice or {}).items()
        }
        self._by_function = by_function or {}
        self._c_names = c_names or {}
        self._symbols = {**self._c_names, **(symbols or {})}
        self._loaded: ctypes.CDLL | None = None
        self._prepared: dict[str, _Prepared] = {}
        self._callbacks: dict[object, typing.Any] = {}

    def load(self, path: str | None = None) -> None:
        """Load the library now, or another one in its place.

        Raises `LibraryError` where that cannot be.
        """
        wanted = path or self._file()
        try:
            self._loaded = ctypes.CDLL(wanted, use_errno=True)
        except OSError as error:
            raise LibraryError(f"cannot load {wanted}: {error}") from None
        self._prepared.clear()

    def _file(self) -> str:
        """Name the file to load."""
        return self.name

    def has(self, name: str) -> bool:
        """Tell whether there is such a library here, and the function in it.

        Raises LookupError for a name that its module declares no function of, and no other
        release's does either.
        """
        module = sys.modules[self._module]
        own = parameters.functions(module)
        name = getattr(vars(module).get(name), "__name__", name)  # of another name's
        if name not in own and not any(hasattr(each, name) for each in self._others()):
            said = f"{self.name} has no function {name!r}"
            if self._has_others():
                said = f"{self.name} of no release has {name!r}"
            raise unknown(said, name, own)
        try:
            self._function(name)
        except LibraryError:
            return False
        return True

    def _has_others(self) -> bool:
        """Tell whether the package has the library of other versions or releases, too."""
        return any(each.__name__ != self._module for each in self._others())

    def _others(self) -> Iterator[ModuleType]:
        """Give the modules of all versions and releases, each imported when it is its turn."""
        name = self._module.rpartition(".")[0]
        package: typing.Any = sys.modules[name]
        of_releases: dict[str, str] | None = getattr(package, "_MODULES", None)
        modules = (
            of_releases.values() if of_releases else map("v{}".format, package.VERSIONS)
        )
        for module in dict.fromkeys(modules):
            yield __import__(f"{name}.{module}", fromlist=["*"])

    def facts(self, module: typing.Any) -> typing.Iterator[tuple[str, str]]:
        """Say of each function of a version's module its types, and which results are errors."""
        for name, function in parameters.functions(module).items():
            c_name = self._c_names.get(name, name)
            yield f"{c_name} prototype", parameters.prototype(function)
            yield f"{c_name} errors", parameters.errors(function)
            if enums := parameters.enums(function):
                yield f"{c_name} enums", enums

    def forget(self, callback: Callable[..., object]) -> None:
        """Let go of a callback, which C must not call any more."""
        known = _identity(callback)
        for key, kept in list(self._callbacks.items()):
            if _identity(getattr(kept, "callback", kept)) == known:
                del self._callbacks[key]

    def call(
        self, function: Callable[P, R], *arguments: P.args, **by_name: P.kwargs
    ) -> R:
        """Call a function, each of whose results is one.

        Raises TypeError, ValueError or OverflowError for what a parameter cannot be made of,
        `LibraryError` where there is no such function.
        """
        return self._call(function, arguments)

    def unless_negative(
        self, function: Callable[P, R], *arguments: P.args, **by_name: P.kwargs
    ) -> R:
        """Call a function; raises OSError if its result is negative."""
        result = self._call(function, arguments)
        number: typing.Any = result
        if number < 0:
            raise self._error(function, result)
        return result

    def unless_null(
        self, function: Callable[P, R], *arguments: P.args, **by_name: P.kwargs
    ) -> R:
        """Call a function; raises OSError if its result is NULL."""
        result = self._call(function, arguments)
        if not result and result != b"":
            raise self._error(function, result)
        return result

    def unless_false(
        self, function: Callable[P, R], *arguments: P.args, **by_name: P.kwargs
    ) -> R:
        """Call a function; raises OSError if its result is false, or 0."""
        result = self._call(function, arguments)
        if not result:
            raise self._error(function, result)
        return result

    def _call(self, function: Callable[..., R], arguments: tuple[object, ...]) -> R:
        name = function.__name__
        prepared = self._prepared.get(name) or self._prepare(function)
        given: list[typing.Any] = []
        try:
            for (_, convert), value in zip(
                prepared.converters, arguments, strict=False
            ):
                given.append(convert(value))
            for value in arguments[len(given) :]:
                given.append(parameters.variadic(value))
                self._keep(value)
        except (TypeError, ValueError, OverflowError) as error:
            names = [parameter for parameter, _ in prepared.converters]
            place = names[len(given)] if len(given) < len(names) else "..."
            raise type(error)(f"{name}: {place}: {error}") from None
        ctypes.set_errno(0)
        result: R = prepared.address(*given)
        return result

    def _prepare(self, function: typing.Any) -> _Prepared:
        address = self._function(function.__name__)
        taken, result = parameters.declared(function)
        # To ctypes a pointer is a pointer: the converters have looked at what it leads to.
        address.argtypes = [_plain(each.type) for each in taken]
        address.restype = result.type
        if enum := parameters.enum_of(result.written):
            address.errcheck = _as_member(enum)
        converters = [(each.name, self._converter(each)) for each in taken]
        prepared = self._prepared[function.__name__] = _Prepared(address, converters)
        return prepared

    def _function(self, name: str) -> typing.Any:
        symbol = self._symbols.get(name, name)
        if self._loaded is None:
            try:
                self.load()
            except LibraryError as error:
                raise LibraryError(f"{symbol}: {error}") from None
        loaded: typing.Any = self._loaded
        try:
            return loaded[symbol]  # as an attribute, two functions of it would be one
        except AttributeError:
            known = loaded._name if "{release}" in self.name else self.name
            raise LibraryError(f"{symbol}: not in {known}") from None

    def _converter(self, declared: parameters.Declared) -> typing.Any:
        if has_functions(declared.type):
            return self._copied(parameters.converter(declared))
        if declared.function is not None:
            return self._table(declared)
        if not is_function(declared.type):
            return parameters.converter(declared)
        return self._called(declared.type, parameters.enums_given(declared))

    def _called(self, ctype: typing.Any, enums: list[typing.Any]) -> parameters.Convert:
        """Take a callable, which is kept, or the address of a function, of one type."""

        def convert(value: typing.Any) -> typing.Any:
            if value is None:
                return None
            # As headers have `((handler)-1)`; truth is no address.
            if isinstance(value, int) and not isinstance(value, bool):
                return ctype(value)
            if isinstance(value, FUNCTION):  # which C calls by the type that it has
                self._keep(value)
                return value
            if not callable(value):
                raise TypeError(f"not callable: {value!r}")
            # Equal ones are not the same; what is kept keeps the identity its own.
            key = ctype, _identity(value)
            if key not in self._callbacks:
                self._callbacks[key] = thunk(ctype, value, enums)
            return self._callbacks[key]

        return convert

    def _table(self, declared: parameters.Declared) -> parameters.Convert:
        """Take a list of callables or addresses of functions, or what leads to such."""
        place = parameters.converter(declared)
        function = declared.function
        called = self._called(function, [None] * len(function._argtypes_))

        def convert(value: typing.Any) -> typing.Any:
            if not isinstance(value, parameters.LISTS):
                return place(value)
            array = (ctypes.c_void_p * len(value))()
            for index, each in enumerate(value):
                try:
                    array[index] = ctypes.cast(called(each), ctypes.c_void_p)
                except TypeError as error:
                    raise TypeError(f"[{index}]: {error}") from None
            return array

        return convert

    def _copied(self, convert: parameters.Convert) -> parameters.Convert:
        """Take a record by value: the callables in it outlive it, since C has a copy."""

        def converted(value: typing.Any) -> typing.Any:
            record = convert(value)
            self._keep(record)
            return record

        return converted

    def _keep(self, value: typing.Any) -> None:
        """Keep the callables that are members of a record, and a function of ctypes'."""
        if isinstance(value, FUNCTION):
            self._callbacks[id(value)] = value
        elif has_functions(type(value)):
            for kept in thunks(value):
                self._callbacks[id(kept)] = kept

    def _error(self, function: typing.Any, result: object) -> OSError:
        """Say why a function failed: by its result where it left nothing in errno."""
        number = ctypes.get_errno()
        name = function.__name__
        given = result if isinstance(result, int) else "NULL"
        why = os.strerror(number) if number else f"failed without errno, giving {given}"
        said = f"{self._c_names.get(name, name)}: {why}"
        for advice in (self._by_function.get(name), self._advice.get(number)):
            said += f"; {advice}" if advice else ""
        return OSError(number, said)


def _identity(callback: typing.Any) -> object:
    """Give what makes a callable the same: of a method, which is new at each use, whose it is."""
    own = getattr(callback, "__self__", None)
    if isinstance(callback, MethodType):
        return id(own), id(callback.__func__)
    if isinstance(callback, BuiltinMethodType) and not isinstance(own, ModuleType):
        return id(own), callback.__name__
    return id(callback)


def _as_member(enum: typing.Any) -> Callable[..., object]:
    def member(number: int, function: object, arguments: object) -> object:
        found: object = enum(number)
        return found

    return member


def _plain(ctype: typing.Any) -> typing.Any:
    is_address = (
        is_pointer(ctype)
        or is_function(ctype)
        or issubclass(ctype, ctypes.c_void_p | ctypes.c_char_p)
    )
    return ctypes.c_void_p if is_address else ctype
