"""Write the types of what C hands to callables of Python's and takes from them.

Takes `FunctionType`s, the names and types of a module; gives text.  One callback is the same
wherever it is: `functions` has those that are parameters, `pointers` those that are members.

    int (*each)(const char *name, int *count)   ->  [[bytes | None, Pointer[c_int]], int]
                                                    CFUNCTYPE(c_int, c_char_p, POINTER(c_int))
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from xenbind.backend.python_types import TYPING, Types
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    FunctionType,
    Pointer,
    RecordRef,
    Scalar,
)


class Passed(ABC):
    """What one module's types, handles and enums are where C passes them, by their keys."""

    def __init__(
        self, types: Types, handles: Mapping[str, str], enums: Mapping[str, str]
    ) -> None:
        self.types = types
        self.handles = handles
        self.enums = enums

    @abstractmethod
    def pointer_to(self, written: str) -> str:
        """Write what type checkers know of a pointer to what is `written`."""

    def named(self, key: str) -> str:
        """Name the class of a record or handle for type checkers."""
        name = self.handles.get(key) or self.types.classes[key]
        return self.types.seen(name)

    def taken_and_given(self, function: FunctionType) -> str:
        """Write what a callable takes and gives."""
        taken = ", ".join(self.seen(each.type) for each in function.parameters)
        given = self.seen(self.given_back(function.result))
        if self.enum_of(function.result):  # C takes any number
            given += f" | {self.types.python_type(function.result)}"
        return f"[[{taken}], {given}]"

    def seen(self, c_type: CType) -> str:
        """Write what Python sees of a value that C hands to a callback."""
        return self.enum_of(c_type) or self.seen_plainly(c_type)

    def seen_plainly(self, c_type: CType) -> str:
        """Write the same where it is of no enum."""
        match c_type:
            case Scalar(base="void"):
                return "None"
            case Pointer(other=RecordRef(key=key)):
                return self.named(key)
            case Pointer(target=Scalar(base="char"), qualifiers=q) if "const" in q:
                return f"{self.types.use('builtins', 'bytes')} | None"
            case Pointer(target=None):
                return f"{self.types.use('builtins', 'int')} | None"
            case Pointer(target=target):
                return self.pointer_to(self.written(target))
        return self.types.python_type(c_type)

    def enum_of(self, c_type: CType) -> str:
        """Name the enum of the module that a number is one of; empty without one."""
        return self.enums.get(c_type.key, "") if isinstance(c_type, Enumeration) else ""

    @staticmethod
    def given_back(c_type: CType) -> CType:
        """Give the type of a callback's result: of pointers ctypes takes the address alone."""
        return Pointer("void *", None) if isinstance(c_type, Pointer) else c_type

    def written(self, c_type: CType | None) -> str:
        """Write a type that is pointed to, as type checkers know it."""
        if isinstance(c_type, Pointer):
            if isinstance(c_type.target, Scalar) and c_type.target.base == "char":
                return self.types.use("ctypes", "c_char_p")
            if isinstance(c_type.other, RecordRef):
                return self.named(c_type.other.key)
            if c_type.target is not None:
                return self.pointer_to(self.written(c_type.target))
        if isinstance(c_type, Array):  # type checkers know none of a length
            return self.types.use(TYPING, "Any")
        if isinstance(c_type, RecordRef):
            return self.named(c_type.key)
        return self.inner(c_type)

    def ctype(self, c_type: CType) -> str:
        """Write the ctypes type of a parameter or result."""
        match c_type:
            case Pointer(other=RecordRef(key=key)):
                return self.handles[key]
            case Pointer(other=FunctionType() as function):
                taken = [plain(each.type) for each in function.parameters]
                types = [self.given_back(function.result), *taken]
                written = ", ".join(map(self.ctype, types))
                return f"{self.types.use('ctypes', 'CFUNCTYPE')}({written})"
            case Pointer(target=None):
                return self.types.use("ctypes", "c_void_p")
            case Pointer(target=Scalar(base="char"), qualifiers=q) if "const" in q:
                return self.types.use("ctypes", "c_char_p")
            case Pointer(target=target):
                pointer = self.types.use("ctypes", "POINTER")
                return f"{pointer}({self.inner(target)})"
            case Scalar(base="void"):
                return "None"
        return self.types.ctype(c_type)

    def inner(self, c_type: CType | None) -> str:
        """Write the ctypes type of what a pointer leads to; strings there are C's."""
        match c_type:
            case Pointer(target=Scalar(base="char")):
                return self.types.use("ctypes", "c_char_p")
            case Pointer(other=FunctionType()) | None:
                return self.types.use("ctypes", "c_void_p")
        return self.ctype(c_type)


def plain(c_type: CType) -> CType:
    """Give `void *` for a pointer to a function that Python is given: it is an address."""
    is_function = isinstance(c_type, Pointer) and isinstance(c_type.other, FunctionType)
    return Pointer("void *", None) if is_function else c_type
