"""Infer each parameter's role from how the macro uses it.

Takes a macro's parsed body; gives a `Role` for each parameter. `(front)->req_prod_pvt`
makes it a front half, `(page)->req_prod` the shared page, `(notify) = …` the result,
`*(copy) = …` a record to be filled; anything else is a RING_IDX. `translate` goes by
these roles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pycparser import c_ast

from xenbind.backend.rings.model import MacroBody, RingTypes, Role, Untranslatable


def roles(
    macro: MacroBody, types: RingTypes, known: Mapping[str, Sequence[Role]]
) -> list[Role]:
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
        known: Mapping[str, Sequence[Role]],
    ) -> None:
        self.found: dict[str, set[Role]] = {name: set() for name in parameters}
        self.types = types
        self.known = known

    def note(self, node: c_ast.Node, role: Role) -> None:
        if isinstance(node, c_ast.ID) and node.name in self.found:
            self.found[node.name].add(role)

    def role(self, name: str) -> Role:
        found = (
            self.found[name] - {Role.HALF}
            if len(self.found[name]) > 1
            else self.found[name]
        )
        if len(found) > 1:
            raise Untranslatable(
                f"its parameter '{name}' is both {' and '.join(sorted(found))}"
            )
        return next(iter(found), Role.INDEX)

    def visit_StructRef(self, node: c_ast.StructRef) -> None:
        name = node.field.name
        on_front, on_back = name in self.types.front, name in self.types.back
        if on_front and on_back:
            self.note(node.name, Role.HALF)
        elif on_front or on_back:
            self.note(node.name, Role.FRONT if on_front else Role.BACK)
        elif name in self.types.page:
            self.note(node.name, Role.PAGE)
        self.visit(node.name)

    def visit_Assignment(self, node: c_ast.Assignment) -> None:
        self.note(node.lvalue, Role.RESULT)
        if isinstance(node.lvalue, c_ast.UnaryOp) and node.lvalue.op == "*":
            self.note(node.lvalue.expr, Role.RECORD)
        if (
            isinstance(node.lvalue, c_ast.StructRef)
            and node.lvalue.field.name == "sring"
        ):
            self.note(node.rvalue, Role.PAGE)
        self.generic_visit(node)

    def visit_FuncCall(self, node: c_ast.FuncCall) -> None:
        arguments = node.args.exprs if node.args else []
        for argument, role in zip(
            arguments, self.known.get(node.name.name, ()), strict=False
        ):
            if role is not Role.INDEX:
                self.note(argument, role)
        self.generic_visit(node)
