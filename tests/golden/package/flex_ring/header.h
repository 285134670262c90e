#define xen_mb()
#define xen_wmb()
typedef uint32_t grant_ref_t;
#include "io/ring.h"
DEFINE_XEN_FLEX_RING_AND_INTF(pipe);

/* The same without a macro, and with a name of its own for an index. */
typedef unsigned long long length_t;

static inline uint32_t tube_mask(uint32_t index, uint32_t size)
{
    return index % size;
}

static inline char *tube_get_ring_ptr(char *memory, uint32_t index, uint32_t size)
{
    return &memory[tube_mask(index, size)];
}

static inline void tube_read_packet(void *to, const char *memory, length_t count, uint32_t end,
                                    uint32_t *start, uint32_t size)
{
    (void)end;
    if (count && !(*start + count <= size)) {
        length_t first = size - *start;
        memcpy(to, memory + *start, first);
        count -= first;
        memmove((char *)to + first, memory, count);
        *start = (uint32_t)count;
        return;
    }
    memcpy(to, memory + *start, count);
    *start = tube_mask(*start + count, size);
}

static inline void tube_write_packet(char *memory, const void *from, length_t count,
                                     uint32_t *end, uint32_t start, uint32_t size)
{
    length_t first = count < size - *end ? count : size - *end;

    memcpy(tube_get_ring_ptr(memory, *end, size), from, first);
    memcpy(memory, (const char *)from + first, count - first);
    *end += (uint32_t)count;
    *end = tube_mask(*end, size);
}

static inline uint32_t tube_queued(uint32_t end, uint32_t start, uint32_t size)
{
    return end - start;
}

struct tube_data {
    char *in;
    char *out;
};
