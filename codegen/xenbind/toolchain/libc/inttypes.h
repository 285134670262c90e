/* SPDX-License-Identifier: MIT */
/*
 * How printf is told of the integer types of stdint.h: ISO C 7.8.1.
 */

#ifndef XENBIND_LIBC_INTTYPES_H
#define XENBIND_LIBC_INTTYPES_H

#include <stdint.h>

#if __SIZEOF_LONG__ == 8
#define XENBIND_PRI64 "l"
#define XENBIND_PRIPTR "l"
#else
#define XENBIND_PRI64 "ll"
#define XENBIND_PRIPTR ""
#endif

#define PRId8 "d"
#define PRId16 "d"
#define PRId32 "d"
#define PRId64 XENBIND_PRI64 "d"
#define PRIdPTR XENBIND_PRIPTR "d"

#define PRIi8 "i"
#define PRIi16 "i"
#define PRIi32 "i"
#define PRIi64 XENBIND_PRI64 "i"
#define PRIiPTR XENBIND_PRIPTR "i"

#define PRIo8 "o"
#define PRIo16 "o"
#define PRIo32 "o"
#define PRIo64 XENBIND_PRI64 "o"
#define PRIoPTR XENBIND_PRIPTR "o"

#define PRIu8 "u"
#define PRIu16 "u"
#define PRIu32 "u"
#define PRIu64 XENBIND_PRI64 "u"
#define PRIuPTR XENBIND_PRIPTR "u"

#define PRIx8 "x"
#define PRIx16 "x"
#define PRIx32 "x"
#define PRIx64 XENBIND_PRI64 "x"
#define PRIxPTR XENBIND_PRIPTR "x"

#define PRIX8 "X"
#define PRIX16 "X"
#define PRIX32 "X"
#define PRIX64 XENBIND_PRI64 "X"
#define PRIXPTR XENBIND_PRIPTR "X"

#endif /* XENBIND_LIBC_INTTYPES_H */
