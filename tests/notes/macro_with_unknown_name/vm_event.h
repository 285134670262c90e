#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_LIMIT (OTHER_LIMIT + 1)
struct pair { uint32_t first; };
