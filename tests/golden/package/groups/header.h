/* ACCESS_*: What a page may be used for. */
#define ACCESS_READ (1 << 0)
#define ACCESS_WRITE (1 << 1)
#define ACCESS_READ_WRITE (ACCESS_READ | ACCESS_WRITE)

/* Why the guest stopped. */
#define STOP_REASON_NONE 0 /* It runs. */
#define STOP_REASON_FAULT 1
#define STOP_REASON_ASKED 2

struct stop {
    uint32_t reason; /* STOP_REASON_* */
    uint32_t access; /* ACCESS_* */
};
