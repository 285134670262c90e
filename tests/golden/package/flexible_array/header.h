struct entry { uint32_t id; };
struct list {
    uint32_t count;
    struct entry entries[]; /* As many as `count` says. */
};
