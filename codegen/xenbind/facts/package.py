"""Ask a generated package of itself: a source of facts beside C and DWARF.

Takes the folder of a package and a version; gives what `python -m PACKAGE.runtime.layout`
says of its classes and constants, under the names of `probes`.  `verify` holds them
against the compiler's, `generate` against the new header's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from xenbind.errors import OutputError
from xenbind.facts.probes import Answer


def ask_package(package: str, out: Path, version: int) -> dict[str, Answer]:
    """What the generated classes say, in a process of their own."""
    process = subprocess.run(
        [sys.executable, "-m", f"{package}.runtime.layout", str(version)],
        env={
            **os.environ,
            "PYTHONPATH": str(out.resolve()),
            "PYTHONSAFEPATH": "1",  # no package of the same name where the user is
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        last = process.stderr.strip().splitlines()[-1:] or ["no message"]
        raise OutputError(
            f"cannot import {package} version {version} from {out}: {last[0]}",
            "run `xenbind generate` with the same --out first",
        )
    facts: dict[str, Answer] = json.loads(process.stdout)
    return facts
