"""The two sides of a flex ring in two processes: one in Python, one in C by the header's functions.

Bytes go both ways at once, in pieces of random lengths, past the place where indices wrap. Both
sides sum up what they send and take, and must have seen the same.
"""

from __future__ import annotations

import mmap
import os
import random
import subprocess
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from flex_rings import (
    KINDS,
    PAGE_SIZE,
    Kind,
    attach,
    compile_c,
    module,
    new_page,
    require_kind,
)
from ring_peer import limited
from support import PROJECT


@dataclass
class Ring:
    """A kind of ring, its module, and the program that is its other side."""

    kind: Kind
    module: ModuleType
    program: Path


@pytest.fixture(scope="module")
def ring(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Ring:
    kind = KINDS[request.param]
    require_kind(kind)
    folder = tmp_path_factory.mktemp("flex")
    data = "" if kind.interface else "#define DATA\n"
    (folder / "peer.c").write_text(
        f"{kind.text}\n#include <stdint.h>\n#define RING(f) {kind.name}_##f\n"
        f"#define INTERFACE struct {kind.page}\n{data}"
        f'#include "{PROJECT}/tests/soak/flex_peer.c"\n'
    )
    compile_c(kind, folder / "peer.c", folder / "peer")
    made = module(kind, folder, f"flex_{uuid4().hex}")
    return Ring(kind, made, folder / "peer")


@pytest.fixture(autouse=True)
def time_limit(exhaustive: bool) -> Iterator[None]:
    with limited(600 if exhaustive else 90):
        yield


@pytest.fixture
def count(exhaustive: bool) -> int:
    """How many bytes each way: the ordinary run finds the same, but less often."""
    return 20_000_000 if exhaustive else 1_000_000


@pytest.mark.parametrize(
    ("ring", "order"),
    [(name, order) for name, kind in KINDS.items() for order in kind.orders],
    indirect=["ring"],
)
@pytest.mark.parametrize("side", ["Front", "Back"])
def test_bytes_go_both_ways(ring: Ring, side: str, order: int, count: int) -> None:
    fd = os.memfd_create("flex")
    os.ftruncate(fd, PAGE_SIZE << (order + 1))
    memory = mmap.mmap(fd, PAGE_SIZE << (order + 1))
    new_page(ring.kind, ring.module, memory, order, (1 << 32) - count // 2)
    end = attach(ring.kind, ring.module, memory, side)
    other = "back" if side == "Front" else "front"
    peer = subprocess.Popen(
        [ring.program, other, str(fd), str(count), "7"],
        pass_fds=[fd],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        seen = exchange(end, peer, count)
        out, _ = peer.communicate(timeout=60)
    finally:
        peer.kill()
        peer.communicate()
        os.close(fd)
    assert peer.returncode == 0
    theirs = dict(word.split("=") for word in out.split())
    assert (seen.sent, seen.taken) == (count, count)
    assert (theirs["taken"], theirs["taken_sum"]) == (str(count), str(seen.sent_sum))
    assert (theirs["sent"], theirs["sent_sum"]) == (str(count), str(seen.taken_sum))
    assert not end.queued


@dataclass
class Seen:
    """What a side sent and took."""

    sent: int = 0
    taken: int = 0
    sent_sum: int = 1
    taken_sum: int = 1


def exchange(end: Any, peer: subprocess.Popen[str], count: int) -> Seen:
    """Send and take so many bytes, in pieces of random lengths."""
    dice, seen = random.Random(11), Seen()
    waiting = b""
    while seen.sent < count or seen.taken < count:
        if not waiting:
            size = min(dice.randrange(1 << dice.randrange(16)), count - seen.sent)
            waiting = dice.randbytes(size)
        fitted = end.write(waiting)
        seen.sent_sum = zlib.adler32(waiting[:fitted], seen.sent_sum)
        seen.sent += fitted
        waiting = waiting[fitted:]
        found = end.read(dice.choice([-1, dice.randrange(1 << dice.randrange(16))]))
        seen.taken_sum = zlib.adler32(found, seen.taken_sum)
        seen.taken += len(found)
        if not fitted and not found:
            assert peer.poll() in (None, 0)
            time.sleep(20e-6)
    return seen
