"""Find the flex rings that a header declares: functions that move bytes through a ring.

Takes the parsed header and its types as far as they are laid out; gives `FlexRing`s, whose
functions are text still: `backend.rings` translates them.  What a macro made of one name is
known by the names that it made, whatever the macro is called.

    DEFINE_XEN_FLEX_RING_AND_INTF(xen_9pfs);    ->
        FlexRing("xen_9pfs", (FlexFunction("mask", "xen_9pfs_mask", …), …), …)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pycparser import c_ast

from xenbind.frontend import comments
from xenbind.frontend.function_bodies import definitions
from xenbind.frontend.header import ParsedHeader
from xenbind.ir.c_types import Array, Pointer, Scalar, fundamental
from xenbind.ir.interface import FlexFunction, FlexRing, LeftOut, Record, RingMacro
from xenbind.lowering.rings import is_integer
from xenbind.lowering.type_table import TypeTable
from xenbind.spec import Spec

# What each function is called with and gives: numbers, pointers, or nothing.
_SHAPES = {
    "mask": ("nn", "n"),
    "get_ring_ptr": ("pnn", "p"),
    "read_packet": ("ppnnpn", ""),
    "write_packet": ("ppnpnn", ""),
    "queued": ("nnn", "n"),
}
_STREAMS = ("in", "out")
_WORDS = ("uint32_t", "unsigned int")
_INDICES = ("in_cons", "in_prod", "out_cons", "out_prod", "ring_order")


class FlexRings:
    """The flex rings of one header; `left_out` and `skipped` are known once they are found."""

    def __init__(self, header: ParsedHeader, types: TypeTable, spec: Spec) -> None:
        self.header = header
        self.types = types
        self.spec = spec
        self.left_out: list[LeftOut] = []
        self.skipped: list[str] = []

    def find(self) -> Iterator[FlexRing]:
        """Give each ring of which the root headers define all functions and `struct NAME_data`."""
        functions = self._functions()
        for last in functions:
            name = last.removesuffix("_queued")
            wanted = {role: f"{name}_{role}" for role in _SHAPES}
            if last == name or not functions.keys() >= set(wanted.values()):
                continue
            if not _has_streams(self.types.records.get(f"struct {name}_data")):
                continue
            if skipped := set(wanted.values()) & set(self.spec.skip):
                self.skipped += sorted(skipped)
                continue
            nodes = {role: functions[each] for role, each in wanted.items()}
            texts = definitions(self.header.written.text, list(wanted.values()))
            if len(texts) < len(wanted):  # declared, and nothing more
                continue
            if all(self._is_as_expected(role, node) for role, node in nodes.items()):
                yield self._ring(name, nodes, texts)

    def _functions(self) -> Mapping[str, c_ast.Decl]:
        """Give the functions of which the root headers may have the bodies, by name."""
        return {
            node.name: node
            for node in self.header.declarations
            if isinstance(node, c_ast.Decl)
            and isinstance(node.type, c_ast.FuncDecl)
            and {"static", "inline"} & {*node.storage, *node.funcspec}
            and node.coord.file in self.header.roots
        }

    def _is_as_expected(self, role: str, node: c_ast.Decl) -> bool:
        """Tell whether a function is called as Xen's is; leave it out otherwise."""
        parameters = [each.type for each in node.type.args or ()]
        shape = "".join(map(_kind, parameters)), _kind(node.type.type)
        if shape == _SHAPES[role]:
            return True
        reason = f"it is not called as the {role} of Xen's flex rings is"
        coord = self.types.context.coord(node, node.name)
        self.left_out.append(LeftOut(node.name, reason, coord))
        return False

    def _ring(
        self, name: str, nodes: Mapping[str, c_ast.Decl], texts: Mapping[str, str]
    ) -> FlexRing:
        page = self.types.record(f"struct {name}_data_intf")
        return FlexRing(
            name=name,
            functions=tuple(
                self._function(role, node, texts[node.name])
                for role, node in nodes.items()
            ),
            types=tuple(self._typedefs(" ".join(texts.values()))),
            page=page.key if page is not None and _has_indices(page) else "",
            size=self._size(),
            coord=self.types.context.coord(nodes["mask"], name),
        )

    def _function(self, role: str, node: c_ast.Decl, definition: str) -> FlexFunction:
        coord = self.types.context.coord(node, node.name)
        result = node.type
        while isinstance(result, c_ast.FuncDecl | c_ast.PtrDecl | c_ast.TypeDecl):
            result = result.type
        # What pasting made is no word of the macro's, but the type before it is.
        origin = self.header.written.origin(result.coord)
        if origin.macro is not None:
            coord = origin.macro.coord
        return FlexFunction(role, node.name, definition, coord)

    def _typedefs(self, text: str) -> Iterator[tuple[str, str]]:
        """Pair each typedef name in the functions' text with the type behind it."""
        typedefs = self.types.declared.typedefs
        for name in dict.fromkeys(re.findall(r"\w+", text)):
            node = typedefs.get(name)
            if node is None:
                continue
            spelling = name
            while node is not None:
                named = getattr(node.type, "type", None)
                if not isinstance(named, c_ast.IdentifierType):
                    spelling = name  # a pointer or a struct: no number
                    break
                spelling = " ".join(named.names)
                node = typedefs.get(spelling)
            yield name, fundamental(spelling)

    def _size(self) -> RingMacro | None:
        """Give the macro that tells the ring's size, where there is one and no other."""
        if len(self.header.flex_macros) != 1:
            return None
        [expanded] = self.header.flex_macros
        macro = expanded.macro
        words = comments.read(self.header.sources.text(macro.coord.file))
        return RingMacro(
            name=macro.name,
            parameters=macro.parameters or (),
            expansion=expanded.expansion,
            doc=words.of(macro.coord.line),
            coord=macro.coord,
        )


def _kind(node: c_ast.Node) -> str:
    """Tell a pointer from a number; empty for void."""
    if isinstance(node, c_ast.PtrDecl | c_ast.ArrayDecl):
        return "p"
    words = getattr(node.type, "names", None)
    return "" if words == ["void"] else "n"


def _has_streams(record: Record | None) -> bool:
    """Tell whether a record points to the memory of both directions."""
    fields = record.fields if record is not None else ()
    pointers = {field.name for field in fields if isinstance(field.type, Pointer)}
    return pointers >= set(_STREAMS)


def _has_indices(record: Record) -> bool:
    """Tell whether a record is a page of indices, with references to the pages granted."""
    fields = {field.name: field for field in record.fields}
    ref = fields["ref"].type if "ref" in fields else None
    return (
        all(
            name in fields and is_integer(fields[name]) and fields[name].size == 4
            for name in _INDICES
        )
        and isinstance(ref, Array)
        and isinstance(ref.element, Scalar)
        and ref.element.base in _WORDS
    )
