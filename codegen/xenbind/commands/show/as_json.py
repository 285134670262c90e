"""A view as plain data, for programs.

Takes a view; gives what `json` can write.  `command` prints it for --json.
"""

from __future__ import annotations

from typing import Any

from xenbind.commands.show.view import (
    FunctionView,
    GroupView,
    Overview,
    RecordView,
    View,
)
from xenbind.ir.c_types import as_spelled, declaration
from xenbind.ir.interface import Constant, ConstantGroup, Span
from xenbind.ir.parts import Part


def as_json(view: View) -> dict[str, Any]:
    """Give a view as JSON has it; texts are whole, and sizes and offsets in bytes."""
    interface = view.interface
    head = {
        "interface": interface.name,
        "version": interface.version,
        "header": interface.header,
        "abi": interface.abi,
    }
    match view:
        case RecordView():
            return {
                **head,
                **_record_json(view),
                "parts": [_part_json(part) for part in view.parts],
            }
        case GroupView(group=group):
            constants = [_constant_json(constant) for constant in group.members]
            return {**head, **_group_json(group), "constants": constants}
        case FunctionView():
            return {**head, **_function_json(view)}
        case Overview():
            return {
                **head,
                "records": [_record_json(record) for record in view.records],
                "groups": [_group_json(group) for group in view.groups],
                "constants": [_constant_json(constant) for constant in view.constants],
                "functions": [_function_json(function) for function in view.functions],
            }


def _record_json(view: RecordView) -> dict[str, Any]:
    record = view.record
    return {
        "name": view.name,
        "kind": record.kind,
        "size": record.size,
        "alignment": record.alignment,
        "members": len(record.fields),
        "typedefs": list(view.typedefs),
        "releases": _releases_json(record.span),
        "doc": view.doc,
        "file": record.coord.file,
        "line": record.coord.line,
    }


def _part_json(part: Part) -> dict[str, Any]:
    return {
        "kind": part.kind.value,
        "name": part.name,
        "type": part.type,
        "offset": part.offset,
        "size": part.size,
        "bits": list(part.bits) if part.bits else None,
        "releases": _releases_json(part.span),
        "doc": part.doc,
        "parts": [_part_json(inner) for inner in part.parts],
    }


def _group_json(group: ConstantGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "prefix": group.prefix,
        "kind": "flags" if group.is_flag else "values",
        "members": len(group.members),
        "doc": group.doc,
        "file": group.coord.file,
        "line": group.coord.line,
    }


def _constant_json(constant: Constant) -> dict[str, Any]:
    return {
        "name": constant.name,
        "value": constant.plain_value,
        "body": constant.body,
        "releases": _releases_json(constant.span),
        "doc": constant.doc,
        "line": constant.coord.line,
    }


def _function_json(view: FunctionView) -> dict[str, Any]:
    function = view.function
    return {
        "name": function.name,
        "prototype": view.prototype,
        "parameters": [
            {"name": each.name, "type": declaration(each.type, "", as_spelled)}
            for each in function.type.parameters
        ],
        "result": declaration(function.type.result, "", as_spelled),
        "variadic": function.type.is_variadic,
        "errors": function.errors,
        "advice": function.advice,
        "releases": _releases_json(function.span),
        "doc": function.doc,
        "file": function.coord.file,
        "line": function.coord.line,
    }


def _releases_json(span: Span | None) -> dict[str, str | None] | None:
    """Give the releases in which something is so, and what it was before and became."""
    if span is None:
        return None
    return {
        "since": span.since,
        "until": span.until or None,
        "before": span.before or None,
        "after": span.after or None,
    }
