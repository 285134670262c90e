"""The Tab key: what is offered, and what bash, zsh and fish make of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import PROJECT, SPEC, require, xenbind
from xenbind import spec
from xenbind.cli import main


def complete(words: str) -> list[str]:
    """The words that bash is told when a user presses the tab key behind these."""
    return [line.partition(",")[2] for line in offered(words)]


def offered(words: str) -> list[str]:
    """All that bash is told, and nobody is told anything else."""
    run = subprocess.run(
        [sys.executable, "-m", "xenbind"],
        env={
            **os.environ,
            "_XENBIND_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    return run.stdout.splitlines()


def test_completion_knows_commands_options_and_choices() -> None:
    assert complete("xenbind ") == sorted(main.commands)
    assert complete("xenbind d") == ["decode", "diff"]
    assert complete("xenbind diff --e") == ["--exit-code"]
    assert complete("xenbind verify --target arm") == ["arm64", "armhf"]


def test_completion_knows_versions() -> None:
    loaded = spec.load(SPEC)
    names = [
        each.name_of(version.release or str(version.number))
        for each in loaded.with_libraries
        for version in each.versions
    ]
    assert complete("xenbind diff ") == names
    assert complete("xenbind diff 6 ") == names
    assert complete("xenbind facts ") == names
    assert complete("xenbind diff 6 4.16") == ["4.16"]
    assert complete("xenbind diff --spec examples/blkif.toml ") == [""]
    assert offered("xenbind diff ../he") == ["dir,../he"]
    assert offered("xenbind decode ev") == ["file,ev"]


def test_completion_knows_what_a_version_declares() -> None:
    assert complete("xenbind show 7") == ["7"]
    assert complete("xenbind show vm_event_c") == ["vm_event_cpuid"]
    reasons = complete("xenbind show 7 VM_EVENT_REASON_M")
    assert reasons == [
        f"VM_EVENT_REASON_{name}"
        for name in ("MEM_ACCESS", "MEM_SHARING", "MEM_PAGING", "MOV_TO_MSR")
    ]
    assert complete("xenbind show 1 VmEventR") == ["VmEventReason"]
    members = complete("xenbind show 7 vm_event_st.u.mem_")
    assert members == [
        f"vm_event_st.u.mem_{name}" for name in ("paging", "sharing", "access")
    ]
    everything = complete("xenbind show ")
    versions = complete("xenbind diff ")
    assert everything[: len(versions)] == versions
    assert {"vm_event_st", "vm_event_request_t", "MemAccess"} < set(everything)


def test_what_completes_can_be_shown() -> None:
    for word in ("xenbind show 7 ", "xenbind show 7 vm_event_st."):
        for name in complete(word)[::20]:
            main(["show", "7", name, "--spec", str(SPEC)], standalone_mode=False)


@pytest.mark.parametrize(
    "words",
    [
        "xenbind show --spec nowhere.toml ",
        "xenbind show --spec /dev/null 7 ",
        "xenbind show --cc no-such-compiler 7 ",
        "xenbind show 99 vm",
        "xenbind show nothing vm",
        "xenbind show 7 qqq.",
        "xenbind show 7 vm_event_st.vcpu_id.",
        "xenbind diff --spec nowhere.toml ",
    ],
)
def test_completion_that_cannot_be_says_nothing(words: str) -> None:
    assert offered(words) == [""]


@pytest.mark.parametrize("option", ["--include", "--tree", "--out"])
def test_an_option_for_a_folder_is_offered_folders(option: str) -> None:
    assert offered(f"xenbind generate {option} he") == ["dir,he"]
    assert offered("xenbind generate --spec he") == ["file,he"]


def test_completion_knows_a_foreign_spec_s_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pair.h").write_text("struct pair_of_words { int first, second; };")
    (tmp_path / "pair.toml").write_text(
        '[interface]\nname = "pair"\npackage = "pair"\nheader = "pair.h"\n'
    )
    assert complete("xenbind show --spec pair.toml pair") == ["pair_of_words"]
    assert complete("xenbind show --spec = pair.toml pair") == ["pair_of_words"]
    assert complete("xenbind decode --spec pair.toml --record ") == ["pair_of_words"]


def test_completion_knows_a_tree_s_headers_and_their_types(tmp_path: Path) -> None:
    (tmp_path / "io").mkdir()
    (tmp_path / "io/pair.h").write_text("struct pair { int first, second; };")
    (tmp_path / "other.h").write_text("struct other { int number; };")
    show = f"xenbind show --tree {tmp_path} "
    assert complete(show) == ["io/pair.h", "other.h"]
    assert complete(f"{show}io") == ["io/pair.h"]
    assert complete(f"{show}io/pair.h ") == ["pair"]
    assert complete(f"{show}nowhere.h ") == [""]
    assert offered(f"xenbind diff --tree {tmp_path} ") == ["dir,"]


def test_completion_knows_reasons_and_records() -> None:
    assert complete("xenbind decode --reason WRITE") == ["WRITE_CTRLREG"]
    assert complete("xenbind decode --reason write") == ["write_ctrlreg"]
    assert complete("xenbind decode --record vm_event_c") == ["vm_event_cpuid"]


def test_every_reason_that_is_offered_is_one() -> None:
    recording = str(PROJECT / "tests/data/write-cr4.jsonl")
    reasons = complete("xenbind decode --reason ")
    assert len(reasons) > 10
    chosen = [word for reason in reasons for word in ("--reason", reason)]
    assert xenbind("decode", recording, *chosen).returncode == 0


def in_shell(shell: str, script: str) -> list[str]:
    """What a script in a shell without anybody's settings prints, with this xenbind."""
    require(shutil.which(shell) is not None, shell)
    command = {"bash": "bash --norc -c", "zsh": "zsh -f -c", "fish": "fish -N -c"}[
        shell
    ]
    done = subprocess.run(
        [*command.split(), script],
        cwd=PROJECT,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


def bash(*words: str) -> list[str]:
    """What bash offers for the last word, of the words that it makes of a line."""
    quoted = " ".join(f"'{word}'" for word in words)
    return in_shell(
        "bash",
        f"""\
eval "$(_XENBIND_COMPLETE=bash_source xenbind)"
COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}
_xenbind_completion xenbind
printf '%s\\n' "${{COMPREPLY[@]}}"
""",
    )


def zsh(line: str) -> list[str]:
    """What zsh's own functions are given to offer, for the last word of a line."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    return in_shell(
        "zsh",
        f"""\
compdef() {{ }}
_describe() {{ print -rl -- "${{(@P)3}}" }}
compadd() {{ print -rl -- "${{(@P)@[-1]}}" }}
_path_files() {{ print -r -- "files $1" }}
eval "$(_XENBIND_COMPLETE=zsh_source xenbind)"
words=({quoted}); CURRENT={len(words)}
_xenbind_completion
""",
    )


def fish(line: str) -> list[str]:
    """What fish itself offers behind a line."""
    source = "_XENBIND_COMPLETE=fish_source xenbind | source"
    return in_shell("fish", f"{source}; complete -C '{line}'")


def test_bash_completes() -> None:
    assert bash("xenbind", "di") == ["diff"]
    assert bash("xenbind", "show", "7", "vm_event_c") == ["vm_event_cpuid"]
    assert bash("xenbind", "verify", "--target", "=", "arm") == ["arm64", "armhf"]
    assert bash("xenbind", "verify", "--target", "=")[0] == "x86_64"


def test_zsh_completes() -> None:
    assert zsh("xenbind di") == [
        "diff:Tell what changed in the ABI between two versions."
    ]
    assert zsh("xenbind show 7 vm_event_c") == ["vm_event_cpuid"]
    assert zsh("xenbind show --spec ex") == ["files -f"]
    assert zsh("xenbind verify --target=arm") == ["--target=arm64", "--target=armhf"]


def test_fish_completes() -> None:
    assert fish("xenbind generat") == [
        "generate\tWrite the package, of a spec's versions or a header tree."
    ]
    assert fish("xenbind show 7 vm_event_c") == ["vm_event_cpuid"]
    assert "examples/" in [
        word.split("\t")[0] for word in fish("xenbind show --spec ex")
    ]
    assert fish("xenbind verify --target=arm") == ["--target=arm64", "--target=armhf"]


def test_a_version_has_its_releases_beside_it_where_its_name_does_not_say_them() -> (
    None
):
    told = fish("xenbind diff ")
    versions = [v for each in spec.load(SPEC).with_libraries for v in each.versions]
    assert len(told) == len(versions)
    assert "4.15" in told and "xenctrl/4.18\t4.18, 4.19" in told
