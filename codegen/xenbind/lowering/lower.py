"""Lower a header: from its syntax tree and macros to the IR.

Takes a `ParsedHeader` and the spec; asks `constant_expressions` for values, `type_table`
for types and `groups` for what belongs together; gives an `Interface`.  What the root
header declares is lowered in its order, and from other headers only what those
declarations need.

    #define VM_EVENT_FLAG_DENY (1 << 6)    ->  Constant("VM_EVENT_FLAG_DENY", 64, …)
    struct pair { int first, second; };    ->  Record("struct pair", …, size=8)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pycparser import c_ast
from pycparser.c_generator import CGenerator

from xenbind.errors import SourceError, XenbindError
from xenbind.frontend import comments
from xenbind.frontend.header import ParsedHeader
from xenbind.frontend.macros import ExpandedMacro, is_string
from xenbind.ir.abi import ABIS, X86_64, Abi
from xenbind.ir.c_types import Enumeration, RecordRef, Scalar, element
from xenbind.ir.interface import (
    Constant,
    Field,
    Interface,
    Layouts,
    LeftOut,
    Payload,
    Record,
    Ring,
    RingMacro,
    Typedef,
)
from xenbind.lowering import groups
from xenbind.lowering.constant_expressions import (
    CInt,
    Unevaluable,
    convert_to,
    evaluate,
)
from xenbind.lowering.context import Context
from xenbind.lowering.declarations import (
    c_name,
    definitions,
    enum_key,
    enumerators,
)
from xenbind.lowering.literals import string_value
from xenbind.lowering.type_table import TypeTable
from xenbind.source import Coord
from xenbind.spec import RingSpec, Spec
from xenbind.words import count


@dataclass(frozen=True, slots=True)
class Lowered:
    """An interface on one ABI, and the types that it was laid out from."""

    interface: Interface
    types: TypeTable

    def layouts(self) -> Layouts:
        """Lay its records out on every ABI; what has no layout on one is left out there."""
        return {name: self.types.records_on(abi) for name, abi in ABIS.items()}


def lower(header: ParsedHeader, spec: Spec, abi: Abi = X86_64) -> Lowered:
    """Build the IR of one header on one ABI.

    Raises `SourceError` for what cannot be lowered: a macro without a value, a type that
    is incomplete or not supported, a header without the structs it should declare.
    """
    lowering = _Lowering(header, spec, abi)
    return Lowered(lowering.interface(), lowering.types)


class _Lowering:
    """One header on its way to an `Interface`."""

    def __init__(self, header: ParsedHeader, spec: Spec, abi: Abi) -> None:
        self.header = header
        self.spec = spec
        self.root = str(header.path)
        self.context = Context(self.root, header.declarations, header.sources)
        self.types = TypeTable(self.context, abi)
        self.left_out: list[LeftOut] = []
        self.variables: list[Constant] = []

    def interface(self) -> Interface:
        typedefs: list[Typedef] = []
        for node in self.header.declarations:
            if node.coord is not None and node.coord.file == self.root:
                typedefs += self.declaration(node)
        enums = list(self.enums())
        constants = tuple(self.constants(enums))
        if not self.types.records:
            raise SourceError(
                Coord(self.root, 1, 1),
                f"no struct or union found, only {count(len(constants), 'constant')}",
                "define what the header's #if asks for (such as __XEN_TOOLS__) under 'defines'"
                " in the spec",
            )
        return Interface(
            name=self.spec.name,
            version=self.version(constants),
            header=self.root,
            abi=self.types.abi.name,
            constants=constants,
            groups=groups.infer(
                constants,
                enums,
                tuple(self.types.records.values()),
                self.context.comments,
                self.context.sources,
                self.spec,
            ),
            records=tuple(self.types.records.values()),
            typedefs=tuple(typedefs),
            scalar_typedefs=tuple(self.types.used_typedefs.values()),
            rings=tuple(self.rings(constants)),
            payload=self.payload(constants),
            files=self.header.files,
            hidden=tuple(sorted(self.header.macros & self.declared_names(enums))),
            left_out=tuple(sorted(self.left_out, key=lambda each: each.coord)),
        )

    def enums(self) -> Iterator[groups.CEnum]:
        """Give the root header's enums, and those of others that it uses."""
        named = {
            id(node.type.type): name
            for name, node in self.context.declared.typedefs.items()
            if isinstance(node.type, c_ast.TypeDecl)
        }
        for node in self.context.declared.enums:
            key = enum_key(node)
            if node.coord.file == self.root or key in self.types.used_enums:
                yield groups.CEnum(
                    key=key,
                    tag=node.name or "",
                    typedef=named.get(id(node), ""),
                    enumerators=tuple(map(self.enumerator, enumerators(node))),
                    doc=self.context.doc(node.coord, node.name or "enum"),
                )

    def enumerator(self, node: c_ast.Enumerator) -> Constant:
        return Constant(
            name=node.name,
            value=self.types.enumerators[node.name].value,
            body="" if node.value is None else CGenerator().visit(node.value),
            doc=self.context.doc(node.coord, node.name),
            coord=self.context.coord(node),
        )

    def constants(self, enums: Sequence[groups.CEnum]) -> list[Constant]:
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

    def declared_names(self, enums: Sequence[groups.CEnum]) -> set[str]:
        """Give the names of types, members and enumerators, as C declares them."""
        records = self.types.records.values()
        names = {field.name for record in records for field in record.fields}
        names |= {record.tag for record in records if record.tag}
        names |= {each.name for enum in enums for each in enum.enumerators}
        return (
            names | {enum.tag for enum in enums} | set(self.context.declared.typedefs)
        )

    def macros(self) -> Iterator[Constant]:
        for expanded in self.header.constants:
            macro = expanded.macro
            try:
                value = self.value(expanded)
            except (Unevaluable, SourceError) as reason:
                self.left_out.append(LeftOut(macro.name, str(reason), macro.coord))
                continue
            if value is not None:
                doc = self.context.comments.of(macro.coord.line)
                yield Constant(macro.name, value, macro.body, doc, macro.coord)

    def value(self, expanded: ExpandedMacro) -> int | str | None:
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
        value: CInt | None = None
        if expanded.expansion.isidentifier():
            value = self.types.enumerator(expanded.expansion)
        elif expanded.expression is not None:
            value = evaluate(expanded.expression, self.types)
        return None if value is None else value.value

    def version(self, constants: Sequence[Constant]) -> int:
        """Give the interface's version, 0 where the spec names no macro that holds it."""
        if self.spec.version_macro is None:
            return 0
        for left_out in self.left_out:
            if left_out.name == self.spec.version_macro:
                raise SourceError(
                    left_out.coord,
                    f"cannot evaluate {left_out.name}: {left_out.reason}",
                    "give it a number, or correct 'version_macro' in the spec",
                )
        for constant in constants:
            if constant.name == self.spec.version_macro and isinstance(
                constant.value, int
            ):
                if constant.value < 0:
                    raise SourceError(
                        constant.coord,
                        f"{constant.name} is negative: {constant.value}",
                        "a version is a number from 0 up, and its module is named after it",
                    )
                return constant.value
        raise SourceError(
            Coord(self.root, 1, 1),
            f"the header does not define {self.spec.version_macro}",
            "correct 'version_macro' in the spec, or leave it out if no macro holds the version",
        )

    def declaration(self, node: c_ast.Node) -> Iterator[Typedef]:
        """Lower one declaration of the root header; give the `Typedef` if it is one."""
        for definition in definitions(node):
            if isinstance(definition, c_ast.Struct | c_ast.Union) and definition.name:
                self.types.record(c_name(definition), definition)
        if isinstance(node, c_ast.Typedef):
            yield from self.typedef(node)
        elif isinstance(node, c_ast.Decl) and node.name and _is_untagged(node.type):
            self.leave_out(node, node.name, "its type has no name")
        elif isinstance(node, c_ast.Decl) and node.init and _is_const(node.type):
            self.variable(node)

    def variable(self, node: c_ast.Decl) -> None:
        """Keep the value of a variable that never changes, if it is a number or a text."""
        try:
            value = self.initial_value(node)
        except (Unevaluable, SourceError) as reason:
            self.leave_out(node, node.name, str(reason))
            return
        coord = self.context.coord(node)
        doc = self.context.doc(node.coord, node.name)
        body = CGenerator().visit(node.init)
        self.variables.append(Constant(node.name, value, body, doc, coord, True))

    def initial_value(self, node: c_ast.Decl) -> int | str:
        """Evaluate a variable's initialiser.  Raises `Unevaluable` or `SourceError`."""
        if isinstance(node.init, c_ast.Constant) and node.init.type == "string":
            try:
                return string_value(node.init.value)
            except ValueError as reason:
                raise Unevaluable(str(reason)) from None
        c_type = self.types.type(node.type)
        if not isinstance(c_type, Scalar | Enumeration):
            raise Unevaluable("it is no number and no text")
        return convert_to(evaluate(node.init, self.types), c_type.base, self.types.abi)

    def typedef(self, node: c_ast.Typedef) -> Iterator[Typedef]:
        """Lower a typedef, unless it names what has neither a size nor members."""
        if self.types.is_function(node.type):
            self.leave_out(node, node.name, "it is a function's type")
            return
        target = self.types.typedef(node.name)
        inner = element(target)
        if isinstance(inner, RecordRef) and self.types.record(inner.key) is None:
            self.leave_out(node, node.name, f"'{inner.spelling}' is never defined")
        elif isinstance(inner, Scalar) and inner.base == "void":
            void = inner.spelling == "void"
            why = "void is no type of a value" if void else f"'{inner.spelling}' has no size"
            self.leave_out(node, node.name, why)
        else:
            yield Typedef(
                node.name,
                self.types.with_known_targets(target),
                self.context.doc(node.coord, node.name),
                self.context.coord(node),
            )

    def leave_out(self, node: c_ast.Node, name: str, reason: str) -> None:
        coord = self.context.coord(node, name)
        self.left_out.append(LeftOut(name, reason, coord))

    def rings(self, constants: Sequence[Constant]) -> Iterator[Ring]:
        """Find what `DEFINE_RING_TYPES` (Xen's io/ring.h) declared, by the names it makes."""
        for shared in self.types.records.values():
            name = str(shared.tag).removesuffix("_sring")
            entry = self.types.records.get(f"union {name}_sring_entry")
            if shared.key != f"struct {name}_sring" or entry is None:
                continue
            front = self.types.records.get(f"struct {name}_front_ring")
            back = self.types.records.get(f"struct {name}_back_ring")
            match [field.type for field in entry.fields]:
                case [RecordRef() as request, RecordRef() as response]:
                    pass
                case _:
                    continue
            if front is None or back is None or not _field_names(shared) >= _SHARED:
                continue
            macros = self.ring_macros()
            meaning = self.spec.rings.get(name, _NO_MEANING)
            self.check_members(meaning, request, response)
            yield Ring(
                name=name,
                request=request.spelling,
                response=response.spelling,
                entry=entry.key,
                shared=shared.key,
                front=front.key,
                back=back.key,
                macros=macros,
                type_names=self.type_names(macros),
                flags=meaning.flags,
                keep=tuple(self.kept_flags(meaning, constants)),
                version=meaning.version,
                coord=shared.coord,
            )

    def check_members(
        self, meaning: RingSpec, request: RecordRef, response: RecordRef
    ) -> None:
        """Refuse members of requests that a ring cannot do with what the spec says."""
        fields = {field.name: field for field in self.types.records[request.key].fields}
        flags = meaning.flags or (_FLAGS if meaning.keep else None)
        if flags is not None:
            place = meaning.places["flags" if meaning.flags else "keep"]
            if request.key != response.key:
                raise SourceError(
                    place,
                    f"the responses of this ring are {response.spelling}, no requests",
                    "leave it out: such a response has its own flags",
                )
            if not _is_integer(fields.get(flags)):
                raise SourceError(
                    place,
                    f"{request.spelling} has no integer '{flags}'",
                    "name the member that has the flags as 'flags'",
                )
        if meaning.version is not None and not _has_number(fields.get(meaning.version)):
            raise SourceError(
                meaning.places["version"],
                f"{request.spelling} has no number '{meaning.version}' in bytes of its own",
                "name the member of the requests that has the interface's version",
            )

    def kept_flags(
        self, meaning: RingSpec, constants: Sequence[Constant]
    ) -> Iterator[Constant]:
        """Give the constants that the spec names as flags to keep."""
        by_name = {constant.name: constant for constant in constants}
        for name in meaning.keep:
            constant = by_name.get(name)
            if constant is None or not isinstance(constant.value, int):
                raise SourceError(
                    meaning.places["keep"],
                    f"{self.root} defines no number {name}",
                    "name constants of the header whose bits an answer is to keep",
                )
            yield constant

    def ring_macros(self) -> tuple[RingMacro, ...]:
        """Give the macros of the header that defines the ring, in its order, with comments."""
        if not self.header.ring_macros:
            return ()
        # All of them are of the one header that defines DEFINE_RING_TYPES.
        file = self.header.ring_macros[0].macro.coord.file
        words = comments.read(self.header.sources.text(file))
        return tuple(
            RingMacro(
                name=each.macro.name,
                parameters=each.macro.parameters or (),
                expansion=each.expansion,
                doc=words.of(each.macro.coord.line),
                coord=each.macro.coord,
            )
            for each in self.header.ring_macros
        )

    def type_names(self, macros: Sequence[RingMacro]) -> tuple[str, ...]:
        """Give the typedef names that macros mention, for whoever parses their expansions."""
        mentioned = {
            word for macro in macros for word in re.findall(r"\w+", macro.expansion)
        }
        return tuple(
            name for name in self.context.declared.typedefs if name in mentioned
        )

    def payload(self, constants: Sequence[Constant]) -> Payload | None:
        """Give the tagged union that the spec names, None if the header lacks its record.

        Raises `XenbindError` where the members are not as the spec says.
        """
        wanted = self.spec.payload
        if wanted is None or wanted.record not in self.types.records:
            return None
        fields = {f.name: f.type for f in self.types.records[wanted.record].fields}
        union = fields.get(wanted.union)
        if not isinstance(union, RecordRef) or wanted.tag not in fields:
            raise XenbindError(
                f"{wanted.record} has no union '{wanted.union}' beside a '{wanted.tag}'",
                f"correct [payload] in {self.spec.path}",
            )
        names = {field.name for field in self.types.records[union.key].fields}
        members = []
        for constant in constants:
            short = constant.name.removeprefix(wanted.prefix)
            member = wanted.members.get(short, short.lower())
            if constant.name.startswith(wanted.prefix) and member in names:
                members.append((constant, member))
        if not members:
            raise XenbindError(
                f"no constant {wanted.prefix}* selects a member of '{wanted.union}'",
                f"correct [payload] in {self.spec.path}",
            )
        return Payload(wanted.record, wanted.tag, wanted.union, tuple(members))


