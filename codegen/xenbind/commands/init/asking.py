"""Ask the compiler what a header lacks to be C: other headers, macros, folders.

Takes the least spec of a header; gives it with `needs`, `defines` and `include`, for which the
compiler takes the header.  What may be missing is guessed from its errors, and the compiler
has the last word on each guess: nothing is kept that does not help.

    pair.h:3:5: unknown type name 'uint32_t'      ->  needs = ["stdint.h"]
    pair.h:9:2: #error "define WITH_PAIR"         ->  defines = ["WITH_PAIR"]
    pair.h:1:10: common/base.h: No such file      ->  include = ["/src"], where /src/common is
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from contextlib import suppress
from pathlib import Path

from xenbind.errors import CompilerError, SourceError, SourceErrors
from xenbind.frontend.conditions import macros_around
from xenbind.frontend.preprocess import finish_check, start_check
from xenbind.pipeline import compiler_for, read
from xenbind.plain import replace
from xenbind.source import Sources, without_any_comments
from xenbind.spec import Spec

# Of the C library and Linux, by what most headers ask for.
_STANDARD = """
    stddef.h stdint.h stdbool.h stdarg.h stdio.h string.h sys/types.h time.h sys/time.h
    sys/socket.h netinet/in.h net/if.h signal.h pthread.h limits.h errno.h linux/types.h
    linux/ioctl.h wchar.h uchar.h fcntl.h unistd.h stdlib.h sys/uio.h sys/stat.h sys/ioctl.h
    endian.h locale.h float.h complex.h
    """.split()
# Has glibc define what its headers ask for, `__USE_XOPEN_EXTENDED`, which no one else may.
_ALL_FEATURES = "_GNU_SOURCE"
_FOLDERS = ("include", "inc")  # where projects have their headers
_ROUNDS = 40  # of errors that are mended one after the other
_DEPTH = 2  # headers that are needed by headers that are needed
_NEIGHBOURS = 30  # headers beside that mention a name
_RUNS = 300  # of the compiler, for all guesses together: some seconds
# What no further header mends.
_HOPELESS = re.compile(
    r"redefinition of|conflicting types|redeclared|redeclaration of|nested too deep"
)


def completed(spec: Spec, command: tuple[str, ...]) -> Spec:
    """Give the spec with all that its header needs, so that the compiler takes it.

    A header that declares no type because it waits for a macro is told that macro.  Raises
    `SourceError` where no guess helps, at the compiler's places.
    """
    asked = _Asked(spec, command, _DEPTH, _Budget(_RUNS))
    asked.mend()
    asked.take_branch()
    asked.drop_needless(set(spec.needs))
    return asked.spec


class _Budget:
    """How often the compiler may still be asked, for a header and all that it needs."""

    def __init__(self, runs: int) -> None:
        self.left = runs

    def spend(self) -> bool:
        """Take one run; tell whether there was one."""
        had = self.left > 0
        self.left = max(self.left - 1, 0)
        return had


class _Asked:
    """A spec on its way to one that the compiler takes."""

    def __init__(
        self, spec: Spec, command: tuple[str, ...], depth: int, budget: _Budget
    ) -> None:
        self.spec = spec
        self.command = command
        self.depth = depth
        self.budget = budget
        self.sources = Sources()

    @property
    def header(self) -> Path:
        return self.spec.versions[0].directory / self.spec.header

    def mend(self) -> None:
        for _ in range(_ROUNDS):
            errors = self.errors(self.spec)
            if not errors:
                return
            if not self.budget.left or any(
                _HOPELESS.search(error.message) for error in errors
            ):
                raise _told(errors)
            better = next(filter(None, map(self.mended, errors)), None)
            if better is None:
                raise _told(errors)
            self.spec = better
        raise _told(errors)

    def errors(self, spec: Spec) -> tuple[SourceError, ...]:
        """Ask what is wrong with the header."""
        self.budget.spend()
        compiler = compiler_for(spec, spec.versions[0], self.command)
        try:
            finish_check(start_check(compiler, self.header), self.header)
        except SourceError as error:
            return error.each
        return ()

    def mended(self, error: SourceError) -> Spec | None:
        """Give the spec with something more, by which this error is gone."""
        line = self.sources.line(error.coord.file, error.coord.line)
        if missing := _MISSING.search(error.message):
            return self.with_folder(Path(error.coord.file), missing[1] or missing[2])
        if re.match(r"\s*#\s*error", line):
            return next(self.with_what_is_asked_for(error, line), None)
        for name in _names(error.message, line):
            if self.budget.left and not self.is_declared(self.spec, name):
                for candidate in self.with_more_headers(name):
                    if self.is_declared(candidate, name):
                        return candidate
        return None

    def with_folder(self, includer: Path, name: str) -> Spec | None:
        """Search for an included header in the folders around the one that includes it."""
        for above in list(includer.resolve().parents)[:6]:
            for folder in (above, *(above / beside for beside in _FOLDERS)):
                if (folder / name).is_file() and folder not in self.spec.include:
                    return replace(self.spec, include=(*self.spec.include, folder))
        return None

    def with_what_is_asked_for(self, error: SourceError, line: str) -> Iterator[Spec]:
        """Try what an #error says, and the macros of the conditions that it is in."""
        spec = self.spec
        words = [error.message, line]
        headers = [name for text in words for name in _HEADER.findall(text)]
        tried = [replace(spec, needs=(*spec.needs, name)) for name in headers]
        text = self.sources.text(error.coord.file)
        macros = macros_around(text, error.coord.line)
        for defined in [*([macro] for macro in macros), macros]:  # at last all of them
            tried.append(replace(spec, defines=(*spec.defines, *defined)))
        for better in tried:
            with suppress(CompilerError):  # a header that is nowhere
                if error.coord not in {each.coord for each in self.errors(better)}:
                    yield better

    def with_more_headers(self, name: str) -> Iterator[Spec]:
        """Give the spec with one header more that may declare a name, the likely ones first."""
        for header in _STANDARD:
            if header not in self.spec.needs:
                yield replace(self.spec, needs=(*self.spec.needs, header))
        for header in self.neighbours(name):
            if not self.budget.left:
                return
            with suppress(SourceError, CompilerError):
                yield self.with_neighbour(header)

    def with_neighbour(self, header: str) -> Spec:
        """Give the spec with one header more, and what that one needs itself."""
        beside = replace(self.spec, header=header).for_tree(*self.spec.include)
        if self.depth:
            asked = _Asked(beside, self.command, self.depth - 1, self.budget)
            asked.mend()
            beside = asked.spec
        return replace(
            self.spec,
            include=beside.include,
            defines=beside.defines,
            needs=(*beside.needs, header),
        )

    def neighbours(self, name: str) -> Iterator[str]:
        """Find headers in the header's folder and the trees that mention a name."""
        word = re.compile(rf"\b{re.escape(name.rpartition(' ')[2])}\b")
        found: list[str] = []
        for folder in (self.header.parent, *self.spec.include):
            for path in sorted(folder.glob("*.h")):
                if not path.is_file() or path.samefile(self.header):
                    continue
                for tree in self.spec.include:
                    if path.is_relative_to(tree):
                        header = path.relative_to(tree).as_posix()
                        if header not in found and word.search(
                            self.sources.text(str(path))
                        ):
                            found.append(header)
                        break
        yield from found[:_NEIGHBOURS]

    def is_declared(self, spec: Spec, name: str) -> bool:
        """Ask whether the needed headers declare a name: a macro, a type, a value."""
        if not self.budget.spend():
            return False
        macro = name.rpartition(" ")[2]
        text = f"#ifndef {macro}\nenum {{ xenbind = sizeof({name}) }};\n#endif\n"
        compiler = compiler_for(spec, spec.versions[0], self.command)
        said = compiler.run(["-fsyntax-only", "-w", "-"], text).finish()
        return said.status == 0 and not said.exceeded

    def drop_needless(self, wanted: Set[str]) -> None:
        """Take out the headers that what was found after them made needless."""
        for header in self.spec.needs:
            rest = tuple(other for other in self.spec.needs if other != header)
            without = replace(self.spec, needs=rest)
            if header not in wanted and not self.errors(without):
                self.spec = without

    def take_branch(self) -> None:
        """Define the macro that a header without any type declares its types for."""
        interface = read(self.spec, self.spec.versions[0], self.command)
        if interface.records:
            return
        for left_out in interface.left_out:
            if left_out.name.startswith(("struct ", "union ")):
                text = self.sources.text(left_out.coord.file)
                macros = macros_around(text, left_out.coord.line)
                for macro in (*macros, _ALL_FEATURES):
                    better = _Asked(
                        replace(self.spec, defines=(*self.spec.defines, macro)),
                        self.command,
                        self.depth,
                        self.budget,
                    )
                    with suppress(SourceError):
                        better.mend()
                        version = better.spec.versions[0]
                        if read(better.spec, version, self.command).records:
                            self.spec = better.spec
                            return


def _names(message: str, line: str) -> list[str]:
    """Give what an error may be about: names of its words, then those of its line."""
    quoted = re.findall(r"'((?:struct |union |enum )?\w+)", message)
    tags = re.findall(r"\b(?:struct|union|enum)\s+\w+", line)
    words = re.findall(r"\b[A-Za-z_]\w*", without_any_comments(line))
    named = quoted if "incomplete type" not in message else [*quoted, *tags]
    return list(dict.fromkeys(" ".join(name.split()) for name in (*named, *words)))


def _told(errors: tuple[SourceError, ...]) -> SourceError:
    """Say with the compiler's errors what the command line can do about them."""
    told = [
        SourceError(error.coord, error.message, f"{_ADVICE}: {error.advice}")
        for error in errors
    ]
    return told[0] if len(told) == 1 else SourceErrors(told)


_MISSING = re.compile(r"^(?:.*: )?(.+): No such file|'([^']+)' file not found")
_HEADER = re.compile(r"[<\"]([\w/.+-]+\.h)[>\"]")
_ADVICE = "nothing that was tried helps; name what is missing with --needs, --define or --include"
