"""Rings of random records: both halves in Python, and the same ring in C beside them.

The records are packed or not, of odd sizes, aligned beyond their size, with flags of any
width in any place. Requests go through a page in Python and through another by ring.h's
macros, compiled, with C's own assignments; after each step every byte of both pages is the
same.
"""

from __future__ import annotations

import ctypes
import importlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support import PROJECT, require
from xenbind import pipeline, spec
from xenbind.backend.module import module_view
from xenbind.backend.ring_module import protocol_view
from xenbind.backend.templates import Templates

RINGS = 6  # in a header
U32 = 0xFFFF_FFFF

# Types of flags, and how many bits a bit-field of them may have.
FLAGS = {
    "uint8_t": 8,
    "int8_t": 8,
    "char": 8,
    "uint16_t": 16,
    "int16_t": 16,
    "uint32_t": 32,
    "int32_t": 32,
    "uint64_t": 64,
    "int64_t": 64,
    "_Bool": 1,
}
OTHERS = [
    *("uint8_t {}", "uint16_t {}", "uint32_t {}", "uint64_t {}", "char {}[3]"),
    *("uint8_t {}[13]", "uint32_t {} : 5", "struct {{ uint8_t a; uint16_t b; }} {}"),
    "union {{ uint32_t a; uint8_t b[5]; }} {}",
]
ATTRIBUTES = ["", "packed", "packed", "aligned(128)", "packed, aligned(2)"]
ATTRIBUTES += ["aligned(16)", "packed, aligned(64)"]
KEPT = 0b101


@dataclass(frozen=True)
class Declared:
    """A ring's request in C, whether its responses are others, and which flags are kept."""

    text: str
    other_response: bool
    kept: int


@st.composite
def declarations(draw: st.DrawFn, number: int) -> Declared:
    members = [
        template.format(f"m{index}") + ";"
        for index, template in enumerate(
            draw(st.lists(st.sampled_from(OTHERS), max_size=5))
        )
    ]
    c_type = draw(st.sampled_from(sorted(FLAGS)))
    width = draw(st.none() | st.integers(1, FLAGS[c_type]))
    bits = "" if width is None else f" : {width}"
    members.insert(draw(st.integers(0, len(members))), f"{c_type} flags{bits};")
    attributes = draw(st.sampled_from(ATTRIBUTES))
    return Declared(
        f"struct __attribute__(({attributes})) request{number} {{ {' '.join(members)} }};",
        draw(st.integers(0, 4)) == 0,
        0 if c_type == "_Bool" else draw(st.sampled_from([0, KEPT])),
    )


# What C does with the ring number @, on a page of its own.
C_RING = """
static struct r@_front_ring front@;
static struct r@_back_ring back@;
static request@ taken@[512];

void attach@(struct r@_sring *page, long long start, unsigned bytes)
{
    FRONT_RING_ATTACH(&front@, page, start, bytes);
    BACK_RING_ATTACH(&back@, page, start, bytes);
}

unsigned size@(void) { return RING_SIZE(&back@); }

void send@(const request@ *request)
{
    *RING_GET_REQUEST(&front@, front@.req_prod_pvt) = *request;
    front@.req_prod_pvt++;
}

void push_requests@(void) { RING_PUSH_REQUESTS(&front@); }

void take@(unsigned number)
{
    RING_COPY_REQUEST(&back@, back@.req_cons, &taken@[number]);
    back@.req_cons++;
}

void final_check@(void) { int more; RING_FINAL_CHECK_FOR_REQUESTS(&back@, more); }

void push_responses@(void) { RING_PUSH_RESPONSES(&back@); }

void receive@(response@ *response)
{
    RING_COPY_RESPONSE(&front@, front@.rsp_cons, response);
    front@.rsp_cons++;
}

void final_check_front@(void) { int more; RING_FINAL_CHECK_FOR_RESPONSES(&front@, more); }
"""
C_RESPOND_ITSELF = """
/* how: 0 as it came, 1 with flags, 2 with flags and none of those to keep */
void respond@(unsigned number, int how, long long flags)
{
    request@ request = taken@[number];

    if (how)
        request.flags = flags;
    if (how == 1 && KEPT)
        request.flags |= taken@[number].flags & KEPT;
    if (how == 2)
        request.flags &= ~KEPT;
    *RING_GET_RESPONSE(&back@, back@.rsp_prod_pvt) = request;
    back@.rsp_prod_pvt++;
}
"""
C_RESPOND_OTHER = """
void respond_other@(const response@ *response)
{
    *RING_GET_RESPONSE(&back@, back@.rsp_prod_pvt) = *response;
    back@.rsp_prod_pvt++;
}
"""


