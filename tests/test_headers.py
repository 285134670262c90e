"""The project's headers as C: clean to compile, and interchangeable with Xen's own.

The same program is compiled against both and must print the same.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from c_compiler import run_c
from support import INSTALLED, PROJECT, require

HEADERS = PROJECT / "headers"
VERSIONS = sorted(path.parent.name for path in HEADERS.glob("*/vm_event.h"))
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
NEEDED = [
    "-D__XEN_TOOLS__",
    "-include",
    "stdint.h",
    "-include",
    "stddef.h",
    "-include",
    "string.h",
]


@pytest.mark.parametrize("standard", ["c11", "gnu11"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("version", VERSIONS)
def test_compiles_without_a_warning(version: str, compiler: str, standard: str) -> None:
    require(shutil.which(compiler) is not None, compiler)
    folders = ["-iquote", str(HEADERS / version), "-iquote", str(HEADERS)]
    header = str(HEADERS / version / "vm_event.h")
    command = [
        compiler,
        f"-std={standard}",
        "-x",
        "c",
        *STRICT,
        *NEEDED,
        *folders,
        header,
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


RING = """\
#define __XEN_TOOLS__
#define xen_mb() (trace = trace * 31 + page.req_prod + page.rsp_event)
#define xen_wmb() (trace = trace * 37 + page.rsp_prod + page.req_event)
#define xen_rmb() (trace = trace * 41)
typedef uint32_t grant_ref_t;
#include "io/ring.h"
typedef struct { uint64_t words[7]; } request_t;
typedef struct { uint32_t words[3]; } response_t;
DEFINE_RING_TYPES(test, request_t, response_t);
static unsigned char memory[64 + 64 * sizeof(union test_sring_entry)]
    __attribute__((aligned(8)));
#define page (*(struct test_sring *)memory)
static uint64_t trace;

static uint32_t near(uint64_t *seed)
{
    static const uint32_t bases[] = { 0, 0x7fffffff, 0xffffffff, 0x12345678 };
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return bases[*seed >> 62] + (uint32_t)(*seed >> 33) % 140 - 70;
}

