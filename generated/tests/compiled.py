"""The C side of the tests: a reference file, compiled with the headers it came from.

`$CC` names the compiler; `$XEN_HEADERS`, if set, is searched for headers first.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import xen_vm_event as package
from xen_vm_event.runtime.layout import facts, is_record, members, place

__all__ = ["Reference", "facts", "is_record", "members", "package", "place"]

GENERATED = Path(__file__).resolve().parents[1]


class Header(NamedTuple):
    """The header of a module, by its name there, and what C has to be told to read it.

    `name` is the module's name, and `source` its file in reference/, without an ending.
    `folders` are searched for the header, and `angled` for `#include <x.h>` too: then gcc knows
    no quotes there.
    """

    name: str
    source: str
    header: str
    folders: Sequence[str]
    angled: Sequence[str]
    defines: Sequence[str]
    needs: Sequence[str]
    has_functions: bool

    def __str__(self) -> str:
        return self.source

    @property
    def module(self) -> ModuleType:
        return importlib.import_module(self.name)


HEADERS = [
    Header(
        "xen_vm_event.v1_4_6",
        "v1_4_6",
        "vm_event.h",
        folders=[
            "../headers/4.6",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v1",
        "v1",
        "vm_event.h",
        folders=[
            "../headers/4.7",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v2_4_8",
        "v2_4_8",
        "vm_event.h",
        folders=[
            "../headers/4.8",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v2_4_9",
        "v2_4_9",
        "vm_event.h",
        folders=[
            "../headers/4.9",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v2",
        "v2",
        "vm_event.h",
        folders=[
            "../headers/4.10",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v3",
        "v3",
        "vm_event.h",
        folders=[
            "../headers/4.11",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v4",
        "v4",
        "vm_event.h",
        folders=[
            "../headers/4.12",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v5",
        "v5",
        "vm_event.h",
        folders=[
            "../headers/4.13",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v6",
        "v6",
        "vm_event.h",
        folders=[
            "../headers/4.14",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v7_4_15",
        "v7_4_15",
        "vm_event.h",
        folders=[
            "../headers/4.15",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v7_4_16",
        "v7_4_16",
        "vm_event.h",
        folders=[
            "../headers/4.16",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v7_4_17",
        "v7_4_17",
        "vm_event.h",
        folders=[
            "../headers/4.17",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v7_4_18",
        "v7_4_18",
        "vm_event.h",
        folders=[
            "../headers/4.18",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.v7",
        "v7",
        "vm_event.h",
        folders=[
            "../headers/4.19",
            "../headers",
        ],
        angled=[],
        defines=[
            "__XEN_TOOLS__",
        ],
        needs=[
            "stdint.h",
            "stddef.h",
            "string.h",
        ],
        has_functions=False,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_6",
        "xenctrl/v4_4_6",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.6",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_7",
        "xenctrl/v4_4_7",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.7",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_8",
        "xenctrl/v4_4_8",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.8",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_9",
        "xenctrl/v4_4_9",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.9",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_10",
        "xenctrl/v4_4_10",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.10",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_11",
        "xenctrl/v4_4_11",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.11",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_12",
        "xenctrl/v4_4_12",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.12",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_13",
        "xenctrl/v4_4_13",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.13",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_14",
        "xenctrl/v4_4_14",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.14",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_15",
        "xenctrl/v4_4_15",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.15",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_16",
        "xenctrl/v4_4_16",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.16",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_17",
        "xenctrl/v4_4_17",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.17",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4_4_18",
        "xenctrl/v4_4_18",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.18",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenctrl.v4",
        "xenctrl/v4",
        "xenctrl.h",
        folders=[
            "../headers/tools/4.20",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenevtchn.v1",
        "xenevtchn/v1",
        "xenevtchn.h",
        folders=[
            "../headers/tools/1",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xenforeignmemory.v1",
        "xenforeignmemory/v1",
        "xenforeignmemory.h",
        folders=[
            "../headers/tools/1",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
    Header(
        "xen_vm_event.xentoollog.v1",
        "xentoollog/v1",
        "xentoollog.h",
        folders=[
            "../headers/tools/1",
            "../headers/tools",
        ],
        angled=[],
        defines=[],
        needs=[],
        has_functions=True,
    ),
]


# How C's text is encoded, by the bytes of a character.
CODECS = {1: "utf-8", 2: "utf-16-le", 4: "utf-32-le"}


class Reference:
    """One interface as compiled C has it, and the module that should agree."""

    def __init__(self, header: Header, folder: Path) -> None:
        source = GENERATED / "reference" / f"{header.source}.c"
        self.module = header.module
        self.library = ctypes.CDLL(str(compile_shared(source, header, folder)))
        text = source.read_text()
        self.name_size, self.word_size = (
            int(re.findall(rf"char {member}\[(\d+)\]", text)[0])
            for member in ("name", "word")
        )

    def facts(self) -> dict[str, int | str]:
        """What C says, and what it was told of what it does not know."""
        found: dict[str, int | str] = dict(self._numbers("facts"))
        found |= self._words("words")
        found |= self._words("told")
        for index, (name, size) in enumerate(self._numbers("strings")):
            unit = self._bytes(f"string_unit_{index}", 1)[0]
            text = self._bytes(f"string_{index}", size)
            found[name] = text.decode(CODECS[unit])
        for index, (name, number) in enumerate(self._rows("variables", 8)):
            size = int.from_bytes(number, "little", signed=True)
            data = self._bytes(f"variable_{index}", abs(size))
            value = int.from_bytes(data, "little", signed=size < 0)
            found[f"{name} value"] = value & 0xFFFF_FFFF_FFFF_FFFF
            found[f"{name} negative"] = int(value < 0)
        for index, (name, _) in enumerate(self._rows("bit_names", 0)):
            size = int(found[f"{name.partition('.')[0]} size"])
            bits = int.from_bytes(self._bytes(f"bits_{index}", size), "little")
            found[f"{name} bit_offset"] = (bits & -bits).bit_length() - 1
            found[f"{name} bit_width"] = bits.bit_count()
        return found

    def _numbers(self, table: str) -> Iterator[tuple[str, int]]:
        for name, number in self._rows(table, 8):
            yield name, int.from_bytes(number, "little")

    def _words(self, table: str) -> Iterator[tuple[str, str]]:
        for name, word in self._rows(table, self.word_size):
            yield name, word.rstrip(b"\0").decode()

    def _rows(self, table: str, size: int) -> Iterator[tuple[str, bytes]]:
        """A table's rows: a name, and so many bytes beside it."""
        count = ctypes.c_size_t.in_dll(self.library, f"xenbind_{table}_count").value
        row = self.name_size + size
        data = self._bytes(table, count * row)
        for start in range(0, len(data), row):
            name = data[start : start + self.name_size].rstrip(b"\0").decode()
            yield name, data[start + self.name_size : start + row]

    def _bytes(self, name: str, size: int) -> bytes:
        return bytes((ctypes.c_char * size).in_dll(self.library, f"xenbind_{name}"))

    def fill(self, name: str, record: Any, words: Any) -> None:
        """Have C assign the words to the record's members, one after another."""
        self.library[f"xenbind_fill_{name}"](ctypes.byref(record), words)

    def read(self, name: str, record: Any, words: Any) -> None:
        """Have C read the record's members into the words, one after another."""
        self.library[f"xenbind_read_{name}"](ctypes.byref(record), words)


def compile_shared(source: Path, header: Header, folder: Path) -> Path:
    """Compile a reference file to a shared library in `folder`."""
    target = folder / f"{source.stem}.so"
    own = [os.environ["XEN_HEADERS"]] if "XEN_HEADERS" in os.environ else []
    include = [str(GENERATED / path) for path in [*own, *header.folders]]
    angled = [str(GENERATED / path) for path in header.angled]
    places = [Path(path) / header.header for path in include]
    found = next((path for path in places if path.is_file()), header.header)
    command = [
        *shlex.split(os.environ.get("CC", "gcc")),
        *["-std=gnu11", "-w", "-shared", "-fPIC", "-o", str(target)],
        *[f"-D{define}" for define in header.defines],
        f'-DXENBIND_HEADER="{found}"',
        *[part for path in include for part in ("-iquote", path)],
        *[part for path in angled for part in ("-idirafter", path)],
        *[part for name in header.needs for part in ("-include", name)],
        str(source),
    ]
    subprocess.run(command, check=True)
    return target
