/* SPDX-License-Identifier: MIT */
/*
 * Rings of requests and responses in memory that two parties share.
 *
 * The front end sends requests and takes responses, the back end takes requests and sends
 * responses. For vm_event Xen is the front end and the monitor is the back end.
 *
 * The shared page holds four indices and an array of entries whose length is a power of two. An
 * index counts entries since the start and wraps at 2^32; its low bits select the entry. A
 * response takes an entry whose request has been consumed, so neither side can outrun the other
 * as long as there are never more requests in flight than entries.
 *
 * Producing has two steps: fill entries and advance the private producer index as often as
 * needed, then publish it by one of the RING_PUSH macros. Consuming: look for entries, copy each
 * out, advance the private consumer index.
 *
 * Nothing here locks or waits. A ring has one producer and one consumer for each direction, and
 * each party has to serialise its own threads.
 *
 * The including file provides uint8_t, offsetof and memset, and defines the memory barriers
 * xen_mb() (full) and xen_wmb() (stores), also xen_rmb() (loads) for its own use. The macros for
 * byte rings, further down, need size_t, memcpy and grant_ref_t as well.
 *
 * Parameters are named alike throughout:
 *   page     pointer to the shared page, a NAME_sring_t
 *   front    pointer to the front end's private half, a NAME_front_ring_t
 *   back     pointer to the back end's private half, a NAME_back_ring_t
 *   half     pointer to either half
 *   index    a free-running index, not yet reduced to the number of entries
 *   bytes    how much shared memory there is, counting the indices
 */

#ifndef __XEN_PUBLIC_IO_RING_H__
#define __XEN_PUBLIC_IO_RING_H__

/*
 * Position in a ring, counted from the ring's start. It wraps at 2^32, so compare two positions
 * by their unsigned difference only.
 */
typedef unsigned int RING_IDX;

/* Highest power of two not above a 2-bit number. Zero for zero. */
#define __RD2(value) \
    ((((value) >> 1) & 0x1) ? 0x2 : ((value) & 0x1))

/* Highest power of two not above a 4-bit number. Zero for zero. */
#define __RD4(value) \
    ((((value) >> 2) & 0x3) ? __RD2((value) >> 2) << 2 : __RD2(value))

/* Highest power of two not above an 8-bit number. Zero for zero. */
#define __RD8(value) \
    ((((value) >> 4) & 0xf) ? __RD4((value) >> 4) << 4 : __RD4(value))

/* Highest power of two not above a 16-bit number. Zero for zero. */
#define __RD16(value) \
    ((((value) >> 8) & 0xff) ? __RD8((value) >> 8) << 8 : __RD8(value))

/*
 * Highest power of two not above a 32-bit number. Zero for zero. A constant expression if the
 * number is one.
 */
#define __RD32(value) \
    ((((value) >> 16) & 0xffff) ? __RD16((value) >> 16) << 16 : __RD16(value))

/*
 * Number of entries of the ring type called name in so many bytes. As many as fit behind the
 * indices, rounded down to a power of two. A constant expression, so it can size an array.
 */
