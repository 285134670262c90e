"""Translating ring.h: from a function-like macro's AST to the same statements in Python.

Takes the parsed body of each macro and the roles of its parameters; gives an `Operation`
for each one that works on a half of a ring or on its shared page. `rings` collects them.
What is not understood is an `Untranslatable`, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pycparser import c_ast

from .ir import Array, Field, Operation, Parameter, RecordRef
from .layout import IntegerType
from .macroroles import MacroBody, RingTypes, Untranslatable
from .macrovalues import (
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
from .names import python_name

# What the translated lines themselves refer to.
_GLOBALS = frozenset(["self", "assign", "ctypes", "U32", "U64"])


@dataclass
class Translator:
    """Translates one macro, given the operations that it may call.

    `side` is what `self` is in the result: front, back, page, or none for a function.
    """

    macro: MacroBody
    side: str
    roles: Sequence[str]
    types: RingTypes
    operation: Callable[[str, str, Sequence[IntegerType | str]], Operation]
    index_type: IntegerType = UINT
    names: dict[str, Value] = field(default_factory=dict)
    result: str | None = None

    def translate(self, python: str, doc: str) -> Operation:
        """The operation under its Python name, its body as lines without indentation."""
        parameters: list[Parameter] = []
        for name, role in zip(self.macro.parameters, self.roles, strict=True):
            taken = {*_GLOBALS, *(parameter.name for parameter in parameters)}
            text = python_name(name.strip("_"), taken)
            if role in ("front", "back", "half") or (
                role == "page" and self.side == "page"
            ):
                self.names[name] = Value(
                    "self", ATOM, "page" if role == "page" else "half"
                )
                continue
            if role == "result":
                self.result = text
                self.names[name] = Value(text, ATOM, UINT)
                continue
            kinds: dict[str, IntegerType | str] = {"page": "page", "record": "record"}
            self.names[name] = Value(text, ATOM, kinds.get(role, self.index_type))
            parameters.append(Parameter(text, role))
        lines, returns = self.body()
        return Operation(
            macro=self.macro.name,
            name=python,
            side=self.side,
            roles=tuple(self.roles),
            parameters=tuple(parameters),
            returns=returns,
            lines=tuple(lines),
            index_type=self.index_type,
            doc=doc,
        )

    def body(self) -> tuple[list[str], str]:
        """The statements, and what they return: int, bool, req, rsp or None."""
        if len(self.macro.body) == 1 and not _is_statement(self.macro.body[0]):
            node = self.macro.body[0]
            if isinstance(node, c_ast.Compound):  # a GNU statement expression
                *before, node = node.block_items
            else:
                before = []
            lines = [line for statement in before for line in self.statement(statement)]
            value = self.expression(node)
            if value.type == "nothing":
                return [*lines, value.text], "None"
            return [*lines, f"return {value.text}"], self.kind(value)
        lines = [line for node in self.macro.body for line in self.statement(node)]
        if self.result is None:
            return lines, "None"
        last = lines[-1].removeprefix(f"{self.result} = ")
        if last != lines[-1]:
            return [*lines[:-1], f"return {last}"], "int"
        return [*lines, f"return {self.result}"], "int"

    def kind(self, value: Value) -> str:
        if value.type == "record":
            return value.kind
        return "bool" if value.binding in (COMPARE, NOT) else "int"

    # --- statements -------------------------------------------------------------------

    def statement(self, node: c_ast.Node) -> list[str]:
        match node:
            case c_ast.DoWhile():
                if not (
                    isinstance(node.cond, c_ast.Constant) and node.cond.value == "0"
                ):
                    raise Untranslatable("a loop")
                return self.statement(node.stmt)
            case c_ast.Compound():
                return [
                    line
                    for item in node.block_items or ()
                    for line in self.statement(item)
                ]
            case c_ast.EmptyStatement():
                return []
            case c_ast.Decl():
                return [self.declare(node)]
            case c_ast.Assignment(rvalue=c_ast.Assignment()):  # a = b = c
                inner = node.rvalue
                outer = c_ast.Assignment(node.op, node.lvalue, inner.rvalue)
                return [self.assign(inner), self.assign(outer)]
            case c_ast.Assignment():
                return [self.assign(node)]
            case c_ast.If():
                lines = [f"if {self.condition(node.cond)}:", *self.block(node.iftrue)]
                if node.iffalse is not None:
                    lines += ["else:", *self.block(node.iffalse)]
                return lines
            case c_ast.Break():
                return [f"return {self.result}" if self.result else "return"]
            case c_ast.FuncCall() | c_ast.Cast():
                call = node.expr if isinstance(node, c_ast.Cast) else node
                if isinstance(call, c_ast.FuncCall):
                    return [self.expression(call).text]
        raise Untranslatable(f"a statement of kind {type(node).__name__}")

    def block(self, node: c_ast.Node) -> list[str]:
        return [f"    {line}" for line in self.statement(node) or ["pass"]]

    def declare(self, node: c_ast.Decl) -> str:
        if node.init is None or not isinstance(node.type, c_ast.TypeDecl):
            raise Untranslatable(f"the declaration of '{node.name}'")
        target = named_type(node.type)
        value = convert(self.expression(node.init), target)
        taken = {*_GLOBALS, *(value.text for value in self.names.values())}
        text = python_name(node.name.strip("_"), taken)
        self.names[node.name] = Value(text, ATOM, target)
        return f"{text} = {value.text}"

    def assign(self, node: c_ast.Assignment) -> str:
        if node.op != "=":
            raise Untranslatable(f"the assignment {node.op}")
        if isinstance(node.lvalue, c_ast.UnaryOp) and node.lvalue.op == "*":
            return self.copy_record(node)
        target, value = self.expression(node.lvalue), self.expression(node.rvalue)
        if isinstance(target.type, IntegerType):
            value = convert(value, target.type)
        elif target.type != value.type:
            raise Untranslatable(f"the assignment to {target.text}")
        return f"{target.text} = {value.text}"

    def copy_record(self, node: c_ast.Assignment) -> str:
        source = node.rvalue
        if not (isinstance(source, c_ast.UnaryOp) and source.op == "*"):
            raise Untranslatable("the assignment to a record")
        target, value = self.expression(node.lvalue.expr), self.expression(source.expr)
        if (target.type, value.type) != ("record", "record"):
            raise Untranslatable("the assignment to a record")
        return f"assign({target.text}, {value.text})"

    def condition(self, node: c_ast.Node) -> str:
        return self.expression(node).text

    # --- expressions ------------------------------------------------------------------

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
        value = int(digits, 0)
        suffix = node.value[len(digits) :].lower()
        if value >= 1 << 31 and not (suffix or digits[:2].lower() == "0x"):
            raise Untranslatable(f"the constant {node.value}")
        wide = "l" in suffix or value >= 1 << 32
        unsigned = "u" in suffix or value >= 1 << 31
        type = (ULONG if unsigned else LONG) if wide else (UINT if unsigned else INT)
        text = f"0x{digits[2:].upper()}" if digits[:2].lower() == "0x" else digits
        return Value(text, ATOM, type)

    def member(self, node: c_ast.StructRef) -> Value:
        owner = self.expression(node.name)
        name = node.field.name
        if owner.type == "half":
            if name == "sring":
                return Value(f"{owner.text}.sring", ATOM, "page")
            found = self.types.front.get(name) or self.types.back.get(name)
            if found is not None:
                return Value(f"{owner.text}.{name}", ATOM, integer_type(found))
        if owner.type == "page" and name in self.types.page:
            return self.page_member(owner, self.types.page[name])
        if owner.type == "union" and owner.member is not None:
            inner = self.types.unions.get(f"{owner.member.name}.{name}")
            if inner is not None:
                return Value(owner.text, ATOM, "bytes", inner)
        if owner.type == "entry" and name in ("req", "rsp"):
            return Value(f"{owner.text}.{name}", ATOM, name)
        raise Untranslatable(f"the member '{name}'")

    def page_member(self, page: Value, found: Field) -> Value:
        match found.type:
            case Array(RecordRef()):
                return Value(page.text, ATOM, "entries", found)
            case Array():
                return Value(page.text, ATOM, "bytes", found)
            case RecordRef():
                return Value(page.text, ATOM, "union", found)
        if integer_type(found) != UINT:
            raise Untranslatable(f"the type of '{found.name}'")
        return Value(f"{page.text}.words[{found.name.upper()}]", ATOM, UINT, found)

    def element(self, node: c_ast.ArrayRef) -> Value:
        array, index = self.expression(node.name), self.expression(node.subscript)
        if array.type != "entries" or not isinstance(index.type, IntegerType):
            raise Untranslatable("an element of this array")
        return Value(f"{array.text}.ring[{index.text}]", ATOM, "entry")

    def unary(self, node: c_ast.UnaryOp) -> Value:
        if node.op == "sizeof":
            return self.size_of(node.expr)
        operand = self.expression(node.expr)
        if node.op == "&" and operand.type in ("req", "rsp"):
            return Value(operand.text, ATOM, "record", None, str(operand.type))
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
            if array.type == "entries":
                return Value(f"{array.text}.entry_size", ATOM, ULONG)
        operand = self.expression(node)
        if operand.type == "bytes" and operand.member:
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
            type = left.type
        elif node.op in BINARY:
            left, right, type = common(left, right)
        else:
            raise Untranslatable(f"the operator {node.op}")
        operator, binding = BINARY[node.op]
        text = f"{left.at(binding)} {operator} {right.at(binding + 1)}"
        if node.op in ("+", "-", "*", "<<"):
            return reduce(text, binding, type)
        return Value(text, binding, type)

    def ternary(self, node: c_ast.TernaryOp) -> Value:
        true, false = self.expression(node.iftrue), self.expression(node.iffalse)
        true, false, type = common(true, false)
        condition = self.expression(node.cond).at(NOT)
        text = f"{true.at(NOT)} if {condition} else {false.at(TERNARY)}"
        return Value(text, TERNARY, type)

    def cast(self, node: c_ast.Cast) -> Value:
        operand = self.expression(node.expr)
        if operand.type == "record":  # to volatile, and the like
            return operand
        if isinstance(node.to_type.type, c_ast.PtrDecl):
            raise Untranslatable("a cast to this pointer")
        target = named_type(node.to_type.type)
        if operand.type == "page" and target == LONG:
            return Value(f"{operand.text}.address", ATOM, LONG)
        if operand.type == "entries" and target == LONG and operand.member:
            return Value(f"{operand.text}.address + {operand.member.offset}", SUM, LONG)
        return convert(operand, target)

    def call(self, node: c_ast.FuncCall) -> Value:
        name = node.name.name
        arguments = node.args.exprs if node.args else []
        if name in BARRIERS and not arguments:
            return Value(f"self.{name}()", ATOM, "nothing")
        if name == "memset":
            return self.memset(*arguments)
        values = [self.expression(argument) for argument in arguments]
        called = self.operation(name, self.side, [value.type for value in values])
        if called.returns == "None" and "result" in called.roles:
            raise Untranslatable(f"a call of {name}, whose result is a parameter")
        receiver = ""
        passed = []
        for value, role in zip(values, called.roles, strict=True):
            if role in ("front", "back", "half") or (
                role == "page" and called.side == "page"
            ):
                receiver = f"{value.text}."
            elif role == "index":
                passed.append(convert(value, called.index_type).text)
            else:
                passed.append(value.text)
        text = f"{receiver}{called.name}({', '.join(passed)})"
        if called.returns in ("req", "rsp"):
            return Value(text, ATOM, "record", None, called.returns)
        if called.returns == "None":
            return Value(text, ATOM, "nothing")
        return Value(text, ATOM, INT if called.returns == "bool" else called.index_type)

    def memset(self, target: c_ast.Node, value: c_ast.Node, size: c_ast.Node) -> Value:
        """`memset` of a whole array of bytes in the page, to zero."""
        array, length = self.expression(target), self.expression(size)
        found = array.member
        if array.type != "bytes" or not found or self.expression(value).text != "0":
            raise Untranslatable("memset of this")
        if length.text != str(found.size):
            raise Untranslatable("memset of a part")
        end = found.offset + found.size
        text = f"{array.text}.octets[{found.offset}:{end}] = bytes({length.text})"
        return Value(text, ATOM, "nothing")


def _is_statement(node: c_ast.Node) -> bool:
    return isinstance(node, c_ast.DoWhile | c_ast.If | c_ast.Assignment)
