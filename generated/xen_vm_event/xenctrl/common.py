"""What all releases of Xen have in common, for code that is to run on every one of them.

A handler whose parameters are annotated with these protocols may use the members that all
releases have. A type checker complains about one that some lack, until `has` was asked.
A protocol has the name of the record's class in each module.
"""

from __future__ import annotations

from ctypes import c_bool, c_int32, c_uint, c_uint16, c_uint32, c_uint64, c_ulong
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self, cast, overload

from ..runtime import having
from ..runtime.annotations import Array
from ..runtime.parameters import Buffer, Handle, Ref
from . import interface_for_xen

if TYPE_CHECKING:
    from typing_extensions import TypeIs


class _Dumped(Protocol):
    """What can be dumped: in a class of its own, where no member is called `str`."""

    def dump(self, *opened: str, colour: bool | None = None) -> str: ...


class xen_arch_domainconfig(_Dumped, Protocol):
    """What a domain was made with, as x86 has it. Arm's is longer, by 16 bytes at most:
    give room for one domain more than is asked for there.
    """

    emulation_flags: int

    def copy(self) -> Self: ...


class _xen_arch_domainconfig_misc_flags(xen_arch_domainconfig, Protocol):
    misc_flags: int


class xen_domctl_getdomaininfo(_Dumped, Protocol):
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


class xen_domctl_getvcpuinfo(_Dumped, Protocol):
    """A vCPU, as Xen tells of it."""

    vcpu: int
    online: int
    blocked: int
    running: int
    cpu_time: int
    cpu: int

    def copy(self) -> Self: ...


class xc_dominfo(_Dumped, Protocol):
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


class _xc_hvm_inject_trap_4_6(Protocol):
    def __call__(
        self,
        xch: Handle | None,
        dom: int,
        vcpu: int,
        vector: int,
        type: int,
        error_code: int,
        insn_len: int,
        cr2: int,
    ) -> int: ...


class _xc_hvm_inject_trap_4_9(Protocol):
    def __call__(
        self,
        xch: Handle | None,
        domid: int,
        vcpu: int,
        vector: int,
        type: int,
        error_code: int,
        insn_len: int,
        cr2: int,
    ) -> int: ...


_xc_hvm_inject_trap = _xc_hvm_inject_trap_4_6 | _xc_hvm_inject_trap_4_9


class _xc_monitor_write_ctrlreg_4_6(Protocol):
    def __call__(
        self,
        xch: Handle | None,
        domain_id: int,
        index: int,
        enable: bool,
        sync: bool,
        onchangeonly: bool,
    ) -> int: ...


class _xc_monitor_write_ctrlreg_4_10(Protocol):
    def __call__(
        self,
        xch: Handle | None,
        domain_id: int,
        index: int,
        enable: bool,
        sync: bool,
        bitmask: int,
        onchangeonly: bool,
    ) -> int: ...


_xc_monitor_write_ctrlreg = (
    _xc_monitor_write_ctrlreg_4_6 | _xc_monitor_write_ctrlreg_4_10
)


class _xc_monitor_mov_to_msr_4_6(Protocol):
    def __call__(
        self, xch: Handle | None, domain_id: int, enable: bool, extended_capture: bool
    ) -> int: ...


class _xc_monitor_mov_to_msr_4_8(Protocol):
    def __call__(
        self, xch: Handle | None, domain_id: int, msr: int, enable: bool
    ) -> int: ...


class _xc_monitor_mov_to_msr_4_11(Protocol):
    def __call__(
        self,
        xch: Handle | None,
        domain_id: int,
        msr: int,
        enable: bool,
        onchangeonly: bool,
    ) -> int: ...


_xc_monitor_mov_to_msr = (
    _xc_monitor_mov_to_msr_4_6
    | _xc_monitor_mov_to_msr_4_8
    | _xc_monitor_mov_to_msr_4_11
)


class _xc_monitor_guest_request_4_6(Protocol):
    def __call__(
        self, xch: Handle | None, domain_id: int, enable: bool, sync: bool
    ) -> int: ...


