"""A module's constants: the flat ones, and the enums of their groups.

Takes a `Scope`; gives views for the template of `module`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from xenbind.backend.names import ENUM_ATTRIBUTES, enum_member_name, is_sunder
from xenbind.backend.python_model import ConstantView, EnumView, SectionView
from xenbind.backend.python_text import (
    assigned,
    comment,
    docstring,
    literal,
    with_span,
)
from xenbind.backend.python_types import TYPING
from xenbind.backend.scope import RECORDS, Scope
from xenbind.ir.interface import Constant, ConstantGroup


def sections(scope: Scope) -> Iterable[SectionView]:
    """Give the flat constants: those of a group together, the others in between."""
    group_of = {
        member.name: group
        for group in scope.interface.groups
        for member in group.members
    }
    current: ConstantGroup | None = None
    heading: Sequence[str] = ()
    views: list[ConstantView] = []
    written: dict[str, int] = {}
    for constant in scope.interface.constants:
        group = group_of.get(constant.name)
        if views and group is not current:
            yield SectionView(heading, views)
            views = []
        if not views:
            heading = [] if group is None else _heading(group)
        current = group
        doc = "" if group else docstring(with_span(constant.doc, constant.span), 0)
        scope.use(TYPING, "Final")
        name = scope.constants[constant.name]
        value = literal(constant, scope.constants, written)
        views.append(ConstantView(name, assigned(f"{name}: Final", value, 0), doc))
        if isinstance(constant.value, int):
            written[constant.name] = constant.value
    if views:
        yield SectionView(heading, views)


def _heading(group: ConstantGroup) -> list[str]:
    return comment(f"{group.spelling}: {group.doc}" if group.doc else group.spelling)


def enum_view(scope: Scope, group: ConstantGroup) -> EnumView:
    """The enum of a group: its members as the header has them, most by the constants' names."""
    base = (
        scope.use("enum", "IntFlag")
        if group.is_flag
        else scope.use(RECORDS, "OpenEnum")
    )
    taken = set(ENUM_ATTRIBUTES)
    above: set[str] = set()
    members = []
    for short, constant in group.members_by_name.items():
        name = enum_member_name(short, taken)
        taken.add(name)
        value = _enum_value(scope, constant, above)
        doc = docstring(with_span(constant.doc, constant.span), 4)
        members.append(ConstantView(name, assigned(name, value, 4), doc))
        above.add(name)
    words = group.doc or f"The {group.spelling} constants."
    name = scope.groups[group.key]
    again = scope.aliases.get(name, "")
    return EnumView(name, base, docstring(words, 4), members, again)


def _enum_value(scope: Scope, constant: Constant, above: Set[str]) -> str:
    """The constant's name, or its value where that name is something else.

    A macro may have made another of it, one of the members `above` may have it, or an
    enum itself.
    """
    flat = scope.values[constant.name]
    name = scope.constants[constant.name]
    own = flat == constant.value and name not in above and not is_sunder(name)
    return name if own else str(constant.value)
