"""Have a compiler for each target preprocess a header, and tell where it declares another thing.

Takes the header as one compiler has preprocessed it; gives for each target with a compiler what
that one reads otherwise.  `pipeline` lays the header's types out for all targets by it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from xenbind.errors import CompilerError, SourceError
from xenbind.frontend.declared_otherwise import Reading, declared_otherwise
from xenbind.frontend.header import Begun, start_text
from xenbind.ir.abi import Abi
from xenbind.plain import Struct, replace
from xenbind.toolchain.compiler import Compiler
from xenbind.toolchain.system_headers import system_folders
from xenbind.toolchain.targets import Machine, candidates

# Gives the compiler for a command and the folders that it searches by itself.
CompilerFor = Callable[[tuple[str, ...], tuple[Path, ...]], Compiler]


class Elsewhere(Struct, frozen=True):
    """The names that a header declares otherwise for an ABI, and the text to read them in.

    The text is empty where there are none.
    """

    abi: Abi
    names: frozenset[str]
    text: str = ""


def read_elsewhere(
    begun: Begun, compiler_for: CompilerFor
) -> dict[str, Elsewhere | None]:
    """Give what differs on each target that there is a compiler for; None where it refuses.

    No type is laid out here: whether two ABIs do that alike is not told.
    """
    ours = Reading(begun.preprocessed.text)
    machines = candidates(begun.compiler.command)
    # All compilers at once: each takes longer to start than to do its work.
    started = {
        name: _start(first, begun, compiler_for)
        for name, (first, *_) in machines.items()
    }
    found: dict[str, Elsewhere | None] = {}
    for name, (first, *others) in machines.items():
        found[name] = None
        wait = started[name]
        for machine in (first, *others):
            try:
                if machine is not first:
                    wait = _start(machine, begun, compiler_for)
                found[name] = _compared(ours, machine.target.abi, wait())
            except CompilerError:
                continue  # it is no compiler for this, and the next one may be
            except SourceError:
                pass
            break
    return found


def _compared(ours: Reading, abi: Abi, text: str | None) -> Elsewhere:
    if text is None:
        return Elsewhere(abi, frozenset())
    names = frozenset(declared_otherwise(ours, Reading(text), abi))
    return Elsewhere(abi, names, text if names else "")


def _start(
    machine: Machine, begun: Begun, compiler_for: CompilerFor
) -> Callable[[], str | None]:
    """Start to have a machine's compiler read the header, and give what waits for the text.

    None stands for the text that was read already.  It is told what the first compiler was,
    before it is known which folders it searches by itself: they say that with the text, and are
    seldom such that it should have been told more.
    """
    command, path = machine.command, begun.path
    if command == begun.compiler.command:
        return lambda: None
    told = replace(begun.compiler, command=command)
    started = start_text(path, told)

    def finish() -> str:
        text, fault, searched = "", None, tuple[Path, ...]()
        try:
            text, searched = started()
        except SourceError as error:
            fault = error
        if told.angled or told.libc or not searched:  # else it lists its own alone
            searched = system_folders(command)
        right = compiler_for(command, searched)
        if right != told:
            return start_text(path, right)()[0]
        if fault is not None:
            raise fault
        return text

    return finish
