"""Index what a header declares: definitions and typedefs by name, not yet looked into.

Takes the AST of a whole header; gives tables of nodes.  `type_table` makes types of those
that are needed.  Of

    #pragma pack(2)
    typedef struct pair { char first; int second; } pair_t;

`records` has the definition under `struct pair`, `typedefs` has `pair_t`, and `packs` the
limit 2 for the definition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from pycparser import c_ast

from xenbind.errors import SourceError
from xenbind.frontend.attributes import calls_otherwise, is_definition
from xenbind.frontend.gnu_c import changes_layout
from xenbind.source import Coord

# Most nodes have nothing within; what is declared within others is not seen outside.
_LEAVES = (c_ast.IdentifierType, c_ast.Constant, c_ast.ID)
_PASSED_OVER = (*_LEAVES, c_ast.ParamList, c_ast.Compound)

# Makes the error for a declaration, of its node and what is wrong with it.
Refuse = Callable[[c_ast.Node, str], SourceError]


class Declarations:
    """The nodes of a header's records by key, of its typedefs by name, and of its enums.

    `variables` and `functions` are their declarators by name, and `initialisers` what the former
    begin with.  By the id of a struct's or union's
    definition, `packs` is what `#pragma pack` allows it, and `order` counts which are complete
    before it: it can hold no others.  `otherwise` has the pragma by which one is in an order of
    bytes or bit-fields that is not the target's own.  `names` are those that typedefs give untagged
    ones: of `typedef struct { … } pair, *pair_p;` it is `pair`.  `elements` are the first typedefs
    that lead to one: of `typedef struct { … } *only_p;` it is `only_p`.
    """

    def __init__(self, declarations: Sequence[c_ast.Node], refuse: Refuse) -> None:
        self.records: dict[str, c_ast.Node] = {}
        self.typedefs: dict[str, c_ast.Typedef] = {}
        self.enums: list[c_ast.Enum] = []
        self.variables: dict[str, c_ast.Node] = {}
        self.initialisers: dict[str, c_ast.Node] = {}
        self.functions: dict[str, c_ast.FuncDecl] = {}
        self.packs: dict[int, int] = {}
        self.order: dict[int, int] = {}
        self.otherwise: dict[int, c_ast.Pragma] = {}
        self.names: dict[int, str] = {}
        self.elements: dict[int, str] = {}
        seen: set[int] = (
            set()
        )  # several declarators of a declaration share what it defines
        pack = _Pack(refuse)
        for node in declarations:
            if isinstance(node, c_ast.Pragma):
                pack.apply(node)
                continue
            if isinstance(node, c_ast.Typedef):
                # One that is repeated says the same again (C11 6.7p3): `typedef t t;`.
                self.typedefs.setdefault(node.name, node)
                self._name(node)
            elif isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.FuncDecl):
                self.functions[node.name] = node.type
            elif isinstance(node, c_ast.Decl) and node.name is not None:
                self._enter_variable(node)
            for definition in _definitions(node, seen):
                for pragma in _pragmas_within(definition):
                    message = "this pragma is not supported between members"
                    raise refuse(pragma, message)
                self._enter(definition, pack)

    def calls_otherwise(self, node: c_ast.Node | None, abi: str) -> str:
        """Name an attribute by which a function is called otherwise, or a value passed.

        Any counts that a declarator's type has, through pointers, results and names; empty
        without one.
        """
        while node is not None:
            if found := calls_otherwise(node, abi):
                return found
            if isinstance(node, c_ast.IdentifierType):
                node = self.typedefs.get(" ".join(node.names))
            else:
                node = getattr(node, "type", None)
        return ""

    def _name(self, node: c_ast.Typedef) -> None:
        """Note the first typedef of an untagged struct or union, which is its own name in C."""
        is_it, c_type = True, node.type
        while isinstance(c_type, c_ast.TypeDecl | c_ast.ArrayDecl | c_ast.PtrDecl):
            is_it = is_it and isinstance(c_type, c_ast.TypeDecl)
            c_type = c_type.type
        if not getattr(c_type, "name", "-"):
            names = self.names if is_it else self.elements
            names.setdefault(id(c_type), node.name)

    def _enter_variable(self, node: c_ast.Decl) -> None:
        """Note its type; another declaration may know the length of an array (C11 6.7p4)."""
        is_complete = not isinstance(node.type, c_ast.ArrayDecl) or node.type.dim
        if is_complete or node.name not in self.variables:
            self.variables[node.name] = node.type
        if node.init is not None:
            self.initialisers[node.name] = node.init

    def _enter(self, node: c_ast.Node, pack: _Pack) -> None:
        if isinstance(node, c_ast.Enum):
            self.enums.append(node)
            return
        self.packs[id(node)] = pack.limit
        for pragma in pack.otherwise.values():
            self.otherwise[id(node)] = pragma
        self.order[id(node)] = len(self.order)
        if node.name:
            self.records[c_name(node)] = node


def definitions(node: c_ast.Node) -> Iterator[c_ast.Node]:
    """Give the structs, unions and enums that a declaration defines, inner ones first."""
    return _definitions(node, set())


def _definitions(node: c_ast.Node, seen: set[int]) -> Iterator[c_ast.Node]:
    """Give those not yet `seen`: `struct { … } a, b;` has one definition, in two members."""
    if is_definition(node):
        if id(node) in seen:
            return
        seen.add(id(node))
    for child in node:
        if not isinstance(child, _PASSED_OVER):
            yield from _definitions(child, seen)
    if is_definition(node):
        yield node


def _pragmas_within(node: c_ast.Node) -> Iterator[c_ast.Pragma]:
    """Give the pragmas in a definition by which what follows is laid out otherwise."""
    members = node.values.enumerators if isinstance(node, c_ast.Enum) else node.decls
    for each in members:
        if isinstance(each, c_ast.Pragma) and changes_layout(_text(each)):
            yield each


def c_name(node: c_ast.Node) -> str:
    """Spell how C refers to a struct or union: by its kind and tag."""
    kind = "struct" if isinstance(node, c_ast.Struct) else "union"
    return f"{kind} {node.name or '<anonymous>'}"


def enum_key(node: c_ast.Enum) -> str:
    """Give what tells an enum from others: its tag, or for one without its first enumerator."""
    return f"enum {node.name or f'{{{enumerators(node)[0].name}}}'}"


def enumerators(node: c_ast.Enum) -> list[c_ast.Enumerator]:
    """Give the enumerators that an enum's definition lists."""
    listed = node.values.enumerators
    return [entry for entry in listed if isinstance(entry, c_ast.Enumerator)]


