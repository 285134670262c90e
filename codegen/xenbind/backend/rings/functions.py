"""Translate the functions of a flex ring: from C's definitions to Python ones.

Takes a `FlexRing`, whose functions are text; gives its `Translated`s.  `flex_module` makes
static methods of them.  A pointer to bytes is a memoryview; a pointer to an index is that
index, which the function gives back.  What is not understood is an `Untranslatable`, never
a guess.

    memcpy(opaque, buf + *masked_cons, size);
    *masked_cons = name_mask(*masked_cons + size, ring_size);

becomes

    memcpy(opaque, buf[masked_cons :], size)
    return Functions.mask((masked_cons + size) & U32, ring_size)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pycparser import c_ast

from xenbind.backend.names import python_name
from xenbind.backend.python_text import LINE
from xenbind.backend.rings.expressions import Expressions
from xenbind.backend.rings.model import (
    Operation,
    RingTypes,
    Side,
    Thing,
    Translated,
    Untranslatable,
)
from xenbind.backend.rings.values import (
    ATOM,
    BOTH,
    COMPARE,
    EITHER,
    INT,
    OR,
    SUM,
    TRUTHS,
    Value,
    common,
    convert,
)
from xenbind.errors import SourceError
from xenbind.frontend import gnu_c
from xenbind.ir.abi import X86_64, IntegerType
from xenbind.ir.c_types import fundamental
from xenbind.ir.interface import FlexRing, RingMacro
from xenbind.plain import replace
from xenbind.source import Coord

_COPIES = ("memcpy", "memmove", "__builtin_memcpy", "__builtin_memmove")
_BYTES = ("char", "signed char", "unsigned char", "void")
_SIZE = "ring_size"


def functions(ring: FlexRing, owner: str) -> tuple[Translated, ...]:
    """Translate all functions of a ring, which are to be methods of the class `owner`.

    Raises `SourceError` at what has no translation.
    """
    types = dict(ring.types)
    typedefs = "".join(f"typedef int {name};\n" for name in types)
    found = [
        (each.role, each.name, each.definition, each.coord) for each in ring.functions
    ]
    if ring.size is not None:
        found.append((_SIZE, ring.size.name, _as_function(ring.size), ring.size.coord))
    made: list[_Function] = []
    for role, name, definition, coord in found:
        with _refused(name, coord):
            made.append(_Function(_parsed(typedefs + definition), role, types))
    methods = {each.name: each for each in made}
    translated = []
    for each, (_, name, _, coord) in zip(made, found, strict=True):
        with _refused(name, coord):
            translated.append(each.translate(owner, methods))
    return tuple(translated)


def _as_function(macro: RingMacro) -> str:
    """Write a macro of a ring's order as a function: it is called with a number."""
    [order] = macro.parameters
    return (
        f"unsigned long {macro.name}(unsigned {order}) {{ return {macro.expansion}; }}"
    )


@contextmanager
def _refused(name: str, coord: Coord) -> Iterator[None]:
    """Make a `SourceError` at this place of what has no translation within."""
    try:
        yield
    except Untranslatable as reason:
        raise SourceError(
            coord,
            f"cannot translate {name}: {reason} is not understood",
            f"mend it, or list '{name}' under 'skip' in the spec to do without",
        ) from None


def _parsed(text: str) -> c_ast.FuncDef:
    try:
        *_, node = gnu_c.parse(text, keeps_bodies=True).ext
    except gnu_c.NotParsed as error:
        raise Untranslatable(f"'{error.word}'") from None
    return node


def _no_operation(
    name: str, caller: Side, arguments: Sequence[IntegerType | Thing]
) -> Operation:
    raise Untranslatable(f"a call of {name}")


class _Place(Value, frozen=True):
    """A pointer: to the first byte of a memoryview, or to one so many bytes behind it."""

    offset: Value | None = None

    def moved(self, by: Value, operator: str) -> _Place:
        """Give the pointer to so many bytes further on or back."""
        if not isinstance(by.type, IntegerType):
            raise Untranslatable(f"arithmetic on a pointer and a {by.type}")
        if self.offset is None:
            if operator == "-":
                raise Untranslatable("a pointer to before what it was given")
            return replace(self, offset=by)
        text = f"{self.offset.at(SUM)} {operator} {by.at(SUM + 1)}"
        return replace(self, offset=Value(text, SUM, INT))

    def view(self) -> str:
        """Write the memory from there on."""
        return (
            self.text if self.offset is None else f"{self.text}[{self.offset.text} :]"
        )


