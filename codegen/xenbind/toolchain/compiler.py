"""Call the C compiler: which one, what it is told, and what it says of an error.

Takes a command; gives what it prints, or a `XenbindError` at the place that it names.
`preprocess` reads headers with it, `object_file` and `targets` make objects.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from xenbind.errors import (
    CompilerError,
    SourceError,
    SourceErrors,
    UsageError,
    XenbindError,
)
from xenbind.plain import Struct
from xenbind.resources import package
from xenbind.source import Coord
from xenbind.toolchain.process import OUTPUT, SECONDS, Bounded, Finished


class Compiler(Struct, frozen=True):
    """A C compiler and what every read of one header is told.

    `command` is the compiler with its own options.  `libc` holds the few declarations that
    stand for the C library, so that a read depends on no installed one; None where the
    compiler's own headers are read.  `include` are the folders searched for quoted includes,
    and `angled` those of them that are for others, too, after those of the C library.
    """

    command: tuple[str, ...]
    libc: Path | None
    include: tuple[Path, ...]
    defines: tuple[str, ...]
    needs: tuple[str, ...]
    angled: tuple[Path, ...] = ()

    def arguments(self, needs: str = "-include") -> list[str]:
        """Give the command and its options; with `needs` "-imacros" for the macros alone."""
        own = ("-nostdinc", "-isystem", str(self.libc)) if self.libc else ()
        # Not -I: Xen's public folder has a features.h that would shadow libc's.
        searched = [("-iquote", str(folder)) for folder in self.include]
        searched += [("-idirafter", str(folder)) for folder in self.angled]
        return [
            *(*self.command, "-x", "c", "-std=gnu11", *own),
            *(part for pair in searched for part in pair),
            *(f"-D{define}" for define in self.defines),
            *(part for name in self.needs for part in (needs, self._find(name))),
        ]

    def _find(self, name: str) -> str:
        """Find a needed header: a stand-in, or else one for the compiler to search for."""
        own = self.libc / name if self.libc else None
        return str(own) if own and own.is_file() else name

    def run(
        self,
        options: Sequence[str],
        text: str | None = None,
        needs: str = "-include",
    ) -> Bounded:
        """Start the compiler with these options beside its own; see `start`."""
        return start([*self.arguments(needs), *options], text)


# What compilers heed beside their arguments: folders to search, options, files to write.
_UNHEEDED = (
    *("CPATH", "C_INCLUDE_PATH", "CCC_OVERRIDE_OPTIONS"),
    *("DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES"),
)


def start(
    command: Sequence[str], text: str | None = None, seconds: int | None = None
) -> Bounded:
    """Start a compiler with `text` as standard input; its messages are English.

    It has `seconds`, or as long as any process.  No variable of the environment changes what
    it reads.  Raises `CompilerError` if there is no such program.
    """
    environment = {**os.environ, "LC_ALL": "C"}
    for name in _UNHEEDED:
        environment.pop(name, None)
    try:
        return Bounded(command, text, environment, seconds)
    except OSError as error:
        if error.filename is None:  # no room for its output, or for another process
            raise
        raise CompilerError(
            f"cannot run the C compiler '{command[0]}': {error.strerror}",
            "install gcc or clang, or name one with --cc or the variable CC",
        ) from error


def find_compiler(wanted: str | None = None) -> tuple[str, ...]:
    """Find the compiler to run: `wanted`, else $CC, else gcc, cc or clang.

    Raises `CompilerError` if there is none, `UsageError` for words that name none.
    """
    for choice, origin in ((wanted, "--cc"), (os.environ.get("CC") or None, "CC")):
        if choice is not None:
            return _words(choice, origin)
    for name in ("gcc", "cc", "clang"):
        if shutil.which(name):
            return (name,)
    raise CompilerError(
        "no C compiler found: none of gcc, cc and clang is on the PATH",
        "install gcc or clang, or name one with --cc or the variable CC",
    )


def _words(choice: str, origin: str) -> tuple[str, ...]:
    """Split a command as a shell does."""
    try:
        words = tuple(shlex.split(choice))
    except ValueError as error:
        problem = f"{error}".lower()
    else:
        if words:
            return words
        problem = "it is empty"
    raise UsageError(
        f"{origin} names no compiler: {choice!r}: {problem}",
        "write a command as in a shell, such as --cc 'gcc -m32'",
    )


_DIAGNOSTIC = re.compile(
    r"^(.+?):(\d+):(?:(\d+):)? (?:fatal )?error: (.*)$", re.MULTILINE
)
_UNPLACED = re.compile(r"error: (.*)")
_OUT_OF_MEMORY = re.compile(r"out of memory|bad_alloc|cannot allocate memory", re.I)
# Of a signal, or of the system where the signal is ignored.
_TOO_LARGE = re.compile(r"file size limit exceeded|file too large", re.I)
_TOO_LONG = re.compile(r"cpu time limit exceeded", re.I)


def output(process: Bounded, header: Path) -> str:
    """Give what the compiler printed, or raise the errors that it found in the header."""
    return printed(process.finish(), header)


def printed(finished: Finished, header: Path) -> str:
    """Give what a compiler that has ended printed; raises as `output` does."""
    if finished.status == 0 and not finished.exceeded:
        return finished.output.decode("utf-8", errors="surrogateescape")
    raise failure(finished, header)


def failure(finished: Finished, source: Path) -> XenbindError:
    """Find why the compilation of a file failed: the errors at their places, if they have any."""
    said = finished.messages.decode("utf-8", errors="replace")
    if exceeded := _exceeded(finished, said):
        return SourceError(
            Coord(str(source), 1, 1),
            f"the C compiler {exceeded}",
            "look for a macro that expands without end, or declare less in one header",
            of_line=False,
        )
    found = _errors(said)
    if not found:
        message = why_it_failed(finished)
        return CompilerError(
            f"the C compiler failed: {message}",
            (
                "name headers that it finds under 'needs', or their folder with --include"
                if is_missing_file(message)
                else "check that --cc or CC names a working compiler"
            ),
        )
    return found[0] if len(found) == 1 else SourceErrors(found)


def why_it_failed(finished: Finished) -> str:
    """Say why a compiler failed: its first error, else its last line, else its exit status."""
    said = finished.messages.decode("utf-8", errors="replace")
    unplaced = _UNPLACED.search(said)
    lines = [line for line in said.strip().splitlines() if not line.startswith("Try ")]
    return unplaced[1] if unplaced else [_ending(finished.status), *lines][-1]


def _errors(said: str) -> list[SourceError]:
    """Find the errors with a place, in order; one about an unknown name for each name."""
    found: dict[str, SourceError] = {}
    for file, line, column, message in _DIAGNOSTIC.findall(said):
        coord = Coord(file, int(line), int(column or 1))
        unknown = _UNKNOWN.search(message)
        key = (unknown[1] or unknown[2]) if unknown else f"{coord} {message}"
        found.setdefault(key, SourceError(coord, message, _advice(message)))
    return list(found.values())


def _exceeded(finished: Finished, said: str) -> str:
    """Say which limit a compiler did not keep, as far as it shows; empty if it kept them."""
    if finished.exceeded:
        return finished.exceeded
    if _OUT_OF_MEMORY.search(said):
        return "ran out of memory"
    if finished.status == -signal.SIGXFSZ or _TOO_LARGE.search(said):
        return f"wrote more than {OUTPUT >> 20} MB"
    if finished.status == -signal.SIGXCPU or _TOO_LONG.search(said):
        return f"took more than {SECONDS} seconds"
    return ""


def _ending(status: int) -> str:
    return (
        f"ended by {signal.Signals(-status).name}"
        if status < 0
        else f"exit status {status}"
    )


def _advice(message: str) -> str:
    if is_missing_file(message):
        return (
            "add the missing header to the tree, or the folder it is in with --include"
        )
    if message.startswith("#error"):
        return "define what the header asks for under 'defines' in the spec"
    if unknown := _UNKNOWN.search(message):
        if header := _declaring(unknown[1] or unknown[2]):
            return f'include <{header}>, or have the spec do so: needs = ["{header}"]'
        return (
            "declare the type before its use, or include its header, there or by the"
            " spec's 'needs'"
        )
    if "incomplete type" in message:
        return _DECLARE
    return "mend the header: the C compiler refuses it"


def is_missing_file(message: str) -> bool:
    """Tell whether a compiler says that there is no such header."""
    said = ("No such file", "file not found", "no include path in which to search")
    return any(words in message for words in said)


_UNKNOWN = re.compile(
    r"(?:unknown type name|undeclared identifier) '(\w+)'|^'(\w+)' undeclared"
)
_DECLARE = "declare the type before its use, or include the header that does"


def _declaring(name: str) -> str:
    """Find the header of the C library that has a name, empty where none of ours has it."""
    libc = package() / "toolchain" / "libc"
    found = re.compile(rf"^(?:typedef .*\b{name};|#define {name}\b)", re.MULTILINE)
    declaring = (
        path.relative_to(libc).as_posix()
        for path in sorted(libc.rglob("*.h"))
        if found.search(path.read_text(encoding="utf-8"))
    )
    return next(declaring, "")
