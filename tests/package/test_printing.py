"""What `repr` and `help` show of records: what a monitor's author wants to read."""

from __future__ import annotations

import importlib
import os
import pydoc
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import PROJECT, tree, xenbind
from xen_vm_event import VERSIONS, interface, v7

HEADER = """\
#define OPT_LOW (1 << 0)
#define OPT_HIGH (1U << 31)
#define WIDE_LOW (1 << 0)
#define WIDE_TOP (1ULL << 63)
struct flagged {
    uint32_t options; /* OPT_* */
    int signed_options; /* OPT_* */
    uint64_t wide; /* WIDE_* */
};
struct address { uint32_t paddr, padlock, pad, _pad1, padding, __padding; };
struct point { int x, y; };
struct every {
    struct point point, points[2];
    uint16_t numbers[3], many[40];
    uint64_t words[2];
    int grid[2][3];
    char name[4], names[2][2], text[80], c;
    struct point *where; void *nowhere; struct every *next;
    double d; long double ld; float fs[2]; _Bool yes : 1; int bits : 3;
};
struct tight { char c; struct every every; uint64_t *p; int b : 5; } __attribute__((packed));
union small { uint32_t number; unsigned char bytes[4]; };
union large { struct every every; uint32_t number; };
struct holder { union small small; union large large; };
"""


@pytest.fixture(scope="module")
def py(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("printing")
    (folder / "spec.toml").write_text(
        '[interface]\nname = "printing"\npackage = "printing_package"\n'
        'header = "vm_event.h"\nneeds = ["stdint.h"]\n'
        '[names]\nOPT_ = "Opt"\nWIDE_ = "Wide"\n'
    )
    out: Path = folder / "out"
    made = xenbind(
        *("generate", "--spec", folder / "spec.toml"),
        *("--include", tree(folder / "headers", HEADER), "--out", out),
    )
    assert made.returncode == 0, made.stderr
    sys.path.insert(0, str(out))
    yield importlib.import_module("printing_package.v0")
    sys.path.remove(str(out))


def test_the_payload_that_the_reason_selects_is_shown() -> None:
    cpuid = v7.vm_event_cpuid(insn_length=2, leaf=3)
    request = v7.vm_event_st(version=7, reason=v7.VM_EVENT_REASON_CPUID)
    request.u.cpuid = cpuid
    assert repr(request) == (
        "vm_event_st(version=7, flags=0, reason=CPUID, vcpu_id=0, altp2m_idx=0, "
        "u=vm_event_st_u(cpuid=vm_event_cpuid(insn_length=2, leaf=3, subleaf=0)), "
        "data=vm_event_st_data(regs | emul))"
    )
    request.reason = v7.VM_EVENT_REASON_GUEST_REQUEST
    assert "u=vm_event_st_u()" in repr(request)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (1, "LOW"),
        (0x8000_0000, "HIGH"),
        (0x8000_0001, "LOW|HIGH"),
        (0x8000_0100, "HIGH|0x100"),
        (0x11, "LOW|0x10"),
    ],
)
def test_flags_are_shown_by_name(value: int, shown: str, py: ModuleType) -> None:
    record = py.flagged(value, value)
    assert repr(record) == f"flagged(options={shown}, signed_options={shown}, wide=0)"


def test_flags_of_64_bits_are_shown_by_name(py: ModuleType) -> None:
    record = py.flagged(wide=0x8000_0000_0000_0101)
    assert repr(record).endswith("wide=LOW|TOP|0x100)")


def test_padding_is_left_out(py: ModuleType) -> None:
    assert repr(py.address(1, 2, 3)) == "address(paddr=1, padlock=2)"


def test_nested_records_and_arrays_are_shown_in_full(py: ModuleType) -> None:
    record = py.every(
        point=py.point(1, -2),
        numbers=(1, 2, 3),
        many=tuple(range(40)),
        words=(16, 0),
        grid=((1, 2, 3), (4, 5, 6)),
        name=b"a\0b",
    )
    shown = repr(record)
    for part in (
        "point=point(x=1, y=-2), points=[point(x=0, y=0), point(x=0, y=0)]",
        "numbers=[1, 2, 3], many=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "
        "... 24 more]",
        "words=[0x10, 0x0], grid=[[1, 2, 3], [4, 5, 6]]",
        r"name=b'a\x00b\x00', names=[b'\x00\x00', b'\x00\x00']",
        "... 16 more, c=b'\\x00', where=0x0, nowhere=0x0, next=0x0, d=0.0, ld=0.0",
        "fs=[0.0, 0.0], yes=False, bits=0)",
    ):
        assert part in shown


def test_small_unions_show_all_and_large_ones_what_they_may_be(py: ModuleType) -> None:
    record = py.holder(small=py.small(number=258))
    assert repr(record) == (
        "holder(small=small(number=258, bytes=[2, 1, 0, 0]), large=large(every | number))"
    )


def classes(module: ModuleType) -> list[Any]:
    return [item for item in vars(module).values() if hasattr(item, "_members_")]


def test_every_record_prints(py: ModuleType) -> None:
    for module in [py, *map(interface, VERSIONS)]:
        for record in classes(module):
            if record.__name__ not in ("Structure", "Compound", "Union"):
                assert repr(record()).startswith(f"{record.__name__}(")


def test_help_shows_members_with_their_types_and_words(py: ModuleType) -> None:
    shown = pydoc.plain(pydoc.render_doc(v7.vm_event_x86_selector_reg))
    assert re.search(r"limit: uint32_t, 20 bits\n \|      Segment limit, in", shown)
    documented = py.every.__doc__ or ""
    for line in (
        "point: point",
        "grid: int[2][3]",
        "where: point *",
        "nowhere: void *",
    ):
        assert line in documented.split("\n\n")
    assert "flags: uint32_t, VmEventFlag\n    How the" in (v7.vm_event_st.__doc__ or "")


def test_the_words_of_a_union_are_there_in_a_process_of_its_own() -> None:
    """With what is freed overwritten, which an interpreter at work has elsewhere."""
    told = "from xen_vm_event import v7; print(v7.vm_event_sring_entry.__doc__)"
    ran = subprocess.run(
        [sys.executable, "-c", told],
        env={
            **os.environ,
            "PYTHONMALLOC": "debug",
            "PYTHONPATH": str(PROJECT / "generated"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    first, *members = ran.stdout.strip().split("\n\n")
    assert first == "union vm_event_sring_entry. Since Xen 4.6.", ran.stderr
    assert members == ["req: vm_event_st", "rsp: vm_event_st"]
