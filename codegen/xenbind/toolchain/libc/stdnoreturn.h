/* SPDX-License-Identifier: MIT */
/*
 * C's word for a function that does not return by its usual name.
 */

#ifndef XENBIND_LIBC_STDNORETURN_H
#define XENBIND_LIBC_STDNORETURN_H

#define noreturn _Noreturn

#endif /* XENBIND_LIBC_STDNORETURN_H */
