#define VM_EVENT_INTERFACE_VERSION 1
#error "]0;evil"
