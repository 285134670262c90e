"""Every translated function of a flex ring against the same one compiled, on the same states.

Each runs on two copies of a ring's memory and of a packet, one in C and one in Python: what it
gives, and every byte of both, must agree afterwards.
"""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from flex_rings import KINDS, Kind, library, module, require_kind

U32 = 0xFFFF_FFFF
STATES = 4000  # of each function
MARGIN = 64  # bytes behind the memory, which nothing may touch


class Subject(NamedTuple):
    """The functions of a ring, translated and compiled."""

    functions: Any
    c: Any


def subject(kind: Kind, folder: Path) -> tuple[ModuleType, Subject]:
    made = module(kind, folder, f"flex_{uuid4().hex}")
    functions = getattr(made, f"{kind.prefix}FlexFunctions")
    return made, Subject(functions, library(kind, folder))


@pytest.fixture(scope="module", params=KINDS)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Subject:
    kind = KINDS[request.param]
    require_kind(kind)
    return subject(kind, tmp_path_factory.mktemp("flex"))[1]


def index(dice: random.Random) -> int:
    """A free-running index: around one of the places where 32-bit arithmetic turns, or any."""
    base = dice.choice([0, 1 << 31, 1 << 32, dice.getrandbits(32)])
    return (base + dice.choice([-1, 0, 1, dice.randint(-5000, 5000)])) & U32


def ring_size(dice: random.Random) -> int:
    """A power of two; the functions that only count do not mind one that no ring has."""
    return 1 << dice.randrange(32)


def check_mask(both: Subject, dice: random.Random) -> None:
    place = dice.choice([index, ring_size])(dice), dice.choice([index, ring_size])(dice)
    assert both.functions.mask(*place) == both.c.c_mask(*place), place


def check_queued(both: Subject, dice: random.Random) -> None:
    size = dice.choice([ring_size(dice), index(dice)])
    prod = index(dice)
    near = (
        prod - dice.choice([0, 1, size - 1, size, size + 1, dice.randrange(9)])
    ) & U32
    given = prod, dice.choice([near, index(dice)]), size
    assert both.functions.queued(*given) == both.c.c_queued(*given), given


def check_get_ring_ptr(both: Subject, dice: random.Random) -> None:
    size = 1 << dice.randrange(13)
    at = index(dice)
    octets = memoryview(bytearray(size + MARGIN))
    given = ctypes.create_string_buffer(size), at, size
    rest = both.functions.get_ring_ptr(octets, at, size)
    assert len(octets) - len(rest) == both.c.c_get_ring_ptr(*given), (at, size)


def check_ring_size(both: Subject, dice: random.Random) -> None:
    order = dice.randrange(52)  # more is none that C can shift by
    assert both.functions.ring_size(order) == both.c.c_ring_size(order), order


def state(dice: random.Random) -> tuple[int, int, int]:
    """A ring's size, and the indices of bytes that are in it."""
    size = 1 << dice.choice([*range(13), 17])
    cons = index(dice)
    queued = dice.choice(
        [0, size, dice.randint(0, size), dice.randint(0, min(size, 9))]
    )
    return size, (cons + queued) & U32, cons


def count(dice: random.Random, most: int, to_end: int) -> int:
    """A number of bytes: as many as there are, or what C makes of more, up to the margin."""
    few = min(most, dice.randrange(9))
    beyond = dice.choice([to_end, dice.randint(0, to_end + MARGIN)])
    return dice.choice([most, dice.randint(0, most), few, beyond])


def check_read_packet(both: Subject, dice: random.Random) -> None:
    size, prod, cons = state(dice)
    wanted = count(dice, (prod - cons) & U32, size - cons % size)
    octets, packet = dice.randbytes(size + MARGIN), dice.randbytes(wanted + MARGIN)
    place = wanted, prod % size, cons % size, size
    check_moved(both, "read_packet", (packet, octets), place)


def check_write_packet(both: Subject, dice: random.Random) -> None:
    size, prod, cons = state(dice)
    wanted = count(dice, size - ((prod - cons) & U32), size - prod % size)
    octets, packet = dice.randbytes(size + MARGIN), dice.randbytes(wanted + MARGIN)
    place = wanted, prod % size, cons % size, size
    check_moved(both, "write_packet", (octets, packet), place)


def check_moved(
    both: Subject, name: str, memory: tuple[bytes, bytes], place: tuple[int, ...]
) -> None:
    size, *rest = place
    in_python = [bytearray(each) for each in memory]
    in_c = [ctypes.create_string_buffer(each, len(each)) for each in memory]
    views = [memoryview(each) for each in in_python]
    given = getattr(both.functions, name)(*views, *place)
    assert given == getattr(both.c, f"c_{name}")(
        *in_c, ctypes.c_uint64(size), *rest
    ), place
    assert [bytes(each) for each in in_python] == [each.raw for each in in_c], place


CHECKS: dict[str, Callable[[Subject, random.Random], None]] = {
    name.removeprefix("check_"): check
    for name, check in globals().copy().items()
    if name.startswith("check_") and name != "check_moved"
}


def compare(both: Subject, name: str, states: int) -> None:
    """Run one function on both sides, from the same random states."""
    dice = random.Random(name)
    for _ in range(states):
        CHECKS[name](both, dice)


@pytest.mark.parametrize("name", CHECKS)
def test_a_function_does_the_same_in_python_as_in_c(both: Subject, name: str) -> None:
    compare(both, name, STATES)


def test_every_function_is_translated(both: Subject) -> None:
    own = {name for name in vars(both.functions) if not name.startswith("_")}
    assert own == set(CHECKS)
