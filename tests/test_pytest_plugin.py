"""The fixtures that pytest has of an installed package, as somebody has who tests monitors."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from installed import built, installed, without_pythons_own
from support import PROJECT

RIGHT = """
from xen_vm_event.monitor import Monitor
from xen_vm_event.testing import guest_request

def watch(xen):
    vcpu = xen.guests[1].script([guest_request()])
    with Monitor(1, ["guest_request"]) as monitor:
        assert [monitor.reason(each) for each in monitor] == ["GUEST_REQUEST"]
    assert vcpu.is_idle

def test_of_a_release(play_xen):
    watch(play_xen("4.17"))

def test_of_the_newest(played_xen):
    watch(played_xen)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(PROJECT / "generated", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(wheel, tmp_path_factory.mktemp("environment"))


def pytest_says(python: Path, folder: Path, *options: str) -> str:
    """What an installed pytest prints of the tests in a folder; a warning is an error."""
    (folder / "pytest.ini").touch()
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [*command, *options],
        cwd=folder,
        env=without_pythons_own(),
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_no_conftest_is_needed(python: Path, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(RIGHT)
    assert "2 passed" in pytest_says(python, tmp_path)


@pytest.mark.parametrize(
    "conftest",
    [
        'pytest_plugins = ["xen_vm_event.pytest_plugin"]',
        "from xen_vm_event.pytest_plugin import play_xen, played_xen",
    ],
)
def test_a_conftest_may_name_them_too(
    python: Path, tmp_path: Path, conftest: str
) -> None:
    (tmp_path / "test_own.py").write_text(RIGHT)
    (tmp_path / "conftest.py").write_text(conftest)
    assert "2 passed" in pytest_says(python, tmp_path)


@pytest.mark.parametrize("is_searched_for", [True, False])
def test_the_command_line_may_name_them_too(
    python: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_searched_for: bool,
) -> None:
    (tmp_path / "test_own.py").write_text(RIGHT)
    if not is_searched_for:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    said = pytest_says(python, tmp_path, "-p", "xen_vm_event.pytest_plugin")
    assert "2 passed" in said


def test_what_a_monitor_does_wrong_fails_its_test(python: Path, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "from xen_vm_event.monitor import Xen\n"
        "def test_own(played_xen):\n"
        "    with Xen() as xen:\n"
        "        xen.functions.xc_domain_debug_control(xen.handle, 1, 1, 0)\n"
    )
    said = pytest_says(python, tmp_path)
    assert "1 passed, 1 error" in said
    assert "vcpu-left-stepping: domain 1, vCPU 0; have no vCPU step on leaving" in said


def test_who_does_not_use_them_does_not_import_the_xen(
    python: Path, tmp_path: Path
) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\n"
        "def test_own():\n"
        "    found = {each for each in sys.modules if each.startswith('xen_vm_event')}\n"
        "    assert found == {'xen_vm_event', 'xen_vm_event.pytest_plugin'}\n"
    )
    assert "1 passed" in pytest_says(python, tmp_path)
    said = pytest_says(python, tmp_path, "--fixtures")
    assert "play_xen -- " in said and "played_xen -- " in said


def test_the_package_does_not_need_pytest(wheel: Path, tmp_path: Path) -> None:
    python = installed(wheel, tmp_path / "environment", alone=True)
    program = (
        "import importlib.util, xen_vm_event.monitor, xen_vm_event.testing as testing\n"
        "with testing.played() as xen:\n"
        "    print(importlib.util.find_spec('pytest'), sorted(xen.guests))"
    )
    said = subprocess.run(
        [python, "-c", program],
        env=without_pythons_own(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == "None [1, 2]\n"
