"""Every translated ring macro against the same macro compiled by gcc, on the same states.

Each runs on two copies of a page, one in C and one in Python: with our ring.h, and with
Xen's own. The results, the private half and every byte of the page must agree afterwards.
The barriers are hooks that record the page's indices and then change them, as the other
side may: a barrier that moved by one line is seen.
"""

from __future__ import annotations

import ctypes
import random
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support import INSTALLED, NEWEST_HEADERS, PROJECT, SPEC, require
from xen_vm_event import Barriers, v7
from xenbind import pipeline, spec
from xenbind.backend.rings import protocol
from xenbind.backend.rings.model import Operation

HEADERS = PROJECT / "headers"
PRIVATE = ("req_prod_pvt", "rsp_cons", "rsp_prod_pvt", "req_cons")
# For each macro and each ring.h with --exhaustive, more than 100,000 in all; else an eighth.
STATES = 3200
ENTRIES = 64
PAGE = 64 + ENTRIES * ctypes.sizeof(v7.vm_event_st)
HALVES: dict[str, Any] = {
    "front": v7.vm_event_front_ring,
    "back": v7.vm_event_back_ring,
}
RINGS: dict[str, Any] = {"front": v7.FrontRing, "back": v7.BackRing}

HOOKS = """\
static uint32_t trace[64][5], script[64], *words;
static unsigned steps;

static void hook(uint32_t kind)
{
    trace[steps][0] = kind;
    memcpy(&trace[steps][1], words, 16);
    words[script[steps] % 4] = script[steps] / 4 * 3;
    steps++;
}

#define xen_mb() hook(1)
#define xen_rmb() hook(2)
#define xen_wmb() hook(3)
typedef uint32_t grant_ref_t;
#include "vm_event.h"

void begin(uint32_t *page, const uint32_t *changes)
{
    words = page;
    memcpy(script, changes, sizeof(script));
    steps = 0;
}

unsigned end(uint32_t *out)
{
    memcpy(out, trace, sizeof(trace));
    return steps;
}
"""


@cache
def operations() -> dict[tuple[str, str], Operation]:
    """The macros that were translated, by side and Python name."""
    loaded = spec.load(SPEC)
    interface = pipeline.read(loaded, loaded.versions[-1], ("gcc",))
    made = protocol.operations(interface.rings[0], interface.records_by_key)
    return {(o.side, o.name): o for o in made if o.side != "none"}


def c_function(operation: Operation) -> str:
    """A C function that calls the macro with its arguments from an array."""
    arguments, index = [], 0
    for role in operation.roles:
        if role == "index":
            arguments.append(f"index[{index}]")
            index += 1
        elif role == "record":
            arguments.append("(vm_event_request_t *)record")
        else:
            arguments.append({"page": "page", "result": "result"}.get(role, "half"))
    call = f"{operation.macro}({', '.join(arguments)})"
    if operation.returns in ("req", "rsp"):
        body = f"return (unsigned char *){call} - (unsigned char *)page;"
    elif "result" in operation.roles:
        body = f"uint64_t result; {call}; return result;"
    elif operation.returns == "None":
        body = f"{call}; return 0;"
    else:
        body = f"return {call};"
    half = (
        f"struct vm_event_{operation.side}_ring" if operation.side in HALVES else "void"
    )
    return (
        f"uint64_t {operation.side}_{operation.name}({half} *half, struct vm_event_sring *page,"
        f" void *record, const uint32_t *index)\n{{ {body} }}\n"
    )


