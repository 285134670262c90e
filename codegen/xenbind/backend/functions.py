"""Prepare a library's functions for the template of a version's module.

Takes the functions and handles of an `Interface`, and the names and types of its module; gives
views of plain strings.  `module` places them, and runtime/parameters.py says what the types
that they are annotated with take.

    int xs_fileno(struct xs_handle *h)  ->  def xs_fileno(h: xs_handle | None) -> Annotated[…]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set

from xenbind.backend.names import python_name
from xenbind.backend.passed import Passed, plain
from xenbind.backend.python_model import FunctionView, HandleView, LibraryView
from xenbind.backend.python_text import docstring, fold_items
from xenbind.backend.python_types import TYPING, Types
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    FunctionType,
    Pointer,
    RecordRef,
    Scalar,
    as_spelled,
    declaration,
)
from xenbind.ir.interface import Function, Handle, Interface
from xenbind.spec.rules import NONE

LIBRARY = ".runtime.library"
HYPERVISOR = ".runtime.hypervisor"
PARAMETERS = ".runtime.parameters"
# What functions are annotated with and call, none of which may be the name of something else.
NAMES = frozenset("""
    Buffer CFUNCTYPE Callback Callbacks Const Data Handle Library LibraryOfRelease Pointer Ref
    Text Variadic WideArray WideText c_char_p library
    """.split())


def is_of_release(library: str) -> bool:
    """Tell whether a library's name has the release of the hypervisor that runs."""
    return "{release}" in library