class _xc_monitor_guest_request_4_10(Protocol):
    def __call__(
        self,
        xch: Handle | None,
        domain_id: int,
        enable: bool,
        sync: bool,
        allow_userspace: bool,
    ) -> int: ...


_xc_monitor_guest_request = (
    _xc_monitor_guest_request_4_6 | _xc_monitor_guest_request_4_10
)


class _xc_memshr_fork_reset_4_14(Protocol):
    def __call__(self, xch: Handle | None, forked_domain: int) -> int: ...


class _xc_memshr_fork_reset_4_17(Protocol):
    def __call__(
        self,
        xch: Handle | None,
        forked_domain: int,
        reset_state: bool,
        reset_memory: bool,
    ) -> int: ...


_xc_memshr_fork_reset = _xc_memshr_fork_reset_4_14 | _xc_memshr_fork_reset_4_17


class Functions(Protocol):
    """A version's module: the functions that all releases have."""

    def xc_interface_open(
        self, logger: Handle | None, dombuild_logger: Handle | None, open_flags: int
    ) -> Handle: ...

    def xc_interface_close(self, xch: Handle | None) -> int: ...

    def xc_domain_pause(self, xch: Handle | None, domid: int) -> int: ...

    def xc_domain_unpause(self, xch: Handle | None, domid: int) -> int: ...

    def xc_domain_getinfolist(
        self, xch: Handle | None, first_domain: int, max_domains: int, info: Ref[Any]
    ) -> int: ...

    def xc_domain_maximum_gpfn(
        self, xch: Handle | None, domid: int, gpfns: Ref[c_ulong]
    ) -> int: ...

    def xc_domain_set_access_required(
        self, xch: Handle | None, domid: int, required: int
    ) -> int: ...

    def xc_domain_set_time_offset(
        self, xch: Handle | None, domid: int, time_offset_seconds: int
    ) -> int: ...

    def xc_domain_debug_control(
        self, xch: Handle | None, domid: int, sop: int, vcpu: int
    ) -> int: ...

    def xc_vcpu_getinfo(
        self, xch: Handle | None, domid: int, vcpu: int, info: Ref[Any]
    ) -> int: ...

    def xc_vcpu_getcontext(
        self, xch: Handle | None, domid: int, vcpu: int, ctxt: Handle | None
    ) -> int: ...

    def xc_vcpu_setcontext(
        self, xch: Handle | None, domid: int, vcpu: int, ctxt: Handle | None
    ) -> int: ...

    def xc_translate_foreign_address(
        self, xch: Handle | None, dom: int, vcpu: int, virt: int
    ) -> int: ...

    def xc_domain_populate_physmap_exact(
        self,
        xch: Handle | None,
        domid: int,
        nr_extents: int,
        extent_order: int,
        mem_flags: int,
        extent_start: Ref[c_ulong],
    ) -> int: ...

    def xc_domain_decrease_reservation_exact(
        self,
        xch: Handle | None,
        domid: int,
        nr_extents: int,
        extent_order: int,
        extent_start: Ref[c_ulong],
    ) -> int: ...

    def xc_hvm_param_get(
        self, handle: Handle | None, dom: int, param: int, value: Ref[c_uint64]
    ) -> int: ...

    def xc_hvm_param_set(
        self, handle: Handle | None, dom: int, param: int, value: int
    ) -> int: ...

    @property
    def xc_hvm_inject_trap(self) -> _xc_hvm_inject_trap: ...

    def xc_get_mem_access(
        self, xch: Handle | None, domain_id: int, pfn: int, access: Ref[c_uint]
    ) -> int: ...

    def xc_set_mem_access(
        self, xch: Handle | None, domain_id: int, access: int, first_pfn: int, nr: int
    ) -> int: ...

    def xc_monitor_enable(
        self, xch: Handle | None, domain_id: int, port: Ref[c_uint32]
    ) -> int: ...

    def xc_monitor_disable(self, xch: Handle | None, domain_id: int) -> int: ...

    def xc_monitor_resume(self, xch: Handle | None, domain_id: int) -> int: ...

    def xc_monitor_get_capabilities(
        self, xch: Handle | None, domain_id: int, capabilities: Ref[c_uint32]
    ) -> int: ...

    @property
    def xc_monitor_write_ctrlreg(self) -> _xc_monitor_write_ctrlreg: ...

    @property
    def xc_monitor_mov_to_msr(self) -> _xc_monitor_mov_to_msr: ...

    def xc_monitor_singlestep(
        self, xch: Handle | None, domain_id: int, enable: bool
    ) -> int: ...

    def xc_monitor_software_breakpoint(
        self, xch: Handle | None, domain_id: int, enable: bool
    ) -> int: ...

    @property
    def xc_monitor_guest_request(self) -> _xc_monitor_guest_request: ...

    def xc_altp2m_get_domain_state(
        self, handle: Handle | None, dom: int, state: Ref[c_bool]
    ) -> int: ...

    def xc_altp2m_set_domain_state(
        self, handle: Handle | None, dom: int, state: bool
    ) -> int: ...

    def xc_altp2m_set_vcpu_enable_notify(
        self, handle: Handle | None, domid: int, vcpuid: int, gfn: int
    ) -> int: ...

    def xc_altp2m_create_view(
        self,
        handle: Handle | None,
        domid: int,
        default_access: int,
        view_id: Ref[c_uint16],
    ) -> int: ...

    def xc_altp2m_destroy_view(
        self, handle: Handle | None, domid: int, view_id: int
    ) -> int: ...

    def xc_altp2m_switch_to_view(
        self, handle: Handle | None, domid: int, view_id: int
    ) -> int: ...

    def xc_altp2m_set_mem_access(
        self, handle: Handle | None, domid: int, view_id: int, gfn: int, access: int
    ) -> int: ...

    def xc_altp2m_change_gfn(
        self,
        handle: Handle | None,
        domid: int,
        view_id: int,
        old_gfn: int,
        new_gfn: int,
    ) -> int: ...

    def xc_mem_paging_enable(
        self, xch: Handle | None, domain_id: int, port: Ref[c_uint32]
    ) -> int: ...

    def xc_mem_paging_disable(self, xch: Handle | None, domain_id: int) -> int: ...

    def xc_mem_paging_resume(self, xch: Handle | None, domain_id: int) -> int: ...

    def xc_mem_paging_nominate(
        self, xch: Handle | None, domain_id: int, gfn: int
    ) -> int: ...

    def xc_mem_paging_evict(
        self, xch: Handle | None, domain_id: int, gfn: int
    ) -> int: ...

    def xc_mem_paging_prep(
        self, xch: Handle | None, domain_id: int, gfn: int
    ) -> int: ...

    def xc_mem_paging_load(
        self, xch: Handle | None, domain_id: int, gfn: int, buffer: Buffer
    ) -> int: ...

    def xc_memshr_control(self, xch: Handle | None, domid: int, enable: int) -> int: ...

    def xc_memshr_ring_enable(
        self, xch: Handle | None, domid: int, port: Ref[c_uint32]
    ) -> int: ...

    def xc_memshr_ring_disable(self, xch: Handle | None, domid: int) -> int: ...

    def xc_memshr_nominate_gfn(
        self, xch: Handle | None, domid: int, gfn: int, handle: Ref[c_uint64]
    ) -> int: ...

    def xc_memshr_nominate_gref(
        self, xch: Handle | None, domid: int, gref: int, handle: Ref[c_uint64]
    ) -> int: ...

    def xc_memshr_share_gfns(
        self,
        xch: Handle | None,
        source_domain: int,
        source_gfn: int,
        source_handle: int,
        client_domain: int,
        client_gfn: int,
        client_handle: int,
    ) -> int: ...

    def xc_memshr_share_grefs(
        self,
        xch: Handle | None,
        source_domain: int,
        source_gref: int,
        source_handle: int,
        client_domain: int,
        client_gref: int,
        client_handle: int,
    ) -> int: ...

    def xc_memshr_add_to_physmap(
        self,
        xch: Handle | None,
        source_domain: int,
        source_gfn: int,
        source_handle: int,
        client_domain: int,
        client_gfn: int,
    ) -> int: ...

    def xc_memshr_domain_resume(self, xch: Handle | None, domid: int) -> int: ...

    def xc_memshr_debug_gfn(self, xch: Handle | None, domid: int, gfn: int) -> int: ...

    def xc_memshr_debug_gref(
        self, xch: Handle | None, domid: int, gref: int
    ) -> int: ...

    def xc_memshr_audit(self, xch: Handle | None) -> int: ...


