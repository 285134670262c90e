#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_HAS __has_attribute
#define PAIR_KNOWS __has_include(<pair.h>)
#define PAIR_OF(x) (x)
#define PAIR_OPENS PAIR_OF(
#define PAIR_SIZE PAIR_OF(8)
struct pair { uint32_t first; };
