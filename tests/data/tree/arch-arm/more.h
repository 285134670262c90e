#include "../arch-arm.h"

struct arm_more { struct arm_regs regs; };
