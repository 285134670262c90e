"""What a ring does with flags and versions: as the spec says, and in records of any kind."""

from __future__ import annotations

import importlib
import itertools
import mmap
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest
from support import PROJECT, xenbind
from xen_vm_event import OtherVersion, columns, dtype, interface, raw, v6, v7
from xen_vm_event.runtime.barriers import Barriers

PAUSED = v7.VmEventFlag.VCPU_PAUSED
EMULATE = v7.VmEventFlag.EMULATE
DENY = v7.VmEventFlag.DENY


class Rings:
    """Both halves on one page."""

    def __init__(self, module: Any = v7, prefix: str = "", size: int = 4096) -> None:
        self.page = bytearray(size)
        self.front = getattr(module, f"{prefix}FrontRing")(self.page)
        self.back = getattr(module, f"{prefix}BackRing")(self.page)

    def ask(self, *requests: Any) -> None:
        for request in requests:
            self.front.send(request)
        self.front.push_requests()

    def take(self, *requests: Any) -> list[Any]:
        self.ask(*requests)
        return list(self.back.requests())

    def answers(self) -> list[Any]:
        self.back.push_responses()
        return list(self.front.responses())


def event(flags: int = PAUSED, version: int = 7) -> v7.vm_event_st:
    return v7.vm_event_st(version=version, flags=flags)


def whole(rings: Rings, asked: int, **how: Any) -> int:
    """The flags of the answer to a request with these flags."""
    (request,) = rings.take(event(asked))
    rings.back.respond(request, **how)
    (answer,) = rings.answers()
    return int(answer.flags)


def selected(rings: Rings, asked: int, **how: Any) -> int:
    rings.ask(event(asked))
    chosen = rings.back.select("reason")
    assert list(chosen) == [(0,)]
    chosen.respond(**how)
    (answer,) = rings.answers()
    return int(answer.flags)


# A vCPU that waits is let go unless it is held.


@pytest.mark.parametrize("answer", [whole, selected])
@pytest.mark.parametrize(
    "asked, how, expected",
    [
        (PAUSED, {}, PAUSED),
        (PAUSED, {"flags": 0}, PAUSED),
        (PAUSED, {"flags": EMULATE}, PAUSED | EMULATE),
        (PAUSED, {"flags": PAUSED | EMULATE}, PAUSED | EMULATE),
        (PAUSED, {"flags": 1 << 32 | DENY}, PAUSED | DENY),
        (PAUSED, {"hold": True}, 0),
        (PAUSED | DENY, {"hold": True}, DENY),
        (PAUSED, {"flags": EMULATE, "hold": True}, EMULATE),
        (PAUSED, {"flags": PAUSED | EMULATE, "hold": True}, EMULATE),
        (0, {}, 0),
        (0, {"flags": 0}, 0),
        (0, {"flags": EMULATE}, EMULATE),
        (0, {"flags": PAUSED}, PAUSED),
        (DENY, {"flags": EMULATE}, EMULATE),
    ],
)
def test_what_waits_goes_on_unless_it_is_held(
    answer: Callable[..., int], asked: int, how: dict[str, Any], expected: int
) -> None:
    rings = Rings()
    for _ in range(3):  # flags that were given before are taken a shorter way
        assert answer(rings, asked, **how) == expected
        assert answer(rings, PAUSED, flags=PAUSED | EMULATE) == PAUSED | EMULATE


@pytest.mark.parametrize("answer", [whole, selected])
@pytest.mark.parametrize("flags", [0, EMULATE, PAUSED, PAUSED | EMULATE])
def test_the_same_flags_again_keep_what_each_request_has(
    answer: Callable[..., int], flags: int
) -> None:
    rings = Rings()
    for asked in (PAUSED, 0, PAUSED | DENY, DENY):
        assert answer(rings, asked, flags=flags) == flags | asked & PAUSED
    assert answer(rings, PAUSED, flags=flags, hold=True) == flags & ~PAUSED
    assert answer(rings, PAUSED, flags=flags) == flags | PAUSED


def test_flags_that_are_forgotten_in_the_request_itself() -> None:
    rings = Rings()
    (request,) = rings.take(event())
    request.flags = EMULATE
    rings.back.respond(request)
    assert [answer.flags for answer in rings.answers()] == [PAUSED | EMULATE]


