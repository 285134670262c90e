"""The C side of each interface version, compiled once."""

from __future__ import annotations

import pytest
from compiled import Reference

from xen_vm_event import VERSIONS


@pytest.fixture(scope="session", params=sorted(VERSIONS), ids="v{}".format)
def reference(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Reference:
    version: int = request.param
    return Reference(version, tmp_path_factory.mktemp("reference"))
