"""The C side of each interface version, compiled once."""

from __future__ import annotations

import pytest
from compiled import Header, Reference
from subject import HEADERS


@pytest.fixture(scope="session", params=HEADERS, ids=str)
def reference(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Reference:
    header: Header = request.param
    return Reference(header, tmp_path_factory.mktemp("reference"))
