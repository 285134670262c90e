#define VM_EVENT_INTERFACE_VERSION 1
typedef float four_t __attribute__((vector_size(16)));
struct holder { four_t one; };
struct user { four_t *there; double _Complex *roots; };
