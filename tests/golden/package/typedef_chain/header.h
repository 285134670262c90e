typedef uint64_t word_t;
typedef word_t frame_t; /* The number of a page. */
typedef frame_t guest_frame_t;
typedef struct { guest_frame_t first, last; } range_t;
struct mapping {
    range_t range;
    frame_t frame;
};