class _Functions_xc_interface_is_fake(Functions, Protocol):
    def xc_interface_is_fake(self) -> int: ...


class _Functions_xc_domain_getinfo(Functions, Protocol):
    def xc_domain_getinfo(
        self, xch: Handle | None, first_domid: int, max_doms: int, info: Ref[Any]
    ) -> int: ...


class _Functions_xc_map_foreign_range(Functions, Protocol):
    def xc_map_foreign_range(
        self, xch: Handle | None, dom: int, size: int, prot: int, mfn: int
    ) -> int: ...


class _Functions_xc_monitor_emulate_each_rep(Functions, Protocol):
    def xc_monitor_emulate_each_rep(
        self, xch: Handle | None, domain_id: int, enable: bool
    ) -> int: ...


class _Functions_xc_set_mem_access_multi(Functions, Protocol):
    def xc_set_mem_access_multi(
        self,
        xch: Handle | None,
        domain_id: int,
        access: Buffer,
        pages: Ref[c_uint64],
        nr: int,
    ) -> int: ...


class _Functions_xc_monitor_debug_exceptions(Functions, Protocol):
    def xc_monitor_debug_exceptions(
        self, xch: Handle | None, domain_id: int, enable: bool, sync: bool
    ) -> int: ...


class _Functions_xc_monitor_cpuid(Functions, Protocol):
    def xc_monitor_cpuid(
        self, xch: Handle | None, domain_id: int, enable: bool
    ) -> int: ...


