/*
 * What libxencall does for examples/domains.py, without a hypervisor: by Xen's own headers.
 *
 * There are $DOMAINS domains, whose numbers are 0, 3, 6 and so on.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define __XEN_TOOLS__
#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/sysctl.h>

void *xencall_open(void *logger, unsigned flags) { return malloc(1); }
int xencall_close(void *handle) { free(handle); return 0; }
void *xencall_alloc_buffer(void *handle, size_t size) { return calloc(1, size); }
void xencall_free_buffer(void *handle, void *buffer) { free(buffer); }

static void tell(xen_domctl_getdomaininfo_t *info, unsigned number)
{
    static const uint32_t flags[] = {
        XEN_DOMINF_running,
        XEN_DOMINF_hvm_guest | XEN_DOMINF_blocked,
        XEN_DOMINF_hvm_guest | XEN_DOMINF_paused,
        XEN_DOMINF_hvm_guest | XEN_DOMINF_shutdown | SHUTDOWN_crash << XEN_DOMINF_shutdownshift,
        XEN_DOMINF_shutdown | XEN_DOMINF_dying | SHUTDOWN_poweroff << XEN_DOMINF_shutdownshift,
    };

    info->domain = 3 * number;
    info->flags = flags[number % 5];
    info->tot_pages = 256 * (1024 >> number % 5) - 1;
    info->outstanding_pages = 1;
    info->max_pages = ~0;
    info->cpu_time = 1234567890123 / (number + 1);
    info->nr_online_vcpus = number + 1;
    info->max_vcpu_id = ~0;
}

int xencall1(void *handle, unsigned op, uint64_t argument)
{
    struct xen_sysctl *request = (void *)argument;
    struct xen_sysctl_getdomaininfolist *wanted = &request->u.getdomaininfolist;
    unsigned domains = atoi(getenv("DOMAINS"));

    errno = op != __HYPERVISOR_sysctl ? ENOSYS
            : request->interface_version != XEN_SYSCTL_INTERFACE_VERSION ? EACCES
            : request->cmd != XEN_SYSCTL_getdomaininfolist ? EOPNOTSUPP
            : 0;
    if (errno)
        return -1;
    wanted->num_domains = 0;
    for (unsigned number = 0; number < domains; number++)
        if (3 * number >= wanted->first_domain && wanted->num_domains < wanted->max_domains)
            tell(&wanted->buffer.p[wanted->num_domains++], number);
    return 0;
}
