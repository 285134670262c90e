"""Hold types against the targets' compilers, through what a user runs: generate and verify.

What xenbind refuses is taken out and counted by its cause, and so is what needs it; that is
right for what is out of its scope, or where compilers differ. Anything else must agree: C's
answers, debug information, xenbind's rules and the package, on each target, by gcc and by
clang, and on this machine what Python reads and writes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suites.declarations import Declaration, with_needed
from support import xenbind
from xenbind import pipeline, spec
from xenbind.errors import SourceError

TARGETS = ["x86_64", "i386", "arm64"]
COMPILERS = ["gcc", "clang"]

_SPEC = """\
[interface]
name = "types"
package = "xen_types"
header = "types.h"
needs = ["stddef.h", "stdint.h", "string.h"]
"""
# Read together; a refusal costs as much as reading all of them again.
_TOGETHER = 10


@dataclass(slots=True)
class Held:
    """How many types were held against each target, what was refused, and what is wrong."""

    held: int = 0
    facts: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def hold(
    types: Sequence[Declaration], others: Sequence[Declaration], folder: Path
) -> Held:
    """Hold types against C, with those of the others that they need; `folder` is for files."""
    found = Held()
    known = {other.name: other for other in others}
    left: list[Declaration] = []
    for start in range(0, len(types), _TOGETHER):
        left += _readable(types[start : start + _TOGETHER], known, left, found, folder)
    found.held = len(left)
    if left:
        _write(with_needed(left, known), folder)
        _verify(found, folder)
    return found


def _readable(
    types: Sequence[Declaration],
    known: dict[str, Declaration],
    before: Sequence[Declaration],
    found: Held,
    folder: Path,
) -> list[Declaration]:
    """Those of the types that xenbind reads; a type may need one of those `before` it.

    What is refused of the `known` ones leaves them, so that it is refused once.
    """
    left = list(types)
    earlier = {declaration.name: declaration for declaration in before}
    while left:
        text = with_needed(left, {**known, **earlier})
        lines = _write(text, folder)
        try:
            read = spec.load(folder / "types.toml").for_tree(folder)
            _, layouts = pipeline.read_for_all(read, read.versions[0], ("gcc",))
            layouts()
            break
        except SourceError as error:
            place = error.coord.line - 1 if error.of_line else len(lines)
            if place >= len(lines):
                found.wrong.append(f"no place of a type: {error}")
                break
            culprit, cause = lines[place], _cause(error.message)
        except Exception as error:  # any other is a fault in xenbind
            found.wrong.append(f"{type(error).__name__}: {error}")
            if len(left) == 1:
                found.wrong.append("\n".join(one.text for one in text))
                return []
            # Which of them it is, they tell one by one.
            return [
                good
                for one in left
                for good in _readable([one], known, before, found, folder)
            ]
        gone = {culprit.name}
        while True:
            users = [one for one in (*known.values(), *left) if one.words & gone]
            if {one.name for one in users} <= gone:
                break
            gone |= {one.name for one in users}
        for name in gone & known.keys():
            del known[name]
        found.refused[cause] += sum(one.name in gone for one in left)
        left = [one for one in left if one.name not in gone]
    return left


def _cause(message: str) -> str:
    """A message without what is of one type alone."""
    message = re.sub(r"_Complex [\w ]+", "_Complex …", message)
    return re.sub(r"\b[SU]?\d+\b", "N", message)


def _write(declarations: Sequence[Declaration], folder: Path) -> list[Declaration]:
    """Write a header and its spec; gives for each line what is declared there."""
    (folder / "types.toml").write_text(_SPEC)
    (folder / "types.h").write_text(
        "".join(f"{declaration.text}\n" for declaration in declarations)
    )
    return [one for one in declarations for _ in one.text.splitlines()]


def _verify(found: Held, folder: Path) -> None:
    """Generate the package, verify it for each target, and run its own tests."""
    files = ("--spec", folder / "types.toml", "--include", folder)
    package = folder / "package"
    made = xenbind("generate", *files, "--out", package)
    if made.returncode:
        found.wrong.append(f"generate: {made.stderr}")
        return
    targets = [word for target in TARGETS for word in ("--target", target)]
    for compiler in COMPILERS:
        ran = xenbind(
            *("verify", *files, "--out", package, "--cc", compiler, "--json"), *targets
        )
        try:
            reports = json.loads(ran.stdout)
        except ValueError:
            found.wrong.append(f"verify by {compiler}: {ran.stderr}")
            continue
        for report in reports:
            found.facts += report["facts"]
            found.wrong += [
                f"{report['target']} {report['compiler']}: {mismatch['fact']}: "
                f"{mismatch['said']}: {_line(folder, mismatch['line'])}"
                for mismatch in report["mismatches"]
            ]
    for compiler in COMPILERS:
        tests = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
            cwd=package,
            env={**os.environ, "CC": shlex.join([compiler]), "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        if tests.returncode:
            found.wrong.append(f"the package's tests with {compiler}: {tests.stdout}")


def _line(folder: Path, number: int) -> str:
    return (folder / "types.h").read_text().splitlines()[number - 1]
