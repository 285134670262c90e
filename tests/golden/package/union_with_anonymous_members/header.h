struct outer {
    uint32_t kind;
    union {
        uint64_t whole;
        struct {
            uint32_t low;
            uint32_t high;
        };
    };
    union { uint8_t bytes[4]; uint32_t word; } named;
};
