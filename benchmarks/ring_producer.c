/*
 * The other sides of benchmarks/ring.py: the front half, which plays the hypervisor, and a back
 * half in C to compare with. Both are nothing but ring.h's macros on a shared file.
 *
 *     ring_producer produce FD COUNT PENDING
 *     ring_producer consume FD COUNT
 *     ring_producer alone FD COUNT
 *
 * `produce` sends COUNT requests through the ring in the open file FD, keeping up to PENDING of
 * them unanswered, holds each response against what it should be, and prints the nanoseconds from
 * the first request to the last response. `consume` answers COUNT requests as the monitors in
 * ring_monitors.py do. `alone` does so with requests that are there already, as many as the ring holds at a time,
 * and prints the nanoseconds that it took.
 */

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define __XEN_TOOLS__
#include "vm_event.h"

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

#define PAGE_BYTES 4096
#define PATIENCE_SECONDS 120

#define REQUEST_FLAGS VM_EVENT_FLAG_VCPU_PAUSED
#define RESPONSE_FLAGS (VM_EVENT_FLAG_VCPU_PAUSED | VM_EVENT_FLAG_EMULATE)

/* Waits for the other side to publish. Leaves the processor to it if that takes long. */
static void await(const volatile RING_IDX *index, RING_IDX known)
{
    unsigned int spins = 0;

    while (*index == known) {
#ifdef __x86_64__
        __builtin_ia32_pause();
#endif
        if (++spins % 64 == 0)
            sched_yield();
    }
}

static void fill(vm_event_request_t *request, uint32_t number)
{
    memset(request, 0, sizeof(*request));
    request->version = VM_EVENT_INTERFACE_VERSION;
    request->flags = REQUEST_FLAGS;
    request->reason = VM_EVENT_REASON_MEM_ACCESS;
    request->vcpu_id = number % 4;
    request->u.mem_access.gfn = 0x100000 + number;
    request->u.mem_access.gla = 0xffff800000000000 + number;
    request->u.mem_access.flags = MEM_ACCESS_W | MEM_ACCESS_GLA_VALID;
    request->data.regs.x86.rip = 0xffffffff81000000 + number;
    request->data.regs.x86.cr3 = 0x1aa000;
    request->data.regs.x86.rsp = 0xffffc90000000000 + number;
}

static int answers(const vm_event_response_t *response, uint32_t number)
{
    return response->flags == RESPONSE_FLAGS && response->vcpu_id == number % 4 &&
           response->u.mem_access.gfn == 0x100000 + number;
}

static void print_time_since(const struct timespec *from)
{
    struct timespec to;

    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%lld\n", (to.tv_sec - from->tv_sec) * 1000000000LL + to.tv_nsec - from->tv_nsec);
}

static void produce(struct vm_event_sring *page, uint32_t count, uint32_t pending)
{
    vm_event_front_ring_t front;
    uint32_t sent = 0, answered = 0;
    struct timespec from;

    FRONT_RING_INIT(&front, page, PAGE_BYTES);
    clock_gettime(CLOCK_MONOTONIC, &from);
    while (answered < count) {
        RING_IDX produced;

        while (sent < count && sent - answered < pending && !RING_FULL(&front))
            fill(RING_GET_REQUEST(&front, front.req_prod_pvt++), sent++);
        RING_PUSH_REQUESTS(&front);

        await(&page->rsp_prod, front.rsp_cons);
        produced = page->rsp_prod;
        xen_rmb();
        if (RING_RESPONSE_PROD_OVERFLOW(&front, produced))
            exit((fprintf(stderr, "more responses than requests\n"), 1));
        while (front.rsp_cons != produced)
            if (!answers(RING_GET_RESPONSE(&front, front.rsp_cons++), answered++))
                exit((fprintf(stderr, "response %u is wrong\n", answered - 1), 1));
    }
    print_time_since(&from);
}

/* Answers what is there, and asks to be told of more. */
static void drain(vm_event_back_ring_t *back)
{
    volatile uint64_t seen[10];
    RING_IDX produced = back->sring->req_prod;
    int more;

    xen_rmb();
    if (RING_REQUEST_PROD_OVERFLOW(back, produced))
        exit((fprintf(stderr, "more requests than the ring holds\n"), 1));
    while (back->req_cons != produced) {
        vm_event_request_t request;

        RING_COPY_REQUEST(back, back->req_cons++, &request);
        seen[0] = request.version;
        seen[1] = request.flags;
        seen[2] = request.reason;
        seen[3] = request.vcpu_id;
        seen[4] = request.u.mem_access.gfn;
        seen[5] = request.u.mem_access.gla;
        seen[6] = request.u.mem_access.flags;
        seen[7] = request.data.regs.x86.rip;
        seen[8] = request.data.regs.x86.cr3;
        seen[9] = request.data.regs.x86.rsp;
        request.flags = RESPONSE_FLAGS;
        *RING_GET_RESPONSE(back, back->rsp_prod_pvt++) = request;
    }
    RING_FINAL_CHECK_FOR_REQUESTS(back, more);
    RING_PUSH_RESPONSES(back);
    (void)more;
    (void)seen;
}

static void consume(struct vm_event_sring *page, uint32_t count)
{
    vm_event_back_ring_t back;

    BACK_RING_INIT(&back, page, PAGE_BYTES);
    while (back.rsp_prod_pvt != count) {
        await(&page->req_prod, back.req_cons);
        drain(&back);
    }
}

static void alone(struct vm_event_sring *page, uint32_t count)
{
    vm_event_back_ring_t back;
    struct timespec from;

    BACK_RING_INIT(&back, page, PAGE_BYTES);
    clock_gettime(CLOCK_MONOTONIC, &from);
    while (back.rsp_prod_pvt < count) {
        page->req_prod += RING_SIZE(&back);
        drain(&back);
    }
    print_time_since(&from);
}

int main(int argc, char **argv)
{
    void *page;
    uint32_t count;

    if (argc < 4)
        return 2;
    alarm(PATIENCE_SECONDS);
    page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[2]), 0);
    if (page == MAP_FAILED)
        return perror("mmap"), 1;
    count = strtoul(argv[3], NULL, 10);
    if (!strcmp(argv[1], "alone"))
        alone(page, count);
    else if (!strcmp(argv[1], "consume"))
        consume(page, count);
    else if (argc > 4)
        produce(page, count, strtoul(argv[4], NULL, 10));
    return 0;
}
