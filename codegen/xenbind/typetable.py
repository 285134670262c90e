"""The types of a header: records laid out, typedefs resolved, each when first needed.

Takes the declarations of a parsed header and an ABI; gives `Record`s and `CType`s on
request, and is the `Scope` in which `constants` evaluates expressions.  `lower` asks for
what the root header declares; what other headers declare is laid out only if used.
"""

from __future__ import annotations

from collections.abc import Sequence

from pycparser import c_ast

from . import comments, layout
from .constants import CInt, Unevaluable, evaluate
from .errors import SourceError
from .ir import (
    Array,
    Coord,
    CType,
    Enumeration,
    Field,
    Pointer,
    Record,
    RecordRef,
    Scalar,
    Typedef,
)
from .layout import Abi, IntegerType
from .source import Sources


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
        self.definitions: dict[str, c_ast.Node] = {}
        self.typedef_nodes: dict[str, c_ast.Typedef] = {}
        self.enumerators: dict[str, CInt] = {}
        self.records: dict[str, Record] = {}
        self.typedefs: dict[str, CType] = {}
        self.used_typedefs: dict[str, Typedef] = {}
        self.behind_pointer = 0
        for node in declarations:
            self.index(node)

    def index(self, node: c_ast.Node) -> None:
        """Enter a declaration's tags and names in the tables, to be lowered when needed."""
        if isinstance(node, c_ast.Typedef):
            self.typedef_nodes[node.name] = node
        if (
            isinstance(node, (c_ast.Struct, c_ast.Union))
            and node.decls is not None
            and node.name
        ):
            self.definitions[_key(node)] = node
        if isinstance(node, c_ast.Enum) and node.values is not None:
            self.enumerate(node)
        if isinstance(node, (c_ast.Typedef, c_ast.Decl, c_ast.Struct, c_ast.Union)):
            for child in node:
                self.index(child)
        elif isinstance(node, (c_ast.TypeDecl, c_ast.ArrayDecl, c_ast.PtrDecl)):
            self.index(node.type)

    def enumerate(self, node: c_ast.Enum) -> None:
        following = 0
        for entry in node.values.enumerators:
            if entry.value is not None:
                following = self.value(entry.value).value
            self.enumerators[entry.name] = CInt(following, self.abi.integers["int"])
            following += 1

    # --- types --------------------------------------------------------------------

    def type(self, node: c_ast.Node, name: str) -> CType:
        """The type that a declarator or specifier denotes.

        `name` is the key that an anonymous struct or union gets, if this is one.
        """
        if isinstance(node, (c_ast.TypeDecl, c_ast.Typename)):
            return self.type(node.type, name)
        if isinstance(node, c_ast.IdentifierType):
            return self.named(" ".join(node.names), node)
        if isinstance(node, (c_ast.Struct, c_ast.Union)):
            key = _key(node) if node.name else name
            definition = node if node.decls is not None else self.definitions.get(key)
            if definition and key not in self.records and not self.behind_pointer:
                self.record(definition, key)
            return RecordRef(_key(node), key)
        if isinstance(node, c_ast.Enum):
            return Enumeration(f"enum {node.name or '<anonymous>'}", "unsigned int")
        if isinstance(node, c_ast.ArrayDecl):
            length = None if node.dim is None else self.value(node.dim).value
            return Array(self.type(node.type, name), length)
        if isinstance(node, c_ast.PtrDecl):
            return self.pointer(node)
        raise self.refuse(node, "this kind of type is not supported")

    def named(self, spelling: str, node: c_ast.Node) -> CType:
        base = fundamental(spelling)
        if base in self.abi.integers or base in self.abi.floats or base == "void":
            return Scalar(spelling, base)
        target = self.typedef(spelling)
        if (
            isinstance(target, Scalar)
            and self.typedef_nodes[spelling].coord.file != self.root
        ):
            declared = self.typedef_nodes[spelling]
            coord = Coord(
                declared.coord.file, declared.coord.line, declared.coord.column or 1
            )
            self.used_typedefs[spelling] = Typedef(spelling, target, "", coord)
        if isinstance(target, Scalar):
            return Scalar(spelling, target.base)
        if isinstance(target, Enumeration):
            return Enumeration(spelling, target.base)
        if isinstance(target, RecordRef):
            return RecordRef(spelling, target.key)
        return target

    def typedef(self, name: str) -> CType:
        if name not in self.typedefs:
            self.typedefs[name] = self.type(self.typedef_nodes[name].type, name)
        return self.typedefs[name]

    def pointer(self, node: c_ast.PtrDecl) -> CType:
        if isinstance(node.type, c_ast.FuncDecl):
            return Pointer("function *", None)
        # What it points to may hold this very pointer; it is laid out in its own turn.
        self.behind_pointer += 1
        target = self.type(node.type, "")
        self.behind_pointer -= 1
        incomplete = isinstance(target, RecordRef) and target.key not in self.records
        void = isinstance(target, Scalar) and target.base == "void"
        return Pointer(f"{spelling(target)} *", None if incomplete or void else target)

    def record(self, node: c_ast.Node, key: str) -> None:
        """Lower a struct or union definition and enter it in the table, its parts first."""
        kind = "struct" if isinstance(node, c_ast.Struct) else "union"
        declared = []
        for member in node.decls:
            if not isinstance(member, c_ast.Decl):
                raise self.refuse(
                    member, f"{type(member).__name__} in a {kind} is not supported"
                )
            if member.name is None and member.bitsize is None:
                raise self.refuse(member, "an anonymous member is not supported")
            member_type = self.type(member.type, f"{key}.{member.name}")
            bits = None if member.bitsize is None else self.value(member.bitsize).value
            size, alignment = self.measure(member_type, member)
            declared.append(
                (
                    member,
                    member_type,
                    layout.Member(size, alignment, bits, bool(member.name)),
                )
            )
        laid_out = layout.lay_out(kind, [member for _, _, member in declared])
        fields = tuple(
            self.field(node, field_type, member, place)
            for (node, field_type, member), place in zip(
                declared, laid_out.places, strict=True
            )
            if member.named
        )
        self.records[key] = Record(
            kind=kind,
            tag=node.name,
            key=key,
            fields=fields,
            size=laid_out.size,
            alignment=laid_out.alignment,
            doc=self.doc(node.coord, node.name or kind),
            coord=self.coord(node, node.name or kind),
        )

    def field(
        self, node: c_ast.Decl, type: CType, member: layout.Member, place: layout.Place
    ) -> Field:
        if _levels(type) > _DEEPEST:
            raise self.refuse(
                node, f"a type of more than {_DEEPEST} arrays or pointers"
            )
        doc = self.doc(node.coord, node.name)
        return Field(
            name=node.name,
            type=type,
            offset=place.offset,
            size=member.size,
            bit_offset=place.bit_offset,
            bit_width=member.bits,
            doc=doc,
            hint=comments.hint(doc),
            coord=self.coord(node),
        )

    def measure(self, type: CType, node: c_ast.Node) -> tuple[int, int]:
        """Size and alignment of a type, in bytes."""
        match type:
            case Scalar(base=base) | Enumeration(base=base) if base != "void":
                size = self.abi.floats.get(base) or self.abi.integers[base].size
                return size, size
            case Pointer():
                return self.abi.pointer, self.abi.pointer
            case Array(element, length):
                size, alignment = self.measure(element, node)
                return size * (length or 0), alignment
            case RecordRef(key=key) if key in self.records:
                return self.records[key].size, self.records[key].alignment
        raise self.refuse(node, f"'{spelling(type)}' is an incomplete type")

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

    def alignment_of(self, node: c_ast.Node) -> int:
        return self.measure(self.type(node, ""), node)[1]

    def offset_of(self, node: c_ast.Node, member: str) -> int:
        type = self.type(node, "")
        offset = 0
        for name in member.split("."):
            fields = (
                self.records[type.key].fields if isinstance(type, RecordRef) else ()
            )
            found = next((field for field in fields if field.name == name), None)
            if found is None:
                raise Unevaluable(f"'{spelling(type)}' has no member '{name}'")
            offset, type = offset + found.offset, found.type
        return offset

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
        return self.comments.of(coord.line)

    def refuse(self, node: c_ast.Node, message: str) -> SourceError:
        place = node.coord
        coord = Coord(place.file, place.line, place.column or 1)
        return SourceError(
            coord,
            message,
            "only what C11 lays out the same everywhere is supported; change the declaration",
            self.sources.line(place.file, place.line),
        )


