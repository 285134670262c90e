/*
 * A bell and who hears it: a page of events of these tests' own. An even number of events comes
 * in, and as many as a power of two go out, whose index is masked.
 */
#ifndef BELL_H
#define BELL_H

union bell_event {
    uint8_t type;
    uint32_t words[5];
};

struct bell_answer {
    uint16_t heard;
};

struct bell_page {
    uint32_t out_prod, out_cons;
    uint32_t in_prod, in_cons;
};

#define BELL_IN_RING_OFFS 512
#define BELL_IN_RING_LEN (1000 / sizeof(union bell_event))
#define BELL_IN_RING(page) ((union bell_event *)((char *)(page) + BELL_IN_RING_OFFS))
#define BELL_IN_RING_REF(page, idx) (BELL_IN_RING((page))[(idx) % BELL_IN_RING_LEN])

#define BELL_OUT_RING_LEN 16
#define BELL_OUT_RING_REF(page, idx) \
    (((struct bell_answer *)((uint8_t *)(page) + 256))[(idx) & (BELL_OUT_RING_LEN - 1)])

#endif
