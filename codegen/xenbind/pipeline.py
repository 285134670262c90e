"""Run the stages in order: from a spec to the IR of one of its versions.

Takes a `Spec`, a version of it and a compiler command; gives its `Interface`: the
header read by `frontend` and lowered by `lowering`.  The commands start here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from pathlib import Path

from xenbind import header_tree
from xenbind.errors import CompilerError, SourceError, refuse_all
from xenbind.frontend.elsewhere import Elsewhere, read_elsewhere
from xenbind.frontend.header import (
    Begun,
    ParsedHeader,
    begin,
    own_files,
    parsed,
    read_types,
)
from xenbind.frontend.system_needs import may_pack_others, uses_system_names
from xenbind.frontend.target_macros import asks_for_target
from xenbind.ir.abi import X86_64, Abi
from xenbind.ir.interface import Interface, Layouts, Record
from xenbind.lowering.lower import Lowered, lower, lower_records
from xenbind.plain import replace
from xenbind.resources import package
from xenbind.source import IDENTIFIER, Coord
from xenbind.spec import Spec, VersionSpec
from xenbind.toolchain.angled import angled_folders
from xenbind.toolchain.compiler import Compiler, is_missing_file
from xenbind.toolchain.predefined import predefined
from xenbind.toolchain.system_headers import system_folders
from xenbind.toolchain.targets import machine_of
from xenbind.workers import Beside


def compiler_for(
    spec: Spec,
    version: VersionSpec,
    command: tuple[str, ...],
    system: tuple[Path, ...] | None = None,
) -> Compiler:
    """Give the compiler as every read of this version's header uses it.

    `system` are the folders that it searches by itself, if they are known.
    """
    system = system_folders(command) if system is None else system
    is_own = spec.has_own_libc or not system
    libc = package() / "toolchain" / "libc" if is_own else None
    include = tuple(dict.fromkeys([version.directory, *spec.include]))
    return Compiler(
        command=command,
        libc=libc,
        include=include,
        defines=spec.defines,
        needs=spec.needs,
        angled=angled_folders(
            header=version.directory / spec.header,
            needs=spec.needs,
            include=include,
            system=system if libc is None else (libc,),
        ),
    )


def read(
    spec: Spec, version: VersionSpec, command: tuple[str, ...], abi: Abi = X86_64
) -> Interface:
    """Read one version's header into the IR, as it is on `abi`.

    `command` is a compiler for that ABI: what its preprocessor predefines must fit.

    Raises `SourceError` where the header is wrong, in the words of the C compiler if it
    is the one to say so, and as `header_tree.require` does where there is none.
    """
    with deep_recursion(version.directory / spec.header):
        begun = _begin(spec, version, command)
        asking = _asking_for_target(begun, spec, version)
        return _finish(spec, version, begun, asking, abi).interface


Records = Mapping[str, Record]


def read_for_all(
    spec: Spec,
    version: VersionSpec,
    command: tuple[str, ...],
    beside: Beside = lambda reading: reading,
) -> tuple[Interface, Callable[[], Layouts]]:
    """Read a header for x86_64, and give what lays its records out on every ABI when called.

    The header is preprocessed and parsed once, by one compiler, unless it asks for its
    target's macros: then each target that there is a compiler for preprocesses it too, `beside`
    the parsing, and parses it where that makes other types of it, each `beside` the others; the
    layouts lack the rest.  Raises as `read` does.
    """
    path = version.directory / spec.header
    with deep_recursion(path):
        begun = _begin(spec, version, command)
        elsewhere = None
        asking = _asking_for_target(begun, spec, version)
        if asking is not Asking.NOTHING:
            others = partial(
                read_elsewhere, begun, partial(compiler_for, spec, version)
            )
            elsewhere = beside(others)
        lowered = _finish(spec, version, begun, asking, X86_64)

    def layouts() -> Layouts:
        with deep_recursion(path):
            if elsewhere is None:
                return lowered.layouts()
            return _layouts_by_target(spec, begun, lowered, elsewhere(), beside)

    return lowered.interface, layouts


def read_and_lay_out(
    spec: Spec, version: VersionSpec, command: tuple[str, ...]
) -> tuple[Interface, Layouts]:
    """Read a header for x86_64, and lay its records out on every ABI, as `read_for_all` does."""
    interface, layouts = read_for_all(spec, version, command)
    return interface, layouts()


def _layouts_by_target(
    spec: Spec,
    begun: Begun,
    lowered: Lowered,
    elsewhere: Mapping[str, Elsewhere | None],
    beside: Beside,
) -> Layouts:
    """Lay out the types of a header as each target's compiler reads it.

    Where they are those of the header as read already, it is not parsed again.  A header that a
    compiler refuses has nothing there.
    """

    def records(there: Elsewhere) -> Records:
        with deep_recursion(begun.path):
            known = lowered.interface.records_by_key
            asked = {word for key in known for word in IDENTIFIER.findall(key)}
            theirs = read_types(begun, there.text, asked, spec.library is not None)
            return lower_records(theirs, spec, there.abi, known)

    def laid_out(there: Elsewhere | None) -> Callable[[], Records]:
        if there is None:
            return dict
        if lowered.types.are_free_of(there.names):
            return partial(lowered.types.records_on, there.abi)
        return beside(partial(records, there))

    waiting = {name: laid_out(there) for name, there in elsewhere.items()}
    found: dict[str, Records] = {}
    for name, wait in waiting.items():
        try:
            found[name] = wait()
        except SourceError:
            found[name] = {}
    return found


# Room for structs in 250 levels; the parser takes 12 calls for each.
_RECURSION = 4000


@contextmanager
def deep_recursion(header: Path) -> Iterator[None]:
    """Make room for a header that nests deep.  Raises `SourceError` if it nests too deep."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(_RECURSION)
    try:
        yield
    except RecursionError:
        raise SourceError(
            Coord(str(header), 1, 1),
            "the header nests structs, types or expressions too deep, or has too many"
            " operators in one",
            "C promises no more than 63 levels (C11 5.2.4.1): take some out, and give parts"
            " of a long expression enumerators of their own",
            of_line=False,
        ) from None
    finally:
        sys.setrecursionlimit(before)


