struct pair { uint32_t first, second; };
int pair_open(struct pair *pair);
#define pair_open(pair) (pair_open)(pair)
static inline int pair_next(int n) { return n + 1; }
static int pair_last(void)
{
    return 0;
}
inline int pair_first(void);
inline int pair_first(void) { return 1; }
static inline int pair_swap(int n) { return n; }
static int pair_number;
#define PAIR_NEXT(n) pair_next(n)
#define PAIR_SWAP(n) pair_swap(n)
#define pair_next(n) (n + 1)
#define pair_after pair_next
