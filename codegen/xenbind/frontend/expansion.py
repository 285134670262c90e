"""Have the compiler expand macros: from a header's macros to what each amounts to.

Runs `$CC -E` on text in which each is used once.  A macro that the preprocessor refuses is told
as one without a value, and takes no other with it.  `header` calls this when it has chosen
the macros that matter.

    #define FLAG (1 << BIT)         ->  ExpandedMacro(FLAG, "(1 << 2)"), where BIT is 2
    #define HAS __has_attribute     ->  ExpandedMacro(HAS, "", fault="the preprocessor says …")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from xenbind.errors import CompilerError, SourceError
from xenbind.frontend.directives import Macro, Preprocessed
from xenbind.frontend.macros import ExpandedMacro
from xenbind.frontend.preprocess import LONGEST_TEXT, PLAIN
from xenbind.toolchain.compiler import Compiler, failure, printed, why_it_failed
from xenbind.toolchain.process import Bounded, Finished

_NAME = re.compile(r"(?<!\w)(?<!\d\.)[^\W\d]|[$\\]")
_RUNS = 100  # of the preprocessor, to find which macros it refuses: some seconds
_STDIN = "<stdin>"  # as gcc and clang call the text that they are given


def start_expanding(
    compiler: Compiler,
    header: Path,
    preprocessed: Preprocessed,
    wanted: Sequence[Macro],
) -> Callable[[], dict[str, ExpandedMacro]]:
    """Start to expand the wanted macros as the header's user sees them.

    What it gives waits for them, by name.
    A function-like macro is given its own parameters, and those that it uses stay calls,
    unless they paste tokens together and so are no functions of their arguments.  Where all
    are numbers and operators alone, the compiler is not asked.  One that the preprocessor
    refuses has its `fault`.
    """
    if not any(map(_has_names, wanted)):
        known = {macro.name: ExpandedMacro(macro, macro.body) for macro in wanted}
        return lambda: known
    expanding = _Expanding(compiler, header, preprocessed)
    process = expanding.start(wanted)
    return lambda: expanding.finish(process, wanted)


def _has_names(macro: Macro) -> bool:
    """Tell whether there may be a name in a macro, which may be another macro's."""
    return macro.parameters is not None or _NAME.search(macro.body) is not None


class _Expanding:
    """The macros of one header on their way to what they amount to."""

    def __init__(
        self, compiler: Compiler, header: Path, preprocessed: Preprocessed
    ) -> None:
        self.compiler = compiler
        self.header = header
        self.preprocessed = preprocessed
        self.runs = _RUNS
        self.is_heard = False  # a run without any macro has succeeded

    def start(self, wanted: Sequence[Macro]) -> Bounded:
        return self.compiler.run(
            ["-E", "-P", *PLAIN, "-imacros", str(self.header), "-"],
            "\n".join(_uses(self.preprocessed, wanted)) + "\n",
            needs="-imacros",  # else they would come after the header's own
        )

    def finish(
        self, process: Bounded, wanted: Sequence[Macro]
    ) -> dict[str, ExpandedMacro]:
        """Wait for the macros, by name; where the preprocessor refuses some, for the others.

        Raises `SourceError` where they are more than can be parsed, and the compiler's errors
        that are of no macro.
        """
        finished = process.finish()
        faults = self.faults(finished, wanted)
        if faults is None:
            expansions = _expansions(printed(finished, self.header), wanted)
            if None not in expansions:
                return _expanded(wanted, [text or "" for text in expansions])
            # One with an opening parenthesis has taken those behind it for its arguments.
            faults = {}
        if self.runs <= 0 or len(faults) == len(wanted):
            why = "it, or a macro beside it, cannot be expanded"
            return {m.name: _refused(m, faults.get(m.name, why)) for m in wanted}
        if len(wanted) == 1:
            raise _not_expanded()
        suspects = [macro for macro in wanted if macro.name in faults]
        others = [macro for macro in wanted if macro.name not in faults]
        if not suspects:
            half = len(others) // 2
            suspects, others = others[:half], others[half:]
        found: dict[str, ExpandedMacro] = {}
        for part in (suspects, others):
            self.runs -= 1
            found |= self.finish(self.start(part), part)
        return {macro.name: found[macro.name] for macro in wanted}

    def faults(
        self, finished: Finished, wanted: Sequence[Macro]
    ) -> dict[str, str] | None:
        """Give what the preprocessor says of macros, by name; None where it has no fault to find.

        Empty where it does not say of which.  Raises its errors that are of no macro's use.
        """
        if finished.status == 0 or finished.exceeded:
            return None
        error = failure(finished, self.header)
        if not self.is_heard and self.start([]).finish().status != 0:
            raise error
        self.is_heard = True
        if len(wanted) == 1:
            return {wanted[0].name: _told(why_it_failed(finished))}
        using = _lines_of_uses(_uses(self.preprocessed, wanted))
        errors = error.each if isinstance(error, SourceError) else ()
        faults: dict[str, str] = {}
        for each in errors:
            # What is not closed is told where the text ends, long behind it.
            is_placed = each.coord.file == _STDIN and each.coord.line in using
            if is_placed and "unterminated" not in each.message:
                macro = wanted[using[each.coord.line]]
                faults.setdefault(macro.name, _told(each.message))
        return faults


