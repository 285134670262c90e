/*
 * The page of a vchan, in the words of these tests: a stream of bytes each way between a server
 * and a client. The server reads `left` and writes `right`.
 */
#ifndef LIBXENVCHAN_H
#define LIBXENVCHAN_H

#include <stdint.h>

/* How many bytes were taken from a ring, and put into it. */
struct ring_shared {
    uint32_t cons, prod;
};

#define VCHAN_NOTIFY_WRITE 0x1
#define VCHAN_NOTIFY_READ 0x2

struct vchan_interface {
    struct ring_shared left, right;
    /* A ring has 2^order bytes: 10 and 11 are in this page, more are memory that is granted. */
    uint16_t left_order, right_order;
    uint8_t cli_live, srv_live;
    uint8_t cli_notify, srv_notify;
    uint32_t grants[0];
};

#endif
