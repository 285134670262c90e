"""What pytest has to know before it looks for tests; mypy reads `exhaustive` in its place."""

from exhaustive import exhaustive, pytest_addoption, pytest_runtest_setup

__all__ = ["exhaustive", "pytest_addoption", "pytest_runtest_setup"]
