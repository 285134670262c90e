#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint8_t first;
    __int128 second;
};
struct holder { struct pair one; };
struct user { struct pair *there; };
