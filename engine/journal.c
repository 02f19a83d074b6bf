#define FLT_MOD "journal"
#include "engine/journal.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "engine/journal_store.h"

#define QUEUE_BYTES (8 * 1024 * 1024)
#define DONE_BYTES (4 * 1024 * 1024)
#define INTENT_SLOTS 65536
#define SEQUENCE_BLOCK 16384
#define SEQUENCE_START_S INT64_C(1735689600) /* 2025-01-01 */
#define SEQUENCE_PER_S 8 /* a floor by the clock, above what a restored backup can have used */
#define KEEP_MS (INT64_C(30) * 86400000)
#define COMMAND_KEEP_MS INT64_C(86400000)
#define VALUES_MAX 64
#define TOLD_MAX 64 /* records a call of on_committed */
#define READ_LIMIT 1000
#define PATH_BYTES 4096

struct value {
    char name[32];
    int64_t number;
};

struct pending { /* a command that is queued and not committed yet */
    struct pending *next;
    struct journal *journal;
    int64_t ts_ms;
    char *id, *op, *state, *result;
};

struct mark {
    struct mark *next;
    void (*fn)(void *ctx);
    void *ctx;
};

struct journal {
    struct journal_options options;
    char dir[PATH_BYTES - 32];
    int lock_fd;
    struct flt_db *reader;
    struct intents *intents;
    struct store store;
    uv_async_t *async;
    struct flt_buf batch; /* the record being built */
    struct flt_buf text;  /* of what find() returned last */
    struct pending *commands, **commands_end;
    struct mark *marks, **marks_end; /* that did not fit into the queue yet */
    struct value values[VALUES_MAX];
    size_t value_count;
    char id[FLT_ULID_MAX], stream[FLT_ULID_MAX];
    int64_t era, head, committed, trade_seq;
    uint32_t next_sequence, reserved; /* next .. reserved - 1 may be used */
    bool reserving, rebooted, healthy, finished;
};

/* --- queueing
 * ---------------------------------------------------------------------------------------- */

static int push(struct journal *journal)
{
    const struct flt_ring_part part = { journal->batch.data, journal->batch.length };
    const bool ok = !journal->batch.failed && flt_ring_push(journal->store.queue, &part, 1);
    const bool failed = journal->batch.failed;

    journal->batch.failed = false;
    flt_buf_reset(&journal->batch);
    if (!ok)
        return failed ? -ENOMEM : -ENOSPC;
    store_kick(&journal->store);
    return 0;
}

static void push_marks(struct journal *journal)
{
    while (journal->marks) {
        struct mark *mark = journal->marks;

        store_op(&journal->batch, STORE_MARK, (int64_t)(intptr_t)mark, INT64_C(0));
        if (push(journal))
            return; /* tried again when the loop hears from the thread */
        journal->marks = mark->next;
        if (!journal->marks)
            journal->marks_end = &journal->marks;
    }
}

void journal_after(struct journal *journal, void (*fn)(void *ctx), void *ctx)
{
    struct mark *mark = calloc(1, sizeof *mark);

    if (!mark) {
        (void)FLT_FAIL(-ENOMEM, "why=\"no memory for a callback\"");
        return;
    }
    mark->fn = fn;
    mark->ctx = ctx;
    *journal->marks_end = mark;
    journal->marks_end = &mark->next;
    push_marks(journal);
}

bool journal_entries_ok(const struct journal *journal)
{
    return journal->healthy && flt_ring_used(journal->store.queue) < QUEUE_BYTES / 2;
}

/* --- back on the loop
 * ------------------------------------------------------------------------------- */

struct told {
    struct journal_record records[TOLD_MAX];
    size_t offset[TOLD_MAX];
    size_t count;
    struct flt_buf bytes;
};

