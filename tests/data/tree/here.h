/* It and there.h include each other, and each is a header by itself. */
#ifndef HERE_H
#define HERE_H

struct here { uint32_t id; };
#include "there.h"
struct here_of_there { struct there *there; };

#endif
