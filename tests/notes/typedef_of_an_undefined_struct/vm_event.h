#define VM_EVENT_INTERFACE_VERSION 1
typedef struct nowhere *nowhere_handle;
typedef struct nowhere nowhere_t;
struct pair {
    uint32_t first;
    uint64_t second;
};