static void tell(struct journal *journal, struct told *told)
{
    for (size_t i = 0; i < told->count; i++) {
        const unsigned char *at = (const unsigned char *)told->bytes.data + told->offset[i];
        struct store_field fields[STORE_FIELDS_MAX];
        enum store_op op;

        (void)store_next(&at, at + 1, &op, fields);
        told->records[i] = (struct journal_record){ fields[1].number, fields[2].text,
                                                    fields[3].text, fields[5].text };
    }
    if (told->count > 0 && journal->options.on_committed)
        journal->options.on_committed(journal->options.ctx, told->records, told->count);
    told->count = 0;
    flt_buf_reset(&told->bytes);
}

static void keep_record(struct journal *journal, struct told *told, const void *bytes, size_t size,
                        const struct store_field *fields)
{
    if (fields[0].number != journal->era)
        return; /* of a stream that ended meanwhile */
    journal->committed = fields[1].number;
    told->offset[told->count++] = told->bytes.length;
    flt_buf_append(&told->bytes, bytes, size);
    if (told->count == TOLD_MAX)
        tell(journal, told);
}

static void drain(struct journal *journal)
{
    struct told told = { .count = 0 };
    const void *bytes;
    size_t size;

    while ((bytes = flt_ring_peek(journal->store.done, &size))) {
        const unsigned char *at = bytes, *end = at + size;
        struct store_field fields[STORE_FIELDS_MAX];
        enum store_op op;

        (void)store_next(&at, end, &op, fields);
        if (op == STORE_RECORD)
            keep_record(journal, &told, bytes, size, fields);
        struct mark *mark = op == STORE_MARK ? (struct mark *)(intptr_t)fields[0].number : NULL;
        flt_ring_pop(journal->store.done);
        if (!mark)
            continue;
        tell(journal, &told); /* in the order of commit */
        mark->fn(mark->ctx);
        free(mark);
    }
    tell(journal, &told);
    flt_buf_finish(&told.bytes);
    push_marks(journal);
}

static void check_health(struct journal *journal)
{
    const bool healthy = atomic_load(&journal->store.healthy);
    const int why = atomic_load(&journal->store.why);

    if (healthy == journal->healthy)
        return;
    journal->healthy = healthy;
    if (healthy)
        FLT_LOG(INFO, "storage_well", "dir=%s", journal->dir);
    else
        FLT_LOG(ERROR, "storage_ill", "dir=%s why=\"%s\"", journal->dir, strerror(-why));
    if (journal->options.on_storage)
        journal->options.on_storage(journal->options.ctx, healthy,
                                    healthy          ? ""
                                    : why == -ENOSPC ? "the disk is full or nearly so"
                                                     : strerror(-why));
}

static void on_async(uv_async_t *async)
{
    struct journal *journal = async->data;

    drain(journal);
    check_health(journal);
}

static void wake(void *ctx)
{
    struct journal *journal = ctx;

    (void)uv_async_send(journal->async);
}

/* --- open
 * ------------------------------------------------------------------------------------------------
 */

static int take_lock(struct journal *journal, struct flt_error *error)
{
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof path, "%s/journal.lock", journal->dir);
    journal->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->lock_fd < 0) {
        const int err = -errno;
        flt_error_set(error, flt_error_from_errno(err), NULL, "check the folder and its rights",
                      "%s cannot be written: %s", path, strerror(-err));
        return FLT_FAIL(err, "path=%s", path);
    }
    if (!flock(journal->lock_fd, LOCK_EX | LOCK_NB))
        return 0;
    flt_error_set(error, FLT_CONFLICT, NULL, "stop it, or use another folder",
                  "another node runs in %s", journal->dir);
    return FLT_FAIL(-EBUSY, "dir=%s", journal->dir);
}

static struct value *find_value(const struct journal *journal, const char *name)
{
    for (size_t i = 0; i < journal->value_count; i++)
        if (!strcmp(journal->values[i].name, name))
            return (struct value *)(uintptr_t)&journal->values[i];
    return NULL;
}

