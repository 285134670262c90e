struct __attribute__((packed)) bits {
    uint8_t kind;
    uint32_t low : 20;
    uint32_t straddling : 20;
};
