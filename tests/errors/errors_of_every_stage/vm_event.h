#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_HAS __has_include(<x>)
struct pair { uint32_t caf\u00e9; };
struct user { struct pair pair; };
struct odd { const kind; };
typedef struct { const kind; } lost_t;
struct room { uint32_t space[__builtin_abs(3)]; };
struct keeper { lost_t *lost; };
lost_t *table(lost_t lost);
struct other { uint32_t first __attribute__((strange)); };
struct sound { uint32_t first; };
extern const last;
