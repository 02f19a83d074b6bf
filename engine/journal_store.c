/* The storage thread: takes a batch, writes it in one transaction, says that it is on disk. */
#define FLT_MOD "journal"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "engine/journal_impl.h"
#include "lib/config.h"

#define RETRY_MS 1000
#define ROOM_CHECK_MS 5000
#define PATH_BYTES 512
#define RESERVE_BYTES (16 * 1024 * 1024)
#define ROOM_BYTES_MIN                                                                             \
    ((uint64_t)32 * 1024 * 1024) /* below: no entries, what is left is for fills */

/* Per kind the SQL and one more; parameters are the op's texts, then its numbers. */
static const struct op_sql {
    const char *sql, *more;
    int texts;
} op_sql[OP_KIND_COUNT] = {
    [OP_BOT] = { .sql = "INSERT INTO bots(name, spec, desired, how, generation, epoch)"
                        " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(name) DO UPDATE SET"
                        " spec = ?2, desired = ?3, how = ?4, generation = ?5, epoch = ?6",
                 .texts = 4 },
    [OP_BOT_REMOVE] = { .sql = "DELETE FROM bots WHERE name = ?1",
                        .more = "DELETE FROM snapshots WHERE bot = ?1",
                        .texts = 1 },
    [OP_TRADES_FORGET] = { .sql = "DELETE FROM trades WHERE bot = ?1", .texts = 1 },
    [OP_COMMAND] = { .sql = "INSERT INTO commands(id, op, state, result, ts_ms)"
                            " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(id) DO UPDATE SET"
                            " op = ?2, state = ?3, result = ?4, ts_ms = ?5",
                     .texts = 4 },
    [OP_COMMANDS_EXPIRE] = { .sql = "DELETE FROM commands WHERE ts_ms < ?1" },
    [OP_HALT] = { .sql = "INSERT OR REPLACE INTO halts(scope, target, how, reason, number, ts_ms)"
                         " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                  .texts = 4 },
    [OP_ACCOUNT] = { .sql = "INSERT OR REPLACE INTO accounts(name, doc) VALUES(?1, ?2)",
                     .texts = 2 },
    [OP_ACCOUNT_REMOVE] = { .sql = "DELETE FROM accounts WHERE name = ?1", .texts = 1 },
    [OP_NUMBER] = { .sql = "INSERT OR REPLACE INTO numbers(name, value) VALUES(?1, ?2)",
                    .texts = 1 },
    [OP_RESERVE] = { .sql = "INSERT OR REPLACE INTO numbers(name, value) VALUES(?1, ?2)",
                     .texts = 1 },
    [OP_STREAM] = { .sql = "INSERT INTO streams(id, number, ts_ms) VALUES(?1, ?2, ?3)",
                    .texts = 1 },
    /* A bounded bite each time. The first record that is young ends it, so the search is short. Of
     * each bot the newest 512 trades stay however old they are: a venue may tell them again. */
    [OP_PRUNE] = { .sql = "DELETE FROM records WHERE id IN (SELECT id FROM records WHERE id <= ?1"
                          " AND id < coalesce((SELECT id FROM records WHERE ts_ms >= ?2 ORDER BY id"
                          " LIMIT 1), ?1 + 1) ORDER BY id LIMIT 5000)",
                   .more = "DELETE FROM trades WHERE number IN (SELECT number FROM trades AS t"
                           " WHERE ts_ms < ?2 AND number < (SELECT number FROM trades"
                           " AS u WHERE u.bot = t.bot ORDER BY number DESC LIMIT 1 OFFSET 511)"
                           " ORDER BY number LIMIT 1000)" },
};

void store_wake(int fd)
{
    const uint64_t one = 1;

    while (write(fd, &one, sizeof one) < 0 && errno == EINTR) /* EAGAIN: it is awake */
        ;
}

void store_drain(int fd)
{
    uint64_t count;

    while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

static int run(struct flt_db *db, const char *sql, const struct op *op, int texts)
{
    sqlite3_stmt *const stmt = flt_db_stmt(db, sql);
    const int count = stmt ? sqlite3_bind_parameter_count(stmt) : 0;

    for (int i = 0; i < count; i++)
        if (i < texts)
            flt_db_bind_str(stmt, i + 1, op->texts[i]);
        else
            flt_db_bind_int(stmt, i + 1, op->numbers[i - texts]);
    return flt_db_step(db, stmt);
}

static int write_record(struct flt_db *db, const struct op *op)
{
    sqlite3_stmt *const stmt =
        flt_db_stmt(db, "INSERT INTO records(id, bot, kind, body, ts_ms) VALUES(?, ?, ?, ?, ?)");

    flt_db_bind_int(stmt, 1, op->numbers[NUMBER_ID]);
    flt_db_bind_str(stmt, 2, op->texts[TEXT_BOT]);
    flt_db_bind_str(stmt, 3, op->texts[TEXT_KIND]);
    flt_db_bind_str(stmt, 4, op->texts[TEXT_BODY]);
    flt_db_bind_int(stmt, 5, op->numbers[NUMBER_TS]);
    return flt_db_step(db, stmt);
}

static int write_state(struct flt_db *db, const struct op *op)
{
    sqlite3_stmt *const stmt =
        flt_db_stmt(db, "INSERT INTO snapshots(bot, state, ts_ms) VALUES(?1, ?2, ?3)"
                        " ON CONFLICT(bot) DO UPDATE SET state = ?2, ts_ms = ?3");

    flt_db_bind_str(stmt, 1, op->texts[TEXT_BOT]);
    flt_db_bind_str(stmt, 2, op->state);
    flt_db_bind_int(stmt, 3, op->numbers[NUMBER_TS]);
    return flt_db_step(db, stmt);
}

/* The engine books a trade once; if one comes again, its number is given and the books above drop
 * it by the same key, so it must not stop the batch. */
static int write_trade(struct flt_db *db, const struct op *op)
{
    sqlite3_stmt *const stmt =
        flt_db_stmt(db, "INSERT INTO trades(bot, account, instrument, trade_id, order_id, ts_ms)"
                        " VALUES(?, ?, ?, ?, ?, ?)");

    flt_db_bind_str(stmt, 1, op->texts[TEXT_BOT]);
    for (int i = TEXT_ACCOUNT; i <= TEXT_ORDER; i++)
        flt_db_bind_str(stmt, i - TEXT_ACCOUNT + 2, op->texts[i]);
    flt_db_bind_int(stmt, 6, op->numbers[NUMBER_TRADE_TS]);
    const int err = flt_db_step(db, stmt);

    if (err == -EEXIST) {
        FLT_LOG(ERROR, "trade_twice", "bot=%s account=%s instrument=%s trade_id=%s order_id=%s",
                op->texts[TEXT_BOT], op->texts[TEXT_ACCOUNT], op->texts[TEXT_INSTRUMENT],
                op->texts[TEXT_TRADE], op->texts[TEXT_ORDER]);
        return 0;
    }
    return err;
}

int store_apply(struct flt_db *db, const struct op *op)
{
    const struct op_sql *const row = &op_sql[op->kind];
    int err = 0;

    if (op->kind == OP_RECORD) {
        err = op->numbers[NUMBER_ID] ? write_record(db, op) : 0;
        if (!err && op->texts[TEXT_TRADE])
            err = write_trade(db, op);
        return !err && op->state ? write_state(db, op) : err;
    }
    if (row->sql)
        err = run(db, row->sql, op, row->texts);
    return !err && row->more ? run(db, row->more, op, row->texts) : err;
}

static int write_batch(struct flt_db *db, const struct op *first)
{
    int err = flt_db_begin(db);

    if (err)
        return err;
    for (const struct op *op = first; op && !err; op = op->next)
        err = store_apply(db, op);
    err = err ? err : flt_db_commit(db);
    if (err)
        flt_db_rollback(db);
    return err;
}

/* Space that nobody else can take: given back when the disk is full, so that the fills of the
 * orders that still rest, and exits, have their place. */
static bool make_reserve(const struct store *store)
{
    char path[PATH_BYTES];
    struct stat info;

    if (flt_path_join(path, sizeof path, store->dir, "reserve"))
        return false;
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    bool made = fstat(fd, &info) == 0 && info.st_size >= RESERVE_BYTES;

    made = made || posix_fallocate(fd, 0, RESERVE_BYTES) == 0;
    close(fd);
    if (!made)
        (void)unlink(path);
    return made;
}

static bool release_reserve(struct store *store)
{
    char path[PATH_BYTES];

    if (!store->has_reserve || flt_path_join(path, sizeof path, store->dir, "reserve"))
        return false;
    store->has_reserve = false;
    if (unlink(path) != 0)
        return false;
    FLT_LOG(ERROR, "reserve_released", "bytes=%d hint=\"free some space\"", RESERVE_BYTES);
    return true;
}

bool store_has_room(struct store *store)
{
    struct statvfs info;

    if (statvfs(store->dir, &info) == 0) {
        const uint64_t free_bytes = (uint64_t)info.f_bavail * info.f_frsize;

        if (free_bytes < ROOM_BYTES_MIN + (store->has_reserve ? 0 : (uint64_t)RESERVE_BYTES))
            return store->has_reserve && free_bytes >= ROOM_BYTES_MIN;
    }
    if (!store->has_reserve)
        store->has_reserve = make_reserve(store);
    return store->has_reserve;
}

static bool tell(struct store *store, struct note note)
{
    const struct flt_ring_part part = { &note, sizeof note };
    const bool pushed = flt_ring_push(store->notes, &part, 1);

    if (pushed)
        store_wake(store->done_fd);
    return pushed;
}

/* Words on trouble and room are said when they change; they never fill the ring, as the last place
 * is for the word that a batch is on disk. */
static bool may_tell(const struct store *store)
{
    return flt_ring_used(store->notes) < 1024;
}

static void tell_room(struct store *store)
{
    const bool room = store_has_room(store);

    if (room != store->told_room && may_tell(store) &&
        tell(store, (struct note){ .kind = NOTE_ROOM, .room = room }))
        store->told_room = room;
}

static void tell_trouble(struct store *store, int err)
{
    if (err != store->told_err && may_tell(store) &&
        tell(store, (struct note){ .kind = NOTE_TROUBLE, .err = err }))
        store->told_err = err;
}

static void wait_for_word(const struct store *store, int timeout_ms)
{
    struct pollfd fd = { .fd = store->wake_fd, .events = POLLIN };

    if (poll(&fd, 1, timeout_ms) > 0)
        store_drain(store->wake_fd);
}

/* Keeps at it until it is on disk; false: told to stop before that. */
static bool write_until_done(struct store *store, const struct op *first)
{
    int err;

    while ((err = write_batch(store->db, first)) != 0) {
        tell_trouble(store, err);
        if (err == -ENOSPC && release_reserve(store)) {
            tell_room(store); /* no entries until it is there again */
            continue;
        }
        if (atomic_load(&store->stop))
            return false;
        wait_for_word(store, RETRY_MS);
    }
    if (store->told_err || !store->has_reserve)
        tell_room(store); /* as it is now */
    store->told_err = 0;  /* the word that it is committed ends the trouble */
    const bool told = tell(store, (struct note){ .kind = NOTE_COMMITTED });

    assert(told);
    (void)told;
    return true;
}

void store_run(void *arg)
{
    struct store *const store = arg;
    size_t size;

    for (;;) {
        const void *const record = flt_ring_peek(store->batches, &size);

        if (!record && atomic_load(&store->stop))
            return;
        if (!record) {
            wait_for_word(store, ROOM_CHECK_MS);
            tell_room(store);
            continue;
        }
        const struct op *const first = *(struct op *const *)record;

        flt_ring_pop(store->batches);
        if (!write_until_done(store, first))
            return;
    }
}
