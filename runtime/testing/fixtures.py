"""Fixtures of pytest: a Xen that is played, for tests of monitors.

    pytest_plugins = ["xen_vm_event.testing.fixtures"]

    def test_my_monitor(play_xen):
        xen = play_xen("4.17")
        xen.guests[1].script([cpuid(1), write_cr3(0x5000)])
        ...

A test fails at its end, with all that its monitors did wrong, unless `strict=False`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from .findings import MonitorMistakes
from .playing import RELEASES, played
from .xen import PlayedXen


class PlayXen(Protocol):
    """What starts the Xen of a release, for one test."""

    def __call__(
        self,
        release: str = ...,
        architecture: str = ...,
        strict: bool = ...,
    ) -> PlayedXen: ...


@pytest.fixture
def play_xen() -> Iterator[PlayXen]:
    """Start the Xen of a release: `play_xen("4.17", architecture="arm64")`, once in a test.

    A second one is a RuntimeError: there is one at a time, `played_xen` among them.
    """
    with ExitStack() as stack:

        def start(
            release: str = RELEASES[-1],
            architecture: str = "x86_64",
            strict: bool = True,
        ) -> PlayedXen:
            return stack.enter_context(played(release, architecture, strict))

        yield start
        try:
            stack.close()
        except MonitorMistakes as mistakes:
            pytest.fail(str(mistakes), pytrace=False)


@pytest.fixture
def played_xen(play_xen: PlayXen) -> PlayedXen:
    """Start the newest Xen that there is, on x86_64."""
    return play_xen()