def place(node: c_ast.Node) -> Coord:
    """Find where a node was read; an unnamed bit-field has no place but its type's."""
    found = node.coord
    while found is None:
        node = next(iter(node))
        found = node.coord
    return Coord(found.file, found.line, found.column or 1)


ADVICE = "only what all compilers lay out alike is supported; change the declaration"


_LIMIT = r"(0|[1-9]\d*)"
_PACK = re.compile(
    r"pack\s*\(\s*(?:(push|pop)\s*(?:,\s*([A-Za-z_]\w*)\s*)?"
    rf"(?:,\s*{_LIMIT}\s*)?|{_LIMIT}?\s*)\)"
)
_LIMITS = (0, 1, 2, 4, 8, 16)
_OTHERWISE = re.compile(
    r"(ms_struct|scalar_storage_order)\s+"
    r"(?:(on|big-endian|little-endian)|off|reset|default)"
)


class _Pack:
    """The state of `#pragma pack`; `limit` is in bytes, 0 for none.

    What was pushed has its label with it, empty without one.  `otherwise` has the pragmas, by
    their first word, that have what follows laid out as ctypes does not.
    """

    def __init__(self, refuse: Refuse) -> None:
        self.limit = 0
        self.otherwise: dict[str, c_ast.Pragma] = {}
        self._refuse = refuse
        self._stack: list[tuple[str, int]] = []

    def apply(self, node: c_ast.Pragma) -> None:
        """Follow one pragma.  Raises `SourceError` for what compilers differ on, and other layout.

        What gcc and clang warn of and ignore means nothing here either: a limit that is no
        small power of two, a pop without its push.
        """
        if not changes_layout(_text(node)):
            return
        if other := _OTHERWISE.fullmatch(_text(node)):
            self.otherwise.pop(other[1], None)
            if other[2]:
                self.otherwise[other[1]] = node
            return
        found = _PACK.fullmatch(_text(node))
        if not found:
            raise self._refuse(node, f"#pragma {_text(node)} is not supported")
        action, label, said = found[1], found[2] or "", found[3] or found[4]
        limit = int(said or 0)
        if limit not in _LIMITS:
            if action is not None:
                raise self._refuse(
                    node, "compilers ignore this limit, or the whole pragma"
                )
            return
        if action == "pop" and said:
            raise self._refuse(
                node, "gcc and clang disagree on the limit after this pragma"
            )
        if action == "push":
            self._stack.append((label, self.limit))
        if action == "pop" and self._stack:
            self._pop(node, label)
        if said or action is None:
            self.limit = limit

    def _pop(self, node: c_ast.Pragma, label: str) -> None:
        """Go back to before the last push, or to before the last one with a label."""
        if label and label not in dict(self._stack):
            raise self._refuse(
                node,
                f"gcc and clang disagree on a pop of '{label}', which was not pushed",
            )
        while True:
            pushed, self.limit = self._stack.pop()
            if label in ("", pushed):
                return


def _text(node: c_ast.Pragma) -> str:
    return str(node.string or "").strip()
