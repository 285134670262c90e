"""The package of all of Xen's headers, made once for all tests that use it.

A fixture, and what these tests need beside the package: how C includes a header of the tree, and
what xenbind reads of one.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import INSTALLED, require, xenbind
from xenbind.ir.abi import X86_64
from xenbind.ir.interface import Interface
from xenbind.options import load_tree
from xenbind.spec import Spec
from xenbind.spec.tree import header_specs
from xenbind.toolchain.targets import TARGETS, Machine
from xenbind.tree import read_one


@dataclass(frozen=True)
class XenTree:
    """The package in its folder, and what `generate` told of each header."""

    out: Path
    told: dict[str, Any]

    def module(self, header: str) -> ModuleType:
        """The module of a header."""
        found: ModuleType = importlib.import_module("xen_public").header(header)
        return found

    def having(self, what: str) -> dict[str, str]:
        """The header of each ring or page, as `what` says: `rings`, `flex_rings`, `pages`."""
        versions = self.told["versions"]
        return {name: each["name"] for each in versions for name in each[what]}


@pytest.fixture(scope="session")
def xen_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XenTree]:
    """The package of the installed headers, which can be imported."""
    own = tmp_path_factory.getbasetemp()
    # Processes that test beside each other share it: the folder around theirs is the run's.
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "xen_tree"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = made_in(folder)
    yield made
    sys.path.remove(str(made.out))


def made_in(folder: Path) -> XenTree:
    """That package, made in a folder unless it is there, and importable from now on."""
    require(INSTALLED.is_dir(), "libxen-dev")
    out, told = folder / "out", folder / "told.json"
    if not told.exists():
        made = xenbind("generate", "--tree", INSTALLED, "--out", out, "--json")
        assert made.returncode == 0, made.stderr
        told.write_text(made.stdout)
    sys.path.insert(0, str(out))
    return XenTree(out, json.loads(told.read_text()))


def declaring(macro: str) -> dict[str, str]:
    """The header of each name that a pattern finds in the headers' own text.

    What xenbind finds is held against it, and tests have a parameter for each.
    """
    return {
        name: path.relative_to(INSTALLED).as_posix()
        for path in sorted(INSTALLED.rglob("*.h"))
        for name in re.findall(macro, path.read_text(errors="replace"), re.MULTILINE)
    }


# Not the macro's own definition, which has no line to itself.
RINGS = declaring(r"^DEFINE_RING_TYPES\((\w+),")


@cache
def _specs() -> dict[str, Spec]:
    return {each.header: each for each in header_specs(load_tree(INSTALLED, None))}


@cache
def interface_of(header: str) -> Interface:
    """What xenbind reads of a header."""
    machine = Machine(TARGETS[X86_64.name], ("gcc",))
    return read_one(load_tree(INSTALLED, None), header, {X86_64.name: machine})


def c_options(header: str) -> list[str]:
    """What gcc is called with for a file that includes a header of the tree by its path there."""
    spec = _specs()[header]
    needs = [word for name in spec.needs for word in ("-include", name)]
    return [*(f"-D{each}" for each in spec.defines), *needs, "-iquote", str(INSTALLED)]
