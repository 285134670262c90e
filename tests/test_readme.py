"""What README.md shows is what happens."""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
from pathlib import Path

import pytest
from support import INSTALLED, PROJECT, require, xenbind
from xenbind.toolchain.targets import TARGETS

README = (PROJECT / "README.md").read_text(encoding="utf-8")

MONITOR = (PROJECT / "tests/data/monitor.txt").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


COMMANDS = [
    (command, shown)
    for block in blocks("console")
    for command, shown in re.findall(
        r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE
    )
]


@pytest.mark.parametrize(("command", "shown"), COMMANDS)
def test_a_command_prints_what_is_shown(
    command: str, shown: str, tmp_path: Path
) -> None:
    command, shown = (text.replace("/tmp", str(tmp_path)) for text in (command, shown))
    program, *arguments = shlex.split(command)
    if program == "python3":
        # What the monitor printed on a real Xen; tests/live holds the file against that.
        assert (PROJECT / "examples" / arguments[0]).exists()
        assert shown
        assert MONITOR.startswith(shown)
        return
    assert program == "xenbind"
    if "--target" in arguments:
        target = TARGETS[arguments[arguments.index("--target") + 1]]
        require(shutil.which(f"{target.triple}-gcc") is not None, target.package)
    require(str(INSTALLED) not in arguments or INSTALLED.is_dir(), "libxen-dev")
    result = xenbind(*arguments)
    assert result.stdout + result.stderr == shown


def test_the_python_session_goes_as_shown() -> None:
    example = "\n".join(blocks("python"))
    test = doctest.DocTestParser().get_doctest(example, {}, "README.md", "README.md", 0)
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


def test_there_are_examples() -> None:
    assert len(COMMANDS) >= 3
    assert len(blocks("python")) >= 2
