"""Evaluate constant expressions: from an expression's AST to its value and C type.

Takes pycparser nodes and a `Scope` that knows names and types; gives a `CInt`, computed
by C's integer rules (C11 6.3.1, 6.5, 6.6).  `lower` uses it for macros, array
lengths, bit-field widths and enumerators.  What it does not understand it refuses, with
`Unevaluable`; it never guesses.

    1u << 31      ->  CInt(0x80000000, unsigned int)
    -1 < 1u       ->  CInt(0, int): the usual arithmetic conversions make -1 unsigned
    sizeof(long)  ->  CInt(8, size_t) on x86_64, CInt(4, size_t) on i386
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from math import inf, nan
from typing import Any, Protocol

from pycparser import c_ast

from xenbind.errors import SourceError
from xenbind.ir.abi import Abi, IntegerType
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    Pointer,
    RecordRef,
    Scalar,
    element,
    spelling,
)
from xenbind.ir.interface import Field
from xenbind.lowering.integers import (
    CInt,
    Unevaluable,
    character,
    convert,
    is_integer,
    literal,
    number,
    size_of_string,
)


class Scope(Protocol):
    """What an expression may refer to, on one ABI."""

    abi: Abi

    def enumerator(self, name: str) -> CInt | None:
        """Give the value of an enumerator, None if there is none of that name."""

    def type(self, node: c_ast.Node) -> CType:
        """Give the type that a type name or a declarator denotes."""

    def measure(self, c_type: CType, node: c_ast.Node) -> tuple[int, int]:
        """Give size and alignment, in bytes, of a type that stands at `node`."""

    def measured_type(self, node: c_ast.Node) -> tuple[CType, int, int]:
        """Give a type name's type, size and alignment; it may define a type of its own."""

    def member(self, record: CType, name: str) -> Field | None:
        """Give a member of a struct or union, None if there is none of that name."""

    def variable(self, name: str) -> CType | None:
        """Give the type of a variable, None if there is none of that name."""

    def result(self, name: str) -> CType | None:
        """Give the type of what a function gives, None if there is none of that name."""

    def selected(self, node: c_ast.Node) -> c_ast.Node:
        """Give the expression that another one chooses, as `select` finds it."""

    def truncated(self, node: c_ast.Node) -> int:
        """Give the value of a constant expression of a floating type, without its fraction."""

    def compared(self, op: str, left: c_ast.Node, right: c_ast.Node) -> bool:
        """Compare the values of two constant expressions, any of them of a floating type."""


def evaluate(node: c_ast.Node, scope: Scope, is_evaluated: bool = True) -> CInt:
    """Evaluate an integer constant expression (C11 6.6).

    Of one that is not evaluated in C, only the type counts.  Raises `Unevaluable` for anything
    else: unknown names, calls, division by zero, shifts by more than the width.
    """
    return _Evaluator(scope).operand(node, is_evaluated)


def expression_type(node: c_ast.Node, scope: Scope) -> CType:
    """Give the type of an expression that is no constant: `typeof` and `sizeof` ask for it.

    It may be reached from a cast, as in `sizeof(((struct pair *)0)->first)`.  Raises
    `Unevaluable` for what is neither a member of something, an element, a function's result,
    nor a constant.
    """
    node = chosen(node, scope)
    if isinstance(node, c_ast.Cast):
        return scope.type(node.to_type)
    if found := scope.result(called(node)):
        return found
    if isinstance(node, c_ast.ID) and (found := scope.variable(node.name)):
        return found
    if isinstance(node, c_ast.StructRef):
        record = expression_type(node.name, scope)
        if node.type == "->" and isinstance(record, Pointer):
            record = record.target or record
        return _member(record, node.field.name, scope).type
    if isinstance(node, c_ast.ArrayRef) or (
        isinstance(node, c_ast.UnaryOp) and node.op == "*"
    ):
        inner = node.name if isinstance(node, c_ast.ArrayRef) else node.expr
        match expression_type(inner, scope):
            case Array(element=inner_type) | Pointer(target=inner_type) if inner_type:
                return inner_type
    name = floating_type(node, scope) or evaluate(node, scope).type.name
    return Scalar(name, name)


def chosen(node: c_ast.Node, scope: Scope) -> c_ast.Node:
    """Give the expression that stands for this one, which is another where C is to choose it.

    `_Generic` chooses by a type (C11 6.5.1.1), `__builtin_choose_expr` by a value (GNU C).  Raises
    `Unevaluable` for a type that is not known well enough.
    """
    while isinstance(node, c_ast.GenericSelection) or (
        called(node) == "__builtin_choose_expr" and len(_arguments(node)) == 3
    ):
        node = scope.selected(node)
    return node


