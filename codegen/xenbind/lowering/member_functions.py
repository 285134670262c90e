"""Lower the function that a member points to, as far as Python can be called by it.

Takes the declarator behind the pointer, the header's declarations and who knows other types; gives
a `FunctionType`, or None where none of Python's can be called so.  No struct is laid out for it: a
pointer to one has its name, for `pointers` to find out whether the package has it.

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
    spelling,
)
from xenbind.lowering.declarations import Declarations, c_name

# Gives the type of a declarator that is no pointer's, and lays no struct out for it.
Type = Callable[[c_ast.Node], CType]


def member_function(
    pointer: c_ast.PtrDecl, declared: Declarations, of: Type, abi: str
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
        c_type = _value(each.type, declared, of)
        if c_type is None:
            return None
        if c_type != _VOID:  # as in `(void)`
            parameters.append(Parameter(each.name or "", c_type))
    result = _value(function.type, declared, of)
    return None if result is None else FunctionType(result, tuple(parameters), False)


_VOID = Scalar("void", "void")
_ADDRESS = Pointer("void *", None)


def _value(node: c_ast.Node, declared: Declarations, of: Type) -> CType | None:
    """Give the type of a parameter or result, None for a struct or union."""
    derived, _ = _derived(node, declared)
    if isinstance(derived, c_ast.FuncDecl):
        return _ADDRESS
    if isinstance(derived, c_ast.PtrDecl | c_ast.ArrayDecl):
        return _pointer(derived.type, declared, of)
    if not isinstance(derived, c_ast.IdentifierType | c_ast.Enum):
        return None
    try:
        found = of(node)
    except SourceError:  # of a number that Python has not
        return None
    if not isinstance(found, Scalar) or found.base != "void":
        return found
    return _VOID if isinstance(derived, c_ast.IdentifierType) else None


def _pointer(node: c_ast.Node, declared: Declarations, of: Type) -> Pointer:
    """Give a pointer to what a declarator declares; to what Python has not, an address."""
    derived, qualifiers = _derived(node, declared)
    if isinstance(derived, c_ast.FuncDecl):
        return _ADDRESS
    if isinstance(derived, c_ast.PtrDecl):
        target: CType = _pointer(derived.type, declared, of)
    elif isinstance(derived, c_ast.Struct | c_ast.Union):
        key = declared.names.get(id(derived)) or (derived.name and c_name(derived))
        if not key:
            return _ADDRESS
        target = RecordRef(key, key)
    else:
        try:
            target = of(node)
        except SourceError:
            return _ADDRESS
        if isinstance(target, Scalar) and target.base == "void":
            return _ADDRESS
    return Pointer(f"{spelling(target)} *", target, 0, qualifiers)


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
