#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_NOW clock(0)
struct pair { uint32_t first; };
