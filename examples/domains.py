"""The domains of a machine: what `xl list` says of each, but for its name.

    domains.py

It runs in dom0 as root.  It needs the package of all headers of dom0's Xen, read for dom0's
machine (`xenbind generate --tree /usr/include/xen`), and that of libraries/xencall.toml.
"""

from __future__ import annotations

import ctypes
import errno
import sys
from contextlib import ExitStack

from xen_public import domctl, sched, sysctl, xen
from xencall import v0 as xencall

# The letters that `xl list` has for what a domain is.
LETTERS = {
    "r": domctl.XEN_DOMINF_running,
    "b": domctl.XEN_DOMINF_blocked,
    "p": domctl.XEN_DOMINF_paused,
    "s": domctl.XEN_DOMINF_shutdown,
}
COUNT = 64  # domains that are asked for at a time


class OtherXen(Exception):
    """The headers are those of another Xen than the one that runs."""


def domains() -> list[domctl.xen_domctl_getdomaininfo]:
    """Ask Xen for its domains, in the order of their numbers; raises OSError or OtherXen."""
    found: list[domctl.xen_domctl_getdomaininfo] = []
    with ExitStack() as undo:
        handle = xencall.xencall_open(None, 0)
        undo.callback(xencall.xencall_close, handle)

        def allocate(size: int) -> int:
            """Give memory that stays where it is during a hypercall, as Python's own may not."""
            address = xencall.xencall_alloc_buffer(handle, size)
            undo.callback(xencall.xencall_free_buffer, handle, address)
            return address

        request_address = allocate(ctypes.sizeof(sysctl.xen_sysctl))
        request = sysctl.xen_sysctl.from_address(request_address)
        ctypes.memset(request_address, 0, ctypes.sizeof(request))
        request.cmd = sysctl.XEN_SYSCTL_getdomaininfolist
        request.interface_version = sysctl.XEN_SYSCTL_INTERFACE_VERSION
        wanted = request.u.getdomaininfolist
        Infos = domctl.xen_domctl_getdomaininfo * COUNT
        infos = Infos.from_address(allocate(ctypes.sizeof(Infos)))
        while True:
            wanted.first_domain = found[-1].domain + 1 if found else 0
            wanted.max_domains = COUNT
            wanted.buffer.p = infos
            try:
                xencall.xencall1(handle, xen._HYPERVISOR_sysctl, request_address)
            except PermissionError as error:
                if error.errno != errno.EACCES:
                    raise
                version = sysctl.XEN_SYSCTL_INTERFACE_VERSION
                raise OtherXen(
                    f"this Xen does not speak version {version:#x} of sysctl.h;"
                    " make xen_public of its own headers"
                ) from None
            for info in infos[: wanted.num_domains]:
                found.append(type(info).from_buffer_copy(info))
            if wanted.num_domains < COUNT:
                return found


def line(info: domctl.xen_domctl_getdomaininfo) -> str:
    """A domain's number, memory in MB, vCPUs, state, and the seconds that it ran."""
    megabytes = (info.tot_pages + info.outstanding_pages) // 256
    state = "".join(c if info.flags & flag else "-" for c, flag in LETTERS.items())
    reason = info.flags >> domctl.XEN_DOMINF_shutdownshift
    is_crash = reason & domctl.XEN_DOMINF_shutdownmask == sched.SHUTDOWN_crash
    state += "c" if "s" in state and is_crash else "-"
    state += "d" if info.flags & domctl.XEN_DOMINF_dying else "-"
    seconds = info.cpu_time / 1e9
    return f"{info.domain:5} {megabytes:6} {info.nr_online_vcpus:5}  {state} {seconds:9.1f}"


def main() -> int:
    """The command; 1 if Xen does not say."""
    try:
        found = domains()
    except (OSError, OtherXen) as error:
        print(f"domains: {error}", file=sys.stderr)
        return 1
    print("   ID    Mem VCPUs  State    Time(s)")
    for info in found:
        print(line(info))
    return 0


if __name__ == "__main__":
    sys.exit(main())
