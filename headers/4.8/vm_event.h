/* SPDX-License-Identifier: MIT */
/*
 * VM events: how Xen tells a monitor what happened in a guest, and what the monitor answers.
 *
 * Xen puts a request into a ring that it shares with the monitor, and the monitor answers each by
 * a response of the same form. The vCPU usually waits for the answer. The including file provides
 * the fixed-width integers and defines __XEN_TOOLS__.
 */

#ifndef _XEN_PUBLIC_VM_EVENT_H
#define _XEN_PUBLIC_VM_EVENT_H

#include "xen.h"

/*
 * Version of the layouts and values in this file. Compare it with the version in each request:
 * what another version sends cannot be read by these declarations.
 */
#define VM_EVENT_INTERFACE_VERSION 0x00000002

#if defined(__XEN__) || defined(__XEN_TOOLS__)

#include "io/ring.h"

/*
 * Flags of requests and responses. A response repeats VM_EVENT_FLAG_VCPU_PAUSED if the request
 * had it, and adds what Xen is to do before the vCPU goes on. Xen heeds most of these only while
 * the vCPU is paused.
 */

/*
 * The vCPU waits for the answer to this event. Copy the flag from the request to the response:
 * there it releases the vCPU, which stays paused otherwise.
 */
#define VM_EVENT_FLAG_VCPU_PAUSED        (1 << 0)
/* In a request: caused by another domain's access, not by a vCPU of the monitored domain. */
#define VM_EVENT_FLAG_FOREIGN            (1 << 1)
/*
 * In a response: have Xen emulate the instruction at the instruction pointer, so that no page
 * permission needs relaxing for it. Leave u as it was in the request, since Xen checks it against
 * the permissions now in force. The vCPU must be paused.
 */
#define VM_EVENT_FLAG_EMULATE            (1 << 2)
/*
 * With VM_EVENT_FLAG_EMULATE: throw away what the instruction writes to memory, and all of its
 * device I/O.
 */
#define VM_EVENT_FLAG_EMULATE_NOWRITE    (1 << 3)
/*
 * In a response: switch single-stepping of the vCPU on if it is off, and off if it is on. While
 * it is on, each instruction sends VM_EVENT_REASON_SINGLESTEP. The vCPU must be paused.
 */
#define VM_EVENT_FLAG_TOGGLE_SINGLESTEP  (1 << 4)
/*
 * With VM_EVENT_FLAG_EMULATE: the instruction reads the bytes in vm_event_emul_read_data instead
 * of guest memory. Outranks VM_EVENT_FLAG_EMULATE_NOWRITE.
 */
#define VM_EVENT_FLAG_SET_EMUL_READ_DATA (1 << 5)
/*
 * In a response: drop the register write that the event announced. For writes to an MSR and to
 * CR0, CR3 and CR4. The vCPU must be paused, so the event has to be a synchronous one.
 */
#define VM_EVENT_FLAG_DENY               (1 << 6)
/*
 * The altp2m_idx member is valid. In a request it is the view the vCPU was running in, in a
 * response the view the vCPU is to go on in.
 */
#define VM_EVENT_FLAG_ALTERNATE_P2M      (1 << 7)
/*
 * In a response: load registers from data.regs before the vCPU goes on. On x86 the general
 * registers, rflags and rip; on Arm pc alone. Start from the request's data, which holds them
 * all. Bytes for the emulator cannot be sent along, as they occupy the same memory. The vCPU must
 * be paused.
 */
#define VM_EVENT_FLAG_SET_REGISTERS      (1 << 8)
/*
 * With VM_EVENT_FLAG_EMULATE: Xen executes the bytes in vm_event_emul_insn_data instead of those
 * at the instruction pointer. Meant for answering a software breakpoint. Ignored beside
 * VM_EVENT_FLAG_EMULATE_NOWRITE and VM_EVENT_FLAG_SET_EMUL_READ_DATA.
 */
#define VM_EVENT_FLAG_SET_EMUL_INSN_DATA (1 << 9)

/*
 * What made Xen send a request. The response repeats it, since Xen decides by the reason what to
 * do with the rest of the response.
 */

/* None of the others. */
#define VM_EVENT_REASON_UNKNOWN             0
/*
 * The guest touched a page in a way its permissions forbid. The access repeats, and faults again,
 * unless the response emulates it or the monitor changes the permissions. See u.mem_access.
 */
#define VM_EVENT_REASON_MEM_ACCESS          1
/*
 * A shared page could not get a copy of its own for lack of memory. Comes over the ring of the
 * sharing helper, which should free memory before answering. See u.mem_sharing.
 */
#define VM_EVENT_REASON_MEM_SHARING         2
/*
 * A page that was paged out is needed, or no longer needed. Comes over the ring of the pager, which
 * loads or forgets the page. See u.mem_paging.
 */
#define VM_EVENT_REASON_MEM_PAGING          3
/*
 * The guest writes a control register. The write happens after the event; VM_EVENT_FLAG_DENY in
 * the response to a synchronous event prevents it. See u.write_ctrlreg.
 */
