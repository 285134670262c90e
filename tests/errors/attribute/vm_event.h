#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint8_t first;
    int second;
} __attribute__((address_space(1)));