def _not_expanded() -> CompilerError:
    return CompilerError(
        "the C compiler did not expand the macros that it was given",
        "check that --cc or CC names a working compiler",
    )


def _told(message: str) -> str:
    return f"the preprocessor says: {message}"


def _refused(macro: Macro, fault: str) -> ExpandedMacro:
    return ExpandedMacro(macro, "", fault=fault)


def _expanded(
    wanted: Sequence[Macro], expansions: Sequence[str]
) -> dict[str, ExpandedMacro]:
    if sum(map(len, expansions)) > LONGEST_TEXT:
        longest = max(range(len(wanted)), key=lambda index: len(expansions[index]))
        macro = wanted[longest]
        raise SourceError(
            macro.coord,
            f"the macro {macro.name} expands to {len(expansions[longest]) >> 10:,} KB",
            f"list '{macro.name}' under 'skip' in the spec if it is no constant",
        )
    # A _Pragma within stands on a line of its own.
    return {
        macro.name: ExpandedMacro(macro, text.replace("\n", " ").strip())
        for macro, text in zip(wanted, expansions, strict=True)
    }


_USE = re.compile(r"^@(\d{1,9})(?!\d)", re.MULTILINE)
# Behind each use: before it complains, the preprocessor takes as many words for arguments.
_END = "@ @"


def _uses(preprocessed: Preprocessed, wanted: Sequence[Macro]) -> list[str]:
    """Write lines of C in which each wanted macro is used once, after `@` and its index."""
    lines: list[str] = []
    for index, macro in enumerate(wanted):
        if macro.parameters is None:
            lines += [f"@{index} {macro.name}", _END]
    lines += [
        f"#undef {macro.name}"
        for macro in preprocessed.macros.values()
        if macro.parameters is not None and "##" not in macro.body
    ]
    lines += ["#undef __typeof__", "#define __typeof__ typeof"]
    for index, macro in enumerate(wanted):
        if macro.parameters is not None:
            call = f"{macro.name}({', '.join(macro.parameters)})"
            lines += [f"#undef {macro.name}", f"#define {call} {macro.body}"]
            lines += [f"@{index} {call}", _END, f"#undef {macro.name}"]
    return lines


def _lines_of_uses(lines: Sequence[str]) -> dict[int, int]:
    """Give the index of the macro that is used on a line, or on the one before its end."""
    found: dict[int, int] = {}
    for number, line in enumerate(lines, start=1):
        if use := _USE.match(line):
            found[number] = found[number + 1] = int(use[1])
    return found


def _expansions(text: str, wanted: Sequence[Macro]) -> list[str | None]:
    """Find in what the preprocessor made of `_uses` the text of each macro, in order.

    None for one that is not there.  Raises `CompilerError` for what was not asked for.
    """
    parts = _USE.split(text)[1:]
    found = dict(zip(map(int, parts[::2]), parts[1::2], strict=True))
    if not found.keys() <= set(range(len(wanted))):
        raise _not_expanded()
    texts = (found.get(index) for index in range(len(wanted)))
    return [None if t is None else t.rstrip().removesuffix(_END) for t in texts]
