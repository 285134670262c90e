"""Write C's types as a version's module has them: as ctypes, and as annotations of those.

Takes `CType`s, the names that records and typedefs have in the module, and whom to tell
what is to be imported; gives text.  `module` puts it into views.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xenbind.ir.c_types import Array, CType, Enumeration, Pointer, RecordRef, Scalar
from xenbind.ir.interface import Field
from xenbind.plain import replace

# The module of the generated package that names what annotations are written with.
ANNOTATIONS = ".runtime.annotations"
# Whose names type checkers want from there, and Python from the module above.
TYPING = "typing"

STDINT = frozenset(
    f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)
)
_CTYPES = {
    "char": ("bytes", "c_char"),
    "signed char": ("int", "c_byte"),
    "unsigned char": ("int", "c_ubyte"),
    "short": ("int", "c_short"),
    "unsigned short": ("int", "c_ushort"),
    "int": ("int", "c_int"),
    "unsigned int": ("int", "c_uint"),
    "long": ("int", "c_long"),
    "unsigned long": ("int", "c_ulong"),
    "long long": ("int", "c_longlong"),
    "unsigned long long": ("int", "c_ulonglong"),
    "_Bool": ("bool", "c_bool"),
    "float": ("float", "c_float"),
    "double": ("float", "c_double"),
    "long double": ("float", "c_longdouble"),
    "size_t": ("int", "c_size_t"),
    "uintptr_t": ("int", "c_size_t"),
    "intptr_t": ("int", "c_ssize_t"),
    "ptrdiff_t": ("int", "c_ssize_t"),
}

# What members are read as.
PYTHON_TYPES = frozenset(name for name, _ in _CTYPES.values())
# What types are written with, none of which may be the name of something else.
TYPE_NAMES = frozenset(
    ["Annotated", "Any", "Array", "CharArray", "POINTER", "c_void_p", *STDINT]
    + [
        "AnyPointer",
        "CFUNCTYPE",
        "CharPointer",
        "FunctionPointer",
        "PointerTo",
        "GivenPointer",
        "c_char_p",
    ]
    + [name for _, name in _CTYPES.values()]
    + [f"c_{name.removesuffix('_t')}" for name in STDINT]
)


class Types:
    """The types of one module.

    `classes` are the names of its records by key, `scalars` those of its arithmetic
    typedefs; `use` is called with each module and name to import from it, and gives how
    to name it in a class, as `seen` does for the module's own names.
    """

    def __init__(
        self,
        classes: Mapping[str, str],
        scalars: Mapping[str, str],
        use: Callable[[str, str], str],
        seen: Callable[[str], str],
    ) -> None:
        self.classes = classes
        self.scalars = scalars
        self.use = use
        self.seen = seen

    def annotation(self, c_type: CType) -> str:
        """A type as an annotation that has the ctypes type in it."""
        if isinstance(c_type, RecordRef):
            return self.seen(self.classes[c_type.key])
        if isinstance(c_type, Scalar | Enumeration):
            if c_type.base in STDINT and c_type.spelling == c_type.base:
                return self.use(ANNOTATIONS, c_type.base)
            if c_type.spelling in self.scalars:
                return self.seen(self.scalars[c_type.spelling])
        annotated = self.use(TYPING, "Annotated")
        return f"{annotated}[{self.python_type(c_type)}, {self.ctype(c_type)}]"

    def python_type(self, c_type: CType) -> str:
        match c_type:
            case Scalar(base=base) | Enumeration(base=base):
                name = "int" if base in STDINT else _CTYPES[base][0]
                return self.use("builtins", name)
            case Array(Scalar(base="char")):
                return self.use("builtins", "bytes")
            case Array(element):
                array = self.use(ANNOTATIONS, "Array")
                return f"{array}[{self.item_type(element)}]"
            case Pointer(target=None):
                return f"{self.use('builtins', 'int')} | None"
            case Pointer():
                return self.use(TYPING, "Any")
        return self.annotation(c_type)

    def item_type(self, c_type: CType) -> str:
        """What an array's items are: of char arrays, too, arrays."""
        if isinstance(c_type, Array) and not is_nested(c_type):
            return self.use(ANNOTATIONS, "CharArray")
        return self.python_type(c_type)

    def whole(self, c_type: CType) -> CType:
        """Give a pointer that leads to its class where that is defined below, too.

        ctypes has such a pointer when the module has all its classes; above it is an address.
        """
        match c_type:
            case Pointer(target=None, other=RecordRef() as other) if (
                other.key in self.classes
            ):
                return replace(c_type, target=other)
            case Pointer(target=target) if target is not None:
                return replace(c_type, target=self.whole(target))
        return c_type

    def ctype(self, c_type: CType) -> str:
        """A type as ctypes has it."""
        match c_type:
            case RecordRef(key=key):
                return self.seen(self.classes[key])
            case Scalar(base=base) | Enumeration(base=base):
                name = (
                    f"c_{base.removesuffix('_t')}"
                    if base in STDINT
                    else _CTYPES[base][1]
                )
                return self.use("ctypes", name)
            case Array(element, length):
                inner = self.ctype(element)
                return f"{f'({inner})' if '*' in inner else inner} * {length or 0}"
            case Pointer(target=target):
                if target is None:
                    return self.use("ctypes", "c_void_p")
                return f"{self.use('ctypes', 'POINTER')}({self.ctype(target)})"


def is_nested(c_type: CType) -> bool:
    """Whether ctypes gives a view of the member, not its value: a record or an array."""
    if isinstance(c_type, Array):
        return not (
            isinstance(c_type.element, Scalar) and c_type.element.base == "char"
        )
    return isinstance(c_type, RecordRef)


def bit_field_type(field: Field) -> CType:
    """A member's type; ctypes allows no bit-fields of plain char."""
    match field.type:
        case Scalar(base="char") if field.bit_width is not None:
            return Scalar("signed char", "signed char")
    return field.type
