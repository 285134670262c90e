"""Find a header's constants: macros, enumerators, and variables that never change.

Takes a parsed header and its types; asks `constant_expressions` for values; gives
`Constant`s and the enums that they are of.  What might be a constant and has no value is
`left_out`.  `lower` takes them over, and `groups` finds which belong together.

    #define VM_EVENT_FLAG_DENY (1 << 6)    ->  Constant("VM_EVENT_FLAG_DENY", 64, …)
    static const short LOW = -3;           ->  Constant("LOW", -3, …)
    #define FAILED ((void *)-1)            ->  Constant("FAILED", 0xffffffffffffffff, …)
    #define HERE __LINE__                  ->  LeftOut("HERE", "its value depends on its place", …)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pycparser import c_ast
from pycparser.c_generator import CGenerator

from xenbind.errors import SourceError
from xenbind.frontend import attributes, comment_words
from xenbind.frontend.header import ParsedHeader
from xenbind.frontend.macros import (
    ExpandedMacro,
    fault_of_value,
    is_name,
    is_string,
    is_type,
)
from xenbind.ir.c_types import Enumeration, Pointer, Scalar
from xenbind.ir.interface import Constant, LeftOut
from xenbind.lowering import groups
from xenbind.lowering.constant_expressions import evaluate, is_floating
from xenbind.lowering.declarations import enum_key, enumerators
from xenbind.lowering.floating import evaluate_float
from xenbind.lowering.integers import Unevaluable, convert
from xenbind.lowering.literals import string_value
from xenbind.lowering.type_table import TypeTable
from xenbind.plain import replace
from xenbind.source import Coord

# What every function's body has by itself (C11 6.4.2.2, and GNU's).
_FUNCTION_NAMES = frozenset(["__func__", "__FUNCTION__", "__PRETTY_FUNCTION__"])


class Constants:
    """The constants of one header; `left_out` grows as they are asked for.

    So does `of_functions`: the macros that are other names of functions, with whose, and where.
    """

    def __init__(self, header: ParsedHeader, types: TypeTable) -> None:
        self.header = header
        self.types = types
        self.context = types.context
        self.variables: list[Constant] = []
        self.left_out: list[LeftOut] = []
        self.of_functions: dict[str, tuple[str, Coord]] = {}

    def variable(self, node: c_ast.Decl) -> None:
        """Keep the value of a variable that never changes, if it is a number or a text."""
        coord = self.context.coord(node)
        try:
            value = self.initial_value(node)
        except (Unevaluable, SourceError) as reason:
            self.left_out.append(LeftOut(node.name, str(reason), coord))
            return
        doc = self.context.doc(node.coord, node.name)
        body = CGenerator().visit(node.init)
        self.variables.append(Constant(node.name, value, body, doc, coord, True))

    def initial_value(self, node: c_ast.Decl) -> int | float | str:
        """Evaluate a variable's initialiser.  Raises `Unevaluable` or `SourceError`."""
        if isinstance(node.init, c_ast.Constant) and node.init.type == "string":
            try:
                return string_value(node.init.value)
            except ValueError as reason:
                raise Unevaluable(str(reason)) from None
        c_type = self.types.type(node.type)
        if not isinstance(c_type, Scalar | Enumeration):
            raise Unevaluable("it is no number and no text")
        if c_type.base == "long double":
            raise Unevaluable("a variable of type long double is not supported")
        if attributes.mode(node):
            raise Unevaluable("a variable of a machine mode is not supported")
        # It is converted as in a cast (C11 6.7.9p11).
        return self.number(c_ast.Cast(node.type, node.init))

    def enums(self) -> Iterator[groups.CEnum]:
        """Give the root header's enums, and those of others that it uses."""
        named = {
            id(node.type.type): name
            for name, node in self.context.declared.typedefs.items()
            if isinstance(node.type, c_ast.TypeDecl)
        }
        for node in self.context.declared.enums:
            key = enum_key(node)
            if node.coord.file in self.context.comments or key in self.types.used_enums:
                doc = self.context.doc(node.coord, node.name or "enum", opens=True)
                whole, parts = comment_words.by_part(doc)
                members = map(self.enumerator, enumerators(node))
                yield groups.CEnum(
                    key=key,
                    tag=node.name or "",
                    typedef=named.get(id(node), ""),
                    enumerators=tuple(
                        replace(
                            each, doc=comment_words.of_part(each.name, each.doc, parts)
                        )
                        for each in members
                    ),
                    doc=comment_words.with_parts(whole, parts),
                )

    def enumerator(self, node: c_ast.Enumerator) -> Constant:
        return Constant(
            name=node.name,
            value=self.types.enumerators[node.name].value,
            body="" if node.value is None else CGenerator().visit(node.value),
            doc=self.context.doc(node.coord, node.name),
            coord=self.context.coord(node),
        )

    def of_header(self, enums: Sequence[groups.CEnum]) -> list[Constant]:
        """Give the enumerators, and the root header's variables and macros that have a value.

        A macro hides what else has its name.  They are in the order of the files, those
        that are included first, and of their lines.
        """
        found = {each.name: each for enum in enums for each in enum.enumerators}
        found |= {constant.name: constant for constant in self.variables}
        found |= {constant.name: constant for constant in self.macros()}
        order = {file: -place for place, file in enumerate(self.header.files)}
        return sorted(
            found.values(), key=lambda c: (order.get(c.coord.file, 0), c.coord.line)
        )

    def macros(self) -> Iterator[Constant]:
        for expanded in self.header.constants:
            macro = expanded.macro
            if self.is_of_function(expanded):
                self.of_functions[macro.name] = (expanded.expansion, macro.coord)
                continue
            try:
                at = self.pointer_cast(expanded)
                value = self.address(at) if at else self.value(expanded)
            except (Unevaluable, SourceError) as reason:
                self.left_out.append(LeftOut(macro.name, str(reason), macro.coord))
                continue
            if value is not None:
                doc = self.context.comments[macro.coord.file].of(macro.coord.line)
                yield Constant(
                    *(macro.name, value, macro.body, doc, macro.coord),
                    is_address=at is not None,
                )

    def is_of_function(self, expanded: ExpandedMacro) -> bool:
        """Tell whether a macro is but another name of a function."""
        name = expanded.expansion
        is_other = not expanded.fault and name != expanded.macro.name
        return is_other and name in self.context.declared.functions

    def pointer_cast(self, expanded: ExpandedMacro) -> c_ast.Cast | None:
        """Give a macro's expression if it makes a pointer of something."""
        node = expanded.expression
        if expanded.fault or not isinstance(node, c_ast.Cast):
            return None
        return node if self.is_pointer(node.to_type) else None

    def is_pointer(self, type_name: c_ast.Node) -> bool:
        return isinstance(self.types.type(type_name), Pointer)

    def address(self, node: c_ast.Cast) -> int:
        """Evaluate an integer as the pointer that it is cast to (C11 6.3.2.3p5).

        Raises `Unevaluable` for anything else that is cast, or `SourceError`.
        """
        inner = node.expr
        while isinstance(inner, c_ast.Cast) and self.is_pointer(inner.to_type):
            inner = inner.expr
        return convert(
            evaluate(inner, self.types), self.types.abi.integers["size_t"]
        ).value

    def value(self, expanded: ExpandedMacro) -> int | float | str | None:
        """Evaluate a macro; give None for one that is no constant.

        Raises `Unevaluable` or `SourceError` for one that might be one, and has no value.
        """
        if expanded.fault:
            raise Unevaluable(expanded.fault)
        if is_string(expanded.expansion):
            try:
                return string_value(expanded.expansion)
            except ValueError as reason:
                raise Unevaluable(str(reason)) from None
        if expanded.expression is not None:
            return self.number(expanded.expression)
        name = expanded.expansion
        if value := self.types.enumerator(name):
            return value.value
        is_other = (
            is_name(name) or self.is_declared(name)
        ) and name != expanded.macro.name
        if is_other or name in _FUNCTION_NAMES:
            raise Unevaluable(self.what_is(name))
        if is_type(name):
            raise Unevaluable("it is a type")
        if fault := fault_of_value(name):
            raise Unevaluable(fault)
        return None

    def number(self, expression: c_ast.Node) -> int | float:
        """Evaluate an expression.  Raises `Unevaluable` or `SourceError`."""
        if is_floating(expression, self.types):
            return evaluate_float(expression, self.types)
        try:
            return evaluate(expression, self.types).value
        except Unevaluable:
            for node in _names(expression):
                if node in self.context.declared.variables:
                    raise Unevaluable(self.what_is(node)) from None
            raise

    def what_is(self, name: str) -> str:
        """Say what a name is that is no constant."""
        if name in self.context.declared.typedefs:
            return "it is a type"
        if name in self.context.declared.variables:
            return f"'{name}' is a variable, which C does not count among constants"
        return f"'{name}' is not a constant"

    def is_declared(self, name: str) -> bool:
        """Tell a name of the header's own, such as `__walk`, from a word of the compiler's."""
        declared = self.context.declared
        known = (declared.typedefs, declared.variables, declared.functions)
        return any(name in names for names in known)


def _names(node: c_ast.Node) -> Iterator[str]:
    if isinstance(node, c_ast.ID):
        yield node.name
    for child in node:
        yield from _names(child)


def is_const(node: c_ast.Node) -> bool:
    """Tell whether what a declarator declares never changes, as far as C says."""
    if isinstance(node, c_ast.ArrayDecl):
        return is_const(node.type)
    if isinstance(node, c_ast.PtrDecl):
        return "const" in node.quals
    return isinstance(node, c_ast.TypeDecl) and "const" in (node.quals or ())
