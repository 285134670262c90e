"""CONTRIBUTING names every file of the generator once, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from support import PROJECT

# What holds no code of its own.
_UNNAMED = re.compile(r".*/__init__\.py|.*/__pycache__/.*|.*\.pyc|.*/libc/.*")


def listed() -> list[str]:
    """The paths that its lists of files name, each below its folder."""
    folder, found = "", []
    for line in (PROJECT / "CONTRIBUTING.md").read_text().split("\n"):
        if heading := re.match(r"\*\*`(.+/)`\*\*: ", line):
            folder = heading[1]
        elif entry := re.match(r"- `(.+?)`: ", line):
            found.append(folder + entry[1])
    return found


def test_every_file_has_its_line() -> None:
    present = {
        path.relative_to(PROJECT).as_posix()
        for root in ("codegen", "runtime", "templates")
        for path in Path(PROJECT / root).rglob("*")
        if path.is_file()
    }
    wanted = {name for name in present if not _UNNAMED.fullmatch(name)}
    wanted |= {"codegen/xenbind/toolchain/libc/", "templates/package/__init__.py.jinja"}
    assert sorted(listed()) == sorted(wanted)
