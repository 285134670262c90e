#define VM_EVENT_INTERFACE_VERSION 1
static const short PAIR_SIZE __attribute__((mode(QI))) = 300;
struct pair { uint32_t first; };
