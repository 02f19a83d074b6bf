#define FLT_MOD "journal"
#include "engine/journal_store.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define BATCH_BYTES_MAX (4 * 1024 * 1024)
#define RETRY_S 1
#define FREE_BYTES_MIN (64 * 1024 * 1024) /* entries stop below; fills still have this much */
#define NULL_TEXT UINT32_MAX

const struct flt_migration store_migrations[] = {
    { 1,
      "CREATE TABLE meta (name TEXT PRIMARY KEY, number INTEGER NOT NULL DEFAULT 0,"
      "  text TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"
      "CREATE TABLE records (era INTEGER NOT NULL, n INTEGER NOT NULL, bot TEXT NOT NULL,"
      "  kind TEXT NOT NULL, ts_ms INTEGER NOT NULL, body TEXT NOT NULL,"
      "  PRIMARY KEY (era, n)) WITHOUT ROWID;"
      "CREATE TABLE snapshots (bot TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE trades (account TEXT NOT NULL, instrument TEXT NOT NULL,"
      "  trade_id TEXT NOT NULL, order_id TEXT NOT NULL, bot TEXT NOT NULL, ts_ms INTEGER NOT NULL,"
      "  seq INTEGER NOT NULL, PRIMARY KEY (account, instrument, trade_id, order_id))"
      "  WITHOUT ROWID;"
      "CREATE INDEX trades_bot ON trades (bot, seq);"
      "CREATE TABLE last_trades (account TEXT NOT NULL, instrument TEXT NOT NULL,"
      "  trade_id TEXT NOT NULL, ts_ms INTEGER NOT NULL, PRIMARY KEY (account, instrument))"
      "  WITHOUT ROWID;"
      "CREATE TABLE bots (name TEXT PRIMARY KEY, spec TEXT NOT NULL, generation INTEGER NOT NULL,"
      "  epoch INTEGER NOT NULL, desired TEXT NOT NULL, how TEXT NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE commands (id TEXT PRIMARY KEY, op TEXT NOT NULL, state TEXT NOT NULL,"
      "  result TEXT, ts_ms INTEGER NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE halts (scope TEXT NOT NULL, target TEXT NOT NULL, number INTEGER NOT NULL,"
      "  how TEXT NOT NULL, reason TEXT NOT NULL, ts_ms INTEGER NOT NULL,"
      "  PRIMARY KEY (scope, target)) WITHOUT ROWID;"
      "CREATE TABLE accounts (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;" },
};
const size_t store_migration_count = FLT_COUNT(store_migrations);

static const struct {
    const char *pattern, *sql;
    bool back; /* told to the loop after the commit */
} ops[STORE_OP_COUNT] = {
    [STORE_RECORD] = { "iissis",
                       "INSERT INTO records (era, n, bot, kind, ts_ms, body)"
                       " VALUES (?, ?, ?, ?, ?, ?)",
                       true },
    [STORE_SNAPSHOT] = { "ss",
                         "INSERT INTO snapshots (bot, state) VALUES (?, ?)"
                         " ON CONFLICT (bot) DO UPDATE SET state = excluded.state",
                         false },
    [STORE_TRADE] = { "sssssii",
                      "INSERT OR IGNORE INTO trades (account, instrument, trade_id, order_id, bot,"
                      " ts_ms, seq) VALUES (?, ?, ?, ?, ?, ?, ?)",
                      false },
    [STORE_LAST_TRADE] = { "sssi",
                           "INSERT INTO last_trades (account, instrument, trade_id, ts_ms)"
                           " VALUES (?, ?, ?, ?) ON CONFLICT (account, instrument) DO UPDATE SET"
                           " trade_id = excluded.trade_id, ts_ms = excluded.ts_ms"
                           " WHERE excluded.ts_ms >= last_trades.ts_ms",
                           false },
    [STORE_BOT] = { "ssiiss",
                    "INSERT INTO bots (name, spec, generation, epoch, desired, how)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                    " spec = excluded.spec, generation = excluded.generation,"
                    " epoch = excluded.epoch, desired = excluded.desired, how = excluded.how",
                    false },
    [STORE_BOT_GONE] = { "s", "DELETE FROM bots WHERE name = ?", false },
    [STORE_SNAPSHOT_GONE] = { "s", "DELETE FROM snapshots WHERE bot = ?", false },
    [STORE_COMMAND] = { "ssssi",
                        "INSERT INTO commands (id, op, state, result, ts_ms)"
                        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                        " state = excluded.state, result = excluded.result",
                        false },
    [STORE_COMMANDS_EXPIRE] = { "i", "DELETE FROM commands WHERE ts_ms < ?", false },
    [STORE_HALT] = { "ssissi",
                     "INSERT INTO halts (scope, target, number, how, reason, ts_ms)"
                     " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (scope, target) DO UPDATE SET"
                     " number = excluded.number, how = excluded.how, reason = excluded.reason,"
                     " ts_ms = excluded.ts_ms WHERE excluded.number >= halts.number",
                     false },
    [STORE_ACCOUNT] = { "ss",
                        "INSERT INTO accounts (name, doc) VALUES (?, ?)"
                        " ON CONFLICT (name) DO UPDATE SET doc = excluded.doc",
                        false },
    [STORE_ACCOUNT_GONE] = { "s", "DELETE FROM accounts WHERE name = ?", false },
    [STORE_META] = { "sis",
                     "INSERT INTO meta (name, number, text) VALUES (?, ?, ?)"
                     " ON CONFLICT (name) DO UPDATE SET number = excluded.number,"
                     " text = excluded.text",
                     false },
    [STORE_PRUNE] = { "iiii",
                      "DELETE FROM records WHERE era < ? AND ts_ms < ?3 OR era = ?1 AND"
                      " n <= ?2 AND ts_ms < ?3 AND n < ?4",
                      false },
    [STORE_PRUNE_TRADES] = { "i",
                             "DELETE FROM trades WHERE ts_ms < ?1 AND seq <"
                             " (SELECT max(seq) - 4096 FROM trades t"
                             "  WHERE t.bot = trades.bot)",
                             false },
    [STORE_MARK] = { "ii", NULL, true },
};

