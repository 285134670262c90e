"""Ask compiled C of a header: its expressions in one process, its debug information in another.

Takes an interface, the questions about it and a compiler; gives what C says by the names of
the questions, for `compare`.  The two know nothing of each other, so that neither waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Set
from pathlib import Path

from xenbind.backend.reference import render_questions
from xenbind.facts import dwarf
from xenbind.facts.object_file import answers, compile_reference, start_compiling
from xenbind.facts.probes import AT_ONCE, Answer, Reference
from xenbind.ir.interface import Interface
from xenbind.plain import Struct
from xenbind.spec import Spec
from xenbind.toolchain.compiler import Compiler
from xenbind.toolchain.scratch import scratch
from xenbind.workers import Workers, result


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

    def start_asking_debug_information(
        self, asked: Reference, workers: Workers
    ) -> Callable[[], dict[str, Answer]]:
        """Have a worker ask what the debug information says; gives what waits for that."""
        interface = self.interface
        future = workers.submit(
            _ask_debug_information,
            self._text(asked.of_nothing),
            self.compiler,
            self.header,
            {record.key for record in interface.own_records},
            {c.name for c in interface.constants} - set(interface.hidden),
            {probe.name for probe in asked.bit_fields},
            {key for key, _ in interface.elsewhere},
        )
        return lambda: result(future)

    def _text(self, asked: Reference) -> str:
        return render_questions(self.spec, self.interface, asked)


def _ask_debug_information(
    text: str,
    compiler: Compiler,
    header: Path,
    keys: Set[str],
    constants: Set[str],
    bit_fields: Set[str],
    others: Set[str],
) -> dict[str, Answer]:
    with scratch() as folder:
        program = folder / "header.c"
        program.write_text(text, encoding="utf-8")
        made = compile_reference(program, compiler, header)
        return dwarf.facts(made, keys, constants, bit_fields, others)
