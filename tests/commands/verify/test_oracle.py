"""Questions in several files: C is asked every one of them, whatever the files hold."""

from __future__ import annotations

import pytest
from support import PROJECT
from xenbind import pipeline, spec
from xenbind.backend.python_facts import class_questions
from xenbind.commands.verify.oracle import Oracle
from xenbind.facts import probes
from xenbind.facts.probes import expected, questions

NEWEST = spec.load(PROJECT / "headers" / "vm_event.toml")


@pytest.mark.parametrize("size", [100, 100_000])
def test_every_question_is_answered(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_PIECE", size)
    version = NEWEST.versions[-1]
    interface = pipeline.read(NEWEST, version, ("gcc",))
    asked = questions(interface).also(class_questions(interface))
    oracle = Oracle(
        spec=NEWEST,
        interface=interface,
        compiler=pipeline.compiler_for(NEWEST, version, ("gcc",)),
        header=version.directory / NEWEST.header,
    )
    own = expected(asked)
    for probe in asked.told:
        del own[probe.name]
    assert oracle.ask_expressions(asked.pieces()) == own
