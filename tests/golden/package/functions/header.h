struct lamp { uint32_t id; uint8_t level; };
typedef struct house house_t;
enum colour { COLOUR_RED, COLOUR_BLUE };

/* Open the house of a street. */
house_t *house_open(const char *street, int number);
int house_close(house_t *house);
int house_lamp(house_t *, uint32_t in, struct lamp *lamp);
_Bool house_paint(house_t *house, enum colour colour, const void *from, void *to);
const char *house_name(const house_t *house);
char *house_copy(house_t *house);
void **house_walls(house_t *house, uint8_t key[16], const struct lamp lamps[]);
void house_say(house_t *house, const char *format, ...);
void house_each(house_t *house, void (*visit)(struct lamp *lamp, const char *name, void *data),
                void *data);
double print(double library);
static inline int house_is_open(house_t *house) { return house != 0; }