static int load_values(struct journal *journal)
{
    sqlite3_stmt *stmt = flt_db_stmt(journal->store.db, "SELECT name, number, text FROM meta");
    int err = stmt ? 0 : -EIO;

    while (!err && (err = flt_db_step(journal->store.db, stmt)) == FLT_DB_ROW) {
        const char *name = flt_db_str(stmt, 0);

        err = 0;
        if (!strcmp(name, "id"))
            flt_db_copy(stmt, 2, journal->id, sizeof journal->id);
        else if (!strcmp(name, "stream"))
            flt_db_copy(stmt, 2, journal->stream, sizeof journal->stream);
        else if (journal->value_count < VALUES_MAX) {
            struct value *value = &journal->values[journal->value_count++];

            flt_db_copy(stmt, 0, value->name, sizeof value->name);
            value->number = flt_db_int(stmt, 1);
        }
    }
    return err;
}

static int read_one(struct journal *journal, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt = flt_db_stmt(journal->store.db, sql);

    if (!stmt)
        return -EIO;
    if (strchr(sql, '?'))
        flt_db_bind_int(stmt, 1, journal->era);
    const int err = flt_db_step(journal->store.db, stmt);
    if (err == FLT_DB_ROW)
        *out = flt_db_int(stmt, 0);
    sqlite3_reset(stmt);
    return err < 0 ? err : 0;
}

static int put_meta(struct journal *journal, const char *name, int64_t number, const char *text)
{
    sqlite3_stmt *stmt =
        flt_db_stmt(journal->store.db, "INSERT INTO meta (name, number, text) VALUES (?, ?, ?)"
                                       " ON CONFLICT (name) DO UPDATE SET number = excluded.number,"
                                       " text = excluded.text");

    if (!stmt)
        return -EIO;
    flt_db_bind_str(stmt, 1, name);
    flt_db_bind_int(stmt, 2, number);
    flt_db_bind_str(stmt, 3, text);
    const int err = flt_db_step(journal->store.db, stmt);
    return err < 0 ? err : 0;
}

/* The kernel's boot id as a number: only whether it changed matters. */
static int64_t boot_number(void)
{
    char text[64] = "";
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (file) {
        if (!fgets(text, sizeof text, file))
            text[0] = '\0';
        (void)fclose(file);
    }
    for (const char *p = text; *p; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001B3);
    return (int64_t)(hash >> 1);
}

static uint32_t first_sequence(const struct journal *journal, int64_t wall_ms)
{
    const int64_t floor_s = wall_ms / 1000 - SEQUENCE_START_S;
    int64_t first = floor_s > 0 ? floor_s * SEQUENCE_PER_S : 1;
    const int64_t stored = journal_int(journal, "sequence");
    const int64_t held = (int64_t)intents_last_sequence(journal->intents) + 1;

    first = stored > first ? stored : first;
    first = held > first ? held : first;
    return first < UINT32_MAX - SEQUENCE_BLOCK ? (uint32_t)first : UINT32_MAX;
}

/* What the file remembers, and what this start adds, in one transaction. */
static int begin_run(struct journal *journal, int64_t wall_ms)
{
    int err = load_values(journal);

    if (err)
        return err;
    const int64_t boot = boot_number();
    journal->rebooted = *journal->id && journal_int(journal, "boot") != boot;
    if (!*journal->id)
        flt_ulid(wall_ms, journal->id);
    if (!*journal->stream)
        flt_ulid(wall_ms, journal->stream);
    journal->era = journal_int(journal, "era") > 0 ? journal_int(journal, "era") : 1;
    journal->next_sequence = first_sequence(journal, wall_ms);
    if (journal->next_sequence == UINT32_MAX)
        return FLT_FAIL(-ERANGE, "why=\"order sequences are used up\"");
    journal->reserved = journal->next_sequence + SEQUENCE_BLOCK;
    err = flt_db_begin(journal->store.db);
    if (!err)
        err = put_meta(journal, "id", 0, journal->id);
    if (!err)
        err = put_meta(journal, "stream", 0, journal->stream);
    if (!err)
        err = put_meta(journal, "era", journal->era, "");
    if (!err)
        err = put_meta(journal, "boot", boot, "");
    if (!err)
        err = put_meta(journal, "sequence", journal->reserved, "");
    if (!err)
        err = flt_db_commit(journal->store.db);
    if (!err)
        err = read_one(journal, "SELECT max(n) FROM records WHERE era = ?", &journal->head);
    if (!err)
        err = read_one(journal, "SELECT max(seq) FROM trades", &journal->trade_seq);
    journal->committed = journal->head;
    return err;
}

