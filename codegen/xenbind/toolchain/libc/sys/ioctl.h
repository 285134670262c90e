/* SPDX-License-Identifier: MIT */
/*
 * The numbers of requests to devices, which are the kernel's.
 */

#ifndef XENBIND_LIBC_SYS_IOCTL_H
#define XENBIND_LIBC_SYS_IOCTL_H

#include <linux/ioctl.h>

#endif /* XENBIND_LIBC_SYS_IOCTL_H */
