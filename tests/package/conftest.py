"""The Xen that the package brings for tests of monitors, for its own."""

from __future__ import annotations

import pytest
from playing import Begin
from xen_vm_event.pytest_plugin import play_xen, played_xen
from xen_vm_event.testing import PlayedXen, PlayXen

__all__ = ["begin", "play_xen", "played_xen", "xen"]


@pytest.fixture
def begin(play_xen: PlayXen) -> Begin:
    """What starts a Xen of some release, whose guests send what real ones would not."""
    return lambda release: play_xen(release, strict=False)


@pytest.fixture
def xen(begin: Begin) -> PlayedXen:
    return begin("4.20")
