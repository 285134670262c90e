"""The pages of what was measured: the peers beside xenbind, and what is verified."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from reference_pages.markdown import fill, table

PROJECT = Path(__file__).parent.parent
COMPILERS = ("gcc", "clang")


def peers() -> str:
    """Give the page of the peers."""
    return fill("peers.md.jinja")


def verified() -> str:
    """Give the page of what is verified, with the numbers of the commands that do it."""
    xens = (PROJECT / "docs" / "xen-public.md").read_text(encoding="utf-8")
    return fill(
        "verified.md.jinja",
        targets=table(
            [
                "target",
                "compiler",
                "versions",
                "against C",
                "against DWARF",
                "mismatches",
            ],
            (row for compiler in COMPILERS for row in target_rows(compiler, "all")),
        ),
        xens="\n".join(re.findall(r"^- .*", xens, re.MULTILINE)),
        tests=_own_tests(),
    )


def target_rows(compiler: str, target: str) -> Iterator[list[str]]:
    """Ask `xenbind verify`, and give a row of the table for each target."""
    command = ["verify", "--cc", compiler, "--target", target, "--json"]
    counts: dict[str, Counter[str]] = {}
    for report in json.loads(_run("-m", "xenbind", *command)):
        count = counts.setdefault(report["target"], Counter())
        count["versions"] += 1
        count["facts"] += report["facts"]
        count["dwarf"] += report["dwarf_facts"]
        count["mismatches"] += len(report["mismatches"])
    for name, count in counts.items():
        numbers = [count[key] for key in ("versions", "facts", "dwarf", "mismatches")]
        yield [name, compiler, *map(str, numbers)]


def _own_tests() -> str:
    """Count the package's own tests."""
    told = _run("-m", "pytest", "--collect-only", "-q", "generated/tests")
    return told.split("\n\n")[-1].split()[0]


def _run(*arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode not in (0, 1) or not ran.stdout:
        raise SystemExit(ran.stderr)
    return ran.stdout
