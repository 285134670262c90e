"""Read a ring page: the requests in it that are not answered yet.

Takes the `Input` of a dumped page; gives its requests, each a `Run`, in the ring's order, to
`recording`.  The places are those that ring.h lays down for every ring: four indices, and
entries from byte 64.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from xenbind.commands.decode.stream import Input, Kind, Run, unknown_version, word

PAGE = 4096
ENTRIES = 64
HEADER = struct.Struct("<4I")  # req_prod, req_event, rsp_prod, rsp_event
_INDICES = 1 << 32  # an index wraps there


def entries(source: Input) -> Iterator[Run]:
    """Give the requests from `rsp_prod` up to `req_prod`."""
    page = source.peek(PAGE + 1)
    if len(page) != PAGE:
        length = "goes on" if len(page) > PAGE else f"ends after {len(page)}"
        error = source.fail(
            min(len(page), PAGE),
            f"a ring page has {PAGE} bytes, and the input {length}",
            "dump the whole page and nothing else, or tell the form with --input",
        )
        error.skipped = len(page)
        return
    produced, _, answered, _ = HEADER.unpack_from(page)
    waiting = (produced - answered) % _INDICES
    kind = _kind(source, page, answered) if waiting else _first_kind(source, page)
    if kind is None:
        if waiting or any(page[ENTRIES:]):  # else the ring was never used
            source.fail(
                ENTRIES,
                unknown_version(page[ENTRIES:]),
                "tell what the input is with --input, if it is no ring page",
            )
    elif waiting > count(kind.entry):
        source.fail(
            0,
            f"{waiting} requests wait (req_prod is {produced}, rsp_prod {answered}), and"
            f" the ring has {count(kind.entry)} entries",
            "tell what the input is with --input, if it is no ring page",
        )
    else:
        yield from _live(source, page, kind, range(answered, answered + waiting))


def count(entry: int) -> int:
    """Count a ring's entries of a size: what fits, rounded down to a power of two."""
    fit = (PAGE - ENTRIES) // entry
    return 1 << fit.bit_length() - 1 if fit else 0


def _kind(source: Input, page: bytes, answered: int) -> Kind | None:
    """Tell what the entries are, which says how long each is.

    The first entry tells, or if that is damaged any known version in the page.  It is the
    right one if by its length of entries the oldest request that waits has it too.
    """
    for start in range(ENTRIES, PAGE, 4):
        kind = source.kind(page[start : start + 4])
        if kind and count(kind.entry):
            oldest = ENTRIES + answered % count(kind.entry) * kind.entry
            if source.kind(page[oldest : oldest + 4]) is kind:
                return kind
    return _first_kind(source, page)


def _first_kind(source: Input, page: bytes) -> Kind | None:
    """Tell what the first entry is, the first that a ring uses."""
    return source.kind(page[ENTRIES : ENTRIES + 4])


def _live(source: Input, page: bytes, kind: Kind, indices: range) -> Iterator[Run]:
    for index in indices:
        slot = index % count(kind.entry)
        start = ENTRIES + slot * kind.entry
        data = page[start : start + kind.size]
        if source.kind(data[:4]) is kind:
            yield Run.on_end(index % _INDICES, start, data, kind.size, kind.interface)
            continue
        error = source.fail(
            start,
            f"entry {slot} waits and has version {word(data)}, the others have"
            f" {kind.interface.version}",
            "dump the page while nobody writes to it, or pass --skip-bad to leave the"
            " entry out",
        )
        error.skipped = kind.entry