class Functions(Passed):
    """The functions of one module, whose types these are.

    `names` are those of its functions by their names in C, `handles` and `enums` those of
    handles' classes and enums by key.
    """

    def __init__(
        self,
        interface: Interface,
        names: Mapping[str, str],
        handles: Mapping[str, str],
        enums: Mapping[str, str],
        types: Types,
    ) -> None:
        super().__init__(types, handles, enums)
        self.interface = interface
        self.names = names

    def library(self, releases: Sequence[str]) -> LibraryView | None:
        """Give the library, as these releases have it; None where there are no functions."""
        library = self.interface.library
        if library is None:
            return None
        of_release = is_of_release(library.name)
        if of_release:
            kind = self.types.use(HYPERVISOR, "LibraryOfRelease")
        else:
            kind = self.types.use(LIBRARY, "Library")
        self.types.use(TYPING, "Final")
        functions = self.interface.functions
        return LibraryView(
            kind=kind,
            name=library.name,
            advice=list(library.advice),
            by_function=[(self.names[f.name], f.advice) for f in functions if f.advice],
            c_names=[(name, c) for c, name in self.names.items() if name != c],
            symbols=[(self.names[f.name], f.label) for f in functions if f.label],
            releases=releases if of_release else (),
        )

    def handle(self, handle: Handle, aliases: Sequence[str]) -> HandleView:
        """Give the class of a handle, which has these other names."""
        self.types.use(PARAMETERS, "Handle")
        words = f"A pointer to a {handle.key}, which only the library knows."
        name = self.handles[handle.key]
        return HandleView(name, docstring(words, 4), handle.key, aliases)

    def function(self, function: Function, aliases: Sequence[str]) -> FunctionView:
        """Give a function, which has these other names.

        That is how Python declares it, and how it has the library call it.
        """
        name = self.names[function.name]
        parameters = self.declared(function, {name, "library"}, self.parameter)
        given = [each.partition(":")[0] for each in parameters]
        names = [each for each in given if not each.startswith("*")]
        prototype = declaration(function.type, function.name, as_spelled)
        result = self.result(function.type.result, function.errors)
        method = "call" if function.errors == NONE else f"unless_{function.errors}"
        words = [prototype, function.doc, str(function.span or "")]
        return FunctionView(
            name=name,
            names=names,
            head=fold_items(f"def {name}(", parameters, f") -> {result}:", 0),
            doc=docstring("\n\n".join(filter(None, words)), 4),
            enums=self.enums_named(function, names),
            call=fold_items(f"return library.{method}(", [name, *given], ")", 4),
            aliases=aliases,
        )

    def declared(
        self, function: Function, taken: Set[str], write: Callable[[CType], str]
    ) -> list[str]:
        """Declare the parameters, whose types `write` writes, by names that are not `taken`."""
        names = set(taken)
        parameters = []
        for number, parameter in enumerate(function.type.parameters, 1):
            name = python_name(parameter.name or f"argument_{number}", names)
            names.add(name)
            parameters.append(f"{name}: {write(parameter.type)}")
        if function.type.is_variadic:
            more = self.types.use(PARAMETERS, "Variadic")
            parameters.append(f"*{python_name('arguments', names)}: {more}")
        return parameters

    def enums_named(self, function: Function, names: Sequence[str]) -> str:
        """Say which enums a function's numbers are of, as runtime/parameters.py does."""
        found = []
        types = [each.type for each in function.type.parameters]
        for name, c_type in zip(names, types, strict=True):
            found.append((name, self.enum_of(c_type)))
            if isinstance(c_type, Pointer) and isinstance(c_type.other, FunctionType):
                found += [
                    (f"{name}.{number}", self.enum_of(each.type))
                    for number, each in enumerate(c_type.other.parameters, 1)
                ]
        found.append(("result", self.enum_of(function.type.result)))
        return ", ".join(f"{name} {enum}" for name, enum in found if enum)

    # --- annotations ----------------------------------------------------------------

    def parameter(self, c_type: CType) -> str:
        """Annotate a parameter with what it takes."""
        if enum := self.enum_of(c_type):
            return self.annotated(f"{enum} | {self.types.python_type(c_type)}", c_type)
        if not isinstance(c_type, Pointer):
            return self.types.annotation(c_type)
        written = self.python_parameter(c_type)
        if isinstance(c_type.other, RecordRef):
            return written
        match c_type.target:
            case Pointer(other=FunctionType()) as called:
                return self.annotated(written, c_type, self.ctype(called))
        return self.annotated(written, c_type)

    def python_parameter(self, c_type: CType) -> str:
        """Write what a parameter takes, as type checkers know it."""
        if not isinstance(c_type, Pointer):
            return self.types.python_type(c_type)
        match c_type.other:
            case RecordRef(key=key):
                return f"{self.handles[key]} | None"
            case FunctionType():
                return self.callback(c_type.other)
        written = self.use(self.taken(c_type))
        match c_type.target:
            case Pointer(other=FunctionType() as called):
                return f"{written} | {self.callbacks(called)}"
            case Scalar(spelling="wchar_t"):
                wide = "WideText" if "const" in c_type.qualifiers else "WideArray"
                return f"{self.use(wide)} | {written}"
        return written

    def taken(self, pointer: Pointer) -> str:
        """Name what a pointer to memory takes."""
        is_const = "const" in pointer.qualifiers
        match pointer.target:
            case Scalar(base="char") if is_const:
                return "Text"
            case None | Array() | Scalar(base="char" | "signed char" | "unsigned char"):
                return "Data" if is_const else "Buffer"
            case Scalar(base="int8_t" | "uint8_t"):
                return "Data" if is_const else "Buffer"
        return f"{'Const' if is_const else 'Ref'}[{self.written(pointer.target)}]"

    def result(self, c_type: CType, errors: str) -> str:
        """Annotate a result."""
        match c_type:
            case Scalar(base="void") | Pointer(other=RecordRef()):
                return self.python_result(c_type, errors)
            case Pointer():
                given = self.python_result(c_type, errors)
                return self.annotated(given, plain(c_type))
        if enum := self.enum_of(c_type):
            return self.annotated(enum, c_type)
        return self.types.annotation(c_type)

    def python_result(self, c_type: CType, errors: str) -> str:
        """Write what a result is read as; one that is NULL for an error is never None."""
        match c_type:
            case Scalar(base="void"):
                return "None"
            case Pointer(other=RecordRef(key=key)):
                return self.handles[key]
            case Pointer(target=Scalar(base="char"), qualifiers=q) if "const" in q:
                given = self.types.use("builtins", "bytes")
            case Pointer(target=None):
                given = self.types.use("builtins", "int")
            case Pointer(target=target):
                return self.pointer_to(self.written(target))
            case Enumeration() if enum := self.enum_of(c_type):
                return enum
            case _:
                return self.types.python_type(c_type)
        return given if errors == "null" else f"{given} | None"

    def callback(self, function: FunctionType) -> str:
        """Write what a callback takes and gives."""
        name = self.types.use(PARAMETERS, "Callback")
        return f"{name}{self.taken_and_given(function)}"

    def callbacks(self, function: FunctionType) -> str:
        """Write what those in a list take and give, to whom an enum's numbers are but that."""
        taken = ", ".join(self.seen_plainly(each.type) for each in function.parameters)
        given = self.seen_plainly(self.given_back(function.result))
        return f"{self.types.use(PARAMETERS, 'Callbacks')}[[{taken}], {given}]"

    def annotated(self, python: str, c_type: CType, *more: str) -> str:
        items = ", ".join([python, self.ctype(c_type), *more])
        return f"{self.types.use(TYPING, 'Annotated')}[{items}]"

    def pointer_to(self, written: str) -> str:
        return self.use(f"Pointer[{written}]")

    def use(self, written: str) -> str:
        """Import what an annotation begins with."""
        name, bracket, rest = written.partition("[")
        return self.types.use(PARAMETERS, name) + bracket + rest
