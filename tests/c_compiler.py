"""A real C compiler as the oracle: what gcc or clang says of a piece of C."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

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
