"""What README.md and the pages that it leads to show is what happens.

Pages that show more than sessions and commands of the built-in package have tests of their own.
"""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
from pathlib import Path

import pytest
from documents import (
    README,
    blocks,
    commands,
    in_a_new_shell,
    is_said,
    program,
    text_of,
)
from support import INSTALLED, PROJECT, require
from xen_vm_event.testing import cpuid, played, write_cr3
from xenbind.toolchain.targets import TARGETS

DOCS = PROJECT / "docs"
WITH_COMMANDS = [
    README,
    *(DOCS / f"{name}.md" for name in ("index", "monitor", "versions", "verify")),
    *(
        DOCS / f"{name}.md"
        for name in ("another-xen", "another-interface", "libraries")
    ),
]
WITH_SESSIONS = [
    README,
    *(DOCS / f"{name}.md" for name in ("package", "monitor-ring", "monitor")),
    *(DOCS / f"{name}.md" for name in ("versions", "testing")),
]
TRIED_ELSEWHERE = {
    *("atlas", "backend", "byte-rings", "pages", "recipes", "recordings", "rings"),
    *("trees", "tutorial"),
}
MONITOR = text_of(PROJECT / "tests/data/monitor.txt")


def page(name: str) -> str:
    return text_of(DOCS / f"{name}.md")


def named(path: Path) -> str:
    return path.name


@pytest.mark.parametrize(
    ("command", "shown"),
    [each for document in WITH_COMMANDS for each in commands(text_of(document))],
)
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
    called, *arguments = shlex.split(command)
    assert called == "xenbind"
    if "--target" in arguments:
        target = TARGETS[arguments[arguments.index("--target") + 1]]
        require(shutil.which(f"{target.triple}-gcc") is not None, target.package)
    reads_installed = any(each.startswith("/usr/include") for each in arguments)
    require(not reads_installed or INSTALLED.is_dir(), "libxen-dev")
    result = in_a_new_shell(command)
    said = result.stdout + result.stderr
    assert is_said(shown, said), said


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=named)
def test_a_document_has_commands(document: Path) -> None:
    assert commands(text_of(document))


@pytest.mark.parametrize("document", WITH_SESSIONS, ids=named)
def test_the_python_session_goes_as_shown(document: Path) -> None:
    sessions = [b for b in blocks(text_of(document), "python") if b.startswith(">>> ")]
    assert sessions
    test = doctest.DocTestParser().get_doctest(
        "\n".join(sessions), {}, document.name, str(document), 0
    )
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


def test_no_page_is_left_out() -> None:
    for path in set(DOCS.glob("*.md")) - {DOCS / f"{n}.md" for n in TRIED_ELSEWHERE}:
        assert not commands(text_of(path)) or path in WITH_COMMANDS, path.name
        assert ">>> " not in text_of(path) or path in WITH_SESSIONS, path.name


@pytest.mark.parametrize("document", [README, DOCS / "monitor.md"], ids=named)
def test_a_monitor_hides_the_hypervisor(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begins = """from xen_vm_event.monitor import Monitor

with Monitor(1, ["cpuid", "write_ctrlreg:cr3"]) as monitor:"""
    with played("4.17") as xen:
        vcpu = xen.guests[1].script(
            [write_cr3(0x5000), cpuid(1, result=(0, 0, 1 << 31 | 5, 0))]
        )
        exec(program(text_of(document), begins), {})
    assert vcpu.registers.rcx == 5
    shown = capsys.readouterr().out
    assert re.fullmatch(r"0 WRITE_CTRLREG vm_.*\n0 CPUID vm_.*leaf=1, .*\n", shown)


def test_a_monitor_of_ones_own_runs(tmp_path: Path) -> None:
    (tmp_path / "FILE").write_text(program(page("monitor"), "import monitor"))
    (command,) = re.findall(r"`(PYTHONPATH=\S+ python3 FILE) 1`", page("monitor"))
    command = command.replace("FILE", shlex.quote(str(tmp_path / "FILE")))
    assert "usage: FILE" in in_a_new_shell(f"{command} --help").stdout


def test_the_tab_key_completes_as_said() -> None:
    (line,) = re.findall(r"^    (eval .*)$", page("index"), re.MULTILINE)
    press = "COMP_WORDS=(xenbind show 7 vm_event_st.u.cp) COMP_CWORD=3"
    asked = "complete -p xenbind | grep -o _xenbind_completion"
    script = f"{line}; {press}; $({asked}) xenbind; echo ${{COMPREPLY[@]}}"
    result = in_a_new_shell(f"bash -c {shlex.quote(script)}")
    assert (result.stdout, result.stderr) == ("vm_event_st.u.cpuid\n", "")


def test_another_xen_is_read_as_shown(tmp_path: Path) -> None:
    require(INSTALLED.is_dir(), "libxen-dev")
    pattern = r"^    (xenbind .*/usr/include/xen.*)$"
    lines = re.findall(pattern, page("another-xen"), re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        result = in_a_new_shell(line.replace("/tmp", str(tmp_path)))
        assert (result.returncode, result.stderr) == (0, "")


def test_a_library_has_the_function_that_is_shown(tmp_path: Path) -> None:
    require(INSTALLED.is_dir(), "libxen-dev")
    text = page("libraries")
    [table], [shown] = blocks(text, "toml"), blocks(text, "python")
    spec = PROJECT / "examples/libraries/xenevtchn.toml"
    assert table in spec.read_text(encoding="utf-8")
    [(command, _)] = commands(text)
    made = in_a_new_shell(command.replace("/tmp", str(tmp_path)))
    assert made.returncode == 0, made.stderr
    assert shown in text_of(tmp_path / "evtchn/xenevtchn/v0.py")


def test_a_project_may_say_what_is_shown(tmp_path: Path) -> None:
    [table] = blocks(page("repository"), "toml")
    (tmp_path / "pyproject.toml").write_text(table)
    # It is understood: what is missing is only the spec that it names.
    said = in_a_new_shell("xenbind check", cwd=tmp_path).stderr
    assert "bindings/blkif.toml" in said and "pyproject.toml" not in said, said


def test_the_picture_is_what_the_command_draws() -> None:
    drawn = in_a_new_shell("xenbind show 7 vm_event_mem_access --svg")
    assert drawn.stdout == (DOCS / "mem_access.svg").read_text(encoding="utf-8")
