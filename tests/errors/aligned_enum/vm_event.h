#define VM_EVENT_INTERFACE_VERSION 1
enum kind { FIRST } __attribute__((aligned(8)));
struct pair {
    uint32_t first;
    uint64_t second;
};
