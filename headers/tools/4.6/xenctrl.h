/*
 * What a monitor needs of libxenctrl, as Xen 4.6 has it.
 *
 * A function gives 0 or more, and -1 for an error, which errno tells; one that
 * gives a pointer NULL.  Names, types, order and values are Xen's, the words ours.
 */

#ifndef XENCTRL_H
#define XENCTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 64 bits, aligned as on 64-bit machines. */
#define uint64_aligned_t uint64_t __attribute__((aligned(8)))

typedef uint16_t domid_t;
typedef unsigned long xen_pfn_t;
typedef uint32_t grant_ref_t;
typedef uint8_t xen_domain_handle_t[16];

typedef struct xc_interface_core xc_interface;
typedef struct xentoollog_logger xentoollog_logger;
typedef union vcpu_guest_context_any vcpu_guest_context_any_t;

/* How xc_interface_open is to open. */
enum xc_open_flags {
    XC_OPENFLAG_DUMMY = 1 << 0, /* not at all: for a dry run */
    XC_OPENFLAG_NON_REENTRANT = 1 << 1, /* for one thread at a time */
};

/* What the flags of a domain say of it. */
#define XEN_DOMINF_dying (1U << 0) /* its end has begun */
#define XEN_DOMINF_hvm_guest (1U << 1) /* it is no PV guest */
#define XEN_DOMINF_shutdown (1U << 2) /* it has shut down */
#define XEN_DOMINF_paused (1U << 3) /* the tools have paused it */
#define XEN_DOMINF_blocked (1U << 4) /* it waits for an event */
#define XEN_DOMINF_running (1U << 5) /* one of its vCPUs is on a CPU */
#define XEN_DOMINF_debugged (1U << 6) /* a debugger has paused it */

/* Where the flags have the code that the guest gave when it shut down. */
#define XEN_DOMINF_shutdownmask 255
#define XEN_DOMINF_shutdownshift 16

/* What a guest may do with a page. */
typedef enum {
    XENMEM_access_n, /* nothing */
    XENMEM_access_r,
    XENMEM_access_w,
    XENMEM_access_rw,
    XENMEM_access_x,
    XENMEM_access_rx,
    XENMEM_access_wx,
    XENMEM_access_rwx,
    XENMEM_access_rx2rw, /* read and execute; a write turns it into rw */
    XENMEM_access_n2rwx, /* nothing; the first access is told and makes it rwx */
    XENMEM_access_default /* what the domain has where nothing is said */
} xenmem_access_t;

/* A domain, as Xen tells of it. */
struct xen_domctl_getdomaininfo {
    domid_t domain;
    uint32_t flags; /* XEN_DOMINF_*; above them why it shut down */
    uint64_aligned_t tot_pages; /* Of memory that it has. */
    uint64_aligned_t max_pages; /* Of memory that it may have. */
    uint64_aligned_t outstanding_pages; /* Claimed, but not its own yet. */
    uint64_aligned_t shr_pages; /* Shared with other domains. */
    uint64_aligned_t paged_pages; /* Paged out. */
    uint64_aligned_t shared_info_frame;
    uint64_aligned_t cpu_time; /* Nanoseconds that its vCPUs ran. */
    uint32_t nr_online_vcpus;
    uint32_t max_vcpu_id;
    uint32_t ssidref;
    xen_domain_handle_t handle; /* Its UUID. */
    uint32_t cpupool;
};
typedef struct xen_domctl_getdomaininfo xen_domctl_getdomaininfo_t;
typedef xen_domctl_getdomaininfo_t xc_domaininfo_t;

/* A vCPU, as Xen tells of it. */
struct xen_domctl_getvcpuinfo {
    uint32_t vcpu; /* Its number. */
    uint8_t online; /* Whether it is plugged in. */
    uint8_t blocked; /* Whether it waits for an event. */
    uint8_t running; /* Whether it is on a CPU. */
    uint64_aligned_t cpu_time; /* Nanoseconds that it ran. */
    uint32_t cpu; /* The CPU that it is on. */
};
typedef struct xen_domctl_getvcpuinfo xc_vcpuinfo_t;

