/*
 * What a monitor needs of libxenevtchn: event channels, by which domains wake
 * each other.  The same in every Xen from 4.7 on.
 *
 * A function gives 0 or more, and -1 for an error, which errno tells.
 */

#ifndef XENEVTCHN_H
#define XENEVTCHN_H

#include <stddef.h>
#include <stdint.h>

/* A port, this domain's end of a channel; some functions give -1 in its place. */
typedef uint32_t evtchn_port_t;
typedef int xenevtchn_port_or_error_t;

typedef struct xenevtchn_handle xenevtchn_handle;
struct xentoollog_logger;

/* Open a way to event channels.  There are no flags that all releases know. */
xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger,
    unsigned int flags);

/* Close it, with all its ports. */
int xenevtchn_close(xenevtchn_handle *xce);

/* A file descriptor, which can be read when a port has an event. */
int xenevtchn_fd(xenevtchn_handle *xce);

/* Wake the other end. */
int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port);

/* Make a port that a domain may bind. */
xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle *xce,
    uint32_t domid);

/* Bind a port that another domain has made for this one. */
xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce,
    uint32_t domid, evtchn_port_t remote_port);

/* Bind a virtual interrupt. */
xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce,
    unsigned int virq);

/* Give a port up. */
int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port);

/* Take a port that has an event, which is masked until it is unmasked. */
xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce);

/* Have a port's events come again. */
int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port);

#endif