def header(rings: Sequence[Declared]) -> str:
    text = '#include "io/ring.h"\n'
    for number, ring in enumerate(rings):
        response = "struct answer" if ring.other_response else f"struct request{number}"
        text += (
            f"#define KEPT_{number} {ring.kept}\n"
            f"{ring.text}\n"
            f"typedef struct request{number} request{number};\n"
            f"typedef {response} response{number};\n"
            f"DEFINE_RING_TYPES(r{number}, struct request{number}, {response});\n"
        )
    return (
        "struct __attribute__((packed)) answer { uint8_t id; uint16_t status; };\n"
        + text
    )


def toml(rings: Sequence[Declared]) -> str:
    text = '[interface]\nname = "random"\npackage = "p"\nheader = "random.h"\n'
    text += 'needs = ["stdint.h", "stddef.h", "string.h"]\n'
    for number, ring in enumerate(rings):
        if ring.kept and not ring.other_response:
            text += f'[ring.r{number}]\nflags = "flags"\nkeep = ["KEPT_{number}"]\n'
    return text


def c_source(rings: Sequence[Declared]) -> str:
    text = (
        "#include <stdint.h>\n#include <stddef.h>\n#include <string.h>\n"
        "typedef uint32_t grant_ref_t;\n"
        "#define xen_mb() __sync_synchronize()\n#define xen_rmb() xen_mb()\n"
        "#define xen_wmb() xen_mb()\n#define XEN_FLEX_ARRAY_DIM\n"
        '#include "random.h"\n'
    )
    for number, ring in enumerate(rings):
        respond = C_RESPOND_OTHER if ring.other_response else C_RESPOND_ITSELF
        body = (C_RING + respond).replace("KEPT", f"{ring.kept}")
        text += body.replace("@", f"{number}")
    return text


def package(rings: Sequence[Declared], folder: Path) -> ModuleType:
    """The module of a header with these rings, in a package of its own."""
    (folder / "random.h").write_text(header(rings))
    (folder / "spec.toml").write_text(toml(rings))
    loaded = spec.load(folder / "spec.toml").for_tree(folder)
    interface = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    name = f"random_{uuid4().hex}"
    shutil.copytree(PROJECT / "runtime", folder / name / "runtime")
    templates = Templates()
    for file, template, context in (
        ("v1.py", "version", {"module": module_view(interface, "random.h", ())}),
        (
            "macros.py",
            "macros",
            {"ring": protocol_view(interface, "io/ring.h"), "up": ""},
        ),
    ):
        text = templates.text(f"package/{template}.py.jinja", context)
        (folder / name / file).write_text(text)
    (folder / name / "__init__.py").touch()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(f"{name}.v1")
    finally:
        sys.path.remove(str(folder))


def library(rings: Sequence[Declared], folder: Path) -> Any:
    (folder / "rings.c").write_text(c_source(rings))
    command = ["gcc", "-std=gnu11", "-O0", "-w", "-shared", "-fPIC", "-iquote"]
    target = str(folder / "rings.so")
    subprocess.run(
        [*command, str(folder), str(folder / "rings.c"), "-o", target], check=True
    )
    return ctypes.CDLL(target)


