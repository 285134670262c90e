"""Speed beside other generators: the same headers, the same machine, the same minutes.

Takes nothing but the peers on this machine; prints whole-process times of ctypesgen,
clang2py and xenbind, import times of what they wrote, and the ratios that xenbind is held
to.  The contestants take turns (A B C, A B C, …), so that a slow minute slows them all,
and each starts warm.  Absolute times are this machine's; only the ratios travel.

The peers go into an environment of their own:

    python -m venv bench && bench/bin/pip install -e '.[bench]'
    bench/bin/python benchmarks/generate.py

clang2py needs libclang 14 as well (`apt install libclang1-14`); without it, its rows are
left out.  The headers are Debian's libxen-dev if installed, else the project's version 7.
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
from dataclasses import dataclass
from pathlib import Path

from machine import ENVIRONMENT, PROJECT, Failed, print_machine, tool

SPEC = PROJECT / "headers" / "vm_event.toml"
INSTALLED = Path("/usr/include/xen")
PEERS = ("ctypesgen", "ctypeslib2", "clang", "xenbind", "black", "pycparser")


@dataclass(frozen=True, slots=True)
class Contestant:
    """A command to time.

    `fresh` is removed before each run, outside the timing.  `made` is a file that must
    name the main struct afterwards, for ctypesgen's exit status does not tell.  With
    `reports`, the command prints its time in milliseconds, which is taken instead.
    """

    name: str
    command: Sequence[str]
    cwd: Path
    fresh: Path | None = None
    made: Path | None = None
    reports: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One contestant may take at most `ratio` times as long as another."""

    name: str
    baseline: str
    ratio: float


CTYPESGEN = "ctypesgen, one version"
CLANG2PY = "clang2py, one version"
COLD = "xenbind generate, one version, cold"
CHECK = "xenbind check, nothing changed"
ALL = "xenbind generate, all versions, cold"
PYTHON = "python -c pass (whole process)"
IMPORT_CTYPESGEN = "ctypesgen's module (whole process)"
IMPORT_XENBIND = "xenbind's package, one version (whole process)"
INSIDE_CTYPESGEN = "ctypesgen's module (import alone)"
INSIDE_XENBIND = "xenbind's package, one version (import alone)"
OWN_CTYPESGEN = "ctypesgen's module (its own share)"
OWN_XENBIND = "xenbind's package, one version (its own share)"

# The modules of the standard library that either imports: whoever has them loaded for
# other reasons pays for its own share alone.
STANDARD = "ctypes.util, enum, glob, platform, re, typing"

TARGETS = (
    Target(CHECK, CTYPESGEN, 0.5),
    Target(COLD, CTYPESGEN, 2.0),
    Target(ALL, CLANG2PY, 3.0),
    Target(INSIDE_XENBIND, INSIDE_CTYPESGEN, 0.5),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="xenbind's speed beside its peers")
    parser.add_argument("-n", "--runs", type=int, default=7, help="default: 7")
    runs = max(1, parser.parse_args().runs)
    with tempfile.TemporaryDirectory(prefix="xenbind-bench-") as name:
        try:
            bench(Path(name), runs)
        except Failed as error:
            sys.exit(f"{error}\nSee the docstring of {Path(__file__).name} for set-up.")


def bench(work: Path, runs: int) -> None:
    tree = headers(work)
    print_heading(tree, runs)
    generation = warm(generators(work, tree), required={CTYPESGEN, COLD, CHECK, ALL})
    times = measure(generation, runs)
    print_times("whole process, milliseconds", times, CTYPESGEN)
    # The package and the module that the last round wrote are there to be imported.
    imports = warm(importers(work), required={INSIDE_CTYPESGEN, INSIDE_XENBIND})
    imported = measure(imports, runs)
    print_times("import, milliseconds", imported, INSIDE_CTYPESGEN)
    print_targets({**times, **imported})


def headers(work: Path) -> Path:
    """A folder with vm_event.h, xen.h and io/ring.h."""
    if (INSTALLED / "vm_event.h").is_file():
        return INSTALLED
    tree = work / "headers"
    shutil.copytree(SPEC.parent / "io", tree / "io")
    shutil.copy(SPEC.parent / "xen.h", tree)
    shutil.copy(SPEC.parent / "4.19" / "vm_event.h", tree)
    return tree


