"""Translating ring.h: from a function-like macro's AST to the same statements in Python.

Takes the parsed body of each macro; gives an `Operation` for each one that works on a
half of a ring or on its shared page.  `rings` collects them, and a template places them.

What each parameter is, its uses tell: `(front)->req_prod_pvt` makes it a front half,
`(page)->req_prod` the shared page, `(notify) = …` the result, `*(copy) = …` a record
to be filled; anything else is a RING_IDX.  C's integer rules are kept: unsigned results
are reduced modulo 2^32 or 2^64, comparisons are made in the common type.  What is not
understood is an `Untranslatable`, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pycparser import c_ast

from .ir import Array, Field, Operation, Parameter, RecordRef, Scalar
from .layout import X86_64, IntegerType
from .names import python_name
from .typetable import fundamental


class Untranslatable(Exception):
    """Something in a macro that has no translation, and what it is."""


@dataclass(frozen=True, slots=True)
class MacroBody:
    """A function-like macro: its name as C has it, its parameters, its parsed body."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[c_ast.Node, ...]


@dataclass(frozen=True, slots=True)
class RingTypes:
    """The members of the three structs of a ring, by name; of its unions by path."""

    page: Mapping[str, Field]
    unions: Mapping[str, Field]
    front: Mapping[str, Field]
    back: Mapping[str, Field]


_UINT = X86_64.integers["unsigned int"]
_ULONG = X86_64.integers["unsigned long"]
_INT = X86_64.integers["int"]
_LONG = X86_64.integers["long"]
_MASK = {4: "U32", 8: "U64"}

# Python's precedence, from loosest to tightest.
_TERNARY, _NOT, _COMPARE, _OR, _XOR, _AND, _SHIFT, _SUM, _PRODUCT, _ATOM = range(10)
_BINARY = {
    "*": ("*", _PRODUCT),
    "/": ("//", _PRODUCT),
    "%": ("%", _PRODUCT),
    "+": ("+", _SUM),
    "-": ("-", _SUM),
    "<<": ("<<", _SHIFT),
    ">>": (">>", _SHIFT),
    "&": ("&", _AND),
    "^": ("^", _XOR),
    "|": ("|", _OR),
}
_COMPARISONS = ("<", ">", "<=", ">=", "==", "!=")
_BARRIERS = ("xen_mb", "xen_rmb", "xen_wmb")


@dataclass(frozen=True, slots=True)
class Value:
    """A translated expression: Python text, how tightly it binds, and what it is in C.

    `type` is an integer type, or the word for what is no number: half, page, union,
    bytes, entries, entry, req, rsp, record, nothing.  `member` is the page's member that
    an lvalue stands for; `kind` tells a request (req) from a response (rsp).
    """

    text: str
    binding: int
    type: IntegerType | str
    member: Field | None = None
    kind: str = ""

    def at(self, binding: int) -> str:
        """The text, in parentheses where it binds more loosely than its place wants."""
        return self.text if self.binding >= binding else f"({self.text})"


def roles(
    macro: MacroBody, types: RingTypes, known: Mapping[str, Sequence[str]]
) -> list[str]:
    """What each parameter is: front, back, half, page, result, record or index.

    `known` has the roles of the macros that this one may call.
    """
    finder = _RoleFinder(macro.parameters, types, known)
    for node in macro.body:
        finder.visit(node)
    return [finder.role(name) for name in macro.parameters]


