#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_STEP 1;
#define PAIR_NEXT ({ PAIR_STEP })
#define PAIR_LOCK do { } while (0)
struct pair { uint32_t first; };
