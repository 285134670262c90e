/* Part of whole.h, and no header by itself: it does not include base.h. */
#define PART_SIZE 3

struct part { struct point at; who_t whose[PART_SIZE]; };