static int open_files(struct journal *journal, struct flt_error *error)
{
    char path[PATH_BYTES];
    const size_t slots = journal->options.intent_slots;

    (void)snprintf(path, sizeof path, "%s/journal.db", journal->dir);
    int err = flt_db_open(path, JOURNAL_APP_ID, store_migrations, store_migration_count, error,
                          &journal->store.db);
    if (!err)
        err = flt_db_open_readonly(path, JOURNAL_APP_ID, error, &journal->reader);
    (void)snprintf(path, sizeof path, "%s/intents.ring", journal->dir);
    if (!err)
        err = intents_open(path, slots ? slots : INTENT_SLOTS, error, &journal->intents);
    return err;
}

static int start_thread(struct journal *journal)
{
    int err = flt_ring_create(QUEUE_BYTES, &journal->store.queue);

    if (!err)
        err = flt_ring_create(DONE_BYTES, &journal->store.done);
    if (err)
        return err;
    journal->async = calloc(1, sizeof *journal->async);
    if (!journal->async)
        return -ENOMEM;
    if (uv_async_init(flt_loop_uv(journal->options.loop), journal->async, on_async)) {
        free(journal->async);
        journal->async = NULL;
        return -ENOMEM;
    }
    journal->async->data = journal;
    journal->store.dir = journal->dir;
    journal->store.intents_fd = intents_fd(journal->intents);
    journal->store.wake = wake;
    journal->store.ctx = journal;
    return store_start(&journal->store);
}

int journal_open(const struct journal_options *options, struct flt_error *error,
                 struct journal **out)
{
    struct journal *journal = calloc(1, sizeof *journal);

    if (!journal)
        return -ENOMEM;
    journal->options = *options;
    journal->lock_fd = -1;
    journal->healthy = true;
    journal->commands_end = &journal->commands;
    journal->marks_end = &journal->marks;
    (void)snprintf(journal->dir, sizeof journal->dir, "%s", options->dir);
    int err = take_lock(journal, error);
    if (!err)
        err = open_files(journal, error);
    if (!err)
        err = begin_run(journal, flt_wall_ms(flt_loop_clock(options->loop)));
    if (!err)
        err = start_thread(journal);
    if (err) {
        flt_error_set(error, flt_error_from_errno(err), NULL, "",
                      "the journal in %s cannot be used", journal->dir);
        journal_close(journal);
        return err;
    }
    *out = journal;
    return 0;
}

int journal_flush(struct journal *journal, int64_t timeout_ms)
{
    const struct flt_clock *clock = flt_clock_system();
    const int64_t until = flt_mono_ms(clock) + timeout_ms;

    for (;;) {
        drain(journal);
        if (flt_ring_used(journal->store.queue) == 0 && !journal->marks &&
            journal->committed == journal->head && atomic_load(&journal->store.idle))
            break;
        if (flt_mono_ms(clock) > until)
            return -ETIMEDOUT;
        store_kick(&journal->store);
        (void)usleep(500);
    }
    drain(journal);
    check_health(journal);
    return 0;
}

static void free_async(uv_handle_t *handle)
{
    free(handle);
}

