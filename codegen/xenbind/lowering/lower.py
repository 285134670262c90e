"""Lower a header: from its syntax tree and macros to the IR.

Takes a `ParsedHeader` and the spec; asks `constants` for values, `type_table` for types,
`groups` for what belongs together, `rings` and those beside it, and `functions`; gives an
`Interface`.
What the root header declares is lowered in its order, and from other headers only what
those declarations need.

    #define VM_EVENT_FLAG_DENY (1 << 6)    ->  Constant("VM_EVENT_FLAG_DENY", 64, …)
    struct pair { int first, second; };    ->  Record("struct pair", …, size=8)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from pycparser import c_ast

from xenbind.errors import Faults, SourceError
from xenbind.frontend.conditions import macros_around
from xenbind.frontend.header import ParsedHeader
from xenbind.ir import extent
from xenbind.ir.abi import ABIS, X86_64, Abi
from xenbind.ir.c_types import RecordRef, Scalar, element
from xenbind.ir.interface import (
    Constant,
    Function,
    Handle,
    Interface,
    Layouts,
    LeftOut,
    Library,
    Record,
    Typedef,
)
from xenbind.lowering import groups
from xenbind.lowering.byte_pages import BytePages
from xenbind.lowering.constants import Constants, is_const
from xenbind.lowering.context import Context
from xenbind.lowering.declarations import c_name, definitions
from xenbind.lowering.event_pages import EventPages
from xenbind.lowering.flex_rings import FlexRings
from xenbind.lowering.functions import Functions, pointed_to
from xenbind.lowering.payloads import Payloads
from xenbind.lowering.rings import Rings
from xenbind.lowering.type_table import TypeTable, leaving_out
from xenbind.plain import Struct
from xenbind.source import IDENTIFIER, with_blank_comments
from xenbind.spec import Spec

_DEFINITION = re.compile(r"^[ \t]*((?:struct|union)\s+(\w+))\s*\{", re.MULTILINE)
_MOST_ASKED = 4  # macros in a note


class Lowered(Struct, frozen=True):
    """An interface on one ABI, and the types that it was laid out from."""

    interface: Interface
    types: TypeTable

    def layouts(self) -> Layouts:
        """Lay its records out on every ABI; what has no layout on one is left out there."""
        return {name: self.types.records_on(abi) for name, abi in ABIS.items()}


def lower(header: ParsedHeader, spec: Spec, abi: Abi = X86_64) -> Lowered:
    """Build the IR of one header on one ABI.

    Raises `SourceError` for what cannot be lowered: a type that is incomplete or not
    supported, a header without the structs it should declare.  It is of all declarations
    that cannot be lowered; what only uses one of them has no fault of its own.
    """
    if header.faults:
        _refuse(header, spec, abi)
    lowering = _Lowering(header, spec, abi)
    return Lowered(lowering.interface(), lowering.types)


def _refuse(header: ParsedHeader, spec: Spec, abi: Abi) -> None:
    """Raise what cannot be parsed of a header, with what cannot be lowered of the rest.

    What speaks of a name that is not there for that reason has no fault of its own.
    """
    faults = Faults()
    for fault in header.faults:
        faults.add(fault)
    try:
        _Lowering(header, spec, abi).typedefs()
    except SourceError as error:
        for fault in error.each:
            if header.lost.isdisjoint(IDENTIFIER.findall(fault.message)):
                faults.add(fault)
    faults.refuse()


def lower_records(
    header: ParsedHeader, spec: Spec, abi: Abi, wanted: Iterable[str]
) -> Mapping[str, Record]:
    """Lay out the records of one header on one ABI, by key: those of an `Interface`, alone.

    Those that are `wanted` are among them, where there are such: a macro's `sizeof` may ask for
    one that no declaration of the header needs.  Raises as `lower` does.
    """
    lowering = _Lowering(header, spec, abi)
    lowering.typedefs()
    lowering.library_functions()  # which may be of records that nothing else needs
    lowering.types.lowered_again(wanted)
    return lowering.types.records


class _Lowering:
    """One header on its way to an `Interface`."""

    def __init__(self, header: ParsedHeader, spec: Spec, abi: Abi) -> None:
        self.header = header
        self.spec = spec
        self.root = str(header.path)
        self.context = Context(header.comments, header.declarations, header.written)
        opaque = spec.library.opaque if spec.library else ()
        self.types = TypeTable(self.context, abi, opaque=opaque)
        self.left_out: list[LeftOut] = []
        self.constants = Constants(header, self.types)
        self.functions = Functions(header, self.types, spec)
        self.flex_rings = FlexRings(header, self.types, spec)
        self.undefined: list[tuple[c_ast.Typedef, RecordRef]] = []

    def typedefs(self) -> list[Typedef]:
        """Lower what the roots declare in their order, but for functions; give the typedefs."""
        typedefs: list[Typedef] = []
        faults = self.types.faults
        for node in self.header.declarations:
            if node.coord is not None and node.coord.file in self.header.roots:
                with faults.kept(), self.left_out_if_unsupported(node):
                    typedefs += self.declaration(node)
        self.lower_pointed_to()
        return typedefs

    def lower_pointed_to(self) -> None:
        """Lower what records so far point to and a header defines behind them."""
        faults = self.types.faults
        for key in self.types.pointed_to:  # which grows meanwhile
            with faults.kept(), leaving_out():
                self.types.record(key)
        faults.refuse()

    def library_functions(self) -> tuple[Function, ...]:
        """Lower the functions, and what nothing but their records points to."""
        functions = tuple(self.functions.of_header())
        self.lower_pointed_to()
        return functions

    def interface(self) -> Interface:
        typedefs = self.typedefs()
        functions = self.library_functions()
        _require_levels(tuple(self.types.records.values()))
        handles = tuple(self.handles(functions))
        event_pages = tuple(EventPages(self.header, self.types, self.spec).find())
        byte_pages = tuple(BytePages(self.header, self.types, self.spec).find())
        if not self.types.records and not functions:
            self.left_out += self.not_taken()
        enums = list(self.constants.enums())
        constants = tuple(self.constants.of_header(enums))
        functions = self.functions.with_other_names(
            functions, self.constants.of_functions
        )
        payloads = Payloads(self.header, self.types, constants, self.spec)
        flex_rings = tuple(self.flex_rings.find())
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
                self.context,
                self.spec,
            ),
            records=tuple(self.types.records.values()),
            typedefs=tuple(typedefs),
            scalar_typedefs=tuple(self.types.used_typedefs.values()),
            rings=tuple(Rings(self.header, self.types, self.spec).find(constants)),
            payloads=tuple(payloads.find(event_pages)),
            files=self.header.files,
            hidden=tuple(
                sorted(self.header.macros & self.declared_names(enums, functions))
            ),
            left_out=tuple(self.all_left_out()),
            skipped=(
                *(name for name in self.spec.skip if name in self.header.macros),
                *self.functions.skipped,
                *self.flex_rings.skipped,
                *(
                    key
                    for key in self.types.opaque
                    if key in self.types.declared.records
                ),
            ),
            library=self.library(),
            functions=functions,
            handles=handles,
            event_pages=event_pages,
            byte_pages=byte_pages,
            flex_rings=flex_rings,
        )

    def not_taken(self) -> Iterator[LeftOut]:
        """Tell of the first struct or union that stands in a branch that was not taken."""
        read = self.context.declared.records
        for file in self.header.roots:
            written = self.header.sources.text(file)
            text = with_blank_comments(written)
            for found in _DEFINITION.finditer(text):
                if " ".join(found[1].split()) in read:
                    continue
                line = text.count("\n", 0, found.start(2)) + 1
                asked = ", ".join(macros_around(written, line)[:_MOST_ASKED])
                macros = f" ({asked})" if asked else ""
                yield LeftOut(
                    found[1],
                    "it is in no branch that was taken; define what the header's #if asks for"
                    f"{macros} under 'defines' in the spec",
                    self.header.sources.locate(file, line, found[2]),
                )
                return

    def library(self) -> Library | None:
        """Give the library that the spec names, if it does."""
        named = self.spec.library
        if named is None:
            return None
        return Library(named.name, tuple(named.advice.items()))

    def handles(self, functions: Sequence[Function]) -> Iterator[Handle]:
        """Give what functions point to; of typedefs of other undefined structs there is nothing."""
        keys = pointed_to(functions)
        names: dict[str, list[str]] = {key: [] for key in keys}
        for node, record in self.undefined:
            if record.key in names:
                names[record.key].append(node.name)
            elif record.key not in self.types.opaque:
                self.leave_out(node, node.name, f"'{record.spelling}' is never defined")
        for key in keys:
            yield Handle(key, tuple(names[key]))

    def declared_names(
        self, enums: Sequence[groups.CEnum], functions: Sequence[Function]
    ) -> set[str]:
        """Give the names of types, members, enumerators and functions, as C declares them."""
        records = self.types.records.values()
        names = {field.name for record in records for field in record.fields}
        names |= {record.tag for record in records if record.tag}
        names |= {each.name for enum in enums for each in enum.enumerators}
        names |= {function.name for function in functions}
        return (
            names | {enum.tag for enum in enums} | set(self.context.declared.typedefs)
        )

    def version(self, constants: Sequence[Constant]) -> int:
        """Give the interface's version, 0 where the spec names no macro that holds it."""
        if self.spec.version_macro is None:
            return 0
        for left_out in self.constants.left_out:
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
        raise self.spec.lacks_version(self.header.path)

    def declaration(self, node: c_ast.Node) -> Iterator[Typedef]:
        """Lower one declaration of the root header; give the `Typedef` if it is one."""
        for definition in definitions(node):
            if self._is_class(definition):
                with (
                    self.types.faults.kept(),
                    self.left_out_if_unsupported(definition),
                ):
                    self.types.record(c_name(definition), definition)
        if isinstance(node, c_ast.Typedef):
            yield from self.typedef(node)
        elif isinstance(node, c_ast.Decl) and node.name and _is_untagged(node.type):
            self.leave_out(node, node.name, "its type has no name")
        elif isinstance(node, c_ast.Decl) and node.init and is_const(node.type):
            self.constants.variable(node)

    def _is_class(self, definition: c_ast.Node) -> bool:
        """Tell whether a definition is of a struct or union that is to have a class by its tag."""
        return (
            isinstance(definition, c_ast.Struct | c_ast.Union)
            and bool(definition.name)
            and c_name(definition) not in self.types.opaque
        )

    @contextmanager
    def left_out_if_unsupported(self, node: c_ast.Node) -> Iterator[None]:
        """Leave a declaration out whose type a package cannot have."""
        try:
            yield
        except SourceError as error:
            if not error.is_of_python:
                raise
            is_record = isinstance(node, c_ast.Struct | c_ast.Union)
            name = c_name(node) if is_record else str(node.name)
            coord = self.context.coord(node, node.name)
            where = "" if error.coord.line == coord.line else f" ({error.coord})"
            self.left_out.append(LeftOut(name, f"{error.message}{where}", coord))

    def typedef(self, node: c_ast.Typedef) -> Iterator[Typedef]:
        """Lower a typedef, unless it names what has neither a size nor members."""
        if self.types.is_function(node.type):
            self.leave_out(node, node.name, "it is a function's type")
            return
        target = self.types.typedef(node.name)
        inner = element(target)
        is_opaque = isinstance(target, RecordRef) and target.key in self.types.opaque
        if isinstance(inner, RecordRef) and (
            is_opaque or self.types.record(inner.key) is None
        ):
            self.undefined.append((node, inner))
        elif isinstance(inner, Scalar) and inner.base == "void":
            void = inner.spelling == "void"
            why = (
                "void is no type of a value"
                if void
                else f"'{inner.spelling}' has no size"
            )
            self.leave_out(node, node.name, why)
        else:
            yield Typedef(
                node.name,
                self.types.with_known_targets(target),
                self.context.doc(node.coord, node.name),
                self.context.coord(node),
            )

    def all_left_out(self) -> list[LeftOut]:
        """Give what the header declares in vain, in its order, each once."""
        every = [*self.left_out, *self.constants.left_out]
        every += [*self.functions.left_out, *self.flex_rings.left_out]
        # Of two reasons for one thing the first is told.
        once = {(each.coord, each.name): each for each in reversed(every)}
        return sorted(once.values(), key=lambda each: each.coord)

    def leave_out(self, node: c_ast.Node, name: str, reason: str) -> None:
        coord = self.context.coord(node, name)
        self.left_out.append(LeftOut(name, reason, coord))


_LEVELS = 250  # which the stages behind this one have room for


def _require_levels(records: Sequence[Record]) -> None:
    """Raise `SourceError` for a record that nests others deeper than any stage has room for."""
    levels = extent.levels(records)
    for record in records:
        if levels[record.key] > _LEVELS:
            raise SourceError(
                record.coord,
                f"'{record.spelling}' nests structs and unions in more than {_LEVELS} levels",
                "C promises no more than 63 (C11 5.2.4.1): have fewer structs within structs",
            )


def _is_untagged(node: c_ast.Node) -> bool:
    """Tell whether what a declarator declares is of a struct or union without a tag."""
    while isinstance(node, c_ast.TypeDecl | c_ast.ArrayDecl | c_ast.PtrDecl):
        node = node.type
    return isinstance(node, c_ast.Struct | c_ast.Union) and node.name is None
