/*
 * An end of a stream by Xen's own libxenvchan, for the other end to be tried with.
 *
 *     peer serve DOMAIN PATH FIRST          gives back what comes, until the other side closes
 *     peer connect DOMAIN PATH SIZE SEED    sends random bytes, and expects them back
 *
 * FIRST is where a server's indices begin. All is moved in pieces of random sizes; at its end it
 * prints how many bytes came, and their Adler-32.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxenvchan.h>

enum { PIECE = 5000, RING = 16384 };

static uint32_t a = 1, b;
static size_t total;

static void count(const unsigned char *data, size_t size)
{
    total += size;
    while (size--) {
        a = (a + *data++) % 65521;
        b = (b + a) % 65521;
    }
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void serve(struct libxenvchan *stream)
{
    unsigned char data[PIECE];
    int size;

    stream->blocking = 1;
    while ((size = libxenvchan_read(stream, data, 1 + rand() % PIECE)) > 0) {
        count(data, size);
        if (libxenvchan_send(stream, data, size) != size)
            fail("libxenvchan_send");
    }
}

static void exchange(struct libxenvchan *stream, size_t size)
{
    unsigned char *sent = malloc(size), *back = malloc(size);
    size_t at = 0;

    for (size_t i = 0; i < size; i++)
        sent[i] = rand() >> 8;
    while (total < size) {
        size_t piece = 1 + rand() % PIECE;
        int written = 0, got;

        if (at < size)
            written = libxenvchan_write(stream, sent + at, piece < size - at ? piece : size - at);
        got = libxenvchan_read(stream, back + total, 1 + rand() % PIECE);
        if (written < 0 || got < 0)
            fail("the stream");
        at += written;
        count(back + total, got);
        if (!written && !got && libxenvchan_wait(stream))
            fail("libxenvchan_wait");
    }
    if (memcmp(sent, back, size)) {
        fprintf(stderr, "what came back is not what was sent\n");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    int is_server = argc > 4 && !strcmp(argv[1], "serve");
    struct libxenvchan *stream;

    if (argc < 5)
        return 2;
    if (is_server) {
        uint32_t first = strtoul(argv[4], NULL, 0);

        stream = libxenvchan_server_init(NULL, atoi(argv[2]), argv[3], RING, RING);
        if (!stream)
            fail("libxenvchan_server_init");
        stream->ring->left.cons = stream->ring->left.prod = first;
        stream->ring->right.cons = stream->ring->right.prod = first;
        fprintf(stderr, "waiting for a client\n");
        serve(stream);
    } else {
        stream = libxenvchan_client_init(NULL, atoi(argv[2]), argv[3]);
        if (!stream)
            fail("libxenvchan_client_init");
        srand(argc > 5 ? atoi(argv[5]) : 1);
        exchange(stream, strtoul(argv[4], NULL, 0));
    }
    libxenvchan_close(stream);
    printf("%zu bytes, Adler-32 %08x\n", total, b << 16 | a);
    return 0;
}
