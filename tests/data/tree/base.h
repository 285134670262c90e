/* What the other headers of this tree are made of. */
#ifndef BASE_H
#define BASE_H

/* Says who it is. */
typedef uint32_t who_t;

#define BASE_LIMIT 8

enum colour { COLOUR_RED, COLOUR_BLUE = 4 };

/* A place. */
struct point {
    int32_t x; /* to the right */
    int32_t y;
};

#endif
