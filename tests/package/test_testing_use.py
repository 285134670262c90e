"""How a Xen that is played is used, and what it says to who uses it wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from xen_vm_event import UnknownVersion, interface_for_xen
from xen_vm_event.monitor import Monitor, Xen
from xen_vm_event.testing import (
    RELEASES,
    Instruction,
    PlayedXen,
    PlayXen,
    Vcpu,
    access,
    cpuid,
    descriptor_access,
    execute,
    guest_request,
    interrupt,
    io,
    mov_to_msr,
    played,
    privileged_call,
    read,
    write,
    write_cr3,
    write_ctrlreg,
)

# What is to be played may be of any type, since nothing checks the types of a user's test.
play: Any = played


# --- releases, architectures, domains -----------------------------------------------------


def test_a_release_may_be_given_in_full(play_xen: PlayXen) -> None:
    xen = play_xen("4.17.1")
    assert xen.release == "4.17"
    assert xen.vm_event is interface_for_xen("4.17")
    with Xen() as own:
        assert own.release == "4.17"


def test_no_such_release() -> None:
    with (
        pytest.raises(UnknownVersion, match=r"of Xen 9\.9: there are releases 4\.6, "),
        play("9.9"),
    ):
        pass


def test_a_number_is_no_release() -> None:
    with (
        pytest.raises(TypeError, match=r"a release is a string, as '4\.17', not 4\.2"),
        play(4.20),
    ):
        pass


def test_a_release_before_the_libraries_that_monitors_call() -> None:
    assert "4.6" not in RELEASES
    message = (
        "Xen 4.6 is not played: its event channels are in libxenctrl, where this package's"
        f" monitors do not look; there are {', '.join(RELEASES)}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"), play("4.6"):
        pass


def test_no_such_architecture() -> None:
    with (
        pytest.raises(ValueError, match=r"^riscv: one of x86_64, arm64$"),
        play("4.17", "riscv"),
    ):
        pass


def test_no_such_domain(played_xen: PlayedXen) -> None:
    with pytest.raises(LookupError, match=r"^no domain 3: there are 1, 2$"):
        played_xen.guests[3]


# --- vCPUs --------------------------------------------------------------------------------


def test_a_guest_has_as_many_vcpus_as_are_asked_for(play_xen: PlayXen) -> None:
    guest = play_xen(vcpus=9).guests[2]
    for vcpu in guest.vcpus:
        guest.script([guest_request()], vcpu.number)
    with Monitor(2, ["guest_request"]) as monitor:
        assert sorted(each.vcpu_id for each in monitor) == list(range(9))


@pytest.mark.parametrize("vcpus", [0, 129])
def test_no_guest_has_so_many_vcpus(vcpus: int) -> None:
    with (
        pytest.raises(ValueError, match=f"^vcpus is from 1 to 128, not {vcpus}$"),
        play(vcpus=vcpus),
    ):
        pass


@pytest.mark.parametrize("number", [2, -1])
def test_a_script_for_a_vcpu_that_there_is_not(
    played_xen: PlayedXen, number: int
) -> None:
    with pytest.raises(
        ValueError, match=f"^domain 1 has no vCPU {number}, but 2, from 0 on(;|$)"
    ):
        played_xen.guests[1].script([cpuid(1)], vcpu=number)


def test_it_says_how_to_have_more(played_xen: PlayedXen) -> None:
    with pytest.raises(ValueError, match=r"; with vcpus=5 there is one$"):
        played_xen.guests[1].script([cpuid(1)], vcpu=4)


def test_a_recording_of_a_vcpu_that_there_is_not(played_xen: PlayedXen) -> None:
    vm_event = played_xen.vm_event
    version = vm_event.VM_EVENT_INTERFACE_VERSION
    request = vm_event.vm_event_st(version=version, reason=11, vcpu_id=3)
    with pytest.raises(ValueError, match=r"^domain 1 has no vCPU 3, but 2"):
        played_xen.guests[1].replay([request])


def test_a_recording_is_replayed_whole_or_not_at_all(played_xen: PlayedXen) -> None:
    vm_event, guest = played_xen.vm_event, played_xen.guests[1]
    version = vm_event.VM_EVENT_INTERFACE_VERSION
    good, bad = (
        vm_event.vm_event_st(version=version, reason=11, vcpu_id=vcpu)
        for vcpu in (0, 3)
    )
    with pytest.raises(ValueError, match=r"^domain 1 has no vCPU 3, but 2"):
        guest.replay([good, bad])
    assert guest.is_done


def test_a_recording_of_another_version(played_xen: PlayedXen) -> None:
    version = played_xen.vm_event.VM_EVENT_INTERFACE_VERSION
    request = played_xen.vm_event.vm_event_st(version=version - 1)
    with pytest.raises(
        ValueError,
        match=f"^a request of version {version - 1} cannot be replayed by a Xen that speaks"
        f" {version}: play the release that it was recorded of$",
    ):
        played_xen.guests[1].replay([request])


def recorded_of(xen: PlayedXen, reason: str, **payload: int) -> Any:
    """A request, as one that was recorded of vCPU 0."""
    names = xen.vm_event
    request = names.vm_event_st(
        version=names.VM_EVENT_INTERFACE_VERSION,
        reason=names.VmEventReason[reason],
        flags=names.VM_EVENT_FLAG_VCPU_PAUSED,
    )
    for name, number in payload.items():
        setattr(request.payload, name, number)
    return request


def payload(request: Any) -> Any:
    """What a request says, to be looked at after its answer."""
    return request.payload.copy()


def test_a_recorded_access_is_reported_if_its_page_is_restricted(
    played_xen: PlayedXen,
) -> None:
    """As often as it was recorded, while it is: here until the first write."""
    guest = played_xen.guests[1]
    accesses = [("r", 0x40400), ("w", 0x40400), ("w", 0x40400), ("w", 0x40401)]
    guest.replay(
        recorded_of(played_xen, "MEM_ACCESS", gfn=gfn, flags="rwx".index(kind) + 1)
        for kind, gfn in accesses
    )
    with Monitor(1, []) as monitor:
        monitor.memory.restrict(0x40400, "r-x")
        seen = [payload(each) for each in monitor]
    assert [(each.gfn, each.flags) for each in seen] == [(0x40400, 2)]


@pytest.mark.parametrize("then", ["step", "emulate"])
def test_a_recorded_access_is_stepped_over(played_xen: PlayedXen, then: Any) -> None:
    guest = played_xen.guests[1]
    guest.replay(
        [recorded_of(played_xen, "MEM_ACCESS", gfn=5, flags=2) for _ in range(3)]
    )
    with Monitor(1, []) as monitor:
        monitor.memory.restrict(5, "r-x", then)
        assert len(list(monitor)) == 3


def test_a_recorded_write_is_reported_of_the_registers_that_are_on(
    played_xen: PlayedXen,
) -> None:
    guest, names = played_xen.guests[1], played_xen.vm_event
    guest.replay(
        [
            recorded_of(played_xen, "WRITE_CTRLREG", index=index, new_value=new)
            for index, new in [
                *((names.VM_EVENT_X86_CR3, 1), (names.VM_EVENT_X86_CR4, 2)),
                *((names.VM_EVENT_X86_CR4, 0), (99, 3)),
            ]
        ]
        + [recorded_of(played_xen, "MOV_TO_MSR", msr=msr) for msr in (0x174, 0x175)]
    )
    with Monitor(1, ["write_ctrlreg:cr4:onchange", "mov_to_msr:0x175"]) as monitor:
        seen = [payload(each) for each in monitor]
    assert [each.new_value for each in seen] == [2, 0]
    assert seen[1].msr == 0x175


def test_a_recorded_interrupt_is_reported_if_an_answer_asks_for_it(
    played_xen: PlayedXen,
) -> None:
    guest = played_xen.guests[1]
    reasons = ["INTERRUPT", "GUEST_REQUEST", "INTERRUPT", "INTERRUPT"]
    guest.replay(recorded_of(played_xen, reason) for reason in reasons)
    next_one = guest.flag("GET_NEXT_INTERRUPT")
    handlers = {"GUEST_REQUEST": lambda _: next_one}
    with Monitor(1, ["guest_request"], handlers) as monitor:
        seen = [monitor.reason(each) for each in monitor]
    assert seen == ["GUEST_REQUEST", "INTERRUPT"]


def test_a_recording_of_another_ring(played_xen: PlayedXen) -> None:
    request = recorded_of(played_xen, "MEM_PAGING")
    with pytest.raises(
        ValueError, match=r"^a request of MEM_PAGING cannot be replayed"
    ):
        played_xen.guests[1].replay([request])


def test_xen_knows_no_vcpu_beyond_them(played_xen: PlayedXen) -> None:
    with Xen() as xen:
        functions: Any = xen.functions
        with pytest.raises(OSError, match="Invalid argument"):
            functions.xc_domain_debug_control(xen.handle, 1, 0, 2)
        with pytest.raises(OSError, match="Invalid argument"):
            functions.xc_altp2m_get_vcpu_p2m_idx(xen.handle, 1, 2, None)


# --- scripts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (5, "a script is a list of instructions, or a generator, not 5"),
        (cpuid(1), "a script is a list of instructions, or a generator, not cpuid"),
        ([1], "a script is made of instructions such as cpuid(1), not 1"),
        (
            [guest_request],
            "a script is made of instructions such as cpuid(1), not"
            " <class 'xen_vm_event.testing.instructions.guest_request'>",
        ),
    ],
)
def test_what_is_no_script(played_xen: PlayedXen, script: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        played_xen.guests[1].script(script)


def test_what_a_generator_gives_is_looked_at_when_it_comes(
    played_xen: PlayedXen,
) -> None:
    def script(_: Vcpu) -> Iterator[Any]:
        yield cpuid(1)
        yield 7

    played_xen.guests[1].script(script)
    with (
        pytest.raises(TypeError, match=r"such as cpuid\(1\), not 7$"),
        Monitor(1, ["cpuid"]) as monitor,
    ):
        monitor.run()


@pytest.mark.parametrize(
    ("architecture", "instruction", "message"),
    [
        ("x86_64", privileged_call(), "privileged_call is no instruction of x86_64"),
        ("arm64", cpuid(1), "cpuid is no instruction of arm64, but of x86_64"),
        ("arm64", write_cr3(8), "write_ctrlreg is no instruction of arm64"),
    ],
)
def test_an_instruction_of_another_architecture(
    play_xen: PlayXen, architecture: str, instruction: Instruction, message: str
) -> None:
    guest = play_xen(architecture=architecture).guests[1]
    with pytest.raises(ValueError, match=f"^{message}"):
        guest.script([instruction])


# --- what instructions are given ----------------------------------------------------------

Wrong = tuple[Callable[..., Any], tuple[Any, ...], type[Exception], str]
BEYOND = 1 << 64
WRONG: list[Wrong] = [
    (cpuid, ("x",), TypeError, "cpuid: leaf is a number, not 'x'"),
    (cpuid, (1 << 32,), ValueError, "cpuid: leaf is 0 to 0xffffffff, not 0x100000000"),
    (cpuid, (1, -1), ValueError, "cpuid: subleaf is 0 to 0xffffffff, not -0x1"),
    (
        cpuid,
        (1, 0, (1, 2)),
        ValueError,
        "cpuid: result is rax, rbx, rcx, rdx, not (1, 2)",
    ),
    (
        *(cpuid, (1, 0, (0, 0, 0, 1 << 40)), ValueError),
        "cpuid: result is 0 to 0xffffffff, not 0x10000000000",
    ),
    (
        *(write_ctrlreg, ("CR9", 1), ValueError),
        "write_ctrlreg: register is one of CR0, CR3, CR4, XCR0, not 'CR9'",
    ),
    (
        *(write_cr3, (BEYOND,), ValueError),
        "write_ctrlreg: value is 0 to 0xffffffffffffffff, not 0x10000000000000000",
    ),
    (
        mov_to_msr,
        (1 << 32, 1),
        ValueError,
        "mov_to_msr: msr is 0 to 0xffffffff, not 0x1",
    ),
    (
        mov_to_msr,
        (1, -1),
        ValueError,
        "mov_to_msr: value is 0 to 0xffffffffffffffff, not -",
    ),
    (
        *(descriptor_access, ("CS",), ValueError),
        "descriptor_access: descriptor is one of GDTR, IDTR, LDTR, TR, not 'CS'",
    ),
    (io, (0x10000,), ValueError, "io: port is 0 to 0xffff, not 0x10000"),
    (io, (0x60, 3), ValueError, "io: size is one of 1, 2, 4, not 3"),
    (interrupt, (256,), ValueError, "interrupt: vector is 0 to 0xff, not 0x100"),
    (read, (-1,), ValueError, "read: address is 0 to 0xffffffffffffffff, not -0x1"),
    (read, ("x",), TypeError, "read: address is a number, not 'x'"),
    (
        write,
        (BEYOND, b"a"),
        ValueError,
        "write: address is 0 to 0xffffffffffffffff, not",
    ),
    (
        execute,
        (-1,),
        ValueError,
        "execute: address is 0 to 0xffffffffffffffff, not -0x1",
    ),
    (read, (0xFFF, 2), ValueError, "read: 2 bytes at 0xfff are not in one page"),
    (read, (0x1000, 0), ValueError, "read: 0 bytes at 0x1000 are not in one page"),
    (write, (0xFFE, b"abc"), ValueError, "write: 3 bytes at 0xffe are not in one page"),
    (write, (0, "ab"), TypeError, "write: octets are bytes, not 'ab'"),
    (write, (0, b""), ValueError, "write: there are no octets"),
    (access, (0, "q"), ValueError, "access: kind is one of r, w, x, not 'q'"),
]


@pytest.mark.parametrize(("make", "given", "error", "message"), WRONG)
def test_what_an_instruction_cannot_be_given(
    make: Callable[..., Any],
    given: tuple[Any, ...],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        make(*given)


def test_the_largest_that_an_instruction_can_be_given() -> None:
    most = (1 << 32) - 1
    cpuid(most, most, (most,) * 4)
    mov_to_msr(most, BEYOND - 1)
    io(0xFFFF, 4)
    interrupt(255)
    read(BEYOND - 8)
    write(0xFFC, b"abcd")
