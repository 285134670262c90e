"""Give each type of several headers one module: that of the header that declares it.

Takes the interfaces of a tree's headers, each read by itself and so with all types that it uses;
gives them with a note, in `elsewhere`, of which of these other modules have.  `backend` writes the
rest, and imports those.

    xen.h:    struct tick { … };              ->  xen has struct tick,
    sched.h:  #include "xen.h"                    and sched imports it
              struct turn { struct tick at; };

A type of a file that is no module, such as one of the C library's, is in the module of the
header that reads the fewest others.  Where modules would import each other, the first has what
it uses of all of them; Python imports a folder before the modules in it.  What a header makes
another type of, by its macros, is its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from os.path import normpath

from xenbind.ir.c_types import (
    keys,
)
from xenbind.ir.interface import ConstantGroup, Interface, Record, Typedef
from xenbind.plain import replace
from xenbind.source import Coord

Item = Record | ConstantGroup | Typedef
# Of a module and the key of a type that it uses, the module that has that.
Homes = dict[tuple[str, str], str]
# Of a type's key and the file that declares it, the modules whose headers read that.
Using = dict[tuple[str, str], list[str]]
# A module, and another one that is imported where it is.
Link = tuple[str, str]


def at_home(interfaces: Mapping[str, Interface]) -> dict[str, Interface]:
    """Note what other modules have in each interface; they are by their modules."""
    items = {name: dict(_items(each)) for name, each in interfaces.items()}
    using = _using(items)
    homes = _without_circles(interfaces, using, _declared(interfaces, using))
    homes = _of_the_same(items, homes)
    constants = {
        (normpath(each.header), constant.name, constant.value)
        for each in interfaces.values()
        for constant in each.constants
    }
    inside = _inside(interfaces)
    return {
        name: replace(
            _divided(name, each, homes, constants), inside=tuple(sorted(inside[name]))
        )
        for name, each in interfaces.items()
    }


def _using(items: Mapping[str, Mapping[str, Item]]) -> Using:
    """Give the modules that have a type, by its key and the file that declares it."""
    using: Using = {}
    for name, own in items.items():
        for key, item in own.items():
            using.setdefault((key, normpath(item.coord.file)), []).append(name)
    return using


def _declared(interfaces: Mapping[str, Interface], using: Using) -> Homes:
    """Give each type the module of its header, or of the one that reads the fewest others."""
    declaring = {normpath(each.header): name for name, each in interfaces.items()}
    fewest = {name: (len(each.files), name) for name, each in interfaces.items()}
    homes: Homes = {}
    for (key, file), names in using.items():
        home = declaring.get(file)
        if home is None or home not in names:
            home = min(names, key=fewest.__getitem__)
        homes |= {(name, key): home for name in names if name != home}
    return homes


def _without_circles(interfaces: Iterable[str], using: Using, homes: Homes) -> Homes:
    """Give the first of the modules that would import each other what it uses of all of them."""
    homes = dict(homes)
    links: set[Link] = set()
    circles: list[list[str]] = []
    while new := {*_links(interfaces, homes, circles)} - links:
        links |= new
        circles = _circles(interfaces, links)
        for circle in circles:
            for (key, _), names in using.items():
                having = [name for name in circle if name in names]
                for name in names if having else ():
                    if homes.get((name, key), name) in circle:
                        homes[name, key] = having[0]
    return {use: home for use, home in homes.items() if use[0] != home}


def _inside(interfaces: Iterable[str]) -> dict[str, set[str]]:
    """Give the names that modules have inside of each module that is a folder of some."""
    inside: dict[str, set[str]] = {name: set() for name in interfaces}
    for name in inside:
        for folder in _folders(name):
            if folder in inside:
                inside[folder].add(name[len(folder) + 1 :].partition(".")[0])
    return inside


def _items(interface: Interface) -> Iterator[tuple[str, Item]]:
    """Give what a module can have for others, by key; of one key, the last counts.

    A struct without a tag has the key of the typedef that names it.
    """
    yield from ((each.name, each) for each in interface.typedefs)
    yield from ((each.name, each) for each in interface.scalar_typedefs)
    yield from ((each.key, each) for each in interface.groups)
    yield from ((each.key, each) for each in interface.records)


def _links(
    interfaces: Iterable[str],
    homes: Mapping[tuple[str, str], str],
    circles: Iterable[list[str]],
) -> Iterator[Link]:
    """Give which module has which other one imported: by itself, or as a folder of one.

    A module of a folder that is in a circle with who imports it is to be in that circle, too.
    """
    modules = {*interfaces}
    circle_of = {name: circle[0] for circle in circles for name in circle}
    for name, home in {(name, home) for (name, _), home in homes.items()}:
        if name == home:
            continue
        yield name, home
        for folder in _folders(home):
            if folder in modules and not f"{name}.".startswith(f"{folder}."):
                yield name, folder
                if circle_of.get(name, name) == circle_of.get(folder, folder):
                    yield home, folder


def _folders(module: str) -> Iterator[str]:
    """Give the packages that a module is in: Python imports these before it."""
    while module := module.rpartition(".")[0]:
        yield module


def _circles(interfaces: Iterable[str], links: Iterable[Link]) -> list[list[str]]:
    """Find the sets of modules that would import each other, each sorted (Tarjan, 1972)."""
    imports: dict[str, set[str]] = {name: set() for name in interfaces}
    for name, home in links:
        imports[name].add(home)
    found: list[list[str]] = []
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        path.append(name)
        for other in sorted(imports[name]):
            if other not in order:
                visit(other)
            if other in path:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == order[name]:
            start = path.index(name)
            if len(path) > start + 1:
                found.append(sorted(path[start:]))
            del path[start:]

    for name in sorted(imports):
        if name not in order:
            visit(name)
    return found


def _of_the_same(items: Mapping[str, Mapping[str, Item]], homes: Homes) -> Homes:
    """Keep the homes of what is the same there, and made of the same."""
    found = {
        (name, key): home
        for (name, key), home in homes.items()
        if _is_same(items[name][key], items[home][key])
    }
    while True:
        kept = {
            (name, key): home
            for (name, key), home in found.items()
            if all(
                found.get((name, part), name) == found.get((home, part), home)
                for part in _parts(items[name][key])
            )
        }
        if len(kept) == len(found):
            return _with_outer(items, kept)
        found = kept


def _with_outer(items: Mapping[str, Mapping[str, Item]], homes: Homes) -> Homes:
    """Keep no home of a nameless struct whose outer one has none: C cannot name it alone."""
    inner = {
        (name, part)
        for name, own in items.items()
        for key, item in own.items()
        if (name, key) not in homes
        for part in _parts(item)
        if isinstance(found := own.get(part), Record) and found.is_anonymous
    }
    kept = {use: home for use, home in homes.items() if use not in inner}
    return kept if len(kept) == len(homes) else _with_outer(items, kept)


def _is_same(ours: Item, theirs: Item) -> bool:
    """Tell whether two headers make the same of a declaration, their words for it aside."""
    if isinstance(ours, Record) and isinstance(theirs, Record):
        return _bare(ours) == _bare(theirs)
    if isinstance(ours, ConstantGroup) and isinstance(theirs, ConstantGroup):
        return _values(ours) == _values(theirs)
    if isinstance(ours, Typedef) and isinstance(theirs, Typedef):
        return ours.type == theirs.type
    return False


_NOWHERE = Coord("", 0, 0)


def _bare(record: Record) -> Record:
    fields = tuple(
        replace(field, doc="", hint=None, coord=_NOWHERE) for field in record.fields
    )
    return replace(record, fields=fields, doc="", coord=_NOWHERE)


def _values(group: ConstantGroup) -> list[tuple[str, object]]:
    return [(member.name, member.value) for member in group.members]


def _parts(item: Item) -> Iterator[str]:
    """Give the keys of the records that something is made of, or points to."""
    if isinstance(item, Record):
        for field in item.fields:
            yield from keys(field.type)
    elif isinstance(item, Typedef):
        yield from keys(item.type)


def _divided(
    name: str,
    interface: Interface,
    homes: Homes,
    constants: Set[tuple[str, str, object]],
) -> Interface:
    """Note what other modules have, and leave out the constants that are theirs.

    `constants` are those of all modules, by the headers.
    """
    elsewhere = {
        key: homes[name, key] for key in dict(_items(interface)) if (name, key) in homes
    }
    gone = {
        member.name
        for group in interface.groups
        if group.key in elsewhere
        for member in group.members
    } | {
        each.name
        for each in interface.constants
        if (file := normpath(each.coord.file)) != normpath(interface.header)
        and (file, each.name, each.value) in constants
    }
    gone -= {
        member.name
        for group in interface.groups
        if group.key not in elsewhere
        for member in group.members
    }
    return replace(
        interface,
        elsewhere=tuple(elsewhere.items()),
        constants=tuple(each for each in interface.constants if each.name not in gone),
        typedefs=tuple(
            each for each in interface.typedefs if each.name not in elsewhere
        ),
    )
