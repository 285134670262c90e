"""The other side of a page with rings of bytes, in C; a Python side as a program.

`Layout` says where such a page has what, as xenbind found it in the header.  As a program this
module is a Python side whose page somebody else scribbles on:

    python byte_peer.py MODULE SIDE FD SECONDS
"""

from __future__ import annotations

import gc
import importlib
import mmap
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ring_peer import ENOUGH, LIMIT, PAGE_SIZE, U32, Process, Shared, guarded
from support import PROJECT
from xen_tree import c_options
from xenbind.ir.interface import BytePage, ByteRing


@dataclass(frozen=True)
class Layout:
    """A page, and the binary logarithms of its rings' sizes where the page tells them.

    `orders` are by the ring's name; a ring of 10 or 11 is in the page, at 1024 and 2048, and the
    memory of any other is behind it.
    """

    header: str
    page: BytePage
    orders: dict[str, int]

    @property
    def size(self) -> int:
        """The bytes of the page and of the memory behind it."""
        return PAGE_SIZE + sum(
            1 << order for order in self.orders.values() if order > 11
        )

    def place(self, ring: ByteRing) -> int:
        """Where a ring whose order the page tells begins in all that memory."""
        order = self.orders[ring.array]
        return {10: 1024, 11: 2048}.get(order, PAGE_SIZE)

    def macros(self) -> str:
        """What C is to know of it."""
        text = (
            f"#define PAGE {self.page.record}\n#define HEAD {24 * bool(self.orders)}\n"
        )
        for ring in self.page.rings:
            way = {"frontend": "FRONT", "backend": "BACK"}[ring.reader]
            if ring.order:
                size = f"(1u << {self.orders[ring.array]})"
                at = f"((uint8_t *)page)[{self.place(ring)} + ((idx) & ({size} - 1))]"
            else:
                size = f"sizeof(page->{ring.array})"
                array = f", page->{ring.array}" if ring.takes_array else ""
                at = f"*(uint8_t *)&page->{ring.array}[{ring.mask}(idx{array})]"
            text += (
                f"#define {way}_SIZE {size}\n#define {way}_AT(idx) {at}\n"
                f"#define {way}_CONS page->{ring.consumer}\n"
                f"#define {way}_PROD page->{ring.producer}\n"
            )
        return text

    def compile(self, folder: Path) -> Path:
        """Compile `byte_peer.c` for it."""
        source, program = folder / "peer.c", folder / "byte_peer"
        peer = PROJECT / "tests" / "soak" / "byte_peer.c"
        source.write_text(f'{self.macros()}#include "{peer}"\n')
        command = ["gcc", "-std=gnu11", "-O2", "-w", f'-DHEADER="{self.header}"']
        command += [*c_options(self.header), str(source), "-o", str(program)]
        subprocess.run(command, check=True)
        return program


class ByteShared(Shared):
    """A page of bytes that two processes map, and the memory behind it."""

    def __init__(self, layout: Layout, record: Any, start: int = 0) -> None:
        super().__init__()
        self.page.close()
        os.ftruncate(self.fd, layout.size)
        self.page = mmap.mmap(self.fd, layout.size)
        self.page[:16] = bytes(16)
        page = record.from_buffer(self.page)
        for ring in layout.page.rings:
            if ring.order:
                setattr(page, ring.order, layout.orders[ring.array])
            for index in (ring.consumer, ring.producer):
                *outer, name = index.split(".")
                setattr(getattr(page, outer[0]) if outer else page, name, start)
        del page
        gc.collect()  # a record and the members it keeps refer to each other


class BytePeer(Process):
    """`byte_peer.c` as one side of a page; its top says what the sides do."""

    def __init__(self, program: Path, side: str, shared: Shared, count: int) -> None:
        super().__init__(shared, program, side, shared.fd, count, LIMIT)


class ByteConsumer(Process):
    """This module as one side of a page, for so many seconds."""

    def __init__(self, module: str, side: str, shared: Shared, seconds: float) -> None:
        command = (sys.executable, __file__, module, side, shared.fd, str(seconds))
        super().__init__(shared, *command)


def main(module: str, side: str, fd: str, seconds: str) -> None:
    """Read and write while the page is scribbled on, and print what was counted.

    Nothing but RingOverflow may come of it; after one, the page is attached to anew.
    """
    cls = getattr(importlib.import_module(module), f"{side}ByteRing")
    page, end = guarded(int(fd)), time.monotonic() + float(seconds)
    counts = {"read": 0, "written": 0, "overflows": 0}
    slowest = 0.0
    while time.monotonic() < end or min(counts.values()) <= ENOUGH:
        before = time.monotonic()
        try:
            with cls(page) as ring:
                for _ in range(100):
                    before = time.monotonic()
                    counts["read"] += len(ring.read())
                    counts["written"] += ring.write(b"nonsense" * 200)
                    assert ring.free >= 0
                    slowest = max(slowest, time.monotonic() - before)
        except RuntimeError as error:
            assert type(error).__name__ == "RingOverflow"
            assert 0 <= vars(error)["theirs"] <= U32
            assert 0 <= vars(error)["ours"] <= U32
            counts["overflows"] += 1
    counts["slowest_ms"] = round(1000 * slowest)
    print(*(f"{name}={number}" for name, number in counts.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
