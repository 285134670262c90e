#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint32_t first;
    __builtin_va_list   second;
};
struct holder { struct pair one; };
struct user { struct pair *there; };
