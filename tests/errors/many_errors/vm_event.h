#define VM_EVENT_INTERFACE_VERSION 1
enum mode { OFF, ON = __builtin_abs(1), AUTO };
struct pair {
    uint32_t first __attribute__((odd));
    uint32_t second __attribute__((scalar_storage_order("big-endian")));
    uint32_t third[ON];
};
typedef int counter __attribute__((odd));
struct outer {
    struct inner { int deep __attribute__((odd)); } inner;
    int shallow __attribute__((odd));
};