class _Functions_xc_monitor_privileged_call(Functions, Protocol):
    def xc_monitor_privileged_call(
        self, xch: Handle | None, domain_id: int, enable: bool
    ) -> int: ...


class _Functions_xc_memshr_range_share(Functions, Protocol):
    def xc_memshr_range_share(
        self,
        xch: Handle | None,
        source_domain: int,
        client_domain: int,
        first_gfn: int,
        last_gfn: int,
    ) -> int: ...


class _Functions_xc_monitor_descriptor_access(Functions, Protocol):
    def xc_monitor_descriptor_access(
        self, xch: Handle | None, domain_id: int, enable: bool
    ) -> int: ...


class _Functions_xc_monitor_emul_unimplemented(Functions, Protocol):
    def xc_monitor_emul_unimplemented(
        self, xch: Handle | None, domain_id: int, enable: bool
    ) -> int: ...


class _Functions_xc_altp2m_set_mem_access_multi(Functions, Protocol):
    def xc_altp2m_set_mem_access_multi(
        self,
        handle: Handle | None,
        domid: int,
        view_id: int,
        access: Buffer,
        gfns: Ref[c_uint64],
        nr: int,
    ) -> int: ...


class _Functions_xc_interface_xcall_handle(Functions, Protocol):
    def xc_interface_xcall_handle(self, xch: Handle | None) -> Handle: ...


class _Functions_xc_interface_fmem_handle(Functions, Protocol):
    def xc_interface_fmem_handle(self, xch: Handle | None) -> Handle: ...


class _Functions_xc_interface_dmod_handle(Functions, Protocol):
    def xc_interface_dmod_handle(self, xch: Handle | None) -> Handle: ...


class _Functions_xc_monitor_inguest_pagefault(Functions, Protocol):
    def xc_monitor_inguest_pagefault(
        self, xch: Handle | None, domain_id: int, disable: bool
    ) -> int: ...


class _Functions_xc_altp2m_set_vcpu_disable_notify(Functions, Protocol):
    def xc_altp2m_set_vcpu_disable_notify(
        self, handle: Handle | None, domid: int, vcpuid: int
    ) -> int: ...


