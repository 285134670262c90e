"""Every request ring of Xen's headers between two processes: C with their macros, and Python.

The package is that of the whole tree. Each request crosses the page and is answered; both sides
compare every byte, and the indices wrap around half way.
"""

from __future__ import annotations

import ctypes
import mmap
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from support import PROJECT
from xen_tree import RINGS, XenTree, c_options, interface_of
from xenbind.backend.names import ring_prefix

PEER = PROJECT / "tests" / "data" / "tree_ring_peer.c"
REQUEST, RESPONSE = 1, 2
U32 = 0xFFFF_FFFF


@pytest.fixture
def count(exhaustive: bool) -> int:
    """How many requests: the ordinary run finds the same, but less often."""
    return 20_000 if exhaustive else 1_000


class Shared:
    """A page whose indices are about to wrap around, and the C side of its ring."""

    def __init__(self, folder: Path, ring: str, start: int) -> None:
        self.path = folder / "page"
        self.path.write_bytes(bytes(4096))
        with self.path.open("r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)
        words = memoryview(self.page).cast("I")
        words[0], words[1], words[2], words[3] = start, start + 1, start, start + 1
        words.release()
        self.program = folder / "peer"
        command = ["gcc", "-std=gnu11", "-O1", "-w", "-o", str(self.program)]
        command += [f'-DHEADER="{RINGS[ring]}"', f"-DRING={ring}"]
        command += [*c_options(RINGS[ring]), str(PEER)]
        subprocess.run(command, check=True)

    def peer(self, role: str, start: int, count: int) -> subprocess.Popen[bytes]:
        numbers = (str(start), str(count))
        return subprocess.Popen([str(self.program), role, str(self.path), *numbers])


def octets(size: int, number: int, kind: int) -> bytes:
    """What an entry has, as `octet` of the C side says."""
    first = ((number * 2654435761 & U32) >> 24) + kind
    return bytes((first + place * 31) & 0xFF for place in range(size))


def entries(half: Any) -> tuple[Any, Any]:
    """The types of a ring's requests and responses."""
    request, response = (member.type for member in half.entry._members_)
    return request, response


def half_of(tree: XenTree, ring: str, side: str) -> Any:
    """The class of a ring's front or back half."""
    module, header = tree.module(RINGS[ring]), interface_of(RINGS[ring])
    return getattr(module, f"{ring_prefix(ring, header.name)}{side}Ring")


@pytest.mark.parametrize("ring", RINGS)
def test_requests_of_c_are_answered(
    ring: str, xen_tree: XenTree, tmp_path: Path, count: int
) -> None:
    start = (1 << 32) - count // 2
    shared = Shared(tmp_path, ring, start)
    back = half_of(xen_tree, ring, "Back")
    request_type, response_type = entries(back)
    size, answer_size = map(ctypes.sizeof, (request_type, response_type))
    with back(shared.page) as half, shared.peer("front", start, count) as peer:
        number = 0
        has_ended = False
        while number < count and not has_ended:
            has_ended = (
                peer.poll() is not None
            )  # before what is left in the page is taken
            for request in half.requests():
                assert bytes(request) == octets(size, number, REQUEST)
                answer = octets(answer_size, number, RESPONSE)
                half.respond(request, response=response_type.from_buffer_copy(answer))
                number += 1
            half.push_responses()
            time.sleep(0)
        assert (number, peer.wait()) == (count, 0)


@pytest.mark.parametrize("ring", RINGS)
def test_requests_to_c_are_answered(
    ring: str, xen_tree: XenTree, tmp_path: Path, count: int
) -> None:
    start = (1 << 32) - count // 2
    shared = Shared(tmp_path, ring, start)
    front = half_of(xen_tree, ring, "Front")
    request_type, response_type = entries(front)
    size, answer_size = map(ctypes.sizeof, (request_type, response_type))
    with front(shared.page) as half, shared.peer("back", start, count) as peer:
        sent = answered = 0
        has_ended = False
        while answered < count and not has_ended:
            has_ended = (
                peer.poll() is not None
            )  # before what is left in the page is taken
            while sent < count and not half.ring_full():
                wanted = octets(size, sent, REQUEST)
                half.send(request_type.from_buffer_copy(wanted))
                sent += 1
            half.push_requests()
            for response in half.responses():
                assert bytes(response) == octets(answer_size, answered, RESPONSE)
                answered += 1
            time.sleep(0)
        assert (answered, peer.wait()) == (count, 0)
