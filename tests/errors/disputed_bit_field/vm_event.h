#define VM_EVENT_INTERFACE_VERSION 1
typedef uint32_t word __attribute__((aligned(8)));
struct pair {
    uint8_t first;
    word second : 24;
};
