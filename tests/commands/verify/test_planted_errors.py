"""An error planted in a generated package, of every kind: `verify` tells it, or the package's
own tests do, by themselves.  Each case says which of the two, and the facts that `verify` tells.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from support import PROJECT, own_tests, xenbind

HEADER = """\
#include "io/ring.h"
#define DISK_VENDOR "Xen\\0disk"
#define DISK_KIND_READ 1
#define DISK_KIND_WRITE 2
#define DISK_FLAG_SYNC (1 << 0)
#define DISK_FLAG_LAST (1 << 1)
enum disk_state { DISK_STATE_OFF, DISK_STATE_ON = 5, DISK_STATE_BAD = -1 };
struct disk_read { uint64_t sector; };
typedef uint16_t disk_grid_t[2][3];
struct disk_write { uint64_t sector; };
struct disk_request {
    uint32_t kind;      /* DISK_KIND_* */
    uint8_t flags;      /* DISK_FLAG_* */
    uint8_t more_flags; /* DISK_FLAG_* */
    int8_t priority;
    char name[8];
    float share;
    _Bool urgent;
    enum disk_state state;
    uint16_t low : 5, high : 11;
    uint16_t grid[2][3];
    void *cookie;
    uint32_t *words;
    struct disk_read before;
    union { struct disk_read read; struct disk_write write; } u;
};
struct disk_response { uint64_t id; int16_t status; };
DEFINE_RING_TYPES(disk, struct disk_request, struct disk_response);
DEFINE_RING_TYPES(tape, struct disk_response, struct disk_response);
"""

SPEC = """\
[interface]
name = "disk"
package = "disk"
header = "disk.h"
needs = ["stdint.h", "stddef.h", "string.h"]

[payload]
record = "struct disk_request"
tag = "kind"
union = "u"
prefix = "DISK_KIND_"