def select(node: c_ast.Node, scope: Scope) -> c_ast.Node:
    """Find what a `_Generic` or `__builtin_choose_expr` chooses."""
    if isinstance(node, c_ast.FuncCall):
        condition, true, false = _arguments(node)
        return true if evaluate(condition, scope).value else false
    wanted = expression_type(node.expr, scope)
    if not isinstance(wanted, Scalar | Enumeration | RecordRef):
        raise Unevaluable("a _Generic of what is no number is not supported")
    default = None
    for each in node.associations:
        if not isinstance(each, c_ast.GenericAssociation):
            continue
        if each.type is None:
            default = each.expr
        elif not each.type.quals and _is_same(wanted, each.type, scope):
            return each.expr
    if default is None:
        raise Unevaluable("this _Generic has nothing for the type")
    return default


def _is_same(wanted: CType, type_name: c_ast.Node, scope: Scope) -> bool:
    """Tell whether a value's type is compatible with a type name's (C11 6.2.7).

    One that Python has no counterpart of is none that a value has here.
    """
    try:
        named = scope.type(type_name)
    except SourceError:
        return False
    if isinstance(named, Enumeration) and isinstance(wanted, Enumeration):
        return named.key == wanted.key
    return _identity(named, scope) == _identity(wanted, scope)


def _identity(c_type: CType, scope: Scope) -> str:
    """Give what tells a number, a struct or a union from others; empty for other types."""
    match c_type:
        case Scalar(base=base) | Enumeration(base=base):
            integer = scope.abi.integers.get(base)
            return scope.abi.fundamental(integer).name if integer else base
        case RecordRef(key=key):
            return key
    return ""


def called(node: c_ast.Node) -> str:
    """Give the name of the function that an expression calls, empty for any other."""
    is_call = isinstance(node, c_ast.FuncCall) and isinstance(node.name, c_ast.ID)
    return str(node.name.name) if is_call else ""


def _arguments(node: c_ast.FuncCall) -> list[c_ast.Node]:
    return node.args.exprs if node.args else []


# GNU C's functions of a number's bits; the number is of a type that the name ends with.
_COUNTS: dict[str, Callable[[int, int], int]] = {
    "popcount": lambda value, _: value.bit_count(),
    "parity": lambda value, _: value.bit_count() % 2,
    "clz": lambda value, width: width - value.bit_length(),
    "ctz": lambda value, _: (value & -value).bit_length() - 1,
    "ffs": lambda value, _: (value & -value).bit_length(),
}
_SUFFIXES = {"": "unsigned int", "l": "unsigned long", "ll": "unsigned long long"}
_OF_BITS = re.compile(rf"__builtin_({'|'.join(_COUNTS)})(l{{0,2}})")
_SWAP = re.compile(r"__builtin_bswap(16|32|64)")
# What `INFINITY`, `HUGE_VAL` and `NAN` of math.h call, and its type.
SPECIAL = {
    f"__builtin_{word}{suffix}": (value, name)
    for word, value in (("inf", inf), ("huge_val", inf), ("nan", nan))
    for suffix, name in (("f", "float"), ("", "double"), ("l", "long double"))
}
FLOATING = ("float", "double", "long double")  # the usual conversions lead to the later


def is_floating(node: c_ast.Node, scope: Scope) -> bool:
    """Tell whether an arithmetic expression is of a floating type."""
    return floating_type(node, scope) != ""


def floating_type(node: c_ast.Node, scope: Scope) -> str:
    """Give an expression's type if it is a floating one, else nothing (C11 6.3.1.8)."""
    match chosen(node, scope):
        case c_ast.Constant(type=name):
            return name if name in FLOATING else ""
        case c_ast.UnaryOp(op="+" | "-", expr=operand):
            return floating_type(operand, scope)
        case c_ast.BinaryOp(op="+" | "-" | "*" | "/" | "%", left=left, right=right):
            return _wider(left, right, scope)
        case c_ast.TernaryOp(iftrue=left, iffalse=right):
            return _wider(left, right, scope)
        case c_ast.Cast(to_type=to_type):
            base = getattr(scope.type(to_type), "base", "")
            return base if base in FLOATING else ""
        case c_ast.FuncCall() as call:
            name = SPECIAL.get(called(call), (0.0, ""))[1]
            texts = [getattr(each, "value", "") for each in _arguments(call)]
            return name if texts == ['""'] * ("nan" in called(call)) else ""
    return ""


