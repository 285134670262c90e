#define NAME "a \"quoted\" name\n"
#define INVALID (-1)
#define LOWEST (-2147483647 - 1)
#define ALL_ONES (~0ULL)
#define LETTER 'x'
struct pair { uint32_t first, second; };
