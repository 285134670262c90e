/*
 * The other side of a vm_event ring, in a process of its own and with ring.h's macros.
 *
 *     ring_peer ROLE PAGE OWN OTHER START COUNT SEED SECONDS PATIENCE LOSSES
 *
 * PAGE is a file descriptor of the shared page. OWN and OTHER are eventfds, by which this side
 * is woken and wakes the other; with -1 both sides poll. ROLE is one of
 *
 *     front     send requests until COUNT are answered, and compare every answer
 *     back      take and answer COUNT requests
 *     wild_front, wild_back
 *               write random words all over the page until it is killed
 *
 * With a COUNT of 0 the other side says when it has had enough, by the first byte of pvt_pad; a
 * front then sets the second one when everything it sent is answered.
 *
 * The process ends itself after SECONDS. A wake-up is lost if nothing came for PATIENCE
 * milliseconds though the other side has published; LOSSES of them are one too many. At the end
 * it prints what it saw, as NAME=NUMBER words.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define xen_mb() __sync_synchronize()
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include "vm_event.h"

#define PAGE_SIZE 4096
#define FAILED 2
#define LOST 3

static vm_event_sring_t *page;
static int own, other;
static uint64_t count, seed, dice;
static int patience;
static unsigned allowed_losses;

/* What is reported. The sums are Adler-32, over everything in its order. */
static uint64_t requests, responses, sleeps, lost;
static uint32_t requests_sum = 1, members_sum = 1, responses_sum = 1;

static void fail(const char *what, uint64_t at)
{
    fprintf(stderr, "%s at %llu\n", what, (unsigned long long)at);
    exit(FAILED);
}

static uint64_t mixed(uint64_t number)
{
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
    number = (number ^ number >> 27) * 0x94d049bb133111eb;
    return number ^ number >> 31;
}

static uint32_t roll(uint32_t sides)
{
    dice += 0x9e3779b97f4a7c15;
    return (uint32_t)(mixed(dice) >> 32) % sides;
}

/* A few microseconds at most, and mostly less, on a side that sleeps. */
static void delay(void)
{
    for (uint32_t turn = own < 0 ? 0 : roll(1u << roll(13)); turn; turn--)
        __asm__ volatile("");
}

/* The sum over a piece goes on from the sum before it. A piece is no longer than 5552 bytes. */
static uint32_t adler32(uint32_t sum, const void *piece, size_t size)
{
    const uint8_t *octets = piece;
    uint32_t low = sum & 0xffff, high = sum >> 16;

    for (size_t i = 0; i < size; i++) {
        low += octets[i];
        high += low;
    }
    return high % 65521 << 16 | low % 65521;
}

/* The members that a selecting back end looks at, one behind another. */
static uint32_t add_members(uint32_t sum, const vm_event_request_t *request)
{
    sum = adler32(sum, &request->u.mem_access.gfn, 8);
    sum = adler32(sum, &request->reason, 4);
    sum = adler32(sum, &request->altp2m_idx, 2);
    sum = adler32(sum, &request->data.regs.x86.rip, 8);
    return adler32(sum, &request->data.regs.x86.gs_sel, 2);
}

/* Every byte of a request depends on its number, which is also one of its members. */
static void fill(vm_event_request_t *request, uint64_t number)
{
    uint64_t words[sizeof(*request) / 8];

    for (size_t i = 0; i < sizeof(words) / 8; i++)
        words[i] = mixed(seed + number * 64 + i);
    memcpy(request, words, sizeof(*request));
    request->version = VM_EVENT_INTERFACE_VERSION;
    request->u.mem_access.gfn = number;
}

static int stopped(void)
{
    return *(volatile uint8_t *)&page->pvt.pvt_pad[0];
}

static void wake_other(void)
{
    uint64_t one = 1;

    if (other >= 0 && write(other, &one, sizeof(one)) != sizeof(one))
        fail("cannot write the eventfd", 0);
}

static int woken(void)
{
    struct pollfd bell = { .fd = own, .events = POLLIN };

    while (poll(&bell, 1, patience) < 0)
        if (errno != EINTR)
            fail("cannot poll the eventfd", 0);
    return bell.revents & POLLIN;
}

/* The private halves are only looked at here, to see whether something was published. */
static int published(const vm_event_front_ring_t *front, const vm_event_back_ring_t *back)
{
    xen_mb();
    return front ? RING_HAS_UNCONSUMED_RESPONSES(front) : RING_HAS_UNCONSUMED_REQUESTS(back);
}

/*
 * Of two that sleep, mostly one is asleep while the other publishes. To publish just when the
 * other side is about to sleep, this one has to be awake: it looks for news without asking to be
 * notified, for so long as the other side takes to wake up.
 */
static void watch(const vm_event_front_ring_t *front, const vm_event_back_ring_t *back)
{
    for (uint32_t turn = own < 0 || !roll(4) ? 0 : 5000; turn; turn--)
        if (published(front, back))
            return;
}

static void wait(const vm_event_front_ring_t *front, const vm_event_back_ring_t *back)
{
    static unsigned polls;
    uint64_t rung;

    if (own < 0) {
        /* On a busy machine the other side gets a CPU sooner if this one does not hog its own. */
        if (!(++polls % 4096))
            usleep(20);
        return;
    }
    sleeps++;
    while (!woken()) {
        /* The other side may be between publishing and waking: it gets the time once more. */
        if (!published(front, back) || woken())
            continue;
        if (++lost == allowed_losses) {
            fprintf(stderr, "lost wake-up in sleep %llu\n", (unsigned long long)sleeps);
            exit(LOST);
        }
        return;
    }
    if (read(own, &rung, sizeof(rung)) != sizeof(rung))
        fail("cannot read the eventfd", 0);
}

