#define VM_EVENT_INTERFACE_VERSION 1
struct pair { uint32_t first; };
struct price { _Decimal64 amount; };
struct wide { int amount __attribute__((mode(TI))); };
