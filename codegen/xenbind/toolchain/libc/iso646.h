/* SPDX-License-Identifier: MIT */
/*
 * Words for operators: ISO C 7.9.
 */

#ifndef XENBIND_LIBC_ISO646_H
#define XENBIND_LIBC_ISO646_H

#define and &&
#define and_eq &=
#define bitand &
#define bitor |
#define compl ~
#define not !
#define not_eq !=
#define or ||
#define or_eq |=
#define xor ^
#define xor_eq ^=

#endif /* XENBIND_LIBC_ISO646_H */
