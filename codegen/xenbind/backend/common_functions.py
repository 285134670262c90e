"""Prepare what all releases have in common of a library's functions, for common.py's template.

Takes the interfaces of a spec; gives a `CommonFunctionsView`: the functions of a version's
module as members of a protocol, of which some releases lack some.  A function whose prototype
changed is a union of protocols, and `has` narrows it by a parameter that not all of them have.

    4.9: int f(bool sync);    4.10: int f(bool sync, bool deep);
    ->  _f_4_9 | _f_4_10, and has(f, "deep") is TypeIs[_f_4_10]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from xenbind.backend.functions import PARAMETERS, Functions
from xenbind.backend.names import python_name
from xenbind.backend.python_text import LINE, fold_items, text
from xenbind.backend.python_types import TYPING, Types
from xenbind.ir.interface import Function, Interface
from xenbind.plain import Struct


class PrototypeView(Struct, frozen=True):
    """One of several prototypes: its protocol, and the lines of how that is called."""

    name: str
    lines: Sequence[str]


class CommonFunctionView(Struct, frozen=True):
    """A function as a member of a protocol, in lines.

    Of more than one prototype, the oldest first, `union` has the lines that name them together,
    and `parameters` are those that some lack.
    """

    name: str
    lines: Sequence[str]
    prototypes: Sequence[PrototypeView]
    union: Sequence[str]
    parameters: Sequence[str]


class CommonFunctionsView(Struct, frozen=True):
    """The functions that all releases have, and those that only `some` have.

    `narrowings` are the lines of `has` for each of those, and for each parameter that tells
    prototypes apart.
    """

    name: str
    functions: Sequence[CommonFunctionView]
    some: Sequence[CommonFunctionView]
    narrowings: Sequence[Sequence[str]]

    @property
    def changed(self) -> list[CommonFunctionView]:
        """Give those that have more than one prototype."""
        return [each for each in (*self.functions, *self.some) if each.prototypes]


class _Prototype(Struct, frozen=True):
    """What is behind `self` in a method, and its result."""

    parameters: tuple[str, ...]
    result: str

    def method(self, name: str) -> list[str]:
        """Write it as the method of a protocol."""
        parameters = ("self", *self.parameters)
        return fold_items(f"def {name}(", parameters, f") -> {self.result}: ...", 4)


_NAME = "Functions"


def common_functions(
    interfaces: Sequence[Interface],
    releases: Mapping[str, str],
    use: Callable[[str, str], str],
) -> CommonFunctionsView | None:
    """Give what the interfaces have in common of their functions, None where there are none.

    `releases` are the first of each, by edition; `use` is called with what to import.
    """
    found: dict[str, dict[_Prototype, str]] = {}
    having: dict[str, int] = {}
    for interface in interfaces:
        own = _functions(interface, use)
        release = releases[interface.edition].replace(".", "_")
        for function in interface.functions:
            name = python_name(function.name, set())
            prototypes = found.setdefault(name, {})
            prototypes.setdefault(_prototype(own, function), f"_{name}_{release}")
            having[name] = having.get(name, 0) + 1
    if not found:
        return None
    use(TYPING, "cast")
    use(".", "interface_for_xen")
    views = [_function(name, prototypes) for name, prototypes in found.items()]
    in_all = {name for name, count in having.items() if count == len(interfaces)}
    some = [view for view in views if view.name not in in_all]
    return CommonFunctionsView(
        name=_NAME,
        functions=[view for view in views if view.name in in_all],
        some=some,
        narrowings=[
            *(narrowing(_NAME, v.name, f"_{_NAME}_{v.name}") for v in some),
            *(each for name in found for each in _narrowings(name, found[name])),
        ],
    )


def _functions(interface: Interface, use: Callable[[str, str], str]) -> Functions:
    """Have types written as they are in every release: a handle is a handle, a record any."""
    records = {record.key: "Any" for record in interface.records}
    handles = {handle.key: use(PARAMETERS, "Handle") for handle in interface.handles}
    types = Types(records, {}, use, lambda name: use(TYPING, name))
    return Functions(interface, {}, handles, {}, types)  # an enum is a number here


def _prototype(own: Functions, function: Function) -> _Prototype:
    parameters = own.declared(function, {"self"}, own.python_parameter)
    result = own.python_result(function.type.result, function.errors)
    return _Prototype(tuple(parameters), result)


def _function(name: str, prototypes: Mapping[_Prototype, str]) -> CommonFunctionView:
    """Give a function; each prototype is named after the first release that has it."""
    if len(prototypes) == 1:
        (only,) = prototypes
        return CommonFunctionView(name, only.method(name), [], [], [])
    return CommonFunctionView(
        name=name,
        lines=["@property", f"def {name}(self) -> _{name}: ..."],
        prototypes=[
            PrototypeView(own, one.method("__call__"))
            for one, own in prototypes.items()
        ],
        union=_union(f"_{name}", list(prototypes.values())),
        parameters=[parameter for parameter, _ in _telling(prototypes)],
    )


def _union(name: str, types: Sequence[str]) -> list[str]:
    """Write a name for several types, folded as black folds it."""
    inside = " | ".join(types)
    if len(f"{name} = {inside}") <= LINE:
        return [f"{name} = {inside}"]
    if len(inside) + 4 <= LINE:
        return [f"{name} = (", f"    {inside}", ")"]
    first, *others = types
    return [f"{name} = (", f"    {first}", *(f"    | {one}" for one in others), ")"]


def _narrowings(
    name: str, prototypes: Mapping[_Prototype, str]
) -> Iterator[Sequence[str]]:
    for parameter, some in _telling(prototypes):
        yield narrowing(f"_{name}", parameter, " | ".join(some))


def _telling(prototypes: Mapping[_Prototype, str]) -> Iterator[tuple[str, list[str]]]:
    """Give each parameter that tells some of a function's prototypes from others, with those."""
    having: dict[str, list[str]] = {}
    for prototype, own in prototypes.items():
        for parameter in prototype.parameters:
            having.setdefault(parameter.partition(":")[0], []).append(own)
    for parameter, some in having.items():
        if len(some) < len(prototypes) and parameter.isidentifier():
            yield parameter, some


def narrowing(of: str, member: str, narrowed: str) -> list[str]:
    """Write the head of `has` for one member of something, in lines as black folds them."""
    parameters = [f"record: {of}", f"member: Literal[{text(member)}]"]
    return fold_items("def has(", parameters, f") -> TypeIs[{narrowed}]: ...", 0)