#define __CONST_RING_SIZE(name, bytes) \
    (__RD32(((bytes) - offsetof(struct name##_sring, ring)) / \
            sizeof(((struct name##_sring *)0)->ring[0])))

/*
 * Number of entries in so many bytes at page. As many as fit behind the indices, rounded down to
 * a power of two. Takes the type from the pointer, and reads nothing through it.
 */
#define __RING_SIZE(page, bytes) \
    (__RD32(((bytes) - ((long)(page)->ring - (long)(page))) / sizeof((page)->ring[0])))

#ifndef XEN_FLEX_ARRAY_DIM
/*
 * Length with which DEFINE_RING_TYPES declares the entries at the end of the shared page. Define
 * it as nothing to have a flexible array instead; where the entries lie does not depend on it.
 */
#define XEN_FLEX_ARRAY_DIM 1
#endif

/*
 * Declares the types of a ring called name that carries the two given message types.
 *
 * union NAME_sring_entry is one entry: req or rsp, in the same memory.
 * struct NAME_sring (NAME_sring_t) is the shared page. req_prod and rsp_prod are the published
 * producer indices. req_event and rsp_event tell the producer at which index its consumer wants
 * to be notified. pvt is four bytes for protocols to use, ring is the entries; its declared
 * length says nothing of how many there are.
 * struct NAME_front_ring (NAME_front_ring_t) and struct NAME_back_ring (NAME_back_ring_t) are
 * what each side keeps to itself: how far it has produced, maybe not yet published, how far it
 * has consumed, the number of entries, and where the shared page is.
 */
#define DEFINE_RING_TYPES(name, request_type, response_type) \
    union name##_sring_entry { \
        request_type req; \
        response_type rsp; \
    }; \
    struct name##_sring { \
        RING_IDX req_prod; \
        RING_IDX req_event; \
        RING_IDX rsp_prod; \
        RING_IDX rsp_event; \
        union { \
            struct { \
                uint8_t smartpoll_active; \
            } netif; \
            struct { \
                uint8_t msg; \
            } tapif_user; \
            uint8_t pvt_pad[4]; \
        } pvt; \
        uint8_t __pad[44]; \
        union name##_sring_entry ring[XEN_FLEX_ARRAY_DIM]; \
    }; \
    struct name##_front_ring { \
        RING_IDX req_prod_pvt; \
        RING_IDX rsp_cons; \
        unsigned int nr_ents; \
        struct name##_sring *sring; \
    }; \
    struct name##_back_ring { \
        RING_IDX rsp_prod_pvt; \
        RING_IDX req_cons; \
        unsigned int nr_ents; \
        struct name##_sring *sring; \
    }; \
    typedef struct name##_sring name##_sring_t; \
    typedef struct name##_front_ring name##_front_ring_t; \
    typedef struct name##_back_ring name##_back_ring_t

/*
 * Puts the shared page into the state of a ring nothing has gone through. Whoever sets the page
 * up calls it once, before either side attaches: usually the front end, for vm_event the monitor.
 * Both sides then ask to be notified of the first message. The entries are left as they are.
 */
#define SHARED_RING_INIT(page) do { \
    (page)->rsp_prod = 0; \
    (page)->req_prod = 0; \
    (page)->rsp_event = 1; \
    (page)->req_event = 1; \
    (void)memset((page)->pvt.pvt_pad, 0, sizeof((page)->pvt.pvt_pad)); \
    (void)memset((page)->__pad, 0, sizeof((page)->__pad)); \
} while (0)

/*
 * Attaches a front half to a ring in use, at the index start. For a front end that takes over;
 * everything before start must have been answered and consumed. Writes nothing to the page.
 */
#define FRONT_RING_ATTACH(front, page, start, bytes) do { \
    (front)->req_prod_pvt = (start); \
    (front)->rsp_cons = (start); \
    (front)->nr_ents = __RING_SIZE(page, bytes); \
    (front)->sring = (page); \
} while (0)

/*
 * Attaches a front half to a fresh ring. The page must have gone through SHARED_RING_INIT, or
 * must do so before the first message. Writes nothing to the page.
 */
#define FRONT_RING_INIT(front, page, bytes) FRONT_RING_ATTACH(front, page, 0, bytes)

/* Sets up the shared page and attaches a front half to it. For a front end that owns the page. */
#define XEN_FRONT_RING_INIT(front, page, bytes) do { \
    SHARED_RING_INIT(page); \
    FRONT_RING_INIT(front, page, bytes); \
} while (0)

/*
 * Attaches a back half to a ring in use, at the index start. For a back end that takes over, with
 * the page's rsp_prod as start: requests from there on are still to be answered. Writes nothing
 * to the page.
 */
#define BACK_RING_ATTACH(back, page, start, bytes) do { \
    (back)->rsp_prod_pvt = (start); \
    (back)->req_cons = (start); \
    (back)->nr_ents = __RING_SIZE(page, bytes); \
    (back)->sring = (page); \
} while (0)

/*
 * Attaches a back half to a fresh ring. A monitor calls it after SHARED_RING_INIT and before
 * switching on any event. Writes nothing to the page.
 */
#define BACK_RING_INIT(back, page, bytes) BACK_RING_ATTACH(back, page, 0, bytes)

/* Number of entries of the ring. Either side may ask; it is a power of two and never changes. */
#define RING_SIZE(half) \
    ((half)->nr_ents)

/*
 * Number of requests the front end may still add. An entry becomes free once the response in it
 * has been consumed. Only the front end can know.
 */
#define RING_FREE_REQUESTS(front) \
    (RING_SIZE(front) - (front)->req_prod_pvt + (front)->rsp_cons)

/* Whether the front end has no room for another request. Only the front end can know. */
#define RING_FULL(front) \
    (!RING_FREE_REQUESTS(front))

