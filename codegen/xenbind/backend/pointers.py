"""Write the types of members that are pointers: what they are read as, and what they take.

Takes `Pointer`s and a module's `Types`; gives annotations, as runtime/pointers.py has their
members.

    struct node *next;    ->  Annotated[AddressOf["node"], c_void_p]
    int (*visit)(int);    ->
        Annotated[FunctionPointer[[int], int], c_void_p, CFUNCTYPE(c_int, c_int)]
"""

from __future__ import annotations

from xenbind.backend.python_types import ANNOTATIONS, TYPING, Types
from xenbind.ir.c_types import CType, FunctionType, Pointer, RecordRef, Scalar


class Pointers:
    """The pointers of one module; `defined` are the keys of the records above."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self.defined: set[str] = set()

    def member(self, pointer: Pointer) -> str:
        """Annotate a member."""
        written = self.written(pointer)
        if isinstance(pointer.other, FunctionType):
            written += f", c_void_p, {self.function_type(pointer.other)}"
            self.types.use("ctypes", "c_void_p")
        else:
            written += f", {self.types.ctype(pointer)}"
        return f"{self.types.use(TYPING, 'Annotated')}[{written}]"

    def written(self, pointer: Pointer) -> str:
        """Write what type checkers know of a member."""
        match pointer:
            case Pointer(other=FunctionType() as function):
                taken = ", ".join(self.seen(each.type) for each in function.parameters)
                name = self.types.use(ANNOTATIONS, "FunctionPointer")
                return f"{name}[[{taken}], {self.seen(function.result)}]"
            case Pointer(target=None):
                key = pointer.spelling.removesuffix(" *")
                if key not in self.types.classes:
                    return self.types.use(ANNOTATIONS, "AnyPointer")
                name = self.types.seen(self.types.classes[key])
                return f'{self.types.use(ANNOTATIONS, "AddressOf")}["{name}"]'
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

    # --- functions ------------------------------------------------------------------

    def seen(self, c_type: CType) -> str:
        """Write what Python sees of a value that C hands to a callable, or is given by one."""
        if isinstance(c_type, Scalar) and c_type.base == "void":
            return "None"
        if isinstance(c_type, Pointer):
            if _is_text(c_type):
                return f"{self.types.use('builtins', 'bytes')} | None"
            if target := self.record(c_type):
                return f"{self.types.use(ANNOTATIONS, 'GivenPointer')}[{target}]"
            return f"{self.types.use('builtins', 'int')} | None"
        return self.types.python_type(c_type)

    def function_type(self, function: FunctionType) -> str:
        """Write the ctypes type of a function; of a pointer that it gives, the address."""
        result = function.result
        given = (
            self.types.use("ctypes", "c_void_p")
            if isinstance(result, Pointer)
            else self.passed(result)
        )
        taken = [self.passed(each.type) for each in function.parameters]
        return f"{self.types.use('ctypes', 'CFUNCTYPE')}({', '.join([given, *taken])})"

    def passed(self, c_type: CType) -> str:
        """Write the ctypes type of a parameter or result."""
        if isinstance(c_type, Scalar) and c_type.base == "void":
            return "None"
        if isinstance(c_type, Pointer):
            if _is_text(c_type):
                return self.types.use("ctypes", "c_char_p")
            if target := self.record(c_type):
                return f"{self.types.use('ctypes', 'POINTER')}({target})"
            return self.types.use("ctypes", "c_void_p")
        return self.types.ctype(c_type)

    def record(self, pointer: Pointer) -> str:
        """Name the class of a record that is defined above; empty for any other target."""
        target = pointer.target
        is_known = isinstance(target, RecordRef) and target.key in self.defined
        return self.types.ctype(target) if is_known and target is not None else ""


def _is_text(pointer: Pointer) -> bool:
    is_char = isinstance(pointer.target, Scalar) and pointer.target.base == "char"
    return is_char and "const" in pointer.qualifiers