# What glibc has compilers include before any header: its macros begin with __STDC_.
_UNASKED = "stdc-predef.h"


class Asking(Enum):
    """Which files of a header ask for the target's macros, so that it may be another elsewhere."""

    NOTHING = auto()
    INCLUDED = auto()
    OWN = auto()


def _asking_for_target(begun: Begun, spec: Spec, version: VersionSpec) -> Asking:
    """Tell what of a header asks for the target's macros; the spec's macros are its own.

    What it includes does so if it uses what a system header that asks for them declares, or is
    packed by one.
    """
    if _own_ask_for_target(begun, spec, version):
        return Asking.OWN
    system = begun.preprocessed.system
    texts = _texts(begun)
    own = {file: text for file, text in texts.items() if file not in system}
    included = [text for file, text in texts.items() if file in system]
    if asks_for_target(included) and (
        uses_system_names(begun.preprocessed, own) or may_pack_others(included)
    ):
        return Asking.INCLUDED
    return Asking.NOTHING


def _own_ask_for_target(begun: Begun, spec: Spec, version: VersionSpec) -> bool:
    """Tell whether the header's own files do: those that are no system headers.

    Of a header that is made of system headers these are its own, with all that they include.
    """
    system = begun.preprocessed.system
    texts = _texts(begun)
    own = (text for file, text in texts.items() if file not in system)
    if asks_for_target([*own, *spec.defines]):
        return True
    found = own_files(begun, begun.preprocessed)
    if system.isdisjoint({*found, *_parts(spec, version)}):
        return False
    return asks_for_target(texts.values())


def _parts(spec: Spec, version: VersionSpec) -> frozenset[str]:
    """Give the files beside the header whose declarations are the interface's own, too."""
    return frozenset(str(version.directory / part) for part in spec.parts)


