/* A controller's store in a folder of its own, for tests: a real database file, which another
 * connection can read as it would be found after kill -9. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "controller/store.h"

struct temp_store {
    char dir[64], path[96];
};

/* Opens it again after store_close(). */
static inline int temp_store_reopen(const struct temp_store *temp, struct store *store)
{
    struct flt_error error = { 0 };

    return store_open(store, temp->path, &error);
}

/* 0, or what mkdtemp() or store_open() failed with. */
static inline int temp_store_open(struct temp_store *temp, struct store *store)
{
    snprintf(temp->dir, sizeof temp->dir, "/tmp/test-controller-XXXXXX");
    if (!mkdtemp(temp->dir))
        return -1;
    snprintf(temp->path, sizeof temp->path, "%s/controller.db", temp->dir);
    return temp_store_reopen(temp, store);
}

/* After store_close(). */
static inline void temp_store_remove(const struct temp_store *temp)
{
    static const char *const ends[] = { "", "-wal", "-shm" };

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char path[128];

        snprintf(path, sizeof path, "%s%s", temp->path, ends[i]);
        unlink(path);
    }
    rmdir(temp->dir);
}