#define VM_EVENT_REASON_WRITE_CTRLREG       4
/*
 * The guest writes a model-specific register. The write happens after the event;
 * VM_EVENT_FLAG_DENY in the response prevents it. See u.mov_to_msr.
 */
#define VM_EVENT_REASON_MOV_TO_MSR          5
/*
 * The guest executed a breakpoint instruction, such as int3. If the breakpoint is not the
 * monitor's own, inject the exception into the guest. See u.software_breakpoint.
 */
#define VM_EVENT_REASON_SOFTWARE_BREAKPOINT 6
/*
 * The guest executed an instruction while single-stepping was on. The instruction pointer is at
 * the next one. See u.singlestep.
 */
#define VM_EVENT_REASON_SINGLESTEP          7
/* The guest itself asked for the event, by the hypercall HVMOP_guest_request_vm_event. */
#define VM_EVENT_REASON_GUEST_REQUEST       8
/*
 * The guest ran into a debug exception (#DB). If it is not of the monitor's making, inject it
 * into the guest. See u.debug_exception.
 */
#define VM_EVENT_REASON_DEBUG_EXCEPTION     9
/*
 * The guest executed CPUID. The result is in the registers already, but rip is still at the
 * instruction: respond with VM_EVENT_FLAG_SET_REGISTERS and rip moved on by u.cpuid.insn_length,
 * and with any change to the result.
 */
#define VM_EVENT_REASON_CPUID               10
/*
 * The guest made a privileged call, such as SMC on Arm. The call is not carried out: respond with
 * VM_EVENT_FLAG_SET_REGISTERS and pc moved on by 4. Some CPUs report a conditional call though its
 * condition is false.
 */
#define VM_EVENT_REASON_PRIVILEGED_CALL     11

/* The control registers whose writes can be monitored. */

#define VM_EVENT_X86_CR0  0
#define VM_EVENT_X86_CR3  1
#define VM_EVENT_X86_CR4  2
#define VM_EVENT_X86_XCR0 3

/* The registers of an x86 vCPU at the event, those a monitor needs most. */
struct vm_event_regs_x86 {
    uint64_t rax;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t rbx;
    uint64_t rsp;
    uint64_t rbp;
    uint64_t rsi;
    uint64_t rdi;
    uint64_t r8;
    uint64_t r9;
    uint64_t r10;
    uint64_t r11;
    uint64_t r12;
    uint64_t r13;
    uint64_t r14;
    uint64_t r15;
    uint64_t rflags;
    uint64_t dr7;
    uint64_t rip;
    uint64_t cr0;
    uint64_t cr2;
    uint64_t cr3;
    uint64_t cr4;
    uint64_t sysenter_cs;
    uint64_t sysenter_esp;
    uint64_t sysenter_eip;
    uint64_t msr_efer;
    uint64_t msr_star;
    uint64_t msr_lstar;
    uint64_t fs_base;
    uint64_t gs_base;
    /* Access rights of CS: bits 0-3 type, 4 S, 5-6 DPL, 7 P, 8 AVL, 9 L, 10 D/B, 11 G. */
    uint32_t cs_arbytes;
    uint32_t _pad;
};

/* The registers of an Arm vCPU at the event, those a monitor needs most. */
struct vm_event_regs_arm {
    uint64_t ttbr0; /* Base of the page tables for the lower addresses. */
    uint64_t ttbr1; /* Base of the page tables for the upper addresses. */
    uint64_t ttbcr; /* Translation control, TCR_EL1 in 64-bit terms. */
    uint64_t pc;    /* The only one that VM_EVENT_FLAG_SET_REGISTERS can set. */
    uint32_t cpsr;  /* Processor state. */
    uint32_t _pad;
};

/*
 * How guest memory was touched. Xen sets these in requests, and a response hands them back. One
 * access can be of several kinds.
 */

#define MEM_ACCESS_R              (1 << 0) /* The access was a read. */
#define MEM_ACCESS_W              (1 << 1) /* The access was a write. */
#define MEM_ACCESS_X              (1 << 2) /* The access was an instruction fetch. */
#define MEM_ACCESS_RWX            (MEM_ACCESS_R | MEM_ACCESS_W | MEM_ACCESS_X)
#define MEM_ACCESS_RW             (MEM_ACCESS_R | MEM_ACCESS_W)
#define MEM_ACCESS_RX             (MEM_ACCESS_R | MEM_ACCESS_X)
#define MEM_ACCESS_WX             (MEM_ACCESS_W | MEM_ACCESS_X)
#define MEM_ACCESS_GLA_VALID      (1 << 3) /* The gla member is valid. */
#define MEM_ACCESS_FAULT_WITH_GLA (1 << 4) /* The access to gla itself failed. */
#define MEM_ACCESS_FAULT_IN_GPT   (1 << 5) /* The walk of guest page tables for gla failed. */

/* A memory access that the permissions of the page do not allow. */
struct vm_event_mem_access {
    uint64_t gfn;    /* Guest frame number of the page. */
    uint64_t offset; /* Byte in the page. */
    uint64_t gla;    /* Guest linear address, if flags has MEM_ACCESS_GLA_VALID. */
    uint32_t flags;  /* Kind of the access: MEM_ACCESS_*. */
    uint32_t _pad;
};

