/* Opening: the folder's lock, the ring, the database, and where all of it stands. */
#define FLT_MOD "journal"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>
#include "engine/journal_impl.h"
#include "lib/config.h"

#define INTENT_SLOTS 131072
#define PATH_BYTES 512
#define RING_BYTES 4096
#define WRITER_CACHE_KIB 2048
#define READER_CACHE_KIB 512

/* Sequences start at least here, four for each second since 2025: so a disk restored from a backup
 * starts above what ran after it, at up to four orders a second without end (its bots get new
 * epochs besides). 20 years of it leave half of the 32 bits for faster nodes; a clock that is far
 * off cannot use them up. */
#define FLOOR_FROM_MS INT64_C(1735689600000)
#define FLOOR_SECONDS_MAX (INT64_C(20) * 365 * 86400)
#define FLOOR_PER_SECOND 4

static int lock_folder(struct journal *journal, struct flt_error *error)
{
    char path[PATH_BYTES];
    int err = flt_path_join(path, sizeof path, journal->dir, "journal.lock");

    if (err)
        return err;
    journal->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->lock_fd < 0) {
        err = FLT_FAIL(-errno, "path=%s", path);
        (void)flt_error_set(error, flt_error_from_errno(err), NULL, NULL, "%s cannot be opened: %s",
                            path, strerror(-err));
        return err;
    }
    if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    err = errno == EWOULDBLOCK ? -EBUSY : -errno;
    (void)flt_error_set(error, FLT_CONFLICT, NULL, "stop the other program first",
                        "another program uses the journal in %s", journal->dir);
    return FLT_FAIL(err, "path=%s", path);
}

/* --- meta ----------------------------------------------------------------------------------------
 */

/* 0 and "" when it is not there. */
static int meta_get(struct flt_db *db, const char *name, char *out, size_t size)
{
    sqlite3_stmt *const stmt = flt_db_stmt(db, "SELECT value FROM meta WHERE name = ?");

    out[0] = '\0';
    flt_db_bind_str(stmt, 1, name);
    const int err = flt_db_step(db, stmt);

    if (err != FLT_DB_ROW)
        return err;
    flt_db_copy(stmt, 0, out, size);
    sqlite3_reset(stmt);
    return 0;
}

static int meta_set(struct flt_db *db, const char *name, const char *value)
{
    sqlite3_stmt *const stmt =
        flt_db_stmt(db, "INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)");

    flt_db_bind_str(stmt, 1, name);
    flt_db_bind_str(stmt, 2, value);
    return flt_db_step(db, stmt);
}

static int load_id(struct journal *journal, int64_t now_ms)
{
    struct flt_db *const db = journal->store.db;
    const int err = meta_get(db, "journal", journal->id, sizeof journal->id);

    if (err || journal->id[0])
        return err;
    return meta_set(db, "journal", flt_ulid(now_ms, journal->id));
}

/* Rebooted is said also when the ring is new to a journal that is not: its intents are gone. */
static int load_boot(struct journal *journal)
{
    struct flt_db *const db = journal->store.db;
    char then[64], now[64] = "";
    size_t size = 0;
    char *const text = flt_file_read("/proc/sys/kernel/random/boot_id", 63, &size);

    if (text)
        memcpy(now, text, strcspn(text, "\n"));
    free(text);
    const int err = meta_get(db, "boot", then, sizeof then);

    if (err)
        return err;
    journal->rebooted = then[0] && (!now[0] || strcmp(then, now) != 0 || journal->ring.created);
    return strcmp(then, now) == 0 ? 0 : meta_set(db, "boot", now[0] ? now : "unknown");
}

/* --- stream, numbers, sequences ------------------------------------------------------------------
 */

static int make_stream(struct journal *journal, int64_t now_ms)
{
    const struct op op = { .kind = OP_STREAM,
                           .texts = { flt_ulid(now_ms, journal->stream) },
                           .numbers = { 1, now_ms } };

    journal->stream_number = 1;
    return store_apply(journal->store.db, &op);
}

static int load_stream(struct journal *journal, int64_t now_ms)
{
    struct flt_db *const db = journal->store.db;
    sqlite3_stmt *stmt =
        flt_db_stmt(db, "SELECT number, id FROM streams ORDER BY number DESC LIMIT 1");
    int err = flt_db_step(db, stmt);

    if (err != FLT_DB_ROW)
        return err ? err : make_stream(journal, now_ms);
    journal->stream_number = flt_db_int(stmt, 0);
    flt_db_copy(stmt, 1, journal->stream, sizeof journal->stream);
    sqlite3_reset(stmt);
    stmt = flt_db_stmt(db, "SELECT coalesce(max(id), ?1) - ?1 FROM records WHERE id > ?1");
    flt_db_bind_int(stmt, 1, journal->stream_number << STREAM_SHIFT);
    err = flt_db_step(db, stmt);
    if (err != FLT_DB_ROW)
        return err ? err : -EIO;
    journal->head = journal->committed = journal->begun = flt_db_int(stmt, 0);
    sqlite3_reset(stmt);
    return 0;
}

