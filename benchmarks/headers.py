"""How many of this machine's headers are handled, each by itself, and what stops the others.

Takes every header of the folders below, and of Debian's packages below, that the C compiler
accepts alone, with a spec that says its name and no more (of Xen's also what they all need, which
is the same for each); generates, imports and verifies a package of each.  Prints for each folder
how many come out right, and the causes of the rest, the most frequent first.

    make headers                                           # all of them
    .venv/bin/python benchmarks/headers.py --every 20      # a twentieth
    .venv/bin/python benchmarks/headers.py --folder xen --own-tests

A header is *right* if its package imports, and `verify` finds no mismatch; with `--own-tests`
the package's tests have to pass too.  One with a mismatch is *wrong*, which none may be.  A
*crash* is a traceback.  All else is *refused*, with the first error as its cause.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from machine import PROJECT, print_machine

sys.path.insert(0, str(PROJECT / "tests" / "helpers"))
from forked import run_module
from packages import cache_folder, fetch_alone, unpack

FOLDERS = ("linux", "asm-generic", "drm", "rdma", "sound", "sys", "xen")
# Those that need not be installed, by what their headers are called in the table: the package,
# Debian's suite if it is not this machine's, and the folder in /usr/include.
PACKAGES = {
    "xen 4.20": ("libxen-dev", "trixie", "xen"),
    "libdrm": ("libdrm-dev", "", "libdrm"),
}
OUTCOMES = ("right", "refused", "wrong", "crash")
SECONDS = 120  # of processor time, for one command

_PLACE = re.compile(r"^\S+?:\d+:\d+: ")
_NAME = re.compile(r"'[^']*'|\"[^\"]*\"|\b\d+\b")


@dataclass(frozen=True, slots=True)
class Header:
    """A header by its name in a tree, and what the table calls those that it is among."""

    tree: Path
    name: str
    folder: str

    @property
    def needs(self) -> tuple[str, ...]:
        return ("stdint.h",) if self.folder.startswith("xen") else ()

    @property
    def defines(self) -> tuple[str, ...]:
        return ("__XEN_TOOLS__",) if self.folder.startswith("xen") else ()

    @property
    def options(self) -> list[str]:
        """What a compiler is told of these."""
        needs = [part for name in self.needs for part in ("-include", name)]
        return [*needs, *(f"-D{define}" for define in self.defines)]

    @property
    def spec(self) -> str:
        """The least spec of a package of it."""
        return (
            f'[interface]\nname = "header"\npackage = "of_header"\nheader = "{self.name}"\n'
            f"needs = {[*self.needs]}\ndefines = {[*self.defines]}\n"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a header, and what the first error says of one that is not right."""

    header: Header
    kind: str
    cause: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="each Nth header"
    )
    parser.add_argument("--folder", action="append", help="of these folders alone")
    parser.add_argument("--match", default="", help="headers whose name has this alone")
    parser.add_argument("--cc", default="gcc", help="the compiler")
    parser.add_argument("--jobs", type=int, default=2, help="headers at a time")
    parser.add_argument(
        "--own-tests", action="store_true", help="run the packages' tests"
    )
    parser.add_argument(
        "--least",
        type=float,
        default=0,
        metavar="PERCENT",
        help="so many must be right",
    )
    parser.add_argument(
        "--list", action="store_true", help="name each that is not right"
    )
    options = parser.parse_args()
    print_machine(("xenbind",))
    headers = [
        header
        for header in find(options.cc, options.folder or (*FOLDERS, *PACKAGES))
        if options.match in header.name
    ][:: options.every]
    with ProcessPoolExecutor(options.jobs) as pool:
        accepted = pool.map(is_accepted, headers, [options.cc] * len(headers))
        alone = [header for header, is_c in zip(headers, accepted, strict=True) if is_c]
        runs = [options.cc] * len(alone), [options.own_tests] * len(alone)
        outcomes = []
        for outcome in pool.map(handle, alone, *runs):
            outcomes.append(outcome)
            if options.list and outcome.kind != "right":
                print(
                    f"{outcome.kind}: {outcome.header.name}: {outcome.cause}",
                    flush=True,
                )
    report(outcomes)
    kinds = Counter(outcome.kind for outcome in outcomes)
    too_few = 100 * kinds["right"] < options.least * len(outcomes)
    return int(too_few or bool(kinds["wrong"] or kinds["crash"]))