static void free_pending(struct pending *pending)
{
    free(pending->id);
    free(pending->op);
    free(pending->state);
    free(pending->result);
    free(pending);
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->store.thread) {
        if (journal_flush(journal, 5000))
            (void)FLT_FAIL(-ETIMEDOUT, "dir=%s why=\"not all is on disk\"", journal->dir);
        store_stop(&journal->store);
    }
    if (journal->async)
        uv_close((uv_handle_t *)journal->async, free_async);
    while (journal->marks) {
        struct mark *mark = journal->marks;
        journal->marks = mark->next;
        free(mark);
    }
    while (journal->commands) {
        struct pending *pending = journal->commands;
        journal->commands = pending->next;
        free_pending(pending);
    }
    flt_ring_destroy(journal->store.queue);
    flt_ring_destroy(journal->store.done);
    flt_db_close(journal->reader);
    flt_db_close(journal->store.db);
    intents_close(journal->intents);
    if (journal->lock_fd >= 0)
        (void)close(journal->lock_fd);
    flt_buf_finish(&journal->batch);
    flt_buf_finish(&journal->text);
    free(journal);
}

/* --- intents
 * ------------------------------------------------------------------------------------------- */

static void on_reserved(void *ctx)
{
    struct journal *journal = ctx;

    journal->reserved += SEQUENCE_BLOCK;
    journal->reserving = false;
}

static void reserve(struct journal *journal)
{
    const int64_t to = (int64_t)journal->reserved + SEQUENCE_BLOCK;

    if (journal->reserving || to >= UINT32_MAX)
        return;
    store_op(&journal->batch, STORE_META, "sequence", to, "");
    if (push(journal))
        return;
    journal->reserving = true;
    journal_after(journal, on_reserved, journal);
}

int journal_intend(struct journal *journal, struct order_intent *intent)
{
    if (!intent->exit && !journal_entries_ok(journal))
        return -ENOSPC;
    if (journal->reserved - journal->next_sequence < SEQUENCE_BLOCK / 2)
        reserve(journal);
    if (journal->next_sequence == journal->reserved)
        return -EAGAIN;
    intent->id.sequence = journal->next_sequence++;
    intents_write(journal->intents, intent);
    return 0;
}

int journal_intents(struct journal *journal, uint64_t owner, journal_intent_fn *fn, void *ctx)
{
    return intents_each(journal->intents, owner, fn, ctx);
}

bool journal_rebooted(const struct journal *journal)
{
    return journal->rebooted;
}

/* --- the stream
 * ------------------------------------------------------------------------------------------ */

static void put_trade(struct journal *journal, const struct journal_entry *entry)
{
    const struct fill *fill = entry->fill;
    const char *account = entry->account ? entry->account : "";

    store_op(&journal->batch, STORE_TRADE, account, fill->instrument, fill->trade_id,
             fill->order_id, entry->bot, fill->ts_ms, ++journal->trade_seq);
    store_op(&journal->batch, STORE_LAST_TRADE, account, fill->instrument, fill->trade_id,
             fill->ts_ms);
}

int64_t journal_append(struct journal *journal, const struct journal_entry *entry)
{
    const int64_t n = journal->head + 1;

    if (entry->kind)
        store_op(&journal->batch, STORE_RECORD, journal->era, n, entry->bot, entry->kind,
                 entry->ts_ms, entry->body);
    if (entry->state)
        store_op(&journal->batch, STORE_SNAPSHOT, entry->bot, entry->state);
    if (entry->fill)
        put_trade(journal, entry);
    const int err = push(journal);
    if (err)
        return FLT_FAIL(err, "bot=%s why=\"no room to wait for the disk\"", entry->bot);
    if (!entry->kind)
        return 0;
    journal->head = n;
    return n;
}

const char *journal_id(const struct journal *journal)
{
    return journal->id;
}

const char *journal_stream(const struct journal *journal)
{
    return journal->stream;
}

