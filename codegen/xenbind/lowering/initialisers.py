"""Count what a variable's initialiser has: of an array without a length, that is its length.

Takes an initialiser and the type of an element; gives the number of elements (C11 6.7.9p22).
`type_table` asks for it where an expression asks for a variable's type.

    int a[] = {1, 2, [7] = 3};   ->  8
    char b[] = "text";           ->  5
    int c[][2] = {{1, 2}, {3}};  ->  2
"""

from __future__ import annotations

from pycparser import c_ast

from xenbind.ir.c_types import Array, CType, RecordRef, Scalar
from xenbind.lowering.constant_expressions import Scope, evaluate, is_string
from xenbind.lowering.integers import Unevaluable, size_of_string


def initial_length(init: c_ast.Node, inner: CType, scope: Scope) -> int:
    """Give the length of an array of `inner` elements.  Raises `Unevaluable` if it is not known."""
    if _is_braced_string(init) and isinstance(inner, Scalar):
        init = init.exprs[0]
    if is_string(init):
        return size_of_string(init.value) // scope.measure(inner, init)[0]
    if not isinstance(init, c_ast.InitList):
        raise Unevaluable(_UNKNOWN)
    length = place = 0
    is_begun = False  # whether the next value may be one within the latest element
    for value in init.exprs:
        if isinstance(value, c_ast.NamedInitializer):
            place = evaluate(value.name[0].expr, scope).value
            is_begun = len(value.name) > 1
            value = value.expr
        elif is_begun:
            raise Unevaluable(_UNKNOWN)
        is_begun = is_begun or not _is_whole(value, inner)
        place += 1
        length = max(length, place)
    return length


_UNKNOWN = "how many elements the initialiser has is not known here"


def _is_braced_string(init: c_ast.Node) -> bool:
    return (
        isinstance(init, c_ast.InitList)
        and len(init.exprs) == 1
        and is_string(init.exprs[0])
    )


def _is_whole(value: c_ast.Node, inner: CType) -> bool:
    """Tell whether a value is one for a whole element: the braces of one can be left out."""
    if isinstance(value, c_ast.InitList) or is_string(value):
        return True
    return not isinstance(inner, Array | RecordRef)