static void print(const char *what, long long value)
{
    printf("%s %lld\\n", what, value);
}
"""

STATES = """\
uint64_t seed = 1;
for (int state = 0; state < 3000; state++) {
    struct test_front_ring front;
    struct test_back_ring back;
    size_t size = 64 + (1u << state % 7) * sizeof(union test_sring_entry) + state % 50;
    int flag = 0;
    for (size_t i = 0; i < sizeof(memory); i++) memory[i] = (unsigned char)near(&seed);
    XEN_FRONT_RING_INIT(&front, &page, size);
    BACK_RING_INIT(&back, &page, size);
    if (state % 3 == 0) { FRONT_RING_ATTACH(&front, &page, near(&seed), size); }
    if (state % 3 == 1) { BACK_RING_ATTACH(&back, &page, near(&seed), size); }
    page.req_prod = near(&seed); page.rsp_prod = near(&seed);
    page.req_event = near(&seed); page.rsp_event = near(&seed);
    front.req_prod_pvt = near(&seed); front.rsp_cons = near(&seed);
    back.rsp_prod_pvt = near(&seed); back.req_cons = near(&seed);
    RING_IDX index = near(&seed);
    print("size", RING_SIZE(&front));
    print("free", RING_FREE_REQUESTS(&front));
    print("full", RING_FULL(&front));
    print("unconsumed responses", XEN_RING_NR_UNCONSUMED_RESPONSES(&front));
    print("unconsumed requests", XEN_RING_NR_UNCONSUMED_REQUESTS(&back));
    print("has responses", RING_HAS_UNCONSUMED_RESPONSES(&front));
    print("has requests", RING_HAS_UNCONSUMED_REQUESTS(&back));
    print("request", (unsigned char *)RING_GET_REQUEST(&back, index) - memory);
    print("response", (unsigned char *)RING_GET_RESPONSE(&front, index) - memory);
    print("cons overflow", RING_REQUEST_CONS_OVERFLOW(&back, index));
    print("request prod overflow", RING_REQUEST_PROD_OVERFLOW(&back, index));
    print("response prod overflow", RING_RESPONSE_PROD_OVERFLOW(&front, index));
    request_t request; response_t response;
    RING_COPY_REQUEST(&back, index, &request);
    RING_COPY_RESPONSE(&front, index, &response);
    print("copied request", request.words[3]);
    print("copied response", response.words[1]);
    if (state & 1) { RING_PUSH_REQUESTS(&front); RING_PUSH_RESPONSES(&back); }
    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front, flag); print("notify back", flag);
    RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&back, flag); print("notify front", flag);
    RING_FINAL_CHECK_FOR_REQUESTS(&back, flag); print("work for back", flag);
    RING_FINAL_CHECK_FOR_RESPONSES(&front, flag); print("work for front", flag);
    uint64_t sum = trace;
    for (size_t i = 0; i < sizeof(memory); i++) sum = sum * 131 + memory[i];
    print("memory", (long long)sum);
    print("constant size", __CONST_RING_SIZE(test, 64 + 40 * sizeof(page.ring[0])));
    print("indices", (long long)front.req_prod_pvt + front.rsp_cons + back.req_cons);
}
print("flex", XEN_FLEX_RING_SIZE(3));
"""


@pytest.mark.parametrize("option", ["-O0", "-O2", "-DXEN_RING_HAS_UNCONSUMED_IS_BOOL"])
def test_ring_macros_do_what_xens_do(option: str) -> None:
    require((INSTALLED / "io" / "ring.h").exists(), "libxen-dev")
    ours, theirs = (
        run_c(RING, STATES, "gcc", option, "-iquote", str(folder))
        for folder in (HEADERS, INSTALLED)
    )
    assert len(ours) == 3000 * 21 + 1
    assert ours == theirs


def test_ring_types_are_xens() -> None:
    require((INSTALLED / "io" / "ring.h").exists(), "libxen-dev")
    records = {
        "union test_sring_entry": ["req", "rsp"],
        "struct test_sring": [
            *("req_prod", "req_event", "rsp_prod", "rsp_event", "pvt", "pvt.netif"),
            *(
                "pvt.netif.smartpoll_active",
                "pvt.tapif_user.msg",
                "pvt.pvt_pad",
                "__pad",
                "ring",
            ),
        ],
        "struct test_front_ring": ["req_prod_pvt", "rsp_cons", "nr_ents", "sring"],
        "struct test_back_ring": ["rsp_prod_pvt", "req_cons", "nr_ents", "sring"],
        "struct flex_data_intf": [
            "in_cons",
            "in_prod",
            "pad1",
            "out_cons",
            "ring_order",
            "ref",
        ],
    }
    statements = "".join(
        f'print("{record}", sizeof({record}) * 100 + _Alignof({record}));'
        + "".join(
            f'print("{member}", offsetof({record}, {member}));' for member in members
        )
        for record, members in records.items()
    )
    flex = f"{RING}\nDEFINE_XEN_FLEX_RING_AND_INTF(flex);"
    ours, theirs = (
        run_c(flex, statements, "gcc", "-iquote", str(folder))
        for folder in (HEADERS, INSTALLED)
    )
    assert ours == theirs


def macros(header: Path) -> dict[str, int]:
    """The function-like macros that a header defines, and how many parameters each has."""
    text = header.read_text().replace("\\\n", " ")
    found = re.findall(r"^\s*#\s*define\s+(\w+)\(([^)]*)\)", text, re.MULTILINE)
    return {name: parameters.count(",") + 1 for name, parameters in found}


def test_ring_h_has_all_of_xens_macros() -> None:
    require((INSTALLED / "io" / "ring.h").exists(), "libxen-dev")
    theirs = macros(INSTALLED / "io" / "ring.h")
    # Barriers of guests that predate the ones Xen's own headers ask for.
    barriers = {"xen_mb", "xen_rmb", "xen_wmb"}
    assert macros(HEADERS / "io" / "ring.h") == {
        name: count for name, count in theirs.items() if name not in barriers
    }
