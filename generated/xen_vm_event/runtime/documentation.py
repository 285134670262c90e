"""Say what a record's members are, to `help` and to whoever asks for its `__doc__` or signature.

The words stand under each member in its module's source, where Python does not keep them.
They are read from there when they are asked for, so that an import pays nothing for them.
"""

from __future__ import annotations

import ast
import ctypes
import inspect
import sys
import textwrap
from collections.abc import Iterator
from functools import cache

from .annotations import is_pointer, typing

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


class _Zeros:
    """The default of a member that is a record or an array."""

    def __repr__(self) -> str:
        return "ZERO"


def signature(record: typing.Any) -> inspect.Signature:
    """Give what the constructor takes: the members, each zero unless it is told otherwise."""
    return inspect.Signature(
        [
            inspect.Parameter(
                member.name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=_default(member.type),
                annotation=record.__annotations__[member.name],
            )
            for member in record._members_
        ]
    )


def _default(ctype: typing.Any) -> object:
    element = getattr(ctype, "_type_", None)
    if is_pointer(ctype):
        return None
    if element is ctypes.c_char:
        return b""
    return ctype().value if isinstance(element, str) else _Zeros()


def documentation(record: type[typing.Any], words: str) -> str:
    """Give a record's own `words`, and each member with its C type and its words.

    Only the former where the source of its module is not to be found.
    """
    declared = _classes(record.__module__).get(record.__name__)
    members = [] if declared is None else list(_members(declared))
    return "\n\n".join([inspect.cleandoc(words), *members])


def types(record: type[typing.Any]) -> dict[str, str]:
    """Spell each member's type as C does; none where the module's source is not to be found."""
    declared = _classes(record.__module__).get(record.__name__)
    return {
        ast.unparse(item.target): _type_and_notes(item.annotation)[0]
        for item in (declared.body if declared else ())
        if isinstance(item, ast.AnnAssign)
    }


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}
    tree = _Renamed().visit(ast.parse(source))
    return {item.name: item for item in tree.body if isinstance(item, ast.ClassDef)}


class _Renamed(ast.NodeTransformer):
    """Undoes what modules do where a member hides its type: `_venue = venue`."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        self.names.update(
            {name.asname: name.name for name in node.names if name.asname}
        )
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        match node:
            case ast.Assign([ast.Name(again)], ast.Name(name)) if again == f"_{name}":
                self.names[again] = name
            case _:
                pass
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node


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
    said, notes = _type_and_notes(annotation)
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


def _type_and_notes(annotation: ast.expr) -> tuple[str, list[ast.expr]]:
    match annotation:
        case ast.Subscript(slice=ast.Tuple([python_type, ctype, *notes])):
            pass
        case _:
            return _c_type(annotation), []
    if isinstance(python_type, ast.Name) and python_type.id not in _PYTHON_TYPES:
        # A type that has the ctypes type in it; a record's class is both.
        is_class = ast.dump(ctype) == ast.dump(python_type)
        return python_type.id, notes if is_class else [ctype, *notes]
    match notes:
        case [ast.Lambda(body=ast.Call(args=[_]) as pointer), *others]:
            return _c_type(pointer), others
        case _:
            pass
    return _c_type(ctype), notes


_PYTHON_TYPES = ("int", "bool", "float", "bytes", "Any", "AnyPointer")


def _c_type(ctype: ast.expr) -> str:
    """Spell a ctypes type as C does, a record by its class."""
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
