"""A Xen that is played, for all tests of the package's monitor."""

from __future__ import annotations

from pathlib import Path

import pytest
from played_xen import Begin, PlayedXen, play
from xen_vm_event.monitor.channel import Channel


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Begin:
    """What starts a Xen of some release, whose guests do something when they are waited for."""

    def start(release: str) -> PlayedXen:
        xen = play(monkeypatch, tmp_path, release)
        wait = Channel.wait

        def wait_for_guest(channel: Channel, seconds: float) -> bool:
            xen.guest_of(channel).send()
            return wait(channel, 0)

        monkeypatch.setattr(Channel, "wait", wait_for_guest)
        return xen

    return start


@pytest.fixture
def xen(begin: Begin) -> PlayedXen:
    return begin("4.20")
