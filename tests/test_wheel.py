"""The wheels: an installed xenbind generates by itself, and so does what it generates."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest
from support import NEWEST, PROJECT, SPEC, xenbind
from xenbind import spec


def wheel(source: Path, folder: Path) -> Path:
    """Build a wheel with what is installed, and unpack it as pip would."""
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    options = [
        "--no-build-isolation",
        "--disable-pip-version-check",
        "--target",
        str(target),
    ]
    subprocess.run([*command, *options, str(source)], check=True)
    return target


def python(site: Path, *arguments: str, cwd: Path) -> str:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(PROJECT, tmp_path_factory.mktemp("wheel"))


def test_an_installed_xenbind_carries_its_headers_and_templates(
    site: Path, tmp_path: Path
) -> None:
    where = python(site, "-c", "import xenbind; print(xenbind.__file__)", cwd=tmp_path)
    assert Path(where.strip()) == site / "xenbind" / "__init__.py"
    python(site, "-m", "xenbind", "generate", cwd=tmp_path)
    shown = python(site, "-m", "xenbind", "verify", cwd=tmp_path)
    versions = [v for each in spec.load(SPEC).with_libraries for v in each.versions]
    assert shown.count(" 0 mismatches\n") == len(versions) + 1  # in all
    checked = python(site, "-m", "xenbind", "check", cwd=PROJECT)
    assert checked == "generated is current\n"


LOADER = """
from xenbind.backend import templates
print(type(templates.Templates().environment.loader).__name__)
print(templates.Templates().text("package/folder.py.jinja", {"doc": "D", "modules": ["a"]}))
"""


def test_an_installed_xenbind_has_its_templates_compiled(
    site: Path, tmp_path: Path
) -> None:
    """Those that another jinja2 compiles otherwise, or that were changed, are compiled anew."""
    compiled = python(site, "-c", LOADER, cwd=tmp_path)
    assert compiled.startswith("ModuleLoader\n")
    of_another = LOADER.replace("print", "templates.bc_version = 0\nprint", 1)
    anew = python(site, "-c", of_another, cwd=tmp_path)
    assert anew == compiled.replace("ModuleLoader", "FileSystemLoader")
    shutil.copytree(site, tmp_path / "site")
    folder = tmp_path / "site" / "xenbind" / "templates"
    with (folder / "package" / "folder.py.jinja").open("a") as template:
        template.write("# More.\n")
    changed = python(tmp_path / "site", "-c", LOADER, cwd=tmp_path)
    assert changed == anew.removesuffix("\n") + "# More.\n\n"


def test_an_installed_xenbind_needs_no_compiler_to_show(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    shown = python(site, "-m", "xenbind", "show", "7", "VM_EVENT_REASON_", cwd=tmp_path)
    assert "VM_EVENT_REASON_VMEXIT" in shown and " 4.17 " in shown
    told = python(site, "-m", "xenbind", "diff", "4.14", "4.15", cwd=tmp_path)
    assert "(Xen 4.14) → 7 (Xen 4.15): breaking" in told


def test_a_source_distribution_has_what_a_checkout_has(tmp_path: Path) -> None:
    build = ["-m", "hatchling", "build", "--target", "sdist", "--directory"]
    command = [sys.executable, *build, str(tmp_path)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    (made,) = tmp_path.iterdir()
    with tarfile.open(made) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tracked = {f"examples/{path.name}" for path in PROJECT.glob("examples/*.*")}
    assert {"README.md", "LICENSE", "CHANGELOG.md", *tracked} <= names
    assert {"codegen/xenbind/cli.py", "headers/vm_event.toml"} <= names


def metadata(site: Path, name: str) -> Message:
    (path,) = site.glob(f"{name}-*.dist-info/METADATA")
    return message_from_string(path.read_text())


def test_the_built_in_package_is_under_the_repository_s_licence(tmp_path: Path) -> None:
    installed = wheel(PROJECT / "generated", tmp_path)
    told = metadata(installed, "xen_vm_event")
    assert (told["License-Expression"], told["License-File"]) == ("MIT", "LICENSE")
    assert f"interface({NEWEST})" in told.get_payload()
    (text,) = installed.glob("*.dist-info/licenses/LICENSE")
    assert text.read_text() == (PROJECT / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", {}),
        (
            'license = "Apache-2.0 OR MIT"\nurl = "https://example.org/pair"\n',
            {
                "License-Expression": "Apache-2.0 OR MIT",
                "Project-URL": "Homepage, https://example.org/pair",
            },
        ),
    ],
)
def test_another_package_is_under_what_its_spec_says(
    said: str, told: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "pair.h").write_text("struct pair { int first, second; };")
    (tmp_path / "pair.toml").write_text(
        f'[interface]\nname = "pair"\npackage = "pair"\nheader = "pair.h"\n{said}'
    )
    made = xenbind(
        *("generate", "--spec", "pair.toml", "--include", ".", "--out", "out"),
        cwd=tmp_path,
    )
    assert (made.returncode, made.stderr) == (0, "")
    found = metadata(wheel(tmp_path / "out", tmp_path), "pair")
    keys = ("License-Expression", "License-File", "License", "Project-URL")
    assert {key: found[key] for key in keys if key in found} == told
    assert "pair.v0" in found.get_payload()


def test_the_generated_package_installs_alone(tmp_path: Path) -> None:
    installed = wheel(PROJECT / "generated", tmp_path)
    assert (installed / "xen_vm_event" / "py.typed").is_file()
    code = "from xen_vm_event import interface; print(interface(7).VM_EVENT_INTERFACE_VERSION)"
    assert python(installed, "-c", code, cwd=tmp_path) == "7\n"
