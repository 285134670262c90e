"""What docs/rings.md says of the rings that are no monitor's."""

from __future__ import annotations

import doctest
import re

import pytest
from support import PROJECT
from xen_vm_event import VERSIONS, interface, xenctrl

TEXT = (PROJECT / "docs" / "rings.md").read_text(encoding="utf-8")
RELEASES = [release for some in xenctrl.VERSIONS.values() for release in some]
FUNCTIONS = set(re.findall(r"`(xc_mem(?:_paging|shr)_\w+)`", TEXT))


def test_the_program_does_what_is_shown() -> None:
    test = doctest.DocTestParser().get_doctest(TEXT, {}, "rings.md", "docs/rings.md", 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("release", RELEASES)
def test_every_release_has_the_functions(release: str) -> None:
    assert len(FUNCTIONS) == 11
    module = xenctrl.interface_for_xen(release)
    assert all(hasattr(module, name) for name in FUNCTIONS)
    assert hasattr(module, "xc_hvm_param_get")
    assert hasattr(module, "xc_domain_populate_physmap_exact")
    assert hasattr(module, "xc_domain_decrease_reservation_exact")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_the_requests(version: int) -> None:
    vm_event = interface(version)
    for name in ("MEM_PAGING", "MEM_SHARING"):
        request = vm_event.vm_event_st(reason=vm_event.VmEventReason[name])
        assert request.payload is not None