class _Functions_xc_altp2m_set_suppress_ve(Functions, Protocol):
    def xc_altp2m_set_suppress_ve(
        self, handle: Handle | None, domid: int, view_id: int, gfn: int, sve: bool
    ) -> int: ...


class _Functions_xc_altp2m_get_suppress_ve(Functions, Protocol):
    def xc_altp2m_get_suppress_ve(
        self,
        handle: Handle | None,
        domid: int,
        view_id: int,
        gfn: int,
        sve: Ref[c_bool],
    ) -> int: ...


class _Functions_xc_altp2m_get_mem_access(Functions, Protocol):
    def xc_altp2m_get_mem_access(
        self,
        handle: Handle | None,
        domid: int,
        view_id: int,
        gfn: int,
        access: Ref[c_uint],
    ) -> int: ...


class _Functions_xc_vm_event_get_version(Functions, Protocol):
    def xc_vm_event_get_version(self, xch: Handle | None) -> int: ...


class _Functions_xc_altp2m_get_vcpu_p2m_idx(Functions, Protocol):
    def xc_altp2m_get_vcpu_p2m_idx(
        self, handle: Handle | None, domid: int, vcpuid: int, p2midx: Ref[c_uint16]
    ) -> int: ...


class _Functions_xc_altp2m_set_supress_ve_multi(Functions, Protocol):
    def xc_altp2m_set_supress_ve_multi(
        self,
        handle: Handle | None,
        domid: int,
        view_id: int,
        first_gfn: int,
        last_gfn: int,
        sve: bool,
        error_gfn: Ref[c_ulong],
        error_code: Ref[c_int32],
    ) -> int: ...


class _Functions_xc_altp2m_set_visibility(Functions, Protocol):
    def xc_altp2m_set_visibility(
        self, handle: Handle | None, domid: int, view_id: int, visible: bool
    ) -> int: ...


class _Functions_xc_memshr_fork(Functions, Protocol):
    def xc_memshr_fork(
        self,
        xch: Handle | None,
        source_domain: int,
        client_domain: int,
        allow_with_iommu: bool,
        block_interrupts: bool,
    ) -> int: ...


class _Functions_xc_memshr_fork_reset(Functions, Protocol):
    @property
    def xc_memshr_fork_reset(self) -> _xc_memshr_fork_reset: ...


class _Functions_xc_monitor_vmexit(Functions, Protocol):
    def xc_monitor_vmexit(
        self, xch: Handle | None, domain_id: int, enable: bool, sync: bool
    ) -> int: ...


class _Functions_xc_domain_getinfo_single(Functions, Protocol):
    def xc_domain_getinfo_single(
        self, xch: Handle | None, domid: int, info: Ref[Any]
    ) -> int: ...


class _Functions_xc_monitor_io(Functions, Protocol):
    def xc_monitor_io(
        self, xch: Handle | None, domain_id: int, enable: bool
    ) -> int: ...


def functions_for_xen(release: str) -> Functions:
    """The functions of a Xen release, which are those of the module that it has."""
    return cast("Functions", interface_for_xen(release))


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


@overload
def has(
    record: Functions, member: Literal["xc_interface_is_fake"]
) -> TypeIs[_Functions_xc_interface_is_fake]: ...


@overload
def has(
    record: Functions, member: Literal["xc_domain_getinfo"]
) -> TypeIs[_Functions_xc_domain_getinfo]: ...


@overload
def has(
    record: Functions, member: Literal["xc_map_foreign_range"]
) -> TypeIs[_Functions_xc_map_foreign_range]: ...


@overload
def has(
    record: Functions, member: Literal["xc_monitor_emulate_each_rep"]
) -> TypeIs[_Functions_xc_monitor_emulate_each_rep]: ...


@overload
def has(
    record: Functions, member: Literal["xc_set_mem_access_multi"]
) -> TypeIs[_Functions_xc_set_mem_access_multi]: ...


