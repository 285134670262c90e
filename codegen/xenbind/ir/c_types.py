"""C's types as the IR has them, and how C spells them.

`lowering` makes `CType`s of declarators; whoever reads the IR takes them apart with
`match`.  `uint8_t grid[2][3]` is `Array(Array(Scalar("uint8_t", "uint8_t"), 3), 2)`, and
`spelling` gives `uint8_t[2][3]` for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xenbind.plain import Struct, replace


class Scalar(Struct, frozen=True):
    """An arithmetic type.

    `spelling` is what the header writes (`RING_IDX`); `base` is the stdint or fundamental
    type behind it (`unsigned int`).  `aligned`, here and below, is the alignment that an
    attribute gave the type's name, 0 without one.
    """

    spelling: str
    base: str
    aligned: int = 0


class Enumeration(Struct, frozen=True, eq=False):
    """An `enum` used as the type of a member; `base` is the integer type that holds it.

    `key` tells it from others: `enum mode`, of one without a tag `enum {FIRST_ENUMERATOR}`.
    It makes no type another one.
    """

    spelling: str
    base: str
    aligned: int = 0
    key: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Enumeration) and self._compared == other._compared

    def __ne__(self, other: object) -> bool:
        return not self == other  # msgspec's own is by identity

    def __hash__(self) -> int:
        return hash(self._compared)

    @property
    def _compared(self) -> tuple[object, ...]:
        return self.spelling, self.base, self.aligned


class Pointer(Struct, frozen=True, eq=False):
    """A pointer; `target` is None for `void`, for functions and for incomplete types.

    Then `other` is the function or the record that it leads to: one never defined, or one that
    a member points to above its definition, such as the `next` of a list. Those of a function's
    prototype have `qualifiers`, what stands before the target, such as `const`.
    That makes no type another one.
    """

    spelling: str
    target: CType | None
    aligned: int = 0
    qualifiers: str = ""
    other: FunctionType | RecordRef | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pointer) and self._compared == other._compared

    def __ne__(self, other: object) -> bool:
        return not self == other  # msgspec's own is by identity

    def __hash__(self) -> int:
        return hash(self._compared)

    @property
    def _compared(self) -> tuple[object, ...]:
        return self.spelling, self.target, self.aligned


class Array(Struct, frozen=True):
    """An array; `length` is None for a flexible array member."""

    element: CType
    length: int | None
    aligned: int = 0


class RecordRef(Struct, frozen=True):
    """A struct or union by its key in `Interface.records`; `spelling` as in the header."""

    spelling: str
    key: str
    aligned: int = 0


CType = Scalar | Enumeration | Pointer | Array | RecordRef


class Parameter(Struct, frozen=True):
    """A parameter of a function; `name` is empty where the prototype has none."""

    name: str
    type: CType


class FunctionType(Struct, frozen=True):
    """What a function takes and gives; a result of `void` is a `Scalar` of that base."""

    result: CType
    parameters: tuple[Parameter, ...]
    is_variadic: bool


def fundamental(spelling: str) -> str:
    """Give a fundamental type's canonical name: `unsigned long` for `long unsigned int`.

    Any other name is given back as it is (C11 6.7.2p2 has the list).
    """
    if spelling in _FLOATING:
        return _FLOATING[spelling]
    words = spelling.split()
    if sorted(words) == ["double", "long"]:
        return "long double"
    if "double" in words or "float" in words or not set(words) <= _INTEGER_WORDS:
        return spelling
    unsigned = "unsigned " if "unsigned" in words else ""
    if "char" in words:
        return "signed char" if "signed" in words else f"{unsigned}char"
    length = "short" if "short" in words else " ".join(["long"] * words.count("long"))
    return unsigned + (length or "int")


# The formats that TS 18661-3 names, which these types have on every ABI.
_FLOATING = {"_Float32": "float", "_Float64": "double", "_Float32x": "double"}
_INTEGER_WORDS = frozenset(("signed", "unsigned", "char", "short", "int", "long"))


def spelling(c_type: CType) -> str:
    """Spell a type as C writes it, `uint8_t[2][44]` for an array of arrays."""
    dimensions = ""
    while isinstance(c_type, Array):
        dimensions += f"[{'' if c_type.length is None else c_type.length}]"
        c_type = c_type.element
    return c_type.spelling + dimensions


def element(c_type: CType) -> Scalar | Enumeration | Pointer | RecordRef:
    """Give the type inside arrays of any depth; the type itself if it is no array."""
    while isinstance(c_type, Array):
        c_type = c_type.element
    return c_type


def inside_arrays(c_type: CType) -> tuple[CType, tuple[int, ...]]:
    """Give the type inside arrays of one or more elements, and the arrays' lengths."""
    if not isinstance(c_type, Array) or not c_type.length:
        return c_type, ()
    inner, lengths = inside_arrays(c_type.element)
    return inner, (c_type.length, *lengths)


