"""Translate C expressions: the values that a ring macro's statements work with.

Takes expression nodes, the roles that names stand for and the ring's types; gives
`Value`s. `translate` builds statements of them. What is not understood is an
`Untranslatable`, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pycparser import c_ast

from xenbind.backend.rings.model import (
    Operation,
    Returns,
    RingTypes,
    Role,
    Side,
    Thing,
    Untranslatable,
)
from xenbind.backend.rings.values import (
    ATOM,
    BARRIERS,
    BINARY,
    COMPARE,
    COMPARISONS,
    INT,
    LONG,
    NOT,
    OR,
    SUM,
    TERNARY,
    UINT,
    ULONG,
    Value,
    common,
    convert,
    integer_type,
    named_type,
    reduce,
)
from xenbind.ir.abi import IntegerType
from xenbind.ir.c_types import Array, RecordRef
from xenbind.ir.interface import Field

_RECORDS = (Thing.REQUEST, Thing.RESPONSE)


@dataclass
class Expressions:
    """Translates the expressions of one macro, given the operations that it may call.

    `side` is what `self` is in the result: front, back, page, or none for a function;
    `names` are the macro's parameters and variables.
    """

    side: Side
    types: RingTypes
    operation: Callable[[str, Side, Sequence[IntegerType | Thing]], Operation]
    names: dict[str, Value] = field(default_factory=dict, kw_only=True)

    def expression(self, node: c_ast.Node) -> Value:
        match node:
            case c_ast.Constant():
                return self.constant(node)
            case c_ast.ID():
                if node.name not in self.names:
                    raise Untranslatable(f"the name '{node.name}'")
                return self.names[node.name]
            case c_ast.StructRef():
                return self.member(node)
            case c_ast.ArrayRef():
                return self.element(node)
            case c_ast.UnaryOp():
                return self.unary(node)
            case c_ast.BinaryOp():
                return self.binary(node)
            case c_ast.TernaryOp():
                return self.ternary(node)
            case c_ast.Cast():
                return self.cast(node)
            case c_ast.FuncCall():
                return self.call(node)
        raise Untranslatable(f"an expression of kind {type(node).__name__}")

    def constant(self, node: c_ast.Constant) -> Value:
        digits = node.value.rstrip("uUlL")
        if re.fullmatch(r"0[0-7]+", digits):
            digits = str(int(digits, 8))
        try:
            value = int(digits, 0)
        except ValueError:  # a character, a string, a floating number
            raise Untranslatable(f"the constant {node.value}") from None
        suffix = node.value[len(digits) :].lower()
        if value >= 1 << 31 and not (suffix or digits[:2].lower() == "0x"):
            raise Untranslatable(f"the constant {node.value}")
        wide = "l" in suffix or value >= 1 << 32
        unsigned = "u" in suffix or value >= 1 << 31
        integer = (ULONG if unsigned else LONG) if wide else (UINT if unsigned else INT)
        text = f"0x{digits[2:].upper()}" if digits[:2].lower() == "0x" else digits
        return Value(text, ATOM, integer)

    def member(self, node: c_ast.StructRef) -> Value:
        owner = self.expression(node.name)
        name = node.field.name
        if owner.type is Thing.HALF:
            if name == "sring":
                return Value(f"{owner.text}.sring", ATOM, Thing.PAGE)
            found = self.types.front.get(name) or self.types.back.get(name)
            if found is not None:
                return Value(f"{owner.text}.{name}", ATOM, integer_type(found))
        if owner.type is Thing.PAGE and name in self.types.page:
            return self.page_member(owner, self.types.page[name])
        if owner.type is Thing.UNION and owner.member is not None:
            inner = self.types.unions.get(f"{owner.member.name}.{name}")
            if inner is not None:
                return Value(owner.text, ATOM, Thing.BYTES, inner)
        if owner.type is Thing.ENTRY and name in _RECORDS:
            return Value(f"{owner.text}.{name}", ATOM, Thing(name))
        raise Untranslatable(f"the member '{name}'")

    def page_member(self, page: Value, found: Field) -> Value:
        match found.type:
            case Array(RecordRef()):
                return Value(page.text, ATOM, Thing.ENTRIES, found)
            case Array():
                return Value(page.text, ATOM, Thing.BYTES, found)
            case RecordRef():
                return Value(page.text, ATOM, Thing.UNION, found)
        if integer_type(found) != UINT:
            raise Untranslatable(f"the type of '{found.name}'")
        return Value(f"{page.text}.words[{found.name.upper()}]", ATOM, UINT, found)

    def element(self, node: c_ast.ArrayRef) -> Value:
        array, index = self.expression(node.name), self.expression(node.subscript)
        if array.type is not Thing.ENTRIES or not isinstance(index.type, IntegerType):
            raise Untranslatable("an element of this array")
        return Value(f"{array.text}.ring[{index.text}]", ATOM, Thing.ENTRY)

    def unary(self, node: c_ast.UnaryOp) -> Value:
        if node.op == "sizeof":
            return self.size_of(node.expr)
        operand = self.expression(node.expr)
        if node.op == "&" and operand.type in _RECORDS:
            return Value(operand.text, ATOM, Thing.RECORD, of=Thing(operand.type))
        if node.op == "!" and isinstance(operand.type, IntegerType):
            return Value(f"not {operand.at(NOT)}", NOT, INT)
        operations = {"-": "-", "~": "~"}
        if node.op in operations and operand.type in (UINT, ULONG):
            return reduce(f"{node.op}{operand.at(ATOM)}", SUM, operand.type)
        raise Untranslatable(f"the operator {node.op}")

    def size_of(self, node: c_ast.Node) -> Value:
        """`sizeof` of the entries' type, which is the version's, or of an array of bytes."""
        if isinstance(node, c_ast.ArrayRef):
            array = self.expression(node.name)
            if array.type is Thing.ENTRIES:
                return Value(f"{array.text}.entry_size", ATOM, ULONG)
        operand = self.expression(node)
        if operand.type is Thing.BYTES and operand.member:
            return Value(str(operand.member.size), ATOM, ULONG)
        raise Untranslatable("sizeof of this")

    def binary(self, node: c_ast.BinaryOp) -> Value:
        left, right = self.expression(node.left), self.expression(node.right)
        if node.op in COMPARISONS:
            left, right, _ = common(left, right)
            text = f"{left.at(OR)} {node.op} {right.at(OR)}"
            return Value(text, COMPARE, INT)
        if node.op in ("<<", ">>"):
            if not isinstance(left.type, IntegerType):
                raise Untranslatable(f"a shift of a {left.type}")
            integer = left.type
        elif node.op in BINARY:
            left, right, integer = common(left, right)
        else:
            raise Untranslatable(f"the operator {node.op}")
        if node.op in ("+", "-", "*"):
            # Sums and products are the same modulo 2^n, whenever they are reduced.
            left, right = left.unreduced or left, right.unreduced or right
        operator, binding = BINARY[node.op]
        text = f"{left.at(binding)} {operator} {right.at(binding + 1)}"
        if node.op in ("+", "-", "*", "<<"):
            return reduce(text, binding, integer)
        return Value(text, binding, integer)

    def ternary(self, node: c_ast.TernaryOp) -> Value:
        true, false = self.expression(node.iftrue), self.expression(node.iffalse)
        true, false, integer = common(true, false)
        condition = self.expression(node.cond).at(NOT)
        text = f"{true.at(NOT)} if {condition} else {false.at(TERNARY)}"
        return Value(text, TERNARY, integer)

    def cast(self, node: c_ast.Cast) -> Value:
        operand = self.expression(node.expr)
        if operand.type is Thing.RECORD:  # to volatile, and the like
            return operand
        if isinstance(node.to_type.type, c_ast.PtrDecl):
            raise Untranslatable("a cast to this pointer")
        target = named_type(node.to_type.type)
        if operand.type is Thing.PAGE and target == LONG:
            return Value(f"{operand.text}.address", ATOM, LONG)
        if operand.type is Thing.ENTRIES and target == LONG and operand.member:
            return Value(f"{operand.text}.ring_address", ATOM, LONG)
        return convert(operand, target)

    def call(self, node: c_ast.FuncCall) -> Value:
        name = node.name.name
        arguments = node.args.exprs if node.args else []
        if name in BARRIERS and not arguments:
            return Value(f"self.{name}()", ATOM, Thing.NOTHING)
        if name == "memset":
            return self.memset(*arguments)
        values = [self.expression(argument) for argument in arguments]
        called = self.operation(name, self.side, [value.type for value in values])
        if called.returns is Returns.NOTHING and Role.RESULT in called.roles:
            raise Untranslatable(f"a call of {name}, whose result is a parameter")
        receiver = ""
        passed = []
        for value, role in zip(values, called.roles, strict=True):
            if is_self(role, called.side):
                receiver = f"{value.text}."
            elif role is Role.INDEX:
                passed.append(convert(value, called.index_type).text)
            else:
                passed.append(value.text)
        text = f"{receiver}{called.name}({', '.join(passed)})"
        if receiver and (stands_for := _alias(called)):
            text = f"{receiver}{stands_for}"  # a call less on a monitor's way
        if called.returns in (Returns.REQUEST, Returns.RESPONSE):
            return Value(text, ATOM, Thing.RECORD, of=Thing(called.returns))
        if called.returns is Returns.NOTHING:
            return Value(text, ATOM, Thing.NOTHING)
        return Value(
            text, ATOM, INT if called.returns is Returns.BOOL else called.index_type
        )

    def memset(self, target: c_ast.Node, value: c_ast.Node, size: c_ast.Node) -> Value:
        """`memset` of a whole array of bytes in the page, to zero."""
        array, length = self.expression(target), self.expression(size)
        found = array.member
        if (
            array.type is not Thing.BYTES
            or not found
            or self.expression(value).text != "0"
        ):
            raise Untranslatable("memset of this")
        if length.text != str(found.size):
            raise Untranslatable("memset of a part")
        end = found.offset + found.size
        text = f"{array.text}.octets[{found.offset}:{end}] = bytes({length.text})"
        return Value(text, ATOM, Thing.NOTHING)


def is_self(role: Role, side: Side) -> bool:
    """Whether an argument of this role is what a method of that side is called on."""
    return role in (Role.FRONT, Role.BACK, Role.HALF) or (
        role is Role.PAGE and side is Side.PAGE
    )


def _alias(called: Operation) -> str:
    """The member or other macro that is all this one stands for; empty if there is more.

    `nr_ents` for RING_SIZE, `nr_unconsumed_requests()` for RING_HAS_UNCONSUMED_REQUESTS.
    """
    *others, last = called.lines
    what = last.removeprefix("return self.")
    return what if not others and what.removesuffix("()").isidentifier() else ""
