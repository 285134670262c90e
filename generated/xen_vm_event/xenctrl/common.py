"""What all releases of Xen have in common, for code that is to run on every one of them.

A handler whose parameters are annotated with these protocols may use the members that all
releases have. A type checker complains about one that some lack, until `has` was asked.
A protocol has the name of the record's class in each module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, Self, overload

from ..runtime.annotations import Array

if TYPE_CHECKING:
    from typing_extensions import TypeIs


class xen_arch_domainconfig(Protocol):
    """What a domain was made with, as x86 has it. Arm's is longer, by 16 bytes at most:
    give room for one domain more than is asked for there.
    """

    emulation_flags: int

    def copy(self) -> Self: ...


class _xen_arch_domainconfig_misc_flags(xen_arch_domainconfig, Protocol):
    misc_flags: int


class xen_domctl_getdomaininfo(Protocol):
    """A domain, as Xen tells of it."""

    domain: int
    flags: int
    tot_pages: int
    max_pages: int
    outstanding_pages: int
    shr_pages: int
    paged_pages: int
    shared_info_frame: int
    cpu_time: int
    nr_online_vcpus: int
    max_vcpu_id: int
    ssidref: int
    cpupool: int

    @property
    def handle(self) -> Array[int]: ...

    def copy(self) -> Self: ...


class _xen_domctl_getdomaininfo_gpaddr_bits(xen_domctl_getdomaininfo, Protocol):
    gpaddr_bits: int


class _xen_domctl_getdomaininfo_arch_config(xen_domctl_getdomaininfo, Protocol):
    @property
    def arch_config(self) -> xen_arch_domainconfig: ...


class xen_domctl_getvcpuinfo(Protocol):
    """A vCPU, as Xen tells of it."""

    vcpu: int
    online: int
    blocked: int
    running: int
    cpu_time: int
    cpu: int

    def copy(self) -> Self: ...


class xc_dominfo(Protocol):
    """A domain, as libxenctrl tells of it."""

    domid: int
    ssidref: int
    dying: int
    crashed: int
    shutdown: int
    paused: int
    blocked: int
    running: int
    hvm: int
    debugged: int
    xenstore: int
    shutdown_reason: int
    nr_pages: int
    nr_outstanding_pages: int
    nr_shared_pages: int
    nr_paged_pages: int
    shared_info_frame: int
    cpu_time: int
    max_memkb: int
    nr_online_vcpus: int
    max_vcpu_id: int
    cpupool: int

    @property
    def handle(self) -> Array[int]: ...

    def copy(self) -> Self: ...


class _xc_dominfo_hap(xc_dominfo, Protocol):
    hap: int


class _xc_dominfo_gpaddr_bits(xc_dominfo, Protocol):
    gpaddr_bits: int


class _xc_dominfo_arch_config(xc_dominfo, Protocol):
    @property
    def arch_config(self) -> xen_arch_domainconfig: ...


class _xc_dominfo_pvh(xc_dominfo, Protocol):
    pvh: int


@overload
def has(
    record: xen_arch_domainconfig, member: Literal["misc_flags"]
) -> TypeIs[_xen_arch_domainconfig_misc_flags]: ...


@overload
def has(
    record: xen_domctl_getdomaininfo, member: Literal["gpaddr_bits"]
) -> TypeIs[_xen_domctl_getdomaininfo_gpaddr_bits]: ...


@overload
def has(
    record: xen_domctl_getdomaininfo, member: Literal["arch_config"]
) -> TypeIs[_xen_domctl_getdomaininfo_arch_config]: ...


@overload
def has(record: xc_dominfo, member: Literal["hap"]) -> TypeIs[_xc_dominfo_hap]: ...


@overload
def has(
    record: xc_dominfo, member: Literal["gpaddr_bits"]
) -> TypeIs[_xc_dominfo_gpaddr_bits]: ...


@overload
def has(
    record: xc_dominfo, member: Literal["arch_config"]
) -> TypeIs[_xc_dominfo_arch_config]: ...


@overload
def has(record: xc_dominfo, member: Literal["pvh"]) -> TypeIs[_xc_dominfo_pvh]: ...
def has(record: object, member: str) -> bool:
    """Tell whether a record has a member that some releases lack."""
    return hasattr(record, member)
