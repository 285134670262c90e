#define VM_EVENT_INTERFACE_VERSION 1
typedef enum later later_t;
struct pair {
    uint32_t first;
    enum later *second;
};