/* A write to a control register. */
struct vm_event_write_ctrlreg {
    uint32_t index; /* Which register: VM_EVENT_X86_*. */
    uint32_t _pad;
    uint64_t new_value;
    uint64_t old_value;
};

/* An instruction executed in single-stepping. */
struct vm_event_singlestep {
    uint64_t gfn; /* Guest frame of the instruction pointer, all ones if unmapped. */
};

/* A breakpoint or another debug exception, with what is needed to inject it. */
struct vm_event_debug {
    uint64_t gfn;         /* Guest frame of the instruction pointer, all ones if unmapped. */
    uint32_t insn_length; /* Length of the instruction; pass it on when injecting. */
    uint8_t type;         /* Kind of the exception, as xc_hvm_inject_trap takes it. */
    uint8_t _pad[3];
};

/* A write to a model-specific register. */
struct vm_event_mov_to_msr {
    uint64_t msr;       /* Number of the register. */
    uint64_t value;     /* What is written. */
};

/* An execution of CPUID. */
struct vm_event_cpuid {
    uint32_t insn_length; /* Length of the instruction, by which to move rip on. */
    uint32_t leaf;        /* EAX before the instruction. */
    uint32_t subleaf;     /* ECX before the instruction. */
    uint32_t _pad;
};

/* What befell a paged-out page. Xen sets these in requests. */

/* The guest has released the page: forget it, and hand the flag back in the response. */
#define MEM_PAGING_DROP_PAGE  (1 << 0)
/* The page was still being paged out; its eviction is going to fail. */
#define MEM_PAGING_EVICT_FAIL (1 << 1)

/* A page that the pager is to load or forget. */
struct vm_event_paging {
    uint64_t gfn;   /* Guest frame number of the page. */
    uint32_t p2mt;  /* Xen's internal number for the page's type. */
    uint32_t flags; /* What to do with the page: MEM_PAGING_*. */
};

/* A shared page that needs memory for a copy. */
struct vm_event_sharing {
    uint64_t gfn;  /* Guest frame number of the page. */
    uint32_t p2mt; /* Xen's internal number for the page's type. */
    uint32_t _pad;
};

/*
 * What an emulated instruction is to read. Goes with VM_EVENT_FLAG_SET_EMUL_READ_DATA. As large
 * as vm_event_regs_x86, in whose place it is sent.
 */
struct vm_event_emul_read_data {
    uint32_t size; /* Number of bytes of data that count. */
    uint8_t data[sizeof(struct vm_event_regs_x86) - sizeof(uint32_t)];
};

/* The instruction to emulate. Goes with VM_EVENT_FLAG_SET_EMUL_INSN_DATA. */
struct vm_event_emul_insn_data {
    uint8_t data[16]; /* The code to execute; fill all 16 bytes. */
};

/*
 * An event: a request from Xen, or the monitor's response to one. A response repeats version,
 * vcpu_id and reason of its request; Xen ignores one of another version, and the vCPU stays paused.
 */
typedef struct vm_event_st {
    uint32_t version;    /* Interface version of the sender: VM_EVENT_INTERFACE_VERSION. */
    uint32_t flags;      /* How the event came, or what to do about it: VM_EVENT_FLAG_*. */
    uint32_t reason;     /* What happened: VM_EVENT_REASON_*. */
    uint32_t vcpu_id;    /* Number of the vCPU that the event concerns. */
    uint16_t altp2m_idx; /* Index of an altp2m view, with VM_EVENT_FLAG_ALTERNATE_P2M. */
    uint16_t _pad[3];

    union {
        struct vm_event_paging mem_paging;
        struct vm_event_sharing mem_sharing;
        struct vm_event_mem_access mem_access;
        struct vm_event_write_ctrlreg write_ctrlreg;
        struct vm_event_mov_to_msr mov_to_msr;
        struct vm_event_singlestep singlestep;
        struct vm_event_debug software_breakpoint;
        struct vm_event_debug debug_exception;
        struct vm_event_cpuid cpuid;
    } u; /* Details, in the member named after the reason. */

    union {
        union {
            struct vm_event_regs_x86 x86;
            struct vm_event_regs_arm arm;
        } regs; /* The vCPU's registers, by architecture. */
        union {
            struct vm_event_emul_read_data read; /* With VM_EVENT_FLAG_SET_EMUL_READ_DATA. */
            struct vm_event_emul_insn_data insn; /* With VM_EVENT_FLAG_SET_EMUL_INSN_DATA. */
        } emul; /* Bytes for the emulator, in responses only. */
    } data; /* Registers, or bytes for the emulator in their place. */
} vm_event_request_t, vm_event_response_t;

/* The ring that events travel on. Xen is the front end, the monitor the back end. */
DEFINE_RING_TYPES(vm_event, vm_event_request_t, vm_event_response_t);

#endif /* defined(__XEN__) || defined(__XEN_TOOLS__) */
#endif /* _XEN_PUBLIC_VM_EVENT_H */
