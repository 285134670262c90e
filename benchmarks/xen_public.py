"""List Xen's headers: what each declares, for which targets, and what is verified of it.

Generates the package of a tree, verifies it for every target that there is a compiler for, by gcc
and by clang, and prints docs/xen-public.md.

    make xen-public                 writes docs/xen-public.md, of /usr/include/xen
    python benchmarks/xen_public.py DIR
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from machine import tool

INSTALLED = Path("/usr/include/xen")
HEAD = """\
# Xen's headers

What `xenbind generate --tree` makes of each of Xen's public headers, and what `xenbind verify`
held against compiled C: sizes, places, kinds and values, for each target on which the header
compiles by itself. `make xen-public` writes this.

- headers: of Debian's libxen-dev {release}
- targets: {targets}, each by gcc and clang, {reports} reports in all
- held against C: {facts} facts; against debug information: {dwarf}
- mismatches: {mismatches}

| header | structs and unions | constants | rings and pages | payloads | targets | facts |
|---|---|---|---|---|---|---|
"""


def main() -> int:
    tree = Path(sys.argv[1]) if sys.argv[1:] else INSTALLED
    with tempfile.TemporaryDirectory() as out:
        options = ["--tree", str(tree), "--out", out, "--json"]
        made = run("generate", *options)
        reports = [
            report
            for cc in ("gcc", "clang")
            for report in run("verify", *options, "--target", "all", "--cc", cc)
        ]
    facts: dict[str, int] = defaultdict(int)
    targets: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        name = Path(report["header"]).resolve().relative_to(tree.resolve()).as_posix()
        facts[name] += report["facts"]
        if report["target"] not in targets[name]:
            targets[name].append(report["target"])
    every = list(dict.fromkeys(target for each in targets.values() for target in each))
    mismatches = sum(len(report["mismatches"]) for report in reports)
    head = HEAD.format(
        release=release(),
        reports=len(reports),
        targets=", ".join(every),
        facts=sum(report["facts"] for report in reports),
        dwarf=sum(report["dwarf_facts"] for report in reports),
        mismatches=mismatches,
    )
    print(head, end="")
    for header in made["versions"]:
        print(row(header, targets[header["name"]], facts[header["name"]]))
    return int(mismatches > 0)


def run(command: str, *options: str) -> Any:
    """Run xenbind, and give what it prints as JSON."""
    ran = subprocess.run(
        [tool("xenbind"), command, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode not in (0, 1) or not ran.stdout:
        raise SystemExit(ran.stderr)
    return json.loads(ran.stdout)


def row(header: dict[str, Any], targets: list[str], facts: int) -> str:
    records = sum("." not in key for key in header["records"])
    shared = [*header["rings"], *header["flex_rings"], *header["pages"]]
    cells = [
        header["name"],
        str(records),
        str(len(header["constants"])),
        ", ".join(shared),
        ", ".join(header["payloads"]),
        ", ".join(targets),
        str(facts),
    ]
    return f"| {' | '.join(cells)} |"


def release() -> str:
    """Give the version of the installed headers, as dpkg knows it."""
    ran = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libxen-dev"],
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout or "of this machine"


if __name__ == "__main__":
    raise SystemExit(main())
