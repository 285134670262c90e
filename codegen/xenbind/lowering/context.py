"""Keep what lowering asks of a parsed header: its declarations, comments and places.

Takes what `frontend` gives; answers where a node stands and what its comment says.
Nothing here depends on an ABI: `type_table` makes one table of types for each, all of
one context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pycparser import c_ast

from xenbind.errors import SourceError
from xenbind.frontend.comments import Comments
from xenbind.frontend.written import Written
from xenbind.lowering.declarations import ADVICE, Declarations, place
from xenbind.source import Coord


class Context:
    """One header: `declared` is what it and its includes declare.

    `comments` are those of the files whose declarations are the interface's own, by file.
    """

    def __init__(
        self,
        comments: Mapping[str, Comments],
        declarations: Sequence[c_ast.Node],
        written: Written,
    ) -> None:
        self.written = written
        self.sources = written.sources
        self.comments = comments
        self.declared = Declarations(declarations, self.refuse)

    def coord(self, node: c_ast.Node, name: str | None = None) -> Coord:
        """Find the place of a declared name, or of the line where a macro declares it."""
        coord = place(node)
        if name := name or node.name:
            return self.sources.locate(coord.file, coord.line, name)
        return self.written.origin(coord).coord

    def refuse(
        self, node: c_ast.Node, message: str, is_of_python: bool = False
    ) -> SourceError:
        """Make the error for a declaration that is not supported, at its place as written.

        With `is_of_python` it is one that is right in C, and what needs it can be left out.
        """
        origin = self.written.origin(place(node))
        message = origin.told(message)
        return SourceError(origin.coord, message, ADVICE, is_of_python=is_of_python)

    def doc(self, coord: c_ast.Coord, name: str, opens: bool = False) -> str:
        """Find the comment on a declaration; what a macro expands to has none of its own.

        `opens` says that it is a definition, with a brace behind its name.
        """
        line_start = Coord(coord.file, coord.line, 1)
        own = self.comments.get(coord.file)
        if own is None or not self.sources.mentions(line_start, name):
            return ""
        line = self.sources.line(coord.file, coord.line)
        return own.of(coord.line, name, line, opens)
