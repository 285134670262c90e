/*
 * The other side of a page of events, in a process of its own and with the macros of the header
 * HEADER: those that begin with PREFIX, and give events of the type IN_EVENT and, where the page has
 * them, OUT_EVENT. PAGE is the page's struct.
 *
 *     event_peer ROLE PAGE COUNT SECONDS
 *
 * PAGE is a file descriptor of the shared page, whose indices are where both directions begin.
 * ROLE is one of
 *
 *     back      put COUNT events of `in`, and take as many of `out`
 *     front     the other way round
 *     wild      write random words all over the page until it is killed
 *
 * The process ends itself after SECONDS. At the end it prints what it saw, as NAME=NUMBER words.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include HEADER

#define PAGE_SIZE 4096
#define FAILED 2
#define JOINED(prefix, name) prefix##_##name
#define NAMED(prefix, name) JOINED(prefix, name)
#define mb() __sync_synchronize()

static PAGE *page;
static uint64_t dice = 1;

/* The sums are Adler-32, over all events in their order. */
static uint64_t put, taken;
static uint32_t put_sum = 1, taken_sum = 1;

static void fail(const char *what, uint64_t at)
{
    fprintf(stderr, "%s at %llu\n", what, (unsigned long long)at);
    exit(FAILED);
}

static uint32_t roll(uint32_t sides)
{
    uint64_t mixed = dice += 0x9e3779b97f4a7c15;

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return sides ? (uint32_t)(mixed >> 32) % sides : (uint32_t)(mixed >> 32);
}

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

/* An event waits for its turn if another that waits has its place, as around 2^32. */
#define PUT(ref, length, cons, prod, type) do { \
    uint32_t consumed = *(volatile uint32_t *)&(cons), i; \
    type event; \
    if ((prod) - consumed > (length)) \
        fail("more events taken than put", put); \
    for (i = consumed; i != (prod) && &ref(page, i) != &ref(page, (prod)); i++) \
        ; \
    if (i == (prod) && (prod) - consumed < (length)) { \
        for (size_t j = 0; j < sizeof(event); j++) \
            ((uint8_t *)&event)[j] = (uint8_t)roll(256); \
        mb(); \
        ref(page, (prod)) = event; \
        mb(); \
        *(volatile uint32_t *)&(prod) = (prod) + 1; \
        put_sum = adler32(put_sum, &event, sizeof(event)); \
        put++; \
    } \
} while (0)

#define TAKE(ref, length, cons, prod, type) do { \
    uint32_t produced = *(volatile uint32_t *)&(prod); \
    type event; \
    if (produced - (cons) > (length)) \
        fail("more events than there is room for", taken); \
    mb(); \
    while ((cons) != produced) { \
        event = ref(page, (cons)); \
        mb(); \
        *(volatile uint32_t *)&(cons) = (cons) + 1; \
        taken_sum = adler32(taken_sum, &event, sizeof(event)); \
        taken++; \
    } \
} while (0)

#define IN_REF NAMED(PREFIX, IN_RING_REF)
#define IN(step) \
    step(IN_REF, NAMED(PREFIX, IN_RING_LEN), page->in_cons, page->in_prod, IN_EVENT)
#ifdef OUT_EVENT
#define OUT_REF NAMED(PREFIX, OUT_RING_REF)
#define OUT(step) \
    step(OUT_REF, NAMED(PREFIX, OUT_RING_LEN), page->out_cons, page->out_prod, OUT_EVENT)
#define HAS_OUT 1
#else
#define OUT(step) ((void)0)
#define HAS_OUT 0
#endif

static void run(int is_back, uint64_t count)
{
    uint64_t to_put = is_back || HAS_OUT ? count : 0, to_take = !is_back || HAS_OUT ? count : 0;

    while (put < to_put || taken < to_take) {
        uint64_t before = put + taken;

        for (uint32_t batch = roll(8); batch && put < to_put; batch--)
            if (is_back)
                IN(PUT);
            else
                OUT(PUT);
        if (is_back)
            OUT(TAKE);
        else
            IN(TAKE);
        if (put + taken == before)
            sched_yield();
    }
}

/* By turns an index is anything at all, or near to where it is; the events always change. */
static void scribble(void)
{
    volatile uint32_t *words = (volatile uint32_t *)page;

    for (;;) {
        uint32_t word = roll(0), index = roll(4);

        if (roll(64))
            words[4 + roll(PAGE_SIZE / 4 - 4)] = word;
        else if (!roll(4))
            words[index] = word;
        else
            words[index] = words[index ^ 1] + roll(60) - 4;
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        fail("wrong number of arguments", (uint64_t)argc);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm((unsigned)atoi(argv[4]));
    page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[2]), 0);
    if (page == MAP_FAILED)
        fail("cannot map the page", 0);
    if (!strcmp(argv[1], "wild"))
        scribble();
    run(!strcmp(argv[1], "back"), strtoull(argv[3], NULL, 10));
    printf("put=%llu taken=%llu put_sum=%u taken_sum=%u\n", (unsigned long long)put,
           (unsigned long long)taken, put_sum, taken_sum);
    return 0;
}
