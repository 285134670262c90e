#define VM_EVENT_INTERFACE_VERSION 1
#define VM_KIND_READ 1
#define VM_KIND_WRITE 2
struct pair {
    uint32_t kind;
    union {
        uint32_t read;
        uint32_t written;
    } u;
};
