#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_ROOM sizeof(struct nowhere)
struct pair {
    uint32_t first;
    uint64_t second;
};
