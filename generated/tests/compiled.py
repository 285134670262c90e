"""The C side of the tests: a reference file, compiled with the headers it came from.

`$CC` names the compiler; `$XEN_HEADERS`, if set, is searched for headers first.
"""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xen_vm_event as package
from xen_vm_event.runtime.layout import facts, is_record, members

__all__ = ["Reference", "facts", "is_record", "members", "package"]

GENERATED = Path(__file__).resolve().parents[1]
HEADERS = {
    1: [
        "../headers/v1",
        "../headers",
    ],
    2: [
        "../headers/v2",
        "../headers",
    ],
    3: [
        "../headers/v3",
        "../headers",
    ],
    4: [
        "../headers/v4",
        "../headers",
    ],
    5: [
        "../headers/v5",
        "../headers",
    ],
    6: [
        "../headers/v6",
        "../headers",
    ],
    7: [
        "../headers/v7",
        "../headers",
    ],
}
DEFINES = [
    "__XEN_TOOLS__",
]
NEEDS = [
    "stdint.h",
    "stddef.h",
    "string.h",
]


class Reference:
    """One interface version as compiled C has it, and the module that should agree."""

    def __init__(self, version: int, folder: Path) -> None:
        source = GENERATED / "reference" / f"v{version}.c"
        self.module = package.interface(version)
        self.library = ctypes.CDLL(str(compile_shared(source, version, folder)))
        declared = re.search(r"char name\[(\d+)\]", source.read_text())
        assert declared
        self.name_size = int(declared[1])

    def facts(self) -> Iterator[tuple[str, int]]:
        """Sizes, alignments, offsets and constant values."""

        class Fact(ctypes.Structure):
            _fields_ = [
                ("name", ctypes.c_char * self.name_size),
                ("value", ctypes.c_ulonglong),
            ]

        count = ctypes.c_size_t.in_dll(self.library, "xenbind_fact_count").value
        for fact in (Fact * count).in_dll(self.library, "xenbind_facts"):
            yield fact.name.decode(), fact.value

    def bits(self, index: int, size: int) -> int:
        """The record of `size` bytes in which the bits of one bit-field are set."""
        data = (ctypes.c_uint8 * size).in_dll(self.library, f"xenbind_bits_{index}")
        return int.from_bytes(bytes(data), "little")

    def bit_fields(self) -> Iterator[str]:
        """The names of the bit-fields, in the order of their indices."""
        index = 0
        while True:
            names = (ctypes.c_char * self.name_size * (index + 1)).in_dll(
                self.library, "xenbind_bit_names"
            )
            name = bytes(names[index]).rstrip(b"\0").decode()
            if not name:
                return
            yield name
            index += 1

    def fill(self, name: str, record: Any, words: Any) -> None:
        """Have C assign the words to the record's members, one after another."""
        self.library[f"xenbind_fill_{name}"](ctypes.byref(record), words)

    def read(self, name: str, record: Any, words: Any) -> None:
        """Have C read the record's members into the words, one after another."""
        self.library[f"xenbind_read_{name}"](ctypes.byref(record), words)


def compile_shared(source: Path, version: int, folder: Path) -> Path:
    """Compile a reference file to a shared library in `folder`."""
    target = folder / f"v{version}.so"
    own = [os.environ["XEN_HEADERS"]] if "XEN_HEADERS" in os.environ else []
    include = [str(GENERATED / path) for path in [*own, *HEADERS[version]]]
    command = [
        *shlex.split(os.environ.get("CC", "gcc")),
        *["-std=gnu11", "-w", "-shared", "-fPIC", "-o", str(target)],
        *[f"-D{define}" for define in DEFINES],
        *[part for path in include for part in ("-iquote", path)],
        *[part for name in NEEDS for part in ("-include", name)],
        str(source),
    ]
    subprocess.run(command, check=True)
    return target
