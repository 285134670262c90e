#define VM_EVENT_INTERFACE_VERSION 1
enum __attribute__((mode(HI))) kind { KIND_ONE };
struct holder { enum kind kind; };
struct user { enum kind *kind; };
