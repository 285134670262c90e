"""Write the types of members that are pointers: what they are read as, and what they take.

Takes `Pointer`s and a module's `Types`; gives annotations, as runtime/pointers.py has their
members.

    struct node *next;    ->  Annotated[PointerTo["node"], c_void_p, lambda: POINTER(node)]
    int (*visit)(int);    ->
        Annotated[FunctionPointer[[int], int], c_void_p, CFUNCTYPE(c_int, c_int)]
"""

from __future__ import annotations

from collections.abc import Mapping

from xenbind.backend.passed import Passed
from xenbind.backend.python_types import ANNOTATIONS, TYPING, Types
from xenbind.ir.c_types import (
    CType,
    FunctionType,
    Pointer,
    RecordRef,
    Scalar,
    element,
    keys,
)
from xenbind.plain import replace


class Called(Passed):
    """The functions that members point to, as `functions` has those that parameters do.

    What is not complete above is named in a lambda, and for type checkers in quotes.
    """

    def __init__(
        self, types: Types, handles: Mapping[str, str], enums: Mapping[str, str]
    ) -> None:
        super().__init__(types, handles, enums)
        self.defined: set[str] = set()

    def member(self, function: FunctionType) -> str:
        """Write what type checkers know of a member, its ctypes type and the function's."""
        known = self.known_function(function)
        name = self.types.use(ANNOTATIONS, "FunctionPointer")
        address = self.types.use("ctypes", "c_void_p")
        written = self.ctype(Pointer("function *", None, other=known))
        if not self.defined.issuperset(keys(known)):
            written = f"lambda: {written}"
        items = [f"{name}{self.taken_and_given(known)}", address, written]
        enums = [self.enum_of(each.type) for each in known.parameters]
        if any(enums):
            items.append(f"({', '.join(each or 'None' for each in enums)},)")
        return ", ".join(items)

    def known_function(self, function: FunctionType) -> FunctionType:
        """Give a function whose pointers lead to nothing but what the module has."""
        parameters = tuple(
            replace(each, type=self.known(each.type)) for each in function.parameters
        )
        return replace(function, parameters=parameters)

    def known(self, c_type: CType) -> CType:
        """Give the type of a parameter, of a pointer to what the module has not an address."""
        if not isinstance(c_type, Pointer) or c_type.target is None:
            return c_type
        target, inner = c_type.target, element(c_type.target)
        if isinstance(target, RecordRef) and target.key in self.handles:
            return replace(c_type, target=None, other=target)
        if isinstance(inner, RecordRef) and inner.key not in self.types.classes:
            return replace(c_type, target=None)
        return replace(c_type, target=self.known(target))

    def enum_of(self, c_type: CType) -> str:
        name = super().enum_of(c_type)
        return self.types.seen(name) if name else ""

    def named(self, key: str) -> str:
        name = super().named(key)
        return name if key in self.defined else f'"{name}"'

    def pointer_to(self, written: str) -> str:
        return f"{self.types.use(ANNOTATIONS, 'GivenPointer')}[{written}]"


class Pointers:
    """The pointers of one module, whose types these are."""

    def __init__(self, types: Types, called: Called) -> None:
        self.types = types
        self.called = called

    def member(self, pointer: Pointer) -> str:
        """Annotate a member."""
        if isinstance(pointer.other, FunctionType):
            written = self.called.member(pointer.other)
        else:
            written = f"{self.written(pointer)}, {self.types.ctype(pointer)}"
            whole = self.types.whole(pointer)
            if whole != pointer:
                written += f", lambda: {self.types.ctype(whole)}"
        return f"{self.types.use(TYPING, 'Annotated')}[{written}]"

    def written(self, pointer: Pointer) -> str:
        """Write what type checkers know of a member."""
        match pointer:
            case Pointer(target=None, other=RecordRef(key=key)) if (
                key in self.types.classes
            ):
                name = self.types.use(ANNOTATIONS, "PointerTo")
                return f'{name}["{self.types.seen(self.types.classes[key])}"]'
            case Pointer(target=None):
                return self.types.use(ANNOTATIONS, "AnyPointer")
            case Pointer(
                target=Scalar(base="char" | "signed char" | "unsigned char") as target
            ):
                name = self.types.use(ANNOTATIONS, "CharPointer")
                return f"{name}[{self.types.ctype(target)}]"
            case Pointer(target=RecordRef() | Scalar() as target):
                name = self.types.use(ANNOTATIONS, "PointerTo")
                return f"{name}[{self.types.ctype(target)}]"
        name = self.types.use(ANNOTATIONS, "PointerTo")  # checkers know no more of it
        return f"{name}[{self.types.use(TYPING, 'Any')}]"