@overload
def has(
    record: Functions, member: Literal["xc_monitor_debug_exceptions"]
) -> TypeIs[_Functions_xc_monitor_debug_exceptions]: ...


@overload
def has(
    record: Functions, member: Literal["xc_monitor_cpuid"]
) -> TypeIs[_Functions_xc_monitor_cpuid]: ...


@overload
def has(
    record: Functions, member: Literal["xc_monitor_privileged_call"]
) -> TypeIs[_Functions_xc_monitor_privileged_call]: ...


@overload
def has(
    record: Functions, member: Literal["xc_memshr_range_share"]
) -> TypeIs[_Functions_xc_memshr_range_share]: ...


@overload
def has(
    record: Functions, member: Literal["xc_monitor_descriptor_access"]
) -> TypeIs[_Functions_xc_monitor_descriptor_access]: ...


@overload
def has(
    record: Functions, member: Literal["xc_monitor_emul_unimplemented"]
) -> TypeIs[_Functions_xc_monitor_emul_unimplemented]: ...


@overload
def has(
    record: Functions, member: Literal["xc_altp2m_set_mem_access_multi"]
) -> TypeIs[_Functions_xc_altp2m_set_mem_access_multi]: ...


@overload
def has(
    record: Functions, member: Literal["xc_interface_xcall_handle"]
) -> TypeIs[_Functions_xc_interface_xcall_handle]: ...


@overload
def has(
    record: Functions, member: Literal["xc_interface_fmem_handle"]
) -> TypeIs[_Functions_xc_interface_fmem_handle]: ...


@overload
def has(
    record: Functions, member: Literal["xc_interface_dmod_handle"]
) -> TypeIs[_Functions_xc_interface_dmod_handle]: ...


@overload
def has(
    record: Functions, member: Literal["xc_monitor_inguest_pagefault"]
) -> TypeIs[_Functions_xc_monitor_inguest_pagefault]: ...


@overload
def has(
    record: Functions, member: Literal["xc_altp2m_set_vcpu_disable_notify"]
) -> TypeIs[_Functions_xc_altp2m_set_vcpu_disable_notify]: ...


@overload
def has(
    record: Functions, member: Literal["xc_altp2m_set_suppress_ve"]
) -> TypeIs[_Functions_xc_altp2m_set_suppress_ve]: ...


@overload
def has(
    record: Functions, member: Literal["xc_altp2m_get_suppress_ve"]
) -> TypeIs[_Functions_xc_altp2m_get_suppress_ve]: ...


@overload
def has(
    record: Functions, member: Literal["xc_altp2m_get_mem_access"]
) -> TypeIs[_Functions_xc_altp2m_get_mem_access]: ...


@overload
def has(
    record: Functions, member: Literal["xc_vm_event_get_version"]
) -> TypeIs[_Functions_xc_vm_event_get_version]: ...


@overload
def has(
    record: Functions, member: Literal["xc_altp2m_get_vcpu_p2m_idx"]
) -> TypeIs[_Functions_xc_altp2m_get_vcpu_p2m_idx]: ...


@overload
def has(
    record: Functions, member: Literal["xc_altp2m_set_supress_ve_multi"]
) -> TypeIs[_Functions_xc_altp2m_set_supress_ve_multi]: ...


@overload
def has(
    record: Functions, member: Literal["xc_altp2m_set_visibility"]
) -> TypeIs[_Functions_xc_altp2m_set_visibility]: ...


@overload
def has(
    record: Functions, member: Literal["xc_memshr_fork"]
) -> TypeIs[_Functions_xc_memshr_fork]: ...


@overload
def has(
    record: Functions, member: Literal["xc_memshr_fork_reset"]
) -> TypeIs[_Functions_xc_memshr_fork_reset]: ...


@overload
def has(
    record: Functions, member: Literal["xc_monitor_vmexit"]
) -> TypeIs[_Functions_xc_monitor_vmexit]: ...


@overload
def has(
    record: Functions, member: Literal["xc_domain_getinfo_single"]
) -> TypeIs[_Functions_xc_domain_getinfo_single]: ...


