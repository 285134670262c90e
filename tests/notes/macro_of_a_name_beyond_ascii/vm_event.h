#define VM_EVENT_INTERFACE_VERSION 1
#define GRÖSSE 3
#define GR\u00d6SSE_TEXT "three"
#define ZAHL GRÖSSE
#define WERT größe
struct pair { uint32_t first; };
