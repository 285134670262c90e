"""The server of examples/vchan.py whose indices begin at FIRST, and that says what came.

server.py DOMAIN PATH FIRST
"""

from __future__ import annotations

import struct
import sys
import zlib
from typing import Any

import vchan
from xen_vchan import v0

domain, path, first = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])


class LateRing(v0.BackByteRing):
    """A side that is attached to a page on which much was moved already."""

    def __init__(self, page: memoryview, **memory: Any) -> None:
        page[:16] = struct.pack("4I", first, first, first, first)
        super().__init__(page, **memory)


v0.BackByteRing = LateRing  # type: ignore[misc, assignment]
total, adler = 0, 1
with vchan.serve(domain, path) as stream:
    print("waiting for a client", file=sys.stderr, flush=True)
    while data := stream.receive():
        total, adler = total + len(data), zlib.adler32(data, adler)
        stream.send(data)
print(f"{total} bytes, Adler-32 {adler:08x}")
