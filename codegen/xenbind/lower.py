"""Lowering: from the AST and the macros to the IR.

Takes what `preprocess`, `parse` and `comments` give; asks `constants` for values and
`layout` for positions; gives an `Interface`.  What the root header declares is lowered
in its order, and from other headers only what those declarations need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pycparser import c_ast

from . import comments, groups, layout
from .constants import CInt, Unevaluable, evaluate, is_expression, string_value
from .errors import SourceError
from .ir import (
    Array,
    Constant,
    Coord,
    CType,
    Enumeration,
    Field,
    Interface,
    Pointer,
    Record,
    RecordRef,
    Ring,
    Scalar,
    Typedef,
)
from .layout import Abi, IntegerType
from .parse import Parsed, unevaluable
from .preprocess import Macro, Preprocessed
from .source import Sources
from .spec import Spec


def candidates(
    preprocessed: Preprocessed, header: Path, skip: frozenset[str]
) -> tuple[Macro, ...]:
    """The root header's macros that may be constants: object-like, with a body."""
    return tuple(
        macro
        for macro in preprocessed.macros.values()
        if macro.coord.file == str(header)
        and macro.parameters is None
        and macro.body
        and macro.name not in skip
    )


def expressions(
    macros: Sequence[Macro], expanded: Sequence[str]
) -> list[tuple[Macro, str]]:
    """Those whose expansion is to be parsed: no strings, types or statements."""
    return [
        (macro, text)
        for macro, text in zip(macros, expanded, strict=True)
        if is_expression(text)
        and string_value(text) is None
        and not text.isidentifier()
    ]


def lower(
    spec: Spec,
    header: Path,
    preprocessed: Preprocessed,
    macros: Sequence[tuple[Macro, str]],
    parsed: Parsed,
    sources: Sources,
    abi: Abi = layout.X86_64,
) -> Interface:
    """Build the IR of one header on one ABI.

    `macros` are the candidates with their full expansions.  Raises `SourceError` for
    what cannot be lowered: a macro without a value, a type that is incomplete or not
    supported, a header without the structs it should declare.
    """
    return _Lowering(spec, header, parsed, sources, abi).interface(preprocessed, macros)


class _Lowering:
    """The tables of one run, and the `Scope` that expressions are evaluated in."""

    def __init__(
        self, spec: Spec, header: Path, parsed: Parsed, sources: Sources, abi: Abi
    ) -> None:
        self.spec = spec
        self.root = str(header)
        self.parsed = parsed
        self.sources = sources
        self.abi = abi
        self.comments = comments.read(sources.text(self.root))
        self.definitions: dict[str, c_ast.Node] = {}
        self.typedef_nodes: dict[str, c_ast.Typedef] = {}
        self.enumerators: dict[str, CInt] = {}
        self.records: dict[str, Record] = {}
        self.typedefs: dict[str, CType] = {}
        self.used_typedefs: dict[str, Typedef] = {}
        for node in parsed.declarations:
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

    # --- the interface as a whole -------------------------------------------------

    def interface(
        self, preprocessed: Preprocessed, macros: Sequence[tuple[Macro, str]]
    ) -> Interface:
        constants = tuple(self.constants(macros))
        typedefs: list[Typedef] = []
        for node in self.parsed.declarations:
            if node.coord is not None and node.coord.file == self.root:
                typedefs += self.declaration(node)
        if not self.records:
            raise SourceError(
                Coord(self.root, 1, 1),
                f"no struct or union found, only {_count(len(constants), 'constant')}",
                "define what the header's #if asks for (such as __XEN_TOOLS__) under 'defines'"
                " in the spec",
                self.sources.line(self.root, 1),
            )
        return Interface(
            name=self.spec.name,
            version=self.version(constants),
            header=self.root,
            abi=self.abi.name,
            constants=constants,
            groups=groups.infer(
                constants,
                tuple(self.records.values()),
                self.comments,
                self.sources,
                self.spec,
            ),
            records=tuple(self.records.values()),
            typedefs=tuple(typedefs),
            scalar_typedefs=tuple(self.used_typedefs.values()),
            rings=tuple(self.rings()),
            files=preprocessed.files,
        )

    def constants(self, macros: Sequence[tuple[Macro, str]]) -> Iterator[Constant]:
        for macro, expansion in macros:
            doc = self.comments.of(macro.coord.line)
            text = string_value(expansion)
            if text is not None:
                yield Constant(macro.name, text, macro.body, doc, macro.coord)
                continue
            if expansion.isidentifier():
                value = self.enumerators.get(expansion)
            elif macro.name in self.parsed.expressions:
                try:
                    value = evaluate(self.parsed.expressions[macro.name], self)
                except Unevaluable as reason:
                    raise unevaluable(macro, str(reason), self.sources) from None
            else:
                value = None
            if value is not None:
                yield Constant(macro.name, value.value, macro.body, doc, macro.coord)

    def version(self, constants: Sequence[Constant]) -> int:
        for constant in constants:
            if constant.name == self.spec.version_macro and isinstance(
                constant.value, int
            ):
                return constant.value
        raise SourceError(
            Coord(self.root, 1, 1),
            f"the header does not define {self.spec.version_macro}",
            "name the macro that holds the interface version under 'version_macro' in the spec",
            self.sources.line(self.root, 1),
        )

    def declaration(self, node: c_ast.Node) -> Iterator[Typedef]:
        """Lower one declaration of the root header; a typedef is given back."""
        if isinstance(node, c_ast.Typedef):
            target = self.typedef(node.name)
            yield Typedef(
                node.name, target, self.doc(node.coord, node.name), self.coord(node)
            )
        elif isinstance(node, c_ast.Decl) and isinstance(
            node.type, (c_ast.Struct, c_ast.Union)
        ):
            if node.type.decls is not None:
                self.type(node.type, "")

    def rings(self) -> Iterator[Ring]:
        """What `DEFINE_RING_TYPES` declared, known by the names that it makes."""
        for record in self.records.values():
            name = str(record.tag).removesuffix("_sring")
            entry = self.records.get(f"union {name}_sring_entry")
            if record.key != f"struct {name}_sring" or entry is None:
                continue
            request, response = (field.type for field in entry.fields)
            assert isinstance(request, RecordRef) and isinstance(response, RecordRef)
            yield Ring(
                name=name,
                request=request.spelling,
                response=response.spelling,
                entry=entry.key,
                shared=record.key,
                front=f"struct {name}_front_ring",
                back=f"struct {name}_back_ring",
                coord=record.coord,
            )

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
            if definition is not None and key not in self.records:
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
        base = _fundamental(spelling)
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
        target = self.type(node.type, "")
        incomplete = isinstance(target, RecordRef) and target.key not in self.records
        void = isinstance(target, Scalar) and target.base == "void"
        return Pointer(f"{_spelling(target)} *", None if incomplete or void else target)

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
        raise self.refuse(node, f"'{_spelling(type)}' is an incomplete type")

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
        raise Unevaluable(f"'{_spelling(type)}' is not an integer type")

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
                raise Unevaluable(f"'{_spelling(type)}' has no member '{name}'")
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


def _fundamental(spelling: str) -> str:
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


def _spelling(type: CType) -> str:
    """A type as C writes it, `uint8_t[44]` for an array."""
    if isinstance(type, Array):
        return (
            f"{_spelling(type.element)}[{'' if type.length is None else type.length}]"
        )
    return type.spelling


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