class Both:
    """One ring, on a page in Python and on another in C, which stay the same."""

    def __init__(
        self, module: ModuleType, c: Any, number: int, ring: Declared, dice: Random
    ) -> None:
        self.c, self.number, self.ring, self.dice = c, number, ring, dice
        front: Any = getattr(module, f"R{number}FrontRing")
        back: Any = getattr(module, f"R{number}BackRing")
        self.request: Any = getattr(module, f"request{number}")
        self.answer: Any = module.answer
        entry = ctypes.sizeof(front.entry)
        size = front.first_entry + entry * dice.randint(1, 9)
        size += dice.randrange(entry)
        start = dice.choice([0, 1 << 32]) + dice.randint(-9, 9)
        # C's page has to be aligned as its entries are.
        room = bytearray(size + 256)
        at = -ctypes.addressof(ctypes.c_char.from_buffer(room)) % 256
        self.c_page, self.page = memoryview(room)[at : at + size], bytearray(size)
        self.front, self.back = front(self.page, start), back(self.page, start)
        for page in (self.page, self.c_page):
            with memoryview(page)[:16].cast("I") as words:
                words[0] = words[2] = start & U32
        c_page = (ctypes.c_char * size).from_buffer(self.c_page)
        self.call("attach", c_page, ctypes.c_longlong(start), size)
        assert self.back.ring_size() == self.call("size")

    def call(self, name: str, *arguments: Any) -> Any:
        return getattr(self.c, f"{name}{self.number}")(*arguments)

    def check(self) -> None:
        assert self.page == self.c_page

    def draw(self, record: Any) -> Any:
        return record.from_buffer_copy(self.dice.randbytes(ctypes.sizeof(record)))

    def send(self) -> list[bytes]:
        """Fill some of the ring with requests."""
        sent = []
        for _ in range(self.dice.randint(1, self.back.ring_size())):
            request = self.draw(self.request)
            self.front.send(request)
            self.call("send", ctypes.byref(request))
            sent.append(bytes(request))
        self.front.push_requests()
        self.call("push_requests")
        self.check()
        return sent

    def flags(self) -> tuple[dict[str, Any], int, int]:
        """How to answer: in Python, and in C."""
        anything = self.dice.getrandbits(64) - (1 << 63)
        flags = self.dice.choice([None, 0, self.dice.randrange(300), anything])
        if flags is None:
            return {}, 0, 0
        if self.ring.kept and self.dice.randrange(2):
            return {"flags": flags, "hold": True}, 2, flags
        return {"flags": flags}, 1, flags

    def respond(self, request: Any, number: int) -> None:
        """Answer a whole request in Python, and the same one in C."""
        if self.ring.other_response:
            with pytest.raises(TypeError, match="no requests"):
                self.back.respond(request, flags=1)
            response = self.draw(self.answer)
            self.back.respond(request, response=response)
            self.call("respond_other", ctypes.byref(response))
            return
        keywords, how, flags = self.flags()
        if self.dice.randrange(2):
            # Those that are forgotten in the request itself are kept too.
            request.flags = assigned = self.dice.randrange(128)
            if not how:
                how, flags = 1, assigned
        self.back.respond(request, **keywords)
        self.call("respond", number, how, ctypes.c_longlong(flags))

    def whole(self) -> None:
        sent = self.send()
        taken = list(self.back.requests())
        assert [bytes(request) for request in taken] == sent
        for number in range(len(sent)):
            self.call("take", number)
        self.call("final_check")
        self.check()
        for number in self.dice.sample(range(len(sent)), len(sent)):
            self.respond(taken[number], number)
            self.check()
        self.receive(len(sent))

    def select(self) -> None:
        sent = self.send()
        chosen = self.back.select()
        assert len(list(chosen)) == len(sent)
        for number in range(len(sent)):
            self.call("take", number)
        self.call("final_check")
        for number in range(len(sent)):
            keywords, how, flags = self.flags()
            chosen.respond(**keywords)
            self.call("respond", number, how, ctypes.c_longlong(flags))
            self.check()
        self.receive(len(sent))

    def receive(self, count: int) -> None:
        """Take the responses."""
        self.back.push_responses()
        self.call("push_responses")
        self.check()
        record = self.answer if self.ring.other_response else self.request
        for response in self.front.responses():
            c_response = record()
            self.call("receive", ctypes.byref(c_response))
            assert bytes(response) == bytes(c_response)
            count -= 1
        assert count == 0
        self.call("final_check_front")
        self.check()


def test_rings_of_random_records_are_those_of_c(
    exhaustive: bool,
) -> None:
    require(shutil.which("gcc") is not None, "gcc")

    @settings(
        max_examples=60 if exhaustive else 6, deadline=None, phases=[Phase.generate]
    )
    @given(
        st.tuples(*(declarations(number) for number in range(RINGS))),
        st.integers(0, U32),
    )
    def hold(rings: tuple[Declared, ...], seed: int) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(PROJECT / "headers" / "io", folder / "io")
            module, c = package(rings, folder), library(rings, folder)
            for number, ring in enumerate(rings):
                both = Both(module, c, number, ring, Random(seed))
                for _ in range(20):
                    both.whole()
                    if not ring.other_response:
                        both.select()

    hold()
