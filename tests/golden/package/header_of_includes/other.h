typedef struct { uint32_t only; } single;
struct other { single one; };
