/*
 * What a monitor needs of libxentoollog: who is told what Xen's libraries have to
 * say.  The same in every Xen from 4.7 on.
 */

#ifndef XENTOOLLOG_H
#define XENTOOLLOG_H

#include <stddef.h>

/* The C library's. */
typedef struct _IO_FILE FILE;

/* How much something matters. */
typedef enum xentoollog_level {
    XTL_NONE, /* no level, but less than each */
    XTL_DEBUG,
    XTL_VERBOSE,
    XTL_DETAIL,
    XTL_PROGRESS, /* how far long work has come */
    XTL_INFO,
    XTL_NOTICE,
    XTL_WARN,
    XTL_ERROR,
    XTL_CRITICAL,
    XTL_NUM_LEVELS /* how many levels there are */
} xentoollog_level;

/* What the flags of a logger that writes to a stream stand for. */
#define XTL_STDIOSTREAM_SHOW_PID 001u
#define XTL_STDIOSTREAM_SHOW_DATE 002u
#define XTL_STDIOSTREAM_HIDE_PROGRESS 004u
#define XTL_STDIOSTREAM_PROGRESS_USE_CR 010u /* progress overwrites its line */
#define XTL_STDIOSTREAM_PROGRESS_NO_CR 020u /* it does not, not even on a terminal */

typedef struct xentoollog_logger xentoollog_logger;
typedef struct xentoollog_logger_stdiostream xentoollog_logger_stdiostream;

/* Make a logger that writes to a stream what matters as much as min_level. */
xentoollog_logger_stdiostream *xtl_createlogger_stdiostream(FILE *f,
    xentoollog_level min_level, unsigned flags);

/* Change what it writes. */
void xtl_stdiostream_set_minlevel(xentoollog_logger_stdiostream *logger,
    xentoollog_level min_level);

/* Set some of its flags, and clear others; what is in both is set. */
void xtl_stdiostream_adjust_flags(xentoollog_logger_stdiostream *logger,
    unsigned set_flags, unsigned clear_flags);

/* Do away with a logger; the stream stays open. */
void xtl_logger_destroy(struct xentoollog_logger *logger);

#endif
