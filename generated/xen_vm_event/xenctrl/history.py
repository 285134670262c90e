"""Since which Xen each constant, record and member is as it is, by its name in C.

Found by comparing the headers of the releases. A record's name is its tag, a member's the
path to it: `vm_event_st.u.cpuid`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def since(name: str) -> str:
    """The first Xen release that has a constant, a record or a member: `4.17`.

    Raises LookupError for a name that no release has.
    """
    return releases(name)[0][0]


def releases(name: str) -> tuple[tuple[str, str | None], ...]:
    """From which release to which something is as it is, once for each time it changed.

    The last release is None for what the newest has. Raises LookupError as `since` does.
    """
    if name not in _RELEASES:
        raise LookupError(f"no Xen has a constant, record or member called {name!r}")
    return _RELEASES[name]


_RELEASES: Final[dict[str, tuple[tuple[str, str | None], ...]]] = {
    "XC_OPENFLAG_DUMMY": (("4.6", None),),
    "XC_OPENFLAG_NON_REENTRANT": (("4.6", None),),
    "XEN_DOMINF_dying": (("4.6", None),),
    "XEN_DOMINF_hvm_guest": (("4.6", None),),
    "XEN_DOMINF_shutdown": (("4.6", None),),
    "XEN_DOMINF_paused": (("4.6", None),),
    "XEN_DOMINF_blocked": (("4.6", None),),
    "XEN_DOMINF_running": (("4.6", None),),
    "XEN_DOMINF_debugged": (("4.6", None),),
    "XEN_DOMINF_shutdownmask": (("4.6", None),),
    "XEN_DOMINF_shutdownshift": (("4.6", None),),
    "XENMEM_access_n": (("4.6", None),),
    "XENMEM_access_r": (("4.6", None),),
    "XENMEM_access_w": (("4.6", None),),
    "XENMEM_access_rw": (("4.6", None),),
    "XENMEM_access_x": (("4.6", None),),
    "XENMEM_access_rx": (("4.6", None),),
    "XENMEM_access_wx": (("4.6", None),),
    "XENMEM_access_rwx": (("4.6", None),),
    "XENMEM_access_rx2rw": (("4.6", None),),
    "XENMEM_access_n2rwx": (("4.6", None),),
    "XENMEM_access_default": (("4.6", None),),
    "xen_arch_domainconfig": (("4.10", None),),
    "xen_arch_domainconfig.emulation_flags": (("4.10", None),),
    "xen_arch_domainconfig.misc_flags": (("4.15", None),),
    "xen_domctl_getdomaininfo": (("4.6", None),),
    "xen_domctl_getdomaininfo.domain": (("4.6", None),),
    "xen_domctl_getdomaininfo.pad1": (("4.17", None),),
    "xen_domctl_getdomaininfo.flags": (("4.6", None),),
    "xen_domctl_getdomaininfo.tot_pages": (("4.6", None),),
    "xen_domctl_getdomaininfo.max_pages": (("4.6", None),),
    "xen_domctl_getdomaininfo.outstanding_pages": (("4.6", None),),
    "xen_domctl_getdomaininfo.shr_pages": (("4.6", None),),
    "xen_domctl_getdomaininfo.paged_pages": (("4.6", None),),
    "xen_domctl_getdomaininfo.shared_info_frame": (("4.6", None),),
    "xen_domctl_getdomaininfo.cpu_time": (("4.6", None),),
    "xen_domctl_getdomaininfo.nr_online_vcpus": (("4.6", None),),
    "xen_domctl_getdomaininfo.max_vcpu_id": (("4.6", None),),
    "xen_domctl_getdomaininfo.ssidref": (("4.6", None),),
    "xen_domctl_getdomaininfo.handle": (("4.6", None),),
    "xen_domctl_getdomaininfo.cpupool": (("4.6", None),),
    "xen_domctl_getdomaininfo.gpaddr_bits": (("4.16", None),),
    "xen_domctl_getdomaininfo.pad2": (("4.16", None),),
    "xen_domctl_getdomaininfo.arch_config": (("4.10", None),),
    "xen_domctl_getvcpuinfo": (("4.6", None),),
    "xen_domctl_getvcpuinfo.vcpu": (("4.6", None),),
    "xen_domctl_getvcpuinfo.online": (("4.6", None),),
    "xen_domctl_getvcpuinfo.blocked": (("4.6", None),),
    "xen_domctl_getvcpuinfo.running": (("4.6", None),),
    "xen_domctl_getvcpuinfo.cpu_time": (("4.6", None),),
    "xen_domctl_getvcpuinfo.cpu": (("4.6", None),),
    "xc_dominfo": (("4.6", "4.17"),),
    "xc_dominfo.domid": (("4.6", "4.17"),),
    "xc_dominfo.ssidref": (("4.6", "4.17"),),
    "xc_dominfo.dying": (("4.6", "4.17"),),
    "xc_dominfo.crashed": (("4.6", "4.17"),),
    "xc_dominfo.shutdown": (("4.6", "4.17"),),
    "xc_dominfo.paused": (("4.6", "4.17"),),
    "xc_dominfo.blocked": (("4.6", "4.17"),),
    "xc_dominfo.running": (("4.6", "4.17"),),
    "xc_dominfo.hvm": (("4.6", "4.17"),),
    "xc_dominfo.debugged": (("4.6", "4.17"),),
    "xc_dominfo.xenstore": (("4.6", "4.17"),),
    "xc_dominfo.hap": (("4.8", "4.17"),),
    "xc_dominfo.shutdown_reason": (("4.6", "4.17"),),
    "xc_dominfo.nr_pages": (("4.6", "4.17"),),
    "xc_dominfo.nr_outstanding_pages": (("4.6", "4.17"),),
    "xc_dominfo.nr_shared_pages": (("4.6", "4.17"),),
    "xc_dominfo.nr_paged_pages": (("4.6", "4.17"),),
    "xc_dominfo.shared_info_frame": (("4.6", "4.17"),),
    "xc_dominfo.cpu_time": (("4.6", "4.17"),),
    "xc_dominfo.max_memkb": (("4.6", "4.17"),),
    "xc_dominfo.nr_online_vcpus": (("4.6", "4.17"),),
    "xc_dominfo.max_vcpu_id": (("4.6", "4.17"),),
    "xc_dominfo.handle": (("4.6", "4.17"),),
    "xc_dominfo.cpupool": (("4.6", "4.17"),),
    "xc_dominfo.gpaddr_bits": (("4.16", "4.17"),),
    "xc_dominfo.arch_config": (("4.10", "4.17"),),
    "xc_dominfo.pvh": (("4.6", "4.7"),),
}
