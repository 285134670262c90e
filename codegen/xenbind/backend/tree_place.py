"""Tell a header's module of a tree where the others are: which names it imports from them.

Takes the specs and interfaces of all headers, in which `elsewhere` says what other modules have;
gives each a `TreePlace`, by which `module` writes imports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xenbind.backend.scope import TreePlace, type_names
from xenbind.ir.interface import Interface
from xenbind.spec import Spec


def tree_places(
    modules: Sequence[tuple[Spec, Interface]],
) -> Mapping[str, TreePlace]:
    """Give the place of each module in its package, by the module."""
    names = {spec.module: type_names(interface) for spec, interface in modules}
    return {
        spec.module: TreePlace(
            macros=f".{spec.up}",
            borrowed={
                key: (_relative(spec, home), names[home][key])
                for key, home in interface.elsewhere
            },
            only=spec.only,
        )
        for spec, interface in modules
    }


def _relative(spec: Spec, home: str) -> str:
    """Name a module of the same package as another one's imports do: `..xen` for io/blkif.h's."""
    own = spec.module if spec.has_modules else spec.within
    folders, target = own.split("."), home.split(".")
    shared = 0
    while shared < min(len(folders), len(target) - 1) and (
        folders[shared] == target[shared]
    ):
        shared += 1
    return "." * (len(folders) - shared + 1) + ".".join(target[shared:])
