/* Packed: nothing lies between the members. */
struct packed {
    uint8_t kind;
    uint32_t value; /* At byte 1. */
    uint64_t address;
} __attribute__((packed));
