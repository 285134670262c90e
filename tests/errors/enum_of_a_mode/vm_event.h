#define VM_EVENT_INTERFACE_VERSION 1
struct pair { uint32_t first; };
enum __attribute__((mode(HI))) kind { KIND_ONE };
