#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint8_t first;
    union {
        uint32_t a;
        uint8_t b;
    };
};
