"""Read attributes: which of them change a layout, and to what.

`attach_attributes` moves those in an AST to the declaration or type that they apply to,
when `parse` has made it; `of_type` and `of_declaration` read them there, for `lowering`.
One that is not known is refused: it might change the layout, and no one would notice.

    struct s { int a; } __attribute__((packed));    ->  Attributes(packed=True, aligned=0)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from pycparser import c_ast

from xenbind.frontend.gnu_c import CONVENTIONS, HARMLESS, LABEL, NAMESPACE
from xenbind.plain import Struct

EvaluateArgument = Callable[[c_ast.Attribute], int]


class UnknownAttribute(Exception):
    """An attribute whose meaning for the layout is not known.

    `is_of_python` says that it is: it makes a type or layout that ctypes has not.
    """

    def __init__(self, node: c_ast.Node, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.is_of_python = _name(node) in _OF_VECTORS | _OF_LAYOUT


class Attributes(Struct, frozen=True):
    """What attributes ask of a layout: `aligned` is 0 where they ask for no alignment."""

    packed: bool = False
    aligned: int = 0


_OF_VECTORS = frozenset(["vector_size", "ext_vector_type", "neon_vector_type"])
# Types and orders of bytes and bit-fields that ctypes has not.
_OF_LAYOUT = frozenset(["mode", "ms_struct", "scalar_storage_order"])
_OF_CALLS = CONVENTIONS | _OF_VECTORS
_WITHOUT_LAYOUT = HARMLESS | CONVENTIONS | {LABEL}
_RECORDS = (c_ast.Struct, c_ast.Union)
_DECLARING = (c_ast.Decl, c_ast.Typedef, c_ast.Typename)
_DERIVED = (c_ast.TypeDecl, c_ast.ArrayDecl, c_ast.FuncDecl, c_ast.PtrDecl)


def attach_attributes(node: c_ast.Node) -> None:
    """Put attributes behind a type's name or closing brace where they apply.

    GNU C means those behind a brace for the struct, union or enum that it closes, and the
    others for everything that the declaration declares.
    """
    _attach(node, set())


def _attach(node: c_ast.Node, seen: set[int]) -> None:
    """Do so in what is not yet `seen`: `struct { … } a, b;` has one definition, in two members."""
    if is_definition(node):
        if id(node) in seen:
            return
        seen.add(id(node))
    for child in node:
        _attach(child, seen)
    if not isinstance(node, _DECLARING):
        return
    _attach_declared(node)
    _attach_calls(node)


def _attach_declared(node: c_ast.Node) -> None:
    outer = node
    while outer.type is not None and not isinstance(outer.type, c_ast.AttributedType):
        if not hasattr(outer.type, "type") or isinstance(outer.type, c_ast.Decl):
            return
        outer = outer.type
    if outer.type is None:
        return
    wrapped = outer.type
    inner = wrapped.type
    holder = inner if is_definition(inner) else node
    holder.attributes = [*(holder.attributes or ()), *wrapped.attributes]
    outer.type = inner


def _attach_calls(node: c_ast.Node) -> None:
    """Have what says how a function is called stand at the type, which is all that some see."""
    if not isinstance(node.type, _DERIVED):
        return
    of_calls = [
        group
        for group in node.attributes or ()
        if any(_name(each) in _OF_CALLS for each in group.attributes)
    ]
    if of_calls:
        node.type.attributes = [*(node.type.attributes or ()), *of_calls]


def is_definition(node: c_ast.Node) -> bool:
    """Tell whether a struct, union or enum specifier is a definition: has a member list."""
    if isinstance(node, c_ast.Enum):
        return node.values is not None
    return isinstance(node, _RECORDS) and node.decls is not None


def of_type(node: c_ast.Node, value: EvaluateArgument) -> Attributes:
    """Read the attributes of a struct, union or enum definition.

    `value` evaluates an attribute's argument.  Raises `UnknownAttribute`.
    """
    for attribute in _attributes(node.attributes or ()):
        if _name(attribute) == "mode" and isinstance(node, c_ast.Enum):
            message = "gcc and clang disagree on the sign of an enum of this mode"
            raise UnknownAttribute(attribute, message)
    return _of_type(node.attributes, value)


def of_declaration(
    node: c_ast.Node, value: EvaluateArgument, in_packed: bool = False
) -> Attributes:
    """Read the attributes of what a declaration or typedef declares.

    `value` evaluates an attribute's argument, and `in_packed` says that what is declared is a
    member of a packed record.  Raises `UnknownAttribute`.
    """
    if isinstance(node, c_ast.Decl):
        packed, alignments = _read(_declared(node, value), value, _passed_over(node))
        if packed or in_packed:
            _require_own_alignment(node, value)
        return Attributes(packed, max(alignments, default=0))
    groups = list(_declared(node, value))
    if isinstance(node, c_ast.Typename):
        for attribute in _attributes(groups):
            if _name(attribute) == "aligned":
                raise UnknownAttribute(
                    attribute,
                    "clang ignores this attribute of a type that has no name, gcc does not",
                )
    return _of_type(groups, value, _passed_over(node))


def _passed_over(node: c_ast.Node) -> tuple[str, ...]:
    """Give what is read elsewhere of the attributes of what a declaration declares."""
    return ("mode",) if mode(node) else ()


def mode(node: c_ast.Node) -> str:
    """Give the machine mode that a declaration or type name asks for (`DI`), empty without one."""
    if not isinstance(node, _DECLARING) or not isinstance(node.type, c_ast.TypeDecl):
        return ""
    groups = [*(node.attributes or ()), *(node.type.attributes or ())]
    asked = [each for each in _attributes(groups) if _name(each) == "mode"]
    return str(asked[-1].arguments).strip("()_ ") if asked else ""


def label(node: c_ast.Node) -> str:
    """Give the symbol that a function's declaration names it by, empty if it is its own name."""
    groups = [*(node.attributes or ())]
    while isinstance(node := node.type, _DERIVED):
        groups += node.attributes or ()
    given = [each for each in _attributes(groups) if each.name == LABEL]
    return "".join(re.findall(r'"([^"]*)"', given[0].arguments)) if given else ""


