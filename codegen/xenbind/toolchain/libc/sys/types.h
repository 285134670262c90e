/* SPDX-License-Identifier: MIT */
/*
 * Of the system's types, those that Xen's headers use.
 */

#ifndef XENBIND_LIBC_SYS_TYPES_H
#define XENBIND_LIBC_SYS_TYPES_H

#include <stddef.h>

#endif /* XENBIND_LIBC_SYS_TYPES_H */
