#include "lib/ahead.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CHUNK_BYTES 262144
#define CHUNKS 4

struct chunk {
    int size; /* 0: the end; negative: a failure */
    char *data;
};

/* The thread fills chunks in turn, the reader empties them in turn; the semaphores count how many
 * are free and how many are full, so that a chunk is one side's at any time. */
struct flt_ahead {
    gzFile file;
    struct chunk chunks[CHUNKS];
    unsigned at; /* the reader's chunk */
    int used;    /* of it */
    bool ended;
    bool threaded;
    pthread_t thread;
    sem_t free, full;
    atomic_bool stop;
    int err;
    char why[128];
};

/* One read; the reason of a failure is kept with it. A file that is cut has no more bytes and says
 * so only when asked. */
static int fill(struct flt_ahead *ahead, struct chunk *chunk)
{
    int code = Z_OK;

    chunk->size = gzread(ahead->file, chunk->data, CHUNK_BYTES);
    if (chunk->size > 0)
        return chunk->size;
    const char *const why = gzerror(ahead->file, &code);

    if (chunk->size == 0 && code != Z_BUF_ERROR)
        return 0;
    ahead->err = code == Z_BUF_ERROR ? -EPIPE : code == Z_ERRNO && errno ? -errno : -EINVAL;
    snprintf(ahead->why, sizeof ahead->why, "%s",
             code == Z_BUF_ERROR ? "the gzip file is cut short"
             : code == Z_ERRNO   ? strerror(errno)
                                 : why);
    chunk->size = -1;
    return -1;
}

static void *run(void *arg)
{
    struct flt_ahead *const ahead = arg;
    int got = 1;

    for (unsigned i = 1; got > 0; i = (i + 1) % CHUNKS) { /* the first one was read in place */
        while (sem_wait(&ahead->free) != 0) {
        }
        if (atomic_load(&ahead->stop))
            break;
        got = fill(ahead, &ahead->chunks[i]);
        (void)sem_post(&ahead->full);
    }
    return NULL;
}

/* Signals are for the program's own thread. No thread: it goes on in place. */
static void start(struct flt_ahead *ahead)
{
    sigset_t all, before;

    if (sem_init(&ahead->free, 0, CHUNKS - 1) != 0 || sem_init(&ahead->full, 0, 0) != 0)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ahead->threaded = pthread_create(&ahead->thread, NULL, run, ahead) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int flt_ahead_open(const char *path, struct flt_ahead **out)
{
    struct flt_ahead *ahead = calloc(1, sizeof *ahead);

    if (!ahead)
        return -ENOMEM;
    ahead->chunks[0].data = malloc((size_t)CHUNKS * CHUNK_BYTES);
    errno = 0;
    ahead->file = ahead->chunks[0].data ? gzopen(path, "rbe") : NULL;
    if (!ahead->file) {
        const int err = errno ? -errno : -ENOMEM;

        flt_ahead_close(ahead);
        return err;
    }
    for (size_t i = 1; i < CHUNKS; i++)
        ahead->chunks[i].data = ahead->chunks[0].data + i * CHUNK_BYTES;
    (void)gzbuffer(ahead->file, CHUNK_BYTES / 2);
    if (fill(ahead, &ahead->chunks[0]) == CHUNK_BYTES && !gzdirect(ahead->file))
        start(ahead);
    *out = ahead;
    return 0;
}

static void next_chunk(struct flt_ahead *ahead)
{
    ahead->used = 0;
    if (!ahead->threaded) {
        (void)fill(ahead, &ahead->chunks[ahead->at]);
        return;
    }
    (void)sem_post(&ahead->free);
    while (sem_wait(&ahead->full) != 0) {
    }
    ahead->at = (ahead->at + 1) % CHUNKS;
}

ssize_t flt_ahead_read(struct flt_ahead *ahead, void *data, size_t size, const char **why)
{
    struct chunk *chunk = &ahead->chunks[ahead->at];

    if (!ahead->ended && chunk->size > 0 && ahead->used == chunk->size) {
        next_chunk(ahead);
        chunk = &ahead->chunks[ahead->at];
    }
    if (ahead->ended || chunk->size <= 0) {
        ahead->ended = true;
        *why = ahead->why;
        return ahead->err;
    }
    const size_t rest = (size_t)(chunk->size - ahead->used);
    const size_t part = size < rest ? size : rest;

    memcpy(data, chunk->data + ahead->used, part);
    ahead->used += (int)part;
    return (ssize_t)part;
}

void flt_ahead_close(struct flt_ahead *ahead)
{
    if (!ahead)
        return;
    if (ahead->threaded) {
        atomic_store(&ahead->stop, true);
        (void)sem_post(&ahead->free);
        (void)pthread_join(ahead->thread, NULL);
        (void)sem_destroy(&ahead->free);
        (void)sem_destroy(&ahead->full);
    }
    if (ahead->file)
        (void)gzclose(ahead->file);
    free(ahead->chunks[0].data);
    free(ahead);
}
