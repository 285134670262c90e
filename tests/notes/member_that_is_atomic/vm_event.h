#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint8_t first;
    _Atomic uint32_t second;
};
struct holder { struct pair one; };
struct user { struct pair *there; };
