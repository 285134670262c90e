#define VM_EVENT_INTERFACE_VERSION 1
typedef uint32_t word __attribute__((aligned(1)));
struct pair {
    word second : 32;
};
