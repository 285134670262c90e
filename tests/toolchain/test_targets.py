"""Every version on every target, by gcc's cross compilers and clang; nothing is run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support import INSTALLED, PROJECT, SPEC, require, tree, xenbind
from xenbind import spec
from xenbind.commands.verify import compare
from xenbind.commands.verify.report import Report
from xenbind.errors import CompilerError
from xenbind.ir.abi import ABIS
from xenbind.plain import replace
from xenbind.spec import Spec, VersionSpec
from xenbind.toolchain import first_question, predefined
from xenbind.toolchain.targets import TARGETS, Machine, host, machine_for, machine_of
from xenbind.workers import Workers

GENERATED = PROJECT / "generated"
LOADED = spec.load(SPEC)

# What each version is asked, by the first release that speaks it.
FACTS = {
    **{"4.6": 469, "4.7": 473, "4.8": 560, "4.9": 654, "4.10": 658, "4.11": 661},
    **{"4.12": 718, "4.13": 724, "4.14": 729, "4.15": 743, "4.16": 740},
    **{"4.17": 771, "4.18": 792, "4.19": 792},
}

# A header in which every rule that tells targets apart has a say.
HEADER = """\
#define VM_EVENT_INTERFACE_VERSION 1
#define LETTER '\\xff'
#define WIDE L'\\xffffffff'
#define WIDE_SIGN (L'a' - 98 < 0)
#define SHORT_SIGN (u'a' - 98 < 0)
#define LONG_SIGN (U'a' - 98 < 0)
#define WORD sizeof(long)
struct pair {
    uint8_t small;
    uint64_t wide;
    uint8_t tiny;
    long word;
    void *pointer;
};
struct unnamed { uint16_t first; uint8_t tiny; uint32_t : 3; uint16_t last; };
"""


def machine(target: str, compiler: str) -> Machine:
    """A target's compiler; missing ones are a failure in CI only."""
    name = compiler if compiler == "clang" else f"{TARGETS[target].triple}-{compiler}"
    require(shutil.which(name) is not None, name)
    return machine_for(TARGETS[target], machine_of((compiler,)))


def verified(loaded: Spec, version: VersionSpec, out: Path, using: Machine) -> Report:
    with Workers(1) as workers:
        return compare.verify(loaded, version, out, using, workers)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("target", TARGETS)
def test_compilers_and_xenbind_agree(
    target: str, compiler: str, exhaustive: bool
) -> None:
    using = machine(target, compiler)
    # Of the versions all, or the one with most in it.
    for version in LOADED.versions if exhaustive else LOADED.versions[-1:]:
        report = verified(LOADED, version, GENERATED, using)
        assert report.mismatches == ()
        asked = FACTS.get(version.releases[0], report.facts)
        assert report.facts == asked > 400
        assert report.dwarf_facts > 0.6 * report.facts


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require((INSTALLED / "vm_event.h").is_file(), "libxen-dev")
    out = tmp_path_factory.mktemp("installed") / "out"
    assert xenbind("generate", "--include", INSTALLED, "--out", out).returncode == 0
    return out


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("target", [name for name in TARGETS if name != "riscv64"])
def test_installed_headers_agree_too(
    target: str, compiler: str, installed: Path
) -> None:
    # They include the target's own arch header; Debian's Xen has none for RISC-V.
    foreign = LOADED.for_tree(INSTALLED)
    using = machine(target, compiler)
    report = verified(foreign, foreign.versions[0], installed, using)
    assert report.mismatches == ()
    assert report.facts > 700


