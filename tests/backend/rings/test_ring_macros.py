"""Every translated ring macro of vm_event's against the same macro compiled by gcc.

On the same states, and in traces of steps that follow each other: with our ring.h, and with
Xen's own. The results, the private halves and every byte of the page must agree after each.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ring_states import Key, Ring, build, compare, operations_of, trace
from support import INSTALLED, NEWEST_HEADERS, PROJECT, SPEC, require
from xen_vm_event import v7
from xenbind import pipeline, spec

HEADERS = PROJECT / "headers"
# For each macro and each ring.h with --exhaustive, more than 100,000 in all; else an eighth.
STATES = 3200


@cache
def vm_event() -> Ring:
    """The ring of the newest interface, with the macros of our ring.h."""
    loaded = spec.load(SPEC)
    interface = pipeline.read(loaded, loaded.versions[-1], ("gcc",))
    (ring,) = interface.rings
    return Ring(
        ring.name,
        operations_of(interface, ring),
        {"front": v7.vm_event_front_ring, "back": v7.vm_event_back_ring},
        {"front": v7.FrontRing, "back": v7.BackRing},
    )


def built(folder: Path, headers: Path) -> Any:
    """Its macros in C, with this tree's ring.h."""
    # ring.h is looked for beside the including header first, so that one moves.
    (folder / "vm_event.h").write_text((NEWEST_HEADERS / "vm_event.h").read_text())
    options = ("-D__XEN_TOOLS__", "-iquote", str(headers), "-iquote", str(HEADERS))
    loaded = build(
        *(folder, vm_event(), 'typedef uint32_t grant_ref_t;\n#include "vm_event.h"\n'),
        *options,
    )
    command = ["gcc", "-w", *options, "-M", str(folder / "vm_event.c")]
    read = subprocess.run(command, capture_output=True, text=True, check=True)
    assert str(headers / "io" / "ring.h") in read.stdout.split()
    return loaded


@pytest.fixture(scope="module", params=["ours", "xen's"])
def library(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    if request.param == "ours":
        return built(tmp_path_factory.mktemp("macros"), HEADERS)
    require((INSTALLED / "io" / "ring.h").exists(), "libxen-dev")
    return built(tmp_path_factory.mktemp("macros"), INSTALLED)


@pytest.mark.parametrize("key", sorted(vm_event().operations), ids="/".join)
def test_macro_does_the_same_in_python_as_in_c(
    library: Any, key: Key, exhaustive: bool
) -> None:
    compare(library, vm_event(), key, STATES if exhaustive else STATES // 8)


def test_macros_that_follow_each_other_do_the_same(
    library: Any, exhaustive: bool
) -> None:
    trace(library, vm_event(), 20_000 if exhaustive else 1_000)


def test_every_accessor_is_there() -> None:
    front = """
        attach init front_ring_init ring_size ring_full free_requests
        nr_unconsumed_responses has_unconsumed_responses get_request get_response
        copy_request copy_response response_prod_overflow push_requests
        push_requests_and_check_notify final_check_for_responses
    """
    back = """
        attach init ring_size nr_unconsumed_requests has_unconsumed_requests
        get_request get_response copy_request copy_response
        request_cons_overflow request_prod_overflow push_responses
        push_responses_and_check_notify final_check_for_requests
    """
    wanted = {("front", name) for name in front.split()}
    wanted |= {("back", name) for name in back.split()}
    wanted |= {("page", "ring_size"), ("page", "shared_ring_init")}
    assert set(vm_event().operations) == wanted


def test_enough_states_are_tried() -> None:
    assert STATES * len(vm_event().operations) >= 100_000
