#ifndef THERE_H
#define THERE_H

#include "here.h"

struct there { struct here here; };
struct there_alone { struct here here; uint8_t byte; };

#endif
