"""How much is tested: an ordinary run takes minutes, `--exhaustive` what CI runs."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--exhaustive",
        action="store_true",
        help="the cases that take long, more random ones, and the full numbers",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked as exhaustive in an ordinary run."""
    marked = item.get_closest_marker("exhaustive") is not None
    if marked and not item.config.getoption("--exhaustive"):
        pytest.skip("takes long: run with --exhaustive")


@pytest.fixture(scope="session")
def exhaustive(request: pytest.FixtureRequest) -> bool:
    """Whether `--exhaustive` is given, for a test that then does more of the same."""
    return bool(request.config.getoption("--exhaustive"))
