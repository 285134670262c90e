"""Write a library that notes what its functions are given, and gives what it is told to.

Takes the functions of the IR; gives `Stub`s: each function's C definition, of the types that
the IR has, which the compiler holds against the header's prototype.  The template
reference/functions.c.jinja makes a file of them, and the package's own tests call each from
Python: tests/test_functions.py does the same in Python as the lines here do in C.

    int xs_fileno(struct xs_handle *h)
    {
        xenbind_see((xenbind_uintptr_t)(xenbind_1));
        return (int)xenbind_told();
    }
"""

from __future__ import annotations

from collections.abc import Iterator

from xenbind.ir.c_types import (
    Array,
    CType,
    FunctionType,
    Parameter,
    Pointer,
    RecordRef,
    Scalar,
    as_known,
    declaration,
    without_names,
)
from xenbind.ir.interface import Interface
from xenbind.plain import Struct, replace

_FLOATS = ("float", "double", "long double")
# How much is read and written of memory whose size the prototype does not say.
_SOME = 8


class Stub(Struct, frozen=True):
    """A function of the library: its head without a semicolon, and its statements."""

    head: str
    lines: tuple[str, ...]


def stubs(interface: Interface) -> list[Stub]:
    """Give the definitions of an interface's functions, of those with one symbol the first."""
    by_symbol = {each.symbol: each for each in reversed(interface.functions)}
    return [_stub(each.name, each.type) for each in reversed(by_symbol.values())]


def _stub(name: str, function: FunctionType) -> Stub:
    parameters = tuple(
        Parameter(f"xenbind_{number}", each.type)
        for number, each in enumerate(without_names(function).parameters, 1)
    )
    own = replace(function, parameters=parameters)
    return Stub(declaration(own, name, as_known), tuple(_lines(own)))


def _lines(function: FunctionType) -> Iterator[str]:
    for parameter in function.parameters:
        yield from _seen(parameter.name, parameter.type)
    if function.is_variadic:
        last = function.parameters[-1].name
        yield from (
            "__builtin_va_list xenbind_more;",
            f"__builtin_va_start(xenbind_more, {last});",
            "xenbind_see(__builtin_va_arg(xenbind_more, int));",
            "xenbind_see(__builtin_va_arg(xenbind_more, long long));",
            "xenbind_see(xenbind_bits(__builtin_va_arg(xenbind_more, double)));",
            "xenbind_see_text(__builtin_va_arg(xenbind_more, const char *));",
            "__builtin_va_end(xenbind_more);",
        )
    yield "errno = xenbind_errno;"
    if not _is_void(function.result):
        yield f"return {_told(function.result)};"


def _seen(name: str, c_type: CType) -> Iterator[str]:
    """Note a parameter's value, and what it leads to, which is written to unless it is const."""
    match c_type:
        case Pointer(other=FunctionType() as function):
            yield f"xenbind_see({name} != 0);"
            yield f"if ({name}) {{"
            names = []
            for number, each in enumerate(function.parameters, 1):
                names.append(
                    f"{name}_{number}"
                )  # C may evaluate arguments in any order
                declared = declaration(each.type, names[-1], as_known)
                yield f"    {declared} = {_told(each.type)};"
            call = f"{name}({', '.join(names)})"
            is_void = _is_void(function.result)
            yield f"    {call};" if is_void else f"    {_see(call, function.result)}"
            yield "}"
        case Pointer(other=RecordRef()):
            yield f"xenbind_see((xenbind_uintptr_t){name});"
        case Pointer(target=Scalar(base="char"), qualifiers=q) if "const" in q:
            yield f"xenbind_see_text({name});"
        case Pointer(target=target, qualifiers=q):
            size = str(_SOME) if _is_bytes(target) else f"sizeof(*{name})"
            if "const" in q:
                yield f"xenbind_see_bytes({name}, {size});"
            else:
                yield f"xenbind_see_and_write((void *){name}, {size});"
        case RecordRef():
            yield f"xenbind_see_bytes(&{name}, sizeof({name}));"
        case _:
            yield _see(name, c_type)


def _see(value: str, c_type: CType) -> str:
    """Note a number or an address."""
    if isinstance(c_type, Pointer):
        return f"xenbind_see((xenbind_uintptr_t){value});"
    if getattr(c_type, "base", "") in _FLOATS:
        return f"xenbind_see(xenbind_bits({value}));"
    return f"xenbind_see((unsigned long long)({value}));"


def _told(c_type: CType) -> str:
    """Write a value as the stub is told it; a text is always the same, or NULL."""
    match c_type:
        case Pointer(target=Scalar(base="char"), qualifiers=q) if "const" in q:
            return "xenbind_told_text()"
        case Pointer():
            return f"({declaration(c_type, '', as_known)})(xenbind_uintptr_t)xenbind_told()"
        case RecordRef():
            known = as_known(c_type)
            return f"*({known} *)xenbind_told_bytes(sizeof({known}))"
    known = declaration(c_type, "", as_known)
    if known in _FLOATS:
        return f"({known})xenbind_double(xenbind_told())"
    return f"({known})xenbind_told()"


def _is_void(c_type: CType) -> bool:
    return isinstance(c_type, Scalar) and c_type.base == "void"


def _is_bytes(target: CType | None) -> bool:
    """Tell whether a pointer's target has a size that says nothing of the memory behind it."""
    return (
        target is None
        or isinstance(target, Array)
        or (isinstance(target, Scalar) and target.base in _OCTETS)
    )


_OCTETS = ("char", "signed char", "unsigned char", "int8_t", "uint8_t")
