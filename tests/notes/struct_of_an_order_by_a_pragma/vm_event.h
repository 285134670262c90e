#define VM_EVENT_INTERFACE_VERSION 1
#pragma scalar_storage_order big-endian
struct pair { uint16_t first; };
#pragma scalar_storage_order default
struct own { uint16_t first; };
