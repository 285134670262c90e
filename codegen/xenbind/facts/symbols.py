"""Ask an installed library which functions it has: its dynamic symbols.

Takes the library's name; gives what the library exports that Python would load by it, or that
a compiler would link with.  `verify` compares it with the functions of the headers.  The other
way round it takes functions, and gives the libraries that have them, for `init`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from xenbind.errors import SystemFailure
from xenbind.facts.probes import Answer
from xenbind.ir.interface import Function
from xenbind.plain import Struct
from xenbind.source import Coord
from xenbind.toolchain.compiler import start
from xenbind.toolchain.process import Bounded
from xenbind.toolchain.targets import Target

_SYMBOL = " symbol"
_THERE, _MISSING = "defined", "missing"


class Installed(Struct, frozen=True):
    """A library of the machine, and the functions that it exports.

    `name` is what programs that were linked with it load it by.
    """

    path: Path
    name: str
    exported: frozenset[str]

    def answers(self, functions: Iterable[Function]) -> dict[str, Answer]:
        """Say of each function whether it is there."""
        return {
            f"{each.name}{_SYMBOL}": (
                _THERE if each.symbol in self.exported else _MISSING
            )
            for each in functions
        }


def expected(functions: Iterable[Function]) -> dict[str, Answer]:
    """Say the same as the headers have it."""
    return {f"{each.name}{_SYMBOL}": _THERE for each in functions}


def coords(functions: Iterable[Function]) -> dict[str, Coord]:
    """Give the header's place behind each of these facts."""
    return {f"{each.name}{_SYMBOL}": each.coord for each in functions}


def installed(
    name: str, releases: Sequence[str], command: tuple[str, ...]
) -> Installed | None:
    """Find a library where the compiler looks for those of its target; None without it.

    One that is named after a release is the one that programs are linked with, if that is
    of one of the releases, where any are known.  Raises `SystemFailure` for a file that is no
    library.
    """
    wanted = f"{name.partition('.so')[0]}.so" if "{release}" in name else name
    said = start([*command, f"-print-file-name={wanted}"]).finish().output
    path = Path(said.decode("utf-8", errors="surrogateescape").strip())
    if not path.is_absolute() or not path.is_file():
        return None
    path = path.resolve()
    if releases and not any(_is_called(path, name, release) for release in releases):
        return None
    return _read(path)


def loaded(name: str, releases: Sequence[str], target: Target) -> Installed | None:
    """Find a library where this machine's dynamic loader does, as ctypes has it; None without it.

    It looks through the folders of $LD_LIBRARY_PATH, then through its cache, and passes over
    what is of another machine (ld.so(8)).  Raises `SystemFailure` for a file that is no library.
    """
    named = releases if "{release}" in name else ("",)
    names = [name.replace("{release}", release) for release in named]
    searched = os.environ.get("LD_LIBRARY_PATH", "")
    folders = re.split("[:;]", searched) if searched else []
    for path in (*(Path(f, n) for f in folders for n in names), *_cached(names)):
        if path.is_file():
            found = _read(path.resolve(), target)
            if found is not None:
                return found
    return None


def _cached(names: Sequence[str]) -> Iterator[Path]:
    """Give the files that the loader's cache has for the names; none where there is no cache."""
    listing = shutil.which("ldconfig", path=f"{os.defpath}:/sbin:/usr/sbin")
    if listing is None:
        return
    said = Bounded([listing, "-p"]).finish().output
    for line in said.decode("utf-8", errors="surrogateescape").splitlines():
        called, arrow, path = line.strip().rpartition(" => ")
        if arrow and called.partition(" (")[0] in names:
            yield Path(path)


def _read(path: Path, target: Target | None = None) -> Installed | None:
    """Read which functions a library exports; None if it is for another target than this."""
    try:
        return _library(path, target)
    except (OSError, ELFError) as error:
        raise SystemFailure(
            f"cannot read the symbols of {path}: {error}",
            "install the library anew, or correct 'library' in the spec",
        ) from None


def having(symbols: Sequence[str], command: tuple[str, ...]) -> list[Installed]:
    """Find the libraries that export some of these, where the compiler's linker looks."""
    said = start([*command, "-print-search-dirs"]).finish().output
    searched = _SEARCHED.search(said.decode("utf-8", errors="surrogateescape"))
    folders = searched[1].split(":") if searched else []
    paths = {
        path.resolve() for folder in folders for path in Path(folder).glob("lib*.so*")
    }
    # Some of them will do, of as many symbols as it has: of each library all its text is read.
    sought = [
        symbol.encode() + b"\0" for symbol in symbols[:: len(symbols) // _SOUGHT + 1]
    ]
    found = []
    for path in sorted(paths):
        with suppress(OSError, ELFError):  # a linker's script, or no library at all
            library = _library(path) if _mentions(path, sought) else None
            if library is not None and not library.exported.isdisjoint(symbols):
                found.append(library)
    return found


_SEARCHED = re.compile(r"^libraries: =?(.*)$", re.M)
_SOUGHT = 8


def _mentions(path: Path, sought: Sequence[bytes]) -> bool:
    """Tell whether a library exports or uses one of these: that takes no look at each symbol."""
    with path.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".dynstr")
        text = section.data() if section else b""
        return any(name in text for name in sought)


def _library(path: Path, target: Target | None = None) -> Installed | None:
    with path.open("rb") as file:
        elf = ELFFile(file)
        if target is not None and (elf["e_machine"], elf.elfclass) != target.elf:
            return None
        name = _name(elf) or path.name
        return Installed(path, name, frozenset(_exported(elf)))


def _is_called(path: Path, name: str, release: str) -> bool:
    wanted = name.replace("{release}", release)
    return path.name == wanted or path.name.startswith(f"{wanted}.")


def _name(elf: Any) -> str | None:
    section = elf.get_section_by_name(".dynamic")
    for tag in section.iter_tags("DT_SONAME") if section else ():
        return str(tag.soname)
    return None


def _exported(elf: Any) -> Iterable[str]:
    table = elf.get_section_by_name(".dynsym")
    for symbol in table.iter_symbols() if table else ():
        if (
            symbol["st_shndx"] != "SHN_UNDEF"
            and symbol["st_info"]["bind"] != "STB_LOCAL"
        ):
            yield symbol.name