int journal_new_stream(struct journal *journal)
{
    char stream[FLT_ULID_MAX];

    flt_ulid(flt_wall_ms(flt_loop_clock(journal->options.loop)), stream);
    store_op(&journal->batch, STORE_META, "stream", INT64_C(0), stream);
    store_op(&journal->batch, STORE_META, "era", journal->era + 1, "");
    const int err = push(journal);
    if (err)
        return err;
    journal->era++;
    journal->head = journal->committed = 0;
    memcpy(journal->stream, stream, sizeof stream);
    return 0;
}

int64_t journal_head(const struct journal *journal)
{
    return journal->head;
}

int64_t journal_committed(const struct journal *journal)
{
    return journal->committed;
}

int64_t journal_read(struct journal *journal, int64_t from, int64_t to, size_t limit,
                     journal_record_fn *fn, void *ctx)
{
    sqlite3_stmt *stmt =
        flt_db_stmt(journal->reader, "SELECT n, bot, kind, body FROM records WHERE era = ? AND"
                                     " n BETWEEN ? AND ? ORDER BY n LIMIT ?");
    int64_t count = 0;
    int err = stmt ? 0 : -EIO;

    if (err)
        return err;
    flt_db_bind_int(stmt, 1, journal->era);
    flt_db_bind_int(stmt, 2, from);
    flt_db_bind_int(stmt, 3, to);
    flt_db_bind_int(stmt, 4, (int64_t)(limit ? limit : READ_LIMIT));
    while ((err = flt_db_step(journal->reader, stmt)) == FLT_DB_ROW) {
        const struct journal_record record = { flt_db_int(stmt, 0), flt_db_str(stmt, 1),
                                               flt_db_str(stmt, 2), flt_db_str(stmt, 3) };

        fn(ctx, &record);
        count++;
    }
    return err < 0 ? err : count;
}

void journal_prune(struct journal *journal, int64_t backed_up, int64_t now_ms)
{
    const int64_t before = now_ms - KEEP_MS;

    store_op(&journal->batch, STORE_PRUNE, journal->era, backed_up, before, journal->head);
    store_op(&journal->batch, STORE_PRUNE_TRADES, before);
    (void)push(journal); /* no room: the next call will do */
}

/* --- bots
 * ------------------------------------------------------------------------------------------------
 */

int journal_bots(struct journal *journal, journal_bot_fn *fn, void *ctx)
{
    sqlite3_stmt *stmt =
        flt_db_stmt(journal->reader, "SELECT name, spec, generation, epoch, desired, how, state"
                                     " FROM bots LEFT JOIN snapshots ON bot = name ORDER BY name");
    int err = stmt ? 0 : -EIO;

    while (!err && (err = flt_db_step(journal->reader, stmt)) == FLT_DB_ROW) {
        struct journal_bot bot = {
            .spec = flt_db_str(stmt, 1),
            .generation = flt_db_int(stmt, 2),
            .epoch = flt_db_int(stmt, 3),
            .desired = flt_db_str(stmt, 4),
            .how = flt_db_str(stmt, 5),
            .state = sqlite3_column_type(stmt, 6) == SQLITE_NULL ? NULL : flt_db_str(stmt, 6),
        };

        flt_db_copy(stmt, 0, bot.name, sizeof bot.name);
        err = fn(ctx, &bot);
    }
    sqlite3_reset(stmt);
    return err;
}

int journal_bot_put(struct journal *journal, const struct journal_bot *bot)
{
    store_op(&journal->batch, STORE_BOT, bot->name, bot->spec, bot->generation, bot->epoch,
             bot->desired, bot->how);
    return push(journal);
}

int journal_bot_state(struct journal *journal, const char *bot, const char *state)
{
    store_op(&journal->batch, STORE_SNAPSHOT, bot, state);
    return push(journal);
}

int journal_bot_remove(struct journal *journal, const char *bot)
{
    store_op(&journal->batch, STORE_BOT_GONE, bot);
    store_op(&journal->batch, STORE_SNAPSHOT_GONE, bot);
    return push(journal);
}