def calls_otherwise(node: c_ast.Node, abi: str) -> str:
    """Name the attribute of a declarator's node by which an ABI's compilers call otherwise.

    That is its convention, or that what is passed is a vector; empty where there is none.
    """
    for attribute in _attributes(getattr(node, "attributes", None) or ()):
        name = _name(attribute)
        if name in _OF_VECTORS or (
            name in CONVENTIONS and name not in _IGNORED.get(abi, ())
        ):
            return name
    return ""


# By ABI, the conventions of other targets: compilers ignore their names, with a warning.
_OF_I386 = frozenset("fastcall pascal regparm sseregparm stdcall thiscall".split())
_OF_ARM = frozenset("aarch64_vector_pcs pcs".split())
_NO_X86 = frozenset("ms_abi regcall vectorcall".split()) | _OF_I386
_IGNORED = {
    "x86_64": _OF_I386 | _OF_ARM,
    "i386": _OF_ARM | {"ms_abi"},
    "arm64": _OF_I386,
    "armhf": _NO_X86,
    "riscv64": _NO_X86 | _OF_ARM,
}


def _declared(
    node: c_ast.Node, value: EvaluateArgument
) -> Iterator[c_ast.AttributeSpecifier]:
    """Give the attributes that count for what is declared, wherever they stand."""
    yield from node.attributes or ()
    is_own = True
    while isinstance(node := node.type, _DERIVED):
        if isinstance(node, c_ast.PtrDecl):
            for attribute in _attributes(node.attributes or ()):
                if fault := _fault_of_pointer(attribute, value, is_own):
                    raise UnknownAttribute(attribute, fault)
        yield from node.attributes or ()
        is_own = False


def _require_own_alignment(node: c_ast.Decl, value: EvaluateArgument) -> None:
    """Raise `UnknownAttribute` where a packed member's pointer asks for more than the member does.

    In `int *__attribute__((aligned(16))) p` that is of the pointer's type, which gcc packs as any
    other, and clang takes for the member's own.
    """
    levels = [node]
    while isinstance(levels[-1].type, _DERIVED):
        levels.append(levels[-1].type)
    pointers = [level for level in levels if isinstance(level, c_ast.PtrDecl)]
    others = (level.attributes or () for level in levels if level not in pointers)
    _, own = _read(chain.from_iterable(others), value, _passed_over(node))
    for pointer in pointers:
        for attribute in _attributes(pointer.attributes or ()):
            if _name(attribute) == "aligned" and value(attribute) > max(own, default=0):
                raise UnknownAttribute(
                    attribute,
                    "gcc ignores this attribute of a pointer in what is packed, clang does not",
                )


# Of a pointer, in bytes, on the ABI where it is the most.
_POINTER = 8


def _fault_of_pointer(
    attribute: c_ast.Attribute, value: EvaluateArgument, is_own: bool
) -> str:
    """Say why an attribute behind a `*` has no one meaning, empty if it has.

    `is_own` says that what is declared is this pointer, and no array of such, nor a pointer to one.
    """
    match _name(attribute):
        case "packed":
            return "gcc ignores this attribute of a pointer, clang does not"
        case "aligned" if not is_own:
            return "gcc and clang disagree on whose attribute this is"
        case "aligned" if value(attribute) < _POINTER:
            return "gcc and clang disagree on whether this lessens an alignment"
    return ""


def _of_type(
    groups: Iterable[c_ast.AttributeSpecifier] | None,
    value: EvaluateArgument,
    passed_over: Sequence[str] = (),
) -> Attributes:
    """Read what is asked of a type; of several alignments gcc takes the last, clang the most."""
    listed = list(groups or ())
    packed, alignments = _read(listed, value, passed_over)
    if alignments and alignments[-1] < max(alignments):
        last = [each for each in _attributes(listed) if _name(each) == "aligned"][-1]
        raise UnknownAttribute(last, "gcc and clang disagree on which alignment counts")
    return Attributes(packed, max(alignments, default=0))


def _read(
    groups: Iterable[c_ast.AttributeSpecifier],
    value: EvaluateArgument,
    passed_over: Sequence[str] = (),
) -> tuple[bool, list[int]]:
    """Tell whether they ask for packing, and for which alignments."""
    packed, alignments = False, []
    for attribute in _attributes(groups):
        name = _name(attribute)
        is_gnu = attribute.namespace == NAMESPACE
        if name == "packed" and is_gnu:
            packed = True
        elif name == "aligned" and is_gnu:
            alignments.append(value(attribute))
        elif name in ("packed", "aligned"):
            raise UnknownAttribute(
                attribute, f"compilers disagree on [[{name}]]: write __attribute__"
            )
        elif name not in _WITHOUT_LAYOUT and name not in passed_over:
            raise UnknownAttribute(
                attribute, f"the attribute '{attribute.name}' is not supported"
            )
    return packed, alignments


def _attributes(
    groups: Iterable[c_ast.AttributeSpecifier],
) -> Iterator[c_ast.Attribute]:
    return (attribute for group in groups for attribute in group.attributes)


def _name(attribute: c_ast.Attribute) -> str:
    return str(attribute.name).strip("_")
