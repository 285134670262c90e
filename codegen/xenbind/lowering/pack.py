"""`#pragma pack`: the greatest alignment that members may have at a place in the header.

Takes the pragmas in order; `limit` is what holds after them.  `typetable` asks for it at
each struct and union.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pycparser import c_ast

from xenbind.errors import SourceError

_PACK = re.compile(
    r"pack\s*\(\s*(push|pop)?\s*(?:,\s*)?([A-Za-z_]\w*)?\s*(?:,\s*)?(\d+)?\s*\)"
)
_LAYOUT = ("pack", "ms_struct", "scalar_storage_order", "options", "align")


def changes_layout(node: c_ast.Pragma) -> bool:
    """Whether a pragma is one of those that change the layout of what follows."""
    words = re.findall(r"\w+", _text(node))
    return any(word in _LAYOUT for word in words[:2])


class Pack:
    """The state of `#pragma pack`; `limit` is in bytes, 0 for none."""

    def __init__(self) -> None:
        self.limit = 0
        self._stack: list[int] = []

    def obey(
        self, node: c_ast.Pragma, refuse: Callable[[c_ast.Node, str], SourceError]
    ) -> None:
        """Take one pragma; a label for push and pop is refused, as is another layout."""
        if not changes_layout(node):
            return
        found = _PACK.fullmatch(_text(node))
        if not found or found[2]:
            raise refuse(node, "this pragma is not supported")
        action, limit = found[1], int(found[3] or 0)
        if action == "push":
            self._stack.append(self.limit)
        if action == "pop":
            self.limit = self._stack.pop() if self._stack else 0
        if found[3] or action is None:
            self.limit = limit


def _text(node: c_ast.Pragma) -> str:
    return str(node.string or "").strip()