# --- a fault in each rule, and in the table ---------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("targets")
    tree(folder / "headers", HEADER)
    result = xenbind("generate", "--include", "headers", "--out", "out", cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder


def mismatches(folder: Path, using: Machine) -> dict[str, dict[str, int | str | None]]:
    foreign = LOADED.for_tree(folder / "headers")
    report = verified(foreign, foreign.versions[0], folder / "out", using)
    return {mismatch.fact: dict(mismatch.said) for mismatch in report.mismatches}


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("target", TARGETS)
def test_no_fault_is_no_mismatch(target: str, compiler: str, made: Path) -> None:
    assert mismatches(made, machine(target, compiler)) == {}


FAULTS: Mapping[str, tuple[str, dict[str, Any], str, int]] = {
    "strictest": ("i386", {"strictest": 8}, "struct pair alignment", 8),
    "pointer": ("armhf", {"pointer": 8}, "struct pair.pointer size", 8),
    "long": (
        "riscv64",
        {"integers": ABIS["armhf"].integers},
        "struct pair.word size",
        4,
    ),
    "sizeof": ("arm64", {"integers": ABIS["i386"].integers}, "WORD value", 4),
    "char": (
        "arm64",
        {"integers": ABIS["x86_64"].integers},
        "LETTER value",
        2**64 - 1,
    ),
    "wide": ("arm64", {"wide": ABIS["x86_64"].wide}, "WIDE_SIGN value", 1),
    "unnamed_bits_align": (
        "arm64",
        {"unnamed_bits_align": False},
        "struct unnamed size",
        6,
    ),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_in_a_rule_is_found(rule: str, made: Path) -> None:
    target, change, fact, wrong = FAULTS[rule]
    using = machine(target, "gcc")
    broken = replace(using.target, abi=replace(using.target.abi, **change))
    said = mismatches(made, replace(using, target=broken))[fact]
    assert said.pop("xenbind") == wrong
    assert wrong not in said.values() and len(set(said.values())) == 1


def test_a_stale_table_is_found(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    table = tmp_path / "out" / "abi.md"
    lines = table.read_text().splitlines(keepends=True)
    row = next(line for line in lines if "struct pair" in line)
    other = row.replace("24/4*", "32/4*")
    rest = [line for line in lines if "struct unnamed" not in line]
    table.write_text("".join(rest).replace(row, other))
    found = mismatches(tmp_path, machine("i386", "gcc"))
    assert found["struct pair size"] == {
        "C": 24,
        "DWARF": 24,
        "xenbind": 24,
        "abi.md": 32,
    }
    assert found["struct unnamed size"]["abi.md"] is None
    assert set(found) == {
        "struct pair size",
        "struct unnamed size",
        "struct unnamed alignment",
    }


def test_a_header_is_read_as_the_target_reads_it(tmp_path: Path) -> None:
    header = HEADER + (
        "#ifdef __aarch64__\nstruct registers { uint64_t x[31]; };\n"
        "#else\nstruct registers { uint64_t r[16]; };\n#endif\n"
    )
    tree(tmp_path / "headers", header)
    arguments = ("--include", "headers", "--out", "out")
    assert xenbind("generate", *arguments, cwd=tmp_path).returncode == 0
    table = tmp_path / "out" / "abi.md"
    for target in ("x86_64", "i386", "arm64"):
        assert mismatches(tmp_path, machine(target, "gcc")) == {}

    text = table.read_text()
    assert "   248/8* " in text
    table.write_text(text.replace("   248/8* ", "   128/8  "))
    assert mismatches(tmp_path, machine("arm64", "gcc")) == {
        "struct registers size": {"C": 248, "DWARF": 248, "xenbind": 248, "abi.md": 128}
    }


@pytest.mark.parametrize("command", ["generate", "show"])
@pytest.mark.parametrize(
    ("compiler", "target"),
    [("i686-linux-gnu-gcc", "i386"), ("clang --target=arm-linux-gnueabihf", "armhf")],
)
def test_a_header_of_64_bits_is_not_read_with_the_macros_of_32(
    compiler: str, target: str, command: str, tmp_path: Path
) -> None:
    require(shutil.which(compiler.split()[0]) is not None, compiler)
    tree(
        tmp_path / "asks",
        "#include <stdint.h>\n" + HEADER + "#ifdef __i386__\n#define WORDS 8\n#endif\n",
    )
    tree(tmp_path / "plain", re.sub(r"u?int(\d+)_t", "int", HEADER))
    spec_text = '[interface]\nname = "c"\npackage = "c_bound"\nheader = "vm_event.h"\n'
    (tmp_path / "spec.toml").write_text(spec_text)

    def run(folder: str) -> tuple[int, str]:
        options = ["--spec", "spec.toml"]
        options += (
            ["--include", folder, "--out", "out"] if command == "generate" else [folder]
        )
        done = xenbind(command, *options, cwd=tmp_path, CC=compiler)
        return done.returncode, done.stderr

    assert run("plain") == (0, "")
    status, said = run("asks")
    assert status == 3
    assert f"error: {compiler} compiles for {target}, where the header may be" in said
    assert "help: name a compiler for 64 bits" in said


def test_a_compiler_for_64_bits_generates_whatever_it_is_for(tmp_path: Path) -> None:
    foreign = tmp_path / "loongarch64-gcc"
    foreign.write_text('#!/bin/sh\nexec gcc -U__x86_64__ -D__loongarch64 "$@"\n')
    foreign.chmod(0o755)
    tree(tmp_path / "asks", HEADER + "#ifdef __i386__\n#define WORDS 8\n#endif\n")
    spec_text = '[interface]\nname = "c"\npackage = "c_bound"\nheader = "vm_event.h"\n'
    (tmp_path / "spec.toml").write_text(spec_text + 'needs = ["stdint.h"]\n')
    options = ("--spec", "spec.toml", "--include", "asks", "--out", "out")
    done = xenbind("generate", *options, cwd=tmp_path, CC=str(foreign))
    assert (done.returncode, done.stderr) == (0, "")


# --- which compiler ---------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_each_compiler_bears_its_target_s_mark(target: str) -> None:
    for compiler in ("gcc", "clang"):
        using = machine(target, compiler)
        assert machine_of(using.command) == using
        # From there to any other target, and its options go along.
        own = machine_of((*using.command[:1], "-O1"))
        back = machine_for(TARGETS["armhf"], own)
        assert back.target.name == "armhf" and "-O1" in back.command


def test_the_host_is_the_compiler_s_own_target() -> None:
    assert host() == machine_of(("gcc",)).target


def test_without_a_target_it_is_the_compiler_s(made: Path) -> None:
    (compiler,) = machine("riscv64", "gcc").command
    arguments = ("--include", "headers", "--out", "out", "--cc", compiler)
    shown = xenbind("verify", *arguments, cwd=made).stdout
    assert shown.startswith("riscv64 version 1: ")


def test_the_package_is_asked_on_its_own_machine_only(
    made: Path, tmp_path: Path
) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    (tmp_path / "out" / "xen_vm_event" / "v1.py").unlink()
    assert mismatches(tmp_path, machine("i386", "gcc")) == {}


@pytest.fixture
def only_gcc(tmp_path: Path) -> str:
    """A search path with the host's gcc and what it needs, and no cross compiler."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("gcc", "as"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


def test_all_targets_are_those_with_a_compiler(only_gcc: str) -> None:
    shown = xenbind("verify", "--target", "all", "--cc", "gcc", PATH=only_gcc)
    assert shown.returncode == 0, shown.stderr
    own = machine_of(("gcc",)).target
    lines = shown.stderr.splitlines()
    assert len(lines) == 4
    for target in TARGETS.values():
        if target != own:
            assert (
                f"skipped {target.name}: {target.triple}-gcc is not installed;"
                f" install Debian's package {target.package}, or name clang with --cc"
            ) in lines
    assert shown.stdout.count(f"{own.name} version ") == len(LOADED.versions)


def test_a_target_named_by_itself_must_have_a_compiler(only_gcc: str) -> None:
    other = "arm64" if machine_of(("gcc",)).target.name != "arm64" else "armhf"
    shown = xenbind("verify", "--target", other, "--cc", "gcc", PATH=only_gcc)
    assert (shown.returncode, shown.stdout) == (3, "")
    assert shown.stderr == (
        f"xenbind: error: {other}: {TARGETS[other].triple}-gcc is not installed\n"
        f"  help: install Debian's package {TARGETS[other].package},"
        " or name clang with --cc\n"
    )


def test_a_compiler_for_no_known_target_is_refused() -> None:
    with pytest.raises(CompilerError, match="makes objects for none of x86_64, i386,"):
        machine_of(("clang", "--target=powerpc64-linux-gnu"))
    with pytest.raises(CompilerError, match="makes objects for none of"):
        machine_of(("clang", "--target=aarch64_be-linux-gnu"))
    with pytest.raises(CompilerError, match="cannot run the C compiler 'no-such-cc'"):
        machine_of(("no-such-cc",))
    with pytest.raises(CompilerError, match=r"unrecognized .*--no-such-option"):
        machine_of(("gcc", "--no-such-option"))


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("true", "asked for its macros, it names none"),
        ("false", "exit status 1"),
        ("echo '#define X 1'", "asked for its macros, it names none"),
        ("sh -c 'kill -9 $$'", "ended by SIGKILL"),
        ("gcc -mno-such-thing", "unrecognized command-line option '-mno-such-thing'"),
        ("sh -c 'sleep 1000'", "asked for its macros, it took more than 1 seconds"),
    ],
)
def test_a_command_that_is_no_compiler_is_told_as_that(
    command: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_question, "SECONDS", 1)
    with pytest.raises(CompilerError) as refused:
        predefined.working_compiler(command)
    named = " ".join(shlex.split(command))
    assert refused.value.message == f"{named} is no C compiler that works: {fault}"
    assert "--cc or the variable CC" in refused.value.advice


def test_a_compiler_that_is_killed_once_is_not_taken_for_one_without_a_c_library(
    tmp_path: Path,
) -> None:
    """As a machine that runs out of memory does: its headers would be read without a word."""
    flag, script = tmp_path / "was-asked", tmp_path / "cc"
    script.write_text(
        f'#!/bin/sh\n[ -e {flag} ] && exec gcc "$@"\n: > {flag}\nkill -9 $$\n'
    )
    script.chmod(0o755)
    with pytest.raises(CompilerError, match="ended by SIGKILL"):
        predefined.working_compiler(str(script))


@pytest.mark.parametrize("command", ["generate", "init", "verify", "facts"])
def test_every_command_tells_it(command: str, tmp_path: Path) -> None:
    argument = ["stdio.h", "-o", "of.toml"] if command == "init" else []
    result = xenbind(command, *argument, cwd=tmp_path, CC="true")
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr.startswith("xenbind: error: true is no C compiler that works")
    assert not list(tmp_path.iterdir())


def test_a_compiler_that_cannot_change_its_target_is_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mycc"
    mine.symlink_to(str(shutil.which("gcc")))
    with pytest.raises(CompilerError, match="not for riscv64"):
        machine_for(TARGETS["riscv64"], machine_of((str(mine),)))


def test_json_tells_target_compiler_and_what_each_said(made: Path) -> None:
    machine("i386", "gcc")
    arguments = ("--include", "headers", "--out", "out", "--target", "i386", "--json")
    shown = xenbind("verify", *arguments, "--cc", "gcc", cwd=made)
    (report,) = json.loads(shown.stdout)
    assert report["target"] == "i386"
    assert report["compiler"] == "i686-linux-gnu-gcc"
    assert report["facts"] > report["dwarf_facts"] > 10
    assert report["mismatches"] == []
