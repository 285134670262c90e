"""Apply C's integer rules to translated expressions.

Takes and gives `Value`s: Python text with the type that it has in C. Unsigned results
are reduced modulo 2^32 or 2^64, comparisons are made in the common type. `translate` builds
statements of them.
"""

from __future__ import annotations

from pycparser import c_ast

from xenbind.backend.rings.model import Thing, Untranslatable
from xenbind.ir.abi import X86_64, IntegerType
from xenbind.ir.c_types import Scalar, fundamental
from xenbind.ir.interface import Field
from xenbind.plain import Struct, replace

UINT = X86_64.integers["unsigned int"]
ULONG = X86_64.integers["unsigned long"]
INT = X86_64.integers["int"]
LONG = X86_64.integers["long"]
MASK = {1: "0xFF", 2: "0xFFFF", 4: "U32", 8: "U64"}

# Python's precedence, from loosest to tightest.
TERNARY, EITHER, BOTH, NOT, COMPARE = range(5)
OR, XOR, AND, SHIFT, SUM, PRODUCT, ATOM = range(5, 12)
TRUTHS = (EITHER, BOTH, NOT, COMPARE)  # what is true or false in Python, too
BINARY = {
    "*": ("*", PRODUCT),
    "/": ("//", PRODUCT),
    "%": ("%", PRODUCT),
    "+": ("+", SUM),
    "-": ("-", SUM),
    "<<": ("<<", SHIFT),
    ">>": (">>", SHIFT),
    "&": ("&", AND),
    "^": ("^", XOR),
    "|": ("|", OR),
}
COMPARISONS = ("<", ">", "<=", ">=", "==", "!=")
BARRIERS = ("xen_mb", "xen_rmb", "xen_wmb")


class Value(Struct, frozen=True):
    """A translated expression: Python text, how tightly it binds, and what it is in C.

    `type` is an integer type, or which thing it is instead.  `member` is the page's member
    that an lvalue stands for; `of` tells a request's record from a response's;
    `unreduced` is the same number before it wrapped around.
    """

    text: str
    binding: int
    type: IntegerType | Thing
    member: Field | None = None
    of: Thing | None = None
    unreduced: Value | None = None

    def at(self, binding: int) -> str:
        """The text, in parentheses where it binds more loosely than its place wants."""
        return self.text if self.binding >= binding else f"({self.text})"


def reduce(text: str, binding: int, integer: IntegerType | Thing) -> Value:
    """An arithmetic result in its type: unsigned ones wrap around (C11 6.2.5)."""
    if not isinstance(integer, IntegerType):
        raise Untranslatable(f"arithmetic on a {integer}")
    if integer.signed:  # overflow is undefined in C, and does not happen in Python
        return Value(text, binding, integer)
    return Value(
        f"({text}) & {MASK[integer.size]}",
        AND,
        integer,
        unreduced=Value(text, binding, integer),
    )


def common(left: Value, right: Value) -> tuple[Value, Value, IntegerType]:
    """Both operands in their common type (C11 6.3.1.8)."""
    if not isinstance(left.type, IntegerType) or not isinstance(
        right.type, IntegerType
    ):
        raise Untranslatable(f"an operator on a {left.type} and a {right.type}")
    wider = left.type.common(right.type)
    return convert(left, wider), convert(right, wider), wider


def convert(value: Value, target: IntegerType) -> Value:
    """A value in another integer type (C11 6.3.1.3)."""
    source = value.type
    if not isinstance(source, IntegerType):
        raise Untranslatable(f"a {source} where a number is wanted")
    if source == target:
        return value
    if not source.signed and target.size > source.size:
        return replace(value, type=target, unreduced=None)
    if source.signed and (target.signed and target.size >= source.size):
        return replace(value, type=target)
    if not target.signed and target.name != "_Bool":
        is_literal = value.binding == ATOM and value.text[0].isdigit()
        is_literal = is_literal and int(value.text, 0) >> 8 * target.size == 0
        if is_literal or value.binding in TRUTHS:
            return replace(value, type=target)  # a literal, or 0 or 1: not negative
        if whole := value.unreduced:
            return reduce(whole.text, whole.binding, target)
        return Value(f"{value.at(AND)} & {MASK[target.size]}", AND, target)
    raise Untranslatable(f"a conversion from {source.name} to {target.name}")


def integer_type(member: Field) -> IntegerType:
    """The integer type of a member of a ring's struct."""
    if isinstance(member.type, Scalar) and member.type.base in X86_64.integers:
        return X86_64.integers[member.type.base]
    raise Untranslatable(f"the type of '{member.name}'")


def named_type(node: c_ast.Node) -> IntegerType:
    """The integer type of a declaration or cast: RING_IDX is an unsigned int."""
    if isinstance(node, c_ast.TypeDecl) and isinstance(node.type, c_ast.IdentifierType):
        name = fundamental(" ".join(node.type.names))
        if name == "RING_IDX":
            return UINT
        if name in X86_64.integers:
            return X86_64.integers[name]
    raise Untranslatable("a cast to this type")
