/*
 * The other side of a page with rings of bytes, in a process of its own and with what the header
 * HEADER says of them.
 *
 *     byte_peer SIDE FD COUNT SECONDS
 *
 * FD is a file of the page, and behind it what memory the page grants. SIDE is one of
 *
 *     front, back   send COUNT bytes and take as many, in pieces of random lengths
 *     wild          write random words all over the page until it is killed
 *
 * The process ends itself after SECONDS. At the end it prints what it saw, as NAME=NUMBER words; the
 * sums are Adler-32.
 *
 * PAGE is the page's struct. Of the bytes that the front end reads FRONT_CONS and FRONT_PROD are the
 * indices, FRONT_SIZE is their number, and FRONT_AT(idx) the one that an index stands for; of those
 * that the back end reads BACK_CONS and so on. The words of PAGE behind the first HEAD bytes are no
 * orders.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include HEADER

static PAGE *page;
static uint8_t *granted;
static uint64_t dice = 1;

static uint32_t roll(uint32_t sides)
{
    uint64_t mixed = dice += 0x9e3779b97f4a7c15;

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return sides ? (uint32_t)(mixed >> 32) % sides : (uint32_t)(mixed >> 32);
}

/* Two sums, of all bytes in their order. */
struct sum {
    uint64_t count;
    uint32_t low, high;
};

static void add(struct sum *sum, uint8_t octet)
{
    sum->count++;
    sum->low = (sum->low + octet) % 65521;
    sum->high = (sum->high + sum->low) % 65521;
}

static void check(uint32_t prod, uint32_t cons, uint32_t size)
{
    if (prod - cons > size) {
        fprintf(stderr, "%u bytes in a ring of %u\n", prod - cons, size);
        exit(2);
    }
}

#define PUT(WAY, left) do { \
    uint32_t cons = *(volatile uint32_t *)&WAY##_CONS, prod = WAY##_PROD; \
    uint64_t piece = roll(1u << roll(13)); \
    check(prod, cons, WAY##_SIZE); \
    __sync_synchronize(); \
    for (uint64_t i = 0; i < piece && i < (left) && prod - cons < WAY##_SIZE; i++, prod++) { \
        uint8_t octet = roll(256); \
        WAY##_AT(prod) = octet; \
        add(&sent, octet); \
    } \
    __sync_synchronize(); \
    *(volatile uint32_t *)&WAY##_PROD = prod; \
} while (0)

#define TAKE(WAY) do { \
    uint32_t prod = *(volatile uint32_t *)&WAY##_PROD, cons = WAY##_CONS; \
    uint64_t piece = roll(1u << roll(13)); \
    check(prod, cons, WAY##_SIZE); \
    __sync_synchronize(); \
    for (uint64_t i = 0; i < piece && cons != prod; i++, cons++) \
        add(&taken, WAY##_AT(cons)); \
    __sync_synchronize(); \
    *(volatile uint32_t *)&WAY##_CONS = cons; \
} while (0)

/* By turns an index is anything at all, or near to where it is; the bytes always change. */
static void scribble(void)
{
    volatile uint32_t *words = (volatile uint32_t *)page;
    volatile uint32_t *indices[4][2] = {
        {&FRONT_CONS, &FRONT_PROD}, {&FRONT_PROD, &FRONT_CONS},
        {&BACK_CONS, &BACK_PROD}, {&BACK_PROD, &BACK_CONS},
    };

    for (;;) {
        uint32_t word = roll(0), index = roll(4), place = roll(4096 / 4 - HEAD / 4) + HEAD / 4;

        if (roll(64))
            words[place] = word;
        else if (!roll(4))
            *indices[index][0] = word;
        else
            *indices[index][0] = *indices[index][1] + roll(1100) - 40;
    }
}

int main(int argc, char **argv)
{
    struct sum sent = {0, 1, 0}, taken = {0, 1, 0};

    if (argc != 5)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm((unsigned)atoi(argv[4]));
    int fd = atoi(argv[2]);
    uint64_t count = strtoull(argv[3], NULL, 10);
    uint8_t *memory = mmap(NULL, (size_t)lseek(fd, 0, SEEK_END), PROT_READ | PROT_WRITE,
                           MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return 2;
    page = (PAGE *)memory;
    granted = memory + 4096;
    if (!strcmp(argv[1], "wild"))
        scribble();
    while (sent.count < count || taken.count < count) {
        uint64_t before = sent.count + taken.count;

        if (!strcmp(argv[1], "front")) {
            PUT(BACK, count - sent.count);
            TAKE(FRONT);
        } else {
            PUT(FRONT, count - sent.count);
            TAKE(BACK);
        }
        if (sent.count + taken.count == before)
            sched_yield();
    }
    printf("sent=%llu taken=%llu sent_sum=%u taken_sum=%u\n", (unsigned long long)sent.count,
           (unsigned long long)taken.count, sent.high << 16 | sent.low,
           taken.high << 16 | taken.low);
    return 0;
}
