"""What ctypesgen, clang2py and xenbind make of the same headers, all judged by the compiler.

Takes the headers that `headers.py` does; has each contestant write a module of each, and holds
that against what gcc says of the header: the size of every struct and union that it declares,
where each member is, and the value of every constant.  That is `xenbind facts`, which reads
compiled C and debug information and has no part of a parser of C's in it.  Prints how many
headers come out how:

    right     all of that is there, and as C has it
    less      some of it is not there, and nothing is wrong
    refused   no module, for an error that the contestant tells
    broken    the module cannot be imported
    value     a constant has another value than C's, such as the text of an expression
    layout    a size or a place is not C's, or a value besides; `records` counts these

    python -m venv bench && bench/bin/pip install -e '.[bench,test]'
    bench/bin/python benchmarks/peers.py --minutes 15

clang2py needs libclang 14 as well (`apt install libclang1-14`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from machine import print_machine, tool
from xenbind import spec as specs
from xenbind.errors import XenbindError
from xenbind.facts.header_facts import header_facts
from xenbind.pipeline import compiler_for

from headers import FOLDERS, PACKAGES, Header, find, is_accepted

OUTCOMES = ("right", "less", "refused", "broken", "value", "layout")
JUDGE = Path(__file__).with_name("module_judge.py")
SECONDS = 120


@dataclass(frozen=True, slots=True)
class Contestant:
    """A generator: its command, given the header, and the module that it writes.

    In both, `{path}` is the header, in the folder `{tree}` for headers, `{options}` what a
    compiler is told of it, and `{out}` a folder.
    """

    name: str
    command: Sequence[str]
    module: str


CONTESTANTS = (
    Contestant(
        "xenbind",
        "xenbind generate --spec {out}/spec.toml --include {tree} --out {out}/made"
        " --cc gcc".split(),
        "{out}/made/of_header/v0.py",
    ),
    Contestant(
        "ctypesgen",
        [*"ctypesgen {path} -o {out}/made.py --cpp".split(), "gcc -E {options}"],
        "{out}/made.py",
    ),
    Contestant(
        "clang2py",
        [
            *"clang2py -k cdefstum {path} -o {out}/made.py".split(),
            "--clang-args={options}",
        ],
        "{out}/made.py",
    ),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What one contestant made of one header, and why it is no better."""

    contestant: str
    kind: str
    cause: str = ""
    records: int = 0  # whose layout is wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--minutes",
        type=float,
        default=15,
        metavar="N",
        help="how long; the headers come in an order without one",
    )
    parser.add_argument("--folder", action="append", help="of these folders alone")
    parser.add_argument("--jobs", type=int, default=2, help="headers at a time")
    parser.add_argument(
        "--list", action="store_true", help="name each that is not right"
    )
    options = parser.parse_args()
    print_machine(("xenbind", "ctypesgen", "ctypeslib2", "clang"))
    headers = [*find("gcc", options.folder or (*FOLDERS, *PACKAGES))]
    # As many as the time suffices for are a sample, the same on every run.
    Random(0).shuffle(headers)
    counts: dict[bool, dict[str, Counter[str]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    deadline = time.monotonic() + 60 * options.minutes
    with ProcessPoolExecutor(options.jobs) as pool:
        for header, (has_records, judged) in zip(
            headers, pool.map(partial(judge, until=deadline), headers), strict=True
        ):
            for one in judged:
                for among in {False, has_records}:
                    counts[among][one.contestant][one.kind] += 1
                    counts[among][one.contestant]["records"] += one.records
                if options.list and one.kind != "right":
                    print(f"{one.contestant}: {one.kind}: {header.name}: {one.cause}")
    for among, title in ((False, "all headers"), (True, "those with structs")):
        report(title, counts[among])


def judge(header: Header, until: float) -> tuple[bool, list[Judged]]:
    """Judge what all contestants make of a header; it comes with whether that has records.

    Of what the compiler refuses, and of what comes too late, there is nothing.
    """
    tree, name = header.tree, header.name
    if time.monotonic() > until or not is_accepted(header, "gcc"):
        return False, []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        (out / "spec.toml").write_text(header.spec)
        try:
            facts = ask_compiler(out / "spec.toml", tree)
        except XenbindError as error:
            print(f"{name}: {error.message}", file=sys.stderr)
            return False, []
        (out / "facts.json").write_text(json.dumps(facts))
        judged = []
        for contestant in CONTESTANTS:
            options = " ".join(header.options)
            words = {"path": tree / name, "tree": tree, "out": out, "options": options}
            judged.append(judge_one(contestant, words, out))
        return bool(facts["types"]), judged


def ask_compiler(spec: Path, tree: Path) -> dict[str, Any]:
    """Ask gcc what a header has; a macro's text that is no literal is left to itself."""
    loaded = specs.load(spec).for_tree(tree)
    version = loaded.versions[0]
    return header_facts(loaded, version, compiler_for(loaded, version, ("gcc",)), ())


def judge_one(contestant: Contestant, words: Mapping[str, Any], out: Path) -> Judged:
    made = partial(Judged, contestant.name)
    program, *arguments = [word.format(**words) for word in contestant.command]
    module = Path(contestant.module.format(**words))
    module.unlink(missing_ok=True)
    run = quietly([tool(program), *arguments], out)
    if run.returncode or not module.is_file():
        lines = [line for line in run.stderr.splitlines() if "rror" in line]
        return made("refused", (lines or [f"exit status {run.returncode}"])[0])
    asked = quietly(
        [sys.executable, str(JUDGE), str(module), str(out / "facts.json")], out
    )
    if asked.returncode:
        return made("broken", (asked.stderr.strip().splitlines() or ["?"])[-1])
    found = json.loads(asked.stdout.splitlines()[-1])
    for kind in ("layout", "value", "less"):
        if found[kind]:
            return made(kind, found[kind][0], len(found["layout"]))
    return made("right")


def quietly(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, which comes after a time."""
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", "Error: it takes too long")


def report(title: str, counts: Mapping[str, Counter[str]]) -> None:
    headers = sum(next(iter(counts.values()), Counter())[kind] for kind in OUTCOMES)
    print(f"\n{title}: {headers}")
    columns = (*OUTCOMES, "records")
    print(f"{'':12}", *(f"{kind:>8}" for kind in columns))
    for name, count in counts.items():
        numbers = [count[kind] for kind in (*OUTCOMES, "records")]
        share = f"{100 * count['right'] / (headers or 1):8.1f} %"
        print(f"{name:12}", *(f"{number:8}" for number in numbers), share)


if __name__ == "__main__":
    main()