# What a page has that `DEFINE_RING_TYPES` declared, and others of such a name may not.
_SHARED = frozenset(["req_prod", "req_event", "rsp_prod", "rsp_event", "ring"])

# What a ring has whose spec says nothing, and the member that `flags=` of an answer sets there.
_NO_MEANING = RingSpec(None, (), None, Coord("", 1, 1), {})
_FLAGS = "flags"


def _is_integer(field: Field | None) -> bool:
    """Tell whether a member is an integer or an enum; a bit-field may be one."""
    match field and field.type:
        case Scalar(base=base) | Enumeration(base=base):
            return not base.endswith(("float", "double"))
    return False


def _is_const(node: c_ast.Node) -> bool:
    """Tell whether what a declarator declares can be a number or a text that never changes."""
    if isinstance(node, c_ast.ArrayDecl):
        return _is_const(node.type)
    if isinstance(node, c_ast.PtrDecl):
        return "const" in node.quals and _is_const(node.type)
    return isinstance(node, c_ast.TypeDecl) and "const" in (node.quals or ())


def _is_untagged(node: c_ast.Node) -> bool:
    """Tell whether what a declarator declares is of a struct or union without a tag."""
    while isinstance(node, c_ast.TypeDecl | c_ast.ArrayDecl | c_ast.PtrDecl):
        node = node.type
    return isinstance(node, c_ast.Struct | c_ast.Union) and node.name is None


def _has_number(field: Field | None) -> bool:
    """Tell whether a member is an integer in bytes of its own: no character, no truth value."""
    match field:
        case Field(type=Scalar(base="char" | "_Bool")):
            return False
        case Field(bit_width=None):
            return _is_integer(field)
    return False


def _field_names(record: Record) -> set[str]:
    return {field.name for field in record.fields}