static int load_numbers(struct journal *journal)
{
    struct flt_db *const db = journal->store.db;
    sqlite3_stmt *const stmt = flt_db_stmt(db, "SELECT name, value FROM numbers");
    int err;

    while ((err = flt_db_step(db, stmt)) == FLT_DB_ROW) {
        struct number *const numbers =
            realloc(journal->numbers, (journal->number_count + 1) * sizeof *numbers);

        if (!numbers) {
            sqlite3_reset(stmt);
            return -ENOMEM;
        }
        journal->numbers = numbers;
        flt_db_copy(stmt, 0, numbers[journal->number_count].name, NUMBER_NAME_MAX);
        numbers[journal->number_count++].value = flt_db_int(stmt, 1);
    }
    return err;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Above the end of what was reserved, of what the ring has seen, and of the clock's floor. */
static int first_block(struct journal *journal, int64_t now_ms)
{
    const int64_t floor =
        clamp((now_ms - FLOOR_FROM_MS) / 1000, 0, FLOOR_SECONDS_MAX) * FLOOR_PER_SECOND;
    uint64_t start = (uint64_t)journal_int(journal, SEQUENCE_RESERVED);

    if (start < (uint64_t)floor)
        start = (uint64_t)floor;
    if (start <= journal->ring.sequence_highest)
        start = (uint64_t)journal->ring.sequence_highest + 1;
    if (start == 0)
        start = 1;
    if (start + SEQUENCE_BLOCK > SEQUENCE_MAX)
        return FLT_FAIL(-EOVERFLOW, "sequence=%" PRIu64, start);
    const struct op op = { .kind = OP_RESERVE,
                           .texts = { SEQUENCE_RESERVED },
                           .numbers = { (int64_t)start + SEQUENCE_BLOCK } };

    journal->sequence_next = start;
    journal->sequence_end = start + SEQUENCE_BLOCK;
    return store_apply(journal->store.db, &op);
}

static int load_all(struct journal *journal)
{
    const int64_t now_ms = flt_wall_ms(flt_loop_clock(journal->options.loop));
    int err = flt_db_begin(journal->store.db);

    if (err)
        return err;
    err = load_id(journal, now_ms);
    err = err ? err : load_boot(journal);
    err = err ? err : load_stream(journal, now_ms);
    err = err ? err : load_numbers(journal);
    err = err ? err : first_block(journal, now_ms);
    err = err ? err : flt_db_commit(journal->store.db);
    if (err)
        flt_db_rollback(journal->store.db);
    return err;
}

/* Without a bound of its own each connection keeps what it touches up to the bound of lib/db, and
 * a node "grows" for hours. It appends at the ends of a few trees; measured: docs/BENCHMARKS.md. */
static int bound_cache(struct flt_db *db, int kib)
{
    char sql[48];

    (void)snprintf(sql, sizeof sql, "PRAGMA cache_size=-%d", kib);
    return flt_db_exec(db, sql);
}

static int open_db(struct journal *journal, struct flt_error *error)
{
    char path[PATH_BYTES];
    int err = flt_path_join(path, sizeof path, journal->dir, "journal.db");

    err = err ? err
              : flt_db_open(path, JOURNAL_APPLICATION_ID, journal_migrations,
                            journal_migrations_count, error, &journal->store.db);
    err = err ? err : bound_cache(journal->store.db, WRITER_CACHE_KIB);
    err = err ? err : load_all(journal);
    err = err ? err : flt_db_open_readonly(path, JOURNAL_APPLICATION_ID, error, &journal->reader);
    err = err ? err : bound_cache(journal->reader, READER_CACHE_KIB);
    if (err)
        (void)flt_error_set(error, flt_error_from_errno(err), NULL,
                            err == -ENOSPC ? "free some space and start again" : NULL,
                            "%s cannot be used: %s", path, strerror(-err));
    return err;
}

static int load(struct journal *journal, struct flt_error *error)
{
    size_t slots = 1;
    const size_t asked =
        journal->options.intent_slots ? journal->options.intent_slots : INTENT_SLOTS;

    while (slots < asked)
        slots *= 2;
    int err = lock_folder(journal, error);

    err = err ? err : intent_ring_open(journal->dir, slots, error, &journal->ring);
    return err ? err : open_db(journal, error);
}

/* --- start ---------------------------------------------------------------------------------------
 */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    journal_on_note(poll->data);
}

static int start_poll(struct journal *journal)
{
    uv_poll_t *const poll = malloc(sizeof *poll);

    if (!poll)
        return -ENOMEM;
    const int err = uv_poll_init(flt_loop_uv(journal->options.loop), poll, journal->store.done_fd);

    if (err < 0) {
        free(poll);
        return FLT_FAIL(err, "what=uv_poll_init");
    }
    poll->data = journal;
    journal->poll = poll;
    uv_unref((uv_handle_t *)poll);
    return uv_poll_start(poll, UV_READABLE, on_poll);
}

static int start_store(struct journal *journal)
{
    struct store *const store = &journal->store;

    store->dir = journal->dir;
    store->told_room = journal->room = store_has_room(store);
    store->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    store->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (store->wake_fd < 0 || store->done_fd < 0)
        return FLT_FAIL(-errno, "what=eventfd");
    int err = flt_ring_create(RING_BYTES, &store->batches);

    err = err ? err : flt_ring_create(RING_BYTES, &store->notes);
    err = err ? err : start_poll(journal);
    err = err ? err : uv_thread_create(&journal->thread, store_run, store);
    if (err)
        return err;
    journal->has_thread = true;
    journal->entries_told = true; /* who starts with a full disk is told so */
    if (!journal->room)
        store_wake(store->done_fd);
    return 0;
}

int journal_open(const struct journal_options *options, struct flt_error *error,
                 struct journal **out)
{
    struct journal *const journal = calloc(1, sizeof *journal);

    if (!journal)
        return -ENOMEM;
    journal->options = *options;
    journal->lock_fd = journal->store.wake_fd = journal->store.done_fd = -1;
    journal->dir = strdup(options->dir);
    int err = journal->dir ? load(journal, error) : -ENOMEM;

    err = err ? err : start_store(journal);
    if (err) {
        (void)flt_error_set(error, flt_error_from_errno(err), NULL, NULL,
                            "the journal in %s cannot be opened: %s", options->dir, strerror(-err));
        journal_close(journal);
        return err;
    }
    *out = journal;
    return 0;
}
