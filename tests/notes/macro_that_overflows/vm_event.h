#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_MOST (0x7fffffff + 1)
struct pair { uint32_t first; };
