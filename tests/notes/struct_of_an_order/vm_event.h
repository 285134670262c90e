#define VM_EVENT_INTERFACE_VERSION 1
struct pair { uint8_t first; int second; } __attribute__((scalar_storage_order("big-endian")));
struct user { struct pair *there; };
struct holder { struct pair here; };
