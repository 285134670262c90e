"""A page that tells how large its rings are: vchan's, by our header and by Xen's, against C."""

from __future__ import annotations

import ctypes
import importlib
import mmap
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from event_packages import OURS
from support import INSTALLED, PROJECT, require, xenbind

PAGE = 4096
U32 = 0xFFFF_FFFF
SPEC = PROJECT / "examples" / "vchan.toml"

# What a user of the header does: the rings are where its comments say.
C = """\
#include <string.h>
#include HEADER

static char *ring_of(struct vchan_interface *page, int order, char *memory)
{
    return order == 10 ? (char *)page + 1024 : order == 11 ? (char *)page + 2048 : memory;
}

static unsigned put(struct ring_shared *ring, char *array, int order, const char *data,
                    unsigned length)
{
    unsigned count = 0;

    for (; count < length && ring->prod - ring->cons < 1u << order; ring->prod++)
        array[ring->prod & ((1u << order) - 1)] = data[count++];
    return count;
}

static unsigned take(struct ring_shared *ring, char *array, int order, char *data, unsigned length)
{
    unsigned count = 0;

    for (; count < length && ring->prod != ring->cons; ring->cons++)
        data[count++] = array[ring->cons & ((1u << order) - 1)];
    return count;
}

unsigned put_left(struct vchan_interface *page, char *memory, const char *data, unsigned length)
{
    int order = page->left_order;
    return put(&page->left, ring_of(page, order, memory), order, data, length);
}

unsigned take_left(struct vchan_interface *page, char *memory, char *data, unsigned length)
{
    int order = page->left_order;
    return take(&page->left, ring_of(page, order, memory), order, data, length);
}

unsigned put_right(struct vchan_interface *page, char *memory, const char *data, unsigned length)
{
    int order = page->right_order;
    return put(&page->right, ring_of(page, order, memory), order, data, length);
}

unsigned take_right(struct vchan_interface *page, char *memory, char *data, unsigned length)
{
    int order = page->right_order;
    return take(&page->right, ring_of(page, order, memory), order, data, length);
}
"""


