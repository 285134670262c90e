"""What all releases of Xen have in common, for code that is to run on every one of them.

A handler whose parameters are annotated with these protocols may use the members that all
releases have. A type checker complains about one that some lack, until `has` was asked:

    from xen_vm_event import common

    def handle(record: common.vm_event_st) -> None:
        if common.has(record.u, "interrupt"):
            print(record.u.interrupt)

A protocol has the name of the record's class in each module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self, overload

from .runtime import having
from .runtime.annotations import Array, Items

if TYPE_CHECKING:
    from typing_extensions import TypeIs


class _Dumped(Protocol):
    """What can be dumped: in a class of its own, where no member is called `str`."""

    def dump(self, *opened: str, colour: bool | None = None) -> str: ...


class vm_event_x86_selector_reg(_Dumped, Protocol):
    """Limit and access rights of a segment register, packed into 32 bits."""

    limit: int
    ar: int

    def copy(self) -> Self: ...


class vm_event_regs_x86(_Dumped, Protocol):
    """The registers of an x86 vCPU at the event, those a monitor needs most."""

    rax: int
    rcx: int
    rdx: int
    rbx: int
    rsp: int
    rbp: int
    rsi: int
    rdi: int
    r8: int
    r9: int
    r10: int
    r11: int
    r12: int
    r13: int
    r14: int
    r15: int
    rflags: int
    dr7: int
    rip: int
    cr0: int
    cr2: int
    cr3: int
    cr4: int
    sysenter_cs: int
    sysenter_esp: int
    sysenter_eip: int
    msr_efer: int
    msr_star: int
    msr_lstar: int
    fs_base: int
    gs_base: int

    def copy(self) -> Self: ...


class _vm_event_regs_x86_dr6(vm_event_regs_x86, Protocol):
    dr6: int


class _vm_event_regs_x86_gdtr_base(vm_event_regs_x86, Protocol):
    gdtr_base: int


class _vm_event_regs_x86_npt_base(vm_event_regs_x86, Protocol):
    npt_base: int


class _vm_event_regs_x86_vmtrace_pos(vm_event_regs_x86, Protocol):
    vmtrace_pos: int


class _vm_event_regs_x86_cs_base(vm_event_regs_x86, Protocol):
    cs_base: int


class _vm_event_regs_x86_ss_base(vm_event_regs_x86, Protocol):
    ss_base: int


class _vm_event_regs_x86_ds_base(vm_event_regs_x86, Protocol):
    ds_base: int


class _vm_event_regs_x86_es_base(vm_event_regs_x86, Protocol):
    es_base: int


class _vm_event_regs_x86_cs(vm_event_regs_x86, Protocol):
    @property
    def cs(self) -> vm_event_x86_selector_reg: ...


class _vm_event_regs_x86_ss(vm_event_regs_x86, Protocol):
    @property
    def ss(self) -> vm_event_x86_selector_reg: ...


class _vm_event_regs_x86_ds(vm_event_regs_x86, Protocol):
    @property
    def ds(self) -> vm_event_x86_selector_reg: ...


class _vm_event_regs_x86_es(vm_event_regs_x86, Protocol):
    @property
    def es(self) -> vm_event_x86_selector_reg: ...


class _vm_event_regs_x86_fs(vm_event_regs_x86, Protocol):
    @property
    def fs(self) -> vm_event_x86_selector_reg: ...


class _vm_event_regs_x86_gs(vm_event_regs_x86, Protocol):
    @property
    def gs(self) -> vm_event_x86_selector_reg: ...


class _vm_event_regs_x86_shadow_gs(vm_event_regs_x86, Protocol):
    shadow_gs: int


class _vm_event_regs_x86_gdtr_limit(vm_event_regs_x86, Protocol):
    gdtr_limit: int


class _vm_event_regs_x86_cs_sel(vm_event_regs_x86, Protocol):
    cs_sel: int


class _vm_event_regs_x86_ss_sel(vm_event_regs_x86, Protocol):
    ss_sel: int


class _vm_event_regs_x86_ds_sel(vm_event_regs_x86, Protocol):
    ds_sel: int


class _vm_event_regs_x86_es_sel(vm_event_regs_x86, Protocol):
    es_sel: int


class _vm_event_regs_x86_fs_sel(vm_event_regs_x86, Protocol):
    fs_sel: int


class _vm_event_regs_x86_gs_sel(vm_event_regs_x86, Protocol):
    gs_sel: int


class _vm_event_regs_x86_cs_arbytes(vm_event_regs_x86, Protocol):
    cs_arbytes: int


class vm_event_regs_arm(_Dumped, Protocol):
    """The registers of an Arm vCPU at the event, those a monitor needs most."""

    ttbr0: int
    ttbr1: int
    ttbcr: int
    pc: int
    cpsr: int

    def copy(self) -> Self: ...


class vm_event_mem_access(_Dumped, Protocol):
    """A memory access that the permissions of the page do not allow."""

    gfn: int
    offset: int
    gla: int
    flags: int

    def copy(self) -> Self: ...


class vm_event_write_ctrlreg(_Dumped, Protocol):
    """A write to a control register."""

    index: int
    new_value: int
    old_value: int

    def copy(self) -> Self: ...


class vm_event_singlestep(_Dumped, Protocol):
    """An instruction executed in single-stepping."""

    gfn: int

    def copy(self) -> Self: ...


class vm_event_fast_singlestep(_Dumped, Protocol):
    """What a response with VM_EVENT_FLAG_FAST_SINGLESTEP asks for."""

    p2midx: int

    def copy(self) -> Self: ...


class vm_event_debug(_Dumped, Protocol):
    """A breakpoint or another debug exception, with what is needed to inject it."""

    gfn: int

    def copy(self) -> Self: ...


class _vm_event_debug_pending_dbg(vm_event_debug, Protocol):
    pending_dbg: int


class _vm_event_debug_insn_length(vm_event_debug, Protocol):
    insn_length: int


class _vm_event_debug_type(vm_event_debug, Protocol):
    type: int


class vm_event_mov_to_msr(_Dumped, Protocol):
    """A write to a model-specific register."""

    msr: int

    def copy(self) -> Self: ...


class _vm_event_mov_to_msr_new_value(vm_event_mov_to_msr, Protocol):
    new_value: int


class _vm_event_mov_to_msr_old_value(vm_event_mov_to_msr, Protocol):
    old_value: int


class _vm_event_mov_to_msr_value(vm_event_mov_to_msr, Protocol):
    value: int


class vm_event_desc_access_arch_vmx(_Dumped, Protocol):
    """struct vm_event_desc_access.arch.vmx."""

    instr_info: int
    exit_qualification: int

    def copy(self) -> Self: ...


class vm_event_desc_access_arch(_Dumped, Protocol):
    """struct vm_event_desc_access.arch."""

    @property
    def vmx(self) -> vm_event_desc_access_arch_vmx: ...

    def copy(self) -> Self: ...


class _vm_event_desc_access_arch_svm(vm_event_desc_access_arch, Protocol):
    @property
    def svm(self) -> vm_event_desc_access_arch_svm: ...


class vm_event_desc_access(_Dumped, Protocol):
    """A read or write of a descriptor-table register."""

    descriptor: int
    is_write: int

    @property
    def arch(self) -> vm_event_desc_access_arch: ...

    def copy(self) -> Self: ...


class vm_event_cpuid(_Dumped, Protocol):
    """An execution of CPUID."""

    insn_length: int
    leaf: int
    subleaf: int

    def copy(self) -> Self: ...


class vm_event_interrupt_x86(_Dumped, Protocol):
    """An interrupt or exception on its way to an x86 vCPU."""

    vector: int
    type: int
    error_code: int
    cr2: int

    def copy(self) -> Self: ...


class vm_event_paging(_Dumped, Protocol):
    """A page that the pager is to load or forget."""

    gfn: int
    p2mt: int
    flags: int

    def copy(self) -> Self: ...


class vm_event_sharing(_Dumped, Protocol):
    """A shared page that needs memory for a copy."""

    gfn: int
    p2mt: int

    def copy(self) -> Self: ...


class vm_event_emul_read_data(_Dumped, Protocol):
    """What an emulated instruction is to read. Goes with
    VM_EVENT_FLAG_SET_EMUL_READ_DATA. As large as vm_event_regs_x86, in whose place it
    is sent.
    """

    size: int

    @property
    def data(self) -> Array[int]: ...

    def copy(self) -> Self: ...


class vm_event_emul_insn_data(_Dumped, Protocol):
    """The instruction to emulate. Goes with VM_EVENT_FLAG_SET_EMUL_INSN_DATA."""

    @property
    def data(self) -> Array[int]: ...

    def copy(self) -> Self: ...


class vm_event_vmexit_arch_vmx(_Dumped, Protocol):
    """struct vm_event_vmexit.arch.vmx."""

    reason: int
    qualification: int

    def copy(self) -> Self: ...


class vm_event_vmexit_arch(_Dumped, Protocol):
    """struct vm_event_vmexit.arch."""

    @property
    def vmx(self) -> vm_event_vmexit_arch_vmx: ...

    def copy(self) -> Self: ...


class vm_event_vmexit(_Dumped, Protocol):
    """An exit of the vCPU from the guest."""

    @property
    def arch(self) -> vm_event_vmexit_arch: ...

    def copy(self) -> Self: ...


class vm_event_io(_Dumped, Protocol):
    """A port I/O instruction."""

    bytes: int
    port: int
    in_: int
    str: int

    def copy(self) -> Self: ...


class vm_event_st_u_interrupt(_Dumped, Protocol):
    """struct vm_event_st.u.interrupt."""

    @property
    def x86(self) -> vm_event_interrupt_x86: ...

    def copy(self) -> Self: ...


class vm_event_st_u(_Dumped, Protocol):
    """struct vm_event_st.u."""

    @property
    def mem_paging(self) -> vm_event_paging: ...

    @property
    def mem_sharing(self) -> vm_event_sharing: ...

    @property
    def mem_access(self) -> vm_event_mem_access: ...

    @property
    def write_ctrlreg(self) -> vm_event_write_ctrlreg: ...

    @property
    def mov_to_msr(self) -> vm_event_mov_to_msr: ...

    @property
    def singlestep(self) -> vm_event_singlestep | vm_event_debug: ...

    @property
    def software_breakpoint(self) -> vm_event_debug: ...

    def copy(self) -> Self: ...


class _vm_event_st_u_desc_access(vm_event_st_u, Protocol):
    @property
    def desc_access(self) -> vm_event_desc_access: ...


class _vm_event_st_u_fast_singlestep(vm_event_st_u, Protocol):
    @property
    def fast_singlestep(self) -> vm_event_fast_singlestep: ...


class _vm_event_st_u_debug_exception(vm_event_st_u, Protocol):
    @property
    def debug_exception(self) -> vm_event_debug: ...


class _vm_event_st_u_cpuid(vm_event_st_u, Protocol):
    @property
    def cpuid(self) -> vm_event_cpuid: ...


class _vm_event_st_u_vmexit(vm_event_st_u, Protocol):
    @property
    def vmexit(self) -> vm_event_vmexit: ...


class _vm_event_st_u_io(vm_event_st_u, Protocol):
    @property
    def io(self) -> vm_event_io: ...


class _vm_event_st_u_interrupt(vm_event_st_u, Protocol):
    @property
    def interrupt(self) -> vm_event_st_u_interrupt: ...


class vm_event_st_data_regs(_Dumped, Protocol):
    """struct vm_event_st.data.regs."""

    @property
    def x86(self) -> vm_event_regs_x86: ...

    def copy(self) -> Self: ...


class _vm_event_st_data_regs_arm(vm_event_st_data_regs, Protocol):
    @property
    def arm(self) -> vm_event_regs_arm: ...


class vm_event_st_data_emul(_Dumped, Protocol):
    """struct vm_event_st.data.emul."""

    @property
    def read(self) -> vm_event_emul_read_data: ...

    @property
    def insn(self) -> vm_event_emul_insn_data: ...

    def copy(self) -> Self: ...


class vm_event_st_data(_Dumped, Protocol):
    """struct vm_event_st.data."""

    @property
    def regs(self) -> vm_event_st_data_regs: ...

    def copy(self) -> Self: ...


class _vm_event_st_data_emul(vm_event_st_data, Protocol):
    @property
    def emul(self) -> vm_event_st_data_emul: ...


class _vm_event_st_data_emul_read_data(vm_event_st_data, Protocol):
    @property
    def emul_read_data(self) -> vm_event_emul_read_data: ...


class _vm_event_st_payload(_Dumped, Protocol):
    """Whatever a payload may have. Which of it is there, type checkers do not know."""

    gfn: int
    offset: int
    gla: int
    flags: int
    p2mt: int
    index: int
    new_value: int
    old_value: int
    msr: int
    insn_length: int
    leaf: int
    subleaf: int
    descriptor: int
    is_write: int
    bytes: int
    port: int
    in_: int
    str: int

    @property
    def x86(self) -> vm_event_interrupt_x86: ...

    @property
    def arch(self) -> Any: ...

    def copy(self) -> Self: ...


class vm_event_st(_Dumped, Protocol):
    """An event: a request from Xen, or the monitor's response to one. A response
    repeats version, vcpu_id and reason of its request; Xen ignores one of another
    version, and the vCPU stays paused.
    """

    version: int
    flags: int
    reason: int
    vcpu_id: int
    altp2m_idx: int

    @property
    def u(self) -> vm_event_st_u: ...

    @property
    def data(self) -> vm_event_st_data: ...

    @property
    def payload(self) -> _vm_event_st_payload | Any: ...

    def copy(self) -> Self: ...


class vm_event_sring_entry(_Dumped, Protocol):
    """union vm_event_sring_entry."""

    @property
    def req(self) -> vm_event_st: ...

    @property
    def rsp(self) -> vm_event_st: ...

    def copy(self) -> Self: ...


class vm_event_sring_pvt_netif(_Dumped, Protocol):
    """struct vm_event_sring.pvt.netif."""

    smartpoll_active: int

    def copy(self) -> Self: ...


class vm_event_sring_pvt_tapif_user(_Dumped, Protocol):
    """struct vm_event_sring.pvt.tapif_user."""

    msg: int

    def copy(self) -> Self: ...


class vm_event_sring_pvt(_Dumped, Protocol):
    """struct vm_event_sring.pvt."""

    @property
    def netif(self) -> vm_event_sring_pvt_netif: ...

    @property
    def tapif_user(self) -> vm_event_sring_pvt_tapif_user: ...

    @property
    def pvt_pad(self) -> Array[int]: ...

    def copy(self) -> Self: ...


class vm_event_sring(_Dumped, Protocol):
    """struct vm_event_sring."""

    req_prod: int
    req_event: int
    rsp_prod: int
    rsp_event: int

    @property
    def pvt(self) -> vm_event_sring_pvt: ...

    @property
    def ring(self) -> Items[vm_event_sring_entry]: ...

    def copy(self) -> Self: ...


class vm_event_front_ring(_Dumped, Protocol):
    """struct vm_event_front_ring."""

    req_prod_pvt: int
    rsp_cons: int
    nr_ents: int

    @property
    def sring(self) -> Any: ...

    def copy(self) -> Self: ...


class vm_event_back_ring(_Dumped, Protocol):
    """struct vm_event_back_ring."""

    rsp_prod_pvt: int
    req_cons: int
    nr_ents: int

    @property
    def sring(self) -> Any: ...

    def copy(self) -> Self: ...


class vm_event_desc_access_arch_svm(_Dumped, Protocol):
    """struct vm_event_desc_access.arch.svm."""

    exitinfo: int

    def copy(self) -> Self: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["dr6"]
) -> TypeIs[_vm_event_regs_x86_dr6]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["gdtr_base"]
) -> TypeIs[_vm_event_regs_x86_gdtr_base]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["npt_base"]
) -> TypeIs[_vm_event_regs_x86_npt_base]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["vmtrace_pos"]
) -> TypeIs[_vm_event_regs_x86_vmtrace_pos]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["cs_base"]
) -> TypeIs[_vm_event_regs_x86_cs_base]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["ss_base"]
) -> TypeIs[_vm_event_regs_x86_ss_base]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["ds_base"]
) -> TypeIs[_vm_event_regs_x86_ds_base]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["es_base"]
) -> TypeIs[_vm_event_regs_x86_es_base]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["cs"]
) -> TypeIs[_vm_event_regs_x86_cs]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["ss"]
) -> TypeIs[_vm_event_regs_x86_ss]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["ds"]
) -> TypeIs[_vm_event_regs_x86_ds]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["es"]
) -> TypeIs[_vm_event_regs_x86_es]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["fs"]
) -> TypeIs[_vm_event_regs_x86_fs]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["gs"]
) -> TypeIs[_vm_event_regs_x86_gs]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["shadow_gs"]
) -> TypeIs[_vm_event_regs_x86_shadow_gs]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["gdtr_limit"]
) -> TypeIs[_vm_event_regs_x86_gdtr_limit]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["cs_sel"]
) -> TypeIs[_vm_event_regs_x86_cs_sel]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["ss_sel"]
) -> TypeIs[_vm_event_regs_x86_ss_sel]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["ds_sel"]
) -> TypeIs[_vm_event_regs_x86_ds_sel]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["es_sel"]
) -> TypeIs[_vm_event_regs_x86_es_sel]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["fs_sel"]
) -> TypeIs[_vm_event_regs_x86_fs_sel]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["gs_sel"]
) -> TypeIs[_vm_event_regs_x86_gs_sel]: ...


@overload
def has(
    record: vm_event_regs_x86, member: Literal["cs_arbytes"]
) -> TypeIs[_vm_event_regs_x86_cs_arbytes]: ...


@overload
def has(
    record: vm_event_debug, member: Literal["pending_dbg"]
) -> TypeIs[_vm_event_debug_pending_dbg]: ...


@overload
def has(
    record: vm_event_debug, member: Literal["insn_length"]
) -> TypeIs[_vm_event_debug_insn_length]: ...


@overload
def has(
    record: vm_event_debug, member: Literal["type"]
) -> TypeIs[_vm_event_debug_type]: ...


@overload
def has(
    record: vm_event_mov_to_msr, member: Literal["new_value"]
) -> TypeIs[_vm_event_mov_to_msr_new_value]: ...


@overload
def has(
    record: vm_event_mov_to_msr, member: Literal["old_value"]
) -> TypeIs[_vm_event_mov_to_msr_old_value]: ...


@overload
def has(
    record: vm_event_mov_to_msr, member: Literal["value"]
) -> TypeIs[_vm_event_mov_to_msr_value]: ...


@overload
def has(
    record: vm_event_desc_access_arch, member: Literal["svm"]
) -> TypeIs[_vm_event_desc_access_arch_svm]: ...


@overload
def has(
    record: vm_event_st_u, member: Literal["desc_access"]
) -> TypeIs[_vm_event_st_u_desc_access]: ...


@overload
def has(
    record: vm_event_st_u, member: Literal["fast_singlestep"]
) -> TypeIs[_vm_event_st_u_fast_singlestep]: ...


@overload
def has(
    record: vm_event_st_u, member: Literal["debug_exception"]
) -> TypeIs[_vm_event_st_u_debug_exception]: ...


@overload
def has(
    record: vm_event_st_u, member: Literal["cpuid"]
) -> TypeIs[_vm_event_st_u_cpuid]: ...


@overload
def has(
    record: vm_event_st_u, member: Literal["vmexit"]
) -> TypeIs[_vm_event_st_u_vmexit]: ...


@overload
def has(record: vm_event_st_u, member: Literal["io"]) -> TypeIs[_vm_event_st_u_io]: ...


@overload
def has(
    record: vm_event_st_u, member: Literal["interrupt"]
) -> TypeIs[_vm_event_st_u_interrupt]: ...


@overload
def has(
    record: vm_event_st_data_regs, member: Literal["arm"]
) -> TypeIs[_vm_event_st_data_regs_arm]: ...


@overload
def has(
    record: vm_event_st_data, member: Literal["emul"]
) -> TypeIs[_vm_event_st_data_emul]: ...


@overload
def has(
    record: vm_event_st_data, member: Literal["emul_read_data"]
) -> TypeIs[_vm_event_st_data_emul_read_data]: ...
def has(record: object, member: str) -> bool:
    """Tell whether a record has a member that some releases lack.

    Raises LookupError for a name that no release has.
    """
    return having.has(record, member, _SOME)


_SOME: Final[dict[str, tuple[str, ...]]] = {
    "vm_event_regs_x86": (
        "dr6",
        "gdtr_base",
        "npt_base",
        "vmtrace_pos",
        "cs_base",
        "ss_base",
        "ds_base",
        "es_base",
        "cs",
        "ss",
        "ds",
        "es",
        "fs",
        "gs",
        "shadow_gs",
        "gdtr_limit",
        "cs_sel",
        "ss_sel",
        "ds_sel",
        "es_sel",
        "fs_sel",
        "gs_sel",
        "cs_arbytes",
    ),
    "vm_event_debug": ("pending_dbg", "insn_length", "type"),
    "vm_event_mov_to_msr": ("new_value", "old_value", "value"),
    "vm_event_desc_access_arch": ("svm",),
    "vm_event_st_u": (
        "desc_access",
        "fast_singlestep",
        "debug_exception",
        "cpuid",
        "vmexit",
        "io",
        "interrupt",
    ),
    "vm_event_st_data_regs": ("arm",),
    "vm_event_st_data": ("emul", "emul_read_data"),
}
