#define VM_EVENT_INTERFACE_VERSION 1
typedef int word __attribute__((aligned(16), aligned(8)));
struct pair {
    uint32_t first;
    uint64_t second;
};
