#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_NONE { 0 }
#define PAIR_FIRST (struct pair){ 1 }
#define PAIR_DONE { release(); }
struct pair { uint32_t first; };
