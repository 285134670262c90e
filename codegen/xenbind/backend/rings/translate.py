"""Translate a macro of ring.h: from its AST to the same statements in Python.

Takes the parsed body of a macro and the roles of its parameters; gives an `Operation`
of a half of a ring or of its shared page. `protocol` collects them.  What is not
understood is an `Untranslatable`, never a guess.

    xen_wmb(); (_r)->sring->req_prod = (_r)->req_prod_pvt;

of a front half becomes

    self.xen_wmb()
    self.sring.words[REQ_PROD] = self.req_prod_pvt
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pycparser import c_ast

from xenbind.backend.names import python_name
from xenbind.backend.rings.expressions import Expressions, is_self
from xenbind.backend.rings.model import (
    MacroBody,
    Operation,
    Parameter,
    Returns,
    Role,
    Thing,
    Untranslatable,
)
from xenbind.backend.rings.values import (
    ATOM,
    COMPARE,
    NOT,
    UINT,
    Value,
    convert,
    named_type,
)
from xenbind.ir.abi import IntegerType

# What the translated lines themselves refer to.
_GLOBALS = frozenset(["self", "assign", "ctypes", "U32", "U64"])


@dataclass
class Translator(Expressions):
    """Translates one macro, whose parameters have these `roles`.

    `result` is the variable for what it gives back, `results` what is assigned to that.
    """

    macro: MacroBody
    roles: Sequence[Role]
    index_type: IntegerType = UINT
    result: str | None = None
    results: list[Value] = field(default_factory=list)

    def translate(self, python: str, doc: str) -> Operation:
        """The operation under its Python name, its body as lines without indentation."""
        parameters: list[Parameter] = []
        things = {Role.PAGE: Thing.PAGE, Role.RECORD: Thing.RECORD}
        for name, role in zip(self.macro.parameters, self.roles, strict=True):
            taken = {*_GLOBALS, *(parameter.name for parameter in parameters)}
            text = python_name(name.strip("_"), taken)
            if is_self(role, self.side):
                thing = Thing.PAGE if role is Role.PAGE else Thing.HALF
                self.names[name] = Value("self", ATOM, thing)
                continue
            if role is Role.RESULT:
                self.result = text
                self.names[name] = Value(text, ATOM, UINT)
                continue
            self.names[name] = Value(text, ATOM, things.get(role, self.index_type))
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

    def body(self) -> tuple[list[str], Returns]:
        """The statements, and what they return."""
        if len(self.macro.body) == 1 and not _is_statement(self.macro.body[0]):
            node = self.macro.body[0]
            if isinstance(node, c_ast.Compound):  # a GNU statement expression
                *before, node = node.block_items
            else:
                before = []
            lines = [line for statement in before for line in self.statement(statement)]
            value = self.expression(node)
            if value.type is Thing.NOTHING:
                return [*lines, value.text], Returns.NOTHING
            return [*lines, f"return {value.text}"], self.returned(value)
        lines = [line for node in self.macro.body for line in self.statement(node)]
        if self.result is None:
            return lines, Returns.NOTHING
        kinds = {self.returned(value) for value in self.results}
        returns = Returns.BOOL if kinds == {Returns.BOOL} else Returns.INT
        last = lines[-1].removeprefix(f"{self.result} = ")
        if last != lines[-1]:
            return [*lines[:-1], f"return {last}"], returns
        return [*lines, f"return {self.result}"], returns

    def returned(self, value: Value) -> Returns:
        """What an operation gives back that is this expression."""
        if value.of is not None:
            return Returns(value.of)
        return Returns.BOOL if value.binding in (COMPARE, NOT) else Returns.INT

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
                lines = [
                    f"if {self.expression(node.cond).text}:",
                    *self.block(node.iftrue),
                ]
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
        if target.text == self.result:
            self.results.append(value)
        return f"{target.text} = {value.text}"

    def copy_record(self, node: c_ast.Assignment) -> str:
        source = node.rvalue
        if not (isinstance(source, c_ast.UnaryOp) and source.op == "*"):
            raise Untranslatable("the assignment to a record")
        target, value = self.expression(node.lvalue.expr), self.expression(source.expr)
        if not target.type is value.type is Thing.RECORD:
            raise Untranslatable("the assignment to a record")
        return f"assign({target.text}, {value.text})"


def _is_statement(node: c_ast.Node) -> bool:
    return isinstance(node, c_ast.DoWhile | c_ast.If | c_ast.Assignment)
