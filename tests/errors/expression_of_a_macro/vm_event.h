#define VM_EVENT_INTERFACE_VERSION 1
#define HALF (3 / 2.0)
#define ROOM ((unsigned int)(2 * HALF) + sizeof(unsigned long long))
struct pair {
    uint32_t first;
    uint8_t  /* of each */  second[ROOM];
};
