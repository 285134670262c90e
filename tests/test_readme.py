"""What README.md shows is what happens."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support import INSTALLED, PROJECT, require
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


def in_a_new_shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a line as a reader would, who has called the line of README that comes first."""
    assert "\n    . .venv/bin/activate\n" in README
    start = Path(sys.prefix) / "bin" / "activate"
    first = f". {start} && " if start.exists() else ""
    return subprocess.run(
        ["sh", "-c", first + command],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("command", "shown"), COMMANDS)
def test_a_command_prints_what_is_shown(
    command: str, shown: str, tmp_path: Path
) -> None:
    command, shown = (text.replace("/tmp", str(tmp_path)) for text in (command, shown))
    if "monitor.py" in command:
        # What the monitor printed on a real Xen; tests/live holds the file against that.
        assert shown
        assert MONITOR.startswith(shown)
        command = command.partition(" 1 ")[0] + " --help"
        assert "usage: monitor.py" in in_a_new_shell(command).stdout
        return
    program, *arguments = shlex.split(command)
    assert program == "xenbind"
    if "--target" in arguments:
        target = TARGETS[arguments[arguments.index("--target") + 1]]
        require(shutil.which(f"{target.triple}-gcc") is not None, target.package)
    require(str(INSTALLED) not in arguments or INSTALLED.is_dir(), "libxen-dev")
    result = in_a_new_shell(command)
    # What is left out may be anything, as in the Python session: it grows with each version.
    pattern = ".*".join(map(re.escape, shown.split("...")))
    said = result.stdout + result.stderr
    assert re.fullmatch(pattern, said, re.DOTALL), said


def test_a_monitor_of_ones_own_runs(tmp_path: Path) -> None:
    (lines,) = re.findall(
        r"^    import monitor\n(?:    .*\n|\n)*", README, re.MULTILINE
    )
    (tmp_path / "FILE").write_text(textwrap.dedent(lines))
    (command,) = re.findall(r"`(PYTHONPATH=\S+ python3 FILE) 1`", README)
    command = command.replace("FILE", shlex.quote(str(tmp_path / "FILE")))
    assert "usage: FILE" in in_a_new_shell(f"{command} --help").stdout


def test_the_tab_key_completes_as_said() -> None:
    (line,) = re.findall(r"^    (eval .*)$", README, re.MULTILINE)
    press = "COMP_WORDS=(xenbind show 7 vm_event_st.u.cp) COMP_CWORD=3"
    asked = "complete -p xenbind | grep -o _xenbind_completion"
    script = f"{line}; {press}; $({asked}) xenbind; echo ${{COMPREPLY[@]}}"
    result = in_a_new_shell(f"bash -c {shlex.quote(script)}")
    assert (result.stdout, result.stderr) == ("vm_event_st.u.cpuid\n", "")


def test_another_xen_is_read_as_shown(tmp_path: Path) -> None:
    require(INSTALLED.is_dir(), "libxen-dev")
    lines = re.findall(r"^    (xenbind .*/usr/include/xen.*)$", README, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        result = in_a_new_shell(line.replace("/tmp", str(tmp_path)))
        assert (result.returncode, result.stderr) == (0, "")


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
