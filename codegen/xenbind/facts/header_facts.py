"""What a compiler says of a header, as a file that tests can hold bindings against.

Takes a header and a compiler; gives its constants, records, typedefs and ring as plain data,
and that as JSON.  `expressions` asks for values, `declarations` reads debug information; none
of it comes from xenbind's own reading, so that it is an oracle for that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xenbind.facts import debug_info
from xenbind.facts.declarations import Declarations, declarations
from xenbind.facts.expressions import (
    compile_preprocessed,
    macros,
    program,
    values,
    without_markers,
)
from xenbind.facts.object_file import objects
from xenbind.header_tree import require_header
from xenbind.spec import Spec, VersionSpec
from xenbind.toolchain.compiler import Compiler, output
from xenbind.toolchain.scratch import scratch

_PAGE = 4096
_RING = re.compile(r"\bstruct\s+(\w+)_sring\b")


def header_facts(
    spec: Spec, version: VersionSpec, compiler: Compiler, releases: Sequence[str]
) -> dict[str, Any]:
    """Give what the compiler says of a version's header; `releases` are told as they are.

    Constants are the integers and strings that the header itself defines.  How many entries a
    ring has in a page is under `ring_entries_in_4096`: a number, of several rings one for each
    name; without a ring there is no such key.

    Raises `SourceError` at what the compiler refuses, or for a header that lacks the version.
    """
    header = version.directory / spec.header
    require_header(header)
    output(compiler.run(["-fsyntax-only", "-w", str(header)]), header)
    text = output(compiler.run(["-E", "-dD", str(header)]), header)
    lines = {
        name: line
        for name, line in macros(text, header).items()
        if name not in spec.skip
    }
    rings = {
        f"__CONST_RING_SIZE({ring}, {_PAGE})": ring
        for ring in _RING.findall(without_markers(text))
    }
    expressions = [*lines, *rings]
    if spec.version_macro is not None and spec.version_macro not in lines:
        expressions.append(spec.version_macro)
    asked = program(compiler, header, expressions)
    with scratch() as folder:
        target = folder / "header.o"
        options = [*debug_info.OPTIONS, "-O0", "-fkeep-static-consts"]
        options += ["-c", "-o", str(target)]
        output(compile_preprocessed(compiler, options, asked.text), header)
        known = values(target, asked)
        declared = declarations(target, header)
        variables = objects(target, declared.variables.keys())
    found = {
        "interface_version": _version(spec, version, header, known),
        "releases": list(releases),
        "constants": _constants(lines, known, declared, variables),
        "types": declared.records,
        "typedefs": declared.typedefs,
    }
    entries = {
        ring: known[expression]
        for expression, ring in rings.items()
        if expression in known and f"struct {ring}_sring" in declared.records
    }
    if entries:
        first, *others = entries.values()
        found["ring_entries_in_4096"] = entries if others else first
    return found


def as_text(facts: Mapping[str, Any]) -> str:
    """Give facts as the JSON of a file."""
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def _version(
    spec: Spec, version: VersionSpec, header: Path, known: Mapping[str, int | str]
) -> int:
    """The interface's version, by its macro if the spec names one."""
    if spec.version_macro is None:
        return version.number
    found = known.get(spec.version_macro)
    if isinstance(found, int):
        return found
    raise spec.lacks_version(header)


def _constants(
    lines: Mapping[str, int],
    known: Mapping[str, int | str],
    declared: Declarations,
    variables: Mapping[str, bytes],
) -> dict[str, int | str]:
    """Macros, enumerators and variables by name, as they stand in the header."""
    found = [
        *((line, name, known[name]) for name, line in lines.items() if name in known),
        *((line, name, value) for name, (line, value) in declared.enumerators.items()),
        *(
            (line, name, read(variables[name]))
            for name, (line, read) in declared.variables.items()
            if name in variables
        ),
    ]
    found.sort(key=lambda constant: constant[0])
    return {name: value for _, name, value in found}