int journal_trades(struct journal *journal, const char *bot, size_t limit, journal_trade_fn *fn,
                   void *ctx)
{
    sqlite3_stmt *stmt =
        flt_db_stmt(journal->reader, "SELECT instrument, trade_id, order_id, ts_ms FROM trades"
                                     " WHERE bot = ? ORDER BY seq DESC LIMIT ?");
    int err = stmt ? 0 : -EIO;

    if (err)
        return err;
    flt_db_bind_str(stmt, 1, bot);
    flt_db_bind_int(stmt, 2, (int64_t)limit);
    while ((err = flt_db_step(journal->reader, stmt)) == FLT_DB_ROW) {
        const struct journal_trade trade = { flt_db_str(stmt, 0), flt_db_str(stmt, 1),
                                             flt_db_str(stmt, 2), flt_db_int(stmt, 3) };

        fn(ctx, &trade);
    }
    return err;
}

int journal_last_trade(struct journal *journal, const char *account, const char *instrument,
                       char trade_id[ORDER_ID_MAX], int64_t *ts_ms)
{
    sqlite3_stmt *stmt = flt_db_stmt(journal->reader, "SELECT trade_id, ts_ms FROM last_trades"
                                                      " WHERE account = ? AND instrument = ?");

    trade_id[0] = '\0';
    *ts_ms = 0;
    if (!stmt)
        return -EIO;
    flt_db_bind_str(stmt, 1, account);
    flt_db_bind_str(stmt, 2, instrument);
    const int err = flt_db_step(journal->reader, stmt);
    if (err == FLT_DB_ROW) {
        flt_db_copy(stmt, 0, trade_id, ORDER_ID_MAX);
        *ts_ms = flt_db_int(stmt, 1);
    }
    sqlite3_reset(stmt);
    return err < 0 ? err : 0;
}

/* --- commands
 * -------------------------------------------------------------------------------------------- */

static void on_command_committed(void *ctx)
{
    struct pending *pending = ctx;
    struct journal *journal = pending->journal;

    /* marks come back in the order of the puts, so it is the oldest */
    journal->commands = pending->next;
    if (!journal->commands)
        journal->commands_end = &journal->commands;
    free_pending(pending);
}

static struct pending *remember(struct journal *journal, const struct journal_command *command)
{
    struct pending *pending = calloc(1, sizeof *pending);

    if (!pending)
        return NULL;
    pending->journal = journal;
    pending->ts_ms = command->ts_ms;
    pending->id = strdup(command->id);
    pending->op = strdup(command->op);
    pending->state = strdup(command->state);
    pending->result = command->result ? strdup(command->result) : NULL;
    if (pending->id && pending->op && pending->state && (pending->result || !command->result))
        return pending;
    free_pending(pending);
    return NULL;
}

int journal_command_put(struct journal *journal, const struct journal_command *command)
{
    struct pending *pending = remember(journal, command);

    if (!pending)
        return -ENOMEM;
    store_op(&journal->batch, STORE_COMMAND, command->id, command->op, command->state,
             command->result, command->ts_ms);
    const int err = push(journal);
    if (err) {
        free_pending(pending);
        return err;
    }
    *journal->commands_end = pending;
    journal->commands_end = &pending->next;
    journal_after(journal, on_command_committed, pending);
    return 0;
}

static int find_committed(struct journal *journal, const char *id, struct journal_command *out)
{
    sqlite3_stmt *stmt = flt_db_stmt(journal->reader, "SELECT id, op, state, result, ts_ms"
                                                      " FROM commands WHERE id = ?");
    size_t at[4];

    if (!stmt)
        return -EIO;
    flt_db_bind_str(stmt, 1, id);
    const int err = flt_db_step(journal->reader, stmt);
    if (err != FLT_DB_ROW)
        return err;
    const bool answered = sqlite3_column_type(stmt, 3) != SQLITE_NULL;
    flt_buf_reset(&journal->text);
    for (int i = 0; i < 4; i++) {
        const char *text = flt_db_str(stmt, i);

        at[i] = journal->text.length;
        flt_buf_append(&journal->text, text, strlen(text) + 1);
    }
    const int64_t ts_ms = flt_db_int(stmt, 4);
    sqlite3_reset(stmt);
    if (journal->text.failed)
        return -ENOMEM;
    const char *base = journal->text.data;
    *out = (struct journal_command){ base + at[0], base + at[1], base + at[2],
                                     answered ? base + at[3] : NULL, ts_ms };
    return 1;
}

