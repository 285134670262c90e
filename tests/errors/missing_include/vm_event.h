#define VM_EVENT_INTERFACE_VERSION 1
#include "absent.h"
struct pair { uint32_t first; };