@pytest.fixture(scope="module", params=["ours", "xen's"])
def header(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The header, in a tree as the spec has it."""
    installed = INSTALLED / "io" / "libxenvchan.h"
    require(request.param == "ours" or installed.is_file(), "libxen-dev")
    path = tmp_path_factory.mktemp("tree") / "io" / "libxenvchan.h"
    path.parent.mkdir()
    ours = OURS / "libxenvchan.h"
    shutil.copy(ours if request.param == "ours" else installed, path)
    return path


@pytest.fixture(scope="module")
def vchan(
    header: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModuleType]:
    out = tmp_path_factory.mktemp("vchan")
    tree = header.parents[1]
    made = xenbind("generate", "--spec", SPEC, "--include", tree, "--out", out)
    assert made.returncode == 0, made.stderr
    sys.path.insert(0, str(out))
    yield importlib.import_module("xen_vchan.v0")
    sys.path.remove(str(out))
    for name in [name for name in sys.modules if name.startswith("xen_vchan")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def library(header: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    require(shutil.which("gcc") is not None, "gcc")
    folder = tmp_path_factory.mktemp("c")
    (folder / "vchan.c").write_text(C)
    command = ["gcc", "-std=gnu11", "-O1", "-w", f'-DHEADER="{header}"']
    command += [str(folder / "vchan.c"), "-shared", "-fPIC", "-o", str(folder / "c.so")]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(folder / "c.so"))


def page_of(vchan: ModuleType, left: int, right: int, start: int = 0) -> bytearray:
    page = bytearray(PAGE)
    head = vchan.vchan_interface.from_buffer(page)
    head.left_order, head.right_order = left, right
    for ring in (head.left, head.right):
        ring.cons = ring.prod = start
    return page


@pytest.mark.parametrize(
    ("left", "right"), [(10, 11), (11, 10), (12, 10), (11, 13), (12, 12)]
)
@pytest.mark.parametrize("python", ["FrontByteRing", "BackByteRing"])
def test_each_byte_arrives_once_between_c_and_python(
    python: str, left: int, right: int, vchan: ModuleType, library: Any
) -> None:
    dice = random.Random(left + right)
    start = (-30_000) & U32
    page = page_of(vchan, left, right, start)
    memory = {"left": bytearray(1 << 13), "right": bytearray(1 << 13)}
    reads, writes = ("left", "right") if python[0] == "B" else ("right", "left")
    side = getattr(vchan, python)(
        page, read_memory=memory[reads], write_memory=memory[writes]
    )
    c_page = (ctypes.c_char * PAGE).from_buffer(page)
    c_memory = {
        name: (ctypes.c_char * len(octets)).from_buffer(octets)
        for name, octets in memory.items()
    }
    buffer = ctypes.create_string_buffer(1 << 14)
    sent = {"c": b"", "python": b""}
    received = {"c": b"", "python": b""}
    while min(map(len, sent.values())) < 60_000:
        data = dice.randbytes(dice.randrange(1 << 13))
        sent["python"] += data[: side.write(data)]
        size = dice.randrange(1 << 13)
        taken = library[f"take_{writes}"](c_page, c_memory[writes], buffer, size)
        received["python"] += buffer.raw[:taken]
        data = dice.randbytes(dice.randrange(1 << 13))
        put = library[f"put_{reads}"](c_page, c_memory[reads], data, len(data))
        sent["c"] += data[:put]
        received["c"] += side.read(dice.randrange(1 << 13))
    received["c"] += side.read()
    taken = library[f"take_{writes}"](c_page, c_memory[writes], buffer, 1 << 13)
    received["python"] += buffer.raw[:taken]
    assert received == sent


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        (0, 0, "has the order 0, and the least is 10"),
        (9, 11, "has the order 9, and the least is 10"),
        (10, 10, "has the order 10, and another one has the same place"),
        (11, 11, "has the order 11, and another one has the same place"),
        (12, 10, "has the order 12, and no memory was given"),
        (10, 0xFFFF, "has the order 65535, and no memory was given"),
    ],
)
def test_an_order_that_cannot_be_is_refused(
    left: int, right: int, told: str, vchan: ModuleType
) -> None:
    page = page_of(vchan, left, right)
    for side in (vchan.FrontByteRing, vchan.BackByteRing):
        with pytest.raises(RuntimeError, match=told) as refused:
            side(page)
        assert type(refused.value).__name__ == "WrongOrder"


def test_memory_smaller_than_the_ring_is_refused(vchan: ModuleType) -> None:
    page = page_of(vchan, 12, 13)
    memory = bytearray(1 << 12)
    with pytest.raises(RuntimeError, match="order 13, and was given 4096 bytes"):
        vchan.BackByteRing(page, read_memory=memory, write_memory=memory)


def test_what_is_only_read_may_be_mapped_read_only(vchan: ModuleType) -> None:
    page = page_of(vchan, 10, 12)
    with tempfile.TemporaryFile() as file:
        file.truncate(PAGE)
        writable = mmap.mmap(file.fileno(), PAGE)
        only_read = mmap.mmap(file.fileno(), PAGE, prot=mmap.PROT_READ)
    server = vchan.BackByteRing(page, write_memory=writable)
    client = vchan.FrontByteRing(page, read_memory=only_read)
    assert server.write(b"from the server") == 15
    assert (client.peek(4), client.read(), client.queued) == (
        *(b"from", b"from the server"),
        0,
    )
    assert client.write(b"back") == 4
    with pytest.raises(ValueError, match="needs memory that is writable"):
        vchan.BackByteRing(page, write_memory=only_read)


def test_an_order_that_changes_later_changes_nothing(vchan: ModuleType) -> None:
    page = page_of(vchan, 10, 11)
    server, client = vchan.BackByteRing(page), vchan.FrontByteRing(page)
    vchan.vchan_interface.from_buffer(page).left_order = 20
    assert client.write(bytes(3000)) == 1024
    assert len(server.read()) == 1024


@pytest.mark.parametrize("page", [bytes(PAGE), bytearray(PAGE - 1), bytearray(8192)])
def test_a_side_needs_a_writable_page(page: Any, vchan: ModuleType) -> None:
    with pytest.raises(ValueError, match="a writable page of 4096 bytes is wanted"):
        vchan.FrontByteRing(page)


def test_an_order_of_many_bits_is_refused_at_once(vchan: ModuleType) -> None:
    pages = sys.modules[vchan.BackByteRing.__mro__[1].__module__]
    place = pages.OrderPlace(order=0, order_size=8, least=0, consumer=8, producer=12)
    page = memoryview(bytearray(b"\xff" * PAGE))
    with pytest.raises(pages.WrongOrder, match="was given 4096 bytes of memory"):
        place.views(page, place.order_in(page), bytearray(PAGE))
