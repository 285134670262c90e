#ifndef WHOLE_H
#define WHOLE_H

#include "base.h"
#include "part.h"

struct whole { struct part part; };

#endif
