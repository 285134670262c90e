#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_SHARE (1 / (2 - 2))
struct pair { uint32_t first; };
