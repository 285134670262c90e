/* SPDX-License-Identifier: MIT */
/*
 * The exact-width integer types, as the compiler itself knows them.
 *
 * Xen's headers need little more of the C library, and so can be read without one, by a compiler
 * that has none for its target: -nostdinc -isystem with this folder.
 */

#ifndef XENBIND_LIBC_STDINT_H
#define XENBIND_LIBC_STDINT_H

typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;

typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;

typedef __INTPTR_TYPE__ intptr_t;
typedef __UINTPTR_TYPE__ uintptr_t;

#endif /* XENBIND_LIBC_STDINT_H */
