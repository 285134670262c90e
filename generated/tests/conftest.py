"""The C side of each interface version, compiled once."""

from __future__ import annotations

import pytest
from compiled import HEADERS, Reference


@pytest.fixture(scope="session", params=HEADERS, ids="v{}".format)
def reference(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Reference:
    edition: str = request.param
    return Reference(edition, tmp_path_factory.mktemp("reference"))
