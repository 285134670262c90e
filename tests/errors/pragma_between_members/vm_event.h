#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint8_t first;
#pragma pack(1)
    uint32_t second;
};
