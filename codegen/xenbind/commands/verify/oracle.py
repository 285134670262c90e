"""Ask C's expressions of a header: compiled, and never run.

Takes an interface, the questions about it and a compiler; gives what C says by the names of
the questions, for `compare`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from xenbind.backend.reference import render_questions
from xenbind.facts.object_file import answers, start_compiling
from xenbind.facts.probes import AT_ONCE, Answer, Reference
from xenbind.ir.interface import Interface
from xenbind.plain import Struct
from xenbind.spec import Spec
from xenbind.toolchain.compiler import Compiler
from xenbind.toolchain.scratch import scratch


class Oracle(Struct, frozen=True):
    """A compiler that is asked of an interface's `header`."""

    spec: Spec
    interface: Interface
    compiler: Compiler
    header: Path

    def ask_expressions(self, pieces: Iterable[Reference]) -> dict[str, Answer]:
        """Give what C's expressions say, each piece of questions compiled as it comes.

        Raises `SourceError` at what the compiler refuses.
        """
        found: dict[str, Answer] = {}
        running: deque[tuple[Callable[[], Path], Reference]] = deque()

        def take() -> None:
            compiled, piece = running.popleft()
            made = compiled()
            found.update(answers(made, piece))
            made.unlink()

        with scratch() as folder:
            for number, piece in enumerate(pieces):
                if len(running) == AT_ONCE:
                    take()
                program = folder / f"v{self.interface.edition}_{number}.c"
                program.write_text(self._text(piece), encoding="utf-8")
                compiling = start_compiling(program, self.compiler, self.header)
                running.append((compiling, piece))
            while running:
                take()
        return found

    def _text(self, asked: Reference) -> str:
        return render_questions(self.spec, self.interface, asked)
