"""Find the rings that a header declares, and what the spec says of them.

Takes the parsed header, its types as far as they are laid out, and the spec; gives `Ring`s,
whose macros are text still: `backend.rings` translates them.

    DEFINE_RING_TYPES(vm_event, vm_event_request_t, vm_event_response_t);    ->
        Ring("vm_event", "vm_event_request_t", …, keep=(VM_EVENT_FLAG_VCPU_PAUSED,))
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from xenbind.errors import SourceError
from xenbind.frontend import comments
from xenbind.frontend.header import ParsedHeader
from xenbind.ir.c_types import Enumeration, RecordRef, Scalar
from xenbind.ir.interface import Constant, Field, Record, Ring, RingMacro
from xenbind.lowering.type_table import TypeTable
from xenbind.spec import RingSpec, Spec


class Rings:
    """The rings of one header."""

    def __init__(self, header: ParsedHeader, types: TypeTable, spec: Spec) -> None:
        self.header = header
        self.types = types
        self.spec = spec

    def find(self, constants: Sequence[Constant]) -> Iterator[Ring]:
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
            self.check_members(name, meaning, request, response)
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
                keep=tuple(self.kept_flags(name, meaning, constants)),
                version=meaning.version,
                coord=shared.coord,
            )

    def check_members(
        self, ring: str, meaning: RingSpec, request: RecordRef, response: RecordRef
    ) -> None:
        """Refuse members of requests that a ring cannot do with what the spec says."""
        fields = {field.name: field for field in self.types.records[request.key].fields}
        flags = meaning.flags or (_FLAGS if meaning.keep else None)
        if flags is not None:
            key = "flags" if meaning.flags else "keep"
            place = self.spec.places.of("ring", ring, key)
            if request.key != response.key:
                raise SourceError(
                    place,
                    f"the responses of this ring are {response.spelling}, no requests",
                    "leave it out: such a response has its own flags",
                )
            if not is_integer(fields.get(flags)):
                raise SourceError(
                    place,
                    f"{request.spelling} has no integer '{flags}'",
                    "name the member that has the flags as 'flags'",
                )
        if meaning.version is not None and not _has_number(fields.get(meaning.version)):
            raise SourceError(
                self.spec.places.of("ring", ring, "version"),
                f"{request.spelling} has no number '{meaning.version}' in bytes of its own",
                "name the member of the requests that has the interface's version",
            )

    def kept_flags(
        self, ring: str, meaning: RingSpec, constants: Sequence[Constant]
    ) -> Iterator[Constant]:
        """Give the constants that the spec names as flags to keep."""
        by_name = {constant.name: constant for constant in constants}
        for name in meaning.keep:
            constant = by_name.get(name)
            if constant is None or not isinstance(constant.value, int):
                raise SourceError(
                    self.spec.places.of("ring", ring, "keep"),
                    f"{self.header.path} defines no number {name}",
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
        return tuple(name for name in self.types.declared.typedefs if name in mentioned)


# What a page has that `DEFINE_RING_TYPES` declared, and others of such a name may not.
_SHARED = frozenset(["req_prod", "req_event", "rsp_prod", "rsp_event", "ring"])

# What a ring has whose spec says nothing, and the member that `flags=` of an answer sets there.
_NO_MEANING = RingSpec(None, (), None)
_FLAGS = "flags"


def is_integer(field: Field | None) -> bool:
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
            return is_integer(field)
    return False


def _field_names(record: Record) -> set[str]:
    return {field.name for field in record.fields}