/* A domain, as libxenctrl tells of it. */
typedef struct xc_dominfo {
    uint32_t domid;
    uint32_t ssidref;
    unsigned int dying : 1;
    unsigned int crashed : 1;
    unsigned int shutdown : 1;
    unsigned int paused : 1;
    unsigned int blocked : 1;
    unsigned int running : 1;
    unsigned int hvm : 1;
    unsigned int debugged : 1;
    unsigned int pvh : 1;
    unsigned int xenstore : 1;
    unsigned int shutdown_reason; /* If it is shut down. */
    unsigned long nr_pages; /* Of memory that it has. */
    unsigned long nr_outstanding_pages; /* Claimed, but not its own yet. */
    unsigned long nr_shared_pages;
    unsigned long nr_paged_pages;
    unsigned long shared_info_frame;
    uint64_t cpu_time; /* Nanoseconds that its vCPUs ran. */
    unsigned long max_memkb;
    unsigned int nr_online_vcpus;
    unsigned int max_vcpu_id;
    xen_domain_handle_t handle; /* Its UUID. */
    unsigned int cpupool;
} xc_dominfo_t;

/* The way to the hypervisor. */

/*
 * Open a way to the hypervisor, which xc_interface_close ends. Without a
 * logger, errors are written to stderr.
 */
xc_interface *xc_interface_open(xentoollog_logger *logger,
    xentoollog_logger *dombuild_logger, unsigned open_flags);

/* Close it, with all that was opened for it. */
int xc_interface_close(xc_interface *xch);

/* Whether this library only plays a hypervisor: 1 if so. */
int xc_interface_is_fake(void);

/* Domains and vCPUs. */

/* Stop all vCPUs of a domain; pauses are counted. */
int xc_domain_pause(xc_interface *xch, uint32_t domid);

/* Take one pause back; at none the domain runs. */
int xc_domain_unpause(xc_interface *xch, uint32_t domid);

/* Tell of as many domains, from first_domid on. Gives how many there were. */
int xc_domain_getinfo(xc_interface *xch, uint32_t first_domid,
    unsigned int max_doms, xc_dominfo_t *info);

/* Tell of as many domains, from first_domain on. Gives how many there were. */
int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain,
    unsigned int max_domains, xc_domaininfo_t *info);

/* The highest guest frame number of a domain. */
int xc_domain_maximum_gpfn(xc_interface *xch, domid_t domid, xen_pfn_t *gpfns);

/*
 * Whether Xen ends a domain that does what it may not while nobody monitors.
 */
int xc_domain_set_access_required(xc_interface *xch, uint32_t domid,
    unsigned int required);

/* Set a domain's clock off from the machine's. */
int xc_domain_set_time_offset(xc_interface *xch, uint32_t domid,
    int32_t time_offset_seconds);

/* Have a vCPU step: sop is one of XEN_DOMCTL_DEBUG_OP_*. */
int xc_domain_debug_control(xc_interface *xch, uint32_t domid, uint32_t sop,
    uint32_t vcpu);

/* Tell of one vCPU, or fail with ESRCH if there is none. */
int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu,
    xc_vcpuinfo_t *info);

/* Read the registers of a vCPU, which should be paused. */
int xc_vcpu_getcontext(xc_interface *xch, uint32_t domid, uint32_t vcpu,
    vcpu_guest_context_any_t *ctxt);

/* Set the registers of a vCPU, which should be paused. */
int xc_vcpu_setcontext(xc_interface *xch, uint32_t domid, uint32_t vcpu,
    vcpu_guest_context_any_t *ctxt);

/*
 * The frame number behind an address of the guest's, by the page tables of a
 * vCPU; 0 if there is none.
 */
unsigned long xc_translate_foreign_address(xc_interface *xch, uint32_t dom,
    int vcpu, unsigned long long virt);

/* Map memory of a domain from this frame on. */
void *xc_map_foreign_range(xc_interface *xch, uint32_t dom, int size, int prot,
    unsigned long mfn);

