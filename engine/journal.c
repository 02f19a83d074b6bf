/* The loop's side: what is queued, handed over, committed and told. Opening: journal_open.c;
 * reading: journal_read.c; the other thread: journal_store.c; intents: journal_ring.c. */
#define FLT_MOD "journal"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/journal_impl.h"

#define WAITING_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define CROWDED_ABOVE (WAITING_BYTES_MAX / 2) /* entries stop */
#define CROWDED_BELOW (WAITING_BYTES_MAX / 4) /* and go on */
#define CLOSE_TIMEOUT_MS 10000
#define STREAM_TIMEOUT_MS 5000
#define RESTREAM_PAGE 1000
#define TOLD_AT_ONCE 256
#define KEEP_RECORDS_MS ((int64_t)30 * 24 * 3600 * 1000)
#define KEEP_COMMANDS_MS ((int64_t)24 * 3600 * 1000)

/* --- ops ----------------------------------------------------------------------------------------
 */

static void ops_push(struct ops *ops, struct op *op)
{
    op->next = NULL;
    if (!ops->first)
        ops->last = &ops->first;
    *ops->last = op;
    ops->last = &op->next;
    ops->count++;
}

static struct op *ops_pop(struct ops *ops)
{
    struct op *const op = ops->first;

    if (op) {
        ops->first = op->next;
        ops->count--;
    }
    return op;
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static struct op *op_create(const struct op_args *args)
{
    size_t bytes = sizeof(struct op);

    for (int i = 0; i < OP_TEXTS; i++)
        bytes += text_size(args->texts[i]);
    struct op *const op = malloc(bytes);
    char *state = args->state ? strdup(args->state) : NULL;

    if (!op || (args->state && !state)) {
        free(op);
        free(state);
        return NULL;
    }
    *op = (struct op){ .kind = args->kind, .state = state, .bytes = bytes + text_size(state) };
    memcpy(op->numbers, args->numbers, sizeof op->numbers);
    char *at = op->data;

    for (int i = 0; i < OP_TEXTS; i++)
        if (args->texts[i]) {
            op->texts[i] = memcpy(at, args->texts[i], text_size(args->texts[i]));
            at += text_size(args->texts[i]);
        }
    return op;
}

static void op_free(struct journal *journal, struct op *op)
{
    journal->waiting_bytes -= op->bytes;
    free(op->state);
    free(op);
}

static void ops_free(struct journal *journal, struct ops *ops)
{
    struct op *op;

    while ((op = ops_pop(ops)))
        op_free(journal, op);
}

/* --- the other thread ----------------------------------------------------------------------------
 */

/* The loop lives while something is under way, and not for an idle journal. */
static void keep_loop(struct journal *journal)
{
    if (!journal->poll)
        return;
    if (journal->queued.first || journal->in_flight.first || journal->done.first)
        uv_ref((uv_handle_t *)journal->poll);
    else
        uv_unref((uv_handle_t *)journal->poll);
}

static void submit(struct journal *journal)
{
    if (journal->in_flight.first || !journal->queued.first)
        return;
    const struct flt_ring_part part = { &journal->queued.first, sizeof journal->queued.first };

    if (!flt_ring_push(journal->store.batches, &part, 1))
        return; /* cannot be: one batch at a time; if so, it goes with the next one */
    journal->in_flight = journal->queued;
    journal->queued = (struct ops){ 0 };
    journal->batch++;
    store_wake(journal->store.wake_fd);
}

static void on_op_committed(struct journal *journal, struct op *op)
{
    op->committed = true;
    journal->pending[op->kind]--;
    if (op->trade_of)
        op->trade_of->trades--;
    if (op->kind == OP_RECORD && op->numbers[NUMBER_ID] >> STREAM_SHIFT == journal->stream_number)
        journal->committed = op->numbers[NUMBER_ID] & ((INT64_C(1) << STREAM_SHIFT) - 1);
    if (op->kind == OP_RESERVE) {
        journal->sequence_end = (uint64_t)op->numbers[0];
        journal->reserving = false;
    }
    ops_push(&journal->done, op);
}

static void on_batch_committed(struct journal *journal)
{
    struct op *op, **link = &journal->newest_command;

    journal->trouble = 0;
    while ((op = ops_pop(&journal->in_flight)))
        on_op_committed(journal, op);
    while (*link && !(*link)->committed)
        link = &(*link)->older_command;
    *link = NULL;
}

static void take_notes(struct journal *journal)
{
    const struct note *note;
    size_t size;

    while ((note = flt_ring_peek(journal->store.notes, &size))) {
        if (note->kind == NOTE_COMMITTED)
            on_batch_committed(journal);
        else if (note->kind == NOTE_TROUBLE)
            journal->trouble = note->err;
        else
            journal->room = note->room;
        flt_ring_pop(journal->store.notes);
    }
    submit(journal);
}

/* --- telling the host ----------------------------------------------------------------------------
 */

bool journal_entries_ok(const struct journal *journal)
{
    return !journal->trouble && journal->room && !journal->crowded;
}

static const char *why_not(const struct journal *journal)
{
    if (journal->trouble == -ENOSPC)
        return "the disk is full";
    if (journal->trouble == -EBADMSG)
        return "the journal is damaged";
    if (journal->trouble)
        return "the journal cannot be written";
    if (!journal->room)
        return "the disk is nearly full";
    return journal->crowded ? "too much waits for the disk" : "the journal is written";
}

static void tell_storage(struct journal *journal)
{
    const bool entries = journal_entries_ok(journal);

    if (entries == journal->entries_told)
        return;
    journal->entries_told = entries;
    if (journal->options.on_storage)
        journal->options.on_storage(journal->options.ctx, entries, why_not(journal));
}

/* As many records as follow each other, up to a bound, in one call. */
static void tell_records(struct journal *journal)
{
    struct journal_record records[TOLD_AT_ONCE];
    struct ops told = { 0 };
    size_t count = 0;

    while (count < TOLD_AT_ONCE && journal->done.first && journal->done.first->kind != OP_AFTER) {
        struct op *const op = ops_pop(&journal->done);

        if (op->kind == OP_RECORD && op->numbers[NUMBER_ID])
            records[count++] = (struct journal_record){
                .n = op->numbers[NUMBER_ID] & ((INT64_C(1) << STREAM_SHIFT) - 1),
                .bot = op->texts[TEXT_BOT],
                .kind = op->texts[TEXT_KIND],
                .body = op->texts[TEXT_BODY],
            };
        ops_push(&told, op);
    }
    if (count > 0 && journal->options.on_committed)
        journal->options.on_committed(journal->options.ctx, records, count);
    ops_free(journal, &told);
}

static void tell_after(struct journal *journal)
{
    struct op *const op = ops_pop(&journal->done);
    void (*const fn)(void *ctx) = op->fn;
    void *const ctx = op->ctx;

    op_free(journal, op);
    fn(ctx);
}

/* Also from inside what it calls (a flush in a callback): then the outer one goes on with the rest.
 */
static void tell_done(struct journal *journal)
{
    if (journal->telling)
        return;
    journal->telling = true;
    while (journal->done.first)
        if (journal->done.first->kind == OP_AFTER)
            tell_after(journal);
        else
            tell_records(journal);
    journal->telling = false;
    if (journal->waiting_bytes < CROWDED_BELOW)
        journal->crowded = false;
    tell_storage(journal);
}

void journal_on_note(struct journal *journal)
{
    store_drain(journal->store.done_fd);
    take_notes(journal);
    tell_done(journal);
    keep_loop(journal);
}

/* --- queueing ------------------------------------------------------------------------------------
 */

static unsigned bucket_of(const char *name)
{
    uint32_t sum = 2166136261u; /* FNV-1a */

    for (; *name; name++)
        sum = (sum ^ (unsigned char)*name) * 16777619u;
    return sum % BOT_BUCKETS;
}

struct bot_slot *journal_bot_slot(const struct journal *journal, const char *bot)
{
    struct bot_slot *slot = journal->bots[bucket_of(bot)];

