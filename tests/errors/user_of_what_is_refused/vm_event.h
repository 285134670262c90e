#define VM_EVENT_INTERFACE_VERSION 1
struct pair { uint32_t first __attribute__((odd)); };
typedef struct pair pair_t;
struct pairs { pair_t low, high; struct pair *next; };
struct more { struct pairs pairs[2]; uint8_t room[sizeof(pair_t)]; };
