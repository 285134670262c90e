"""Ask C whether a function has the prototype that the IR has of it.

Takes a function and its parameters' names; gives a `Probe`, whose answer says the prototype in
words: C knows no name of a type by which Python and C could be compared, but sizes, signs and
what pointers lead to.  runtime/parameters.py says the same of the package's functions.

    int xs_read(struct xs_handle *h, uint16_t n)  ->  signed 4 (struct xs_handle * h, unsigned 2 n)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from xenbind.facts.probes import Probe
from xenbind.ir.abi import Abi
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    FunctionType,
    Pointer,
    RecordRef,
    Scalar,
    as_known,
    declaration,
    without_names,
)
from xenbind.ir.interface import Function


def probe(function: Function, names: Sequence[str], abi: Abi) -> Probe:
    """Give the question of a function, whose parameters have these names in Python."""
    said = words(function.type, names, abi)
    other = without_names(function.type)  # macros may have any name
    pointer = declaration(Pointer("function *", None, other=other), "", as_known)
    asked = f'XENBIND_PROTOTYPE({function.name}, "{said}", {pointer})'
    return Probe(f"{function.name} prototype", asked, said, function.coord)


def words(function: FunctionType, names: Sequence[str], abi: Abi) -> str:
    """Say what a function takes and gives, where its parameters have these names."""
    parameters = [
        f"{_word(each.type, abi)} {name}"
        for each, name in zip(function.parameters, names, strict=True)
    ]
    parameters += ["..."] * function.is_variadic
    return f"{_given(function.result, abi)} ({', '.join(parameters)})"


def nameless(said: str) -> str:
    """Take the names of the parameters out of what is said of a function."""
    result, _, parameters = said.removesuffix(")").partition(" (")
    types = [_NAME.sub("", each) for each in _BETWEEN.split(parameters)]
    return f"{result} ({', '.join(types)})"


# Parameters of a callback stand in parentheses, and have no names.
_BETWEEN = re.compile(r", (?![^()]*\))")
_NAME = re.compile(r" \w+$")


def _given(c_type: CType, abi: Abi) -> str:
    """Say what Python is given: a function is an address."""
    if isinstance(c_type, Pointer) and isinstance(c_type.other, FunctionType):
        return "void *"
    return _word(c_type, abi)


def _word(c_type: CType, abi: Abi) -> str:
    """Say what a type is; Python knows no more of a callback's pointer than that it is one."""
    match c_type:
        case RecordRef(key=key):
            return key
        case Array(element=element, length=length):
            return f"{_word(element, abi)}[{length or 0}]"
        case Pointer(other=FunctionType(result=result, parameters=parameters)):
            given = "void *" if isinstance(result, Pointer) else _word(result, abi)
            taken = ", ".join(_given(each.type, abi) for each in parameters)
            return f"{given} (*)({taken})"
        case Pointer(other=RecordRef(key=key)):
            return f"{key} *"
        case Pointer(target=Pointer(other=FunctionType())):
            return "void * *"
        case Pointer(target=target):
            return f"{'void' if target is None else _word(target, abi)} *"
        case Scalar(base="void"):
            return "void"
        case Scalar(base=base) | Enumeration(base=base):
            size, _ = abi.scalar(base)
            return f"{abi.kind(base)} {size}"
