#define VM_EVENT_INTERFACE_VERSION 1
#define ONE 1
#define HALF(what) ((what) / 2.0L)
#define ROOM(what) ((unsigned int)(HALF(what) + 0.1L) + sizeof(unsigned long long))
struct pair {
    uint32_t first;
    uint8_t  /* of each */  second[ONE + ROOM(ONE)];
};
