#define VM_EVENT_INTERFACE_VERSION 1
#define ONE 1
#define HALF(what) ((what) / __builtin_abs(3))
#define ROOM(what) ((unsigned int)HALF(what) + sizeof(unsigned long long))
struct pair {
    uint32_t first;
    uint8_t  /* of each */  second[ONE + ROOM(ONE)];
};
