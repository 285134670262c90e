/* SPDX-License-Identifier: MIT */
/*
 * Stands in for Xen's public xen.h, which vm_event.h includes by that name.
 *
 * It is empty because neither vm_event.h nor io/ring.h uses a name that the real xen.h declares:
 * both need only the fixed-width integers, and the including file has to bring those along. The
 * include guard is not the real one's, so that both headers can be included in one program.
 */

#ifndef XENBIND_XEN_H
#define XENBIND_XEN_H

#endif /* XENBIND_XEN_H */
