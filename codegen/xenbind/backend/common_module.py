"""Prepare the module of what all releases have in common, for its template.

Takes the interfaces of a spec; gives a `CommonView`: for each struct and union that any of
them has, the members of those that have it, as protocols for type checkers.  A member that
some lack is in a protocol of its own, to which `has` narrows.  `render` hands it to
package/common.py.jinja.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xenbind.backend.common_functions import (
    CommonFunctionsView,
    common_functions,
    narrowing,
)
from xenbind.backend.functions import PARAMETERS
from xenbind.backend.module_imports import isort_key
from xenbind.backend.python_text import docstring, text, tuple_of
from xenbind.backend.python_types import (
    ANNOTATIONS,
    TYPING,
    Types,
    bit_field_type,
    is_nested,
)
from xenbind.backend.scope import class_names, member_names
from xenbind.ir.c_types import Array, CType, Pointer, RecordRef, element
from xenbind.ir.interface import Interface, Payload, Record
from xenbind.plain import Struct


class CommonMemberView(Struct, frozen=True):
    """A member; `is_view` says that it is read, and assigned through what is read."""

    name: str
    type: str
    is_view: bool


class CommonPayloadView(Struct, frozen=True):
    """What a request's reason selects: its `type`, and the protocol in it.

    That is called `protocol`, and has the `members` of all that may be selected; it has no
    name where something else than records may be.
    """

    protocol: str
    type: str
    members: Sequence[CommonMemberView]


class CommonRecordView(Struct, frozen=True):
    """The protocol of a struct or union; `some` are the members that not all have.

    `classes` are its names in the modules, and `overloads` the lines of `has` for each of those.

    `payload` is what a request's reason selects, None for other records.
    """

    name: str
    classes: Sequence[str]
    doc: str
    members: Sequence[CommonMemberView]
    some: Sequence[CommonMemberView]
    overloads: Sequence[Sequence[str]]
    payload: CommonPayloadView | None


class ExampleView(Struct, frozen=True):
    """A use of `has`: of `parameter`, a `record`, the part `having` may have the `member`."""

    parameter: str
    record: str
    having: str
    member: str


class CommonView(Struct, frozen=True):
    """The protocols, what they have to import, and an example where there is one.

    `some` are the names that not all releases have, as Python writes them, by who has them.
    `overloads` are the lines of those of `has`, and `has` the lines that it begins with itself.
    """

    records: Sequence[CommonRecordView]
    functions: CommonFunctionsView | None
    some: Sequence[tuple[str, str]]
    overloads: Sequence[Sequence[str]]
    has: Sequence[str]
    example: ExampleView | None
    typing: Sequence[str]
    imports: Sequence[tuple[str, Sequence[str]]]


def common_view(
    interfaces: Sequence[Interface], releases: Mapping[str, str], up: str
) -> CommonView:
    """Give what the interfaces have in common, the first release of each by its edition.

    `up` is as for `module_view`.
    """
    common = _Common(interfaces)
    records = list(common.records())
    functions = common_functions(interfaces, releases, common.use)
    overloads = [lines for record in records for lines in record.overloads]
    overloads += functions.narrowings if functions else ()
    has = ["def has(record: object, member: str) -> bool:"]
    if len(overloads) == 1:
        # To type checkers there are two overloads or none.
        [[*begin, end]], overloads = overloads, []
        has = [*begin, end.removesuffix(" ...")]
    common.use(".runtime", "having")
    of_typing = {*_ALWAYS, *common.names_from(TYPING)}
    if overloads:
        of_typing.add("overload")
    return CommonView(
        records=records,
        functions=functions,
        some=list(_some(records, functions)),
        overloads=overloads,
        has=has,
        example=_example(records),
        typing=sorted(of_typing, key=isort_key),
        imports=sorted(
            (
                (up + module if module in _OF_RUNTIME else module, names)
                for module in ("ctypes", *_OF_RUNTIME, ".")
                if (names := common.names_from(module))
            ),
            # As isort has them: what is the furthest away first.
            key=lambda found: (-len(found[0]) + len(found[0].lstrip(".")), found[0]),
        ),
    )


_OF_RUNTIME = (".runtime", ANNOTATIONS, PARAMETERS)
# What the module imports of typing, whatever is in it.
_ALWAYS = ("Final", "Literal", "Protocol", "Self", "TYPE_CHECKING")


def _some(
    records: Sequence[CommonRecordView], functions: CommonFunctionsView | None
) -> Iterator[tuple[str, str]]:
    """Give the names that not all releases have, as runtime/having.py is told them."""
    found: dict[str, list[str]] = {}
    for record in records:
        for name in record.classes if record.some else ():
            found.setdefault(name, []).extend(member.name for member in record.some)
    if functions is not None:
        found["module"] = [each.name for each in functions.some]
        for each in functions.changed:
            found[f"{each.name}()"] = list(each.parameters)
    for owner, names in found.items():
        if names:
            before = f"    {text(owner)}: "
            yield owner, tuple_of(list(map(text, names)), before)


def _example(records: Sequence[CommonRecordView]) -> ExampleView | None:
    """Choose a record and a part of it that releases differ in: a request if there is one."""
    by_name = {record.name: record for record in records}
    found = [
        (bool(outer.payload), len(by_name[inner.type].some), outer, inner)
        for outer in records
        for inner in outer.members
        if inner.type in by_name and by_name[inner.type].some
    ]
    if not found:
        return None
    _, _, outer, inner = max(found, key=lambda one: one[:2])
    member = by_name[inner.type].some[-1].name
    return ExampleView("record", outer.name, f"record.{inner.name}", member)


# A record as an interface has it, and how its types are written.
_Having = tuple[Record, Types, Interface]


class _Common:
    def __init__(self, interfaces: Sequence[Interface]) -> None:
        self.newest_first = interfaces[::-1]
        self.used: set[tuple[str, str]] = set()
        self.types = [
            _CommonTypes(class_names(interface), {}, self.use, str)
            for interface in self.newest_first
        ]

    def use(self, module: str, name: str) -> str:
        self.used.add((module, name))
        return name

    def names_from(self, module: str) -> list[str]:
        """Give what is imported from a module, sorted."""
        names = (name for own, name in self.used if own == module)
        return sorted(names, key=isort_key)

    def records(self) -> Iterator[CommonRecordView]:
        """Give the records that have members for anybody, of the newest in its order first."""
        keys = dict.fromkeys(r.key for i in self.newest_first for r in i.records)
        for key in keys:
            yield self.record(self.each(key))

    def each(self, key: str) -> list[_Having]:
        """Give a record as each interface has it that does, the newest first."""
        return [
            (interface.records_by_key[key], types, interface)
            for interface, types in zip(self.newest_first, self.types, strict=True)
            if key in interface.records_by_key
        ]

    def record(self, having: Sequence[_Having]) -> CommonRecordView:
        """Give one record, of the interfaces that have it, the newest first."""
        newest, types, _ = having[0]
        in_all, some = _members_of_all(having)
        name = types.classes[newest.key]
        return CommonRecordView(
            name=name,
            classes=sorted({own.classes[record.key] for record, own, _ in having}),
            doc=docstring(newest.doc or f"{newest.key}.", 4),
            members=in_all,
            some=some,
            overloads=[
                narrowing(name, member.name, f"_{name}_{member.name}")
                for member in some
            ],
            payload=self.payload(name, having),
        )

    def payload(self, name: str, having: Sequence[_Having]) -> CommonPayloadView | None:
        """Give what the reason of a record selects, None where it selects nothing.

        A type checker does not know the reason, so that it goes by the members of all that may
        be selected. `Any` beside these lets the payload be none.
        """
        selected: dict[CType, None] = {}
        for record, _, interface in having:
            payload = interface.payload_of(record.key)
            if payload is None:
                return None
            selected.update(dict.fromkeys(_selected(interface, record, payload)))
        members: dict[str, list[CommonMemberView]] = {}
        for c_type in selected:
            if not isinstance(c_type, RecordRef):
                return CommonPayloadView("", self.use(TYPING, "Any"), [])
            for member in _members_of_all(self.each(c_type.key))[0]:
                members.setdefault(member.name, []).append(member)
        protocol = f"_{name}_payload"
        any_type = self.use(TYPING, "Any")
        return CommonPayloadView(
            protocol,
            f"{protocol} | {any_type}",
            [_of_any(found, any_type) for found in members.values()],
        )


class _CommonTypes(Types):
    """Types of members, where an array of records may be one of any release's."""

    def python_type(self, c_type: CType) -> str:
        if isinstance(c_type, Array) and isinstance(element(c_type), RecordRef):
            items = self.use(ANNOTATIONS, "Items")
            return f"{items}[{self.python_type(c_type.element)}]"
        return super().python_type(c_type)


