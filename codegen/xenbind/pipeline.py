"""Run the stages in order: from a spec to the IR of one of its versions.

Takes a `Spec`, a version of it and a compiler command; gives its `Interface`: the
header read by `frontend` and lowered by `lowering`.  The commands start here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from xenbind.errors import SourceError, XenbindError
from xenbind.frontend.header import read_header
from xenbind.ir.abi import X86_64, Abi
from xenbind.ir.interface import Interface, Layouts
from xenbind.lowering.lower import Lowered, lower
from xenbind.resources import package
from xenbind.source import Coord
from xenbind.spec import Spec, VersionSpec
from xenbind.toolchain.compiler import Compiler


def compiler_for(
    spec: Spec, version: VersionSpec, command: tuple[str, ...]
) -> Compiler:
    """Give the compiler as every read of this version's header uses it."""
    return Compiler(
        command=command,
        libc=package() / "toolchain" / "libc",
        include=(version.directory, *spec.include),
        defines=spec.defines,
        needs=spec.needs,
    )


def read(
    spec: Spec, version: VersionSpec, command: tuple[str, ...], abi: Abi = X86_64
) -> Interface:
    """Read one version's header into the IR, as it is on `abi`.

    `command` is a compiler for that ABI: what its preprocessor predefines must fit.

    Raises `SourceError` where the header is wrong, in the words of the C compiler if it
    is the one to say so.
    """
    with _deep_recursion(version.directory / spec.header):
        return _read(spec, version, command, abi).interface


def read_for_all(
    spec: Spec, version: VersionSpec, command: tuple[str, ...]
) -> tuple[Interface, Callable[[], Layouts]]:
    """Read a header for x86_64, and give what lays its records out on every ABI when called.

    The header is preprocessed and parsed once, by one compiler: where it asks for a
    target's macros it is that of `command`.  Raises as `read` does.
    """
    header = version.directory / spec.header
    with _deep_recursion(header):
        lowered = _read(spec, version, command, X86_64)

    def layouts() -> Layouts:
        with _deep_recursion(header):
            return lowered.layouts()

    return lowered.interface, layouts


# Room for structs in 250 levels; the parser takes 12 calls for each.
_RECURSION = 4000


@contextmanager
def _deep_recursion(header: Path) -> Iterator[None]:
    """Make room for a header that nests deep.  Raises `SourceError` if it nests too deep."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(_RECURSION)
    try:
        yield
    except RecursionError:
        raise SourceError(
            Coord(str(header), 1, 1),
            "the header nests structs, types or expressions too deep",
            "C promises no more than 63 levels (C11 5.2.4.1): take some out",
            of_line=False,
        ) from None
    finally:
        sys.setrecursionlimit(before)


def _read(
    spec: Spec, version: VersionSpec, command: tuple[str, ...], abi: Abi
) -> Lowered:
    path = version.directory / spec.header
    header = read_header(path, compiler_for(spec, version, command), spec.skip)
    lowered = lower(header, spec, abi)
    interface = lowered.interface
    if spec.version_macro is None:
        return replace(lowered, interface=replace(interface, version=version.number))
    if version.number not in (0, interface.version):
        raise XenbindError(
            f"{path} is of version {interface.version}, the spec says {version.number}",
            f"correct the number in {spec.path}, or the directory",
        )
    return lowered
