"""Time and memory with the size of the header, beside other generators, in turns.

Takes headers of 10 to 5,000 structs, written here, and large ones of the machine's; prints a
table for each in Markdown: medians of whole processes, with the most memory that one of them had.
A contestant's children, compilers and workers, count in its time; its memory is that of the
largest process among all.

    make bench-size            all of it
    python benchmarks/size.py -n 1 --most 1000
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from machine import ENVIRONMENT, Failed, print_machine, tool

PEERS = ("ctypesgen", "ctypeslib2", "clang", "xenbind", "black", "pycparser")
SIZES = (10, 100, 1_000, 5_000)
INSTALLED = (
    "linux/bpf.h",
    "linux/nl80211.h",
    "linux/videodev2.h",
    "drm/i915_drm.h",
    "xenctrl.h",
)
INCLUDE = Path("/usr/include")
# What headers want to have been told, beside their names.
NEEDS = {"xenctrl.h": ["stdint.h", "stddef.h", "stdbool.h"]}
TYPES = ("uint8_t", "uint16_t", "uint32_t", "uint64_t", "int32_t", "char", "void *")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds of time and of all processors, and MiB at its largest."""

    wall: float
    cpu: float
    memory: float


def main() -> None:
    parser = argparse.ArgumentParser(description="time and memory with size")
    parser.add_argument("-n", "--runs", type=int, default=3, help="default: 3")
    parser.add_argument("--most", type=int, default=max(SIZES), help="structs at most")
    options = parser.parse_args()
    print_machine(PEERS)
    print(f"medians of {options.runs} runs, taken in turns\n")
    with tempfile.TemporaryDirectory(prefix="xenbind-bench-") as name:
        for title, tree, header in inputs(Path(name), options.most):
            costs = measure(commands(Path(name), tree, header), options.runs)
            print(f"{title}\n\n{table(costs)}\n", flush=True)


def inputs(work: Path, most: int) -> Iterator[tuple[str, Path, str]]:
    """Give titles, folders and names of headers: those made here, then the machine's."""
    for size in SIZES:
        if size <= most:
            tree = work / str(size)
            tree.mkdir()
            (tree / "sized.h").write_text(header_of(size))
            yield f"{size:,} structs of ten members, and as many constants", tree, "sized.h"
    for name in INSTALLED:
        if (INCLUDE / name).is_file():
            yield f"`<{name}>`", INCLUDE, name


def header_of(size: int) -> str:
    """Write a header of structs that differ, and a constant for each."""
    lines = ["#include <stdint.h>"]
    for number in range(size):
        lines += [f"#define CONSTANT_{number} {number}", f"struct record_{number} {{"]
        for member in range(10):
            kind = TYPES[(number + member) % len(TYPES)]
            length = f"[{number % 7 + 1}]" if (number + member) % 5 == 0 else ""
            lines.append(f"    {kind} member_{member}{length};")
        lines.append("};")
    return "\n".join(lines) + "\n"


def commands(work: Path, tree: Path, header: str) -> dict[str, Sequence[str]]:
    spec, out = work / "spec.toml", work / "out"
    needs = NEEDS.get(header, [])
    spec.write_text(
        f'[interface]\nname = "sized"\npackage = "sized"\nheader = "{header}"\n'
        f"needs = {needs}\n"
    )
    xenbind, path = tool("xenbind"), str(tree / header)
    named = ["--spec", str(spec), "--include", str(tree), "--out", str(out)]
    included = " ".join(f"-include {name}" for name in needs)
    return {
        "xenbind generate": [xenbind, "generate", *named],
        "xenbind verify": [xenbind, "verify", *named],
        "ctypesgen": [
            *(tool("ctypesgen"), "--cpp", f"gcc -E {included}"),
            *(path, "-o", str(work / "by_ctypesgen.py")),
        ],
        "clang2py": [
            *(tool("clang2py"), "-k", "cdefstum", f"--clang-args={included}"),
            *(path, "-o", str(work / "by_clang2py.py")),
        ],
    }


def measure(contestants: dict[str, Sequence[str]], runs: int) -> dict[str, list[Cost]]:
    """Run all in turns; one that fails is left out, with a word."""
    costs: dict[str, list[Cost]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, command in contestants.items():
            if name in costs:
                try:
                    costs[name].append(run(name, command))
                except Failed as error:
                    print(f"left out: {error}\n")
                    del costs[name]
    return costs


def run(name: str, command: Sequence[str]) -> Cost:
    if name == "xenbind generate":
        shutil.rmtree(command[-1], ignore_errors=True)
    begun = time.perf_counter()
    try:
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
    except FileNotFoundError:
        raise Failed(f"{name}: {command[0]} is not installed") from None
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{name}: exit status {process.returncode}")
    taken = time.perf_counter() - begun
    return Cost(taken, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def table(costs: dict[str, list[Cost]]) -> str:
    lines = ["| | seconds | of all processors | MiB |", "|---|---|---|---|"]
    for name, found in costs.items():
        wall, cpu = (
            statistics.median(c)
            for c in zip(*((c.wall, c.cpu) for c in found), strict=True)
        )
        most = max(cost.memory for cost in found)
        lines.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {most:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
