/* For one architecture; and there is a folder of that name. */
#include "base.h"

struct arm_regs { struct point at; unsigned long pc; };
