"""What `generate` stores of the headers answers as the headers do, while they are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import PROJECT, SPEC, TINY, project_of, tree, xenbind
from xenbind import pipeline
from xenbind import spec as specs
from xenbind.ir import history
from xenbind.ir.interface import Interface
from xenbind.options import job_of
from xenbind.plain import replace
from xenbind.provenance import inputs, manifest, stored
from xenbind.toolchain.compiler import find_compiler

RECORDED = PROJECT / "tests" / "data" / "requests-v7.jsonl"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of two releases with one version number, generated."""
    folder = project_of(tmp_path_factory.mktemp("stored"), "4.18", "4.19")
    assert xenbind("generate", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return made


def found(edition: str) -> Interface | None:
    return stored.find(job_of(), f"v{edition}")


def read() -> list[Interface]:
    """The interfaces as their headers say them, of the files those that are the project's."""
    spec = specs.load(job_of().spec)
    interfaces = history.told(
        [pipeline.read(spec, version, find_compiler()) for version in spec.versions],
        [version.releases for version in spec.versions],
        spec.version_macro,
    )
    return [without_others(interface) for interface in interfaces]


def without_others(interface: Interface) -> Interface:
    own = tuple(file for file in interface.files if file.startswith("headers/"))
    return replace(interface, files=own)


def test_it_is_what_the_headers_say(project: Path) -> None:
    for interface in read():
        kept = found(interface.edition)
        assert kept is not None
        assert repr(without_others(kept)) == repr(interface)


def test_it_names_no_path_of_this_machine(project: Path) -> None:
    for file in (project / "generated" / "interfaces").iterdir():
        text = file.read_text()
        assert '"4.1' in text
        assert str(project) not in text and str(PROJECT) not in text


@pytest.mark.parametrize(
    "command",
    [
        ["diff", "4.18", "4.19"],
        ["decode", str(RECORDED)],
        ["diff", "4.18", "7", "--json"],
    ],
    ids=" ".join,
)
def test_commands_answer_as_with_a_compiler(command: list[str], project: Path) -> None:
    (project / "none").mkdir(exist_ok=True)
    without = xenbind(*command, cwd=project, PATH="none")
    reading = xenbind(*command, "--cc", "gcc", cwd=project)
    assert without.stdout == reading.stdout != ""
    assert without.returncode == reading.returncode
    named = xenbind(*command, "--cc", "gcc", cwd=project, PATH="none")
    assert named.returncode == 3 and named.stdout == ""


@pytest.mark.parametrize("folder", [PROJECT, Path("/")], ids=["checkout", "elsewhere"])
def test_xenbinds_own_headers_need_no_compiler(folder: Path, tmp_path: Path) -> None:
    for command in (["show", "7"], ["diff", "4.14", "4.15"], ["decode", str(RECORDED)]):
        result = xenbind(*command, cwd=folder, PATH=str(tmp_path))
        assert (result.returncode, result.stderr) == (0, ""), command
        assert result.stdout.count("\n") > 10


def test_a_foreign_tree_that_was_generated_is_known(tmp_path: Path) -> None:
    tree(tmp_path / "tree")
    options = ["--include", "tree", "--out", "out", "--spec", str(SPEC)]
    assert xenbind("generate", *options, cwd=tmp_path).returncode == 0
    (tmp_path / "xenbind.toml").write_text(f'spec = "{SPEC}"\nout = "out"\n')
    shown = xenbind("show", "tree", "pair", cwd=tmp_path, PATH="none")
    assert shown.returncode == 0
    assert "tree/vm_event.h:2" in shown.stdout


# --- while it is current -------------------------------------------------------------


@pytest.fixture
def changing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one header that may be changed."""
    tree(tmp_path / "one")
    said = "[interface]\nname = 'vm_event'\npackage = 'pairs'\nheader = 'vm_event.h'\n"
    said += "version_macro = 'VM_EVENT_INTERFACE_VERSION'\nneeds = ['stdint.h']\n"
    said += "[[version]]\nnumber = 1\ndirectory = 'one'\nreleases = ['4.6']\n"
    (tmp_path / "spec.toml").write_text(said)
    (tmp_path / "xenbind.toml").write_text("spec = 'spec.toml'\n")
    assert xenbind("generate", cwd=tmp_path).returncode == 0
    monkeypatch.chdir(tmp_path)
    assert found("1") is not None
    return tmp_path


def test_another_header_is_read(changing: Path) -> None:
    header = changing / "one" / "vm_event.h"
    header.write_text(f"{TINY}#define LIMIT 3\n")
    assert found("1") is None
    shown = xenbind("show", "1", "LIMIT", cwd=changing)
    assert "LIMIT" in shown.stdout
    assert shown.stderr == (
        "one/vm_event.h: note: since which Xen each is there is not told:"
        " run `xenbind generate`\n"
    )
    assert xenbind("show", "1", cwd=changing, PATH="none").returncode == 3
    header.write_text(TINY)
    assert found("1") is not None


def test_another_spec_has_another_interface(changing: Path) -> None:
    spec = changing / "spec.toml"
    spec.write_text(spec.read_text().replace("'stdint.h'", "'stdint.h', 'stddef.h'"))
    assert found("1") is None


def test_another_xenbind_may_read_otherwise(
    changing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "generator_digest", lambda: "another")
    assert found("1") is None


def test_what_was_edited_is_not_believed(changing: Path) -> None:
    file = changing / "generated" / stored.path("v1")
    file.write_text(file.read_text().replace('"first"', '"last"'))
    assert found("1") is None
    file.unlink()
    assert found("1") is None


def test_a_manifest_that_cannot_be_read_is_none(changing: Path) -> None:
    (changing / "generated" / manifest.NAME).write_text("{")
    assert found("1") is None
    assert xenbind("show", "1", cwd=changing).returncode == 0


def test_the_digests_are_those_that_check_compares(changing: Path) -> None:
    made = manifest.load(changing / "generated")
    assert made is not None and made.inputs == inputs.header_digests(
        job_of(), ["one/vm_event.h"]
    )
    assert set(made.outputs) >= {stored.path("v1")}
