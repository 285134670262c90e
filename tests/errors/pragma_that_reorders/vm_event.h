#define VM_EVENT_INTERFACE_VERSION 1
struct other {
    uint32_t first;
};
#pragma scalar_storage_order big-endian
struct pair {
    uint32_t first;
};
