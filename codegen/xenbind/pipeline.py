"""The stages in order: from a spec to the IR of one of its versions.

Takes a `Spec`, a version of it and a compiler command; gives its `Interface` by running
`preprocess`, `parse` and `lower`.  The commands in `cli` start here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import SourceError, XenbindError
from .ir import Coord, Interface
from .lower import candidates, expressions, lower
from .parse import parse
from .preprocess import (
    Compiler,
    expand,
    finish_check,
    preprocess,
    require_header,
    start_check,
)
from .resources import folder
from .rings import ring_macros
from .source import Sources
from .spec import Spec, VersionSpec


def compiler_for(
    spec: Spec, version: VersionSpec, command: tuple[str, ...]
) -> Compiler:
    """The compiler as every read of this version's header uses it."""
    return Compiler(
        command=command,
        libc=folder("headers") / "libc",
        include=(version.directory, *spec.include),
        defines=spec.defines,
        needs=spec.needs,
    )


def read(spec: Spec, version: VersionSpec, command: tuple[str, ...]) -> Interface:
    """Read one version's header into the IR.

    Raises `SourceError` where the header is wrong, in the words of the C compiler if it
    is the one to say so.
    """
    header = version.directory / spec.header
    require_header(header)
    try:
        with _deeper():
            interface = _read(spec, version, command, header)
    except RecursionError:
        raise SourceError(
            Coord(str(header), 1, 1),
            "the header nests structs, types or expressions too deep",
            "C promises no more than 63 levels (C11 5.2.4.1): take some out",
        ) from None
    if version.number not in (0, interface.version):
        raise XenbindError(
            f"{header} is of version {interface.version}, the spec says {version.number}",
            f"correct the number in {spec.path}, or the directory",
        )
    return interface


# Room for structs in 250 levels; the parser takes 12 calls for each.
_RECURSION = 4000


@contextmanager
def _deeper() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(_RECURSION)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _read(
    spec: Spec, version: VersionSpec, command: tuple[str, ...], header: Path
) -> Interface:
    compiler = compiler_for(spec, version, command)
    sources = Sources()
    check = start_check(compiler, header)  # runs beside the preprocessor
    try:
        preprocessed = preprocess(compiler, header, sources)
        macros = candidates(preprocessed, header, spec.skip)
        accessors = ring_macros(preprocessed, spec.skip)
        expanded = expand(
            compiler, header, preprocessed, [*macros, *accessors], sources
        )
    finally:
        finish_check(check, header, sources)
    constants = list(zip(macros, expanded, strict=False))
    parsed = parse(preprocessed.text, expressions(constants), sources)
    operations = list(zip(accessors, expanded[len(macros) :], strict=True))
    return lower(spec, header, preprocessed, constants, operations, parsed, sources)
