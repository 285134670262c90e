#define VM_EVENT_INTERFACE_VERSION 1
#ifndef TOOLS
#error "only for tools"
#endif
struct pair { uint32_t first; };
