"""Prepare the ring protocol's module for its template: operations turned into text.

Takes `Interface`s with a ring; gives a `ProtocolView`, the same for every version
whose ring.h is the same.  `render` hands it to package/macros.py.jinja.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xenbind.backend.python_model import OperationView, ProtocolView, WordView
from xenbind.backend.python_text import docstring, fold
from xenbind.backend.rings.behaviour import Protocol, difference
from xenbind.backend.rings.model import Operation, Returns, Role, Side
from xenbind.backend.rings.protocol import operations
from xenbind.errors import SourceError, XenbindError
from xenbind.ir.c_types import Scalar
from xenbind.ir.interface import Interface, Record

_TYPES = {Role.PAGE: "SharedRing[Request, Response]", Role.INDEX: "int"}
_RETURNS = {Returns.REQUEST: "Request", Returns.RESPONSE: "Response"}


def one_protocol(interfaces: Sequence[Interface]) -> ProtocolView | None:
    """Give the one ring protocol of versions that have rings, in the words of the newest.

    Raises `XenbindError` where their macros do different things: one module could not speak
    both.
    """
    spoken: list[tuple[Interface, Protocol]] = []
    for interface in reversed(interfaces):
        if (found := protocol(interface)) and all(found != one for _, one in spoken):
            spoken.append((interface, found))
    (newest, ours), *others = spoken
    for interface, theirs in others:
        if other := difference(theirs, ours):
            raise XenbindError(
                f"{newest.title} has another ring protocol than {interface.title}: {other}",
                "generate it into a package of its own, with --include and --out",
            )
    return protocol_view(newest, "io/ring.h")


def protocol_view(interface: Interface, header: str) -> ProtocolView | None:
    """The protocol of an interface's ring, None if it has no ring.

    `header` is how the module's docstring names ring.h.  Raises `SourceError` for two rings
    whose pages differ in more than where the entries begin.
    """
    if not interface.rings:
        return None
    ring, *others = interface.rings
    page = interface.records_by_key[ring.shared]
    for other in others:
        _check_alike(page, interface.records_by_key[other.shared])
    made = operations(ring, interface.records_by_key)
    return ProtocolView(
        header=header,
        words=list(_words(page)),
        functions=list(_views(made, Side.NONE, 4)),
        page=list(_views(made, Side.PAGE, 8)),
        front=list(_views(made, Side.FRONT, 8)),
        back=list(_views(made, Side.BACK, 8)),
    )


def protocol(interface: Interface) -> Protocol | None:
    """Give what an interface's ring macros do, None if it has no ring."""
    if not interface.rings:
        return None
    ring = interface.rings[0]
    words = _words(interface.records_by_key[ring.shared])
    return Protocol(
        operations(ring, interface.records_by_key),
        {word.name: word.index for word in words},
    )


def _check_alike(page: Record, other: Record) -> None:
    """Refuse a page on which the macros of the first ring would touch another's words."""
    for mine, its in zip(page.fields, other.fields, strict=False):
        if mine.name != its.name or (
            mine.name != "ring" and (mine.offset, mine.size) != (its.offset, its.size)
        ):
            raise SourceError(
                its.coord,
                f"{other.spelling} has '{its.name}' where {page.spelling} has '{mine.name}'",
                "declare both by the same DEFINE_RING_TYPES",
            )


def _words(page: Record) -> Iterator[WordView]:
    for field in page.fields:
        if isinstance(field.type, Scalar) and field.size == 4:
            yield WordView(field.name.upper(), field.offset // 4)


def _views(
    made: Sequence[Operation], side: Side, indent: int
) -> Iterator[OperationView]:
    for operation in made:
        if operation.side is side:
            returns = _RETURNS.get(operation.returns, operation.returns)
            head = f"def {operation.name}({_signature(operation)}) -> {returns}:"
            yield OperationView(
                head=fold(head, indent - 4),
                doc=docstring(f"{operation.macro}: {operation.doc}", indent),
                lines=[part for line in operation.lines for part in fold(line, indent)],
            )


def _signature(operation: Operation) -> str:
    own = [] if operation.side is Side.NONE else ["self"]
    record = "Response" if operation.name.endswith("response") else "Request"
    return ", ".join(
        own
        + [
            f"{parameter.name}: {_TYPES.get(parameter.role, record)}"
            for parameter in operation.parameters
        ]
    )
