/* A page with a ring of bytes each way, of which one has no name that tells whose it is. */

#define WIRE_MASK(idx, ring) ((idx) & (sizeof(ring) - 1))

struct wire_page {
    uint32_t in_cons, in_prod;
    uint32_t heard, said;
    uint8_t in[512];
    char mouth[256];
};