/* --- the bytes of an op
 * ------------------------------------------------------------------------------- */

static void put_text(struct flt_buf *batch, const char *text)
{
    const uint32_t length = text ? (uint32_t)strlen(text) : NULL_TEXT;

    flt_buf_append(batch, &length, sizeof length);
    if (text)
        flt_buf_append(batch, text, (size_t)length + 1);
}

void store_op(struct flt_buf *batch, enum store_op op, ...)
{
    const uint32_t code = op;
    va_list args;

    flt_buf_append(batch, &code, sizeof code);
    va_start(args, op);
    for (const char *p = ops[op].pattern; *p; p++) {
        if (*p == 's') {
            put_text(batch, va_arg(args, const char *));
        } else {
            const int64_t number = va_arg(args, int64_t);
            flt_buf_append(batch, &number, sizeof number);
        }
    }
    va_end(args);
}

bool store_next(const unsigned char **at, const unsigned char *end, enum store_op *op,
                struct store_field fields[STORE_FIELDS_MAX])
{
    uint32_t code, length;
    const unsigned char *p = *at;

    if (p >= end)
        return false;
    memcpy(&code, p, sizeof code);
    p += sizeof code;
    *op = (enum store_op)code;
    for (size_t i = 0; ops[code].pattern[i]; i++) {
        if (ops[code].pattern[i] == 'i') {
            memcpy(&fields[i].number, p, sizeof fields[i].number);
            p += sizeof fields[i].number;
            continue;
        }
        memcpy(&length, p, sizeof length);
        p += sizeof length;
        fields[i].text = length == NULL_TEXT ? NULL : (const char *)p;
        p += length == NULL_TEXT ? 0 : length + 1;
    }
    *at = p;
    return true;
}

/* --- the thread
 * ------------------------------------------------------------------------------------------ */

struct store_thread {
    pthread_t id;
    sem_t work;
    struct flt_buf batch;
    int64_t checked_s;
};

static int apply_op(struct store *store, enum store_op op, const struct store_field *fields)
{
    if (!ops[op].sql)
        return 0;
    sqlite3_stmt *stmt = flt_db_stmt(store->db, ops[op].sql);
    if (!stmt)
        return -EIO;
    for (int i = 0; ops[op].pattern[i]; i++) {
        if (ops[op].pattern[i] == 's')
            flt_db_bind_str(stmt, i + 1, fields[i].text);
        else
            flt_db_bind_int(stmt, i + 1, fields[i].number);
    }
    const int err = flt_db_step(store->db, stmt);
    return err > 0 ? 0 : err;
}

