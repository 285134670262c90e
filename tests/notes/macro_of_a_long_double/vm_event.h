#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_GAIN 0.1L
struct pair {
    uint32_t first;
    uint64_t second;
};