def generators(work: Path, tree: Path) -> list[Contestant]:
    # ctypesgen writes what the headers that it is given declare, so it is given both.
    # clang2py needs one: the other would add comments to its output, at twice the time.
    files = [str(tree / "vm_event.h"), str(tree / "io" / "ring.h")]
    defines = "-D__XEN_TOOLS__ -include stdint.h"
    ctypesgen, clang2py = work / "by_ctypesgen.py", work / "by_clang2py.py"
    one, every = work / "one", work / "all"
    xenbind = tool("xenbind")
    foreign = ["--include", str(tree), "--out", str(one)]
    spec = ["--spec", str(SPEC), "--out", str(every)]
    cpp = ["--cpp", f"gcc -E {defines}"]
    clang = ["-k", "cdefstum", f"--clang-args={defines}"]
    package = Path("xen_vm_event")
    return [
        Contestant(
            CTYPESGEN,
            [tool("ctypesgen"), *cpp, *files, "-o", str(ctypesgen)],
            work,
            ctypesgen,
            ctypesgen,
        ),
        Contestant(
            CLANG2PY,
            [tool("clang2py"), *clang, files[0], "-o", str(clang2py)],
            work,
            clang2py,
            clang2py,
        ),
        Contestant(
            COLD, [xenbind, "generate", *foreign], work, one, one / package / "v7.py"
        ),
        Contestant(CHECK, [xenbind, "check", *foreign], work),
        Contestant(
            ALL, [xenbind, "generate", *spec], work, every, every / package / "v1.py"
        ),
    ]


def importers(work: Path) -> list[Contestant]:
    module = "import by_ctypesgen"
    package = "import xen_vm_event; xen_vm_event.interface(7)"
    return [
        importer(PYTHON, "pass", work),
        importer(IMPORT_CTYPESGEN, module, work),
        importer(IMPORT_XENBIND, package, work / "one"),
        stopwatch(INSIDE_CTYPESGEN, module, work),
        stopwatch(INSIDE_XENBIND, package, work / "one"),
        stopwatch(OWN_CTYPESGEN, module, work, loaded=STANDARD),
        stopwatch(OWN_XENBIND, package, work / "one", loaded=STANDARD),
    ]


def importer(name: str, code: str, cwd: Path) -> Contestant:
    return Contestant(name, [sys.executable, "-c", code], cwd)


def stopwatch(name: str, code: str, cwd: Path, loaded: str = "time") -> Contestant:
    """Times the import within the process, after `loaded` is imported."""
    timed = (
        f"import time, {loaded}; start = time.perf_counter(); {code}; "
        "print((time.perf_counter() - start) * 1000)"
    )
    return Contestant(name, [sys.executable, "-c", timed], cwd, reports=True)


def warm(contestants: Sequence[Contestant], required: set[str]) -> list[Contestant]:
    """Run each once; those that fail and are not required drop out, with a note."""
    able = []
    for contestant in contestants:
        try:
            run(contestant)
        except Failed as error:
            if contestant.name in required:
                raise
            print(f"skipped: {error}\n")
        else:
            able.append(contestant)
    return able


def measure(contestants: Sequence[Contestant], runs: int) -> dict[str, list[float]]:
    """Milliseconds of each run by name, all contestants taking turns."""
    times: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for _ in range(runs):
        for contestant in contestants:
            times[contestant.name].append(run(contestant))
    return times


def run(contestant: Contestant) -> float:
    if contestant.fresh:
        remove(contestant.fresh)
    start = time.perf_counter()
    try:
        process = subprocess.run(
            contestant.command,
            cwd=contestant.cwd,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise Failed(
            f"{contestant.name}: {contestant.command[0]} is not installed"
        ) from None
    taken = (time.perf_counter() - start) * 1000
    if process.returncode:
        last = (process.stderr or process.stdout).strip().splitlines()[-1:]
        raise Failed(f"{contestant.name}: {''.join(last) or 'failed'}")
    if contestant.made and "vm_event_st" not in contestant.made.read_text():
        raise Failed(f"{contestant.name}: wrote no struct vm_event_st")
    return float(process.stdout) if contestant.reports else taken


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def print_heading(tree: Path, runs: int) -> None:
    print_machine(PEERS)
    print(f"headers of {tree}; medians of {runs} runs, taken in turns\n")


def print_times(title: str, times: dict[str, list[float]], baseline: str) -> None:
    base = statistics.median(times[baseline])
    print(f"{title:<48}{'median':>8}{'min':>8}{'max':>8}  ratio to {baseline}")
    for name, taken in times.items():
        median = statistics.median(taken)
        columns = "".join(f"{ms:8.1f}" for ms in (median, min(taken), max(taken)))
        print(f"{name:<48}{columns}  {median / base:.2f}")
    print()


def print_targets(times: dict[str, list[float]]) -> None:
    print("targets")
    for target in TARGETS:
        goal = f"{target.name} <= {target.ratio:g} x {target.baseline}"
        if target.name not in times or target.baseline not in times:
            print(f"  -        {goal}: not measured")
            continue
        taken = statistics.median(times[target.name])
        ratio = taken / statistics.median(times[target.baseline])
        verdict = "met   " if ratio <= target.ratio else "MISSED"
        print(f"  {verdict}   {goal}: {ratio:.2f}")


if __name__ == "__main__":
    main()
