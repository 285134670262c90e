"""What a header declares, by name: definitions and typedefs, not yet looked into.

Takes the AST of a whole header; gives tables of nodes.  `typetable` makes types of those
that are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pycparser import c_ast

from xenbind.errors import SourceError
from xenbind.lowering.pack import Pack


class Declarations:
    """The nodes of a header's records by key, of its typedefs by name, and of its enums.

    By the id of a struct's or union's definition, `packs` is what `#pragma pack` allows
    it, and `order` counts which are complete before it: it can hold no others.
    """

    def __init__(
        self,
        declarations: Sequence[c_ast.Node],
        refuse: Callable[[c_ast.Node, str], SourceError],
    ) -> None:
        self.records: dict[str, c_ast.Node] = {}
        self.typedefs: dict[str, c_ast.Typedef] = {}
        self.enums: list[c_ast.Enum] = []
        self.packs: dict[int, int] = {}
        self.order: dict[int, int] = {}
        self._pack = Pack()
        for node in declarations:
            if isinstance(node, c_ast.Pragma):
                self._pack.obey(node, refuse)
            else:
                self._enter(node)

    def _enter(self, node: c_ast.Node) -> None:
        if isinstance(node, c_ast.Typedef):
            self.typedefs[node.name] = node
        if isinstance(node, c_ast.Struct | c_ast.Union) and node.decls is not None:
            self.packs[id(node)] = self._pack.limit
            if node.name:
                self.records[c_name(node)] = node
        if isinstance(node, c_ast.Enum) and node.values is not None:
            self.enums.append(node)
        if isinstance(node, c_ast.Typedef | c_ast.Decl | c_ast.Struct | c_ast.Union):
            for child in node:
                self._enter(child)
            self.order.setdefault(id(node), len(self.order))
        elif isinstance(node, c_ast.TypeDecl | c_ast.ArrayDecl | c_ast.PtrDecl):
            self._enter(node.type)


def c_name(node: c_ast.Node) -> str:
    """How C refers to a struct or union by its tag."""
    kind = "struct" if isinstance(node, c_ast.Struct) else "union"
    return f"{kind} {node.name or '<anonymous>'}"
