#define VM_EVENT_INTERFACE_VERSION 1
static const long double PAIR_GAIN = 1.5L;
static const float PAIR_TOO_GREAT = 1e39;
struct pair { uint32_t first; };
