"""What pytest has to know before it looks for tests; mypy reads `exhaustive` in its place."""

from exhaustive import exhaustive, pytest_addoption, pytest_runtest_setup
from hypothesis import settings
from xen_tree import xen_tree

# How long an example takes says more of the machine than of the code.
settings.register_profile("xenbind", deadline=None)
settings.load_profile("xenbind")

__all__ = ["exhaustive", "pytest_addoption", "pytest_runtest_setup", "xen_tree"]
