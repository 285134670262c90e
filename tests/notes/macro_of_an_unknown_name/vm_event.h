#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_H
#define PAIR_INLINE inline
#define PAIR_PACKED __attribute__((packed))
#define itself itself
#define PAIR_LIMIT other_limit
struct pair { uint32_t first; uint64_t second; };