def find(cc: str, folders: Sequence[str]) -> Iterator[Header]:
    """Find the headers in folders of these names, wherever the compiler searches, and packages."""
    seen: set[str] = set()
    for tree in search_path(cc):
        for folder in folders:
            for path in sorted((tree / folder).rglob("*.h")):
                name = path.relative_to(tree).as_posix()
                if name not in seen:
                    seen.add(name)
                    yield Header(tree, name, folder)
    for title, (package, suite, folder) in PACKAGES.items():
        if title in folders:
            tree = fetched(package, suite)
            for path in sorted((tree / folder).rglob("*.h")):
                yield Header(tree, path.relative_to(tree).as_posix(), title)


def fetched(package: str, suite: str) -> Path:
    """Give the /usr/include of a package that is not installed, empty if it is not to be had."""
    root = cache_folder() / f"{package}-{suite}"
    include = root / "usr" / "include"
    if not include.is_dir():
        try:
            (file,) = fetch_alone("amd64", [package], suite)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            print(f"{package}: {error}", file=sys.stderr)
            return include
        root.mkdir(parents=True, exist_ok=True)
        unpack(file, root)
    return include


def search_path(cc: str) -> list[Path]:
    """Ask the compiler which folders it searches for headers."""
    said = subprocess.run(
        [*cc.split(), "-E", "-v", "-x", "c", os.devnull],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    listed = said.partition("#include <...>")[2].partition("End of search list")[0]
    return [Path(line.strip()) for line in listed.splitlines()[1:]]


def is_accepted(header: Header, cc: str) -> bool:
    """Tell whether the compiler accepts a header alone."""
    command = [*cc.split(), "-fsyntax-only", "-w", "-std=gnu11", "-x", "c"]
    command += header.options
    tried = subprocess.run([*command, header.tree / header.name], capture_output=True)
    return tried.returncode == 0


def handle(header: Header, cc: str, own_tests: bool) -> Outcome:
    """Generate, import and verify a header's package."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.toml"
        spec.write_text(header.spec)
        out = Path(folder) / "out"
        where = ["--spec", str(spec), "--include", str(header.tree), "--out", str(out)]
        for command in ("generate", "verify"):
            arguments = [command, *where, "--cc", cc]
            if found := fault(header, command, run(arguments, folder)):
                return found
        if own_tests:
            tests = [
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                "--color=no",
                str(out / "tests"),
            ]
            done = run_module("pytest", tests, Path(folder), {"PYTHONPATH": str(out)})
            if done.returncode not in (0, 5):
                last = [
                    line for line in done.stdout.splitlines() if line.startswith("E ")
                ]
                return Outcome(header, "wrong", f"its tests: {(last or ['?'])[0]}")
        return Outcome(header, "right")


def run(arguments: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    import resource

    return run_module(
        "xenbind", arguments, Path(folder), {}, {resource.RLIMIT_CPU: SECONDS}
    )


def fault(
    header: Header, command: str, done: subprocess.CompletedProcess[str]
) -> Outcome | None:
    """Tell what a command's end says of a header, None if all is well."""
    said = done.stdout + done.stderr
    if "Traceback" in said or done.returncode < 0:
        last = (said.strip().splitlines() or [""])[-1]
        return Outcome(header, "crash", f"{command}: {last} ({done.returncode})")
    if done.returncode == 0:
        return None
    errors = [line for line in said.splitlines() if "error: " in line]
    if errors:
        return Outcome(header, "refused", f"{command}: {errors[0]}")
    last = (said.strip().splitlines() or [""])[-1]
    return Outcome(header, "wrong", f"{command}: {last}")


def report(outcomes: Sequence[Outcome]) -> None:
    """Print how many there are of each kind in each folder, and the causes."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    causes: Counter[str] = Counter()
    for outcome in outcomes:
        for row in (outcome.header.folder, "all"):
            counts[row][outcome.kind] += 1
        if outcome.cause:
            command, _, error = outcome.cause.partition(": ")
            causes[f"{command}: {_NAME.sub('…', _PLACE.sub('', error))}"] += 1
    print(f"{'':12}", *(f"{kind:>8}" for kind in ("headers", *OUTCOMES)))
    for row in sorted(counts, key=lambda row: (row == "all", row)):
        count = counts[row]
        share = f"{100 * count['right'] / count.total():8.1f} %"
        numbers = (count.total(), *(count[kind] for kind in OUTCOMES))
        print(f"{row:12}", *(f"{number:8}" for number in numbers), share)
    for cause, number in causes.most_common():
        print(f"{number:5} {cause}")


if __name__ == "__main__":
    sys.exit(main())
