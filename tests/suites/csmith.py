"""The structs and unions of csmith's random programs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import packages
from suites.declarations import Declaration, split

# Few functions, for time, but members enough.
_OPTIONS = "--max-funcs 3 --max-struct-fields 20 --max-union-fields 10".split()


def program(folder: Path) -> Path:
    """Fetch csmith, and unpack it into `folder`; where the program is."""
    [package] = packages.fetch_alone(packages.host_architecture(), ["csmith"])
    subprocess.run(["dpkg", "-x", package, folder], check=True)
    return folder / "usr/bin/csmith"


def make(csmith: Path, seeds: range) -> list[Declaration]:
    """The types of the programs of these seeds, each with a name of its own."""
    found = []
    for seed in seeds:
        text = subprocess.run(
            [csmith, *_OPTIONS, "--seed", str(seed)],
            cwd=csmith.parent,  # where it leaves a file
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        _, _, types = text.partition("/* --- Struct/Union Declarations --- */")
        types, _, _ = types.partition("/* --- GLOBAL VARIABLES --- */")
        types = re.sub(r"/\*.*?\*/", "", types, flags=re.DOTALL)
        found += split(re.sub(r"\b([SU]\d+)\b", rf"P{seed}_\1", types))
    return found
