"""The command line: which commands there are, and how an error ends one.

`errors.Status` says which exit status means what.  Each command is a module of its own below
`commands`, imported when it is run, so that a quick one is quick and `xenbind --help` is too.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from io import StringIO
from typing import Any

import click

from xenbind import __version__
from xenbind.colours import say, wanted
from xenbind.errors import Status, SystemFailure, XenbindError, describe
from xenbind.streams import ReaderGone, finish_output, open_streams

# Each command's module, which has the command under the name of its own with _ for -, and
# the first sentence of its help.
_COMMANDS = {
    "add-version": (
        "xenbind.commands.add_version.command",
        "Bring a new header tree into headers/ as a version.",
    ),
    "atlas": (
        "xenbind.commands.atlas.command",
        "Write a page that draws every struct of every release.",
    ),
    "check": (
        "xenbind.commands.generate.check",
        "Tell whether the generated package is current.",
    ),
    "decode": (
        "xenbind.commands.decode.command",
        "Tell what recorded requests say.",
    ),
    "diff": (
        "xenbind.commands.diff.command",
        "Tell what changed in the ABI between two versions.",
    ),
    "facts": (
        "xenbind.commands.facts",
        "Print what a compiler says of a header, as JSON.",
    ),
    "generate": (
        "xenbind.commands.generate.command",
        "Write the package, of a spec's versions or a header tree.",
    ),
    "init": (
        "xenbind.commands.init.command",
        "Write a spec for a header, with what is found out about it.",
    ),
    "show": (
        "xenbind.commands.show.command",
        "Draw a struct's layout, or list what a version declares.",
    ),
    "spec": (
        "xenbind.commands.spec",
        "List the keys that a spec may have.",
    ),
    "verify": (
        "xenbind.commands.verify.command",
        "Hold the package against what compiled C says.",
    ),
}


def run() -> int:
    """Run the command line as a process does, with all of its output written.

    Gives the exit status: one of `Status`, or the shell's for a reader that went away.
    """
    open_streams()
    status: int = Status.NOT_RUN
    failure: OSError | ReaderGone | None = None
    try:
        status = _run()
    except (OSError, ReaderGone) as error:
        failure = error
    failure = finish_output() or failure
    if isinstance(failure, ReaderGone):
        return 128 + signal.SIGPIPE
    if failure:
        place = f"{failure.filename}: " if failure.filename else ""
        return _tell(
            SystemFailure(
                f"{place}{failure.strerror or failure}",
                "make room or get permission there, and run it again",
            )
        )
    return status


def _run() -> int:
    if "_XENBIND_COMPLETE" in os.environ:  # which needs what no other run does
        import_module("xenbind.shells").register()
    try:
        status = main(prog_name="xenbind", standalone_mode=False, color=wanted())
    except click.ClickException as error:
        words = StringIO()
        error.show(words)
        with suppress(OSError, ReaderGone):  # there is nobody to tell
            say(words.getvalue().removesuffix("\n"), err=True)
        return error.exit_code
    except SystemExit as ended:
        status = ended.code
    return status if isinstance(status, int) else Status.FINE


def _tell(error: XenbindError) -> int:
    with suppress(OSError, ReaderGone):
        say(describe(error), err=True)
    return error.status


class _Group(click.Group):
    """Turns the errors that stages raise into a message and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except XenbindError as error:
            sys.exit(_tell(error))


class _Lazy(click.Command):
    """Stands for a command in lists, and imports it when its arguments are to be read."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        # Of the text alone click would list its first 45 characters.
        super().__init__(name, help=summary, short_help=summary)
        self._module = module

    def load(self) -> click.Command:
        """Import the command."""
        assert self.name is not None
        command: click.Command = getattr(
            import_module(self._module), self.name.replace("-", "_")
        )
        gc.enable()  # which `__main__` had not for the imports
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Hand over: from here on the context's command is the one imported."""
        return self.load().make_context(info_name, args, parent, **extra)


_ENDINGS = """\b
Exit status:
  0              fine
  1              a finding, or an error in the input
  2              wrong usage
  3              could not run: no compiler, a file that is missing or cannot be used
  129, 130, 143  ended by SIGHUP, SIGINT (Ctrl-C), SIGTERM
  141            what reads the output has gone
"""


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_ENDINGS,
)
@click.version_option(__version__, prog_name="xenbind")
def main() -> None:
    """Generate Python bindings from Xen's C headers, and hold them against compiled C.

    \b
    Examples:
      xenbind generate
      xenbind generate --include /usr/include/xen --out bindings
      xenbind verify --cc clang
      xenbind check --json
      xenbind diff 6 7
      xenbind show 7 vm_event_st
    """


for _name, (_module, _summary) in _COMMANDS.items():
    main.add_command(_Lazy(_name, _module, _summary))