class _Function(Expressions):
    """A function that is to be translated, and what it is called with.

    `typedefs` says what the type names stand for.
    """

    def __init__(
        self, node: c_ast.FuncDef, role: str, typedefs: Mapping[str, str]
    ) -> None:
        super().__init__(Side.NONE, RingTypes({}, {}, {}, {}), _no_operation)
        self.node = node
        self.name: str = node.decl.name
        self.role = role
        self.typedefs = typedefs
        declared = node.decl.type
        self.declared = list(declared.args.params if declared.args else ())
        self.takes = [self.typed(each.type) for each in self.declared]
        self.gives = self.typed(declared.type)
        if self.takes.count(Thing.CELL) != (self.gives is Thing.NOTHING):
            raise Untranslatable("what it changes and gives back")
        self.cell = Value("", ATOM, INT)  # the index that it changes, if it does

    def translate(self, owner: str, methods: Mapping[str, _Function]) -> Translated:
        """Translate it to a method of `owner`; it may call the others."""
        self.owner = owner
        self.methods = methods
        self.taken = {"U32", "U64", "memcpy", owner}
        parameters = [
            self.parameter(node, found)
            for node, found in zip(self.declared, self.takes, strict=True)
        ]
        lines = self.statement(self.node.body)
        if self.gives is Thing.NOTHING:
            lines.append(f"return {self.cell.text}")
        return Translated(
            role=self.role,
            name=self.name,
            parameters=tuple(parameters),
            returns="memoryview" if self.gives is Thing.POINTER else "int",
            lines=tuple(_returned_at_once(lines)),
        )

    def parameter(
        self, node: c_ast.Decl, found: IntegerType | Thing
    ) -> tuple[str, str]:
        name = self.claim(node.name)
        if found is Thing.POINTER:
            self.names[node.name] = _Place(name, ATOM, Thing.POINTER)
            return name, "memoryview"
        self.names[node.name] = Value(name, ATOM, found)
        if found is Thing.CELL:
            self.cell = Value(name, ATOM, self.typed(node.type.type))
        return name, "int"

    def claim(self, c_name: str) -> str:
        name = python_name(c_name.strip("_"), self.taken)
        self.taken.add(name)
        return name

    def typed(self, node: c_ast.Node) -> IntegerType | Thing:
        """Tell what a declaration's type is: a number, bytes, an index, or nothing."""
        if isinstance(node, c_ast.PtrDecl):
            name = self.type_name(node.type)
            if name in _BYTES:
                return Thing.POINTER
            if name in X86_64.integers:
                return Thing.CELL
            raise Untranslatable("this pointer")
        name = self.type_name(node)
        if name == "void":
            return Thing.NOTHING
        if name in X86_64.integers:
            return X86_64.integers[name]
        raise Untranslatable(f"the type {name}")

    def is_void(self, node: c_ast.Node) -> bool:
        return self.typed(node) is Thing.NOTHING

    def type_name(self, node: c_ast.Node) -> str:
        if not isinstance(node, c_ast.TypeDecl) or not isinstance(
            node.type, c_ast.IdentifierType
        ):
            raise Untranslatable("this type")
        name = " ".join(node.type.names)
        return self.typedefs.get(name, fundamental(name))

    # --- statements -------------------------------------------------------------------

    def statement(self, node: c_ast.Node) -> list[str]:
        match node:
            case c_ast.Compound():
                outside = dict(self.names)
                found = [self.statement(each) for each in node.block_items or ()]
                self.names = outside
                return [line for lines in found for line in lines]
            case c_ast.EmptyStatement():
                return []
            case c_ast.DoWhile(cond=c_ast.Constant(value="0")):
                return self.statement(node.stmt)
            case c_ast.Decl():
                return self.declare(node)
            case c_ast.Assignment():
                return [self.assign(node)]
            case c_ast.If():
                return self.branches(node)
            case c_ast.Return():
                return [self.returned(node)]
            case c_ast.FuncCall(name=c_ast.ID(name=name)) if name in _COPIES:
                return [self.copied(*node.args.exprs)]
            case c_ast.Cast(expr=c_ast.ID()) if self.is_void(node.to_type.type):
                return []  # of what is not used
        raise Untranslatable(f"a statement of kind {type(node).__name__}")

    def branches(self, node: c_ast.If) -> list[str]:
        condition = self.truth(node.cond).text
        found = [self.statement(each) for each in (node.iftrue, node.iffalse) if each]
        if choice := _choice(condition, found):
            return [choice]
        blocks = [[f"    {line}" for line in lines or ["pass"]] for lines in found]
        lines = [f"if {condition}:", *blocks[0]]
        return [*lines, "else:", *blocks[1]] if blocks[1:] else lines

    def declare(self, node: c_ast.Decl) -> list[str]:
        target = self.typed(node.type)
        if target is Thing.POINTER and node.init is not None:
            place = self.place(node.init)
            name = self.claim(node.name)
            self.names[node.name] = _Place(name, ATOM, Thing.POINTER)
            return [f"{name} = {place.view()}"]
        if not isinstance(target, IntegerType) or "static" in node.storage:
            raise Untranslatable(f"the declaration of '{node.name}'")
        value = None if node.init is None else self.number(node.init, target)
        name = self.claim(node.name)
        self.names[node.name] = Value(name, ATOM, target)
        return [] if value is None else [f"{name} = {value.text}"]

    def assign(self, node: c_ast.Assignment) -> str:
        target, value = super().expression(node.lvalue), node.rvalue
        if not isinstance(target.type, IntegerType):
            raise Untranslatable(f"the assignment to {target.text}")
        if node.op != "=":
            value = c_ast.BinaryOp(node.op.removesuffix("="), node.lvalue, value)
        return f"{target.text} = {self.number(value, target.type).text}"

    def returned(self, node: c_ast.Return) -> str:
        if node.expr is None:
            return f"return {self.cell.text}"
        return f"return {self.given(node.expr, self.gives)}"

    def copied(self, target: c_ast.Node, source: c_ast.Node, size: c_ast.Node) -> str:
        length = self.number(size, X86_64.integers["unsigned long"])
        to, from_ = self.place(target).view(), self.place(source).view()
        return f"memcpy({to}, {from_}, {length.text})"

    # --- expressions ------------------------------------------------------------------

    def expression(self, node: c_ast.Node) -> Value:
        """Translate an expression; one of a type smaller than int is an int (C11 6.3.1.1)."""
        found = super().expression(node)
        if isinstance(found.type, IntegerType) and found.type.size < INT.size:
            return replace(found, type=INT, unreduced=None)
        return found

    def number(self, node: c_ast.Node, target: IntegerType) -> Value:
        return convert(self.expression(node), target)

    def given(self, node: c_ast.Node, wanted: IntegerType | Thing) -> str:
        """Write what is returned, or what another function is called with."""
        if isinstance(wanted, IntegerType):
            return self.number(node, wanted).text
        if wanted is Thing.POINTER:
            return self.place(node).view()
        raise Untranslatable("a pointer to an index that is passed on")

    def place(self, node: c_ast.Node) -> _Place:
        found = self.expression(node)
        if not isinstance(found, _Place):
            raise Untranslatable(f"a {found.type} where a pointer is wanted")
        return found

    def truth(self, node: c_ast.Node) -> Value:
        """Translate a condition to what is true or false."""
        found = self.expression(node)
        if not isinstance(found.type, IntegerType):
            raise Untranslatable(f"a {found.type} as a condition")
        if found.binding in TRUTHS:
            return found
        return Value(f"{found.at(OR)} != 0", COMPARE, INT)

    def unary(self, node: c_ast.UnaryOp) -> Value:
        if node.op == "*" and self.expression(node.expr).type is Thing.CELL:
            return self.cell
        if node.op == "&" and isinstance(node.expr, c_ast.ArrayRef):
            to = node.expr
            return self.place(to.name).moved(self.expression(to.subscript), "+")
        return super().unary(node)

    def binary(self, node: c_ast.BinaryOp) -> Value:
        if node.op in ("&&", "||"):
            word, binding = ("and", BOTH) if node.op == "&&" else ("or", EITHER)
            left, right = self.truth(node.left), self.truth(node.right)
            text = f"{left.at(binding)} {word} {right.at(binding + 1)}"
            return Value(text, binding, INT)
        left, right = self.expression(node.left), self.expression(node.right)
        if node.op == "+" and isinstance(right, _Place):
            left, right = right, left
        if node.op in ("+", "-") and isinstance(left, _Place):
            return left.moved(right, node.op)
        if node.op in ("/", "%") and common(left, right)[2].signed:
            raise Untranslatable(f"the operator {node.op} on numbers with a sign")
        return super().binary(node)

    def cast(self, node: c_ast.Cast) -> Value:
        found, target = self.expression(node.expr), self.typed(node.to_type.type)
        if target is Thing.POINTER and isinstance(found, _Place):
            return found
        if isinstance(target, IntegerType):
            return convert(found, target)
        raise Untranslatable("this cast")

    def call(self, node: c_ast.FuncCall) -> Value:
        called = self.methods.get(getattr(node.name, "name", ""))
        if called is None:
            raise Untranslatable("a call of what is no function of this ring")
        passed = [
            self.given(argument, wanted)
            for argument, wanted in zip(node.args.exprs, called.takes, strict=True)
        ]
        text = f"{self.owner}.{called.role}({', '.join(passed)})"
        if called.gives is Thing.POINTER:
            return _Place(text, ATOM, Thing.POINTER)
        return Value(text, ATOM, called.gives)


def _choice(condition: str, branches: Sequence[Sequence[str]]) -> str:
    """Write as one assignment what either branch assigns to the same name; empty if it does not.

    It is written so if it fits on a line of a method.
    """
    if [len(lines) for lines in branches] != [1, 1]:
        return ""
    (name, _, first), (other, _, second) = (
        lines[0].partition(" = ") for lines in branches
    )
    choice = f"{name} = {first} if {condition} else {second}"
    is_one = name == other and first and " if " not in f"{first}{condition}"
    return choice if is_one and len(choice) <= LINE - 8 else ""


def _returned_at_once(lines: Sequence[str]) -> Sequence[str]:
    """Return a value that is given a name only to be returned."""
    if len(lines) < 2:
        return lines
    *above, assigned, returned = lines
    name, _, value = assigned.partition(" = ")
    if value and returned == f"return {name}":
        return [*above, f"return {value}"]
    return lines
