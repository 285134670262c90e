"""The types of a header: records laid out, typedefs resolved, each when first needed.

Takes the declarations of a parsed header and an ABI; gives `Record`s and `CType`s on
request, and is the `Scope` in which `constants` evaluates expressions.  `lower` asks for
what the root header declares; what other headers declare is laid out only if used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pycparser import c_ast

from xenbind.errors import SourceError
from xenbind.frontend import attributes, comments
from xenbind.frontend.attributes import Attributes, UnknownAttribute, Value
from xenbind.frontend.parse import expression
from xenbind.ir.abi import Abi, IntegerType
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    Pointer,
    RecordRef,
    Scalar,
    fundamental,
    spelling,
)
from xenbind.ir.interface import Record, Typedef
from xenbind.lowering import pack, records
from xenbind.lowering.constant_expressions import CInt, Unevaluable, evaluate
from xenbind.lowering.declarations import Declarations, c_name
from xenbind.lowering.expression_types import expression_type, place_in
from xenbind.lowering.groups import enum_prefix
from xenbind.source import Coord, Sources


class TypeTable:
    """What a header's tags and names stand for on one ABI.

    `records` grows as types are asked for, inner ones before outer ones; `used_typedefs`
    are the names from other headers that arithmetic members are declared with.
    """

    def __init__(
        self, root: str, declarations: Sequence[c_ast.Node], sources: Sources, abi: Abi
    ) -> None:
        self.root = root
        self.sources = sources
        self.abi = abi
        self.comments = comments.read(sources.text(root))
        self.declared = Declarations(declarations, self.refuse)
        self.enumerators: dict[str, CInt] = {}
        self.enumerator_nodes: list[c_ast.Enumerator] = []
        self.records: dict[str, Record] = {}
        self.typedefs: dict[str, CType] = {}
        self.used_typedefs: dict[str, Typedef] = {}
        self.enums: dict[str, Enumeration] = {}
        self._open: list[int] = []  # of the records being laid out, their `order`
        for node in self.declared.enums:
            self.enumerate(node)

    def enumerate(self, node: c_ast.Enum) -> None:
        """Enter an enum and its enumerators: ints where they fit, else of the enum's type.

        Raises `SourceError` where no integer type holds all values.
        """
        values: dict[str, int] = {}
        following = 0
        for entry in node.values.enumerators:
            if isinstance(entry, c_ast.Pragma):
                continue
            if entry.value is not None:
                following = self.value(entry.value).value
            values[entry.name] = following
            self.enumerator_nodes.append(entry)
            self.enter(entry.name, following, None)
            following += 1
        asked = self.attributes(attributes.of_type, node)
        base = self.abi.enumeration(values.values(), asked.packed)
        if base is None:
            raise self.refuse(node, "no integer type holds all values of this enum")
        for name, value in values.items():
            self.enter(name, value, base)
        tag = node.name or str(id(node))
        spelled = f"enum {node.name or '<anonymous>'}"
        prefix = enum_prefix(list(values))
        self.enums[tag] = Enumeration(spelled, base.name, asked.aligned, prefix)

    def enter(self, name: str, value: int, base: IntegerType | None) -> None:
        type = self.abi.integers["int"]
        if not type.holds(value):
            type = base or self.abi.enumeration([value], packed=False) or type
        self.enumerators[name] = CInt(value, type)

    # --- types --------------------------------------------------------------------

    def type(self, node: c_ast.Node, name: str) -> CType:
        """The type that a declarator or specifier denotes.

        `name` is the key that an anonymous struct or union gets, if this is one.  A struct
        or union that is defined here is laid out; one that is only named waits until its
        size or members are asked for.
        """
        if isinstance(node, c_ast.TypeDecl):
            if "_Atomic" in (node.quals or ()):
                raise self.refuse(node, "_Atomic is not supported")
            return self.type(node.type, name)
        if isinstance(node, c_ast.Typename):
            return self.aligned(self.type(node.type, name), node)
        if isinstance(node, c_ast.IdentifierType):
            return self.named(" ".join(node.names), node)
        if isinstance(node, (c_ast.Struct, c_ast.Union)):
            key = c_name(node) if node.name else name
            if node.decls is not None and key:
                self.record(key, node)
            return RecordRef(c_name(node), key)
        if isinstance(node, c_ast.Enum):
            enum = self.enums.get(node.name or str(id(node)))
            if enum is None:
                raise self.refuse(node, f"'enum {node.name}' is an incomplete type")
            return enum
        if isinstance(node, c_ast.ArrayDecl):
            length = None if node.dim is None else self.value(node.dim).value
            return Array(self.type(node.type, name), length)
        if isinstance(node, c_ast.PtrDecl):
            return self.pointer(node)
        if isinstance(node, c_ast.TypeOf):
            if isinstance(node.expr, c_ast.Typename):
                return self.type(node.expr, name)
            try:
                return expression_type(node.expr, self)
            except Unevaluable as reason:
                raise self.refuse(node, f"what type is this? {reason}") from None
        raise self.refuse(node, "this kind of type is not supported")

    def named(self, spelling: str, node: c_ast.Node) -> CType:
        base = fundamental(spelling)
        if base in self.abi.integers or base in self.abi.floats or base == "void":
            return Scalar(spelling, base)
        if spelling not in self.declared.typedefs:
            raise self.refuse(node, f"the type '{spelling}' is not supported")
        target = self.typedef(spelling)
        if (
            isinstance(target, Scalar)
            and self.declared.typedefs[spelling].coord.file != self.root
        ):
            declared = self.declared.typedefs[spelling]
            coord = Coord(
                declared.coord.file, declared.coord.line, declared.coord.column or 1
            )
            self.used_typedefs[spelling] = Typedef(spelling, target, "", coord)
        if isinstance(target, Scalar | Enumeration | RecordRef):
            return replace(target, spelling=spelling)
        return target

    def typedef(self, name: str) -> CType:
        if name not in self.typedefs:
            node = self.declared.typedefs[name]
            target = self.aligned(self.type(node.type, name), node)
            if isinstance(target, RecordRef) and target.key == name and target.aligned:
                # The name is all that there is to ask C with.
                record = self.records[name]
                self.records[name] = replace(record, alignment=target.aligned)
            self.typedefs[name] = target
        return self.typedefs[name]

    def aligned(self, type: CType, node: c_ast.Node) -> CType:
        """A type as a typedef or type name with attributes has it; packed means nothing."""
        asked = self.attributes(attributes.of_declaration, node)
        return replace(type, aligned=asked.aligned) if asked.aligned else type

    def pointer(self, node: c_ast.PtrDecl) -> CType:
        if self.is_function(node.type):
            return Pointer("function *", None)
        target = self.type(node.type, "")
        inner = _element(target)
        definition = (
            self.declared.records.get(inner.key)
            if isinstance(inner, RecordRef)
            else None
        )
        if definition is not None:
            # One that is complete later may hold what is being laid out: it has to wait.
            order = self.declared.order[id(definition)]
            if all(order < other for other in self._open):
                self.record(c_name(definition))
        void = isinstance(target, Scalar) and target.base == "void"
        return Pointer(f"{spelling(target)} *", None if void else target)

    def settled(self, type: CType) -> CType:
        """A type for the IR, whose pointers lead only to what has been laid out before."""
        match type:
            case Array(element=element):
                return replace(type, element=self.settled(element))
            case Pointer(target=target) if target is not None:
                inner = _element(target)
                if isinstance(inner, RecordRef) and inner.key not in self.records:
                    return replace(type, target=None)
                return replace(type, target=self.settled(target))
        return type

    def record(self, key: str, definition: c_ast.Node | None = None) -> Record | None:
        """A struct or union, laid out when first asked for; None for an incomplete one."""
        definition = definition or self.declared.records.get(key)
        if definition is not None and key not in self.records:
            self._open.append(self.declared.order.get(id(definition), 0))
            self.records[key] = records.lower(self, definition, key)
            self._open.pop()
        return self.records.get(key)

    def is_function(self, node: c_ast.Node) -> bool:
        """Whether a declarator is a function's, or a typedef's that names such a type."""
        if isinstance(node, c_ast.TypeDecl) and isinstance(
            node.type, c_ast.IdentifierType
        ):
            named = self.declared.typedefs.get(" ".join(node.type.names))
            return named is not None and self.is_function(named.type)
        return isinstance(node, c_ast.FuncDecl)

    def measure(self, type: CType, node: c_ast.Node) -> tuple[int, int]:
        """Size and alignment of a type, in bytes."""
        size, alignment = self.natural(type, node)
        return size, type.aligned or alignment

    def natural(self, type: CType, node: c_ast.Node) -> tuple[int, int]:
        match type:
            case Scalar(base=base) | Enumeration(base=base) if base != "void":
                return self.abi.scalar(base)
            case Pointer():
                return self.abi.pointer, self.abi.pointer
            case Array(element, length):
                size, alignment = self.measure(element, node)
                return size * (length or 0), alignment
            case RecordRef(key=key) if record := self.record(key):
                return record.size, record.alignment
        raise self.refuse(node, f"'{spelling(type)}' is an incomplete type")

    # --- attributes -----------------------------------------------------------------

    def attributes(
        self, read: Callable[[c_ast.Node, Value], Attributes], node: c_ast.Node
    ) -> Attributes:
        """What a node's attributes ask for, by one of the readers of `attributes`."""
        try:
            return read(node, self.asked)
        except UnknownAttribute as unknown:
            raise self.refuse(unknown.node, str(unknown)) from None

    def asked(self, attribute: c_ast.Attribute) -> int:
        """The alignment that an `aligned` asks for; without a number, the ABI's greatest."""
        if attribute.arguments is None:
            return self.abi.aligned
        node = expression(attribute.arguments, self.declared.typedefs)
        if node is None:
            raise self.refuse(attribute, "cannot parse this attribute's argument")
        try:
            return evaluate(node, self).value
        except Unevaluable as reason:
            raise self.refuse(
                attribute, f"cannot evaluate this attribute's argument: {reason}"
            ) from None

    def alignas(self, node: c_ast.Alignas) -> int:
        if isinstance(node.alignment, c_ast.Typename):
            return self.alignment_of(node.alignment)
        return self.value(node.alignment).value

    def check_pragma(self, node: c_ast.Pragma) -> None:
        """A pragma between members may not be one that changes their layout."""
        if pack.changes_layout(node):
            raise self.refuse(node, "this pragma is not supported between members")

    # --- the Scope of expressions ---------------------------------------------------

    def value(self, node: c_ast.Node) -> CInt:
        try:
            return evaluate(node, self)
        except Unevaluable as reason:
            raise self.refuse(
                node, f"cannot evaluate this expression: {reason}"
            ) from None

    def enumerator(self, name: str) -> CInt | None:
        return self.enumerators.get(name)

    def integer_type(self, node: c_ast.Node) -> IntegerType:
        type = self.type(node, "")
        if isinstance(type, Scalar | Enumeration) and type.base in self.abi.integers:
            return self.abi.integers[type.base]
        raise Unevaluable(f"'{spelling(type)}' is not an integer type")

    def size_of(self, node: c_ast.Node) -> int:
        return self.measure(self.type(node, ""), node)[0]

    def size_of_expression(self, node: c_ast.Node) -> int:
        return self.measure(expression_type(node, self), node)[0]

    def alignment_of(self, node: c_ast.Node) -> int:
        return self.measure(self.type(node, ""), node)[1]

    def offset_of(self, node: c_ast.Node, member: str) -> int:
        return place_in(self.type(node, ""), member, self)

    # --- places and words -----------------------------------------------------------

    def coord(self, node: c_ast.Node, name: str | None = None) -> Coord:
        return self.sources.locate(
            node.coord.file, node.coord.line, str(name or node.name)
        )

    def doc(self, coord: c_ast.Coord, name: str) -> str:
        """The comment on a declaration; what a macro expands to has none of its own."""
        place = Coord(coord.file, coord.line, 1)
        if coord.file != self.root or not self.sources.mentions(place, name):
            return ""
        line = self.sources.line(coord.file, coord.line)
        return self.comments.of(coord.line, name, line)

    def refuse(self, node: c_ast.Node, message: str) -> SourceError:
        place = node.coord
        coord = Coord(place.file, place.line, place.column or 1)
        return SourceError(
            coord,
            message,
            "only what all compilers lay out alike is supported; change the declaration",
        )


def _element(type: CType) -> CType:
    """The type inside arrays."""
    while isinstance(type, Array):
        type = type.element
    return type