/*
 * Number of published responses the front end has yet to consume. Not limited to the size of the
 * ring: check an untrusted back end with RING_RESPONSE_PROD_OVERFLOW.
 */
#define XEN_RING_NR_UNCONSUMED_RESPONSES(front) \
    ((front)->sring->rsp_prod - (front)->rsp_cons)

#ifdef __GNUC__
/*
 * Number of published requests the back end can consume now. Limited to the entries free of
 * responses the back end has yet to publish, whatever producer index the front end claims.
 */
#define XEN_RING_NR_UNCONSUMED_REQUESTS(back) ({ \
    RING_IDX posted_ = (back)->sring->req_prod - (back)->req_cons; \
    RING_IDX room_ = RING_SIZE(back) + (back)->rsp_prod_pvt - (back)->req_cons; \
    room_ > posted_ ? posted_ : room_; \
})
#else
/*
 * Number of published requests the back end can consume now. Limited to the entries free of
 * responses the back end has yet to publish, whatever producer index the front end claims. Reads
 * the shared producer index up to twice.
 */
#define XEN_RING_NR_UNCONSUMED_REQUESTS(back) \
    (RING_SIZE(back) + (back)->rsp_prod_pvt - (back)->req_cons > \
             (back)->sring->req_prod - (back)->req_cons \
         ? (back)->sring->req_prod - (back)->req_cons \
         : RING_SIZE(back) + (back)->rsp_prod_pvt - (back)->req_cons)
#endif

#ifdef XEN_RING_HAS_UNCONSUMED_IS_BOOL
/*
 * Whether a published response waits for the front end. If so, call xen_rmb() before reading the
 * entry. Exactly 0 or 1.
 */
#define RING_HAS_UNCONSUMED_RESPONSES(front) \
    (XEN_RING_NR_UNCONSUMED_RESPONSES(front) != 0)

/*
 * Whether a published request waits for the back end. If so, call xen_rmb() before reading the
 * entry. Exactly 0 or 1.
 */
#define RING_HAS_UNCONSUMED_REQUESTS(back) \
    (XEN_RING_NR_UNCONSUMED_REQUESTS(back) != 0)
#else
/*
 * Whether a published response waits for the front end. If so, call xen_rmb() before reading the
 * entry. The value is how many wait; define XEN_RING_HAS_UNCONSUMED_IS_BOOL for 0 or 1.
 */
#define RING_HAS_UNCONSUMED_RESPONSES(front) XEN_RING_NR_UNCONSUMED_RESPONSES(front)

/*
 * Whether a published request waits for the back end. If so, call xen_rmb() before reading the
 * entry. The value is how many wait; define XEN_RING_HAS_UNCONSUMED_IS_BOOL for 0 or 1.
 */
#define RING_HAS_UNCONSUMED_REQUESTS(back) XEN_RING_NR_UNCONSUMED_REQUESTS(back)
#endif

/*
 * Pointer to the request in the shared entry that index selects. The front end fills requests
 * through it, at req_prod_pvt. A back end should read through RING_COPY_REQUEST instead: the
 * front end can change the entry at any time.
 */
#define RING_GET_REQUEST(half, index) \
    (&(half)->sring->ring[(RING_SIZE(half) - 1) & (index)].req)

/*
 * Pointer to the response in the shared entry that index selects. The back end fills responses
 * through it, at rsp_prod_pvt. A front end should read through RING_COPY_RESPONSE instead: the
 * back end can change the entry at any time.
 */
#define RING_GET_RESPONSE(half, index) \
    (&(half)->sring->ring[(RING_SIZE(half) - 1) & (index)].rsp)

/*
 * Copies the request or response at index to the caller's memory, once. RING_COPY_REQUEST and
 * RING_COPY_RESPONSE are made of it; kind is REQUEST or RESPONSE. The volatile access keeps the
 * compiler from going back to the shared entry after the copy has been checked.
 */
#define RING_COPY_(kind, half, index, copy) do { \
    *(copy) = *(const volatile __typeof__(*(copy)) *)RING_GET_##kind(half, index); \
} while (0)

/*
 * Copies the request at index out of the ring. The back end calls it at req_cons, then advances
 * req_cons by one; a request must be waiting there.
 */
#define RING_COPY_REQUEST(half, index, copy) RING_COPY_(REQUEST, half, index, copy)

/*
 * Copies the response at index out of the ring. The front end calls it at rsp_cons, then advances
 * rsp_cons by one; a response must be waiting there.
 */