[ring.tape]
flags = "status"
keep = ["DISK_FLAG_LAST"]
"""

VERIFY, TESTS = "verify", "the package's tests"
BOTH = (VERIFY, TESTS)
REQUEST = "struct disk_request"
# What is put in place of what (a pattern), who tells it, and the facts that are wrong then.
PLANTED = {
    "a string": (r'"Xen\\x00disk"', '"Xen"', BOTH, ["DISK_VENDOR value"]),
    "a string's last NUL": (r"x00disk", "x00disk\\\\0", BOTH, ["DISK_VENDOR value"]),
    "an enum member's value": (
        r"    ON = DISK_STATE_ON",
        "    ON = 6",
        BOTH,
        ["class DiskState.ON value"],
    ),
    "an enum member's sign": (
        r"    BAD = DISK_STATE_BAD",
        "    BAD = 2**64 - 1",
        BOTH,
        ["class DiskState.BAD negative"],
    ),
    "two enum members": (
        r"    READ = (\w+)(\W+)WRITE = (\w+)",
        r"    READ = \3\2WRITE = \1",
        BOTH,
        ["class DiskKind.READ value", "class DiskKind.WRITE value"],
    ),
    "an enum member's name": (
        r"    ON = ",
        "    UP = ",
        BOTH,
        ["class DiskState.ON value", "class DiskState.UP value"],
    ),
    "an enum member less": (
        r"    SYNC = .*",
        "",
        BOTH,
        ["class DiskFlag.SYNC value"],
    ),
    "the enum class of a member": (
        r"flags: Annotated\[uint8_t, DiskFlag\]",
        "flags: Annotated[uint8_t, DiskKind]",
        BOTH,
        ["class disk_request.flags values"],
    ),
    "a member without its enum class": (
        r"more_flags: Annotated\[uint8_t, DiskFlag\]",
        "more_flags: uint8_t",
        BOTH,
        ["class disk_request.more_flags values"],
    ),
    "flags that are values": (
        r"class DiskFlag\(IntFlag\)",
        "class DiskFlag(OpenEnum)",
        BOTH,
        ["class DiskFlag base"],
    ),
    "values that are flags": (
        r"class DiskKind\(OpenEnum\)",
        "class DiskKind(IntFlag)",
        BOTH,
        ["class DiskKind base"],
    ),
    "a row of the payload table": (
        r'DISK_KIND_READ: "read"',
        'DISK_KIND_READ: "write"',
        BOTH,
        ["class disk_request.payload[1] member"],
    ),
    "a row less in the payload table": (
        r'    DISK_KIND_READ: "read",\n',
        "",
        BOTH,
        ["class disk_request.payload[1] member"],
    ),
    "the tag of the payload": (
        r"\.get\(self\.kind\)",
        ".get(self.flags)",
        BOTH,
        ["class disk_request.payload tag"],
    ),
    "a ring's request and response": (
        r"req: disk_request = ZERO\n    rsp: disk_response",
        "req: disk_response = ZERO\n    rsp: disk_request",
        BOTH,
        ["class BackRing request", "class FrontRing response"],
    ),
    "a ring's entry": (
        r"entry = disk_sring_entry",
        "entry = tape_sring_entry",
        BOTH,
        ["class FrontRing entry", "class FrontRing entry_size"],
    ),
    "what an answer's flags are written to": (
        r'flags_member = "status"',
        'flags_member = "id"',
        BOTH,
        ["class TapeBackRing flags_member"],
    ),
    "what an answer keeps": (
        r"kept_flags = DISK_FLAG_LAST",
        "kept_flags = DISK_FLAG_SYNC",
        BOTH,
        ["class TapeBackRing kept_flags"],
    ),
    "where a ring begins": (
        r"first_entry = \w+",
        "first_entry = 128",
        BOTH,
        ["class FrontRing first_entry"],
    ),
    "a sign": (
        r"priority: int8_t",
        "priority: uint8_t",
        BOTH,
        [f"{REQUEST}.priority kind"],
    ),
    "an unsigned that is signed": (
        r"kind: Annotated\[uint32_t",
        "kind: Annotated[int, c_int",
        BOTH,
        [f"{REQUEST}.kind kind"],
    ),
    "a bit-field's sign": (
        r"low: Annotated\[uint16_t",
        "low: Annotated[int16_t",
        BOTH,
        [f"{REQUEST}.low kind"],
    ),
    "a bool": (
        r"Annotated\[bool, c_bool\]",
        "Annotated[int, c_uint8]",
        BOTH,
        [f"{REQUEST}.urgent kind"],
    ),
    "a float": (
        r"Annotated\[float, c_float\]",
        "uint32_t",
        BOTH,
        [f"{REQUEST}.share kind"],
    ),
    "a char array": (
        r"Annotated\[bytes, c_char \* 8\]",
        "Annotated[Array[c_uint8], c_uint8 * 8]",
        BOTH,
        [f"{REQUEST}.name kind"],
    ),
    "an array's lengths": (
        r"\(c_uint16 \* 3\) \* 2",
        "(c_uint16 * 2) * 3",
        BOTH,
        [f"{REQUEST}.grid length", f"{REQUEST}.grid[0] length"],
    ),
    "a pointer": (
        r"Annotated\[AnyPointer, c_void_p\]",
        "uint64_t",
        BOTH,
        [f"{REQUEST}.cookie kind"],
    ),
    "what a pointer leads to": (
        r"POINTER\(disk_sring\)",
        "POINTER(disk_sring_entry)",
        BOTH,
        ["struct disk_front_ring.sring target"],
    ),
    "the size of what a pointer leads to": (
        r"POINTER\(c_uint32\)",
        "POINTER(c_uint16)",
        BOTH,
        [f"{REQUEST}.words target"],
    ),
    "a typedef's name": (
        r"disk_sring_t = disk_sring",
        "disk_ring_t = disk_sring",
        BOTH,
        ["class disk_sring_t kind", "class disk_ring_t kind"],
    ),
    "what a typedef stands for": (
        r"disk_sring_t = disk_sring",
        "disk_sring_t = tape_sring",
        BOTH,
        ["class disk_sring_t kind"],
    ),
    "what a typedef of an array stands for": (
        r"\ndisk_grid_t = (.*) \* 2",
        r"\ndisk_grid_t = \1 * 3",
        BOTH,
        ["class disk_grid_t length"],
    ),
    "what an array's items are read as": (
        r"Array\[Array\[int\]\], \(c_uint16",
        "Array[bytes], (c_uint16",
        (TESTS,),
        [],
    ),
    "what a number is read as": (
        r"Annotated\[float, c_float\]",
        "Annotated[int, c_float]",
        (TESTS,),
        [],
    ),
    "what an address is read as": (
        r"Annotated\[AnyPointer, c_void_p\]",
        "Annotated[int, c_void_p]",
        (TESTS,),
        [],
    ),
    "what chars are read as": (
        r"Annotated\[bytes, c_char \* 8\]",
        "Annotated[str, c_char * 8]",
        (TESTS,),
        [],
    ),
    "what a payload may be": (
        r"-> disk_read \| disk_write \| None",
        "-> disk_read | disk_read | None",
        (TESTS,),
        [],
    ),
    "the types of a ring": (
        r"FrontRing\[disk_request, disk_response\]",
        "FrontRing[disk_response, disk_request]",
        (TESTS,),
        [],
    ),
    "a record of the same members": (
        r"before: disk_read",
        "before: disk_write",
        BOTH,
        [f"{REQUEST}.before kind"],
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with headers and the package of them, in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("planted")
    (folder / "headers" / "io").mkdir(parents=True)
    (folder / "headers" / "disk.h").write_text(HEADER)
    shutil.copy(PROJECT / "headers" / "io" / "ring.h", folder / "headers" / "io")
    (folder / "disk.toml").write_text(SPEC)
    result = xenbind("generate", *ARGUMENTS, cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert told_by_verify(folder) == []
    assert told_by_tests(folder) == []
    return folder


ARGUMENTS = ("--spec", "disk.toml", "--include", "headers", "--out", "out")


def told_by_verify(folder: Path) -> list[str]:
    result = xenbind("verify", "--json", *ARGUMENTS, cwd=folder)
    assert result.stderr == ""
    (report,) = json.loads(result.stdout)
    assert result.returncode == bool(report["mismatches"])
    return [mismatch["fact"] for mismatch in report["mismatches"]]


def told_by_tests(folder: Path) -> list[str]:
    """What the package's own tests tell, with no xenbind at hand."""
    result = own_tests(folder / "out")
    assert bool(result.returncode) == ("failed" in result.stdout)
    return re.findall(r"^FAILED (\S+)", result.stdout, re.MULTILINE)


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_error_is_told(kind: str, made: Path, tmp_path: Path) -> None:
    old, new, by, facts = PLANTED[kind]
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    module = tmp_path / "out" / "disk" / "v0.py"
    text, changed = re.subn(old, new, module.read_text(), count=1)
    assert changed
    module.write_text(text)

    told = told_by_verify(tmp_path)
    assert bool(told) == (VERIFY in by)
    assert set(facts) <= set(told)
    assert bool(told_by_tests(tmp_path)) == (TESTS in by)
