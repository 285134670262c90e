#define VM_EVENT_INTERFACE_VERSION 1
typedef unsigned int RING_IDX;
#define DEFINE_RING_TYPES(name, request_type, response_type) \
    union name##_sring_entry { request_type req; response_type rsp; }; \
    struct name##_sring { \
        RING_IDX req_prod; RING_IDX req_event; RING_IDX rsp_prod; RING_IDX rsp_event; \
        union name##_sring_entry ring[1]; \
    }; \
    struct name##_front_ring { \
        RING_IDX req_prod_pvt; RING_IDX rsp_cons; unsigned int nr_ents; \
        struct name##_sring *sring; \
    }; \
    struct name##_back_ring { \
        RING_IDX rsp_prod_pvt; RING_IDX req_cons; unsigned int nr_ents; \
        struct name##_sring *sring; \
    }
#define DISK_WAITS (1 << 0)
#define DISK_NAME "disk"
struct question { uint8_t id; uint16_t flags : 9; uint16_t version : 7; uint32_t *sector; };
struct answer { uint16_t id; };
DEFINE_RING_TYPES(disk, struct question, struct question);
