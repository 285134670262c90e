/* SPDX-License-Identifier: MIT */
/*
 * The numbers of device requests: a direction, the size of what is passed, a type and a number.
 */

#ifndef XENBIND_LIBC_LINUX_IOCTL_H
#define XENBIND_LIBC_LINUX_IOCTL_H

#define _IOC_NONE 0U
#define _IOC_WRITE 1U
#define _IOC_READ 2U

#define _IOC(direction, type, number, size) \
    (((direction) << 30) | ((type) << 8) | (number) | ((size) << 16))

#define _IO(type, number) _IOC(_IOC_NONE, type, number, 0)
#define _IOR(type, number, what) _IOC(_IOC_READ, type, number, sizeof(what))
#define _IOW(type, number, what) _IOC(_IOC_WRITE, type, number, sizeof(what))
#define _IOWR(type, number, what) _IOC(_IOC_READ | _IOC_WRITE, type, number, sizeof(what))

#endif /* XENBIND_LIBC_LINUX_IOCTL_H */
