"""What is asked of the classes of a module, without the module being written."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import PROJECT, tree
from xenbind import pipeline, spec
from xenbind.backend.module import module_view
from xenbind.backend.python_facts import class_probes, class_questions
from xenbind.ir import json_form

STORED = sorted((PROJECT / "generated" / "interfaces").glob("**/*.json"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_questions_are_those_of_the_module_as_it_is_written(path: Path) -> None:
    interface = json_form.load(path.read_text(), rename=lambda name: name)
    whole = module_view(interface, "header.h", ())
    assert class_questions(interface) == class_probes(interface, whole)


def test_a_name_of_stdint_that_the_module_makes_itself_is_asked_for(
    tmp_path: Path,
) -> None:
    header = """\
        #define VM_EVENT_INTERFACE_VERSION 1
        #include "other.h"
        typedef __int8_t int8_t;
        struct pair { __int8_t first; int8_t second; };
    """
    tree(tmp_path, header, other="typedef signed char __int8_t;\n")
    path = tmp_path / "spec.toml"
    path.write_text('[interface]\nname = "c"\npackage = "c"\nheader = "vm_event.h"\n')
    loaded = spec.load(path).for_tree(tmp_path)
    interface = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    view = module_view(interface, "header.h", ())
    (alias,) = view.aliases
    assert alias.type in {scalar.name for scalar in view.scalars}
    assert f"class {alias.name} kind" in {
        probe.name for probe in class_probes(interface, view)
    }
