struct venue { int id; char name[8]; };
struct trade {
    struct venue venue;
    struct venue venues[2];
    int grid[2][3];
    char labels[2][4];
    unsigned char bytes[4];
    double price, fees[2];
    struct venue *owner;
    void *cookie;
    _Bool open : 1;
};
struct quote { char side; struct venue venue; unsigned int price; } __attribute__((packed));
