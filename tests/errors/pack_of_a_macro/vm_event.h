#define VM_EVENT_INTERFACE_VERSION 1
#define PACKED 1
#pragma pack(push, PACKED)
struct pair { uint8_t first; uint32_t second; };
#pragma pack(pop)
