struct pair { uint32_t first; };
struct half;
struct pair pair_of_what();
int pair_of_halves(struct half half);
int pair_each(struct pair (*each)(void));
int pair_say(int (*say)(const char *format, ...));
int pair_add(_Complex double other);
int pair_open(struct pair *pair);