def test_a_response_that_is_given_lets_the_vcpu_go_too() -> None:
    rings = Rings()
    for hold, flags in ((False, PAUSED | EMULATE), (True, EMULATE)):
        (request,) = rings.take(event())
        response = event(EMULATE)
        rings.back.respond(request, hold=hold, response=response)
        assert [answer.flags for answer in rings.answers()] == [flags]
        assert response.flags == EMULATE


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_each_answer_has_its_own_request_s_flag_in_any_order(order: Any) -> None:
    rings = Rings()
    asked = [PAUSED, 0, 0, PAUSED]
    taken = rings.take(*map(event, asked))
    for place in order[:2]:
        rings.back.respond(taken[place], flags=EMULATE)
    # The answers come back and their entries are used again, while two still wait.
    answers = rings.answers()
    more = rings.take(*[event(0)] * 6)
    for place in order[2:]:
        taken[place].flags = EMULATE
        rings.back.respond(taken[place])
    for request in more:
        rings.back.respond(request, flags=EMULATE)
    answers += rings.answers()
    expected = [asked[place] | EMULATE for place in order] + [EMULATE] * 6
    assert [answer.flags for answer in answers] == expected


# Requests of another version are told before they are taken.


def test_a_taken_request_is_looked_at_as_any_other_record() -> None:
    """Its class is one of the ring's own, with the same members in the same places."""
    rings = Rings()
    asked = v7.vm_event_st(version=7, reason=v7.VmEventReason.CPUID, flags=PAUSED)
    asked.u.cpuid.leaf = 0x8000_0002
    (taken,) = rings.take(asked)
    assert bytes(raw(taken, "u.cpuid")) == bytes(raw(asked, "u.cpuid"))
    raw(taken, "u.cpuid.leaf")[:] = b"\1\0\0\0"
    assert taken.u.cpuid.leaf == 1
    of_ring: type[v7.vm_event_st] = type(taken)
    assert dtype(of_ring) == dtype(v7.vm_event_st)
    array = numpy.frombuffer(bytes(taken), dtype(of_ring))
    path = "data.regs.x86.cs.limit"
    (limit,) = columns(array, of_ring, path)[path]
    assert limit == taken.data.regs.x86.cs.limit


def test_a_request_of_another_version_is_not_given_out() -> None:
    rings = Rings()
    rings.ask(event(), event(version=6))
    iteration = rings.back.requests()
    rings.back.respond(next(iteration))
    with pytest.raises(OtherVersion) as told:
        next(iteration)
    assert (told.value.theirs, told.value.ours) == (6, 7)
    assert str(told.value) == (
        "the request is of version 6, and this module of 7: use interface(6), or take it"
        " unread with any_version=True"
    )
    assert (rings.back.req_cons, rings.back.unanswered()) == (1, [])


@pytest.mark.parametrize(
    "paths", [(), ("reason",), ("version",), ("reason", "version")]
)
def test_a_selection_does_not_give_it_out_either(paths: tuple[str, ...]) -> None:
    values = {"reason": 0, "version": 7}
    rings = Rings()
    rings.ask(event(), event(version=6))
    chosen = rings.back.select(*paths)
    iteration = iter(chosen)
    assert next(iteration) == tuple(values[path] for path in paths)
    with pytest.raises(OtherVersion, match="of version 6, and this module of 7"):
        next(iteration)
    assert rings.back.req_cons == 1
    chosen.respond(flags=EMULATE)
    unread = rings.back.select("flags", "version", any_version=True)
    assert list(unread) == [(PAUSED, 6)]
    unread.respond()
    assert [answer.flags for answer in rings.answers()] == [PAUSED | EMULATE, PAUSED]


def test_it_can_be_answered_as_it_is() -> None:
    rings = Rings()
    rings.ask(event(PAUSED | DENY, version=6))
    with pytest.raises(OtherVersion):
        list(rings.back.requests())
    for request in rings.back.requests(any_version=True):
        rings.back.respond(request)
    assert [(a.version, a.flags) for a in rings.answers()] == [(6, PAUSED | DENY)]


def test_the_right_module_goes_on_with_it() -> None:
    page = bytearray(4096)
    front = v6.FrontRing(page)
    front.send(v6.vm_event_st(version=6, vcpu_id=3))
    front.push_requests()
    with v7.BackRing(page) as back, pytest.raises(OtherVersion) as told:
        list(back.requests())
    with interface(told.value.theirs).BackRing(page) as back:
        assert [request.vcpu_id for request in back.requests()] == [3]


# Requests that come meanwhile.