def keys(c_type: CType | FunctionType | None) -> Iterator[str]:
    """Give the keys of the records that a type is made of, leads to, takes or gives."""
    match c_type:
        case RecordRef(key=key):
            yield key
        case FunctionType(result=result, parameters=parameters):
            for each in (result, *(parameter.type for parameter in parameters)):
                yield from keys(each)
        case Pointer(target=target, other=other):
            yield from keys(target)
            yield from keys(other)
        case Array():
            yield from keys(element(c_type))


def levels(c_type: CType | FunctionType | None) -> int:
    """Count the arrays and pointers in one another that make a type, in what it takes too."""
    match c_type:
        case Array(element=inner):
            return 1 + levels(inner)
        case Pointer(target=target, other=other):
            return 1 + levels(target or other)
        case FunctionType(result=result, parameters=parameters):
            return max(map(levels, (result, *(each.type for each in parameters))))
    return 0


# How a declaration is to write the type that it begins with.
Word = Callable[[Scalar | Enumeration | RecordRef], str]


def as_spelled(c_type: Scalar | Enumeration | RecordRef) -> str:
    """Write a type as its header does: `evtchn_port_t`."""
    return c_type.spelling


def as_known(c_type: Scalar | Enumeration | RecordRef) -> str:
    """Write a type by what is known of it, not by its header's name: `uint32_t` for that.

    An enum is the integer type that holds it, with which it is compatible (C11 6.7.2.2p4).
    """
    return c_type.key if isinstance(c_type, RecordRef) else c_type.base


def declaration(c_type: CType | FunctionType, name: str, word: Word) -> str:
    """Declare a name to be of a type: `const char *(*name)(int)`; without one, the type."""
    match c_type:
        case FunctionType(result=result):
            return declaration(result, f"{name}({_parameters(c_type, word)})", word)
        case Array(element=inner, length=length):
            return declaration(
                inner, f"{name}[{'' if length is None else length}]", word
            )
        case Pointer(target=target, other=other, qualifiers=qualifiers):
            to = target or other or Scalar("void", "void")
            behind = isinstance(to, Pointer) and bool(qualifiers)
            inner_name = f"{qualifiers} *{name}" if behind else f"*{name}"
            if isinstance(to, Array | FunctionType):
                inner_name = f"({inner_name})"
            declared = declaration(to, inner_name, word)
            return declared if behind or not qualifiers else f"{qualifiers} {declared}"
    return f"{word(c_type)} {name}".rstrip()


def _parameters(function: FunctionType, word: Word) -> str:
    declared = [declaration(p.type, p.name, word) for p in function.parameters]
    if function.is_variadic:
        declared.append("...")
    return ", ".join(declared) or "void"


def without_names(function: FunctionType) -> FunctionType:
    """Give a function's type without the names of parameters, which mean nothing to C."""
    parameters = []
    for parameter in function.parameters:
        c_type = parameter.type
        if isinstance(c_type, Pointer) and isinstance(c_type.other, FunctionType):
            c_type = replace(c_type, other=without_names(c_type.other))
        parameters.append(Parameter("", c_type))
    return replace(function, parameters=tuple(parameters))


def is_anonymous(key: str) -> bool:
    """Tell whether a record's key is its path inside another: it has no name of its own."""
    return "." in key
