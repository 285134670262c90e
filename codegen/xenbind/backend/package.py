"""One package to be rendered: what its spec says, and what was read.

`build` makes one of the job's spec and one of each library within it; `render` takes them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xenbind.ir.interface import Interface, Layouts
from xenbind.plain import Struct
from xenbind.spec import Spec


class Package(Struct, frozen=True):
    """A spec, and the interfaces of its versions.

    `layouts` give each interface's records on every ABI.  `headers` tells, by edition, how
    the generated files speak of its header; `folders` where the generated tests look for it
    and what it includes, and `angled` where for what is in angle brackets.
    """

    spec: Spec
    interfaces: tuple[Interface, ...]
    layouts: Sequence[Callable[[], Layouts]]
    headers: Mapping[str, str]
    folders: Mapping[str, Sequence[str]]
    angled: Mapping[str, Sequence[str]]
