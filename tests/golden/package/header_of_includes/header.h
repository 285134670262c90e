/* All that there is. */
#ifndef ALL_H
#define ALL_H
#include "pair.h"
#include "other.h"
#endif
