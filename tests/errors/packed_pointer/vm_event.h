#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint8_t first;
    uint32_t *__attribute__((packed)) second;
};