static void take_responses(vm_event_front_ring_t *front)
{
    vm_event_response_t response, expected;
    RING_IDX produced = front->sring->rsp_prod;

    if (RING_RESPONSE_PROD_OVERFLOW(front, produced) || produced - front->rsp_cons
        > requests - responses)
        fail("more responses than requests", responses);
    xen_rmb();
    while (front->rsp_cons != produced) {
        RING_COPY_RESPONSE(front, front->rsp_cons, &response);
        front->rsp_cons++;
        fill(&expected, responses);
        expected.flags &= VM_EVENT_FLAG_VCPU_PAUSED; /* kept, whatever flags are asked for */
        expected.flags |= ~(uint32_t)responses;
        if (memcmp(&response, &expected, sizeof(response)))
            fail("a response is not its request with the flags asked for", responses);
        responses_sum = adler32(responses_sum, &response, sizeof(response));
        responses++;
    }
}

static void run_front(RING_IDX start)
{
    vm_event_front_ring_t front;
    int notify, more;

    FRONT_RING_ATTACH(&front, page, start, PAGE_SIZE);
    while (count ? responses < count : !stopped() || responses < requests) {
        uint32_t batch = roll(own < 0 ? RING_SIZE(&front) : 2) + 1;

        for (; batch && !RING_FULL(&front); batch--) {
            vm_event_request_t *request = RING_GET_REQUEST(&front, front.req_prod_pvt);

            if (count ? requests == count : stopped())
                break;
            fill(request, requests++);
            requests_sum = adler32(requests_sum, request, sizeof(*request));
            members_sum = add_members(members_sum, request);
            front.req_prod_pvt++;
        }
        if (page->req_prod != front.rsp_cons)
            watch(&front, NULL);
        delay();
        RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front, notify);
        if (notify)
            wake_other();
        take_responses(&front);
        if (own >= 0 && roll(8) && !RING_FULL(&front) && !stopped())
            continue;
        RING_FINAL_CHECK_FOR_RESPONSES(&front, more);
        if (!more && responses < requests)
            wait(&front, NULL);
    }
    __atomic_store_n(&page->pvt.pvt_pad[1], 1, __ATOMIC_SEQ_CST);
    wake_other();
}

static void run_back(RING_IDX start)
{
    vm_event_back_ring_t back;
    vm_event_request_t request;
    int notify, more;

    BACK_RING_ATTACH(&back, page, start, PAGE_SIZE);
    while (count ? requests < count : !stopped()) {
        RING_IDX produced = page->req_prod;

        if (RING_REQUEST_PROD_OVERFLOW(&back, produced))
            fail("more requests than entries", requests);
        xen_rmb();
        while (back.req_cons != produced) {
            RING_COPY_REQUEST(&back, back.req_cons, &request);
            back.req_cons++;
            if (request.u.mem_access.gfn != requests)
                fail("another request than the next one", requests);
            requests_sum = adler32(requests_sum, &request, sizeof(request));
            request.flags = ~(uint32_t)requests++;
            responses_sum = adler32(responses_sum, &request, sizeof(request));
            *RING_GET_RESPONSE(&back, back.rsp_prod_pvt) = request;
            back.rsp_prod_pvt++;
            responses++;
            delay();
        }
        RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&back, notify);
        if (notify)
            wake_other();
        watch(NULL, &back);
        RING_FINAL_CHECK_FOR_REQUESTS(&back, more);
        if (!more && (!count || requests < count))
            wait(NULL, &back);
    }
}

/*
 * By turns everything is anything at all, and only this side's producer index changes: to where
 * an honest side could be, forwards or backwards, or to one beyond. The entries always change.
 */
static void scribble(int as_back)
{
    volatile uint32_t *words = (volatile uint32_t *)page;
    volatile uint32_t *producer = &words[as_back ? 2 : 0];

    for (uint32_t turn = 0;; turn++) {
        uint32_t word = (uint32_t)mixed(dice ^ seed), place = roll(512);

        if (place >= 2)
            words[4 + roll(PAGE_SIZE / 4 - 4)] = word;
        else if (turn >> 18 & 1)
            words[roll(4)] = roll(2) ? word : words[roll(4)] + roll(20) - 10;
        else if (place)
            *producer = producer[1] - roll(2); /* what the other side asked to hear of */
        else if (as_back)
            words[2] = words[0] - roll(10);
        else
            words[0] = words[2] + roll(10);
    }
}

int main(int argc, char **argv)
{
    if (argc != 11)
        fail("wrong number of arguments", (uint64_t)argc);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    own = atoi(argv[3]);
    other = atoi(argv[4]);
    count = strtoull(argv[6], NULL, 10);
    dice = seed = strtoull(argv[7], NULL, 10);
    alarm((unsigned)atoi(argv[8]));
    patience = atoi(argv[9]);
    allowed_losses = (unsigned)atoi(argv[10]);
    page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[2]), 0);
    if (page == MAP_FAILED)
        fail("cannot map the page", 0);
    if (!strcmp(argv[1], "front"))
        run_front((RING_IDX)strtoul(argv[5], NULL, 10));
    else if (!strcmp(argv[1], "back"))
        run_back((RING_IDX)strtoul(argv[5], NULL, 10));
    else
        scribble(!strcmp(argv[1], "wild_back"));
    printf("requests=%llu responses=%llu requests_sum=%u members_sum=%u responses_sum=%u"
           " sleeps=%llu lost=%llu\n",
           (unsigned long long)requests, (unsigned long long)responses, requests_sum,
           members_sum, responses_sum, (unsigned long long)sleeps, (unsigned long long)lost);
    return 0;
}