    while (slot && strcmp(slot->name, bot) != 0)
        slot = slot->next;
    return slot;
}

static struct bot_slot *make_bot_slot(struct journal *journal, const char *bot)
{
    struct bot_slot **const bucket = &journal->bots[bucket_of(bot)];
    struct bot_slot *slot = journal_bot_slot(journal, bot);

    if (slot || !(slot = calloc(1, sizeof *slot)))
        return slot;
    memcpy(slot->name, bot, strlen(bot) + 1);
    slot->next = *bucket;
    return *bucket = slot;
}

const char *journal_waiting_state(const struct journal *journal, const char *bot)
{
    const struct bot_slot *const slot = journal_bot_slot(journal, bot);

    if (!slot || !slot->op)
        return NULL;
    if (slot->batch == journal->batch ||
        (slot->batch + 1 == journal->batch && journal->in_flight.first))
        return slot->op->state;
    return NULL;
}

/* Of several snapshots in one transaction only the newest can ever be read: the others go. */
static int replace_state(struct journal *journal, struct op *op)
{
    struct bot_slot *const slot = make_bot_slot(journal, op->texts[TEXT_BOT]);

    if (!slot)
        return -ENOMEM;
    if (slot->op && slot->batch == journal->batch) {
        const size_t bytes = text_size(slot->op->state);

        slot->op->bytes -= bytes;
        journal->waiting_bytes -= bytes;
        free(slot->op->state);
        slot->op->state = NULL;
    }
    slot->op = op;
    slot->batch = journal->batch;
    return 0;
}

/* What the journal needs for itself goes in also when there is no more room. */
static bool may_wait(const struct journal *journal, const struct op *op)
{
    return op->kind == OP_RESERVE || op->kind == OP_AFTER ||
           journal->waiting_bytes + op->bytes <= WAITING_BYTES_MAX;
}

int journal_queue(struct journal *journal, const struct op_args *args, struct op **out)
{
    struct op *const op = op_create(args);
    int err = op ? 0 : -ENOMEM;

    if (op && !may_wait(journal, op))
        err = -ENOSPC; /* not logged each time: on_storage has told long ago */
    if (!err && op->state)
        err = replace_state(journal, op);
    if (err) {
        if (op)
            free(op->state);
        free(op);
        return err;
    }
    journal->waiting_bytes += op->bytes;
    journal->pending[op->kind]++;
    ops_push(&journal->queued, op);
    if (out)
        *out = op;
    if (!journal->crowded && journal->waiting_bytes > CROWDED_ABOVE) {
        journal->crowded = true;
        store_wake(journal->store.done_fd); /* told from the loop, not from inside this call */
    }
    submit(journal);
    keep_loop(journal);
    return 0;
}

void journal_after(struct journal *journal, void (*fn)(void *ctx), void *ctx)
{
    struct op *op = NULL;

    if (journal_queue(journal, &(struct op_args){ .kind = OP_AFTER }, &op))
        abort(); /* a hundred bytes: without them nothing of this process is worth going on */
    op->fn = fn;
    op->ctx = ctx;
}

/* --- waiting -------------------------------------------------------------------------------------
 */

int journal_flush(struct journal *journal, int64_t timeout_ms)
{
    const uint64_t end_ns = uv_hrtime() + (uint64_t)timeout_ms * 1000000;
    struct pollfd fd = { .fd = journal->store.done_fd, .events = POLLIN };

    for (take_notes(journal); journal->queued.first || journal->in_flight.first;
         take_notes(journal)) {
        const uint64_t now_ns = uv_hrtime();

        if (now_ns >= end_ns)
            return FLT_FAIL(-ETIMEDOUT, "waiting=%zu why=\"%s\"",
                            journal->queued.count + journal->in_flight.count, why_not(journal));
        if (poll(&fd, 1, (int)((end_ns - now_ns) / 1000000) + 1) > 0)
            store_drain(journal->store.done_fd);
    }
    if (journal->done.first || journal_entries_ok(journal) != journal->entries_told)
        store_wake(journal->store.done_fd); /* the callbacks come from the loop */
    return 0;
}

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

static void stop_thread(struct journal *journal)
{
    if (!journal->has_thread)
        return;
    if (journal_flush(journal, CLOSE_TIMEOUT_MS))
        FLT_LOG(ERROR, "journal_lost", "writes=%zu why=\"%s\"",
                journal->queued.count + journal->in_flight.count, why_not(journal));
    atomic_store(&journal->store.stop, true);
    store_wake(journal->store.wake_fd);
    uv_thread_join(&journal->thread);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void free_bots(struct journal *journal)
{
    for (size_t i = 0; i < BOT_BUCKETS; i++)
        while (journal->bots[i]) {
            struct bot_slot *const slot = journal->bots[i];

            journal->bots[i] = slot->next;
            free(slot);
        }
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    stop_thread(journal);
    if (journal->poll)
        uv_close((uv_handle_t *)journal->poll, free_poll);
    ops_free(journal, &journal->done);
    ops_free(journal, &journal->in_flight);
    ops_free(journal, &journal->queued);
    free_bots(journal);
    flt_db_close(journal->reader);
    flt_db_close(journal->store.db);
    flt_ring_destroy(journal->store.batches);
    flt_ring_destroy(journal->store.notes);
    close_fd(journal->store.wake_fd);
    close_fd(journal->store.done_fd);
    intent_ring_close(&journal->ring);
    close_fd(journal->lock_fd); /* last: until here the folder is ours */
    flt_buf_finish(&journal->found);
    free(journal->numbers);
    free(journal->dir);
    free(journal);
}

/* --- intents -------------------------------------------------------------------------------------
 */

static void reserve(struct journal *journal)
{
    const uint64_t end = journal->sequence_end + SEQUENCE_BLOCK;
    const struct op_args args = { .kind = OP_RESERVE,
                                  .texts = { SEQUENCE_RESERVED },
                                  .numbers = { (int64_t)end } };

    if (journal->reserving || end > SEQUENCE_MAX)
        return;
    journal->reserving = journal_queue(journal, &args, NULL) == 0;
}

int journal_intend(struct journal *journal, struct order_intent *intent)
{
    if (!intent->exit && !journal_entries_ok(journal))
        return -ENOSPC;
    if (journal->sequence_end - journal->sequence_next <= SEQUENCE_BLOCK / 2)
        reserve(journal);
    if (journal->sequence_next >= journal->sequence_end)
        return -EAGAIN;
    intent->id.sequence = (uint32_t)journal->sequence_next++;
    intent_ring_write(&journal->ring, intent);
    return 0;
}

int journal_intents(struct journal *journal, uint64_t owner, journal_intent_fn *fn, void *ctx)
{
    return intent_ring_each(&journal->ring, owner, fn, ctx);
}

bool journal_rebooted(const struct journal *journal)
{
    return journal->rebooted;
}

/* --- the stream ----------------------------------------------------------------------------------
 */

static bool is_sound(const struct journal_entry *entry)
{
    const struct fill *const fill = entry->fill;

    return entry->bot && flt_name_ok(entry->bot) && (!entry->kind || entry->body) &&
           (!fill || (entry->account && flt_dec_ok(fill->price) && flt_dec_ok(fill->qty) &&
                      flt_amt_ok(fill->fee)));
}

int64_t journal_append(struct journal *journal, const struct journal_entry *entry)
{
    const int64_t n = entry->kind ? journal->head + 1 : 0;
    struct op_args args = {
        .kind = OP_RECORD,
        .texts = { entry->bot, entry->kind, entry->kind ? entry->body : NULL },
        .numbers = { n ? journal->stream_number << STREAM_SHIFT | n : 0, entry->ts_ms },
        .state = entry->state,
    };

    if (!is_sound(entry))
        return FLT_FAIL(-EINVAL, "bot=%s kind=%s", entry->bot ? entry->bot : "",
                        entry->kind ? entry->kind : "");
    struct bot_slot *const slot = make_bot_slot(journal, entry->bot);
    struct op *op = NULL;

    if (!slot)
        return -ENOMEM;
    if (entry->fill) {
        args.texts[TEXT_ACCOUNT] = entry->account;
        args.texts[TEXT_INSTRUMENT] = entry->fill->instrument;
        args.texts[TEXT_TRADE] = entry->fill->trade_id;
        args.texts[TEXT_ORDER] = entry->fill->order_id;
        args.numbers[NUMBER_TRADE_TS] = entry->fill->ts_ms;
    }
    const int err = journal_queue(journal, &args, &op);

    if (err)
        return err;
    if (entry->fill) {
        op->trade_of = slot;
        slot->trades++;
    }
    if (n)
        journal->head = n; /* given only when it is queued: no gaps */
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

int64_t journal_first(const struct journal *journal)
{
    return journal->begun;
}

int64_t journal_head(const struct journal *journal)
{
    return journal->head;
}

int64_t journal_committed(const struct journal *journal)
{
    return journal->committed;
}

/* What the old stream still has goes out under its name first. */
int journal_new_stream(struct journal *journal)
{
    const int64_t now_ms = flt_wall_ms(flt_loop_clock(journal->options.loop));
    char id[FLT_ULID_MAX];
    const struct op_args args = { .kind = OP_STREAM,
                                  .texts = { flt_ulid(now_ms, id) },
                                  .numbers = { journal->stream_number + 1, now_ms } };
    int err = journal_flush(journal, STREAM_TIMEOUT_MS);

    if (err)
        return err;
    tell_done(journal);
    err = journal_queue(journal, &args, NULL);
    if (err)
        return err;
    memcpy(journal->stream, id, sizeof id);
    journal->stream_number++;
    journal->head = journal->committed = journal->begun = 0;
    return journal_flush(journal, STREAM_TIMEOUT_MS);
}

struct again { /* a record on its way from one stream to the next */
    struct again *next;
    char *bot, *kind, *body;
};

struct agains {
    struct again *first, **last;
    bool failed;
};

static void keep_again(void *ctx, const struct journal_record *record)
{
    struct agains *const list = ctx;
    struct again *const row = calloc(1, sizeof *row);

    if (!row) {
        list->failed = true;
        return;
    }
    row->bot = strdup(record->bot);
    row->kind = strdup(record->kind);
    row->body = strdup(record->body);
    list->failed |= !row->bot || !row->kind || !row->body;
    *list->last = row;
    list->last = &row->next;
}

/* Puts each into the present stream; frees all of them. */
static int tell_again(struct journal *journal, struct agains *list)
{
    const int64_t now_ms = flt_wall_ms(flt_loop_clock(journal->options.loop));
    int64_t n = list->failed ? -ENOMEM : 0;

    while (list->first) {
        struct again *const row = list->first;
        const struct journal_entry entry = {
            .bot = row->bot, .kind = row->kind, .body = row->body, .ts_ms = now_ms
        };

        list->first = row->next;
        if (n >= 0)
            n = journal_append(journal, &entry);
        free(row->bot);
        free(row->kind);
        free(row->body);
        free(row);
    }
    return n < 0 ? (int)n : 0;
}

int journal_restream(struct journal *journal, int64_t from)
{
    struct agains list = { .last = &list.first };
    int err = journal_flush(journal, STREAM_TIMEOUT_MS);

    if (err)
        return err;
    for (int64_t at = from < 1 ? 1 : from; at <= journal->committed; at += RESTREAM_PAGE)
        if (journal_read(journal, at, at + RESTREAM_PAGE - 1, RESTREAM_PAGE, keep_again, &list) < 0)
            list.failed = true;
    if (!list.failed)
        err = journal_new_stream(journal);
    return err ? err : tell_again(journal, &list);
}

/* The newest record of the stream stays: the head is found by it. */
void journal_prune(struct journal *journal, int64_t backed_up, int64_t now_ms)
{
    const int64_t last = backed_up < journal->committed ? backed_up : journal->committed - 1;
    const struct op_args args = {
        .kind = OP_PRUNE,
        .numbers = { journal->stream_number << STREAM_SHIFT | (last > 0 ? last : 0),
                     now_ms - KEEP_RECORDS_MS },
    };

    if (journal->pending[OP_PRUNE] == 0 && journal_queue(journal, &args, NULL))
        FLT_LOG(WARN, "prune_put_off", "waiting_bytes=%zu", journal->waiting_bytes);
}

void journal_commands_expire(struct journal *journal, int64_t now_ms)
{
    const struct op_args args = { .kind = OP_COMMANDS_EXPIRE,
                                  .numbers = { now_ms - KEEP_COMMANDS_MS } };

    if (journal->pending[OP_COMMANDS_EXPIRE] == 0 && journal_queue(journal, &args, NULL))
        FLT_LOG(WARN, "expiry_put_off", "waiting_bytes=%zu", journal->waiting_bytes);
}
