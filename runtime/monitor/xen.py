"""The hypervisor that runs, as dom0's tools reach it: by Xen's own libraries."""

from __future__ import annotations

import ctypes
import itertools
import time
from types import ModuleType
from typing import Any, Self

from .. import interface, interface_for_xen, running_release
from .. import xenctrl as libxenctrl
from ..xenctrl.common import functions_for_xen, has, xen_domctl_getvcpuinfo
from ..xentoollog import v1 as libxentoollog


class Xen:
    """The hypervisor that runs.

    `module` is libxenctrl's, of the release that runs, and `functions` is the same for type
    checkers: what not every release has, or not with the same parameters, they let nobody call
    who has not asked.  `handle` is what the functions take first.
    """

    def __init__(self) -> None:
        """Raises OSError where no hypervisor runs, or only others may speak with it."""
        self.release = running_release()
        self.module: Any = libxenctrl.interface_for_xen(self.release)
        self.functions = functions_for_xen(self.release)
        quiet = self._logger()
        self.handle = self.functions.xc_interface_open(quiet, quiet, 0)

    def _logger(self) -> Any:
        """Make a logger that leaves it to us to report errors."""
        stderr = ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stderr")
        logger = libxentoollog.xtl_createlogger_stdiostream(
            libxentoollog.FILE(stderr.value),
            libxentoollog.XentoollogLevel.CRITICAL,
            0,
        )
        return self.module.xentoollog_logger(logger.value)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.functions.xc_interface_close(self.handle)

    def interface_version(self) -> int | None:
        """Ask which vm_event version the hypervisor speaks; None before Xen 4.13."""
        if not has(self.functions, "xc_vm_event_get_version"):
            return None
        return self.functions.xc_vm_event_get_version(self.handle)

    def vm_event(self) -> ModuleType:
        """Give the bindings for this hypervisor's events.

        Raises UnknownVersion where there are none.
        """
        version = self.interface_version()
        return (
            interface_for_xen(self.release) if version is None else interface(version)
        )

    def is_alive(self, domain: int) -> bool:
        """Tell whether a domain exists and neither dies nor has shut down."""
        info = (self.module.xc_domaininfo_t * 2)()  # on Arm one may be longer
        count = self.functions.xc_domain_getinfolist(self.handle, domain, 1, info)
        ended = self.module.XEN_DOMINF_dying | self.module.XEN_DOMINF_shutdown
        found = info[0]
        return bool(count == 1 and found.domain == domain and not found.flags & ended)

    def vcpus(self, domain: int) -> list[tuple[bool, int]]:
        """Tell of each vCPU whether it has nothing to do, and how many nanoseconds it ran."""
        found: list[tuple[bool, int]] = []
        for number in itertools.count():
            vcpu: xen_domctl_getvcpuinfo = self.module.xc_vcpuinfo_t()
            try:
                self.functions.xc_vcpu_getinfo(self.handle, domain, number, vcpu)
            except OSError:
                break
            found.append((bool(vcpu.blocked or not vcpu.online), vcpu.cpu_time))
        return found

    def let_run(self, domain: int) -> None:
        """Wait until each vCPU ran or has nothing to do; a second at most, if it is paused.

        One is said to run a moment before it takes the registers that it is to go on with.  To
        pause a domain is to wait until each of its vCPUs has stopped, and so taken them.
        """
        self._wait_until_each_ran(domain)
        self.functions.xc_domain_pause(self.handle, domain)
        self.functions.xc_domain_unpause(self.handle, domain)

    def _wait_until_each_ran(self, domain: int) -> None:
        before = self.vcpus(domain)
        for _ in range(1000):
            now = self.vcpus(domain)
            if all(
                idle or ran > ran_before
                for (idle, ran), (_, ran_before) in zip(now, before, strict=False)
            ):
                return
            time.sleep(0.001)
