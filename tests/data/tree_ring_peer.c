/*
 * One side of any ring of ring.h's, in a process of its own and with the header's own macros.
 *
 *     peer ROLE PAGE START COUNT
 *
 * HEADER and RING are macros of the command line; PAGE is a file with the shared page. As `front`
 * it sends COUNT requests from the index START and compares every response, as `back` it
 * compares the requests and answers them. What each byte is to be, `octet` says. The process ends
 * with 0 if all was as it must be, and itself after a minute.
 */
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define xen_mb() __sync_synchronize()
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include HEADER

#define JOINED(name, ending) name##ending
#define NAMED(name, ending) JOINED(name, ending)
typedef struct NAMED(RING, _sring) sring_t;
typedef struct NAMED(RING, _front_ring) front_t;
typedef struct NAMED(RING, _back_ring) back_t;

static unsigned char octet(uint32_t number, size_t place, unsigned kind)
{
    return (number * 2654435761u >> 24) + place * 31 + kind;
}

static void fill(void *entry, size_t size, uint32_t number, unsigned kind)
{
    for (size_t place = 0; place < size; place++)
        ((unsigned char *)entry)[place] = octet(number, place, kind);
}

static void compare(const void *entry, size_t size, uint32_t number, unsigned kind)
{
    for (size_t place = 0; place < size; place++)
        if (((const unsigned char *)entry)[place] != octet(number, place, kind)) {
            fprintf(stderr, "byte %zu of number %u differs\n", place, number);
            exit(2);
        }
}

static void front(sring_t *page, uint32_t start, uint32_t count)
{
    front_t ring;
    uint32_t sent = 0, answered = 0;

    FRONT_RING_INIT(&ring, page, 4096);
    ring.req_prod_pvt = ring.rsp_cons = start;
    while (answered < count) {
        while (sent < count && !RING_FULL(&ring)) {
            void *request = RING_GET_REQUEST(&ring, ring.req_prod_pvt);
            fill(request, sizeof(page->ring[0].req), sent++, 1);
            ring.req_prod_pvt++;
        }
        RING_PUSH_REQUESTS(&ring);
        while (RING_HAS_UNCONSUMED_RESPONSES(&ring)) {
            void *response = RING_GET_RESPONSE(&ring, ring.rsp_cons);
            compare(response, sizeof(page->ring[0].rsp), answered++, 2);
            ring.rsp_cons++;
        }
        sched_yield();
    }
}

static void back(sring_t *page, uint32_t start, uint32_t count)
{
    back_t ring;
    uint32_t answered = 0;

    BACK_RING_INIT(&ring, page, 4096);
    ring.rsp_prod_pvt = ring.req_cons = start;
    while (answered < count) {
        while (RING_HAS_UNCONSUMED_REQUESTS(&ring)) {
            void *request = RING_GET_REQUEST(&ring, ring.req_cons);
            compare(request, sizeof(page->ring[0].req), answered, 1);
            ring.req_cons++;
            void *response = RING_GET_RESPONSE(&ring, ring.rsp_prod_pvt);
            fill(response, sizeof(page->ring[0].rsp), answered++, 2);
            ring.rsp_prod_pvt++;
        }
        RING_PUSH_RESPONSES(&ring);
        sched_yield();
    }
}

int main(int argc, char **argv)
{
    int file = open(argv[2], O_RDWR);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    uint32_t start = strtoul(argv[3], NULL, 0), count = strtoul(argv[4], NULL, 0);

    alarm(60);
    if (page == MAP_FAILED)
        return 1;
    (strcmp(argv[1], "front") ? back : front)(page, start, count);
    return 0;
}
