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

GENERATED = Path(__file__).resolve().parents[1]


class Header(NamedTuple):
    """The header of a module, by its name there, and what C has to be told to read it.

    `name` is the module's name, and `source` its file in reference/, without an ending.
    `folders` are searched for the header, and `angled` for `#include <x.h>` too: then gcc knows
    no quotes there.  `only` are the targets that it is for, all if it is empty.
    """

    name: str
    source: str
    header: str
    folders: Sequence[str]
    angled: Sequence[str]
    defines: Sequence[str]
    needs: Sequence[str]
    has_functions: bool
    has_floats: bool
    only: Sequence[str] = ()

    def __str__(self) -> str:
        return self.source

    @property
    def module(self) -> ModuleType:
        return importlib.import_module(self.name)


# How C's text is encoded, by the bytes of a character.
CODECS = {1: "utf-8", 2: "utf-16-le", 4: "utf-32-le"}


class Reference:
    """One interface as compiled C has it, and the module that should agree."""

    def __init__(self, header: Header, folder: Path) -> None:
        source = GENERATED / "reference" / f"{header.source}.c"
        self.header = header
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
        if self.header.has_floats:
            for index, (name, _) in enumerate(self._rows("float_names", 0)):
                double = ctypes.c_double.in_dll(self.library, f"xenbind_float_{index}")
                found[name] = double.value.hex()
            for index, (name, size) in enumerate(self._numbers("float_variables")):
                floating = ctypes.c_float if size == 4 else ctypes.c_double
                symbol = f"xenbind_float_variable_{index}"
                found[name] = floating.in_dll(self.library, symbol).value.hex()
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
