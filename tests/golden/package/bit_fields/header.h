struct bits {
    uint32_t present : 1; /* The entry is valid. */
    uint32_t : 3;
    uint32_t level : 4;
    uint32_t : 0;
    int32_t offset : 12;
};
