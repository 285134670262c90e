#define VM_EVENT_INTERFACE_VERSION 1
#include "vm_event.h"
struct pair { uint32_t first; uint64_t second; };
