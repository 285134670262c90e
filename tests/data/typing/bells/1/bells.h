/* Events that tell what they are: one is a union, the other has one. */
#include <stdint.h>

#define BELL_VERSION 1
#define BELL_TYPE_RING 1
#define BELL_TYPE_CHIME 2

struct bell_ring { uint8_t type; uint16_t seconds; };
struct bell_chime { uint8_t type; uint32_t notes[3]; };

union bell_event {
    uint8_t type;
    struct bell_ring ring;
    struct bell_chime chime;
};

struct bell_answer {
    uint32_t heard;
    union { uint32_t ring; uint64_t chime; } as;
};

struct bell_page {
    uint32_t in_cons, in_prod;
    uint32_t out_cons, out_prod;
};

#define BELL_IN_REF(page, idx) (((union bell_event *)((char *)(page) + 64))[(idx) % 7])
#define BELL_OUT_REF(page, idx) (((struct bell_answer *)((char *)(page) + 512))[(idx) % 7])
