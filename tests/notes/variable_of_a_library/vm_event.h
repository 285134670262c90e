#define VM_EVENT_INTERFACE_VERSION 1
typedef int ring(void);
extern int pair_count, pair_ring(void);
extern int pair_count;
extern const char pair_names[];
extern ring pair_call;
extern int (*pair_hook)(int);
static int pair_own;
struct pair { uint32_t first; };
