"""What tests of the package's monitor know of a Xen that is played."""

from __future__ import annotations

from collections.abc import Callable

from xen_vm_event.testing import RELEASES, PlayedXen
from xen_vm_event.testing.capabilities import capabilities

Begin = Callable[[str], PlayedXen]
"""What starts a Xen of some release, whose guests send what real ones would not."""

ARM = capabilities(RELEASES[-1], is_arm=True)
