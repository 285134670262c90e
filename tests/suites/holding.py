"""Hold types against the targets' compilers, through what a user runs: generate and verify.

What xenbind refuses is taken out and counted by its cause, and so is what needs it; that is
right for what is out of its scope, or where compilers differ. Anything else must agree: C's
answers, debug information, xenbind's rules and the package, on each target, by gcc and by
clang, and on this machine what Python reads and writes.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suites.declarations import Declaration, with_needed
from support import own_tests, xenbind
from xenbind import pipeline, spec
from xenbind.errors import SourceError
from xenbind.toolchain.targets import Machine, find_machines

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
    machines, _ = find_machines(TARGETS, ("gcc",))
    known = {other.name: other for other in others}
    reader = _Reader(folder, machines, found, known, {})
    left: list[Declaration] = []
    for start in range(0, len(types), _TOGETHER):
        batch = reader.readable(types[start : start + _TOGETHER])
        # csmith's types may need those before them.
        reader.known.update((one.name, one) for one in batch)
        left += batch
    found.held = len(left)
    if left:
        names = {one.name for one in left}
        others = [one for one in reader.known.values() if one.name not in names]
        _write(with_needed(left, {one.name: one for one in others}), folder)
        _verify(found, folder)
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads types with xenbind for each target.

    `known` are those that others may need, `gone` the causes of those that it cannot read.
    """

    folder: Path
    machines: Sequence[Machine]
    found: Held
    known: dict[str, Declaration]
    gone: dict[str, str]

    def readable(self, types: Sequence[Declaration]) -> list[Declaration]:
        """Those of the types that xenbind reads; the others are counted by their cause."""
        left = self._without_gone(types)
        while left:
            names = {one.name for one in left}
            text = with_needed(
                left, {k: v for k, v in self.known.items() if k not in names}
            )
            lines = _write(text, self.folder)
            try:
                read = spec.load(self.folder / "types.toml").for_tree(self.folder)
                left_out = {
                    item.coord.line: item.reason
                    for machine in self.machines
                    for item in pipeline.read(
                        read, read.versions[0], machine.command, machine.target.abi
                    ).left_out
                }
                if not left_out:
                    break
                for line, reason in left_out.items():
                    self.gone[lines[line - 1].name] = _cause(reason)
                left = self._without_gone(left)
            except SourceError as error:
                if not error.of_line or error.coord.line > len(lines):
                    self.found.wrong.append(f"told at no type's place: {error}")
                    return []
                culprit = lines[error.coord.line - 1]
                self.gone[culprit.name] = _cause(error.message)
                left = self._without_gone(left)
            except Exception as error:  # any other is a fault in xenbind
                if len(left) > 1:  # which of them it is, they tell one by one
                    return [good for one in left for good in self.readable([one])]
                declared = "\n".join(one.text for one in text)
                self.found.wrong.append(f"{type(error).__name__}: {error}: {declared}")
                return []
        return left

    def _without_gone(self, types: Sequence[Declaration]) -> list[Declaration]:
        """Take out what needs a type that is gone, known ones and these; count these."""
        before = -1
        while before != len(self.gone):
            before = len(self.gone)
            for one in (*self.known.values(), *types):
                for name in one.words & self.gone.keys() - {one.name}:
                    self.gone.setdefault(one.name, self.gone[name])
        for name in self.gone.keys() & self.known.keys():
            del self.known[name]
        refused = [one for one in types if one.name in self.gone]
        self.found.refused.update(self.gone[one.name] for one in refused)
        return [one for one in types if one.name not in self.gone]


def _cause(message: str) -> str:
    """A message without what is of one type alone, and without the place of another."""
    message = re.sub(r" \(\S+:\d+:\d+\)$", "", message)
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
        tests = own_tests(package, CC=shlex.join([compiler]), PYTHONPATH="")
        if tests.returncode:
            found.wrong.append(f"the package's tests with {compiler}: {tests.stdout}")


def _line(folder: Path, number: int) -> str:
    return (folder / "types.h").read_text().splitlines()[number - 1]
