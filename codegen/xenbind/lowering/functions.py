"""Lower the prototypes of a header: to the functions of its library, and handles.

Takes the root header's declarations, the table of its types and what the spec says of the
library; gives `Function`s, with the reason for each that Python cannot call.  A struct that
no header defines is a handle.

    int xs_fileno(xs_handle *h);                 ->  Function("xs_fileno", FunctionType(…), …)
    static inline int xs_next(int n) { … }       ->  LeftOut: no library has it
    #define xs_first() xs_next(0)                ->  LeftOut, likewise
    #define xs_number xs_fileno                  ->  another name of that function
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pycparser import c_ast

from xenbind.errors import SourceError
from xenbind.frontend.attributes import label, mode
from xenbind.frontend.header import ParsedHeader
from xenbind.ir.by_value import ByValue
from xenbind.ir.c_types import (
    CType,
    Enumeration,
    FunctionType,
    Parameter,
    Pointer,
    RecordRef,
    Scalar,
    element,
    spelling,
)
from xenbind.ir.interface import Function, LeftOut
from xenbind.lowering.declarations import c_name, definitions
from xenbind.lowering.records import require_levels
from xenbind.lowering.type_table import TypeTable
from xenbind.plain import replace
from xenbind.source import Coord
from xenbind.spec import LibrarySpec, Spec
from xenbind.spec.rules import NONE


class Functions:
    """The functions of one header; `left_out` and `skipped` are known once they are asked for."""

    def __init__(self, header: ParsedHeader, types: TypeTable, spec: Spec) -> None:
        self.declarations = header.declarations
        self.roots = header.roots
        self.macros = header.callable_macros
        self.types = types
        self.spec = spec
        self.labels: dict[str, str] = {}
        self.left_out: list[LeftOut] = []
        self.skipped: list[str] = []

    def of_header(self) -> Iterator[Function]:
        """Give the functions that the root header declares, in its order, each once.

        Without a library there is none.  Raises `SourceError` at a key of the spec that does not
        fit a function's result.
        """
        library = self.spec.library
        if library is None:
            self._leave_out_variables()
            return
        self.labels = {
            node.name: symbol
            for node in self.declarations
            if isinstance(node, c_ast.Decl) and (symbol := label(node))
        }
        seen: set[str] = set()
        for node in self.declarations:
            if not self._is_declared_here(node) or node.name in seen:
                continue
            seen.add(node.name)
            declared, _ = self._derived(node.type)
            if node.name in library.skip:
                self.skipped.append(node.name)
            elif not library.has(node.name):
                continue
            elif not isinstance(declared, c_ast.FuncDecl):
                self._leave_out(node, "it is a variable of the library's")
            else:
                try:
                    self._require_usual(node)
                    found = self._function_type(declared)
                    require_levels(self.types.context, node, found)
                except SourceError as error:
                    self._leave_out(node, error.message)
                    continue
                yield self._function(node, found, library)
        self._leave_out_bodies(seen, library)

    def with_other_names(
        self, functions: Sequence[Function], macros: Mapping[str, tuple[str, Coord]]
    ) -> tuple[Function, ...]:
        """Give the functions with the `macros` that are their other names: of which, and where.

        Those of no function here are left out, unless a library might have it and none is named.
        """
        library = self.spec.library
        skip = library.skip if library else self._declared_functions()
        found: dict[str, list[str]] = {function.name: [] for function in functions}
        for name, (function, coord) in macros.items():
            if name in skip:
                self.skipped.append(name)
            elif function in found and name not in found:
                found[function].append(name)
            elif function not in skip:
                why = "it is another name of a function"
                self.left_out.append(LeftOut(name, why, coord))
        return tuple(
            replace(each, other_names=tuple(found[each.name])) for each in functions
        )

    def _declared_functions(self) -> set[str]:
        return {
            node.name
            for node in self.declarations
            if self._is_declared_here(node)
            and isinstance(self._derived(node.type)[0], c_ast.FuncDecl)
        }

    def _leave_out_variables(self) -> None:
        """Leave out the variables that a library may have, though the spec names none."""
        nodes = {
            node.name: node
            for node in reversed(self.declarations)  # the first counts
            if self._is_declared_here(node)
            and not isinstance(self._derived(node.type)[0], c_ast.FuncDecl)
        }
        for name, node in nodes.items():
            if name in self.spec.skip:
                self.skipped.append(name)
            else:
                self._leave_out(node, "it is a variable")

    def _leave_out_bodies(self, seen: set[str], library: LibrarySpec) -> None:
        """Leave out what the header calls as functions, and has the body of itself."""
        bodies = [
            (node.name, "it is static or inline: no library has it", self._coord(node))
            for node in self.declarations
            if self._is_of_root(node)
            and not self._is_declared_here(node)
            and isinstance(self._derived(node.type)[0], c_ast.FuncDecl)
        ]
        bodies += [
            (
                macro.name,
                "it is a macro with parameters: no library has it",
                macro.coord,
            )
            for macro in self.macros
        ]
        for name, reason, coord in bodies:
            if name in seen:
                continue
            seen.add(name)
            if name in library.skip:
                self.skipped.append(name)
            elif library.has(name) and name not in self.spec.skip:
                self.left_out.append(LeftOut(name, reason, coord))

    def _is_declared_here(self, node: c_ast.Node) -> bool:
        """Tell whether a declaration is of a function or variable that a library may have."""
        return (
            self._is_of_root(node)
            and node.init is None
            and "static" not in node.storage
            and "inline" not in node.funcspec  # its body is what there is of it
        )

    def _is_of_root(self, node: c_ast.Node) -> bool:
        return (
            isinstance(node, c_ast.Decl)
            and node.name is not None
            and node.coord is not None
            and node.coord.file in self.roots
        )

    def _leave_out(self, node: c_ast.Decl, reason: str) -> None:
        self.left_out.append(LeftOut(node.name, reason, self._coord(node)))

    def _coord(self, node: c_ast.Decl) -> Coord:
        return self.types.context.coord(node, node.name)

    def _function(
        self, node: c_ast.Decl, c_type: FunctionType, library: LibrarySpec
    ) -> Function:
        said = library.by_name.get(node.name)
        return Function(
            name=node.name,
            type=c_type,
            errors=self._errors(node.name, c_type.result, library),
            advice=said.advice if said else "",
            doc=self.types.context.doc(node.coord, node.name),
            coord=self.types.context.coord(node),
            label=self.labels.get(node.name, ""),
        )

    def _errors(self, name: str, result: CType, library: LibrarySpec) -> str:
        """Say which results of a function are errors: of those that its type can have.

        Without a word on it, a number is one if it is negative, never if it is 0.
        """
        possible = self._possible_errors(result)
        said = library.by_name.get(name)
        if said is None or said.errors is None:
            usual = possible[0]
            return usual if usual in library.errors else NONE
        if said.errors not in possible:
            raise SourceError(
                self.spec.places.of("function", name, "errors"),
                f"no result of {name} is {said.errors}: it is of type '{spelling(result)}'",
                f"write {' or '.join(possible)}",
            )
        return said.errors

    def _possible_errors(self, result: CType) -> tuple[str, ...]:
        """Give the kinds of errors that a result can tell of, the usual one first."""
        if isinstance(result, Pointer):
            return "null", NONE
        base = getattr(result, "base", "")
        if base == "_Bool":
            return "false", NONE
        integer = self.types.abi.integers.get(base)
        if integer is None or base == "char":  # to Python a char is bytes
            return (NONE,)
        return ("negative", "false", NONE) if integer.signed else (NONE, "false")

    # --- types ----------------------------------------------------------------------

    def _function_type(self, node: c_ast.FuncDecl) -> FunctionType:
        """Give the type of a function.  Raises `SourceError` for what Python cannot call."""
        # `f()` says nothing of them, nor do names alone (C11 6.7.6.3p14).
        if node.args is None or any(isinstance(p, c_ast.ID) for p in node.args.params):
            raise self._refuse(node, "its parameters are not declared")
        parameters = []
        is_variadic = False
        for declared in node.args.params:
            if isinstance(declared, c_ast.EllipsisParam):
                is_variadic = True
                continue
            if any(definitions(declared)):
                message = "a type that its prototype defines is known nowhere else"
                raise self._refuse(declared, message)
            self._require_usual(declared)
            c_type = self._in_mode(self._value(declared.type), declared)
            if isinstance(c_type, Scalar) and c_type.base == "void":
                continue  # as in `(void)`
            parameters.append(Parameter(declared.name or "", c_type))
        return FunctionType(self._value(node.type), tuple(parameters), is_variadic)

    def _in_mode(self, c_type: CType, node: c_ast.Node) -> CType:
        """Give a parameter's type, with the width that its machine mode asks for.

        Raises `SourceError` for one of 8 bytes: of two such types, each target has its own.
        """
        wide = self.types.in_mode(c_type, node)
        if mode(node) and getattr(wide, "base", "").endswith("long long"):
            message = f"a parameter of the mode {mode(node)} is not supported"
            raise self._refuse(node, message)
        return wide

    def _require_usual(self, node: c_ast.Node) -> None:
        """Raise `SourceError` for what is called or passed as an attribute says."""
        abi = self.types.abi.name
        if found := self.types.declared.calls_otherwise(node.type, abi):
            message = f"ctypes does not call as the attribute '{found}' has it"
            raise self._refuse(node, message)

    def _value(self, node: c_ast.Node) -> CType:
        """Give the type of a parameter or result, where arrays and functions are pointers."""
        derived, qualifiers = self._derived(node)
        if isinstance(derived, c_ast.FuncDecl):
            return self._to_function(derived)
        if isinstance(derived, c_ast.ArrayDecl):  # what qualifies it does its elements
            return self._to(derived.type, qualifiers)
        if isinstance(derived, c_ast.PtrDecl):
            return self._to(derived.type)
        c_type = self.types.type(node)
        is_undefined = (
            self.types.record(c_type.key) is None
            if isinstance(c_type, RecordRef)
            else isinstance(derived, c_ast.Enum) and not isinstance(c_type, Enumeration)
        )
        if is_undefined:
            raise self._refuse(node, f"'{spelling(c_type)}' is never defined")
        if isinstance(c_type, RecordRef):
            self._require_alike(node, c_type)
        return c_type

    def _require_alike(self, node: c_ast.Node, c_type: RecordRef) -> None:
        """Raise `SourceError` for a record that Python does not pass by value as C does."""
        by_value = ByValue(self.types.abi, self.types.records)
        if not by_value.is_alike(self.types.records[c_type.key]):
            message = f"Python cannot pass '{spelling(c_type)}' by value as C does"
            raise self._refuse(node, message)

    def _derived(self, node: c_ast.Node, outer: str = "") -> tuple[c_ast.Node, str]:
        """Give what makes a type of others, a pointer, array or function, behind its names.

        Beside it stands what qualifies the type on the way, or an array of it outside: `const`.
        """
        found = set(outer.split())
        while True:
            found.update(getattr(node, "quals", None) or ())
            if isinstance(node, c_ast.IdentifierType):
                named = self.types.declared.typedefs.get(" ".join(node.names))
                if named is None:
                    break
                node = named
            elif not isinstance(node, c_ast.TypeDecl | c_ast.Typename):
                break
            node = node.type
        return node, " ".join(each for each in _QUALIFIERS if each in found)

    def _to(self, node: c_ast.Node, outer: str = "") -> Pointer:
        """Give a pointer to what a declarator declares, an array of which may be `outer` const."""
        derived, qualifiers = self._derived(node, outer)
        if isinstance(derived, c_ast.FuncDecl):
            return self._to_function(derived)
        if isinstance(derived, c_ast.PtrDecl):
            target: CType = self._to(derived.type)
        elif self._is_opaque(derived):
            target = RecordRef(_written(node) or c_name(derived), c_name(derived))
        else:
            target = self.types.type(node)
        self._require_name(node, target)
        spelled = f"{spelling(target)} *"
        if isinstance(target, RecordRef) and (
            self._is_opaque(derived) or self.types.record(target.key) is None
        ):
            return Pointer(spelled, None, 0, qualifiers, target)
        is_void = isinstance(target, Scalar) and target.base == "void"
        if is_void and isinstance(derived, c_ast.Enum):
            raise self._refuse(node, f"'{spelling(target)}' is never defined")
        return Pointer(spelled, None if is_void else target, 0, qualifiers)

    def _require_name(self, node: c_ast.Node, target: CType) -> None:
        """Raise `SourceError` for what only a typedef of a pointer or array leads to.

        C has no name for it, by which a compiler could be asked for the prototype.
        """
        inner = element(target)
        if isinstance(inner, RecordRef):
            name, is_element, _ = inner.key.partition(".element")
            if is_element and name in self.types.declared.typedefs:
                kind = inner.spelling.split()[0]
                message = f"the {kind} that {name} is made of has no name of its own"
                raise self._refuse(node, message)

    def _to_function(self, node: c_ast.FuncDecl) -> Pointer:
        function = self._function_type(node)
        if isinstance(function.result, RecordRef):
            message = "a callback of Python's cannot return a struct or union"
            raise self._refuse(node, message)
        if function.is_variadic:
            message = "a callback of Python's cannot be variadic"
            raise self._refuse(node, message)
        return Pointer("function *", None, other=function)

    def _is_opaque(self, node: c_ast.Node) -> bool:
        """Tell whether the spec wants no members of a struct that functions point to."""
        library = self.spec.library
        is_record = isinstance(node, c_ast.Struct | c_ast.Union)
        return is_record and library is not None and c_name(node) in library.opaque

    def _refuse(self, node: c_ast.Node, message: str) -> SourceError:
        return self.types.context.refuse(node, message)


_QUALIFIERS = ("const", "volatile")


def _written(node: c_ast.Node) -> str:
    """Give the typedef name that a declarator's type is written with; empty without one."""
    while isinstance(node, c_ast.TypeDecl | c_ast.Typename):
        node = node.type
    return " ".join(node.names) if isinstance(node, c_ast.IdentifierType) else ""


def pointed_to(functions: Iterable[Function]) -> list[str]:
    """Give the keys of the structs that functions take or give as handles, each once."""
    keys = (key for function in functions for key in _handles(function.type))
    return list(dict.fromkeys(keys))


def _handles(c_type: CType | FunctionType) -> Iterator[str]:
    match c_type:
        case FunctionType(result=result, parameters=parameters):
            yield from _handles(result)
            for parameter in parameters:
                yield from _handles(parameter.type)
        case Pointer(other=RecordRef(key=key)):
            yield key
        case Pointer(target=target, other=FunctionType() | None as other):
            if to := target or other:
                yield from _handles(to)
