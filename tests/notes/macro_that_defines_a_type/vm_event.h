#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_ROOM sizeof(struct room { int : 0; })
#define PAIR_TYPE struct { int room; }
struct pair { uint32_t first; };
