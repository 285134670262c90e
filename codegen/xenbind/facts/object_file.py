"""Ask compiled C of an interface: read an object file that is never run.

Takes the C file that the backend renders of `probes`; compiles it, and gives the answers by
the probes' names.  It may be for any target.  `verify` compares them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from xenbind.facts import debug_info
from xenbind.facts.probes import CODES, Answer, Reference
from xenbind.toolchain.compiler import Compiler, failure


def compile_reference(
    source: Path, compiler: Compiler, header: Path | None = None
) -> Path:
    """Compile a reference file with debug information, for `dwarf`; see `start_compiling`."""
    return start_compiling(source, compiler, header, debug_info.OPTIONS)()


def start_compiling(
    source: Path,
    compiler: Compiler,
    header: Path | None = None,
    options: Sequence[str] = (),
) -> Callable[[], Path]:
    """Start to compile a reference file, without linking; gives what waits for the object file.

    `header` is where the one that it includes is, if its name does not tell.  What is given
    raises `SourceError` at the line that C refuses.
    """
    target = source.with_suffix(".o")
    # Without -pipe, gcc writes three times as much as assembly.
    asked = ["-O0", "-w", "-pipe", *options]
    if header is not None:
        asked.append(f'-DXENBIND_HEADER="{header.resolve()}"')
    process = compiler.run([*asked, "-c", str(source), "-o", str(target)])

    def wait() -> Path:
        finished = process.finish()
        if finished.status or finished.exceeded:
            raise failure(finished, source)
        return target

    return wait


_WORDS = {number: word for word, number in CODES.items()}


def answers(path: Path, reference: Reference) -> dict[str, Answer]:
    """What the compiled reference says, by the names of the probes.

    Reads the constant tables out of the object file: no code of it runs, so that it may
    be for any target.
    """
    data = objects(path)
    found: dict[str, Answer] = {}
    asked = (*reference.constants, *reference.numbers)
    numbers = struct.iter_unpack("<Q", data["xenbind_numbers"])
    for probe, (number,) in zip(asked, numbers, strict=True):
        found[probe.name] = number
    for probe, code in zip(reference.words, data["xenbind_words"], strict=True):
        is_expected = code == CODES["expected"]
        other = _WORDS.get(code, "of another class")
        found[probe.name] = probe.expected if is_expected else other
    for index, string in enumerate(reference.strings):
        unit = data[f"xenbind_string_unit_{index}"][0]
        found[string.name] = as_text(data[f"xenbind_string_{index}"], unit)
    for index, floating in enumerate(reference.floats):
        (real,) = struct.unpack("<d", data[f"xenbind_float_{index}"])
        found[floating.name] = real.hex()
    for index, variable in enumerate(reference.float_variables):
        octets = data[f"xenbind_float_variable_{index}"]
        (real,) = struct.unpack({4: "<f", 8: "<d"}[len(octets)], octets)
        found[variable.name] = real.hex()
    names = zip(reference.variable_names, data["xenbind_variables"], strict=True)
    for index, ((name, _), is_signed) in enumerate(names):
        value = int.from_bytes(
            data[f"xenbind_variable_{index}"], "little", signed=bool(is_signed)
        )
        found[f"{name} value"] = value & 0xFFFF_FFFF_FFFF_FFFF
        found[f"{name} negative"] = int(value < 0)
    for index, bit_field in enumerate(reference.bit_fields):
        bits = int.from_bytes(data[f"xenbind_bits_{index}"], "little")
        found[f"{bit_field.name} bit_offset"] = (bits & -bits).bit_length() - 1
        found[f"{bit_field.name} bit_width"] = bits.bit_count()
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
