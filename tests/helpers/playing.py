"""What tests of the package's monitor know of a Xen that is played."""

from __future__ import annotations

from collections.abc import Callable

from xen_vm_event.testing import PlayedXen
from xen_vm_event.testing.capabilities import BITS

Begin = Callable[[str], PlayedXen]
"""What starts a Xen of some release, whose guests send what real ones would not."""

# Which events there are, by their bits.
X86 = sum(1 << bit for name, bit in BITS.items() if name != "PRIVILEGED_CALL")
ARM = 1 << BITS["GUEST_REQUEST"] | 1 << BITS["PRIVILEGED_CALL"]
