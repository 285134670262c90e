"""Find a compiler for each of the machines that Xen runs on.

Takes the compiler that the user has or names; gives a `Machine` for each target: its ABI
and its compiler, known by the macros that it predefines.  `verify` compiles with it, and
`pipeline` reads headers that ask for their target; nothing is run.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from xenbind.errors import CompilerError
from xenbind.ir.abi import ABIS, Abi
from xenbind.plain import Struct
from xenbind.toolchain.predefined import predefined


class Target(Struct, frozen=True):
    """A machine's ABI, GNU triple, the Debian package of its gcc, and what names it.

    `macro` is what every compiler for it predefines.  `elf` is e_machine and the class, 32 or
    64; all of them are little-endian.
    """

    abi: Abi
    triple: str
    package: str
    macro: str
    elf: tuple[str, int]

    @property
    def name(self) -> str:
        return self.abi.name


class Machine(Struct, frozen=True):
    """A target and the compiler command that makes objects for it."""

    target: Target
    command: tuple[str, ...]


TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target(
            ABIS["x86_64"],
            "x86_64-linux-gnu",
            "gcc-x86-64-linux-gnu",
            "__x86_64__",
            ("EM_X86_64", 64),
        ),
        Target(
            ABIS["i386"],
            "i686-linux-gnu",
            "gcc-i686-linux-gnu",
            "__i386__",
            ("EM_386", 32),
        ),
        Target(
            ABIS["arm64"],
            "aarch64-linux-gnu",
            "gcc-aarch64-linux-gnu",
            "__aarch64__",
            ("EM_AARCH64", 64),
        ),
        Target(
            ABIS["armhf"],
            "arm-linux-gnueabihf",
            "gcc-arm-linux-gnueabihf",
            "__arm__",
            ("EM_ARM", 32),
        ),
        Target(
            ABIS["riscv64"],
            "riscv64-linux-gnu",
            "gcc-riscv64-linux-gnu",
            "__riscv",
            ("EM_RISCV", 64),
        ),
    )
}

_GCC = re.compile(r"(?:[\w.]+-)*?(?:gcc|cc)(-[\d.]+)?")


def find_machines(
    names: Sequence[str], command: tuple[str, ...]
) -> tuple[list[Machine], list[CompilerError]]:
    """Find the machines of the targets named, and why there is none for some of `all`.

    Without a name it is the compiler's own target.  Raises `CompilerError` if there is no compiler
    for a target that is named by itself, or none at all.
    """
    own = machine_of(command)
    if not names:
        return [own], []
    machines = []
    missing = []
    for name, target in TARGETS.items():
        if name in names or "all" in names:
            try:
                machines.append(machine_for(target, own))
            except CompilerError as reason:
                if name in names:
                    raise
                missing.append(reason)
    if not machines:
        raise missing[0]
    return machines, missing


def candidates(command: tuple[str, ...]) -> dict[str, list[Machine]]:
    """Give the compilers that may be for each target, best first, by the targets' names.

    They are the user's own, those of its kind, and clang, which is for all of them.  All but
    the first are known by their names, and not tried out.
    """
    found: dict[str, list[Machine]] = {}
    with suppress(CompilerError):  # none, or for none of these
        own = machine_of(command)
        found[own.target.name] = [own]
    for kind in (command, ("clang",)):
        for target in TARGETS.values():
            cross = _cross(target, kind)
            if cross != kind and shutil.which(cross[0]):
                found.setdefault(target.name, []).append(Machine(target, cross))
    return found


def machine_of(command: tuple[str, ...]) -> Machine:
    """Find the target that a compiler makes objects for.

    Raises `CompilerError` if it does not work, or is for a machine that xenbind does not know.
    """
    target = _target_with(predefined(command))
    if target is None:
        raise CompilerError(
            f"{' '.join(command)} makes objects for none of {', '.join(TARGETS)}",
            "name another compiler with --cc or CC",
        )
    return Machine(target, command)


def machine_for(target: Target, own: Machine) -> Machine:
    """Find the compiler of the same kind as the user's `own` for a target.

    It is gcc's cross compiler, or clang with --target.

    Raises `CompilerError`, with the name of the Debian package, if there is none.
    """
    if own.target == target:
        return own
    cross = _cross(target, own.command)
    if shutil.which(cross[0]) is None:
        raise CompilerError(
            f"{target.name}: {cross[0]} is not installed",
            f"install Debian's package {target.package}, or name clang with --cc",
        )
    machine = machine_of(cross)
    if machine.target != target:
        raise CompilerError(
            f"{' '.join(cross)} makes objects for {machine.target.name},"
            f" not for {target.name}",
            "name a plain gcc or clang with --cc or CC",
        )
    return machine


def host() -> Target | None:
    """Find the target whose ABI this Python speaks, None if it is not one of them."""
    program = Path("/proc/self/exe")  # of the process itself, behind any wrapper
    return _target_of(program) if program.exists() else None


def _cross(target: Target, command: tuple[str, ...]) -> tuple[str, ...]:
    name = Path(command[0]).name
    if "clang" in name:
        return (*command, f"--target={target.triple}")
    if found := _GCC.fullmatch(name):
        return (f"{target.triple}-gcc{found[1] or ''}", *command[1:])
    return command


def _target_with(macros: Mapping[str, str]) -> Target | None:
    """Find the target whose compilers predefine such macros: its own, and its pointers' size."""
    if macros.get("__BYTE_ORDER__") != "__ORDER_LITTLE_ENDIAN__":
        return None
    size = macros.get("__SIZEOF_POINTER__")
    return next(
        (
            target
            for target in TARGETS.values()
            if target.macro in macros and size == str(target.elf[1] // 8)
        ),
        None,
    )


def _target_of(path: Path) -> Target | None:
    """Find the target whose machine and class an ELF file's header has."""
    # Imported here: it takes a tenth of all that `generate` imports, which reads no ELF file.
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            mark = (elf["e_machine"], elf.elfclass)
    except (ELFError, OSError):
        return None
    if not elf.little_endian:
        return None
    return next((target for target in TARGETS.values() if target.elf == mark), None)
