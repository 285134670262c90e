/*
 * The other side of a flex ring, in a process of its own and with the header's functions.
 *
 *     flex_peer SIDE FD COUNT SEED
 *
 * FD is a file of one page for the indices, and behind it the ring's memory. SIDE is front or
 * back. It sends COUNT bytes and takes as many, in pieces of random lengths, and prints what it saw
 * as NAME=NUMBER words; the sums are Adler-32. It ends itself after ten minutes.
 *
 * RING(f) is the ring's function f, and DATA is defined where a struct of the header has the
 * memory as well as the indices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#define PAGE_SIZE 4096

static uint64_t dice;

static uint32_t roll(uint32_t sides)
{
    dice += 0x9e3779b97f4a7c15;
    uint64_t mixed = (dice ^ dice >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return (uint32_t)(mixed >> 32) % sides;
}

static uint32_t adler32(uint32_t sum, const uint8_t *octets, size_t size)
{
    uint32_t low = sum & 0xffff, high = sum >> 16;

    for (size_t i = 0; i < size; i++) {
        low = (low + octets[i]) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

/* One direction: its memory, and where its indices are. */
struct stream {
    uint8_t *octets;
    uint32_t size;
    volatile uint32_t *cons, *prod;
};

static size_t put(struct stream *to, uint8_t *packet, size_t most, uint32_t *sum)
{
    uint32_t prod = *to->prod, cons = *to->cons;
    size_t room = to->size - RING(queued)(prod, cons, to->size);
    size_t size = room < most ? room : most;

    if (!size)
        return 0;
    __sync_synchronize();
    for (size_t i = 0; i < size; i++)
        packet[i] = roll(256);
    *sum = adler32(*sum, packet, size);
    uint32_t masked_prod = RING(mask)(prod, to->size);
    RING(write_packet)((void *)to->octets, packet, size, &masked_prod,
                       RING(mask)(cons, to->size), to->size);
    __sync_synchronize();
    *to->prod = prod + size;
    return size;
}

static size_t take(struct stream *from, uint8_t *packet, size_t most, uint32_t *sum)
{
    uint32_t prod = *from->prod, cons = *from->cons;
    size_t queued = RING(queued)(prod, cons, from->size);
    size_t size = queued < most ? queued : most;

    if (!size)
        return 0;
    __sync_synchronize();
    uint32_t masked_cons = RING(mask)(cons, from->size);
    RING(read_packet)(packet, (void *)from->octets, size, RING(mask)(prod, from->size),
                      &masked_cons, from->size);
    *sum = adler32(*sum, packet, size);
    __sync_synchronize();
    *from->cons = cons + size;
    return size;
}

int main(int count_of_words, char **words)
{
    if (count_of_words != 5)
        return 2;
    int is_front = words[1][0] == 'f', fd = atoi(words[2]);
    uint64_t count = strtoull(words[3], NULL, 0), sent = 0, taken = 0;
    uint32_t sent_sum = 1, taken_sum = 1;

    dice = strtoull(words[4], NULL, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(600);
    off_t length = lseek(fd, 0, SEEK_END);
    uint8_t *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return 2;
    INTERFACE *page = (INTERFACE *)memory;
#ifdef DATA
    struct stream in = {(void *)page->in, sizeof(page->in)};
    struct stream out = {(void *)page->out, sizeof(page->out)};
#else
    uint32_t half = XEN_FLEX_RING_SIZE(page->ring_order);
    struct stream in = {memory + PAGE_SIZE, half}, out = {memory + PAGE_SIZE + half, half};
#endif
    in.cons = &page->in_cons, in.prod = &page->in_prod;
    out.cons = &page->out_cons, out.prod = &page->out_prod;
    struct stream *from = is_front ? &in : &out, *to = is_front ? &out : &in;
    uint8_t *packet = malloc(2 * (in.size + out.size));

    while (sent < count || taken < count) {
        uint64_t left = count - sent, piece = 1 + roll(1u << roll(16)) % (2 * to->size);
        uint64_t moved = put(to, packet, piece < left ? piece : left, &sent_sum);
        sent += moved;
        piece = 1 + roll(1u << roll(16)) % (2 * from->size);
        uint64_t got = take(from, packet, piece, &taken_sum);
        taken += got;
        if (!moved && !got)
            usleep(20);
    }
    printf("sent=%llu sent_sum=%u taken=%llu taken_sum=%u\n", (unsigned long long)sent,
           sent_sum, (unsigned long long)taken, taken_sum);
    return 0;
}
