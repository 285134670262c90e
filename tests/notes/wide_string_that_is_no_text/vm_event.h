#define VM_EVENT_INTERFACE_VERSION 1
#define NAME L"\xffffffff"
struct pair { uint32_t first; uint64_t second; };
