#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint8_t first;
    uint32_t second __attribute__((aligned(__builtin_abs(8))));
};
