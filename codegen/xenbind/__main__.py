"""`xenbind` and `python -m xenbind`: ready for signals before anything else is imported."""

from __future__ import annotations

import gc
import os

from xenbind.interruption import end_on_signals, finish

TYPE_CHECKING = False  # importing `typing` takes longer
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line, and end the process with its status."""
    end_on_signals()
    # Modules leave no garbage, and to look for it takes longer than any. `cli` ends that.
    gc.disable()
    from xenbind.cli import run

    try:
        status = run()
    finally:
        finish()
    # All is written, and nothing left to undo. Python, ending by itself, would take apart what
    # it has, object by object: a tenth of a small header's time.
    os._exit(status)


if __name__ == "__main__":
    main()