/*
 * Give a domain nr_extents pieces of memory of 2^extent_order pages, at the
 * page numbers that extent_start lists; all, or it is an error.
 */
int xc_domain_populate_physmap_exact(xc_interface *xch, uint32_t domid,
    unsigned long nr_extents, unsigned int extent_order,
    unsigned int mem_flags, xen_pfn_t *extent_start);

/* Take such pieces away; all, or it is an error. */
int xc_domain_decrease_reservation_exact(xc_interface *xch, uint32_t domid,
    unsigned long nr_extents, unsigned int extent_order,
    xen_pfn_t *extent_start);

/* Read a parameter of an HVM guest. */
int xc_hvm_param_get(xc_interface *handle, domid_t dom, uint32_t param,
    uint64_t *value);

/* Set a parameter of an HVM guest. */
int xc_hvm_param_set(xc_interface *handle, domid_t dom, uint32_t param,
    uint64_t value);

/*
 * Have a vCPU take a trap when it goes on; an error_code of all ones stands
 * for none.
 */
int xc_hvm_inject_trap(xc_interface *xch, domid_t dom, int vcpu,
    uint32_t vector, uint32_t type, uint32_t error_code, uint32_t insn_len,
    uint64_t cr2);

/* What a guest may do with its memory. */

/* Read what the guest may do with a page. */
int xc_get_mem_access(xc_interface *xch, domid_t domain_id, uint64_t pfn,
    xenmem_access_t *access);

/*
 * Set what the guest may do with nr pages from first_pfn on; what it may not
 * is reported.
 */
int xc_set_mem_access(xc_interface *xch, domid_t domain_id,
    xenmem_access_t access, uint64_t first_pfn, uint32_t nr);

/* Monitoring: each of these has events reported or not. */

/*
 * Give a domain a monitor: maps its ring, and tells the port of its event
 * channel.
 */
void *xc_monitor_enable(xc_interface *xch, domid_t domain_id, uint32_t *port);

/* Take the ring away. The caller unmaps it. */
int xc_monitor_disable(xc_interface *xch, domid_t domain_id);

/* Have Xen look at the responses, for who has no event channel. */
int xc_monitor_resume(xc_interface *xch, domid_t domain_id);

/*
 * Which events can be reported of this domain: bit N stands for
 * XEN_DOMCTL_MONITOR_EVENT_* N.
 */
int xc_monitor_get_capabilities(xc_interface *xch, domid_t domain_id,
    uint32_t *capabilities);

/*
 * Report writes to a control register: VM_EVENT_X86_CR0 and the like, or those
 * with onchangeonly that change it.
 */
int xc_monitor_write_ctrlreg(xc_interface *xch, domid_t domain_id,
    uint16_t index, bool enable, bool sync, bool onchangeonly);

/* Report writes to model-specific registers. */
int xc_monitor_mov_to_msr(xc_interface *xch, domid_t domain_id, bool enable,
    bool extended_capture);

/* Report each step of a vCPU that steps. */
int xc_monitor_singlestep(xc_interface *xch, domid_t domain_id, bool enable);

/* Report breakpoint instructions. */
int xc_monitor_software_breakpoint(xc_interface *xch, domid_t domain_id,
    bool enable);

/* Report what the guest asks for by a hypercall. */
int xc_monitor_guest_request(xc_interface *xch, domid_t domain_id, bool enable,
    bool sync);

/* Alternative views of a guest's memory. */

/* Whether a domain has alternative views of its memory. */
int xc_altp2m_get_domain_state(xc_interface *handle, domid_t dom, bool *state);

/* Switch alternative views of a domain's memory on or off. */
int xc_altp2m_set_domain_state(xc_interface *handle, domid_t dom, bool state);

/* Have a vCPU take #VE exceptions, told in the page gfn. */
int xc_altp2m_set_vcpu_enable_notify(xc_interface *handle, domid_t domid,
    uint32_t vcpuid, xen_pfn_t gfn);

