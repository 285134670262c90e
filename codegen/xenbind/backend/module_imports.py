"""The import statements of a module: what its text uses, in the order that import sorters like.

Takes a `Scope` when all of the module is written; gives lines for its template.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from xenbind.backend import byte_module, event_module, flex_module, functions
from xenbind.backend.python_text import LINE
from xenbind.backend.python_types import ANNOTATIONS
from xenbind.backend.scope import ALIGNED, RECORDS, Scope

_IMPORTED = (
    *("builtins", "ctypes", "enum", ".", ALIGNED, ANNOTATIONS),
    *(byte_module.BYTE_PAGE, flex_module.BYTES),
    *(event_module.EVENT_PAGE, flex_module.RINGS),
    *(functions.LIBRARY, byte_module.ORDER_PAGE, functions.PARAMETERS, RECORDS),
)


def imports(scope: Scope) -> list[str]:
    """Import all that a module used: the standard library's, then what is the package's own."""
    lines = [
        line
        for module in _IMPORTED
        if module[0] != "."
        for line in import_lines(module, names_from(scope, module))
    ]
    relative: dict[str, list[str]] = {}
    for module in sorted({m for m, _ in scope.imported if m[0] == "."}):
        # A package's own `macros` are beside its modules.
        up = scope.up * module.startswith(".runtime")
        relative[f"{up}{module}"] = names_from(scope, module)
    for name in sorted(scope.wanted, key=isort_key):
        place = _borrowed_from(scope, name)
        if place is not None:
            module, there, here = place
            renamed = there != here or name in scope.exported
            item = f"{there} as {here}" if renamed else there
            relative.setdefault(module, []).append(item)
    if lines and relative:
        lines.append("")
    # As isort has them: what is the furthest away first.
    dots = {module: len(module) - len(module.lstrip(".")) for module in relative}
    for module in sorted(relative, key=lambda each: (-dots[each], each)):
        lines += import_lines(module, relative[module])
    return lines


def _borrowed_from(scope: Scope, name: str) -> tuple[str, str, str] | None:
    """Tell which module has a type, its name there, and how it is called here."""
    if scope.place is None:
        return None  # nobody asked for text
    module, there = scope.place.borrowed[scope.borrowed[name]]
    return module, there, scope.aliases.get(name, name)


def names_from(scope: Scope, module: str) -> list[str]:
    """What is imported from a module, as an import statement lists it."""
    names = sorted((n for m, n in scope.imported if m == module), key=isort_key)
    return [
        f"{name} as {scope.aliases[name]}" if name in scope.aliases else name
        for name in names
    ]


def import_lines(module: str, names: Sequence[str]) -> list[str]:
    """Import names, each that is renamed by itself, in the order that import sorters like."""
    plain = [name for name in names if " as " not in name]
    groups = [plain] if plain else []
    groups += [[name] for name in names if " as " in name]
    lines = []
    for group in sorted(groups, key=lambda each: isort_key(each[0].partition(" ")[0])):
        line = f"from {module} import {', '.join(group)}"
        if len(line) > LINE:
            line = f"from {module} import (\n    " + ",\n    ".join(group) + ",\n)"
        lines.append(line)
    return lines


def isort_key(name: str) -> tuple[int, list[str | int]]:
    """Constants, then classes, then the rest, numbers by value: as import sorters do."""
    rank = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    parts = re.split(r"(\d+)", name)
    return rank, [int(part) if part.isdigit() else part for part in parts]
