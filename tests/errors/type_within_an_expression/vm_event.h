#define VM_EVENT_INTERFACE_VERSION 1
struct pair { uint8_t first[1 + sizeof(((struct { int a; } *)0)->a)]; };
