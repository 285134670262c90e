"""`xenbind` and `python -m xenbind`: ready for signals before anything else is imported."""

from __future__ import annotations

import gc
import sys

from xenbind.interruption import end_on_signals, finish


def main() -> None:
    """Run the command line, and exit with its status."""
    end_on_signals()
    # Modules leave no garbage, and to look for it takes longer than any. `cli` ends that.
    gc.disable()
    from xenbind.cli import run

    try:
        sys.exit(run())
    finally:
        finish()


if __name__ == "__main__":
    main()
