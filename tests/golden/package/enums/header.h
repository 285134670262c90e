enum colour { COLOUR_RED, COLOUR_GREEN = 5, COLOUR_BLUE };
enum { LIMIT_LOW = -1, LIMIT_HIGH = 100 };
struct pixel {
    enum colour colour;
    uint32_t depth;
};
