"""Ask what a compiler's debug information says of a header, in a process beside this one.

Takes a compiler and a header, which the other process reads at once, while this one reads it too;
and later an interface with the questions about it.  Gives the answers for `compare`.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from functools import lru_cache
from pathlib import Path
from typing import Any

from xenbind.backend.reference import render_header
from xenbind.facts import dwarf
from xenbind.facts.debug_info import RECORDS, debug_information, file_names
from xenbind.facts.object_file import compile_reference
from xenbind.facts.probes import Answer, Reference
from xenbind.ir.interface import Interface
from xenbind.plain import Struct
from xenbind.source import is_readable
from xenbind.toolchain.compiler import Compiler
from xenbind.toolchain.scratch import scratch
from xenbind.workers import Workers, result


class DebugOracle(Struct, frozen=True):
    """A compiler that is asked for debug information of a `header`.

    There is one process among the `workers`, which remembers the header that it read last.
    """

    compiler: Compiler
    header: Path
    workers: Workers

    def start_reading(self) -> None:
        """Have the header compiled and read before there are questions.

        A pipe or a device, of which a compiler would read for ever, is left alone.
        """
        if is_readable(self.header):
            self.workers.submit(_read, self.compiler, self.header)

    def start_asking(
        self, interface: Interface, asked: Reference
    ) -> Callable[[], dict[str, Answer]]:
        """Have the questions answered, as far as there are answers; gives what waits for those.

        That raises `SourceError` at what the compiler refuses.
        """
        future = self.workers.submit(
            _ask,
            self.compiler,
            self.header,
            {record.key for record in interface.own_records},
            {c.name for c in interface.constants} - set(interface.hidden),
            {probe.name for probe in asked.bit_fields},
            {key for key, _ in interface.elsewhere},
        )
        return lambda: result(future)


def _read(compiler: Compiler, header: Path) -> None:
    """Compile the header, and read what the information has of its own structs and unions."""
    for unit in _information(compiler, header).iter_CUs():
        own = {i for i, file in enumerate(file_names(unit)) if file.name == header.name}
        for entry in unit.get_top_DIE().iter_children():
            place = entry.attributes.get("DW_AT_decl_file")
            if entry.tag in RECORDS and place is not None and place.value in own:
                for _ in entry.iter_children():
                    pass  # it is kept


def _ask(
    compiler: Compiler,
    header: Path,
    keys: Set[str],
    constants: Set[str],
    bit_fields: Set[str],
    others: Set[str],
) -> dict[str, Answer]:
    information = _information(compiler, header)
    return dwarf.facts(information, keys, constants, bit_fields, others)


@lru_cache(1)
def _information(compiler: Compiler, header: Path) -> Any:
    with scratch() as folder:
        program = folder / "header.c"
        program.write_text(render_header(header), encoding="utf-8")
        return debug_information(compile_reference(program, compiler, header))
