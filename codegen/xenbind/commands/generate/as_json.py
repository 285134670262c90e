"""What `generate` made, and what it left out, as plain data for `--json`.

Takes the interfaces, what changed in the ABI and which files were written; gives what
`json.dumps` takes.

    {"package": "pair", "versions": [{"version": 1, "records": ["struct pair"], …,
        "left_out": [{"name": "HERE", "reason": "its value depends on its place", "file": …}]}], …}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xenbind.commands.generate.abi_break import AbiChange, Uncompared
from xenbind.errors import SourceError
from xenbind.ir.interface import Interface, LeftOut

if TYPE_CHECKING:
    from xenbind.commands.generate.build import Generated


def as_json(
    made: Generated,
    out: Path,
    changes: Sequence[AbiChange | Uncompared],
    changed: Sequence[str],
) -> dict[str, Any]:
    """Give a run as plain data; what is made is told by its C names, in the header's order."""
    return {
        "package": made.spec.package,
        "out": str(out),
        "versions": [
            _interface(package.spec.module_of(interface.edition), interface)
            for package in made.packages
            for interface in package.interfaces
        ],
        "abi_changes": [_change(change) for change in changes],
        "files": sorted(made.files),
        "changed_files": sorted(changed),
        "left_out_headers": [_left_out(each) for each in made.left_out],
        "unmatched": [_unmatched(each) for each in made.unmatched],
    }


def _interface(module: str, interface: Interface) -> dict[str, Any]:
    return {
        "name": interface.name,
        "version": interface.version,
        "release": interface.release or None,
        "module": module,
        "header": interface.header,
        "records": [record.key for record in interface.own_records],
        "constants": [constant.name for constant in interface.constants],
        "groups": [group.name for group in interface.own_groups],
        "typedefs": [typedef.name for typedef in interface.typedefs],
        "functions": [function.name for function in interface.functions],
        "rings": [ring.name for ring in interface.rings],
        "flex_rings": [ring.name for ring in interface.flex_rings],
        "pages": [
            *(page.record for page in interface.event_pages),
            *(page.record for page in interface.byte_pages),
        ],
        "payloads": [payload.record for payload in interface.payloads],
        "left_out": [_left_out(each) for each in interface.left_out],
        "skipped": [*interface.skipped],
    }


def _left_out(left_out: LeftOut) -> dict[str, Any]:
    return {
        "name": left_out.name,
        "reason": left_out.reason,
        "file": left_out.coord.file,
        "line": left_out.coord.line,
        "column": left_out.coord.column,
    }


def _change(change: AbiChange | Uncompared) -> dict[str, Any]:
    if isinstance(change, Uncompared):
        return {"version": change.version, "uncompared": change.reason}
    return {
        "version": change.version,
        "breaking": change.is_breaking,
        "changed": [*change.changed],
        "removed": [*change.removed],
        "added": [*change.added],
    }


def _unmatched(error: SourceError) -> dict[str, Any]:
    return {
        "reason": error.message,
        "file": error.coord.file,
        "line": error.coord.line,
        "column": error.coord.column,
    }
