#define VM_EVENT_INTERFACE_VERSION 1
static int *const PAIR_PLACE = (int *)8;
static int *PAIR_LAST = 0;
static char *const PAIR_NAME = "pair";
struct pair { uint32_t first; };
