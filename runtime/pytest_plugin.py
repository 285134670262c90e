"""Give pytest the fixtures of `testing`: it finds them where this package is installed.

    def test_my_monitor(play_xen):
        xen = play_xen("4.17")
        xen.guests[1].script([cpuid(1), write_cr3(0x5000)])
        ...

The Xen is imported by the first test that asks for it.  A test fails at its end, with all that
its monitors did wrong, unless `strict=False`.  Where pytest looks for no plugins, or the package
is not installed, a conftest has `pytest_plugins = ["xen_vm_event.pytest_plugin"]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

# The types of `testing` are named in words alone: their names would have it imported.


@pytest.fixture
def play_xen() -> Iterator[Any]:
    """Start the Xen of a release: `play_xen("4.17", architecture="arm64")`, once in a test.

    It is a `testing.PlayXen`, and takes what `testing.played` takes.  A second one is a
    RuntimeError: there is one at a time, `played_xen` among them.
    """
    from .testing import MonitorMistakes, PlayXen

    with ExitStack() as stack:
        yield PlayXen(stack)
        try:
            stack.close()
        except MonitorMistakes as mistakes:
            pytest.fail(str(mistakes), pytrace=False)


@pytest.fixture
def played_xen(play_xen: Any) -> Any:
    """Start the newest Xen that there is, on x86_64: a `testing.PlayedXen`."""
    return play_xen()
