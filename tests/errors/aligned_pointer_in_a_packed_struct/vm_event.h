#define VM_EVENT_INTERFACE_VERSION 1
struct __attribute__((packed)) pair {
    uint8_t first;
    uint32_t *__attribute__((aligned(16))) second;
};
