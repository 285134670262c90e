"""A ring's macros in C and in Python on the same states, for tests that hold one against the other.

`Ring` says what a ring is called and what Python has of it, `build` compiles its macros, and
`Both` has two copies of a page, one for C and one for Python, with a half of each kind on it. The
barriers are hooks that record the page's indices and then write a word of it, as the other
side may: a barrier that moved by one line is seen.
"""

from __future__ import annotations

import ctypes
import itertools
import random
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenbind.backend.rings import protocol
from xenbind.backend.rings.model import Operation, Returns, Role
from xenbind.ir.interface import Interface
from xenbind.ir.interface import Ring as Declared

ENTRIES = 64
U32 = 0xFFFF_FFFF
PRIVATE = ("req_prod_pvt", "rsp_cons", "rsp_prod_pvt", "req_cons")
# Their last argument is a number of bytes, and all others that are numbers are indices.
SIZED = ("attach", "init", "front_ring_init", "ring_size")
# A half, or the page, and a method's name in Python.
Key = tuple[str, str]

HOOKS = """\
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static uint32_t trace[64][5], script[64][2], *words;
static unsigned steps;

static void hook(uint32_t kind)
{
    trace[steps][0] = kind;
    memcpy(&trace[steps][1], words, 16);
    words[script[steps][0]] = script[steps][1];
    steps++;
}

#define xen_mb() hook(1)
#define xen_rmb() hook(2)
#define xen_wmb() hook(3)

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


@dataclass(frozen=True)
class Ring:
    """A ring: its name in C, its macros, and what Python has of it by side.

    `structs` are the halves as C has them, `classes` those with the macros as methods.
    """

    name: str
    operations: Mapping[Key, Operation]
    structs: Mapping[str, Any]
    classes: dict[str, Any]

    @property
    def entry(self) -> Any:
        """The union of a request and its response."""
        return self.classes["back"].entry

    @property
    def page_size(self) -> int:
        """The bytes of a page with `ENTRIES` entries."""
        first: int = self.classes["back"].first_entry
        return first + ENTRIES * ctypes.sizeof(self.entry)


def operations_of(interface: Interface, ring: Declared) -> dict[Key, Operation]:
    """The macros that were translated, by side and Python name."""
    made = protocol.operations(ring, interface.records_by_key)
    return {(o.side, o.name): o for o in made if o.side != "none"}


def c_function(ring: str, operation: Operation) -> str:
    """A C function that calls the macro with its arguments from an array."""
    arguments, index = [], 0
    for role in operation.roles:
        if role == Role.INDEX:
            arguments.append(f"index[{index}]")
            index += 1
        elif role == Role.RECORD:
            member = "rsp" if operation.name.endswith("response") else "req"
            arguments.append(f"(__typeof__(page->ring[0].{member}) *)record")
        else:
            arguments.append({"page": "page", "result": "result"}.get(role, "half"))
    call = f"{operation.macro}({', '.join(arguments)})"
    if operation.returns in (Returns.REQUEST, Returns.RESPONSE):
        body = f"return (unsigned char *){call} - (unsigned char *)page;"
    elif Role.RESULT in operation.roles:
        body = f"uint64_t result; {call}; return result;"
    elif operation.returns == Returns.NOTHING:
        body = f"{call}; return 0;"
    else:
        body = f"return {call};"
    half = (
        "void" if operation.side == "page" else f"struct {ring}_{operation.side}_ring"
    )
    return (
        f"uint64_t {operation.side}_{operation.name}({half} *half, struct {ring}_sring *page,"
        f" void *record, const uint32_t *index)\n{{ {body} }}\n"
    )


def build(folder: Path, ring: Ring, text: str, *options: str) -> Any:
    """The macros of a ring, compiled with the text that includes its header, and loaded."""
    functions = (c_function(ring.name, each) for each in ring.operations.values())
    source, target = folder / f"{ring.name}.c", folder / f"{ring.name}.so"
    source.write_text(HOOKS + text + "".join(functions))
    command = ["gcc", "-std=gnu11", "-O1", "-w", *options, str(source)]
    subprocess.run([*command, "-shared", "-fPIC", "-o", str(target)], check=True)
    return ctypes.CDLL(str(target))


def near(dice: random.Random) -> int:
    """An index: around one of the places where 32-bit arithmetic turns, or anywhere."""
    base = dice.choice([0, 1 << 31, 1 << 32, dice.getrandbits(32)])
    return (base + dice.choice([-1, 0, 1, dice.randint(-70, 70)])) % (1 << 32)


class Side:
    """One copy of a page, with the hooked barriers' trace."""

    def __init__(self, size: int) -> None:
        # At an address whose bit 6 is set, so that adding 64 to it carries.
        room = bytearray(size + 128)
        address = ctypes.addressof(ctypes.c_char.from_buffer(room))
        start = (64 - address) % 128
        self.page = memoryview(room)[start : start + size]
        self.words = self.page[: size // 4 * 4].cast("I")
        self.trace: list[list[int]] = []
        self.script: list[tuple[int, int]] = []

    def hook(self, kind: int) -> None:
        """Do at a barrier in Python what HOOKS does at one in C."""
        place, word = self.script[len(self.trace)]
        self.trace.append([kind, *self.words[:4]])
        self.words[place] = word


class Hooked:
    """The barriers of a side in Python."""

    def __init__(self, side: Side) -> None:
        self.xen_mb = lambda: side.hook(1)
        self.xen_rmb = lambda: side.hook(2)
        self.xen_wmb = lambda: side.hook(3)


class Both:
    """The same page and halves in C and in Python."""

    def __init__(self, library: Any, ring: Ring, dice: random.Random) -> None:
        self.library, self.ring, self.dice = library, ring, dice
        size = ring.page_size
        self.header = ring.classes["back"].first_entry
        self.c, self.python = Side(size), Side(size)
        self.c_page = (ctypes.c_char * size).from_buffer(self.c.page)
        self.c.page[:] = self.python.page[:] = dice.randbytes(size)
        self.structs = {side: struct() for side, struct in ring.structs.items()}
        self.halves = {
            side: cls(self.python.page, barriers=Hooked(self.python))
            for side, cls in ring.classes.items()
        }
        self.pages = {side: half.sring for side, half in self.halves.items()}
        members = [member.type for member in ring.entry._members_]
        self.c_records = {"req": members[0](), "rsp": members[-1]()}
        self.records = {"req": members[0](), "rsp": members[-1]()}
        for function in ring.operations:
            getattr(library, "_".join(function)).restype = ctypes.c_uint64
        self.reset(*self.structs)

    def reset(self, *sides: str) -> None:
        """Put both into one random state: the page's indices, and these halves."""
        dice = self.dice
        self.c.page[: self.header] = self.python.page[: self.header] = dice.randbytes(
            self.header
        )
        for place in range(4):
            self.c.words[place] = self.python.words[place] = near(dice)
        for side in sides:
            for name in PRIVATE:
                if hasattr(self.structs[side], name):
                    # Now and then all was taken, which random indices would never say.
                    self.set(side, name, dice.choice([*self.c.words[:4], near(dice)]))
            self.set(side, "nr_ents", dice.randint(1, ENTRIES))
            self.map(side, is_mapped=True)

    def set(self, side: str, name: str, value: int) -> None:
        """Give a private member of a half's a value, in C and in Python."""
        setattr(self.structs[side], name, value)
        setattr(self.halves[side], name, value)

    def map(self, side: str, *, is_mapped: bool) -> None:
        """Have both halves know where the page is, or neither."""
        struct, address = self.structs[side], ctypes.addressof(self.c_page)
        struct.sring = ctypes.cast(address * is_mapped, type(struct.sring))
        self.halves[side].sring = self.pages[side] if is_mapped else None

    def any_script(self) -> list[tuple[int, int]]:
        """Steps of the other side that write the indices of the page."""
        return [
            (self.dice.randrange(4), self.dice.getrandbits(29) * 3) for _ in range(64)
        ]

    def size(self) -> int:
        """A number of bytes: of a page, or of any magnitude up to 4 GiB."""
        dice = self.dice
        return dice.choice(
            [
                dice.randint(self.header, self.ring.page_size),
                dice.getrandbits(dice.randint(1, 32)),
            ]
        )

    def index(self, side: str) -> int:
        """An argument: any index, or one about a ring's length from a private one."""
        dice, struct = self.dice, self.structs.get(side, self.structs["front"])
        base: int = getattr(
            struct, dice.choice([n for n in PRIVATE if hasattr(struct, n)])
        )
        about: int = (base + struct.nr_ents + dice.randint(-2, 2)) & U32
        return dice.choice([about, near(dice)])

    def numbers(self, key: Key, size: Callable[[], int]) -> list[int]:
        """Plain arguments of a macro, of which `size` makes a number of bytes."""
        roles = self.ring.operations[key].roles
        made = [self.index(key[0]) for role in roles if role == Role.INDEX]
        return [*made[:-1], size()] if key[1] in SIZED and made else made

    def run(
        self, key: Key, numbers: Sequence[int], script: list[tuple[int, int]]
    ) -> int:
        """Call a macro on both sides, hold all that either sees against the other's, and
        give what it gives.
        """
        self.c.script = self.python.script = script
        self.python.trace.clear()
        before = bytes(self.c.page[:64]), key, numbers
        c, python = self.run_c(key, numbers), self.run_python(key, numbers)
        operation = self.ring.operations[key]
        if operation.returns != Returns.NOTHING or Role.RESULT in operation.roles:
            assert python == c, before
        assert self.python.trace == self.c.trace, before
        assert self.python_state() == self.c_state(), before
        # Two views are compared a byte at a time, which takes longer than all the rest.
        assert bytes(self.python.page) == bytes(self.c.page), before
        for kind, record in self.records.items():
            assert bytes(record) == bytes(self.c_records[kind]), before
        return python

    def run_c(self, key: Key, numbers: Sequence[int]) -> int:
        script = (ctypes.c_uint32 * 128)(*itertools.chain(*self.c.script))
        self.library.begin(self.c_page, script)
        half = self.structs.get(key[0], self.structs["front"])
        record = self.c_records[_kind(key)]
        result: int = getattr(self.library, "_".join(key))(
            *(ctypes.byref(half), self.c_page, ctypes.byref(record)),
            (ctypes.c_uint32 * 4)(*numbers),
        )
        seen = (ctypes.c_uint32 * 5 * 64)()
        count = self.library.end(seen)
        self.c.trace = [list(row) for row in seen[:count]]
        return result

    def run_python(self, key: Key, numbers: Sequence[int]) -> int:
        side, name = key
        page = self.pages[side if side in self.pages else "front"]
        left = iter(numbers)
        others = {Role.PAGE: page, Role.RECORD: self.records[_kind(key)]}
        arguments = [
            others[each.role] if each.role in others else next(left)
            for each in self.ring.operations[key].parameters
        ]
        owner = self.halves.get(side, page)
        result: Any = getattr(owner, name)(*arguments)
        if isinstance(result, ctypes.Structure | ctypes.Union):
            return ctypes.addressof(result) - int(page.address)
        return int(result or 0)

    def c_state(self) -> list[object]:
        at = ctypes.addressof(self.c_page)
        return [
            (ctypes.cast(struct.sring, ctypes.c_void_p).value == at, *_private(struct))
            for struct in self.structs.values()
        ]

    def python_state(self) -> list[object]:
        return [
            (half.sring is self.pages[side], *_private(half))
            for side, half in self.halves.items()
        ]


def _private(half: Any) -> Iterator[int]:
    for name in (*PRIVATE, "nr_ents"):
        if hasattr(half, name):
            yield getattr(half, name)


def _kind(key: Key) -> str:
    """The member of an entry that a macro's record is of."""
    return "rsp" if key[1].endswith("response") else "req"


def compare(library: Any, ring: Ring, key: Key, states: int) -> None:
    """Run one macro on both sides, from the same random states."""
    dice = random.Random(f"{ring.name} {key}")
    both = Both(library, ring, dice)
    takes_page = any(each.role == Role.PAGE for each in ring.operations[key].parameters)
    sides = [side for side in both.structs if side == key[0]]
    for _ in range(states):
        both.reset(*sides or ["front"])
        if takes_page:
            both.map(key[0], is_mapped=False)
        both.run(key, both.numbers(key, both.size), both.any_script())


def trace(library: Any, ring: Ring, steps: int) -> None:
    """Have both halves live through random steps, one after the other, in C and in Python.

    Macros follow each other on what the ones before have left, private indices move on, entries
    are written, and now and then the other side writes an index that it should not.
    """
    dice = random.Random(ring.name)
    both = Both(library, ring, dice)
    first_size = both.header + ctypes.sizeof(ring.entry)
    begins = [key for key in ring.operations if key[1] in SIZED or key[0] == "page"]
    usual = [key for key in ring.operations if key not in begins]
    for step in range(steps):
        keys = begins if step % 50 == 0 else usual
        key = dice.choice(keys)
        words = range(4, ring.page_size // 4) if dice.randrange(8) else range(4)
        script = [(dice.choice(words), near(dice)) for _ in range(64)]
        size = both.numbers(key, lambda: dice.randint(first_size, ring.page_size))
        found = both.run(key, size, script)
        if key[1] in ("get_request", "get_response"):
            octets = dice.randbytes(ctypes.sizeof(both.records[_kind(key)]))
            for side in (both.c, both.python):
                side.page[found : found + len(octets)] = octets
        elif step % 3 == 0:
            half = dice.choice([*both.structs])
            name = dice.choice([n for n in PRIVATE if hasattr(both.structs[half], n)])
            moved = getattr(both.structs[half], name) + dice.randint(0, ENTRIES)
            both.set(half, name, moved & U32)
