#include <stdint.h>
#include "other.h"

#define EVENT_VERSION 3
#define EVENT_NAME "event"
#define EVENT_MASK (~0x0fULL)
#define EVENT_LEAST (-(1 << 4))
#define EVENT_TYPE uint32_t
#define EVENT_LIST { 1, 2 }
#define EVENT_PLACE __LINE__
#define EVENT_GONE 1
#undef EVENT_GONE
#define EVENT_OPEN ({
#define EVENT_BEHIND 7

enum event_kind { EVENT_NONE = -1, EVENT_READ, EVENT_WRITE = 5 };
static const uint64_t EVENT_LIMIT = 0xffffffffffffffff;
static const char EVENT_TITLE[] = "title";
static uint32_t event_count = 4;

struct event;
typedef int (*event_call_t)(struct event *event, const char *name, ...);

struct event {
    uint32_t low:4, high:12;
    uint64_t wide:40;
    enum event_kind kind;
    struct {
        uint8_t bytes[2][3];
        union { uint16_t half; uint8_t parts[2]; } inner[2];
    } u;
    union { long number; void *const *where; };
    other_t other;
    event_call_t call;
    const char *text;
    struct event *next;
    uint16_t more[];
};

typedef struct event event_t, *event_p;
typedef struct { struct nested { _Bool yes; } nested; } untagged_t;
