#define VM_EVENT_INTERFACE_VERSION 1
struct root { float _Complex first; };
#if defined(__XEN__) || defined(__XEN_TOOLS__)
struct pair { uint32_t first; };
#endif
