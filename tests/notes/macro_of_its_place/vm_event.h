#define VM_EVENT_INTERFACE_VERSION 1
#define WHERE __FILE__ ":"
#define HERE WHERE
struct pair {
    uint32_t first;
    uint64_t second;
};
