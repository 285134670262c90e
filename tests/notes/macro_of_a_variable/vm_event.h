#define VM_EVENT_INTERFACE_VERSION 1
struct pair { uint32_t first; uint64_t second; };
static const int LEAST = -1;
#define PAIR_LEAST LEAST
#define PAIR_NEXT (LEAST + 1)
