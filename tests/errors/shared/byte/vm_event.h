#define VM_EVENT_INTERFACE_VERSION 1
#define BALL_MASK(idx) ((idx) & 63)
struct ball_page {
    uint32_t in_cons, in_prod, hits, serves;
    uint16_t misses;
    char in[64];
    char back[64];
};
