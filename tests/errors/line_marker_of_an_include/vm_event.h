#define VM_EVENT_INTERFACE_VERSION 1
struct pair { uint32_t first; };
# 1 "other.h" 1
struct lost { uint32_t first; };
# 5 "vm_event.h" 2