def build(folder: Path, headers: Path) -> Any:
    """The macros of this tree's ring.h, compiled and loaded."""
    text = HOOKS + "".join(map(c_function, operations().values()))
    (folder / "macros.c").write_text(
        f"#include <stdint.h>\n#include <string.h>\n{text}"
    )
    # ring.h is looked for beside the including header first, so that one moves.
    (folder / "vm_event.h").write_text((NEWEST_HEADERS / "vm_event.h").read_text())
    command = [
        *("gcc", "-std=gnu11", "-O1", "-w", "-D__XEN_TOOLS__", "-include", "stddef.h"),
        *("-iquote", str(headers), "-iquote", str(HEADERS), str(folder / "macros.c")),
    ]
    read = subprocess.run([*command, "-M"], capture_output=True, text=True, check=True)
    assert str(headers / "io" / "ring.h") in read.stdout.split()
    target = str(folder / "macros.so")
    subprocess.run([*command, "-shared", "-fPIC", "-o", target], check=True)
    return ctypes.CDLL(target)


@pytest.fixture(scope="module", params=["ours", "xen's"])
def library(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    if request.param == "ours":
        return build(tmp_path_factory.mktemp("macros"), HEADERS)
    require((INSTALLED / "io" / "ring.h").exists(), "libxen-dev")
    return build(tmp_path_factory.mktemp("macros"), INSTALLED)


def near(dice: random.Random) -> int:
    """An index: around one of the places where 32-bit arithmetic turns, or anywhere."""
    base = dice.choice([0, 1 << 31, 1 << 32, dice.getrandbits(32)])
    return (base + dice.choice([-1, 0, 1, dice.randint(-70, 70)])) % (1 << 32)


def size(dice: random.Random) -> int:
    """A number of bytes: of a page, or of any magnitude up to 4 GiB."""
    return dice.choice([dice.randint(64, PAGE), dice.getrandbits(dice.randint(1, 32))])


class Side:
    """One copy of a page and its private half, with the hooked barriers' trace."""

    def __init__(self) -> None:
        # At an address whose bit 6 is set, so that adding 64 to it carries.
        room = bytearray(PAGE + 128)
        address = ctypes.addressof(ctypes.c_char.from_buffer(room))
        start = (64 - address) % 128
        self.page = memoryview(room)[start : start + PAGE]
        self.words = self.page.cast("I")
        self.trace: list[list[int]] = []
        self.script: list[int] = []

    def barriers(self) -> Barriers:
        def hook(kind: int) -> None:
            step = self.script[len(self.trace)]
            self.trace.append([kind, *self.words[:4]])
            self.words[step % 4] = step // 4 * 3

        return Barriers(lambda: hook(1), lambda: hook(2), lambda: hook(3))


class Both:
    """The same state in C and in Python."""

    def __init__(self, library: Any, operation: Operation) -> None:
        self.operation = operation
        self.c, self.python = Side(), Side()
        self.function = library[f"{operation.side}_{operation.name}"]
        self.function.restype = ctypes.c_uint64
        self.library = library
        self.c_page = (ctypes.c_char * PAGE).from_buffer(self.c.page)
        side = operation.side if operation.side in HALVES else "front"
        self.half = HALVES[side]()
        self.ring = RINGS[side](self.python.page, barriers=self.python.barriers())
        self.sring = self.ring.sring
        self.takes_page = any(p.role == "page" for p in operation.parameters)
        self.c_record, self.record = v7.vm_event_st(), v7.vm_event_st()

    def set(self, dice: random.Random) -> list[int]:
        """Put both into one random state, and give the macro's plain arguments."""
        header = dice.randbytes(64)
        self.c.page[:64] = self.python.page[:64] = header
        for place in range(4):
            self.c.words[place] = self.python.words[place] = near(dice)
        for name in PRIVATE:
            if hasattr(self.half, name):
                value = near(dice)
                setattr(self.half, name, value)
                setattr(self.ring, name, value)
        self.half.nr_ents = self.ring.nr_ents = dice.randint(1, ENTRIES)
        address = ctypes.addressof(self.c_page)
        if self.takes_page:
            address = 0
            self.ring.sring = None
        self.half.sring = ctypes.cast(address, type(self.half.sring))
        self.c.script = self.python.script = [dice.getrandbits(31) for _ in range(64)]
        self.python.trace.clear()
        indices = [p.name for p in self.operation.parameters if p.role == "index"]
        return [size(dice) if name == "bytes" else self.index(dice) for name in indices]

    def index(self, dice: random.Random) -> int:
        """An argument: any index, or one about a ring's length from a private one."""
        names = [name for name in PRIVATE if hasattr(self.half, name)]
        base: int = getattr(self.half, dice.choice(names))
        about: int = (base + self.half.nr_ents + dice.randint(-2, 2)) % (1 << 32)
        return dice.choice([about, near(dice)])

    def run_c(self, arguments: list[int]) -> int:
        script = (ctypes.c_uint32 * 64)(*self.c.script)
        self.library.begin(self.c_page, script)
        numbers = (ctypes.c_uint32 * 4)(*arguments)
        result: int = self.function(
            ctypes.byref(self.half), self.c_page, ctypes.byref(self.c_record), numbers
        )
        seen = (ctypes.c_uint32 * 5 * 64)()
        count = self.library.end(seen)
        self.c.trace = [list(row) for row in seen[:count]]
        return result

    def run_python(self, arguments: list[int]) -> int:
        values: list[Any] = []
        numbers = iter(arguments)
        for parameter in self.operation.parameters:
            kinds = {"page": self.sring, "record": self.record}
            values.append(
                kinds[parameter.role] if parameter.role in kinds else next(numbers)
            )
        owner = self.sring if self.operation.side == "page" else self.ring
        result = getattr(owner, self.operation.name)(*values)
        if isinstance(result, ctypes.Structure):
            return ctypes.addressof(result) - int(self.sring.address)
        return int(result or 0)

    def c_state(self) -> list[object]:
        mapped = ctypes.cast(self.half.sring, ctypes.c_void_p).value
        return [mapped == ctypes.addressof(self.c_page), *self.state(self.half, self.c)]

    def python_state(self) -> list[object]:
        return [self.ring.sring is self.sring, *self.state(self.ring, self.python)]

    def state(self, half: Any, side: Side) -> Iterator[object]:
        yield side.trace
        for name in (*PRIVATE, "nr_ents"):
            if hasattr(self.half, name):
                yield name, getattr(half, name)


def compare(library: Any, key: tuple[str, str], states: int) -> None:
    """Run one macro on both sides, from the same random states."""
    dice = random.Random(f"{key}")
    both = Both(library, operations()[key])
    both.c.page[64:] = both.python.page[64:] = dice.randbytes(PAGE - 64)
    for _ in range(states):
        arguments = both.set(dice)
        before = bytes(both.c.page[:64]), arguments
        c, python = both.run_c(arguments), both.run_python(arguments)
        if both.operation.returns == "None" and "result" not in both.operation.roles:
            c = python = 0
        assert python == c, before
        assert both.python_state() == both.c_state(), before
        assert both.python.page == both.c.page
        assert bytes(both.record) == bytes(both.c_record)


@pytest.mark.parametrize("key", sorted(operations()), ids="/".join)
def test_macro_does_the_same_in_python_as_in_c(
    library: Any, key: tuple[str, str], exhaustive: bool
) -> None:
    compare(library, key, STATES if exhaustive else STATES // 8)


def test_every_accessor_is_there() -> None:
    front = """
        attach init front_ring_init ring_size ring_full free_requests
        nr_unconsumed_responses has_unconsumed_responses get_request get_response
        copy_request copy_response response_prod_overflow push_requests
        push_requests_and_check_notify final_check_for_responses
    """
    back = """
        attach init ring_size nr_unconsumed_requests has_unconsumed_requests
        get_request get_response copy_request copy_response
        request_cons_overflow request_prod_overflow push_responses
        push_responses_and_check_notify final_check_for_requests
    """
    wanted = {("front", name) for name in front.split()}
    wanted |= {("back", name) for name in back.split()}
    wanted |= {("page", "ring_size"), ("page", "shared_ring_init")}
    assert set(operations()) == wanted


def test_enough_states_are_tried() -> None:
    assert STATES * len(operations()) >= 100_000
