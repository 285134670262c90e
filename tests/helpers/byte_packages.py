"""Headers of pages with rings of bytes, and what their users do with them in C.

`CONSOLE` and `XS_WIRE` are in tests/data/events, and declare what Xen's do.
"""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

from event_packages import HOOKS, Header

# Of each direction the macro that masks an index.
CONSOLE = Header(
    *("console", "XENCONS", "struct xencons_interface"),
    {
        "in": "MASK_XENCONS_IDX(idx, page->in)",
        "out": "MASK_XENCONS_IDX(idx, page->out)",
    },
)
XS_WIRE = Header(
    *("xs_wire", "XENSTORE", "struct xenstore_domain_interface"),
    {"req": "MASK_XENSTORE_IDX(idx)", "rsp": "MASK_XENSTORE_IDX(idx)"},
)

_DIRECTION = """
unsigned long place_@(uint32_t idx)
{
    static PAGE *page;
    return &page->@[MASK] - (char *)page;
}

int write_@(PAGE *page, uint32_t *prod, const char *data, uint32_t length)
{
    uint32_t cons = *(volatile uint32_t *)&page->@_cons, idx = *prod, count = 0;

    if (idx - cons > sizeof(page->@))
        return -1;
    if (length && idx - cons < sizeof(page->@)) {
        barrier(1);
        for (; count < length && idx - cons < sizeof(page->@); idx++)
            page->@[MASK] = data[count++];
        *prod = idx;
        barrier(2);
        *(volatile uint32_t *)&page->@_prod = idx;
    }
    return count;
}

int read_@(PAGE *page, uint32_t *cons, char *data, uint32_t length)
{
    uint32_t prod = *(volatile uint32_t *)&page->@_prod, idx = *cons, count = 0;

    if (prod - idx > sizeof(page->@))
        return -1;
    if (length && idx != prod) {
        barrier(3);
        for (; count < length && idx != prod; idx++)
            data[count++] = page->@[MASK];
        *cons = idx;
        barrier(1);
        *(volatile uint32_t *)&page->@_cons = idx;
    }
    return count;
}
"""


def byte_library_of(folder: Path, source: str, header: Header) -> Any:
    """That in C, compiled with a header and loaded."""
    text = HOOKS
    for direction, mask in header.events.items():
        text += (
            _DIRECTION.replace("@", direction)
            .replace("MASK", mask)
            .replace("PAGE", header.page)
        )
    path, target = folder / f"{header.name}.c", folder / f"{header.name}.so"
    path.write_text(text)
    include = header.folder(source) / f"{header.name}.h"
    command = ["gcc", "-std=gnu11", "-O1", "-w", f'-DHEADER="{include}"', str(path)]
    subprocess.run([*command, "-shared", "-fPIC", "-o", str(target)], check=True)
    loaded = ctypes.CDLL(str(target))
    for direction in header.events:
        loaded[f"place_{direction}"].restype = ctypes.c_ulong
    return loaded
