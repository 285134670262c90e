"""Find the headers of a tree, and give each a spec of its own.

Takes a spec that has patterns of `headers`; gives one `Spec` for each file in its tree that they
name, whose package is a single module, laid out as the tree is.  `pipeline` reads each by itself,
as it does a spec's one header.

    io/9pfs.h         ->  xen_public.io._9pfs
    arch-arm.h        ->  xen_public.arch_arm, which is a folder
    arch-arm/smccc.h  ->  xen_public.arch_arm.smccc
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from xenbind.errors import XenbindError
from xenbind.plain import replace
from xenbind.spec.model import HeaderSpec, Spec, TreeSpec
from xenbind.spec.places import KeyPath
from xenbind.spec.rules import is_own_name

Module = tuple[str, ...]


def header_specs(spec: Spec) -> tuple[Spec, ...]:
    """Give the spec of each header of a tree, in the order of their names.

    Raises `XenbindError` where there is none.
    """
    tree, directory = spec.tree, spec.versions[0].directory
    assert tree is not None
    names = _named(directory, tree)
    if not names:
        raise XenbindError(
            f"{directory} has no header that is one of {', '.join(tree.headers)}",
            "name the folder that has them with --tree, or correct 'headers' in the spec",
        )
    told = [(each, _matching(directory, [each.pattern])) for each in tree.told]
    modules = _modules(names)
    folders = {module[:-1] for module in modules.values()}
    return tuple(
        replace(
            spec,
            header=name,
            name=name,
            package=module[-1],
            within=".".join([spec.package, *module[:-1]]),
            needs=_all(spec.needs, (each.needs for each in own)),
            defines=_all(spec.defines, (each.defines for each in own)),
            skip=_all(spec.skip, (each.skip for each in own)),
            only=next((each.only for each in reversed(own) if each.only), ()),
            tree=None,
            is_module=True,
            has_modules=module in folders,
        )
        for name, module in modules.items()
        for own in [_of(name, told)]
    )


def unmatched_patterns(spec: Spec) -> Iterator[tuple[KeyPath, str]]:
    """Give each pattern that no file of the tree has, and where the spec says it."""
    tree, directory = spec.tree, spec.versions[0].directory
    assert tree is not None
    said: list[tuple[KeyPath, str]] = [
        (("interface", key, index), pattern)
        for key, patterns in (("headers", tree.headers), ("without", tree.without))
        for index, pattern in enumerate(patterns)
    ]
    said += [(("headers", each.pattern), each.pattern) for each in tree.told]
    for path, pattern in said:
        if not _matching(directory, [pattern]):
            yield path, pattern


def _named(directory: Path, tree: TreeSpec) -> list[str]:
    return sorted(
        _matching(directory, tree.headers) - _matching(directory, tree.without)
    )


def _matching(directory: Path, patterns: Iterable[str]) -> set[str]:
    """Give the files of a tree that a pattern names, by their paths in it.

    What is no file to be read, such as a link that leads nowhere, is told by who reads it.
    """
    return {
        path.relative_to(directory).as_posix()
        for pattern in patterns
        for path in directory.glob(pattern)
        if not path.is_dir()
    }


def _of(name: str, told: Sequence[tuple[HeaderSpec, set[str]]]) -> list[HeaderSpec]:
    """Give what is said of a header, in the spec's order."""
    return [each for each, names in told if name in names]


def _all(
    common: tuple[str, ...], further: Iterable[tuple[str, ...]]
) -> tuple[str, ...]:
    """Put what is said of a header behind what is said of all, each word once."""
    return tuple(dict.fromkeys([*common, *(word for own in further for word in own)]))


def _modules(names: Sequence[str]) -> dict[str, Module]:
    """Give each header a module of its own."""
    found: dict[str, Module] = {}
    taken: set[Module] = set()
    for name in names:
        *folders, file = PurePosixPath(name).parts
        stem = file.rpartition(".")[0] or file
        first, *inner = map(_python_name, [*folders, stem])
        module = (f"{first}_" if is_own_name(first) else first, *inner)
        while module in taken:
            module = (*module[:-1], f"{module[-1]}_")
        taken.add(module)
        found[name] = module
    return found


def _python_name(text: str) -> str:
    """Make an identifier of a file's name."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    if not name or name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name == "__init__" else name