static int commit_batch(struct store *store)
{
    const struct flt_buf *batch = &store->thread->batch;
    const unsigned char *at = (const unsigned char *)batch->data;
    const unsigned char *end = at + batch->length;
    struct store_field fields[STORE_FIELDS_MAX];
    enum store_op op;
    int err = flt_db_begin(store->db);

    if (err)
        return err;
    while (!err && store_next(&at, end, &op, fields))
        err = apply_op(store, op, fields);
    if (!err)
        err = flt_db_commit(store->db);
    if (err)
        flt_db_rollback(store->db);
    return err;
}

static void pause_ms(long ms)
{
    const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

    (void)nanosleep(&time, NULL);
}

/* Committed records and marks go back, one op a record of the ring. The loop always empties it. */
static void tell_back(struct store *store)
{
    const struct flt_buf *batch = &store->thread->batch;
    const unsigned char *at = (const unsigned char *)batch->data;
    const unsigned char *end = at + batch->length, *from = at;
    struct store_field fields[STORE_FIELDS_MAX];
    enum store_op op;

    for (; store_next(&at, end, &op, fields); from = at) {
        const struct flt_ring_part part = { from, (size_t)(at - from) };

        while (ops[op].back && !flt_ring_push(store->done, &part, 1) &&
               !atomic_load(&store->stop)) {
            store->wake(store->ctx);
            pause_ms(1);
        }
    }
    store->wake(store->ctx);
}

static void set_health(struct store *store, int err)
{
    atomic_store(&store->why, err);
    if (atomic_exchange(&store->healthy, err == 0) != (err == 0))
        store->wake(store->ctx);
}

static bool has_space(const struct store *store)
{
    struct statvfs fs;

    return statvfs(store->dir, &fs) || /* not told: the commit will tell */
           (uint64_t)fs.f_bavail * fs.f_frsize >= FREE_BYTES_MIN;
}

/* Everything queued, up to a bound, into the batch: from here on the thread keeps it. */
static void take_batch(struct store *store)
{
    struct flt_buf *batch = &store->thread->batch;
    const void *record;
    size_t size;

    while (batch->length < BATCH_BYTES_MAX && (record = flt_ring_peek(store->queue, &size))) {
        flt_buf_append(batch, record, size);
        if (batch->failed) { /* no memory: what was taken before stays, this stays queued */
            batch->failed = false;
            return;
        }
        flt_ring_pop(store->queue);
    }
}

static void work_off(struct store *store)
{
    struct flt_buf *batch = &store->thread->batch;

    atomic_store(&store->idle, false);
    for (take_batch(store); batch->length > 0; take_batch(store)) {
        const int err = commit_batch(store);

        set_health(store, err ? err : has_space(store) ? 0 : -ENOSPC);
        if (err && atomic_load(&store->stop))
            return; /* said so to the loop; nothing more can be done */
        if (err) {
            pause_ms(RETRY_S * 1000);
            continue;
        }
        tell_back(store);
        flt_buf_reset(batch);
        (void)fdatasync(store->intents_fd); /* bounds what a power loss can take from the ring */
    }
    atomic_store(&store->idle, true);
}

static void *run(void *arg)
{
    struct store *store = arg;

    while (!atomic_load(&store->stop)) {
        struct timespec until;

        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 5;
        (void)sem_timedwait(&store->thread->work, &until);
        work_off(store);
        if (!atomic_load(&store->healthy) && has_space(store))
            set_health(store, 0);
        else if (atomic_load(&store->healthy) && !has_space(store))
            set_health(store, -ENOSPC);
    }
    work_off(store);
    return NULL;
}

int store_start(struct store *store)
{
    store->thread = calloc(1, sizeof *store->thread);
    if (!store->thread)
        return -ENOMEM;
    atomic_store(&store->healthy, true);
    if (sem_init(&store->thread->work, 0, 0) ||
        pthread_create(&store->thread->id, NULL, run, store)) {
        free(store->thread);
        store->thread = NULL;
        return FLT_FAIL(-EAGAIN, "why=\"no storage thread\"");
    }
    return 0;
}

void store_kick(struct store *store)
{
    int waiting = 0;

    if (sem_getvalue(&store->thread->work, &waiting) == 0 && waiting == 0)
        (void)sem_post(&store->thread->work);
}

void store_stop(struct store *store)
{
    if (!store->thread)
        return;
    atomic_store(&store->stop, true);
    (void)sem_post(&store->thread->work);
    (void)pthread_join(store->thread->id, NULL);
    (void)sem_destroy(&store->thread->work);
    flt_buf_finish(&store->thread->batch);
    free(store->thread);
    store->thread = NULL;
}