@pytest.mark.parametrize("start", [0, 0xFFFF_FFFE])
@pytest.mark.parametrize("form", ["whole", "selected"])
def test_a_request_that_comes_while_the_next_is_asked_for_is_taken(
    start: int, form: str
) -> None:
    page = bytearray(4096)
    front = v7.FrontRing(page, start)
    late = iter([7, 8])

    def xen_mb() -> None:
        """The front half publishes the next, as the back half has looked and not asked yet."""
        for vcpu in itertools.islice(late, 1):
            front.send(v7.vm_event_st(version=7, vcpu_id=vcpu))
            front.push_requests()

    def nothing() -> None: ...

    back = v7.BackRing(page, start, Barriers(xen_mb, nothing, nothing))
    back.sring.words[0] = back.sring.words[2] = start
    taken = (
        [request.vcpu_id for request in back.requests()]
        if form == "whole"
        else [vcpu for vcpu, in back.select("vcpu_id")]
    )
    assert taken == [7, 8]
    asked = back.sring.words[back.sring.req_event]
    assert asked == (start + 3) & 0xFFFF_FFFF  # the one after both


@pytest.mark.parametrize("ask", [False, True])
def test_what_a_loop_within_leaves_is_taken_by_the_outer_one(ask: bool) -> None:
    rings = Rings()
    rings.ask(*(v7.vm_event_st(version=7, vcpu_id=number) for number in range(4)))
    taken = []
    for request in rings.back.requests(ask=ask):
        taken.append(request.vcpu_id)
        for inner in rings.back.requests(ask=ask):
            taken.append(inner.vcpu_id)
            break
    assert taken == [0, 1, 2, 3]


def test_who_is_told_of_every_request_need_not_ask_for_the_next() -> None:
    rings = Rings()
    rings.ask(event(), event())
    asked = rings.back.sring.words[rings.back.sring.req_event]
    taken = list(rings.back.requests(ask=False))
    assert len(taken) == 2
    assert rings.back.sring.words[rings.back.sring.req_event] == asked
    assert list(rings.back.requests(ask=False)) == []
    rings.ask(event())
    assert len(list(rings.back.requests(ask=False))) == 1