class _RoleFinder(c_ast.NodeVisitor):  # type: ignore[misc]
    def __init__(
        self,
        parameters: Sequence[str],
        types: RingTypes,
        known: Mapping[str, Sequence[str]],
    ) -> None:
        self.found: dict[str, set[str]] = {name: set() for name in parameters}
        self.types = types
        self.known = known

    def note(self, node: c_ast.Node, role: str) -> None:
        if isinstance(node, c_ast.ID) and node.name in self.found:
            self.found[node.name].add(role)

    def role(self, name: str) -> str:
        found = (
            self.found[name] - {"half"}
            if len(self.found[name]) > 1
            else self.found[name]
        )
        if len(found) > 1:
            raise Untranslatable(
                f"its parameter '{name}' is both {' and '.join(sorted(found))}"
            )
        return next(iter(found), "index")

    def visit_StructRef(self, node: c_ast.StructRef) -> None:
        name = node.field.name
        on_front, on_back = name in self.types.front, name in self.types.back
        if on_front and on_back:
            self.note(node.name, "half")
        elif on_front or on_back:
            self.note(node.name, "front" if on_front else "back")
        elif name in self.types.page:
            self.note(node.name, "page")
        self.visit(node.name)

    def visit_Assignment(self, node: c_ast.Assignment) -> None:
        self.note(node.lvalue, "result")
        if isinstance(node.lvalue, c_ast.UnaryOp) and node.lvalue.op == "*":
            self.note(node.lvalue.expr, "record")
        if (
            isinstance(node.lvalue, c_ast.StructRef)
            and node.lvalue.field.name == "sring"
        ):
            self.note(node.rvalue, "page")
        self.generic_visit(node)

    def visit_FuncCall(self, node: c_ast.FuncCall) -> None:
        arguments = node.args.exprs if node.args else []
        for argument, role in zip(
            arguments, self.known.get(node.name.name, ()), strict=False
        ):
            if role != "index":
                self.note(argument, role)
        self.generic_visit(node)


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
    index_type: IntegerType = _UINT
    names: dict[str, Value] = field(default_factory=dict)
    result: str | None = None

    def translate(self, python: str, doc: str) -> Operation:
        """The operation under its Python name, its body as lines without indentation."""
        parameters = []
        for name, role in zip(self.macro.parameters, self.roles, strict=True):
            text = python_name(name.strip("_"), ())
            if role in ("front", "back", "half") or (
                role == "page" and self.side == "page"
            ):
                self.names[name] = Value(
                    "self", _ATOM, "page" if role == "page" else "half"
                )
                continue
            if role == "result":
                self.result = text
                self.names[name] = Value(text, _ATOM, _UINT)
                continue
            kinds: dict[str, IntegerType | str] = {"page": "page", "record": "record"}
            self.names[name] = Value(text, _ATOM, kinds.get(role, self.index_type))
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
        return "bool" if value.binding in (_COMPARE, _NOT) else "int"

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
        target = _named_type(node.type)
        value = self.convert(self.expression(node.init), target)
        text = python_name(node.name.strip("_"), {v.text for v in self.names.values()})
        self.names[node.name] = Value(text, _ATOM, target)
        return f"{text} = {value.text}"

    def assign(self, node: c_ast.Assignment) -> str:
        if node.op != "=":
            raise Untranslatable(f"the assignment {node.op}")
        if isinstance(node.lvalue, c_ast.UnaryOp) and node.lvalue.op == "*":
            return self.copy_record(node)
        target, value = self.expression(node.lvalue), self.expression(node.rvalue)
        if isinstance(target.type, IntegerType):
            value = self.convert(value, target.type)
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
        type = (
            (_ULONG if unsigned else _LONG) if wide else (_UINT if unsigned else _INT)
        )
        text = f"0x{digits[2:].upper()}" if digits[:2].lower() == "0x" else digits
        return Value(text, _ATOM, type)

    def member(self, node: c_ast.StructRef) -> Value:
        owner = self.expression(node.name)
        name = node.field.name
        if owner.type == "half":
            if name == "sring":
                return Value(f"{owner.text}.sring", _ATOM, "page")
            found = self.types.front.get(name) or self.types.back.get(name)
            if found is not None:
                return Value(f"{owner.text}.{name}", _ATOM, _integer(found))
        if owner.type == "page" and name in self.types.page:
            return self.page_member(owner, self.types.page[name])
        if owner.type == "union" and owner.member is not None:
            inner = self.types.unions.get(f"{owner.member.name}.{name}")
            if inner is not None:
                return Value(owner.text, _ATOM, "bytes", inner)
        if owner.type == "entry" and name in ("req", "rsp"):
            return Value(f"{owner.text}.{name}", _ATOM, name)
        raise Untranslatable(f"the member '{name}'")

    def page_member(self, page: Value, found: Field) -> Value:
        match found.type:
            case Array(RecordRef()):
                return Value(page.text, _ATOM, "entries", found)
            case Array():
                return Value(page.text, _ATOM, "bytes", found)
            case RecordRef():
                return Value(page.text, _ATOM, "union", found)
        if _integer(found) != _UINT:
            raise Untranslatable(f"the type of '{found.name}'")
        return Value(f"{page.text}.words[{found.name.upper()}]", _ATOM, _UINT, found)

    def element(self, node: c_ast.ArrayRef) -> Value:
        array, index = self.expression(node.name), self.expression(node.subscript)
        if array.type != "entries" or not isinstance(index.type, IntegerType):
            raise Untranslatable("an element of this array")
        return Value(f"{array.text}.ring[{index.text}]", _ATOM, "entry")

    def unary(self, node: c_ast.UnaryOp) -> Value:
        if node.op == "sizeof":
            return self.size_of(node.expr)
        operand = self.expression(node.expr)
        if node.op == "&" and operand.type in ("req", "rsp"):
            return Value(operand.text, _ATOM, "record", None, str(operand.type))
        if node.op == "!" and isinstance(operand.type, IntegerType):
            return Value(f"not {operand.at(_NOT)}", _NOT, _INT)
        operations = {"-": "-", "~": "~"}
        if node.op in operations and operand.type in (_UINT, _ULONG):
            return self.reduce(f"{node.op}{operand.at(_ATOM)}", _SUM, operand.type)
        raise Untranslatable(f"the operator {node.op}")

    def size_of(self, node: c_ast.Node) -> Value:
        """`sizeof` of the entries' type, which is the version's, or of an array of bytes."""
        if isinstance(node, c_ast.ArrayRef):
            array = self.expression(node.name)
            if array.type == "entries":
                return Value(f"{array.text}.entry_size", _ATOM, _ULONG)
        operand = self.expression(node)
        if operand.type == "bytes" and operand.member:
            return Value(str(operand.member.size), _ATOM, _ULONG)
        raise Untranslatable("sizeof of this")

    def binary(self, node: c_ast.BinaryOp) -> Value:
        left, right = self.expression(node.left), self.expression(node.right)
        if node.op in _COMPARISONS:
            left, right, _ = self.common(left, right)
            text = f"{left.at(_OR)} {node.op} {right.at(_OR)}"
            return Value(text, _COMPARE, _INT)
        if node.op in ("<<", ">>"):
            if not isinstance(left.type, IntegerType):
                raise Untranslatable(f"a shift of a {left.type}")
            type = left.type
        elif node.op in _BINARY:
            left, right, type = self.common(left, right)
        else:
            raise Untranslatable(f"the operator {node.op}")
        operator, binding = _BINARY[node.op]
        text = f"{left.at(binding)} {operator} {right.at(binding + 1)}"
        if node.op in ("+", "-", "*", "<<"):
            return self.reduce(text, binding, type)
        return Value(text, binding, type)

    def reduce(self, text: str, binding: int, type: IntegerType | str) -> Value:
        """An arithmetic result in its type: unsigned ones wrap around (C11 6.2.5)."""
        if not isinstance(type, IntegerType):
            raise Untranslatable(f"arithmetic on a {type}")
        if type.signed:  # overflow is undefined in C, and does not happen in Python
            return Value(text, binding, type)
        return Value(f"({text}) & {_MASK[type.size]}", _AND, type)

    def ternary(self, node: c_ast.TernaryOp) -> Value:
        true, false = self.expression(node.iftrue), self.expression(node.iffalse)
        true, false, type = self.common(true, false)
        condition = self.expression(node.cond).at(_NOT)
        text = f"{true.at(_NOT)} if {condition} else {false.at(_TERNARY)}"
        return Value(text, _TERNARY, type)

    def cast(self, node: c_ast.Cast) -> Value:
        operand = self.expression(node.expr)
        if operand.type == "record":  # to volatile, and the like
            return operand
        if isinstance(node.to_type.type, c_ast.PtrDecl):
            raise Untranslatable("a cast to this pointer")
        target = _named_type(node.to_type.type)
        if operand.type == "page" and target == _LONG:
            return Value(f"{operand.text}.address", _ATOM, _LONG)
        if operand.type == "entries" and target == _LONG and operand.member:
            return Value(
                f"{operand.text}.address + {operand.member.offset}", _SUM, _LONG
            )
        return self.convert(operand, target)

    def call(self, node: c_ast.FuncCall) -> Value:
        name = node.name.name
        arguments = node.args.exprs if node.args else []
        if name in _BARRIERS and not arguments:
            return Value(f"self.{name}()", _ATOM, "nothing")
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
                passed.append(self.convert(value, called.index_type).text)
            else:
                passed.append(value.text)
        text = f"{receiver}{called.name}({', '.join(passed)})"
        if called.returns in ("req", "rsp"):
            return Value(text, _ATOM, "record", None, called.returns)
        if called.returns == "None":
            return Value(text, _ATOM, "nothing")
        return Value(
            text, _ATOM, _INT if called.returns == "bool" else called.index_type
        )

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
        return Value(text, _ATOM, "nothing")

    # --- C's conversions --------------------------------------------------------------

    def common(self, left: Value, right: Value) -> tuple[Value, Value, IntegerType]:
        """Both operands in their common type (C11 6.3.1.8)."""
        if not isinstance(left.type, IntegerType) or not isinstance(
            right.type, IntegerType
        ):
            raise Untranslatable(f"an operator on a {left.type} and a {right.type}")
        wider = left.type if left.type.size >= right.type.size else right.type
        if left.type.size == right.type.size and left.type.signed:
            wider = right.type
        return self.convert(left, wider), self.convert(right, wider), wider

    def convert(self, value: Value, target: IntegerType) -> Value:
        """A value in another integer type (C11 6.3.1.3)."""
        source = value.type
        if not isinstance(source, IntegerType):
            raise Untranslatable(f"a {source} where a number is wanted")
        if source == target or (not source.signed and target.size > source.size):
            return replace(value, type=target)
        if source.signed and (target.signed and target.size >= source.size):
            return replace(value, type=target)
        if not target.signed:
            if value.text[0].isdigit() or value.binding in (_COMPARE, _NOT):
                return replace(value, type=target)  # a literal, or 0 or 1: not negative
            return Value(f"{value.at(_AND)} & {_MASK[target.size]}", _AND, target)
        raise Untranslatable(f"a conversion from {source.name} to {target.name}")


def _is_statement(node: c_ast.Node) -> bool:
    return isinstance(node, c_ast.DoWhile | c_ast.If | c_ast.Assignment)


def _integer(member: Field) -> IntegerType:
    """The integer type of a member of a ring's struct."""
    if isinstance(member.type, Scalar) and member.type.base in X86_64.integers:
        return X86_64.integers[member.type.base]
    raise Untranslatable(f"the type of '{member.name}'")


def _named_type(node: c_ast.Node) -> IntegerType:
    """The integer type of a declaration or cast: RING_IDX is an unsigned int."""
    if isinstance(node, c_ast.TypeDecl) and isinstance(node.type, c_ast.IdentifierType):
        name = fundamental(" ".join(node.type.names))
        if name == "RING_IDX":
            return _UINT
        if name in X86_64.integers:
            return X86_64.integers[name]
    raise Untranslatable("a cast to this type")
