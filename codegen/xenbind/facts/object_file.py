"""Ask compiled C of an interface: read an object file that is never run.

Takes the reference C file that the backend renders of `probes`; compiles it, and gives the
answers by the probes' names.  It may be for any target.  `verify` compares them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from xenbind.facts import debug_info
from xenbind.facts.probes import Answer, Reference
from xenbind.toolchain.compiler import Compiler, failure


def compile_reference(
    source: Path, compiler: Compiler, header: Path | None = None
) -> Path:
    """Compile a reference file, without linking or running it; gives the object file.

    `header` is where the one that it includes is, if its name does not tell.

    It has debug information, for `dwarf`.  Raises `SourceError` at the line that C refuses.
    """
    target = source.with_suffix(".o")
    # Without -pipe, gcc writes three times as much as assembly.
    options = ["-O0", "-w", "-pipe", *debug_info.OPTIONS]
    if header is not None:
        options.append(f'-DXENBIND_HEADER="{header.resolve()}"')
    options += ["-c", str(source), "-o", str(target)]
    finished = compiler.run(options).finish()
    if finished.status or finished.exceeded:
        raise failure(finished, source)
    return target


def answers(path: Path, reference: Reference) -> dict[str, Answer]:
    """What the compiled reference says, by the names of the probes.

    Reads the constant tables out of the object file: no code of it runs, so that it may
    be for any target.
    """
    data = objects(path)
    found: dict[str, Answer] = {}
    for name, number in _rows(data["xenbind_facts"], reference.name_size, 8):
        found[name] = int.from_bytes(number, "little")
    size = reference.word_size
    for name, word in _rows(data["xenbind_words"], reference.name_size, size):
        found[name] = word.rstrip(b"\0").decode()
    for index, string in enumerate(reference.strings):
        unit = data[f"xenbind_string_unit_{index}"][0]
        found[string.name] = as_text(data[f"xenbind_string_{index}"], unit)
    for index, floating in enumerate(reference.floats):
        (number,) = struct.unpack("<d", data[f"xenbind_float_{index}"])
        found[floating.name] = number.hex()
    rows = _rows(data["xenbind_variables"], reference.name_size, 8)
    for index, (name, sign) in enumerate(rows):
        signed = int.from_bytes(sign, "little", signed=True) < 0
        value = int.from_bytes(
            data[f"xenbind_variable_{index}"], "little", signed=signed
        )
        found[f"{name} value"] = value & 0xFFFF_FFFF_FFFF_FFFF
        found[f"{name} negative"] = int(value < 0)
    for index, probe in enumerate(reference.bit_fields):
        bits = int.from_bytes(data[f"xenbind_bits_{index}"], "little")
        found[f"{probe.name} bit_offset"] = (bits & -bits).bit_length() - 1
        found[f"{probe.name} bit_width"] = bits.bit_count()
    return found


def objects(path: Path, names: Set[str] = frozenset()) -> dict[str, bytes]:
    """The contents of the objects that are called xenbind_* or have these names."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        table: Any = elf.get_section_by_name(".symtab")
        symbols = [
            symbol
            for symbol in table.iter_symbols()
            if (symbol.name.startswith("xenbind_") or symbol.name in names)
            and isinstance(symbol["st_shndx"], int)
            and symbol["st_info"]["type"] == "STT_OBJECT"
        ]
        sections = {
            index: elf.get_section(index).data()
            for index in {symbol["st_shndx"] for symbol in symbols}
        }
    return {
        symbol.name: sections[symbol["st_shndx"]][
            symbol["st_value"] : symbol["st_value"] + symbol["st_size"]
        ]
        for symbol in symbols
    }


_CODECS = {1: "utf-8", 2: "utf-16-le", 4: "utf-32-le"}


def as_text(array: bytes, unit: int = 1) -> str:
    """What an array of characters of so many bytes says, as far as it is Unicode."""
    text = array.removesuffix(b"\0" * unit)
    return text.decode(_CODECS[unit], errors="backslashreplace")


def _rows(table: bytes, name_size: int, size: int) -> Iterator[tuple[str, bytes]]:
    """The rows of a table, each a name and what the fact of that name is."""
    row = name_size + size
    for start in range(0, len(table), row):
        name = table[start : start + name_size].rstrip(b"\0").decode()
        yield name, table[start + name_size : start + row]
