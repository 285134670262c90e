"""Ask compiled C of an interface: read an object file that is never run.

Takes the reference C file that the backend renders of `probes`; compiles it, and gives the
answers by the probes' names.  It may be for any target.  `verify` compares them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from xenbind.facts import dwarf
from xenbind.facts.probes import Reference
from xenbind.toolchain.compiler import Compiler, first_error


def compile_reference(source: Path, compiler: Compiler) -> Path:
    """Compile a reference file, without linking or running it; gives the object file.

    It has debug information, for `dwarf`.  Raises `SourceError` at the line that C refuses.
    """
    target = source.with_suffix(".o")
    options = ["-O0", "-w", *dwarf.OPTIONS, "-c", str(source), "-o", str(target)]
    finished = compiler.run(options).finish()
    if finished.status or finished.exceeded:
        raise first_error(finished, source)
    return target


def answers(path: Path, reference: Reference) -> dict[str, int]:
    """What the compiled reference says, by the names of the probes.

    Reads the constant tables out of the object file: no code of it runs, so that it may
    be for any target.
    """
    with path.open("rb") as file:
        elf = ELFFile(file)
        symbols: Any = elf.get_section_by_name(".symtab")
        data = {
            symbol.name: elf.get_section(symbol["st_shndx"]).data()[
                symbol["st_value"] : symbol["st_value"] + symbol["st_size"]
            ]
            for symbol in symbols.iter_symbols()
            if symbol.name.startswith("xenbind_")
            and isinstance(symbol["st_shndx"], int)
            and symbol["st_info"]["type"] == "STT_OBJECT"
        }
    found = {}
    row = reference.name_size + 8
    table = data["xenbind_facts"]
    for start in range(0, len(table), row):
        name = table[start : start + reference.name_size].rstrip(b"\0").decode()
        found[name] = int.from_bytes(
            table[start + reference.name_size : start + row], "little"
        )
    for index, probe in enumerate(reference.bit_fields):
        bits = int.from_bytes(data[f"xenbind_bits_{index}"], "little")
        found[f"{probe.name} bit_offset"] = (bits & -bits).bit_length() - 1
        found[f"{probe.name} bit_width"] = bits.bit_count()
    return found
