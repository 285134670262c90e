"""Lowering: from the AST and the macros to the IR.

Takes what `preprocess`, `parse` and `comments` give; asks `constants` for values and
`layout` for positions; gives an `Interface`.  What the root header declares is lowered
in its order, and from other headers only what those declarations need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pycparser import c_ast
from pycparser.c_generator import CGenerator

from xenbind.backend.rings import protocol
from xenbind.errors import SourceError, XenbindError
from xenbind.frontend.directives import Macro, Preprocessed
from xenbind.frontend.parse import Parsed, unevaluable
from xenbind.ir.abi import ABIS, X86_64, Abi
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import (
    Constant,
    Interface,
    Layouts,
    Payload,
    Record,
    Ring,
    Typedef,
)
from xenbind.lowering import groups
from xenbind.lowering.constant_expressions import (
    CInt,
    Unevaluable,
    evaluate,
    is_expression,
    is_string,
    string_value,
)
from xenbind.lowering.context import Context
from xenbind.lowering.type_table import TypeTable
from xenbind.source import Coord, Sources
from xenbind.spec import Spec


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


def expressions(macros: Sequence[tuple[Macro, str]]) -> list[tuple[Macro, str]]:
    """Those whose expansion is to be parsed: no strings, types or statements."""
    return [
        (macro, text)
        for macro, text in macros
        if is_expression(text) and not is_string(text) and not text.isidentifier()
    ]


def lower(
    spec: Spec,
    header: Path,
    preprocessed: Preprocessed,
    macros: Sequence[tuple[Macro, str]],
    accessors: Sequence[tuple[Macro, str]],
    parsed: Parsed,
    sources: Sources,
    abi: Abi = X86_64,
) -> Lowered:
    """Build the IR of one header on one ABI.

    `macros` are the candidates with their full expansions; `accessors`
    the ring's macros with theirs, parameters left in place.  Raises `SourceError` for
    what cannot be lowered: a macro without a value, a type that is incomplete or not
    supported, a header without the structs it should declare.
    """
    lowering = _Lowering(spec, header, parsed, sources, abi)
    interface = lowering.interface(preprocessed, macros, accessors)
    return Lowered(interface, lowering.types)


@dataclass(frozen=True, slots=True)
class Lowered:
    """An interface on one ABI, and the types that it was laid out from."""

    interface: Interface
    types: TypeTable

    def layouts(self) -> Layouts:
        """Its records on every ABI; what cannot be laid out on one is left out there."""
        return {name: self.types.records_on(abi) for name, abi in ABIS.items()}


class _Lowering:
    """One header on its way to an `Interface`."""

    def __init__(
        self, spec: Spec, header: Path, parsed: Parsed, sources: Sources, abi: Abi
    ) -> None:
        self.spec = spec
        self.root = str(header)
        self.parsed = parsed
        self.context = Context(self.root, parsed.declarations, sources)
        self.types = TypeTable(self.context, abi)

    def interface(
        self,
        preprocessed: Preprocessed,
        macros: Sequence[tuple[Macro, str]],
        accessors: Sequence[tuple[Macro, str]],
    ) -> Interface:
        constants = tuple(self.constants(macros))
        typedefs: list[Typedef] = []
        for node in self.parsed.declarations:
            if node.coord is not None and node.coord.file == self.root:
                typedefs += self.declaration(node)
        if not self.types.records:
            raise SourceError(
                Coord(self.root, 1, 1),
                f"no struct or union found, only {_count(len(constants), 'constant')}",
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
            rings=tuple(self.rings(accessors)),
            payload=self.payload(constants),
            files=preprocessed.files,
        )

    def constants(self, macros: Sequence[tuple[Macro, str]]) -> Iterator[Constant]:
        """The macros and enumerators of the root header that have a value, as they stand."""
        found = {constant.name: constant for constant in self.enumerators()}
        found |= {constant.name: constant for constant in self.macros(macros)}
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

    def macros(self, macros: Sequence[tuple[Macro, str]]) -> Iterator[Constant]:
        for macro, expansion in macros:
            try:
                value = self.constant(macro.name, expansion)
            except Unevaluable as reason:
                raise unevaluable(macro, str(reason)) from None
            if value is not None:
                doc = self.context.comments.of(macro.coord.line)
                yield Constant(macro.name, value, macro.body, doc, macro.coord)

    def constant(self, name: str, expansion: str) -> int | str | None:
        """The value of a macro, None for one that is no constant."""
        if is_string(expansion):
            return string_value(expansion)
        value: CInt | None = None
        if expansion.isidentifier():
            value = self.types.enumerators.get(expansion)
        elif name in self.parsed.expressions:
            value = evaluate(self.parsed.expressions[name], self.types)
        return None if value is None else value.value

    def version(self, constants: Sequence[Constant]) -> int:
        """The interface's version, 0 where no macro says it."""
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
        """Lower one declaration of the root header; a typedef is given back."""
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

    def rings(self, accessors: Sequence[tuple[Macro, str]]) -> Iterator[Ring]:
        """What `DEFINE_RING_TYPES` declared, known by the names that it makes."""
        bodies = protocol.parse_bodies(accessors, list(self.types.declared.typedefs))
        for record in self.types.records.values():
            name = str(record.tag).removesuffix("_sring")
            entry = self.types.records.get(f"union {name}_sring_entry")
            if record.key != f"struct {name}_sring" or entry is None:
                continue
            front = self.types.records.get(f"struct {name}_front_ring")
            back = self.types.records.get(f"struct {name}_back_ring")
            match [field.type for field in entry.fields]:
                case [RecordRef() as request, RecordRef() as response]:
                    pass
                case _:
                    continue
            if front is None or back is None or not _names(record) >= _SHARED:
                continue
            yield Ring(
                name=name,
                request=request.spelling,
                response=response.spelling,
                entry=entry.key,
                shared=record.key,
                front=front.key,
                back=back.key,
                operations=protocol.operations(
                    bodies,
                    record,
                    front,
                    back,
                    self.types.records,
                    self.context.sources,
                ),
                coord=record.coord,
            )

    def payload(self, constants: Sequence[Constant]) -> Payload | None:
        """The tagged union that the spec names, if the header has it."""
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


def _names(record: Record) -> set[str]:
    return {field.name for field in record.fields}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