/* Make a view, where pages have this access unless it is set otherwise. */
int xc_altp2m_create_view(xc_interface *handle, domid_t domid,
    xenmem_access_t default_access, uint16_t *view_id);

/* Do away with a view. */
int xc_altp2m_destroy_view(xc_interface *handle, domid_t domid,
    uint16_t view_id);

/* Have all vCPUs of a domain see its memory through a view. */
int xc_altp2m_switch_to_view(xc_interface *handle, domid_t domid,
    uint16_t view_id);

/* Set what the guest may do with a page of a view. */
int xc_altp2m_set_mem_access(xc_interface *handle, domid_t domid,
    uint16_t view_id, xen_pfn_t gfn, xenmem_access_t access);

/* Show another page in a page's place, in one view. */
int xc_altp2m_change_gfn(xc_interface *handle, domid_t domid, uint16_t view_id,
    xen_pfn_t old_gfn, xen_pfn_t new_gfn);

/* Paging. */

/* Give a domain a pager; tells the port of its event channel. */
int xc_mem_paging_enable(xc_interface *xch, domid_t domain_id, uint32_t *port);

/* Take it away. */
int xc_mem_paging_disable(xc_interface *xch, domid_t domain_id);

/* Have Xen look at the pager's responses. */
int xc_mem_paging_resume(xc_interface *xch, domid_t domain_id);

/* Choose a page to be paged out. */
int xc_mem_paging_nominate(xc_interface *xch, domid_t domain_id, uint64_t gfn);

/* Page it out: what it held is lost to Xen. */
int xc_mem_paging_evict(xc_interface *xch, domid_t domain_id, uint64_t gfn);

/* Make room for a page that comes back. */
int xc_mem_paging_prep(xc_interface *xch, domid_t domain_id, uint64_t gfn);

/* The same, and fill it from the buffer, a page of memory. */
int xc_mem_paging_load(xc_interface *xch, domid_t domain_id, uint64_t gfn,
    void *buffer);

/* Sharing memory. */

/* Switch sharing of a domain's pages on or off. */
int xc_memshr_control(xc_interface *xch, domid_t domid, int enable);

/*
 * Give a domain a ring for when there is no memory; tells the port of its
 * event channel.
 */
int xc_memshr_ring_enable(xc_interface *xch, domid_t domid, uint32_t *port);

/* Take it away. */
int xc_memshr_ring_disable(xc_interface *xch, domid_t domid);

/* Make a page shareable; tells the handle of what it holds. */
int xc_memshr_nominate_gfn(xc_interface *xch, domid_t domid, unsigned long gfn,
    uint64_t *handle);

/* The same for a page that a grant names. */
int xc_memshr_nominate_gref(xc_interface *xch, domid_t domid, grant_ref_t gref,
    uint64_t *handle);

/* Have the client share the source's page. */
int xc_memshr_share_gfns(xc_interface *xch, domid_t source_domain,
    unsigned long source_gfn, uint64_t source_handle, domid_t client_domain,
    unsigned long client_gfn, uint64_t client_handle);

/* The same for pages that grants name. */
int xc_memshr_share_grefs(xc_interface *xch, domid_t source_domain,
    grant_ref_t source_gref, uint64_t source_handle, domid_t client_domain,
    grant_ref_t client_gref, uint64_t client_handle);

/* Put a shared page where the client has none. */
int xc_memshr_add_to_physmap(xc_interface *xch, domid_t source_domain,
    unsigned long source_gfn, uint64_t source_handle, domid_t client_domain,
    unsigned long client_gfn);

/* Have a domain go on that waited for memory. */
int xc_memshr_domain_resume(xc_interface *xch, domid_t domid);

/* Have Xen write to its console what a page shares. */
int xc_memshr_debug_gfn(xc_interface *xch, domid_t domid, unsigned long gfn);

/* The same for a page that a grant names. */
int xc_memshr_debug_gref(xc_interface *xch, domid_t domid, grant_ref_t gref);

/* Count what is wrong with shared pages, told on Xen's console. */
int xc_memshr_audit(xc_interface *xch);

#endif
