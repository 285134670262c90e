/* A ring of packed records, and what else ctypes may take otherwise from one CPython to the next. */
#include "io/ring.h"

enum command { COMMAND_READ = 1, COMMAND_WRITE = 2 };

#define MODE_SYNC 0x1
#define MODE_URGENT 0x2

struct span {
    uint32_t first : 5;
    uint32_t count : 11;
    int32_t  delta : 9;
    uint64_t wide : 40;
} __attribute__((packed));

struct question {
    uint8_t  command; /* COMMAND_* */
    uint64_t sector;
    char     name[7];
    struct span spans[2];
    uint16_t mode;    /* MODE_* */
} __attribute__((packed));

struct answer {
    uint64_t id;
    int16_t  status;
};

#pragma pack(push, 2)
union either {
    uint64_t number;
    char     text[10];
    struct { uint8_t low; uint32_t high; };
};
#pragma pack(pop)

struct switches {
    _Bool    on : 1;
    _Bool    ready : 1;
    unsigned level : 6;
    enum command command : 3;
    double   ratio;
};

struct held {
    uint8_t kind;
    struct switches *switches;
} __attribute__((packed));

DEFINE_RING_TYPES(session, struct question, struct answer);
