#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint8_t first;
    unsigned __attribute__((aligned(16))) int second;
};
