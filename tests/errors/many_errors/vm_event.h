#define VM_EVENT_INTERFACE_VERSION 1
enum mode { OFF, ON = (int)1.5, AUTO };
struct pair {
    _Atomic uint32_t first;
    uint32_t second __attribute__((scalar_storage_order("big-endian")));
    uint32_t third[ON];
};
typedef _Atomic int counter;
struct outer {
    struct inner { _Atomic int deep; } inner;
    _Atomic int shallow;
};
