"""Seeds: a fixed one and a fresh one, or the one of `--seed`; and what was held, as a table."""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict

import pytest

FIXED = 1

# By which the processes that share the tests know the fresh seed.
_FRESH = "XENBIND_FRESH_SEED"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="of the types, to run them again")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the fresh seed before the processes are started."""
    os.environ.setdefault(_FRESH, str(random.randrange(2, 2**31)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test with every seed."""
    if "seed" in metafunc.fixturenames:
        given = metafunc.config.getoption("--seed")
        seeds = [FIXED, int(os.environ[_FRESH])] if given is None else [given]
        metafunc.parametrize("seed", seeds, ids="seed {}".format, scope="session")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many types were held and what was refused, for each generator and seed."""
    held: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    refused: dict[str, Counter[str]] = defaultdict(Counter)
    for report in [
        *terminalreporter.stats.get("passed", ()),
        *terminalreporter.stats.get("failed", ()),
    ]:
        test, _, parameters = report.nodeid.rpartition("::")[2].partition("[")
        seed = next(word for word in parameters.split("-") if "seed" in word)
        name = f"{test.removeprefix('test_')}, {seed.rstrip(']')}"
        properties = dict(report.user_properties)
        for index, count in enumerate(properties.get("held", (0, 0))):
            held[name][index] += count
        refused[name].update(properties.get("refused", {}))
    for name, (types, facts) in held.items():
        say = terminalreporter.write_line
        say(f"{name}: {types} held, {facts} facts, {refused[name].total()} refused:")
        for cause, count in refused[name].most_common():
            say(f"{count:7} {cause}")
