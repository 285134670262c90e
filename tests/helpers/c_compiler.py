"""A real C compiler as the oracle: what gcc or clang says of a piece of C."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from support import require

INCLUDES = "#include <stdint.h>\n#include <stddef.h>\n#include <string.h>\n#include <stdio.h>\n"


def run_c(
    declarations: str, statements: str, compiler: str = "gcc", *options: str
) -> list[str]:
    """Compile a program of these declarations and the body of main, and give its output lines."""
    text = (
        f"{INCLUDES}{declarations}\nint main(void)\n{{\n{statements}\nreturn 0;\n}}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder) / "oracle.c", Path(folder) / "oracle"
        source.write_text(text)
        command = [
            compiler,
            "-std=gnu11",
            "-w",
            *options,
            str(source),
            "-o",
            str(program),
        ]
        subprocess.run(command, check=True)
        shown = subprocess.run(
            [str(program)], check=True, capture_output=True, text=True
        )
    return shown.stdout.splitlines()


# For each ABI the compilers that make objects for it; nothing compiled so is ever run.
GCC: Mapping[str, str] = {
    "x86_64": "gcc",
    "i386": "i686-linux-gnu-gcc",
    "arm64": "aarch64-linux-gnu-gcc",
    "armhf": "arm-linux-gnueabihf-gcc",
    "riscv64": "riscv64-linux-gnu-gcc",
}
CLANG: Mapping[str, str] = {
    "x86_64": "clang --target=x86_64-linux-gnu",
    "i386": "clang --target=i686-linux-gnu",
    "arm64": "clang --target=aarch64-linux-gnu",
    "armhf": "clang --target=arm-linux-gnueabihf",
    "riscv64": "clang --target=riscv64-linux-gnu",
}


def compile_c(text: str, compiler: str) -> dict[str, bytes]:
    """Compile C to an object file, and give the contents of its objects by name.

    The compiler finds no C library: `text` has to declare what it needs.
    """
    command = compiler.split()
    require(shutil.which(command[0]) is not None, command[0])
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "oracle.c", Path(folder) / "oracle.o"
        source.write_text(text)
        options = ["-std=gnu11", "-w", "-nostdinc", "-c", str(source), "-o"]
        subprocess.run(
            [*command, *options, str(target)], check=True, capture_output=True
        )
        with target.open("rb") as file:
            elf = ELFFile(file)
            symbols: Any = elf.get_section_by_name(".symtab")
            return {
                symbol.name: elf.get_section(symbol["st_shndx"]).data()[
                    symbol["st_value"] : symbol["st_value"] + symbol["st_size"]
                ]
                for symbol in symbols.iter_symbols()
                if symbol["st_info"]["type"] == "STT_OBJECT"
            }
