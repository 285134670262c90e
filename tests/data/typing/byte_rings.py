"""What users write with the rings of bytes of xen_io_9pfs and xen_io_console: all correct."""

from __future__ import annotations

import io
import struct
from mmap import mmap

from xen_io_9pfs import Barriers, RingOrder, RingOverflow, cell, v0
from xen_io_console import v0 as console


def serve(page: mmap, data: mmap, barriers: Barriers) -> bytes:
    """Take a message as a back end does, and answer it."""
    try:
        ring = v0.Xen9pfsBackFlexRing(page, data, barriers)
    except RingOrder as refused:
        return str(refused.theirs - refused.most).encode()
    with ring:
        references: list[int] = list(ring.refs(page))
        reader = io.BufferedReader(ring.file(wait=lambda: references, notify=print))
        size, kind, tag = struct.unpack("<IBH", reader.read(7))
        room = bytearray(size)
        count: int = ring.readinto(room)
        try:
            count += ring.write(ring.peek(4) + ring.read())
        except RingOverflow as overflow:
            count = overflow.theirs
        return bytes(room[: count + ring.free + ring.queued + kind + tag])


def greet(page: bytearray) -> None:
    """Write to a guest's console as its back end does."""
    octets = memoryview(page)
    ring = console.XenconsBackFlexRing(
        octets[:1024],
        octets[1024:3072],
        in_cons=cell(page, 3072),
        in_prod=cell(page, 3076),
        out_cons=cell(page, 3080),
        out_prod=cell(page, 3084),
    )
    written: int | None = ring.file().write(b"hello")
    print(written, ring.functions.mask(5, 4), ring.producer.free)
