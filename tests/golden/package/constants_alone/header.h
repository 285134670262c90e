/* No struct, and values of every kind. */
#include <stdint.h>

#define SCALE 0.5
#define SINGLE 0.1f /* as a float has it */
#define SUM (1.5e3 + 2 * 3)
#define HEXADECIMAL -0x1.8p3
#define NAME ("de" "vice")
#define ENCODED u8"device"
#define ROOM sizeof("device")
#define ALL_ONES ((uint16_t)-1)
#define LETTER 'x'
static const int FIXED = -3;