int journal_command_find(struct journal *journal, const char *id, struct journal_command *out)
{
    const struct pending *found = NULL;

    for (const struct pending *p = journal->commands; p; p = p->next)
        if (!strcmp(p->id, id))
            found = p; /* the newest put */
    if (!found)
        return find_committed(journal, id, out);
    *out =
        (struct journal_command){ found->id, found->op, found->state, found->result, found->ts_ms };
    return 1;
}

void journal_commands_expire(struct journal *journal, int64_t now_ms)
{
    store_op(&journal->batch, STORE_COMMANDS_EXPIRE, now_ms - COMMAND_KEEP_MS);
    (void)push(journal);
}

/* --- halts, accounts, values
 * ------------------------------------------------------------------------------ */

int journal_halt_put(struct journal *journal, const struct journal_halt *halt)
{
    store_op(&journal->batch, STORE_HALT, halt->scope, halt->target, halt->number, halt->how,
             halt->reason, halt->ts_ms);
    return push(journal);
}

int journal_halts(struct journal *journal, journal_halt_fn *fn, void *ctx)
{
    sqlite3_stmt *stmt =
        flt_db_stmt(journal->reader, "SELECT number, scope, target, how, reason, ts_ms FROM halts"
                                     " ORDER BY number");
    int err = stmt ? 0 : -EIO;

    while (!err && (err = flt_db_step(journal->reader, stmt)) == FLT_DB_ROW) {
        const struct journal_halt halt = { flt_db_int(stmt, 0), flt_db_str(stmt, 1),
                                           flt_db_str(stmt, 2), flt_db_str(stmt, 3),
                                           flt_db_str(stmt, 4), flt_db_int(stmt, 5) };

        err = fn(ctx, &halt);
    }
    sqlite3_reset(stmt);
    return err;
}

int journal_account_put(struct journal *journal, const struct journal_account *account)
{
    store_op(&journal->batch, STORE_ACCOUNT, account->name, account->doc);
    return push(journal);
}

int journal_account_remove(struct journal *journal, const char *name)
{
    store_op(&journal->batch, STORE_ACCOUNT_GONE, name);
    return push(journal);
}

int journal_accounts(struct journal *journal, journal_account_fn *fn, void *ctx)
{
    sqlite3_stmt *stmt = flt_db_stmt(journal->reader, "SELECT name, doc FROM accounts"
                                                      " ORDER BY name");
    int err = stmt ? 0 : -EIO;

    while (!err && (err = flt_db_step(journal->reader, stmt)) == FLT_DB_ROW) {
        const struct journal_account account = { flt_db_str(stmt, 0), flt_db_str(stmt, 1) };

        err = fn(ctx, &account);
    }
    sqlite3_reset(stmt);
    return err;
}

int64_t journal_int(const struct journal *journal, const char *name)
{
    const struct value *value = find_value(journal, name);

    return value ? value->number : 0;
}

int journal_set_int(struct journal *journal, const char *name, int64_t number)
{
    struct value *value = find_value(journal, name);

    if (!value && (journal->value_count == VALUES_MAX || strlen(name) >= sizeof value->name))
        return -ENOSPC;
    store_op(&journal->batch, STORE_META, name, number, "");
    const int err = push(journal);
    if (err)
        return err;
    if (!value) {
        value = &journal->values[journal->value_count++];
        (void)snprintf(value->name, sizeof value->name, "%s", name);
    }
    value->number = number;
    return 0;
}