#define RING_COPY_RESPONSE(half, index, copy) RING_COPY_(RESPONSE, half, index, copy)

/*
 * Whether consuming the request at index would overrun the ring. The back end stops consuming
 * when it does: every entry then holds a request it has not answered.
 */
#define RING_REQUEST_CONS_OVERFLOW(back, index) \
    (RING_SIZE(back) <= (index) - (back)->rsp_prod_pvt)

/*
 * Whether the front end cannot have produced requests up to index. A back end puts the page's
 * req_prod to this test; if it fails, the front end is broken or hostile.
 */
#define RING_REQUEST_PROD_OVERFLOW(back, index) \
    (RING_SIZE(back) < (index) - (back)->rsp_prod_pvt)

/*
 * Whether the back end cannot have produced responses up to index. A front end puts the page's
 * rsp_prod to this test; if it fails, the back end is broken or hostile.
 */
#define RING_RESPONSE_PROD_OVERFLOW(front, index) \
    (RING_SIZE(front) < (index) - (front)->rsp_cons)

/*
 * Publishes the requests the front end has filled in. A write barrier makes their contents
 * visible before the new producer index is. Does not tell whether to notify the back end.
 */
#define RING_PUSH_REQUESTS(front) do { \
    xen_wmb(); \
    (front)->sring->req_prod = (front)->req_prod_pvt; \
} while (0)

/*
 * Publishes the responses the back end has filled in. A write barrier makes their contents
 * visible before the new producer index is. Does not tell whether to notify the front end.
 */
#define RING_PUSH_RESPONSES(back) do { \
    xen_wmb(); \
    (back)->sring->rsp_prod = (back)->rsp_prod_pvt; \
} while (0)

/*
 * Publishes the front end's requests and sets notify to whether the back end wants to hear of it.
 * It does if its req_event is among the indices just published; then send it an event. A full
 * barrier before req_event is read keeps a back end about to sleep from being missed.
 */
#define RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(front, notify) do { \
    RING_IDX before_ = (front)->sring->req_prod; \
    RING_IDX after_ = (front)->req_prod_pvt; \
    xen_wmb(); \
    (front)->sring->req_prod = after_; \
    xen_mb(); \
    (notify) = (RING_IDX)(after_ - before_) > (RING_IDX)(after_ - (front)->sring->req_event); \
} while (0)

/*
 * Publishes the back end's responses and sets notify to whether the front end wants to hear of
 * it. It does if its rsp_event is among the indices just published; then send it an event. A full
 * barrier before rsp_event is read keeps a front end about to sleep from being missed.
 */
#define RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(back, notify) do { \
    RING_IDX before_ = (back)->sring->rsp_prod; \
    RING_IDX after_ = (back)->rsp_prod_pvt; \
    xen_wmb(); \
    (back)->sring->rsp_prod = after_; \
    xen_mb(); \
    (notify) = (RING_IDX)(after_ - before_) > (RING_IDX)(after_ - (back)->sring->rsp_event); \
} while (0)

/*
 * Sets more to whether requests are waiting, and asks to be notified of the next one if none is.
 * The back end calls it when it has consumed all it saw; it may sleep only if more is zero. It
 * looks a second time, behind a full barrier, for a request published meanwhile. To be woken
 * after several requests rather than one, set req_event in code of your own.
 */
#define RING_FINAL_CHECK_FOR_REQUESTS(back, more) do { \
    (more) = RING_HAS_UNCONSUMED_REQUESTS(back); \
    if (!(more)) { \
        (back)->sring->req_event = (back)->req_cons + 1; \
        xen_mb(); \
        (more) = RING_HAS_UNCONSUMED_REQUESTS(back); \
    } \
} while (0)

/*
 * Sets more to whether responses are waiting, and asks to be notified of the next one if none is.
 * The front end calls it when it has consumed all it saw; it may sleep only if more is zero. It
 * looks a second time, behind a full barrier, for a response published meanwhile. To be woken
 * after several responses rather than one, set rsp_event in code of your own.
 */
#define RING_FINAL_CHECK_FOR_RESPONSES(front, more) do { \
    (more) = RING_HAS_UNCONSUMED_RESPONSES(front); \
    if (!(more)) { \
        (front)->sring->rsp_event = (front)->rsp_cons + 1; \
        xen_mb(); \
        (more) = RING_HAS_UNCONSUMED_RESPONSES(front); \
    } \
} while (0)

