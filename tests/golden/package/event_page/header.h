/* A page of events: what is put on one side is taken on the other. */

#define BELL_EVENT_SIZE 20
#define BELL_IN_RING_OFFS 512
#define BELL_IN_RING_LEN (1000 / BELL_EVENT_SIZE)
#define BELL_IN_RING(page) ((union bell_event *)((char *)(page) + BELL_IN_RING_OFFS))
#define BELL_IN_RING_REF(page, idx) (BELL_IN_RING((page))[(idx) % BELL_IN_RING_LEN])

/* A power of two may be masked. */
#define BELL_OUT_RING_REF(page, idx) \
    (((struct bell_answer *)((unsigned char *)(page) + sizeof(struct bell_page)))[(idx) & 15])

union bell_event {
    uint8_t type;
    uint32_t words[5];
};

struct bell_answer {
    uint16_t heard;
};

struct bell_page {
    uint32_t in_cons, in_prod;
    uint32_t out_cons, out_prod;
};
