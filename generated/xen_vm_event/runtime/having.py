"""Tell whether a record, a module or a function has what only some releases have.

`common.has` asks here, and so does whoever looks a name up that may be misspelt: one that no
release has is a LookupError with the names that are nearest to it.
"""

from __future__ import annotations

from .annotations import TYPE_CHECKING, typing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
else:
    # What `typing.get_type_hints` needs, without importing what it takes.
    Iterable, Mapping, Sequence = tuple, dict, tuple

# What stands for a module, and behind a function's name, among those that have names.
MODULE = "module"
CALL = "()"


def has(thing: typing.Any, name: str, some: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether a record has a member, a module a name, or a function a parameter.

    `some` has the names that not all releases have, by the record's class, `MODULE`, or the
    function's name and `CALL`.  Raises LookupError for a name that no release has.
    """
    code = getattr(thing, "__code__", None)
    if code is not None:
        of = thing.__name__ + CALL
        own: Sequence[str] = code.co_varnames[: code.co_argcount]
        if name in own:
            return True
    elif hasattr(thing, name):
        return True
    elif hasattr(thing, "__spec__"):
        of, own = MODULE, ()
    else:
        cls = thing if isinstance(thing, type) else type(thing)
        of, own = cls.__name__, [each.name for each in getattr(cls, "_members_", ())]
    others = some.get(of, ())
    if name in others:
        return False
    if of == MODULE:
        module: typing.Any = thing
        package: typing.Any = __import__(module.__package__, fromlist=["releases"])
        package.releases(name)
        return False
    raise unknown(f"{of} of no release has {name!r}", name, [*own, *others])


def unknown(said: str, name: str, known: Iterable[str]) -> LookupError:
    """Give the error for a name that is not among the known ones: it names the nearest."""
    from difflib import get_close_matches  # above, it would add to an import

    near = " or ".join(map(repr, get_close_matches(name, known)))
    return LookupError(f"{said}; did you mean {near}?" if near else said)