def _key(node: c_ast.Node) -> str:
    kind = "struct" if isinstance(node, c_ast.Struct) else "union"
    return f"{kind} {node.name or '<anonymous>'}"


def fundamental(spelling: str) -> str:
    """A fundamental type's canonical name: `long unsigned int` is `unsigned long`."""
    words = spelling.split()
    if "double" in words or "float" in words or not set(words) <= _INTEGER_WORDS:
        return spelling
    unsigned = "unsigned " if "unsigned" in words else ""
    if "char" in words:
        return "signed char" if "signed" in words else f"{unsigned}char"
    length = "short" if "short" in words else " ".join(["long"] * words.count("long"))
    return unsigned + (length or "int")


_INTEGER_WORDS = frozenset(("signed", "unsigned", "char", "short", "int", "long"))


# C11 5.2.4.1 asks for 12; Python's parser takes 200 parentheses.
_DEEPEST = 63


def _levels(type: CType | None) -> int:
    """How many arrays and pointers stand around a type."""
    levels = 0
    while isinstance(type, Array | Pointer):
        type = type.element if isinstance(type, Array) else type.target
        levels += 1
    return levels


def spelling(type: CType) -> str:
    """A type as C writes it, `uint8_t[2][44]` for an array of arrays."""
    dimensions = ""
    while isinstance(type, Array):
        dimensions += f"[{'' if type.length is None else type.length}]"
        type = type.element
    return type.spelling + dimensions
