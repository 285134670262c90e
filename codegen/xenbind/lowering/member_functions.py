"""Lower the function that a member points to, as far as Python can be called by it.

Takes the declarator behind the pointer, the header's declarations and who knows its numbers'
types; gives a `FunctionType`, or None where none of Python's can be called so.  No struct is laid
out for it: a pointer to one has its name, and of other pointers only one to chars leads anywhere.

    int (*compare)(const struct node *, void *)    ->    FunctionType(int, (Pointer, Pointer))
"""

from __future__ import annotations

from collections.abc import Callable

from pycparser import c_ast

from xenbind.errors import SourceError
from xenbind.frontend.attributes import mode
from xenbind.ir.c_types import (
    CType,
    FunctionType,
    Parameter,
    Pointer,
    RecordRef,
    Scalar,
)
from xenbind.lowering.declarations import Declarations, c_name

# Gives the type of a declarator that is a number's, or void.
Number = Callable[[c_ast.Node], CType]


def member_function(
    pointer: c_ast.PtrDecl, declared: Declarations, number: Number, abi: str
) -> FunctionType | None:
    """Give the type of the function behind a pointer, None if Python has none such on an ABI."""
    function, _ = _derived(pointer.type, declared)
    if not isinstance(function, c_ast.FuncDecl) or function.args is None:
        return None
    if declared.calls_otherwise(pointer, abi):
        return None
    parameters = []
    for each in function.args.params:
        # Names alone say nothing of what is passed (C11 6.7.6.3p14).
        if isinstance(each, c_ast.EllipsisParam | c_ast.ID):
            return None
        if mode(each) or declared.calls_otherwise(each.type, abi):
            return None
        c_type = _value(each.type, declared, number)
        if c_type is None:
            return None
        if c_type != _VOID:  # as in `(void)`
            parameters.append(Parameter(each.name or "", c_type))
    result = _value(function.type, declared, number)
    return None if result is None else FunctionType(result, tuple(parameters), False)


_VOID = Scalar("void", "void")


def _value(node: c_ast.Node, declared: Declarations, number: Number) -> CType | None:
    """Give the type of a parameter or result, None for a struct or union."""
    derived, _ = _derived(node, declared)
    if isinstance(derived, c_ast.FuncDecl):
        return Pointer("void *", None)
    if isinstance(derived, c_ast.PtrDecl | c_ast.ArrayDecl):
        return _pointer(derived.type, declared)
    if not isinstance(derived, c_ast.IdentifierType | c_ast.Enum):
        return None
    try:
        found = number(node)
    except SourceError:  # of a number that Python has not
        return None
    if not isinstance(found, Scalar) or found.base != "void":
        return found
    return _VOID if isinstance(derived, c_ast.IdentifierType) else None


def _pointer(node: c_ast.Node, declared: Declarations) -> Pointer:
    target, qualifiers = _derived(node, declared)
    if isinstance(target, c_ast.Struct | c_ast.Union) and target.name:
        key = c_name(target)
        return Pointer(f"{key} *", RecordRef(key, key), 0, qualifiers)
    if isinstance(target, c_ast.IdentifierType) and target.names == ["char"]:
        return Pointer("char *", Scalar("char", "char"), 0, qualifiers)
    return Pointer("void *", None)


def _derived(node: c_ast.Node, declared: Declarations) -> tuple[c_ast.Node, str]:
    """Give what makes a type, behind its names, and whether it is `const`."""
    qualifiers = ""
    while True:
        if "const" in (getattr(node, "quals", None) or ()):
            qualifiers = "const"
        if isinstance(node, c_ast.IdentifierType):
            named = declared.typedefs.get(" ".join(node.names))
            if named is None:
                return node, qualifiers
            node = named
        elif not isinstance(node, c_ast.TypeDecl | c_ast.Typename):
            return node, qualifiers
        node = node.type
