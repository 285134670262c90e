#define VM_EVENT_INTERFACE_VERSION 1
struct other;
struct pair {
    struct other first;
};
