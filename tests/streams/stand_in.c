/*
 * What libxengnttab, libxenevtchn and libxenstore do for a stream, without a hypervisor.
 *
 * A folder, which $STAND_IN names, has all that the domains share: `page-N` is what the grant
 * reference N stands for, `port-N` a pipe with the events of a port, `peer-N` the port that this
 * one is bound to, and `next` the numbers that are given away. XenStore's nodes are files with
 * `+` for `/`.
 *
 * Pages are mapped between two that nobody may touch.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096ul

struct handle {
    int fd; /* of the port, if it has one */
    uint32_t port;
};

static struct notified { /* a page, of which a byte becomes 0 when it is unmapped */
    char *page;
    uint32_t offset, port;
} notified[2]; /* this process may have both ends */

static const char *named(const char *kind, uint32_t number)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/%s-%u", getenv("STAND_IN"), kind, number);
    return path;
}

static const char *node(const char *name)
{
    static char path[4096];
    char *at = path + snprintf(path, sizeof(path), "%s/", getenv("STAND_IN"));

    snprintf(at, path + sizeof(path) - at, "%s", name);
    for (; *at; at++)
        if (*at == '/')
            *at = '+';
    return path;
}

static uint32_t next_number(void)
{
    uint32_t number = 0;
    int fd = open(named("next", 0), O_RDWR | O_CREAT, 0600);

    flock(fd, LOCK_EX);
    if (pread(fd, &number, sizeof(number), 0) < 0)
        abort();
    number++;
    if (pwrite(fd, &number, sizeof(number), 0) < 0)
        abort();
    close(fd);
    return number;
}

static void *map(uint32_t count, const uint32_t *refs, int protection)
{
    char *before = mmap(NULL, (count + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *pages = before + PAGE;

    for (uint32_t i = 0; i < count; i++) {
        int fd = open(named("page", refs[i]), O_RDWR);

        if (fd < 0) {
            munmap(before, (count + 2) * PAGE);
            errno = EINVAL;
            return NULL;
        }
        mmap(pages + i * PAGE, PAGE, protection, MAP_SHARED | MAP_FIXED, fd, 0);
        close(fd);
    }
    return pages;
}

static void send_event(uint32_t port)
{
    uint32_t peer;
    FILE *file = fopen(named("peer", port), "r");

    if (!file)
        return; /* nobody has bound to it yet */
    if (fscanf(file, "%u", &peer) == 1) {
        int fd = open(named("port", peer), O_WRONLY | O_NONBLOCK);

        if (fd >= 0) {
            if (write(fd, &peer, sizeof(peer)) < 0 && errno != EAGAIN)
                abort();
            close(fd);
        }
    }
    fclose(file);
}

static int unmap(char *page, uint32_t count)
{
    for (int i = 0; i < 2; i++)
        if (notified[i].page == page) {
            page[notified[i].offset] = 0;
            send_event(notified[i].port);
            notified[i].page = NULL;
        }
    return munmap(page - PAGE, (count + 2) * PAGE);
}

static void *remember(char *page, uint32_t offset, uint32_t port)
{
    if (page)
        notified[!!notified[0].page] = (struct notified){page, offset, port};
    return page;
}

/* libxengnttab */

void *xengnttab_open(void *logger, unsigned flags) { return calloc(1, sizeof(struct handle)); }
int xengnttab_close(void *handle) { free(handle); return 0; }
void *xengntshr_open(void *logger, unsigned flags) { return calloc(1, sizeof(struct handle)); }
int xengntshr_close(void *handle) { free(handle); return 0; }

void *xengntshr_share_pages(void *handle, uint32_t domain, int count, uint32_t *refs, int writable)
{
    for (int i = 0; i < count; i++) {
        int fd = open(named("page", refs[i] = next_number()), O_RDWR | O_CREAT, 0600);

        if (ftruncate(fd, PAGE))
            abort();
        close(fd);
    }
    return map(count, refs, PROT_READ | PROT_WRITE);
}

void *xengntshr_share_page_notify(void *handle, uint32_t domain, uint32_t *ref, int writable,
                                  uint32_t offset, uint32_t port)
{
    return remember(xengntshr_share_pages(handle, domain, 1, ref, writable), offset, port);
}

int xengntshr_unshare(void *handle, void *page, uint32_t count) { return unmap(page, count); }

void *xengnttab_map_domain_grant_refs(void *handle, uint32_t count, uint32_t domain,
                                      uint32_t *refs, int protection)
{
    return map(count, refs, protection);
}

void *xengnttab_map_grant_ref_notify(void *handle, uint32_t domain, uint32_t ref, int protection,
                                     uint32_t offset, uint32_t port)
{
    return remember(map(1, &ref, protection), offset, port);
}

int xengnttab_unmap(void *handle, void *page, uint32_t count) { return unmap(page, count); }

/* libxenevtchn */

void *xenevtchn_open(void *logger, unsigned flags) { return calloc(1, sizeof(struct handle)); }

int xenevtchn_fd(struct handle *handle) { return handle->fd; }

int xenevtchn_close(struct handle *handle)
{
    if (handle->fd)
        close(handle->fd);
    free(handle);
    return 0;
}

int xenevtchn_bind_unbound_port(struct handle *handle, uint32_t domain)
{
    handle->port = next_number();
    mkfifo(named("port", handle->port), 0600);
    handle->fd = open(named("port", handle->port), O_RDWR);
    return handle->port;
}

static void write_peer(uint32_t port, uint32_t peer)
{
    FILE *file = fopen(named("peer", port), "w");

    fprintf(file, "%u", peer);
    fclose(file);
}

int xenevtchn_bind_interdomain(struct handle *handle, uint32_t domain, uint32_t peer)
{
    if (access(named("port", peer), F_OK)) {
        errno = EINVAL;
        return -1;
    }
    xenevtchn_bind_unbound_port(handle, domain);
    write_peer(handle->port, peer);
    write_peer(peer, handle->port);
    return handle->port;
}

int xenevtchn_unbind(struct handle *handle, uint32_t port) { return 0; }

int xenevtchn_notify(struct handle *handle, uint32_t port)
{
    send_event(port);
    return 0;
}

int xenevtchn_pending(struct handle *handle)
{
    uint32_t port;

    return read(handle->fd, &port, sizeof(port)) == sizeof(port) ? (int)port : -1;
}

int xenevtchn_unmask(struct handle *handle, uint32_t port) { return 0; }

/* libxenstore */

void *xs_open(unsigned long flags) { return calloc(1, sizeof(struct handle)); }
void xs_close(void *handle) { free(handle); }
uint32_t xs_transaction_start(void *handle) { return 1; }
bool xs_transaction_end(void *handle, uint32_t transaction, bool abort) { return true; }
bool xs_set_permissions(void *h, uint32_t t, const char *p, void *l, unsigned n) { return true; }
bool xs_rm(void *handle, uint32_t transaction, const char *name) { return !unlink(node(name)); }

bool xs_write(void *handle, uint32_t transaction, const char *name, const void *data,
              unsigned size)
{
    int fd = open(node(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool is_written = write(fd, data, size) == (ssize_t)size;

    close(fd);
    return is_written;
}

void *xs_read(void *handle, uint32_t transaction, const char *name, unsigned *size)
{
    int fd;
    char *data;
    ssize_t got;

    if (!strcmp(name, "domid"))
        return strdup("0");
    fd = open(node(name), O_RDONLY);
    if (fd < 0)
        return NULL;
    data = calloc(1, PAGE);
    got = read(fd, data, PAGE - 1);
    close(fd);
    if (size)
        *size = got;
    return data;
}
