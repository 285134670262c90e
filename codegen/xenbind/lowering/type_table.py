"""Resolve the types of a header on one ABI, each when it is first needed.

Takes the `Context` of a parsed header and an ABI; gives `Record`s and `CType`s on request,
and is the `Scope` in which `constant_expressions` evaluates.  `lower` asks for what the
root header declares; what other headers declare is laid out only if used.

    typedef struct { unsigned long id; } pair_t[2];
    types.typedef("pair_t")  ->  Array(RecordRef("struct <anonymous>", "pair_t"), 2)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from pycparser import c_ast

from xenbind.errors import Faults, SourceError
from xenbind.frontend import attributes
from xenbind.frontend.attributes import Attributes, EvaluateArgument, UnknownAttribute
from xenbind.frontend.parse import expression
from xenbind.ir.abi import Abi, IntegerType
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    Pointer,
    RecordRef,
    Scalar,
    element,
    fundamental,
    is_anonymous,
    spelling,
)
from xenbind.ir.interface import Field, Record, RecordType, Typedef
from xenbind.ir.records import Disagreement, IncompleteType, Records, TooWide
from xenbind.lowering import floating, records
from xenbind.lowering.constant_expressions import (
    COMPARISONS,
    evaluate,
    expression_type,
    select,
    varies,
)
from xenbind.lowering.context import Context
from xenbind.lowering.declarations import (
    ADVICE,
    c_name,
    enum_key,
    enumerators,
)
from xenbind.lowering.initialisers import initial_length
from xenbind.lowering.integers import CInt, Unevaluable
from xenbind.lowering.member_functions import member_function
from xenbind.plain import replace
from xenbind.source import Coord

_T = TypeVar("_T")

# Integer types that are alike on every ABI.
_FIXED = frozenset(
    f"{sign}{name}"
    for sign in ("", "signed ", "unsigned ")
    for name in ("short", "int")
) | {"signed char", "unsigned char"}

_MOST_INSIDE = 10_000
_IN_EXPRESSION = "type of an expression"
# In bytes, 0 for a machine's own word.
_MODES = {"QI": 1, "byte": 1, "HI": 2, "SI": 4, "DI": 8, "word": 0, "pointer": 0}
_FLOATING = ("float", "double", "long double")
_FLOATING_MODES = {"SF": "float", "DF": "double"}
_WIDE_MODES = ("TI", "TF", "XF")  # integers and numbers that ctypes has not
_COMPARE = {op: partial(floating.compare, op) for op in COMPARISONS}
_BY_SIZE = {1: "char", 2: "short", 4: "int", 8: "long long"}


class TypeTable:
    """What a header's tags and names stand for on one ABI.

    `record_types` and `records` grow as types are asked for, inner ones before outer
    ones; `used_typedefs` are the names from other headers that arithmetic members are
    declared with, `used_enums` the keys of the enums that anything is.  `varying` are the
    names of records, typedefs and enumerators that another ABI may make something else of
    than its sizes alone explain: an array length that asks for `sizeof`, say.  `known` has
    record types that need no lowering, `opaque` names those whose members are asked for only
    where something has one of them inside.  `pointed_to` has the keys of those that are defined
    behind what points to them, for whoever made it to ask for.  `faults` are those of its enums,
    for whoever made it to refuse: an enumerator without a value has one here, so that its users
    are not told as well.
    """

    def __init__(
        self,
        context: Context,
        abi: Abi,
        known: Mapping[str, RecordType] | None = None,
        opaque: Collection[str] = (),
    ) -> None:
        self.context = context
        self.abi = abi
        self.opaque = opaque
        self.declared = context.declared
        self.enumerators: dict[str, CInt] = {}
        self.record_types: dict[str, RecordType] = dict(known or {})
        self.typedefs: dict[str, CType] = {}
        self.used_typedefs: dict[str, Typedef] = {}
        self.enums: dict[str, Enumeration] = {}
        self.used_enums: set[str] = set()
        self.pointed_to: list[str] = []
        self.varying: set[str] = set()
        self._laid_out = Records(abi, self._record_type)
        self._being_lowered: list[int] = []  # the `order` of each
        self._inside: dict[str, int] = {}  # members of the untagged ones in each
        self._varies = False  # what is being lowered, as `varying` says
        self.faults = Faults()
        self._known: dict[tuple[Any, ...], tuple[Any, Any]] = {}  # of `_once`
        self._failed: dict[str | int, SourceError] = {}  # records, typedefs, enums
        for node in self.declared.enums:
            with self._note_variation(enum_key(node), passed_on=False):
                self._define_enum(node)

    @property
    def records(self) -> Mapping[str, Record]:
        """Give the structs and unions laid out so far, by key."""
        return self._laid_out.laid_out

    def are_free_of(self, names: Collection[str]) -> bool:
        """Tell whether no record laid out so far is called by one of these names."""
        tags = {key.partition(".")[0].split()[-1] for key in self.record_types}
        return tags.isdisjoint(names)

    def records_on(self, abi: Abi) -> Mapping[str, Record]:
        """Lay the same records out as another ABI does.

        What does not vary is only placed anew.  One that cannot be laid out there is left
        out.
        """
        if abi.name == self.abi.name:
            return self.records
        fixed = {
            key: c_type
            for key, c_type in self.record_types.items()
            if key not in self.varying
        }
        if len(fixed) == len(self.records):
            there = Records(abi, fixed.get, self._laid_out)
        else:
            table = TypeTable(self.context, abi, fixed, self.opaque)
            if table.faults:
                return {}
            there = table.lowered_again(self.record_types)
        for key in self.records:
            with suppress(SourceError, IncompleteType, Disagreement, TooWide):
                there.record(key)
        return {
            key: there.laid_out[key] for key in self.records if key in there.laid_out
        }

    def lowered_again(self, wanted: Iterable[str]) -> Records:
        """Give its records; those `wanted` that have another type here are lowered from the header.

        One that cannot be is left out.
        """
        for key in wanted:
            with suppress(SourceError):
                if key in self.declared.records:
                    self.record(key)
                elif key.removesuffix(".element") in self.declared.typedefs:
                    self.typedef(key.removesuffix(".element"))
        return self._laid_out

    @contextmanager
    def _note_variation(self, name: str, passed_on: bool) -> Iterator[None]:
        """Note whether what is lowered varies, and tell what it is a part of if so."""
        before, self._varies = self._varies, False
        try:
            yield
        finally:
            if self._varies:
                self.varying.add(name)
            self._varies = before or (self._varies and passed_on)

    # --- enums ----------------------------------------------------------------------

    def _define_enum(self, node: c_ast.Enum) -> None:
        """Define an enum and its enumerators: ints where they fit, else of its own type.

        Where its type is written, they are of that.
        """
        fixed = None
        if node.underlying_type is not None:
            with self.faults.kept():
                fixed = self._underlying(node)
        values: dict[str, int] = {}
        following = 0
        for entry in enumerators(node):
            if entry.value is not None:
                with self.faults.kept():
                    following = self.value(entry.value).value
            if self._varies:
                self.varying.add(entry.name)
            values[entry.name] = following
            self._define_enumerator(entry.name, following, fixed, None)
            following += 1
        base = self.abi.integers["int"]
        with self._kept(enum_key(node)):
            base = self._enum_base(node, values.values(), fixed)
        for name, value in values.items():
            self._define_enumerator(name, value, fixed, base)
        self._varies = self._varies or base.name not in _FIXED
        spelled = f"enum {node.name or '<anonymous>'}"
        key = enum_key(node)
        self.enums[key] = Enumeration(spelled, base.name, key=key)

    @contextmanager
    def _kept(self, key: str) -> Iterator[None]:
        """Keep the fault of an enum: that Python has none such, for those that are of it alone."""
        try:
            yield
        except SourceError as error:
            if error.is_of_python:
                self._failed[key] = error.each[0]
            else:
                self.faults.add(error)

    def _enum_base(
        self, node: c_ast.Enum, values: Collection[int], fixed: IntegerType | None
    ) -> IntegerType:
        """Choose an enum's own type.  Raises `SourceError` where none holds all values."""
        asked = self.attributes(attributes.of_type, node)
        base = fixed or self.abi.enumeration(values, asked.packed)
        if base is None:
            message = "no integer type holds all values of this enum"
            raise self.context.refuse(node, message)
        if asked.aligned not in (0, self.abi.scalar(base.name)[1]):
            message = "gcc ignores the alignment of an enum, clang does not"
            raise self.context.refuse(node, message)
        return base

    def _underlying(self, node: c_ast.Enum) -> IntegerType:
        """Give the type that is written behind an enum's colon (C23 6.7.2.2)."""
        named = getattr(self.type(node.underlying_type), "base", "")
        integer = self.abi.integers.get(named)
        if integer is None or named in ("_Bool", "char"):
            message = "an enum of this type is not supported"
            raise self.context.refuse(node.underlying_type, message)
        return integer

    def _define_enumerator(
        self,
        name: str,
        value: int,
        fixed: IntegerType | None,
        base: IntegerType | None,
    ) -> None:
        integer = fixed or self.abi.integers["int"]
        if not integer.holds(value):
            integer = base or self.abi.enumeration([value], packed=False) or integer
        if integer.name not in _FIXED:
            self.varying.add(name)
        self.enumerators[name] = CInt(value, integer)

    # --- types ----------------------------------------------------------------------

    def type(self, node: c_ast.Node, key: str = "") -> CType:
        """Give the type that a declarator or specifier denotes (C11 6.7.2, 6.7.6).

        `key` is what an anonymous struct or union gets, if this is one.  A struct or union
        that is defined here is laid out; one that is only named waits until its size or
        members are asked for.
        """
        if isinstance(node, c_ast.TypeDecl):
            if "_Atomic" in (node.quals or ()):
                message = "_Atomic is not supported"
                raise self.context.refuse(node, message, is_of_python=True)
            return self.type(node.type, key)
        if isinstance(node, c_ast.Typename):
            return self._with_alignment(self.type(node.type, key), node)
        if isinstance(node, c_ast.IdentifierType):
            return self._named_type(" ".join(node.names), node)
        if isinstance(node, c_ast.Struct | c_ast.Union):
            name = self.declared.names.get(id(node), "")
            if node.name:
                key = c_name(node)
            elif name:
                key = name
            elif id(node) in self.declared.elements:
                # One that has no name of its own is called by what leads to it.
                key = f"{self.declared.elements[id(node)]}.element"
            if node.decls is not None:
                if not key:
                    message = (
                        "a type that is defined within an expression is not supported"
                    )
                    raise self.context.refuse(node, message)
                if key not in self.opaque:
                    self.record(key, node)
            return RecordRef(name or c_name(node), key)
        if isinstance(node, c_ast.Enum):
            return self._enumeration(node)
        if isinstance(node, c_ast.ArrayDecl):
            length = None if node.dim is None else self.value(node.dim).value
            if length is not None and length < 0:  # on another ABI than its compiler's
                raise self.context.refuse(node.dim, f"an array of {length} elements")
            return Array(self.type(node.type, key), length)
        if isinstance(node, c_ast.PtrDecl):
            return self._pointer(node, key)
        if isinstance(node, c_ast.TypeOf):
            if isinstance(node.expr, c_ast.Typename):
                return self.type(node.expr, key)
            return self._type_of(node)
        raise self.context.refuse(node, "this kind of type is not supported")

    def _enumeration(self, node: c_ast.Enum) -> Enumeration | Scalar:
        """Give the type that an enum specifier denotes; one never defined has no size."""
        with self._failing_once(enum_key(node)):
            enum = self.enums.get(enum_key(node))
        if enum is None:
            return Scalar(f"enum {node.name or '<anonymous>'}", "void")
        self.used_enums.add(enum.key)
        self._varies = self._varies or enum.key in self.varying
        return enum

    def _type_of(self, node: c_ast.TypeOf) -> CType:
        """Give the type of the expression in a `typeof` (GNU C)."""
        self._varies = True
        try:
            return expression_type(node.expr, self)
        except Unevaluable as reason:
            message = f"cannot determine the type of this expression: {reason}"
            raise self.context.refuse(node, message) from None

    def _named_type(self, spelling: str, node: c_ast.Node) -> CType:
        base = fundamental(spelling)
        if base in self.abi.integers or base in self.abi.floats or base == "void":
            return Scalar(spelling, base)
        if spelling not in self.declared.typedefs:
            message = f"the type '{spelling}' is not supported"
            raise self.context.refuse(node, message, is_of_python=True)
        target = self.typedef(spelling)
        declared = self.declared.typedefs[spelling].coord
        is_number = isinstance(target, Scalar | Enumeration) and target.base != "void"
        if is_number and declared.file not in self.context.comments:
            coord = Coord(declared.file, declared.line, declared.column or 1)
            self.used_typedefs[spelling] = Typedef(spelling, target, "", coord)
        if isinstance(target, Scalar | Enumeration | RecordRef):
            return replace(target, spelling=spelling)
        return target

    def typedef(self, name: str) -> CType:
        """Give the type that a typedef name stands for (C11 6.7.8)."""
        if name not in self.typedefs:
            node = self.declared.typedefs[name]
            with self._failing_once(name), self._note_variation(name, passed_on=False):
                target = self._with_alignment(self.type(node.type), node)
                records.require_levels(self.context, node, target)
            if isinstance(target, RecordRef) and target.key == name and target.aligned:
                c_type = replace(self.record_types[name], name_aligned=target.aligned)
                self.record_types[name] = c_type
                self._laid_out.lay_out_again(name)
            self.typedefs[name] = target
        self._varies = self._varies or name in self.varying
        return self.typedefs[name]

    def _with_alignment(self, c_type: CType, node: c_ast.Node) -> CType:
        """Give a type the width and alignment that a typedef's or type name's attributes ask for.

        `packed` means nothing there.
        """
        c_type = self.in_mode(c_type, node)
        asked = self.attributes(attributes.of_declaration, node)
        return replace(c_type, aligned=asked.aligned) if asked.aligned else c_type

    def in_mode(self, c_type: CType, node: c_ast.Node) -> CType:
        """Give a type the width that a typedef's or member's machine mode asks for (GNU C).

        An integer is signed as the type is.
        """
        mode = attributes.mode(node)
        if not mode:
            return c_type
        size = _MODES.get(mode)
        base = c_type.base if isinstance(c_type, Scalar) else ""
        if mode in _FLOATING_MODES and base in _FLOATING:
            return Scalar(_FLOATING_MODES[mode], _FLOATING_MODES[mode])
        if size is None or base not in self.abi.integers or base == "_Bool":
            message = f"the mode {mode} is not supported here"
            is_of_python = mode in _WIDE_MODES or isinstance(c_type, Enumeration)
            raise self.context.refuse(node, message, is_of_python=is_of_python)
        self._varies = self._varies or not size
        name = _BY_SIZE[size or self.abi.pointer]
        sign = "signed" if self.abi.integers[base].signed else "unsigned"
        named = fundamental(f"{sign} {name}")
        return Scalar(named, named)

    def _pointer(self, node: c_ast.PtrDecl, key: str) -> CType:
        if self.is_function(node.type):
            other = member_function(node, self.declared, self.type, self.abi.name)
            return Pointer("function *", None, other=other)
        target: CType = Scalar("void", "void")
        with leaving_out():  # what it leads to: it is an address all the same
            target = self.type(node.type, key)
        inner = element(target)
        definition = (
            self.declared.records.get(inner.key)
            if isinstance(inner, RecordRef) and inner.key not in self.opaque
            else None
        )
        if definition is not None:
            # It may contain the record being laid out: then it is laid out later.
            order = self.declared.order[id(definition)]
            if all(order < other for other in self._being_lowered):
                with leaving_out():
                    self.record(c_name(definition))
            else:
                self.pointed_to.append(c_name(definition))
        void = isinstance(target, Scalar) and target.base == "void"
        return Pointer(f"{spelling(target)} *", None if void else target)

    def with_known_targets(self, c_type: CType) -> CType:
        """Make a type for the IR, whose pointers lead only to what has been laid out before."""
        match c_type:
            case Array(element=inner):
                return replace(c_type, element=self.with_known_targets(inner))
            case Pointer(target=target) if target is not None:
                inner = element(target)
                if isinstance(inner, RecordRef) and inner.key not in self.records:
                    other = target if isinstance(target, RecordRef) else None
                    return replace(c_type, target=None, other=other)
                return replace(c_type, target=self.with_known_targets(target))
        return c_type

    def record(self, key: str, definition: c_ast.Node | None = None) -> Record | None:
        """Lay a struct or union out when it is first asked for; None for an incomplete one."""
        if key not in self.records:
            # An untagged one that several members share has a key for each.
            names = (key,) if definition is None else (key, id(definition))
            with self._failing_once(*names):
                self._record_type(key, definition)
                try:
                    record = self._laid_out.record(key)
                except Disagreement as reason:
                    raise SourceError(reason.coord, str(reason), ADVICE) from None
                except TooWide as reason:
                    raise SourceError(
                        reason.coord,
                        str(reason),
                        "give it a type that is as wide on every target",
                    ) from None
                if record is not None:
                    self._count_inside(record)
            return record
        return self.records[key]

    @contextmanager
    def _failing_once(self, *names: str | int) -> Iterator[None]:
        """Have a type that could not be lowered fail again at once, with its first error.

        That error is then told once, however many use the type; it is known by any of its
        names, of which the identity of its definition is one.
        """
        for name in names:
            if name in self._failed:
                raise self._failed[name].with_traceback(None)
        try:
            yield
        except SourceError as error:
            self._failed.update(dict.fromkeys(names, error.each[0]))
            raise

    def _count_inside(self, record: Record) -> None:
        """Count the members of the untagged records inside, each as often as it is declared.

        Raises `SourceError` for too many: `struct { struct { … } a, b; } a, b;` are two to the
        number of levels, and each is a class.
        """
        inner = (element(field.type) for field in record.fields)
        keys = [each.key for each in inner if isinstance(each, RecordRef)]
        inside = sum(
            len(self.records[key].fields) + self._inside.get(key, 0)
            for key in keys
            if is_anonymous(key)
        )
        if inside > _MOST_INSIDE:
            raise SourceError(
                record.coord,
                f"more than {_MOST_INSIDE} members in the untagged structs and unions of this"
                f" {record.kind}",
                "give the inner ones tags: then each is declared once, however often it is used",
            )
        self._inside[record.key] = inside

    def _record_type(
        self, key: str, definition: c_ast.Node | None = None
    ) -> RecordType | None:
        """Lower a struct or union when it is first asked for; None for an incomplete one."""
        in_place = definition is not None
        definition = definition or self.declared.records.get(key)
        if definition is not None and key not in self.record_types:
            self._being_lowered.append(self.declared.order.get(id(definition), 0))
            try:
                with self._note_variation(key, passed_on=in_place):
                    self.record_types[key] = records.lower(self, definition, key)
            finally:
                self._being_lowered.pop()
        return self.record_types.get(key)

    def is_function(self, node: c_ast.Node) -> bool:
        """Tell whether a declarator is a function's, or a typedef name of a function type."""
        if isinstance(node, c_ast.TypeDecl) and isinstance(
            node.type, c_ast.IdentifierType
        ):
            named = self.declared.typedefs.get(" ".join(node.type.names))
            return named is not None and self.is_function(named.type)
        return isinstance(node, c_ast.FuncDecl)

    def variable(self, name: str) -> CType | None:
        """Give the type of a variable, None if there is none of that name."""
        node = self.declared.variables.get(name)
        found = None if node is None else self.type(node)
        init = self.declared.initialisers.get(name)
        if init is not None and isinstance(found, Array) and found.length is None:
            return replace(found, length=initial_length(init, found.element, self))
        return found

    def result(self, name: str) -> CType | None:
        """Give the type of what a function gives, None if there is none of that name."""
        node = self.declared.functions.get(name)
        return None if node is None else self.type(node.type)

    def selected(self, node: c_ast.Node) -> c_ast.Node:
        """Give the expression that another one chooses."""
        return self._once(select, node)

    def truncated(self, node: c_ast.Node) -> int:
        """Give the value of a constant expression of a floating type, without its fraction."""
        return self._once(floating.truncate, node)

    def compared(self, op: str, left: c_ast.Node, right: c_ast.Node) -> bool:
        """Compare the values of two constant expressions, any of them of a floating type."""
        return self._once(_COMPARE[op], left, right)

    def _once(self, ask: Callable[..., _T], *nodes: c_ast.Node) -> _T:
        """Ask something of expressions, and know it the next time.

        Each is asked several times by the one around it: what nests would take time without end.
        """
        key = (ask, *map(id, nodes))
        if key not in self._known:
            self._known[key] = nodes, ask(
                *nodes, self
            )  # whose ids are theirs meanwhile
        found: _T = self._known[key][1]
        return found

    def measure(self, c_type: CType, node: c_ast.Node) -> tuple[int, int]:
        """Give size and alignment of a type, in bytes; `SourceError` for an incomplete one."""
        inner = element(c_type)
        if isinstance(inner, RecordRef):
            self.record(inner.key)
        try:
            return self._laid_out.measure(c_type)
        except IncompleteType as incomplete:
            message = f"'{spelling(incomplete.type)}' is an incomplete type"
            raise self.context.refuse(node, message) from None

    def measured_type(self, node: c_ast.Node) -> tuple[CType, int, int]:
        """Give a type name's type, size and alignment, as `sizeof` asks for them.

        An untagged struct or union that it defines is known by its size alone: nothing else can
        be of its type.
        """
        key = f"{_IN_EXPRESSION}.{len(self._being_lowered)}"
        c_type = self.type(node, key)
        size, alignment = self.measure(c_type, node)
        for own in [each for each in self.record_types if each.startswith(key)]:
            del self.record_types[own]
            self._laid_out.forget(own)
        return c_type, size, alignment

    # --- attributes -----------------------------------------------------------------

    def attributes(
        self,
        read: Callable[[c_ast.Node, EvaluateArgument], Attributes],
        node: c_ast.Node,
    ) -> Attributes:
        """Read what a node's attributes ask for, by one of the readers of `attributes`."""
        try:
            return read(node, self._alignment_argument)
        except UnknownAttribute as unknown:
            raise self.context.refuse(
                unknown.node, str(unknown), is_of_python=unknown.is_of_python
            ) from None

    def _alignment_argument(self, attribute: c_ast.Attribute) -> int:
        """Give the alignment that an `aligned` asks for; without a number, the ABI's greatest."""
        if attribute.arguments is None:
            self._varies = True
            return self.abi.aligned
        node = expression(attribute.arguments, self.declared.typedefs)
        if node is None:
            raise self.context.refuse(
                attribute, "cannot parse this attribute's argument"
            )
        try:
            return self._evaluate(node).value
        except (Unevaluable, SourceError) as reason:
            raise self.context.refuse(
                attribute, f"cannot evaluate this attribute's argument: {reason}"
            ) from None

    def alignas(self, node: c_ast.Alignas) -> int:
        """Give the alignment, in bytes, that an `_Alignas` asks for (C11 6.7.5)."""
        if isinstance(node.alignment, c_ast.Typename):
            self._varies = True
            return self.measure(self.type(node.alignment), node.alignment)[1]
        return self.value(node.alignment).value

    # --- the Scope of expressions ---------------------------------------------------

    def value(self, node: c_ast.Node) -> CInt:
        """Evaluate a constant expression; `SourceError` for any other."""
        try:
            return self._evaluate(node)
        except Unevaluable as reason:
            message = f"cannot evaluate this expression: {reason}"
            raise self.context.refuse(reason.node or node, message) from None

    def _evaluate(self, node: c_ast.Node) -> CInt:
        self._varies = self._varies or varies(node, self.varying)
        return evaluate(node, self)

    def enumerator(self, name: str) -> CInt | None:
        """Give the value of an enumerator, None if there is none of that name."""
        return self.enumerators.get(name)

    def member(self, record: CType, name: str) -> Field | None:
        """Give a member of a struct or union, None if there is none of that name."""
        known = self.record(record.key) if isinstance(record, RecordRef) else None
        fields = known.fields if known else ()
        return next((field for field in fields if field.name == name), None)


@contextmanager
def leaving_out() -> Iterator[None]:
    """Do without a type that Python has no counterpart of."""
    try:
        yield
    except SourceError as error:
        if not error.is_of_python:
            raise