def _wider(left: c_ast.Node, right: c_ast.Node, scope: Scope) -> str:
    names = [floating_type(each, scope) for each in (left, right)]
    return max(names, key=("", *FLOATING).index)


def varies(node: c_ast.Node, varying: Collection[str]) -> bool:
    """Tell whether the value may be another one on another ABI.

    It is the same where there are but ints, of 32 bits everywhere, and operators on them:
    no size is asked for, nor a type whose width or sign differs.  `varying` are the
    enumerators whose values are not the same.
    """
    match node:
        case c_ast.Constant(type="int" | "unsigned int", value=text) if is_integer(
            text
        ):
            return "l" in text.lower() or number(text.rstrip("uU")) >= 1 << 31
        case c_ast.ID(name=name):
            return name in varying
        case c_ast.UnaryOp(op=op) if op in _MEASURES:
            return True
        case c_ast.UnaryOp() | c_ast.BinaryOp() | c_ast.TernaryOp():
            return any(varies(operand, varying) for operand in node)
    return True


def _offset_of(c_type: CType, path: c_ast.Node, scope: Scope) -> tuple[int, CType]:
    """Compute `offsetof` of a member's path (`a.b[2]`) in a type, in bytes (C11 7.19p3).

    It comes with the type of what is there.
    """
    match path:
        case c_ast.ID(name=name):
            field = _member(c_type, name, scope)
            return field.offset, field.type
        case c_ast.StructRef(type=".", name=outer, field=inner):
            start, c_type = _offset_of(c_type, outer, scope)
            offset, c_type = _offset_of(c_type, inner, scope)
            return start + offset, c_type
        case c_ast.ArrayRef(name=outer, subscript=subscript):
            start, c_type = _offset_of(c_type, outer, scope)
            if isinstance(c_type, Array):
                size, _ = scope.measure(c_type.element, subscript)
                index = evaluate(subscript, scope).value
                return start + index * size, c_type.element
    raise Unevaluable("offsetof takes a member, or an element of one")


def _member(record: CType, name: str, scope: Scope) -> Field:
    field = scope.member(record, name)
    if field is None:
        raise Unevaluable(f"'{spelling(record)}' has no member '{name}'")
    return field


