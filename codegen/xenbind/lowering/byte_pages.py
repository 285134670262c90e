"""Find the pages that have rings of bytes: arrays in a struct, and the indices beside them.

Takes the parsed header, its types and the spec; gives `BytePage`s.  A ring is an array whose
size is a power of two; that an index is reduced by it, a macro of the header says.  Whose indices
the struct's words are, their names tell; the spec, where they do not.  Rings that are no arrays,
but as large as another word says, are those that the spec names.

    #define MASK_XENCONS_IDX(idx, ring) ((idx) & (sizeof(ring)-1))
    struct xencons_interface { char in[1024]; … XENCONS_RING_IDX in_cons, in_prod; … };    ->
        ByteRing("in", 1024, "in_cons", "in_prod", "MASK_XENCONS_IDX", "frontend", …)
"""

from __future__ import annotations

from collections.abc import Iterator

from pycparser import c_ast

from xenbind.errors import SourceError
from xenbind.frontend.header import ParsedHeader
from xenbind.frontend.macros import ExpandedMacro
from xenbind.frontend.parse import expression
from xenbind.ir.c_types import Array, Scalar
from xenbind.ir.interface import BytePage, ByteRing, Field, Record, member_at
from xenbind.lowering.constant_expressions import evaluate
from xenbind.lowering.index_words import (
    CONSUMER,
    PRODUCER,
    READERS,
    index_words,
    is_index,
)
from xenbind.lowering.integers import Unevaluable
from xenbind.lowering.rings import is_integer
from xenbind.lowering.type_table import TypeTable
from xenbind.spec import ByteRingSpec, Spec

_NO_MEANING = ByteRingSpec(None, None, None, None, None)


class BytePages:
    """The pages with rings of bytes of one header."""

    def __init__(self, header: ParsedHeader, types: TypeTable, spec: Spec) -> None:
        self.header = header
        self.types = types
        self.spec = spec

    def find(self) -> Iterator[BytePage]:
        """Give each struct that has a ring for both sides to read, in the header's order.

        Raises `SourceError` where the spec names what the header does not have.
        """
        for record in self.types.records.values():
            if not record.is_anonymous:
                arrays = [ring for f in record.fields if (ring := self.ring(record, f))]
                for rings in (arrays, list(self.by_order(record))):
                    if sorted(ring.reader for ring in rings) == ["backend", "frontend"]:
                        yield BytePage(record.key, tuple(rings), record.coord)

    def by_order(self, record: Record) -> Iterator[ByteRing]:
        """Make the rings whose size a member of a struct tells, as the spec says."""
        for name, said in self.spec.byte_rings.items():
            if said.order is None or said.page != record.key:
                continue
            for key, path in (("consumer", said.consumer), ("producer", said.producer)):
                word = path and member_at(self.types.records, record.key, path)
                if not word or not is_index(word):
                    raise self.no_index(name, key, record, path or key)
            order = member_at(self.types.records, record.key, said.order)
            if order is None or not is_integer(order) or order.bit_width is not None:
                raise self.error(
                    name,
                    "order",
                    f"{record.spelling} has no integer '{said.order}'",
                    "name the member with the binary logarithm of the ring's size",
                )
            if said.reader is None:
                raise self.no_reader(name)
            yield ByteRing(
                array=name,
                size=0,
                consumer=said.consumer or "",
                producer=said.producer or "",
                mask="",
                takes_array=False,
                reader=said.reader,
                coord=order.coord,
                order=said.order,
                least_order=said.least_order,
            )

    def ring(self, record: Record, array: Field) -> ByteRing | None:
        """Make a ring of an array and its words, None of what is not known to be one."""
        said = self.spec.byte_rings.get(array.name)
        if said is not None and (said.order or said.page not in (None, record.key)):
            said = None
        if not _is_of_octets(array):
            return None
        meaning = said or _NO_MEANING
        consumer = meaning.consumer or f"{array.name}{CONSUMER}"
        producer = meaning.producer or f"{array.name}{PRODUCER}"
        for key, name in (("consumer", consumer), ("producer", producer)):
            if name not in index_words(record):
                if said is None:
                    return None
                raise self.no_index(array.name, key, record, name)
        mask = self.mask(array, meaning.mask)
        if mask is None:
            if said is None:
                return None
            raise self.error(
                array.name,
                "mask",
                f"no macro {meaning.mask or ''} reduces an index to one of {array.size} bytes",
                "name the header's macro that does: idx & (SIZE - 1), or idx % SIZE",
            )
        reader = meaning.reader or READERS.get(array.name)
        if reader is None:
            if said is None:
                return None
            raise self.no_reader(array.name)
        return ByteRing(
            array=array.name,
            size=array.size,
            consumer=consumer,
            producer=producer,
            mask=mask.macro.name,
            takes_array=len(mask.macro.parameters or ()) == 2,
            reader=reader,
            coord=array.coord,
        )

    def mask(self, array: Field, named: str | None) -> ExpandedMacro | None:
        """Find the first macro, or the one that the spec names, that masks an array's index."""
        for macro in self.header.place_macros:
            if named in (None, macro.macro.name) and self.masks(macro, array.size):
                return macro
        return None

    def masks(self, macro: ExpandedMacro, size: int) -> bool:
        """Tell whether a macro is `idx & (SIZE - 1)` or `idx % SIZE`.

        SIZE may be the size of a second parameter, which is the array.
        """
        node = expression(macro.expansion, self.types.declared.typedefs)
        index, *array = macro.macro.parameters or ()
        match node:
            case c_ast.BinaryOp(op="&" | "%" as op, left=c_ast.ID(name=name), right=by):
                if name != index:
                    return False
                try:
                    number = evaluate(_with_size(by, array, size), self.types).value
                except (Unevaluable, SourceError):
                    return False
                return number == (size if op == "%" else size - 1)
        return False

    def no_index(self, ring: str, key: str, record: Record, name: str) -> SourceError:
        return self.error(
            ring,
            key,
            f"{record.spelling} has no '{name}' of 32 bits without a sign",
            "name the struct's member that is this index",
        )

    def no_reader(self, ring: str) -> SourceError:
        return self.error(
            ring,
            "reader",
            "nothing says which side reads these bytes",
            "say 'frontend' or 'backend'",
        )

    def error(self, ring: str, key: str, message: str, advice: str) -> SourceError:
        place = self.spec.places.of("byte_ring", ring, key)
        return SourceError(place, message, advice)


def _is_of_octets(field: Field) -> bool:
    """Tell whether a member is an array of bytes whose number is a power of two."""
    match field.type:
        case Array(element=Scalar(), length=int(length)):
            return length > 1 and field.size == length and not length & (length - 1)
    return False


def _with_size(node: c_ast.Node, array: list[str], size: int) -> c_ast.Node:
    """Put a number for the size of an array that is a macro's parameter."""
    match node:
        case c_ast.BinaryOp(op=op, left=left, right=right):
            left = _with_size(left, array, size)
            return c_ast.BinaryOp(op, left, _with_size(right, array, size), node.coord)
        case c_ast.UnaryOp(op="sizeof", expr=c_ast.ID(name=name)) if name in array:
            return c_ast.Constant("unsigned long int", f"{size}ul", node.coord)
    return node