#ifndef XEN_PAGE_SHIFT
/*
 * Binary logarithm of the page size that shared memory is counted in. 4096 bytes on every
 * architecture, whatever page size the guest itself runs with.
 */
#define XEN_PAGE_SHIFT 12
#endif

/*
 * Bytes in one direction of a byte ring whose two directions together take 2^order pages. Each
 * direction gets half. Either side may ask.
 */
#define XEN_FLEX_RING_SIZE(order) \
    (1UL << (XEN_PAGE_SHIFT + (order) - 1))

/*
 * Declares the functions of byte rings called name: two streams of bytes, one each way.
 *
 * The size of a stream is a power of two. Functions whose parameters are called masked take
 * positions that NAME_mask has reduced; NAME_queued takes free-running ones.
 * NAME_mask reduces a free-running index to a position in the stream's memory.
 * NAME_get_ring_ptr is the address of an index in the stream's memory.
 * NAME_read_packet copies size bytes out of the stream and advances the consumer's position.
 * NAME_write_packet copies size bytes into the stream and advances the producer's position.
 * NAME_queued is the number of bytes written but not yet read; the rest of the size is free.
 * struct NAME_data holds where the memory of the two streams is.
 * Either side calls them. They wrap around the end of the memory, but neither check that there is
 * enough data or room, nor order memory accesses, nor touch the shared indices.
 */
#define DEFINE_XEN_FLEX_RING(name) \
    static inline RING_IDX name##_mask(RING_IDX index, RING_IDX ring_size) \
    { \
        return (ring_size - 1) & index; \
    } \
    \
    static inline unsigned char *name##_get_ring_ptr(unsigned char *stream, RING_IDX index, \
                                                     RING_IDX ring_size) \
    { \
        return &stream[name##_mask(index, ring_size)]; \
    } \
    \
    static inline void name##_read_packet(void *packet, const unsigned char *stream, \
                                          size_t size, RING_IDX masked_prod, \
                                          RING_IDX *masked_cons, RING_IDX ring_size) \
    { \
        unsigned char *to = packet; \
        RING_IDX at = *masked_cons; \
        RING_IDX to_end = ring_size - at; \
        \
        if (at >= masked_prod && size > to_end) { \
            memcpy(to, stream + at, to_end); \
            memcpy(to + to_end, stream, size - to_end); \
        } else { \
            memcpy(to, stream + at, size); \
        } \
        *masked_cons = name##_mask((RING_IDX)(at + size), ring_size); \
    } \
    \
    static inline void name##_write_packet(unsigned char *stream, const void *packet, \
                                           size_t size, RING_IDX *masked_prod, \
                                           RING_IDX masked_cons, RING_IDX ring_size) \
    { \
        const unsigned char *from = packet; \
        RING_IDX at = *masked_prod; \
        RING_IDX to_end = ring_size - at; \
        \
        if (at >= masked_cons && size > to_end) { \
            memcpy(stream + at, from, to_end); \
            memcpy(stream, from + to_end, size - to_end); \
        } else { \
            memcpy(stream + at, from, size); \
        } \
        *masked_prod = name##_mask((RING_IDX)(at + size), ring_size); \
    } \
    \
    static inline RING_IDX name##_queued(RING_IDX prod, RING_IDX cons, RING_IDX ring_size) \
    { \
        RING_IDX head = name##_mask(prod, ring_size); \
        RING_IDX tail = name##_mask(cons, ring_size); \
        \
        if (prod == cons) \
            return 0; \
        return head > tail ? head - tail : ring_size - (tail - head); \
    } \
    \
    struct name##_data { \
        unsigned char *in; \
        unsigned char *out; \
    }

/*
 * Declares the byte rings called name and the page of indices that both sides share.
 *
 * struct NAME_data_intf is that page: producer and consumer index of each stream, the two pairs
 * in cache lines of their own; the binary logarithm of the number of pages; a grant reference for
 * each page. Everything else is as by DEFINE_XEN_FLEX_RING.
 */
#define DEFINE_XEN_FLEX_RING_AND_INTF(name) \
    struct name##_data_intf { \
        RING_IDX in_cons; \
        RING_IDX in_prod; \
        uint8_t pad1[56]; \
        RING_IDX out_cons; \
        RING_IDX out_prod; \
        uint8_t pad2[56]; \
        RING_IDX ring_order; \
        grant_ref_t ref[]; \
    }; \
    DEFINE_XEN_FLEX_RING(name)

#endif /* __XEN_PUBLIC_IO_RING_H__ */