def _texts(begun: Begun) -> dict[str, str]:
    """Give what was read, by file, but for what comes with xenbind: that is the same everywhere."""
    ours = str(package())
    return {
        file: begun.sources.text(file)
        for file in begun.preprocessed.files
        if not file.startswith(ours) and Path(file).name != _UNASKED
    }


def _require_words_of(abi: Abi, command: tuple[str, ...]) -> None:
    """Raise `CompilerError` if a compiler's words are not as wide as those of `abi`.

    Of a header that asks for its target's macros it selects what is not for that ABI. The
    machines of 64 bits have all but a char's sign in common, so that each can generate.
    """
    octets = predefined(command).get("__SIZEOF_POINTER__")
    if octets != str(abi.pointer):
        target = _target_of(command) or "a machine that xenbind does not know"
        raise CompilerError(
            f"{' '.join(command)} compiles for {target}, where the header may be another"
            f" one than for {abi.name}, for which it is read: it asks for its target's macros",
            "name a compiler for 64 bits with --cc or CC, without -m32; for others there are"
            " 'xenbind verify --target' and the package's abi.md",
        )


def _target_of(command: tuple[str, ...]) -> str:
    """Name the machine that a compiler is for; empty for one that xenbind does not know."""
    try:
        return machine_of(command).target.name
    except CompilerError:
        return ""


def _begin(spec: Spec, version: VersionSpec, command: tuple[str, ...]) -> Begun:
    header_tree.require(spec, version)
    compiler = compiler_for(spec, version, command)
    try:
        return begin(version.directory / spec.header, compiler)
    except SourceError as error:
        if compiler.libc is not None and not spec.has_own_libc:
            refuse_all(_without_c_library(each, command) for each in error.each)
        raise


def _without_c_library(error: SourceError, command: tuple[str, ...]) -> SourceError:
    """Give an error with the advice that it may be the C library that is missing, if it may."""
    if not is_missing_file(error.message):
        return error
    return SourceError(
        error.coord,
        error.message,
        f"if it is the C library's, install that for {command[0]}, which has none, so that few"
        " headers of xenbind's stand for it; if not, add it to the tree or name its folder"
        " with --include",
        error.of_line,
    )


def _finish(
    spec: Spec, version: VersionSpec, begun: Begun, asking: Asking, abi: Abi
) -> Lowered:
    header = parsed(
        begun, frozenset(spec.skip), _parts(spec, version), spec.named_records
    )
    read_for = ""
    if asking is not Asking.NOTHING:
        _require_words_of(abi, begun.compiler.command)
    if asking is Asking.OWN:
        read_for = _target_of(begun.compiler.command)
    lowered = lower(header, spec, abi)
    interface = replace(
        lowered.interface,
        release=version.release,
        read_for=read_for,
        files=tuple(_own_files(header, begun.compiler)),
    )
    if spec.version_macro is None:
        interface = replace(interface, version=version.number)
    elif version.entry is not None and version.number != interface.version:
        raise SourceError(
            spec.places.of("version", version.entry, "number"),
            f"{begun.path} is of version {interface.version}, the spec says {version.number}",
            "correct the number, or the directory",
        )
    return replace(lowered, interface=interface)


def _own_files(header: ParsedHeader, compiler: Compiler) -> list[str]:
    """Give the files read that are no system headers, nor stand for such.

    What is searched like those is a tree's all the same, unless the compiler searches there
    by itself: a user may name /usr/include.
    """
    if compiler.libc is not None:
        own = f"{compiler.libc}{os.sep}"
        return [file for file in header.files if not file.startswith(own)]
    system = [folder.resolve() for folder in system_folders(compiler.command)]
    trees = [
        tree
        for tree in {folder.resolve() for folder in compiler.include}
        if not any(folder.is_relative_to(tree) for folder in system)
    ]
    return [
        file
        for file in header.files
        if file not in header.system
        or any(Path(file).resolve().is_relative_to(tree) for tree in trees)
    ]
