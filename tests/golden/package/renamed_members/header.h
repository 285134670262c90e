struct renamed {
    uint32_t class; /* A keyword of Python. */
    uint32_t __reserved;
    uint32_t from;
};
