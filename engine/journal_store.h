/* The storage thread of the journal: what it writes (one row of a table per kind of write), in
 * group commits, in the order queued. Only engine/journal.c includes this. */
#pragma once
#include <stdatomic.h>
#include "engine/intents.h"
#include "lib/db.h"
#include "lib/ring.h"

#define JOURNAL_APP_ID 0x464C544A /* "FLTJ" */

enum store_op {
    STORE_RECORD,
    STORE_SNAPSHOT,
    STORE_TRADE,
    STORE_LAST_TRADE,
    STORE_BOT,
    STORE_BOT_GONE,
    STORE_SNAPSHOT_GONE,
    STORE_COMMAND,
    STORE_COMMANDS_EXPIRE,
    STORE_HALT,
    STORE_ACCOUNT,
    STORE_ACCOUNT_GONE,
    STORE_META,
    STORE_PRUNE,
    STORE_PRUNE_TRADES,
    STORE_MARK, /* nothing to write: told back after the commit */
    STORE_OP_COUNT
};

/* What goes back to the loop, through `done`, after a commit: a copy of each RECORD and MARK op. */
struct store {
    struct flt_db *db; /* the thread's, once it runs */
    struct flt_ring *queue, *done;
    const char *dir;
    int intents_fd;
    void (*wake)(void *ctx); /* something is in `done`, or `healthy` changed; any thread */
    void *ctx;
    atomic_bool stop, healthy;
    atomic_bool idle; /* nothing taken from the queue waits for its commit */
    atomic_int why;   /* the failure behind !healthy, negative errno */
    struct store_thread *thread;
};

extern const struct flt_migration store_migrations[];
extern const size_t store_migration_count;

/* One queue record is one or more ops, which are committed together. Fields follow the op's
 * pattern: "s" text or NULL, "i" int64_t. */
void store_op(struct flt_buf *batch, enum store_op op, ...);
/* Reads the next op of a record of `done`; false: no more. Strings point into it. */
#define STORE_FIELDS_MAX 10
struct store_field {
    const char *text;
    int64_t number;
};
bool store_next(const unsigned char **at, const unsigned char *end, enum store_op *op,
                struct store_field fields[STORE_FIELDS_MAX]);

FLT_MUST_USE int store_start(struct store *store);
void store_kick(struct store *store); /* something is queued */
void store_stop(struct store *store); /* commits what is queued (or gives up), ends the thread */