def _selected(
    interface: Interface, record: Record, payload: Payload
) -> Iterator[CType]:
    """Give the types of what a payload's tag selects."""
    holder = record
    if payload.union:
        union = next(f.type for f in record.fields if f.name == payload.union)
        assert isinstance(union, RecordRef)
        holder = interface.records_by_key[union.key]
    types = {field.name: field.type for field in holder.fields}
    yield from (types[name] for _, name in payload.members)


def _members_of_all(
    having: Sequence[_Having],
) -> tuple[list[CommonMemberView], list[CommonMemberView]]:
    """Give a record's members that all interfaces have, and those that some lack."""
    members: dict[str, list[CommonMemberView]] = {}
    for record, types, _ in having:
        for member in _members(record, types):
            members.setdefault(member.name, []).append(member)
    found = [(len(each) == len(having), _merged(each)) for each in members.values()]
    return [m for is_all, m in found if is_all], [
        m for is_all, m in found if not is_all
    ]


def _members(record: Record, types: Types) -> Iterator[CommonMemberView]:
    names = member_names(record)
    for field in record.fields:
        if not field.is_padding:
            yield CommonMemberView(
                names[field.name],
                types.python_type(types.whole(bit_field_type(field))),
                is_nested(field.type) or isinstance(field.type, Pointer),
            )


def _merged(members: Sequence[CommonMemberView]) -> CommonMemberView:
    """Give a member as all have it: of several types it can only be read."""
    types = dict.fromkeys(member.type for member in members)
    first = members[0]
    is_view = len(types) > 1 or any(member.is_view for member in members)
    return CommonMemberView(first.name, " | ".join(types), is_view)


def _of_any(members: Sequence[CommonMemberView], any_type: str) -> CommonMemberView:
    """Give a member of several records: it may be anything where their types differ."""
    first = members[0]
    if all(member == first for member in members):
        return first
    return CommonMemberView(first.name, any_type, is_view=True)
