/*
 * What a monitor needs of libxenforeignmemory: pages of another domain, mapped
 * here.  The same in every Xen from 4.7 on.
 *
 * A function gives 0 or more, and -1 for an error, which errno tells; one that
 * gives a pointer NULL.
 */

#ifndef XENFOREIGNMEMORY_H
#define XENFOREIGNMEMORY_H

#include <stddef.h>
#include <stdint.h>

/* The number of a page. */
typedef unsigned long xen_pfn_t;

typedef struct xenforeignmemory_handle xenforeignmemory_handle;
struct xentoollog_logger;

/* Open a way to other domains' memory.  There are no flags that all releases know. */
xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger,
    unsigned open_flags);

/* Close it. */
int xenforeignmemory_close(xenforeignmemory_handle *fmem);

/*
 * Map pages of a domain one behind the other, for what PROT_* of mmap say.
 * With err, a number for each page, some may fail; without, none.
 */
void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom,
    int prot, size_t pages, const xen_pfn_t arr[],
    int err[]);

/* Undo what one such call mapped. */
int xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *addr,
    size_t pages);

#endif
