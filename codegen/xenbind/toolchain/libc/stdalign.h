/* SPDX-License-Identifier: MIT */
/*
 * C's words for alignments by their usual names.
 */

#ifndef XENBIND_LIBC_STDALIGN_H
#define XENBIND_LIBC_STDALIGN_H

#define alignas _Alignas
#define alignof _Alignof

#define __alignas_is_defined 1
#define __alignof_is_defined 1

#endif /* XENBIND_LIBC_STDALIGN_H */
