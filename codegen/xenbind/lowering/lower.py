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
from xenbind.frontend.parse import unevaluable
from xenbind.ir.abi import ABIS, X86_64, Abi
from xenbind.ir.c_types import Enumeration, RecordRef, Scalar
from xenbind.ir.interface import (
    Constant,
    Field,
    Interface,
    Layouts,
    Payload,
    Record,
    Ring,
    RingMacro,
    Typedef,
)
from xenbind.lowering import groups
from xenbind.lowering.constant_expressions import CInt, Unevaluable, evaluate
from xenbind.lowering.context import Context
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

    def interface(self) -> Interface:
        constants = tuple(self.constants())
        typedefs: list[Typedef] = []
        for node in self.header.declarations:
            if node.coord is not None and node.coord.file == self.root:
                typedefs += self.declaration(node)
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
                list(self.enums()),
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
        )

    def constants(self) -> Iterator[Constant]:
        """Give the root header's macros and enumerators that have a value, as they stand."""
        found = {constant.name: constant for constant in self.enumerators()}
        found |= {constant.name: constant for constant in self.macros()}
        yield from sorted(found.values(), key=lambda constant: constant.coord.line)

    def enums(self) -> Iterator[groups.CEnum]:
        for node in self.types.declared.enums:
            if node.coord.file == self.root:
                names = [
                    entry.name
                    for entry in node.values.enumerators
                    if isinstance(entry, c_ast.Enumerator)
                ]
                doc = self.context.doc(node.coord, node.name or "enum")
                yield groups.CEnum(node.name or "", tuple(names), doc)

    def enumerators(self) -> Iterator[Constant]:
        for node in self.types.enumerator_nodes:
            if node.coord.file == self.root:
                body = "" if node.value is None else CGenerator().visit(node.value)
                value = self.types.enumerators[node.name].value
                doc = self.context.doc(node.coord, node.name)
                yield Constant(node.name, value, body, doc, self.context.coord(node))

    def macros(self) -> Iterator[Constant]:
        for expanded in self.header.constants:
            macro = expanded.macro
            try:
                value = self.value(expanded)
            except Unevaluable as reason:
                raise unevaluable(macro, str(reason)) from None
            if value is not None:
                doc = self.context.comments.of(macro.coord.line)
                yield Constant(macro.name, value, macro.body, doc, macro.coord)

    def value(self, expanded: ExpandedMacro) -> int | str | None:
        """Evaluate a macro; give None for one that is no constant.  Raises `Unevaluable`."""
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
        if isinstance(node, c_ast.Typedef) and not self.types.is_function(node.type):
            target = self.types.typedef(node.name)
            if isinstance(target, RecordRef):
                self.types.record(target.key)
            yield Typedef(
                node.name,
                self.types.with_known_targets(target),
                self.context.doc(node.coord, node.name),
                self.context.coord(node),
            )
        elif isinstance(node, c_ast.Decl) and self.is_definition(node.type):
            self.types.type(node.type, "")

    def is_definition(self, node: c_ast.Node) -> bool:
        return isinstance(node, c_ast.Struct | c_ast.Union) and node.decls is not None

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
