#include <stdint.h>

struct pair { int first; struct { char low; short high; } parts[3]; };
#define PLACE __builtin_offsetof(struct pair, parts[2].high)

typedef uint8_t uuid_t[16];
typedef struct pair *pair_ptr;
typedef void (*callback_t)(struct pair *);
typedef struct { struct pair *p; } handle_pair_t;
typedef int wide_t __attribute__((mode(DI)));
typedef unsigned tiny_t __attribute__((__mode__(__QI__)));
