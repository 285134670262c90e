#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint64_t first;
    bool second;
};
