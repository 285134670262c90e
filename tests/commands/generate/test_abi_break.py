"""Regenerating: a version's number is a promise, and `generate` keeps it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from support import (
    NEWEST,
    NEWEST_HEADERS,
    NEXT_RELEASE,
    TINY,
    project_of,
    tree,
    xenbind,
)

NEXT = NEWEST + 1

INSERTED = TINY.replace(
    "    uint64_t second;", "    uint32_t between;\n    uint64_t second[2];"
)
ADDED = TINY + "#define PAIR_LIMIT 4\nstruct single { uint8_t only; };\n"


def generate(folder: Path, header: str, *options: str) -> tuple[int, str, str]:
    tree(folder / "headers", header)
    arguments = ("generate", "--include", "headers", "--out", "out", *options)
    result = xenbind(*arguments, cwd=folder)
    return result.returncode, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert generate(tmp_path, TINY)[0] == 0
    return tmp_path


def test_an_abi_that_breaks_under_its_number_is_refused(folder: Path) -> None:
    module = folder / "out" / "xen_vm_event" / "v1.py"
    before = module.read_text()
    code, out, err = generate(folder, INSERTED)
    assert (code, out) == (1, "")
    assert err.startswith(
        "xenbind: error: version 1: the ABI broke: 2 facts changed, 4 facts added"
        " (struct pair size: 16 → 24; struct pair.second size: 8 → 16; "
    )
    assert "--accept-abi-change" in err
    assert module.read_text() == before


def test_it_is_written_when_accepted(folder: Path) -> None:
    code, out, _ = generate(folder, INSERTED, "--accept-abi-change")
    assert code == 0
    assert "\nversion 1: the ABI broke: 2 facts changed" in out
    assert "between" in (folder / "out" / "xen_vm_event" / "v1.py").read_text()


def test_a_new_number_needs_no_leave(folder: Path) -> None:
    header = INSERTED.replace("VERSION 1", "VERSION 2")
    code, out, _ = generate(folder, header)
    assert code == 0
    assert "the ABI" not in out
    assert (folder / "out" / "xen_vm_event" / "v2.py").exists()


def test_additions_are_told_and_written(folder: Path) -> None:
    code, out, _ = generate(folder, ADDED)
    assert code == 0
    assert "\nversion 1: the ABI grew: 7 facts added (PAIR_LIMIT value; " in out


def test_words_do_not_matter(folder: Path) -> None:
    code, out, _ = generate(folder, TINY.replace("first;", "first; /* New words. */"))
    assert code == 0
    assert "the ABI" not in out


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return project_of(tmp_path, "4.11", NEWEST_HEADERS.name)


def next_tree(project: Path, version: int = NEXT) -> Path:
    """A copy of the newest tree that says it is another."""
    folder = project / "new"
    for name in ("xen.h", "io/ring.h"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / "headers" / name, folder / name)
    shutil.copytree(NEWEST_HEADERS, folder, dirs_exist_ok=True)
    header = folder / "vm_event.h"
    text = header.read_text()
    number = f"VERSION 0x{NEWEST:08x}"
    assert number in text
    header.write_text(text.replace(number, f"VERSION 0x{version:08x}"))
    return folder


def test_a_new_version_comes_in_by_one_command(project: Path) -> None:
    next_tree(project)
    assert xenbind("generate", cwd=project).returncode == 0
    result = xenbind("add-version", "new", "--release", NEXT_RELEASE, cwd=project)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(
        f"version {NEXT}: headers/{NEXT_RELEASE}/vm_event.h, headers/vm_event.toml\n"
    )
    found = re.search(
        rf"\nx86_64 version {NEXT}: (\d+) facts held against gcc, .* 0 mismatches\n",
        result.stdout,
    )
    assert found and int(found[1]) > 700
    added = [path.name for path in (project / "headers" / NEXT_RELEASE).rglob("*")]
    assert "vm_event.h" in added
    assert xenbind("check", cwd=project).stdout == "generated is current\n"
    package = (project / "generated" / "xen_vm_event" / "__init__.py").read_text()
    assert f'\n    {NEXT}: ("{NEXT_RELEASE}",),\n' in package


def test_a_tree_with_another_ring_brings_it_along(project: Path) -> None:
    folder = next_tree(project)
    ring = folder / "io" / "ring.h"
    ring.write_text(
        ring.read_text().replace("unsigned int nr_ents", "unsigned long nr_ents")
    )
    result = xenbind("add-version", "new", cwd=project)
    assert result.returncode == 0, result.stderr
    assert (project / "headers" / f"v{NEXT}" / "io" / "ring.h").is_file()
    assert result.stdout.count(" against gcc, ") == 3
    assert result.stdout.endswith(
        " 0 mismatches\nwhat is left: look at the change, and commit it\n"
    )


def grow(header: Path) -> None:
    """Add a constant to a header, as releases do without another version number."""
    text = header.read_text()
    reason = "#define VM_EVENT_REASON_UNKNOWN "
    assert reason in text
    header.write_text(text.replace(reason, f"#define VM_EVENT_REASON_NEW 99\n{reason}"))


def test_an_interface_that_is_there_is_refused(project: Path) -> None:
    next_tree(project, version=NEWEST)
    before = (project / "headers" / "vm_event.toml").read_text()
    result = xenbind("add-version", "new", "--release", NEXT_RELEASE, cwd=project)
    assert result.returncode == 1
    assert result.stderr == (
        f"xenbind: error: the spec has version {NEWEST} already, and this is the same\n"
        "  help: add the release to its 'releases' in the spec, and run `xenbind generate`\n"
    )
    assert (project / "headers" / "vm_event.toml").read_text() == before


def test_an_interface_that_grew_needs_the_release_that_tells_it_apart(
    project: Path,
) -> None:
    grow(next_tree(project, version=NEWEST) / "vm_event.h")
    result = xenbind("add-version", "new", cwd=project)
    assert result.returncode == 1
    assert result.stderr == (
        f"xenbind: error: the spec has version {NEWEST} already, and this is another\n"
        "  help: name the first release that has it with --release;"
        f" `xenbind diff {NEWEST} new` tells what differs\n"
    )


def test_an_interface_that_grew_becomes_its_version_s_newest(project: Path) -> None:
    grow(next_tree(project, version=NEWEST) / "vm_event.h")
    assert xenbind("generate", cwd=project).returncode == 0
    result = xenbind("add-version", "new", "--release", NEXT_RELEASE, cwd=project)
    assert result.returncode == 0, result.stderr
    package = project / "generated" / "xen_vm_event"
    newest = (package / f"v{NEWEST}.py").read_text()
    assert "VM_EVENT_REASON_NEW: Final = 99" in newest
    assert f"Since Xen {NEXT_RELEASE}." in newest
    first = NEWEST_HEADERS.name.replace(".", "_")
    before = (package / f"v{NEWEST}_{first}.py").read_text()
    assert "VM_EVENT_REASON_NEW" not in before


def test_a_bad_tree_leaves_nothing_behind(project: Path) -> None:
    tree(project / "bad", "struct pair {\n")
    result = xenbind("add-version", "bad", cwd=project)
    assert result.returncode == 1
    assert not (project / "headers" / f"v{NEXT}").exists()


def test_a_version_that_cannot_be_generated_is_taken_back(project: Path) -> None:
    next_tree(project)
    foreign = project / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    before = (project / "headers" / "vm_event.toml").read_text()
    result = xenbind("add-version", "new", "--out", "foreign", cwd=project)
    assert result.returncode == 1
    assert not (project / "headers" / f"v{NEXT}").exists()
    assert (project / "headers" / "vm_event.toml").read_text() == before


@pytest.mark.parametrize("release", ["foo", f'{NEXT_RELEASE}"', "4.11"])
def test_a_release_is_a_new_one(release: str, project: Path) -> None:
    next_tree(project)
    result = xenbind("add-version", "new", "--release", release, cwd=project)
    assert result.returncode == 1
    assert release in result.stderr
    assert not (project / "headers" / f"v{NEXT}").exists()


def test_the_spec_says_the_headers_number(project: Path) -> None:
    spec = project / "headers" / "vm_event.toml"
    spec.write_text(spec.read_text().replace("number = 3", "number = 33"))
    result = xenbind("generate", cwd=project)
    assert result.returncode == 1
    assert "vm_event.h is of version 3, the spec says 33" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'releases = ["4.11"]',
            f'releases = ["{NEWEST_HEADERS.name}"]',
            f"there are two versions with release {NEWEST_HEADERS.name}",
        ),
        ('union = "u"', 'union = "v"', "has no union 'v' beside a 'reason'"),
        ('tag = "reason"', 'tag = "reson"', "has no union 'u' beside a 'reson'"),
        (
            '"VM_EVENT_REASON_"',
            '"VM_EVENT_RESON_"',
            "no constant VM_EVENT_RESON_* selects",
        ),
        (
            'package = "xen_vm_event"',
            'package = "../evil"',
            "must be a Python identifier",
        ),
        ('["4.11"]', "[4.11]", "must be a list of strings"),
    ],
)
def test_a_spec_that_says_what_cannot_be(
    old: str, new: str, message: str, project: Path
) -> None:
    spec = project / "headers" / "vm_event.toml"
    assert old in spec.read_text()
    spec.write_text(spec.read_text().replace(old, new, 1))
    result = xenbind("generate", cwd=project)
    assert result.returncode == 1
    assert message in result.stderr
    assert not (project / "generated").exists()


POST = """\
struct letter { int to; };
int post_send(struct letter *letter, int (*each)(int a, short b), unsigned short count);
int post_close(int at, ...);
"""


def post(folder: Path, header: str, more: str = "") -> tuple[int, str]:
    """Generate the package of a library's header, which may be there of another."""
    (folder / "post.h").write_text(header)
    (folder / "post.toml").write_text(f"""\
[interface]
name = "post"
package = "post"
header = "post.h"

[functions]
library = "libpost.so"
{more}""")
    options = ("--spec", "post.toml", "--include", ".", "--out", "out")
    made = xenbind("generate", *options, cwd=folder)
    return made.returncode, made.stdout + made.stderr


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (
            "unsigned short count",
            "unsigned count",
            "1 facts changed (post_send prototype:"
            " signed 4 (struct letter *, signed 4 (*)(signed 4, signed 2), unsigned 2) →"
            " signed 4 (struct letter *, signed 4 (*)(signed 4, signed 2), unsigned 4))",
        ),
        ("short b", "int b", "1 facts changed (post_send prototype: "),
        ("int at, ...", "int at", "1 facts changed (post_close prototype: "),
        ("int post_close", "unsigned post_close", "1 facts changed (post_close "),
        (
            "int post_close(int at, ...);",
            "",
            "1 facts removed (post_close prototype)",
        ),
    ],
)
def test_a_changed_prototype_is_refused(
    old: str, new: str, change: str, tmp_path: Path
) -> None:
    assert post(tmp_path, POST)[0] == 0
    status, said = post(tmp_path, POST.replace(old, new))
    assert status == 1
    assert f"error: version 0: the ABI broke: {change}" in said


def test_other_names_and_errors_are_no_other_prototype(tmp_path: Path) -> None:
    assert post(tmp_path, POST)[0] == 0
    renamed = POST.replace(" count", "").replace("(int a, short b)", "(int b, short)")
    status, said = post(tmp_path, renamed, 'errors = ["negative"]\n')
    assert (status, "ABI" in said) == (0, False)


def test_a_function_more_is_growth(tmp_path: Path) -> None:
    assert post(tmp_path, POST)[0] == 0
    status, said = post(tmp_path, f"{POST}void post_wait(void);")
    assert status == 0
    assert "version 0: the ABI grew: 1 facts added (post_wait prototype)" in said
