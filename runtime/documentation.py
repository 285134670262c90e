"""Say what a record's members are, to `help` and to whoever asks for its `__doc__`.

The words stand under each member in its module's source, where Python does not keep them.
They are read from there when they are asked for, so that an import pays nothing for them.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from functools import cache

from .annotations import typing

_INDENT = "    "

# C's names of the types that ctypes calls otherwise than C, `c_int16` being `int16_t`.
_C_NAMES = {
    "c_byte": "signed char",
    "c_ubyte": "unsigned char",
    "c_ushort": "unsigned short",
    "c_uint": "unsigned int",
    "c_ulong": "unsigned long",
    "c_longlong": "long long",
    "c_ulonglong": "unsigned long long",
    "c_longdouble": "long double",
    "c_bool": "_Bool",
    "c_size_t": "size_t",
    "c_ssize_t": "ssize_t",
    "c_void_p": "void *",
}


def documentation(record: type[typing.Any], words: str) -> str:
    """Give a record's own `words`, and each member with its C type and its words.

    Only the former where the source of its module is not to be found.
    """
    declared = _classes(record.__module__).get(record.__name__)
    members = [] if declared is None else list(_members(declared))
    return "\n\n".join([inspect.cleandoc(words), *members])


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}
    body = ast.parse(source).body
    return {item.name: item for item in body if isinstance(item, ast.ClassDef)}


def _members(declared: ast.ClassDef) -> Iterator[str]:
    for item, following in zip(declared.body, [*declared.body[1:], None], strict=True):
        if isinstance(item, ast.AnnAssign):
            head = f"{ast.unparse(item.target)}: {_declaration(item.annotation)}"
            match following:
                case ast.Expr(ast.Constant(str(words))):
                    below = textwrap.indent(inspect.cleandoc(words), _INDENT)
                    yield f"{head}\n{below}"
                case _:
                    yield head


def _declaration(annotation: ast.expr) -> str:
    """Say in C's words what a member is annotated with: its type, its bits, its values."""
    match annotation:
        case ast.Subscript(slice=ast.Tuple([python_type, ctype, *notes])):
            pass
        case _:
            return _c_type(annotation)
    if not isinstance(python_type, ast.Name) or python_type.id in _PYTHON_TYPES:
        said = _c_type(ctype)
    else:  # a type that is annotated itself: what follows are notes
        said, notes = _c_type(python_type), [ctype, *notes]
    for note in notes:
        match note:
            case ast.Constant(int(bits)):
                said += f", {bits} {'bit' if bits == 1 else 'bits'}"
            case ast.Constant(str(c_name)):
                said += f", in C {c_name}"
            case ast.Name(values):
                said += f", {values}"
            case _:  # its place
                pass
    return said


_PYTHON_TYPES = ("int", "bool", "float", "bytes", "Any")


def _c_type(ctype: ast.expr) -> str:
    match ctype:
        case ast.Name(name):
            plain = name.removeprefix("c_")
            sized = f"{plain}_t" if plain[-1].isdigit() else plain
            return _C_NAMES.get(name, sized if name != plain else name)
        case ast.BinOp(element, ast.Mult(), ast.Constant(int(length))):
            inner, bracket, dimensions = _c_type(element).partition("[")
            return f"{inner}[{length}]{bracket}{dimensions}"
        case ast.Call(args=[target]):
            return f"{_c_type(target)} *"
        case _:
            return ast.unparse(ctype)