@overload
def has(
    record: Functions, member: Literal["xc_monitor_io"]
) -> TypeIs[_Functions_xc_monitor_io]: ...


@overload
def has(
    record: _xc_hvm_inject_trap, member: Literal["dom"]
) -> TypeIs[_xc_hvm_inject_trap_4_6]: ...


@overload
def has(
    record: _xc_hvm_inject_trap, member: Literal["domid"]
) -> TypeIs[_xc_hvm_inject_trap_4_9]: ...


@overload
def has(
    record: _xc_monitor_write_ctrlreg, member: Literal["bitmask"]
) -> TypeIs[_xc_monitor_write_ctrlreg_4_10]: ...


@overload
def has(
    record: _xc_monitor_mov_to_msr, member: Literal["extended_capture"]
) -> TypeIs[_xc_monitor_mov_to_msr_4_6]: ...


@overload
def has(
    record: _xc_monitor_mov_to_msr, member: Literal["msr"]
) -> TypeIs[_xc_monitor_mov_to_msr_4_8 | _xc_monitor_mov_to_msr_4_11]: ...


@overload
def has(
    record: _xc_monitor_mov_to_msr, member: Literal["onchangeonly"]
) -> TypeIs[_xc_monitor_mov_to_msr_4_11]: ...


@overload
def has(
    record: _xc_monitor_guest_request, member: Literal["allow_userspace"]
) -> TypeIs[_xc_monitor_guest_request_4_10]: ...


@overload
def has(
    record: _xc_memshr_fork_reset, member: Literal["reset_state"]
) -> TypeIs[_xc_memshr_fork_reset_4_17]: ...


@overload
def has(
    record: _xc_memshr_fork_reset, member: Literal["reset_memory"]
) -> TypeIs[_xc_memshr_fork_reset_4_17]: ...
def has(record: object, member: str) -> bool:
    """Tell whether a record has a member, or a module a function, that some releases lack.

    Of a function whose prototype changed it tells whether it has a parameter. Raises
    LookupError for a name that no release has.
    """
    return having.has(record, member, _SOME)


_SOME: Final[dict[str, tuple[str, ...]]] = {
    "xen_arch_domainconfig": ("misc_flags",),
    "xen_domctl_getdomaininfo": ("gpaddr_bits", "arch_config"),
    "xc_dominfo": ("hap", "gpaddr_bits", "arch_config", "pvh"),
    "module": (
        "xc_interface_is_fake",
        "xc_domain_getinfo",
        "xc_map_foreign_range",
        "xc_monitor_emulate_each_rep",
        "xc_set_mem_access_multi",
        "xc_monitor_debug_exceptions",
        "xc_monitor_cpuid",
        "xc_monitor_privileged_call",
        "xc_memshr_range_share",
        "xc_monitor_descriptor_access",
        "xc_monitor_emul_unimplemented",
        "xc_altp2m_set_mem_access_multi",
        "xc_interface_xcall_handle",
        "xc_interface_fmem_handle",
        "xc_interface_dmod_handle",
        "xc_monitor_inguest_pagefault",
        "xc_altp2m_set_vcpu_disable_notify",
        "xc_altp2m_set_suppress_ve",
        "xc_altp2m_get_suppress_ve",
        "xc_altp2m_get_mem_access",
        "xc_vm_event_get_version",
        "xc_altp2m_get_vcpu_p2m_idx",
        "xc_altp2m_set_supress_ve_multi",
        "xc_altp2m_set_visibility",
        "xc_memshr_fork",
        "xc_memshr_fork_reset",
        "xc_monitor_vmexit",
        "xc_domain_getinfo_single",
        "xc_monitor_io",
    ),
    "xc_hvm_inject_trap()": ("dom", "domid"),
    "xc_monitor_write_ctrlreg()": ("bitmask",),
    "xc_monitor_mov_to_msr()": ("extended_capture", "msr", "onchangeonly"),
    "xc_monitor_guest_request()": ("allow_userspace",),
    "xc_memshr_fork_reset()": ("reset_state", "reset_memory"),
}
