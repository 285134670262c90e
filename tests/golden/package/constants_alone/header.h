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
#define LARGEST ((double)1.79769313486231570814527423731704356798070e+308L)
#define ENDLESS (-__builtin_inff())
#define NO_NUMBER (__builtin_nanf(""))
static const int FIXED = -3;
static const double TENTH = 0.1;
static const float SHORT_TENTH = 0.1;
static const int WHOLE = 2.7;