def test_every_request_is_none_when_there_is_none_and_then_looks_again() -> None:
    rings = Rings()
    rings.ask(event())
    taken = rings.back.every_request()
    assert next(taken) is not None
    assert next(taken) is None
    assert next(taken) is None
    rings.ask(event(), event())
    assert [next(taken) is None for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize("flags", [0, 1, 4, v7.VM_EVENT_FLAG_SET_REGISTERS])
@pytest.mark.parametrize("paused", [0, v7.VM_EVENT_FLAG_VCPU_PAUSED])
def test_flags_that_are_sent_answer_a_request_as_respond_does(
    flags: int, paused: int
) -> None:
    answers = []
    for is_sent in (True, False):
        rings = Rings()
        rings.ask(event(flags=paused))
        taken = rings.back.every_request()
        request = next(taken)
        assert request is not None
        request.reason = 99
        if is_sent:
            taken.send(flags)
        else:
            rings.back.respond(request, flags)
        rings.back.push_responses()
        answers.append([bytes(each) for each in rings.front.responses()])
        assert not rings.back.unanswered()
    assert answers[0] == answers[1] != []


def test_flags_that_are_sent_answer_a_request_out_of_turn() -> None:
    rings = Rings()
    rings.ask(*(v7.vm_event_st(version=7, vcpu_id=number) for number in (1, 2)))
    taken = rings.back.every_request()
    first, second = next(taken), next(taken)
    assert first is not None and second is not None
    taken.send(5)
    rings.back.respond(first, 4)
    rings.back.push_responses()
    answers = [(each.vcpu_id, each.flags) for each in rings.front.responses()]
    assert answers == [(2, 5), (1, 4)]


def test_flags_that_are_sent_for_a_request_that_was_answered_are_refused() -> None:
    rings = Rings()
    rings.ask(event())
    taken = rings.back.every_request()
    request = next(taken)
    assert request is not None
    rings.back.respond(request, 0)
    with pytest.raises(ValueError, match="does not wait for an answer"):
        taken.send(0)


# Where a ring begins.


@pytest.mark.parametrize("start", [1 << 32, -1, -(1 << 33) - 5, (1 << 32) + 7])
def test_an_index_to_start_at_wraps_as_in_c(start: int) -> None:
    page = bytearray(4096)
    front, back = v7.FrontRing(page, start), v7.BackRing(page, start)
    assert front.req_prod_pvt == front.rsp_cons == start & 0xFFFF_FFFF
    assert back.rsp_prod_pvt == back.req_cons == start & 0xFFFF_FFFF
    words = memoryview(page).cast("I")
    words[0] = words[2] = start & 0xFFFF_FFFF
    front.send(event())
    front.push_requests()
    for request in back.requests():
        back.respond(request)
    back.push_responses()
    assert len(list(front.responses())) == 1


# Another interface.

HEADER = """\
#include "io/ring.h"
#define DISK_VERSION 3
#define DISK_WAITS 0x8000000000000000
#define DISK_LAST 2
struct __attribute__((packed)) small { uint8_t id; uint8_t flags; };
struct __attribute__((packed)) odd { uint8_t id; uint32_t flags; uint16_t tail; };
struct wide { uint8_t kind; uint16_t protocol; uint64_t state; } __attribute__((aligned(128)));
struct bits { uint32_t low : 7; uint32_t flags : 9; uint32_t high : 16; };
struct none { uint8_t flag; uint32_t flags[2]; };
struct question { uint32_t version; uint32_t flags; };
struct answer { uint16_t status; };
DEFINE_RING_TYPES(small, struct small, struct small);
DEFINE_RING_TYPES(odd, struct odd, struct odd);
DEFINE_RING_TYPES(wide, struct wide, struct wide);
DEFINE_RING_TYPES(bits, struct bits, struct bits);
DEFINE_RING_TYPES(none, struct none, struct none);
DEFINE_RING_TYPES(disk, struct question, struct answer);
DEFINE_RING_TYPES(plain, struct question, struct question);
"""
SPEC = """\
[interface]
name = "disk"
package = "random_rings"
header = "disk.h"
version_macro = "DISK_VERSION"
needs = ["stdint.h", "stddef.h", "string.h"]

[ring.wide]
flags = "state"
keep = ["DISK_WAITS", "DISK_LAST"]
version = "protocol"

[ring.disk]
version = "version"

[[version]]
number = 3
directory = "."
"""


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    folder = tmp_path_factory.mktemp("rings")
    headers = folder / "headers"
    shutil.copytree(PROJECT / "headers" / "io", headers / "io")
    (headers / "disk.h").write_text(HEADER)
    (headers / "disk.toml").write_text(SPEC)
    made = generate(folder)
    assert made.returncode == 0, made.stderr
    sys.path.insert(0, str(folder / "out"))
    return importlib.import_module("random_rings.v3")


def generate(folder: Path) -> Any:
    spec = folder / "headers" / "disk.toml"
    return xenbind("generate", "--spec", spec, "--out", folder / "out", CC="gcc")


@pytest.mark.parametrize(
    "name, flags, expected",
    [
        ("small", 0x1FF, 0xFF),
        ("odd", 0x1_8765_4321, 0x8765_4321),
        ("bits", 0x3FF, 0x1FF),
    ],
)
def test_flags_are_written_where_they_are_and_nowhere_else(
    disk: ModuleType, name: str, flags: int, expected: int
) -> None:
    rings = Rings(disk, name.title())
    record = getattr(disk, name)
    asked = record.from_buffer_copy(bytes(range(101, 101 + len(bytes(record())))))
    for request in rings.take(*[asked] * 4):
        rings.back.respond(request, flags=flags)
    rings.ask(*[asked] * 4)
    chosen = rings.back.select()
    for _ in chosen:
        chosen.respond(flags=flags)
    wanted = asked.copy()
    wanted.flags = flags
    assert wanted.flags == expected
    assert [bytes(answer) for answer in rings.answers()] == [bytes(wanted)] * 8


def test_a_ring_does_with_flags_and_versions_what_its_spec_says(
    disk: ModuleType,
) -> None:
    rings = Rings(disk, "Wide")
    waits = disk.DISK_WAITS
    for asked, how, flags in (
        (waits | 2, {"flags": 1}, waits | 3),
        (waits | 4, {"flags": 1}, waits | 1),
        (waits | 2, {"flags": 1, "hold": True}, 1),
        (waits | 6, {"hold": True}, 4),
        (0, {"flags": (1 << 64) + 8}, 8),
    ):
        (request,) = rings.take(disk.wide(protocol=3, state=asked, kind=9))
        rings.back.respond(request, **how)
        (answer,) = rings.answers()
        assert (answer.state, answer.kind, answer.protocol) == (flags, 9, 3)
    rings.ask(disk.wide(protocol=4))
    with pytest.raises(RuntimeError, match="of version 4, and this module of 3"):
        rings.take()


def test_entries_are_where_c_has_them(disk: ModuleType) -> None:
    rings = Rings(disk, "Wide")
    rings.ask(disk.wide(kind=5, protocol=3), disk.wide(kind=6, protocol=3))
    assert (rings.page[128], rings.page[256]) == (5, 6)
    assert rings.back.ring_size() == 16  # of the 31 that fit
    assert Rings(disk, "Small").back.ring_size() == 1024
    with pytest.raises(ValueError, match="room for an entry"):
        Rings(disk, "Wide", 255)


def test_what_no_spec_speaks_of_is_like_any_other_member(disk: ModuleType) -> None:
    rings = Rings(disk, "Plain")
    (request,) = rings.take(disk.question(version=77, flags=1))
    rings.back.respond(request, flags=4)
    assert [(a.version, a.flags) for a in rings.answers()] == [(77, 4)]
    (request,) = rings.take(disk.question())
    with pytest.raises(TypeError, match="keep no flags, and so hold nothing"):
        rings.back.respond(request, hold=True)
    rings.back.respond(request)
    rings.ask(disk.question())
    chosen = rings.back.select()
    assert list(chosen) == [()]
    with pytest.raises(TypeError, match="keep no flags, and so hold nothing"):
        chosen.respond(hold=True)


def test_a_ring_whose_responses_are_others_can_have_a_version(
    disk: ModuleType,
) -> None:
    rings = Rings(disk)
    rings.ask(disk.question(version=3), disk.question(version=2))
    iteration = rings.back.requests()
    request = next(iteration)
    with pytest.raises(TypeError, match="hold nothing"):
        rings.back.respond(request, hold=True, response=disk.answer(status=5))
    rings.back.respond(request, response=disk.answer(status=5))
    with pytest.raises(RuntimeError, match="of version 2, and this module of 3"):
        next(iteration)
    assert [answer.status for answer in rings.answers()] == [5]


def test_records_without_flags_have_none_to_set(disk: ModuleType) -> None:
    rings = Rings(disk, "None")
    (request,) = rings.take(disk.none())
    with pytest.raises(TypeError, match="the records of this ring have no flags"):
        rings.back.respond(request, flags=1)
    rings.back.respond(request)
    rings.ask(disk.none())
    chosen = rings.back.select()
    assert list(chosen) == [()]
    with pytest.raises(TypeError, match="the records of this ring have no flags"):
        chosen.respond(flags=1)
    chosen.respond()
    assert len(rings.answers()) == 2


@pytest.mark.parametrize("name", ["Small", "Bits", "Wide", "None", "Plain"])
def test_a_page_can_be_closed_whatever_its_records_are(
    disk: ModuleType, name: str
) -> None:
    page = mmap.mmap(-1, 4096)
    with getattr(disk, f"{name}BackRing")(page) as ring:
        selection = ring.select()
        assert list(selection) == list(ring.requests()) == []
    page.close()


@pytest.mark.parametrize("flags", ["1", 1.0, [1], b"1"])
@pytest.mark.parametrize("name", ["Small", "Bits", "Plain"])
def test_flags_that_are_no_number_leave_the_request_waiting(
    disk: ModuleType, name: str, flags: Any
) -> None:
    rings = Rings(disk, name)
    record = {"Small": "small", "Bits": "bits", "Plain": "question"}[name]
    taken = rings.take(getattr(disk, record)())
    with pytest.raises(TypeError):
        rings.back.respond(taken[0], flags=flags)
    assert rings.back.unanswered() == taken


def test_a_ring_that_no_version_has_is_told(tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    shutil.copytree(PROJECT / "headers" / "io", headers / "io")
    (headers / "disk.h").write_text(HEADER)
    (headers / "disk.toml").write_text(SPEC.replace("[ring.disk]", "[ring.dsik]"))
    made = generate(tmp_path)
    assert made.returncode == 1
    assert made.stderr == (
        f"{headers}/disk.toml:13:2: error: no version of disk has a ring 'dsik'\n"
        "  [ring.dsik]\n"
        "   ^\n"
        "  help: name a ring as DEFINE_RING_TYPES does: bits, disk, none, odd, plain,"
        " small, wide\n"
    )


def test_cells_are_members_of_the_request() -> None:
    rings = Rings()
    paths = {"reason": 6, "data.regs.x86.rip": 2**64 - 4, "u.cpuid.leaf": 0x4000_0000}
    rings.back.keep_cells(*paths, "data.regs.x86.none", "reason.none", "u.none.leaf")
    request = event()
    request.reason, request.data.regs.x86.rip, request.u.cpuid.leaf = paths.values()
    (taken,) = rings.take(request)
    cells = taken._copy_.cells
    assert [cell and cell[0] for cell in cells.values()] == [
        *paths.values(),
        *[None] * 3,
    ]
    cells["data.regs.x86.rip"][0] = 5
    rings.back.respond(taken)
    (answer,) = rings.answers()
    assert (taken.data.regs.x86.rip, answer.data.regs.x86.rip) == (5, 5)
