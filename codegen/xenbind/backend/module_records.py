"""A module's structs and unions: their members, and what a tag selects.

Takes a `Scope`; gives views for the template of `module`.
"""

from __future__ import annotations

from collections.abc import Sequence

from xenbind.backend.ctypes_layout import is_beyond_python, is_natural
from xenbind.backend.python_model import MemberView, PayloadView, RecordView
from xenbind.backend.python_text import declared, docstring, text, with_span
from xenbind.backend.python_types import (
    ANNOTATIONS,
    TYPING,
    bit_field_type,
    is_nested,
)
from xenbind.backend.scope import ALIGNED, RECORDS, Scope, member_names
from xenbind.ir.c_types import Enumeration, Pointer, RecordRef
from xenbind.ir.interface import Field, Record

# Of a record that ctypes lays out, it writes the members at every depth into a string.
_MOST_INSIDE = 10_000


def record_view(scope: Scope, record: Record) -> RecordView:
    """Write a struct or union: its class, members and payload, with what to say of each."""
    anonymous = record.is_anonymous
    members = []
    flat = True
    inside = scope.members[record.key] - len(record.fields)
    natural = inside <= _MOST_INSIDE and is_natural(record, scope.records)
    names = scope.member_names[record.key]
    for field in record.fields:
        name = names[field.name]
        annotation = _member(scope, field, name, natural)
        zero = scope.use(ANNOTATIONS, "ZERO")
        members.append(
            MemberView(
                name,
                declared(name, annotation, zero, 4),
                scope.enum_of(field),
                docstring(_words(field, record), 4),
            )
        )
        flat = flat and not is_nested(field.type)
    struct = "Structure" if flat else "Compound"
    base = "Union" if record.kind == "union" else struct
    own = f"{record.kind} {scope.classes[record.key]}"
    words = with_span(record.doc or _description(record), record.span)
    return RecordView(
        name=scope.classes[record.key],
        bases=_bases(scope, record, base),
        decorator=scope.use(RECORDS, "anonymous" if anonymous else "record"),
        doc=docstring(words, 4),
        flat=base == "Structure",
        c_name="" if anonymous or record.key == own else record.key,
        extent="" if natural else f"({record.size}, {record.alignment})",
        members=members,
        payload=_payload(scope, record),
        again=scope.aliases.get(scope.classes[record.key], ""),
    )


def record_names(scope: Scope, record: Record) -> RecordView:
    """Give of a struct or union what is asked about its class, with nothing written of it.

    That is names, which enums its members hold, and what its tag selects.
    """
    names = scope.member_names[record.key]
    return RecordView(
        name=scope.classes[record.key],
        bases="",
        decorator="",
        doc="",
        flat=False,
        c_name="",
        extent="",
        members=[
            MemberView(names[field.name], "", scope.enum_of(field), "")
            for field in record.fields
        ],
        payload=_payload(scope, record),
        again=scope.aliases.get(scope.classes[record.key], ""),
    )


def _bases(scope: Scope, record: Record, base: str) -> str:
    """Write what a class is made of."""
    written = scope.use(RECORDS, base)
    if is_beyond_python(record):
        kind = "AlignedUnion" if record.kind == "union" else "AlignedStructure"
        written += f", metaclass={scope.use(ALIGNED, kind)}"
    return written


def _payload(scope: Scope, record: Record) -> PayloadView | None:
    payload = scope.interface.payload_of(record.key)
    if payload is None:
        return None
    holder = record
    if payload.union:
        union = next(f.type for f in record.fields if f.name == payload.union)
        assert isinstance(union, RecordRef)
        holder = scope.records[union.key]
    scope.use(TYPING, "Final")
    own, inner = scope.member_names[record.key], member_names(holder)
    types = {f.name: scope.types.python_type(f.type) for f in holder.fields}
    found = dict.fromkeys(types[name] for _, name in payload.members)
    return PayloadView(
        table=scope.claim("_PAYLOADS"),
        tag=own[payload.tag],
        union=own[payload.union] if payload.union else "",
        decorator=scope.use("builtins", "property"),
        head=_payload_head([*found, "None"]),
        rows=[
            # One that another module has is written by its value.
            (scope.constants.get(c.name, str(c.value)), inner[n])
            for c, n in payload.members
        ],
    )


def _description(record: Record) -> str:
    """What to say of a record that the header says nothing of."""
    if not record.is_anonymous:
        return f"{record.key}."
    outer, _, member = record.key.rpartition(".")
    if " " not in outer:
        return f"The {record.kind} that {outer} is made of."
    inside = outer.partition(" ")[2].replace(".", "'s ")
    return f"The {record.kind} that is the member {member} of {inside}."


def _member(scope: Scope, field: Field, name: str, natural: bool) -> str:
    """The annotation of a member: its type and what else the runtime's `Member` wants.

    `natural` is whether ctypes finds its place.
    """
    extra = []
    if field.bit_width is not None:
        extra.append(str(field.bit_width))
    if values := scope.enum_of(field):
        extra.append(scope.seen(values))
    if name != field.name:
        extra.append(text(field.name))
    if not natural:
        places = [str(field.offset), str(field.bit_offset or "")]
        extra.append(
            f"{scope.use(ANNOTATIONS, 'At')}({', '.join(filter(None, places))})"
        )
    written = _written(scope, field)
    if extra and isinstance(field.type, RecordRef):
        extra.insert(0, written)  # a class is its own ctypes type
    if not extra:
        return written
    if written.endswith("]"):
        return f"{written[:-1]}, {', '.join(extra)}]"
    return f"{scope.use(TYPING, 'Annotated')}[{written}, {', '.join(extra)}]"


def _written(scope: Scope, field: Field) -> str:
    """The annotation of a member by its type alone: what it is read as, and what it takes."""
    if isinstance(field.type, Pointer):
        return scope.pointers.member(field.type)
    if isinstance(field.type, Enumeration) and (enum := scope.enum_of(field)):
        read = f"{scope.use(ANNOTATIONS, 'Enumerated')}[{scope.seen(enum)}]"
        annotated = scope.use(TYPING, "Annotated")
        return f"{annotated}[{read}, {scope.types.ctype(field.type)}]"
    return scope.types.annotation(bit_field_type(field))


def _words(field: Field, within: Record) -> str:
    """What to say of a member: the header's words.

    One that is as old as its record, and stays as long, says nothing of that.
    """
    return with_span(field.doc, None if field.span == within.span else field.span)


def _payload_head(types: Sequence[str]) -> list[str]:
    """The first lines of the property payload, folded as black folds them."""
    line = f"def payload(self) -> {' | '.join(types)}:"
    if len(line) <= 84:
        return [line]
    folded = [f"    {'| ' * (index > 0)}{name}" for index, name in enumerate(types)]
    return ["def payload(", "    self,", ") -> (", *folded, "):"]
