#define VM_EVENT_INTERFACE_VERSION 1
struct pair { uint32_t first; uint64_t second; };
#define HERE __func__
void __walk(struct pair *pair);
extern int __walked;
typedef uint32_t __step_t;
#define walk __walk
#define walked __walked
#define step_t __step_t
