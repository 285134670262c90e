#define KIND_READ 1
#define KIND_WRITE 2
#define KIND_STOP 3
struct read { uint64_t address; };
struct write { uint64_t address; uint32_t value; };
struct request {
    uint32_t kind; /* KIND_* */
    union {
        struct read read;
        struct write written;
    } u;
};