class _Evaluator:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.int = scope.abi.integers["int"]
        self.size_t = scope.abi.integers["size_t"]
        self._is_evaluated = True

    def visit(self, node: c_ast.Node) -> CInt:
        node = chosen(node, self.scope)
        method: Callable[[c_ast.Node], CInt] | None = getattr(
            self, f"visit_{type(node).__name__}", None
        )
        if method is None:
            raise Unevaluable(
                f"{_DESCRIPTION.get(type(node).__name__, 'it')} is not a constant"
            )
        try:
            return method(node)
        except Unevaluable as reason:
            reason.node = reason.node or node
            raise

    def visit_Constant(self, node: c_ast.Constant) -> CInt:
        if node.type == "char":
            return character(node.value, self.scope.abi)
        if "int" in node.type and is_integer(node.value):
            return literal(node.value, self.scope.abi)
        if node.value.startswith("'"):
            raise Unevaluable(f"the value of {node.value} depends on the compiler")
        raise Unevaluable(f"{node.value} is not an integer")

    def visit_ID(self, node: c_ast.ID) -> CInt:
        value = self.scope.enumerator(node.name)
        if value is None:
            raise Unevaluable(f"'{node.name}' is not a constant")
        return value

    def visit_Cast(self, node: c_ast.Cast) -> CInt:
        target = self.integer_type(node.to_type)
        if is_floating(node.expr, self.scope):
            return self.truncate(node.expr, target)
        if isinstance(node.expr, c_ast.UnaryOp) and node.expr.op == "&":
            place, _ = self.place(node.expr.expr)
            return convert(CInt(place, self.size_t), target)
        return convert(self.visit(node.expr), target)

    def truncate(self, node: c_ast.Node, target: IntegerType) -> CInt:
        """Convert a floating number to an integer type, without its fraction (C11 6.3.1.4)."""
        if target.name == "_Bool":
            return CInt(int(self.is_true(node)), target)
        value = self.scope.truncated(node)
        if not target.holds(value):
            return self.no_value(f"{value} fits no {target.name}", target)
        return CInt(value, target)

    def place(self, node: c_ast.Node) -> tuple[int, CType]:
        """Give the address of a member of what is at a constant one, and the member's type.

        That is how `offsetof` was written before there was one: `&((struct pair *)0)->second`.
        """
        match node:
            case c_ast.StructRef(type=".", name=outer, field=field):
                start, record = self.place(outer)
            case c_ast.StructRef(type="->", name=c_ast.Cast() as outer, field=field):
                start, record = self.visit(outer.expr).value, self.scope.type(
                    outer.to_type
                )
                record = getattr(record, "target", None) or record
            case c_ast.ArrayRef(name=outer, subscript=subscript):
                start, array = self.place(outer)
                if isinstance(array, Array):
                    size, _ = self.scope.measure(array.element, subscript)
                    return start + self.visit(subscript).value * size, array.element
                raise Unevaluable("this address is not a constant")
            case _:
                raise Unevaluable("this address is not a constant")
        offset, c_type = _offset_of(record, field, self.scope)
        return start + offset, c_type

    def visit_UnaryOp(self, node: c_ast.UnaryOp) -> CInt:
        if node.op in _MEASURES and isinstance(node.expr, c_ast.Typename):
            c_type, size, alignment = self.scope.measured_type(node.expr)
            if node.op == "__alignof__" and not c_type.aligned:
                alignment = max(alignment, self.preferred(element(c_type)))
            return CInt(size if node.op == "sizeof" else alignment, self.size_t)
        if node.op == "sizeof" and is_string(node.expr):
            return CInt(size_of_string(node.expr.value), self.size_t)
        if node.op == "sizeof":
            c_type = expression_type(node.expr, self.scope)
            if isinstance(c_type, Array) and c_type.length is None:
                raise Unevaluable("the length of this array is not known")
            return CInt(self.scope.measure(c_type, node.expr)[0], self.size_t)
        if node.op == "!":
            return CInt(int(not self.is_true(node.expr)), self.int)
        operand = self.promote(self.visit(node.expr))
        operations: dict[str, Callable[[int], int]] = {
            "+": lambda value: value,
            "-": lambda value: -value,
            "~": lambda value: ~value,
        }
        if node.op not in operations:
            raise Unevaluable(f"unary {node.op} is not constant")
        return self.wrap(operations[node.op](operand.value), operand.type)

    def visit_BinaryOp(self, node: c_ast.BinaryOp) -> CInt:
        op = node.op
        if op in ("&&", "||"):
            left = self.is_true(node.left)
            if left is (op == "||"):
                return CInt(int(left), self.int)
            return CInt(int(self.is_true(node.right)), self.int)
        if op in COMPARISONS and any(
            is_floating(each, self.scope) for each in (node.left, node.right)
        ):
            return CInt(int(self.scope.compared(op, node.left, node.right)), self.int)
        left_operand = self.promote(self.visit(node.left))
        right_operand = self.promote(self.visit(node.right))
        if op in ("<<", ">>"):
            return self.shift(op, left_operand, right_operand)
        common = left_operand.type.common(right_operand.type)
        a, b = convert(left_operand, common).value, convert(right_operand, common).value
        if op in COMPARISONS:
            return CInt(int(COMPARISONS[op](a, b)), self.int)
        if op in ("/", "%"):
            if b == 0:
                return self.no_value("it divides by zero", common)
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            return self.wrap(quotient if op == "/" else a - b * quotient, common)
        return self.wrap(_ARITHMETIC[op](a, b), common)

    def shift(self, op: str, left: CInt, right: CInt) -> CInt:
        """Shift; the result has the promoted left operand's type (C11 6.5.7)."""
        if not 0 <= right.value < 8 * left.type.size:
            message = f"it shifts a {left.type.name} by {right.value}"
            return self.no_value(message, left.type)
        if op == ">>":
            return CInt(left.value >> right.value, left.type)
        # gcc and clang both define a left shift into or past the sign bit as wrapping.
        return convert(CInt(left.value << right.value, left.type), left.type)

    def visit_TernaryOp(self, node: c_ast.TernaryOp) -> CInt:
        if is_floating(node, self.scope):
            raise Unevaluable("it is not an integer")
        condition = self.is_true(node.cond)
        true = self.operand(node.iftrue, condition)
        false = self.operand(node.iffalse, not condition)
        common = self.promote(true).type.common(self.promote(false).type)
        return convert(true if condition else false, common)

    def is_true(self, node: c_ast.Node) -> bool:
        """Tell whether a scalar is not zero."""
        if is_floating(node, self.scope):
            return self.scope.compared("!=", node, ZERO)
        return self.visit(node).value != 0

    def operand(self, node: c_ast.Node, is_evaluated: bool) -> CInt:
        """Give an operand; of one that is not evaluated the type alone counts (C11 6.6p3)."""
        before = self._is_evaluated
        self._is_evaluated = before and is_evaluated
        try:
            return self.visit(node)
        finally:
            self._is_evaluated = before

    def no_value(self, reason: str, integer: IntegerType) -> CInt:
        """Refuse what has no value, but where none is asked for."""
        if self._is_evaluated:
            raise Unevaluable(reason)
        return CInt(0, integer)

    def visit_FuncCall(self, node: c_ast.FuncCall) -> CInt:
        match called(node), _arguments(node):
            case "offsetof", [record, member]:
                offset, _ = _offset_of(self.scope.type(record), member, self.scope)
                return CInt(offset, self.size_t)
            case "__builtin_constant_p", [operand]:
                return self.is_constant(operand)
            case name, [operand] if found := _OF_BITS.fullmatch(name):
                return self.of_bits(found[1], _SUFFIXES[found[2]], operand)
            case name, [operand] if found := _SWAP.fullmatch(name):
                abi = self.scope.abi
                integer = abi.fundamental(abi.integers[f"uint{found[1]}_t"])
                value = convert(self.visit(operand), integer).value
                swapped = value.to_bytes(integer.size, "big")
                return CInt(int.from_bytes(swapped, "little"), integer)
        raise Unevaluable("a function call is not a constant")

    def of_bits(self, name: str, c_type: str, node: c_ast.Node) -> CInt:
        """Count bits of a number of some type, as GNU C's function of that name does."""
        integer = self.scope.abi.integers[c_type]
        value = convert(self.visit(node), integer).value
        if not value and name in ("clz", "ctz"):
            return self.no_value(f"'{name}' of 0 has no value", self.int)
        return CInt(_COUNTS[name](value, 8 * integer.size), self.int)

    def is_constant(self, node: c_ast.Node) -> CInt:
        """Say that an expression is constant (GNU C); what else compilers know of is theirs."""
        try:
            if is_floating(node, self.scope):
                self.is_true(node)
            elif not is_string(node):
                self.visit(node)
        except Unevaluable as reason:
            message = f"whether this is known depends on the compiler: {reason}"
            raise Unevaluable(message) from None
        return CInt(1, self.int)

    def preferred(self, c_type: CType) -> int:
        """Give the alignment that gcc and clang prefer for a number, 1 for other types.

        On i386 that of 8 bytes is more than the ABI asks for.
        """
        if not isinstance(c_type, Scalar | Enumeration) or c_type.aligned:
            return 1
        size, _ = self.scope.abi.scalar(c_type.base)
        return 8 if size == 8 else 1

    def integer_type(self, node: c_ast.Node) -> IntegerType:
        """Give the integer type that a type name denotes."""
        c_type = self.scope.type(node)
        integers = self.scope.abi.integers
        if isinstance(c_type, Scalar | Enumeration) and c_type.base in integers:
            return integers[c_type.base]
        raise Unevaluable(f"'{spelling(c_type)}' is not an integer type")

    def promote(self, operand: CInt) -> CInt:
        """Promote an integer: what is narrower than int becomes int (C11 6.3.1.1)."""
        if operand.type.size < self.int.size:
            return CInt(operand.value, self.int)
        return operand

    def wrap(self, value: int, integer: IntegerType) -> CInt:
        """Fit an arithmetic result to its type; signed overflow has no value (C11 6.5p5)."""
        if integer.signed and not integer.holds(value):
            return self.no_value(f"it overflows {integer.name}", integer)
        return convert(CInt(value, integer), integer)


def is_string(node: c_ast.Node) -> bool:
    """Tell whether an expression is a text in quotes."""
    return isinstance(node, c_ast.Constant) and node.type.endswith("string")


ZERO = c_ast.Constant("int", "0")
_MEASURES = ("sizeof", "_Alignof", "__alignof__")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}
_DESCRIPTION = {
    "ExprList": "a list of expressions",
    "StructRef": "a member",
    "ArrayRef": "an array element",
    "Assignment": "an assignment",
    "CompoundLiteral": "a compound literal",
}
