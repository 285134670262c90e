/* SPDX-License-Identifier: MIT */
/*
 * Sizes, pointer differences, wide characters and member offsets, as the compiler knows them.
 */

#ifndef XENBIND_LIBC_STDDEF_H
#define XENBIND_LIBC_STDDEF_H

typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef __WCHAR_TYPE__ wchar_t;

#define NULL ((void *)0)

#define offsetof(type, member) __builtin_offsetof(type, member)

#endif /* XENBIND_LIBC_STDDEF_H */
