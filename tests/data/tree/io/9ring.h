/* Its name begins with a digit, as no module's can. */
#ifndef NINE_RING_H
#define NINE_RING_H

#include "../base.h"

struct nine {
    struct point corners[2];
    const struct point *last;
    who_t who;
    enum colour colour;
    union {
        struct point at;
        uint64_t word;
    } u;
};
typedef struct point nine_place_t;

#endif
