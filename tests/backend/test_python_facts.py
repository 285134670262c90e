"""What is asked of the classes of a module, without the module being written."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import PROJECT
from xenbind.backend.module import module_view
from xenbind.backend.python_facts import class_probes, class_questions
from xenbind.ir import json_form

STORED = sorted((PROJECT / "generated" / "interfaces").glob("**/*.json"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_questions_are_those_of_the_module_as_it_is_written(path: Path) -> None:
    interface = json_form.load(path.read_text(), rename=lambda name: name)
    whole = module_view(interface, "header.h", ())
    assert class_questions(interface) == class_probes(interface, whole)
