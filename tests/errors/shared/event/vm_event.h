#define VM_EVENT_INTERFACE_VERSION 1
struct ping { uint32_t number; };
struct pong { uint32_t number; };
struct ball_page { uint32_t in_cons, in_prod, hits, serves; uint16_t misses; };
#define BALL_IN_RING_REF(page, idx) (((struct ping *)((char *)(page) + 64))[(idx) % 8])
#define BALL_BACK_REF(page, idx) (((struct pong *)((char *)(page) + 512))[(idx) % 8])
#define SHOT_LOB 1
struct shot { uint32_t kind; union { uint32_t lob, smash; } as; };
#define BALL_OUT_REF(page, idx) (((struct shot *)((char *)(page) + 1024))[(idx) % 8])
struct ball_head { uint32_t out_cons, out_prod; };
