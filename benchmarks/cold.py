"""A first run with one small header, beside other generators, in turns.

Builds xenbind's wheel and installs it in an environment of its own; prints milliseconds of whole
processes, medians and the least, and their ratio to ctypesgen's.  A first run has an empty cache
folder.

    python benchmarks/cold.py
    python benchmarks/cold.py -n 51
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from machine import ENVIRONMENT, PROJECT, print_machine, tool

sys.path.insert(0, str(PROJECT / "tests" / "helpers"))
from installed import built, installed

HEADER = """\
#include <stdint.h>

#define PAIR_MAX 16

struct pair { uint32_t a; uint32_t b; char name[PAIR_MAX]; };
"""
SPEC = """\
[interface]
name = "small"
header = "small.h"
package = "small"
"""
# By name: the command, and whether its cache folder is emptied before each run.
Contestants = dict[str, tuple[Sequence[str], bool]]


def main() -> None:
    parser = argparse.ArgumentParser(description="a first run with a small header")
    parser.add_argument("-n", "--runs", type=int, default=21)
    options = parser.parse_args()
    print_machine(("ctypesgen", "ctypeslib2", "clang", "xenbind", "black", "jinja2"))
    with tempfile.TemporaryDirectory(prefix="xenbind-bench-") as name:
        work = Path(name)
        (work / "small.h").write_text(HEADER)
        (work / "small.toml").write_text(SPEC)
        found = contestants(work)
        costs: dict[str, list[float]] = {each: [] for each in found}
        for turn in range(options.runs + 1):
            for each, (command, is_first) in found.items():
                cost = run(command, is_first, work)
                if turn:  # the first one had the system read all files
                    costs[each].append(cost)
    print(f"\nmedians and the least of {options.runs} runs, in turns, in ms:\n")
    print(table(costs))


def contestants(work: Path) -> Contestants:
    own = ["generate", "--spec", "small.toml", "--out", "out"]
    python = installed(built(PROJECT, work), work / "environment")
    wheel = [str(python.with_name("xenbind")), *own]
    return {
        "ctypesgen": ([tool("ctypesgen"), "--output", "small.py", "small.h"], False),
        "clang2py": ([tool("clang2py"), "--output", "small.py", "small.h"], False),
        "xenbind, the first run": (wheel, True),
        "xenbind, another run": (wheel, False),
        "xenbind of a checkout, the first run": ([tool("xenbind"), *own], True),
    }


def run(command: Sequence[str], is_first: bool, work: Path) -> float:
    """Give the seconds that a run takes which makes its output anew."""
    cache = work / "cache"
    shutil.rmtree(work / "out", ignore_errors=True)
    if is_first:
        shutil.rmtree(cache, ignore_errors=True)
    begin = time.perf_counter()
    subprocess.run(
        command,
        cwd=work,
        env={**ENVIRONMENT, "XDG_CACHE_HOME": str(cache)},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - begin


def table(costs: dict[str, list[float]]) -> str:
    """Write a row for each contestant, as Markdown."""
    rows = ["| | ms | least | of ctypesgen's |", "|---|---:|---:|---:|"]
    beside = statistics.median(costs["ctypesgen"])
    for name, found in costs.items():
        middle = statistics.median(found)
        numbers = f"{1e3 * middle:.0f} | {1e3 * min(found):.0f} | {middle / beside:.2f}"
        rows.append(f"| {name} | {numbers} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
