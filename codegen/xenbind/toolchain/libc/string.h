/* SPDX-License-Identifier: MIT */
/*
 * The three memory functions that the ring macros and their tests call.
 */

#ifndef XENBIND_LIBC_STRING_H
#define XENBIND_LIBC_STRING_H

#include <stddef.h>

void *memset(void *start, int byte, size_t count);
void *memcpy(void *to, const void *from, size_t count);
int memcmp(const void *left, const void *right, size_t count);

#endif /* XENBIND_LIBC_STRING_H */
