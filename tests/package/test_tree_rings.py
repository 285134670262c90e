"""Every request ring of Xen's headers between two processes: C with their macros, and Python.

The package is that of the whole tree. Each request crosses the page and is answered; both sides
compare every byte, and the indices wrap around half way.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import mmap
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import INSTALLED, PROJECT, require, xenbind

PEER = PROJECT / "tests" / "data" / "tree_ring_peer.c"
REQUEST, RESPONSE = 1, 2
U32 = 0xFFFF_FFFF
# Those that the headers of Xen 4.17 define; that of vm_event is tested by itself.
RINGS = {
    "blkif": "io/blkif.h",
    "xen_cameraif": "io/cameraif.h",
    "xen_displif": "io/displif.h",
    "fsif": "io/fsif.h",
    "xen_netif_ctrl": "io/netif.h",
    "netif_tx": "io/netif.h",
    "netif_rx": "io/netif.h",
    "xen_pvcalls": "io/pvcalls.h",
    "xen_sndif": "io/sndif.h",
    "usbif_urb": "io/usbif.h",
    "usbif_conn": "io/usbif.h",
    "vscsiif": "io/vscsiif.h",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What was generated of the tree, whose package can be imported."""
    require(INSTALLED.is_dir(), "libxen-dev")
    out = tmp_path_factory.mktemp("xen_public") / "out"
    result = xenbind("generate", "--tree", INSTALLED, "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    sys.path.insert(0, str(out))
    yield json.loads(result.stdout)
    sys.path.remove(str(out))


@pytest.fixture
def count(exhaustive: bool) -> int:
    """How many requests: the ordinary run finds the same, but less often."""
    return 20_000 if exhaustive else 1_000


def test_these_are_all_rings(made: dict[str, Any]) -> None:
    found = {
        name: version["name"]
        for version in made["versions"]
        for name in version["rings"]
    }
    assert found == {**RINGS, "vm_event": "vm_event.h"}


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
        command += [f'-DHEADER="{RINGS[ring]}"', f"-DRING={ring}", "-D__XEN_TOOLS__"]
        subprocess.run([*command, "-iquote", str(INSTALLED), str(PEER)], check=True)

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


def halves(ring: str) -> tuple[Any, Any]:
    """The classes of a ring's front and back half."""
    package = importlib.import_module("xen_public")
    module = package.header(RINGS[ring])
    prefix = "".join(word.capitalize() for word in ring.split("_"))
    return getattr(module, f"{prefix}FrontRing"), getattr(module, f"{prefix}BackRing")


@pytest.mark.parametrize("ring", RINGS)
def test_requests_of_c_are_answered(
    ring: str, made: dict[str, Any], tmp_path: Path, count: int
) -> None:
    start = (1 << 32) - count // 2
    shared = Shared(tmp_path, ring, start)
    _, back = halves(ring)
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
    ring: str, made: dict[str, Any], tmp_path: Path, count: int
) -> None:
    start = (1 << 32) - count // 2
    shared = Shared(tmp_path, ring, start)
    front, _ = halves(ring)
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
