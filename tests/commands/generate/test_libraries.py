"""Libraries within a package: specs whose packages are made within another's.

What they make shares the package's run-time modules, and is checked, shown and tested with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import own_tests, xenbind

OUTER = """\
[interface]
name = "vm_event"
package = "xen_pairs"
header = "vm_event.h"
needs = ["stdint.h"]
libraries = ["post/post.toml"]

[[version]]
number = 1
directory = "v1"
releases = ["4.8", "4.9"]
"""
POST = """\
[interface]
name = "post"
package = "post"
header = "post.h"

[functions]
library = "libpost.so.{release}"
errors = ["negative"]

[[version]]
number = 4
directory = "4.8"
releases = ["4.8"]

[[version]]
number = 4
directory = "4.9"
releases = ["4.9"]
"""
OLD = """\
struct letter { int weight; };
/* Send a letter. */
int post_send(struct letter *letter, int copies);
"""
NEW = OLD.replace("int copies", "int copies, _Bool quick") + "int post_wait(void);\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a library within its package, generated."""
    folder = tmp_path_factory.mktemp("libraries")
    for name, text in {
        "headers/vm_event.toml": OUTER,
        "headers/v1/vm_event.h": "struct pair { uint32_t first; uint64_t second; };\n",
        "headers/post/post.toml": POST,
        "headers/post/4.8/post.h": OLD,
        "headers/post/4.9/post.h": NEW,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    made = xenbind("generate", cwd=folder)
    assert made.stdout.splitlines()[:3] == [
        "vm_event version 1: 1 struct or union, 0 constants in 0 groups",
        "post version 4 of Xen 4.8: 1 struct or union, 0 constants in 0 groups,"
        " 1 function",
        "post version 4: 1 struct or union, 0 constants in 0 groups, 2 functions",
    ], made.stderr
    return folder


def test_a_library_shares_the_packages_run_time_modules(project: Path) -> None:
    package = project / "generated" / "xen_pairs"
    assert sorted(path.name for path in (package / "post").iterdir()) == [
        *("__init__.py", "common.py", "history.py", "v4.py", "v4_4_8.py")
    ]
    assert [path.parent for path in package.rglob("library.py")] == [
        package / "runtime"
    ]


def test_a_package_without_xens_monitor_ring_has_no_monitor(project: Path) -> None:
    generated = project / "generated"
    assert not list(generated.rglob("monitor"))
    assert "monitor" not in (generated / "README.md").read_text()


def test_the_packages_own_tests_are_of_its_libraries_too(project: Path) -> None:
    result = own_tests(project / "generated", PYTHONDONTWRITEBYTECODE="1")
    assert result.returncode == 0, result.stdout


def python(project: Path, program: str) -> list[str]:
    """The words that a program prints of the package."""
    ran = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=project / "generated",
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.split()


def test_code_asks_what_a_release_has(project: Path) -> None:
    program = """\
from xen_pairs import post
from xen_pairs.post.common import has
for release in ("4.8", "4.9"):
    module = post.interface_for_xen(release)
    print(has(module, "post_wait"), has(module.post_send, "quick"))
print(post.since("post_wait"), post.since("post_send"), post.releases("post_send")[1][0])
"""
    told = ["False", "False", "True", "True", "4.9", "4.8", "4.9"]
    assert python(project, program) == told


def test_verify_is_of_libraries_too(project: Path) -> None:
    reports = json.loads(xenbind("verify", "--json", cwd=project).stdout)
    assert [(r["version"], r["functions"], r["mismatches"]) for r in reports] == [
        *((1, 0, []), (4, 1, []), (4, 2, []))
    ]


def test_show_and_diff_name_a_librarys_versions(project: Path) -> None:
    shown = xenbind("show", "post/4.8", "post_send", cwd=project, PATH="/nowhere")
    assert "int post_send(struct letter *letter, int copies)" in shown.stdout
    assert "Xen 4.8 alone, then int post_send(" in shown.stdout
    told = xenbind("diff", "post/4.8", "post/4.9", cwd=project, PATH="/nowhere")
    assert told.stdout.startswith("post version 4 (Xen 4.8) → 4 (Xen 4.9): breaking\n")
    assert "  + int post_wait(void)\n" in told.stdout


@pytest.mark.parametrize(
    ("name", "old", "new", "stale"),
    [
        ("post/post.toml", '"negative"', '"null"', "xen_pairs/post/v4.py"),
        ("post/4.9/post.h", "Send a", "Deliver a", "xen_pairs/post/v4.py"),
    ],
)
def test_check_sees_what_a_library_is_made_of(
    project: Path, name: str, old: str, new: str, stale: str
) -> None:
    assert xenbind("check", cwd=project).stdout == "generated is current\n"
    path = project / "headers" / name
    before = path.read_text()
    path.write_text(before.replace(old, new))
    try:
        told = xenbind("check", "--stat", cwd=project)
    finally:
        path.write_text(before)
    assert f"stale: generated/{stale}\n" in told.stdout


def test_another_tree_has_no_libraries(project: Path, tmp_path: Path) -> None:
    tree = ("--include", project / "headers" / "v1", "--out", tmp_path / "out")
    assert xenbind("generate", *tree, cwd=project).returncode == 0
    assert not (tmp_path / "out" / "xen_pairs" / "post").exists()
