#define VM_EVENT_INTERFACE_VERSION 1
struct pair { uint32_t first; uint64_t second; };
typedef struct pair pair_t;
#define PAIR struct pair
#define PAIR_T pair_t
#define PAIR_WORD const unsigned long
