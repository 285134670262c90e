"""Packages of headers with pages of events, and the headers' own macros, compiled.

`KBDIF` and the others say what the headers have in common; `OURS` are those in tests/data/events,
which declare the same as Xen's but for `BELL`, which is nobody else's. `library_of` is C on a
page: what a header's user writes there.
"""

from __future__ import annotations

import ctypes
import importlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from support import INSTALLED, PROJECT, require, xenbind

OURS = PROJECT / "tests" / "data" / "events"


@dataclass(frozen=True)
class Header:
    """A header: what its macros begin with, its page's struct, and its events by direction."""

    name: str
    prefix: str
    page: str
    events: dict[str, str]

    def folder(self, source: str) -> Path:
        """Where it is: among ours, or among the installed ones."""
        return OURS if source == "ours" else INSTALLED / "io"


KBDIF = Header(
    *("kbdif", "XENKBD", "struct xenkbd_page"),
    {"in": "union xenkbd_in_event", "out": "union xenkbd_out_event"},
)
FBIF = Header(
    *("fbif", "XENFB", "struct xenfb_page"),
    {"in": "union xenfb_in_event", "out": "union xenfb_out_event"},
)
DISPLIF = Header(
    *("displif", "XENDISPL", "struct xendispl_event_page"),
    {"in": "struct xendispl_evt"},
)
SNDIF = Header(
    *("sndif", "XENSND", "struct xensnd_event_page"), {"in": "struct xensnd_evt"}
)
CAMERAIF = Header(
    *("cameraif", "XENCAMERA", "struct xencamera_event_page"),
    {"in": "struct xencamera_evt"},
)
BELL = Header(
    *("bell", "BELL", "struct bell_page"),
    {"in": "union bell_event", "out": "struct bell_answer"},
)
SOURCES = [
    *(("ours", header) for header in (KBDIF, DISPLIF, BELL)),
    *(("xen's", header) for header in (KBDIF, FBIF, DISPLIF, SNDIF, CAMERAIF)),
]


def require_source(source: str, header: Header) -> None:
    """Skip a test whose header is not installed."""
    path = header.folder(source) / f"{header.name}.h"
    require(source == "ours" or path.is_file(), "libxen-dev")


def spec_text(header: Header, package: str) -> str:
    """The least spec of a header: its name, and what C includes before it."""
    return (
        f'[interface]\nname = "{header.name}"\npackage = "{package}"\n'
        f'header = "{header.name}.h"\nneeds = ["stdint.h", "string.h", "stddef.h"]\n'
    )


def module_of(
    folder: Path, source: str, header: Header, package: str = "", further: str = ""
) -> ModuleType:
    """The module of a header, generated and imported; its spec may have further tables."""
    package = package or f"{source.replace(chr(39), '')}_{header.name}"
    spec = folder / f"{package}.toml"
    spec.write_text(spec_text(header, package) + further)
    made = xenbind(
        *("generate", "--spec", spec, "--include", header.folder(source)),
        *("--out", folder / package),
    )
    assert made.returncode == 0, made.stderr
    sys.path.insert(0, str(folder / package))
    try:
        return importlib.import_module(f"{package}.v0")
    finally:
        sys.path.pop(0)


# What a user of the header does in C. At each barrier, what the page is then is summed up, and
# the other side does what it is told to: it writes a word.
HOOKS = """\
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include HEADER

static unsigned char *hooked;
static uint32_t sums[8], script[8][2];
static unsigned steps;

static void barrier(uint32_t kind)
{
    uint32_t low = kind, high = 0;

    for (int i = 0; i < 4096; i++) {
        low = (low + hooked[i]) % 65521;
        high = (high + low) % 65521;
    }
    sums[steps] = high << 16 | low; /* Adler-32 */
    memcpy(hooked + script[steps][0], &script[steps][1], 4);
    steps++;
}

void begin(unsigned char *page, const void *changes)
{
    hooked = page;
    memcpy(script, changes, sizeof(script));
    steps = 0;
}

unsigned end(void *out)
{
    memcpy(out, sums, sizeof(sums));
    return steps;
}
"""
_DIRECTION = """
unsigned long place_@(uint32_t index)
{
    static char page[4096];
    return (char *)&PREFIX_DIRECTION_RING_REF(page, index) - page;
}

/*
 * Whether there is room for an event, whose place is that of none that waits; -1 if there cannot
 * be so many.
 */
static int is_free_@(PAGE *page, uint32_t prod, uint32_t cons)
{
    if (prod - cons >= PREFIX_DIRECTION_RING_LEN)
        return prod - cons == PREFIX_DIRECTION_RING_LEN ? 0 : -1;
    for (uint32_t i = cons; i != prod; i++)
        if (&PREFIX_DIRECTION_RING_REF(page, i) == &PREFIX_DIRECTION_RING_REF(page, prod))
            return 0;
    return 1;
}

int room_@(PAGE *page, uint32_t prod)
{
    int count = 0, is_free = is_free_@(page, prod, page->@_cons);

    if (is_free < 0)
        return -1;
    while (is_free_@(page, prod++, page->@_cons) > 0)
        count++;
    return count;
}

int put_@(PAGE *page, uint32_t *prod, const EVENT *event)
{
    int is_free = is_free_@(page, *prod, *(volatile uint32_t *)&page->@_cons);

    if (is_free <= 0)
        return is_free;
    barrier(1);
    PREFIX_DIRECTION_RING_REF(page, *prod) = *event;
    ++*prod;
    barrier(2);
    *(volatile uint32_t *)&page->@_prod = *prod;
    return 1;
}

int take_@(PAGE *page, uint32_t *cons, EVENT *event, unsigned most)
{
    uint32_t prod = *(volatile uint32_t *)&page->@_prod;
    unsigned taken = 0;

    if (prod - *cons > PREFIX_DIRECTION_RING_LEN)
        return -1;
    barrier(1);
    while (*cons != prod && taken < most) {
        event[taken++] = PREFIX_DIRECTION_RING_REF(page, *cons);
        ++*cons;
        barrier(1);
        *(volatile uint32_t *)&page->@_cons = *cons;
    }
    return taken;
}
"""


def library_of(folder: Path, source: str, header: Header) -> Any:
    """That in C, compiled with a header and loaded."""
    text = HOOKS
    for direction, event in header.events.items():
        text += (
            _DIRECTION.replace("@", direction)
            .replace("DIRECTION", direction.upper())
            .replace("PREFIX", header.prefix)
            .replace("EVENT", event)
            .replace("PAGE", header.page)
        )
    name = source.partition("'")[0]
    path, target = folder / f"{name}_{header.name}.c", folder / f"{header.name}.so"
    path.write_text(text)
    include = header.folder(source) / f"{header.name}.h"
    command = ["gcc", "-std=gnu11", "-O1", "-w", f'-DHEADER="{include}"', str(path)]
    subprocess.run([*command, "-shared", "-fPIC", "-o", str(target)], check=True)
    loaded = ctypes.CDLL(str(target))
    for direction in header.events:
        loaded[f"place_{direction}"].restype = ctypes.c_ulong
    return loaded
