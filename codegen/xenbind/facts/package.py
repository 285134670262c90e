"""Ask a generated package of itself: a source of facts beside C and DWARF.

Takes the folder of a package, and the name that Python imports an interface's module by;
gives what the package's `runtime.layout` says of its classes and constants, under
the names of `probes`.  `verify` holds them against the compiler's, `generate` against the new
header's.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from xenbind.errors import OutputError, SystemFailure
from xenbind.facts.probes import Answer
from xenbind.toolchain.process import Bounded

# The package may have been edited: what it prints while it is imported is no answer.
_PROGRAM = """\
import gc, importlib, json, os, sys
gc.disable()  # all that there is to be told stays to the end
answer = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
name, niceness = sys.argv[1:]
os.nice(int(niceness))
module = importlib.import_module(name)
runtime = f"{name.partition('.')[0]}.runtime"
facts = importlib.import_module(f"{runtime}.layout").facts(module)
with open(answer, "w", encoding="utf-8") as file:
    json.dump(facts, file)
"""


def ask_package(module: str, out: Path) -> dict[str, Answer]:
    """What the generated classes say, in a process of their own.

    Raises `OutputError` if the package cannot be imported, or says nothing, `SystemFailure` if
    there is no such folder.
    """
    return start_asking(module, out)()


def start_asking(
    module: str, out: Path, niceness: int = 0
) -> Callable[[], dict[str, Answer]]:
    """Start that process, and give what waits for its answer and raises as `ask_package` does.

    It gives way to others by its `niceness`.
    """
    process = Bounded(
        [sys.executable, "-c", _PROGRAM, module, str(niceness)],
        environment={
            **os.environ,
            "PYTHONPATH": str(out.resolve()),
            "PYTHONSAFEPATH": "1",  # no package of the same name where the user is
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )

    def answer() -> dict[str, Answer]:
        finished = process.finish()
        try:
            return dict(json.loads(finished.output))
        except (ValueError, TypeError):
            said = finished.messages.decode("utf-8", errors="replace").strip()
            last = finished.exceeded or (said.splitlines() or ["it says nothing"])[-1]
            raise (OutputError if out.is_dir() else SystemFailure)(
                f"cannot import {module} from {out}: {last}",
                "run `xenbind generate` with the same --out first",
            ) from None

    return answer
