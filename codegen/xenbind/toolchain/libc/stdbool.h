/* SPDX-License-Identifier: MIT */
/*
 * C's truth values by their usual names.
 */

#ifndef XENBIND_LIBC_STDBOOL_H
#define XENBIND_LIBC_STDBOOL_H

#define bool _Bool
#define true 1
#define false 0

#endif /* XENBIND_LIBC_STDBOOL_H */
