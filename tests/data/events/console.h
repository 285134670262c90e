/*
 * The page of a guest's console, in the words of these tests: what is typed comes `in` to the
 * guest, and what it prints goes `out`.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

typedef uint32_t XENCONS_RING_IDX;

/* The place that an index stands for in one of the arrays. */
#define MASK_XENCONS_IDX(idx, ring) ((idx) & (sizeof(ring) - 1))

struct xencons_interface {
    char in[1024];
    char out[2048];
    XENCONS_RING_IDX in_cons, in_prod;
    XENCONS_RING_IDX out_cons, out_prod;
};

#endif
