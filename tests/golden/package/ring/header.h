#include "io/ring.h"
struct question { uint32_t id; uint32_t sector[4]; };
struct answer { uint16_t id; int16_t status; };
DEFINE_RING_TYPES(disk, struct question, struct answer);
