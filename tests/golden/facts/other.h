#define OTHER_LIMIT 9
typedef struct { unsigned long word; } other_t;
struct unused { int first; };
