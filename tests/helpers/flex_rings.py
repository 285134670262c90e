"""Flex rings in Python and in C: the packages of headers that declare one, and those compiled.

`KINDS` are Xen's own headers, where they are installed, and one on headers/io/ring.h.
"""

from __future__ import annotations

import ctypes
import importlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from support import INSTALLED, PROJECT, require
from xenbind import pipeline, spec
from xenbind.backend.module import module_view
from xenbind.backend.ring_module import protocol_view
from xenbind.backend.templates import Templates

NEEDS = """\
#include <stdint.h>
#include <stddef.h>
#include <string.h>
typedef uint32_t grant_ref_t;
#define xen_mb()
#define xen_wmb()
"""


@dataclass(frozen=True)
class Kind:
    """A flex ring, the header that declares it, and what its classes are called by.

    `interface` is its page of indices, empty without one.
    """

    name: str
    prefix: str
    interface: str
    text: str
    folder: Path

    @property
    def page(self) -> str:
        """The struct that has the indices, with the ring's memory where it is no interface."""
        return self.interface or f"{self.name}_interface"

    @property
    def orders(self) -> tuple[int, ...]:
        """The binary logarithms of how many pages a ring of it may have; 0 if it has one size."""
        return (0, 1, 3) if self.interface else (0,)


KINDS = {
    "own": Kind(
        "own",
        "",
        "own_data_intf",
        f'{NEEDS}#include "io/ring.h"\nDEFINE_XEN_FLEX_RING_AND_INTF(own);\n',
        PROJECT / "headers",
    ),
    "9pfs": Kind(
        "xen_9pfs",
        "Xen9pfs",
        "xen_9pfs_data_intf",
        '#include <string.h>\n#include "grant_table.h"\n#include "io/9pfs.h"\n',
        INSTALLED,
    ),
    "pvcalls": Kind(
        "pvcalls",
        "Pvcalls",
        "pvcalls_data_intf",
        '#include <string.h>\n#include "grant_table.h"\n#include "io/pvcalls.h"\n',
        INSTALLED,
    ),
    "console": Kind(
        "xencons",
        "Xencons",
        "",
        "#include <string.h>\n#define XEN_WANT_FLEX_CONSOLE_RING\n"
        '#include "io/console.h"\n',
        INSTALLED,
    ),
}


def require_kind(kind: Kind) -> None:
    """Skip where there are not the headers or the compiler for it."""
    require(shutil.which("gcc") is not None, "gcc")
    require((kind.folder / "io" / "ring.h").is_file(), "libxen-dev")


def module(kind: Kind, folder: Path, name: str) -> ModuleType:
    """The module of the header, in a package of that name in the folder."""
    (folder / "own.h").write_text(kind.text)
    (folder / "spec.toml").write_text(
        '[interface]\nname = "own"\npackage = "own"\nheader = "own.h"\n'
        'needs = ["stdint.h", "stddef.h"]\n'
        f'include = ["{kind.folder}", "{kind.folder.parent}"]\n'
    )
    loaded = spec.load(folder / "spec.toml").for_tree(folder)
    interface = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    shutil.copytree(PROJECT / "runtime", folder / name / "runtime")
    view, templates = module_view(interface, "own.h", ()), Templates()
    text = templates.text("package/version.py.jinja", {"module": view})
    (folder / name / "v0.py").write_text(text)
    if requests := protocol_view(interface, "io/ring.h"):
        context = {"ring": requests, "up": ""}
        text = templates.text("package/macros.py.jinja", context)
        (folder / name / "macros.py").write_text(text)
    (folder / name / "__init__.py").touch()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(f"{name}.v0")
    finally:
        sys.path.remove(str(folder))


PAGE_SIZE = 4096
INDICES = ("in_cons", "in_prod", "out_cons", "out_prod")


def new_page(kind: Kind, made: ModuleType, memory: Any, order: int, start: int) -> None:
    """Make a ring in memory: its page, with all indices at `start`, and what that is for."""
    page = getattr(made, kind.page).from_buffer(memory)
    if kind.interface:
        page.ring_order = order
    for index in INDICES:
        setattr(page, index, start)


def attach(kind: Kind, made: ModuleType, memory: Any, side: str, **options: Any) -> Any:
    """Attach the side Front or Back to a ring in memory: a page, and behind it its bytes."""
    cls = getattr(made, f"{kind.prefix}{side}FlexRing")
    octets = memoryview(memory)
    if kind.interface:
        return cls(octets[:PAGE_SIZE], octets[PAGE_SIZE:], **options)
    page = getattr(made, kind.page)
    cell = importlib.import_module(f"{made.__package__}.runtime.byte_ring").cell
    places = {index: cell(octets, getattr(page, index).offset) for index in INDICES}
    into, out = page.in_.offset, page.out.offset
    data = octets[into : into + page.in_.size], octets[out : out + page.out.size]
    return cls(*data, **places, **options)


# Each function with what C tells of a pointer as an offset.  `mask` is the name of one, too.
WRAPPERS = """
uint32_t c_mask(uint32_t index, uint32_t size) { return NAME_mask(index, size); }

uint64_t c_get_ring_ptr(uint8_t *octets, uint32_t index, uint32_t size)
{
    return NAME_get_ring_ptr(octets, index, size) - octets;
}

uint32_t c_queued(uint32_t prod, uint32_t cons, uint32_t size)
{
    return NAME_queued(prod, cons, size);
}

uint32_t c_read_packet(uint8_t *packet, const uint8_t *octets, uint64_t count, uint32_t prod,
                       uint32_t cons, uint32_t size)
{
    NAME_read_packet(packet, octets, count, prod, &cons, size);
    return cons;
}

uint32_t c_write_packet(uint8_t *octets, const uint8_t *packet, uint64_t count, uint32_t prod,
                        uint32_t cons, uint32_t size)
{
    NAME_write_packet(octets, packet, count, &prod, cons, size);
    return prod;
}

uint64_t c_ring_size(uint32_t order) { return XEN_FLEX_RING_SIZE(order); }
"""


def library(kind: Kind, folder: Path) -> Any:
    """The same functions, compiled."""
    (folder / "flex.c").write_text(f"{kind.text}{WRAPPERS.replace('NAME', kind.name)}")
    compile_c(kind, folder / "flex.c", folder / "flex.so", "-shared", "-fPIC")
    loaded = ctypes.CDLL(str(folder / "flex.so"))
    for name in ("mask", "queued", "read_packet", "write_packet"):
        getattr(loaded, f"c_{name}").restype = ctypes.c_uint32
    for name in ("get_ring_ptr", "ring_size"):
        getattr(loaded, f"c_{name}").restype = ctypes.c_uint64
    return loaded


def compile_c(kind: Kind, source: Path, target: Path, *options: str) -> None:
    """Compile a program that works on the ring."""
    command = ["gcc", "-std=gnu11", "-O1", "-w", "-include", "stdint.h"]
    command += ["-include", "stddef.h", *options]
    folders = ["-iquote", str(kind.folder), "-I", str(kind.folder.parent)]
    subprocess.run([*command, *folders, str(source), "-o", str(target)], check=True)
