/* Bots, trades, commands, halts, accounts and single values: queued like everything else, and read
 * on the loop thread over a connection of its own, once what is asked for is on disk. Rows are
 * copied before the first is handed out, so that a callback may read and write the journal itself.
 */
#define FLT_MOD "journal"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/journal_impl.h"

#define READ_TIMEOUT_MS 5000
#define READ_LIMIT 1000
#define COLUMNS_MAX 8

/* --- rows ----------------------------------------------------------------------------------------
 */

typedef int row_fn(void *ctx, const char *const cells[COLUMNS_MAX]); /* NULL: null */

/* Each cell is 't' and its text, or 'n' for null, and NUL. */
static void copy_row(sqlite3_stmt *stmt, int columns, struct flt_buf *buf)
{
    for (int i = 0; i < columns; i++) {
        const char *const text = flt_db_str(stmt, i);
        const bool is_null = sqlite3_column_type(stmt, i) == SQLITE_NULL;

        flt_buf_append(buf, is_null ? "n" : "t", 1);
        flt_buf_append(buf, text, strlen(text) + 1);
    }
}

static int copy_rows(struct flt_db *db, sqlite3_stmt *stmt, struct flt_buf *buf, int64_t *count)
{
    const int columns = stmt ? sqlite3_column_count(stmt) : 0;
    int err;

    while ((err = flt_db_step(db, stmt)) == FLT_DB_ROW) {
        copy_row(stmt, columns, buf);
        ++*count;
    }
    return buf->failed ? -ENOMEM : err;
}

/* The rows of a bound statement; how many, or a failure, or the non-zero answer of `fn`. */
static int64_t each_row(struct journal *journal, sqlite3_stmt *stmt, row_fn *fn, void *ctx)
{
    struct flt_buf buf = FLT_BUF_INIT;
    const int columns = stmt ? sqlite3_column_count(stmt) : 0;
    int64_t count = 0;
    int err = copy_rows(journal->reader, stmt, &buf, &count);
    const char *at = buf.data;

    for (int64_t row = 0; !err && row < count; row++) {
        const char *cells[COLUMNS_MAX] = { NULL };

        for (int i = 0; i < columns; i++, at += strlen(at) + 1)
            cells[i] = *at == 't' ? at + 1 : NULL;
        err = fn(ctx, cells);
    }
    flt_buf_finish(&buf);
    return err ? err : count;
}

static int64_t int_of(const char *cell)
{
    return cell ? strtoll(cell, NULL, 10) : 0;
}

static const char *text_of(const char *cell)
{
    return cell ? cell : "";
}

/* Waits for the disk only if one of these two kinds is on its way. */
static int settle(struct journal *journal, enum op_kind kind, enum op_kind other)
{
    return journal->pending[kind] || journal->pending[other]
               ? journal_flush(journal, READ_TIMEOUT_MS)
               : 0;
}

static int settled(int64_t count)
{
    return count > 0 ? 0 : (int)count;
}

/* The callbacks' own answers may be positive: they end the read and go to the caller. */
struct each {
    void *ctx;
    int answer;
    union {
        journal_bot_fn *bot;
        journal_trade_fn *trade;
        journal_halt_fn *halt;
        journal_account_fn *account;
        journal_record_fn *record;
    } fn;
};

static int answered(const struct each *each, int64_t count)
{
    return each->answer ? each->answer : settled(count);
}

/* --- the stream ----------------------------------------------------------------------------------
 */

static int on_record(void *ctx, const char *const cells[COLUMNS_MAX])
{
    const struct each *const each = ctx;
    const struct journal_record record = {
        .n = int_of(cells[0]), .bot = cells[1], .kind = cells[2], .body = cells[3]
    };

    each->fn.record(each->ctx, &record);
    return 0;
}

int64_t journal_read(struct journal *journal, int64_t from, int64_t to, size_t limit,
                     journal_record_fn *fn, void *ctx)
{
    const int64_t base = journal->stream_number << STREAM_SHIFT;
    struct each each = { .ctx = ctx, .fn.record = fn };

    if (from < 1)
        from = 1;
    if (to > journal->committed)
        to = journal->committed;
    if (to < from)
        return 0;
    sqlite3_stmt *const stmt =
        flt_db_stmt(journal->reader, "SELECT id - ?1, bot, kind, body FROM records"
                                     " WHERE id BETWEEN ?1 + ?2 AND ?1 + ?3 ORDER BY id LIMIT ?4");

    flt_db_bind_int(stmt, 1, base);
    flt_db_bind_int(stmt, 2, from);
    flt_db_bind_int(stmt, 3, to);
    flt_db_bind_int(stmt, 4, limit > 0 ? (int64_t)limit : READ_LIMIT);
    return each_row(journal, stmt, on_record, &each);
}

/* --- bots ----------------------------------------------------------------------------------------
 */

static int on_bot(void *ctx, const char *const cells[COLUMNS_MAX])
{
    struct each *const each = ctx;
    struct journal_bot bot = {
        .spec = cells[1],
        .desired = cells[2],
        .how = cells[3],
        .generation = int_of(cells[4]),
        .epoch = int_of(cells[5]),
        .state = cells[6],
    };

    (void)snprintf(bot.name, sizeof bot.name, "%s", text_of(cells[0]));
    return each->answer = each->fn.bot(each->ctx, &bot);
}

int journal_bots(struct journal *journal, journal_bot_fn *fn, void *ctx)
{
    struct each each = { .ctx = ctx, .fn.bot = fn };
    int err = settle(journal, OP_BOT, OP_BOT_REMOVE);

    err = err ? err : settle(journal, OP_RECORD, OP_RECORD);
    if (err)
        return err;
    sqlite3_stmt *const stmt =
        flt_db_stmt(journal->reader, "SELECT name, spec, desired, how, generation, epoch, state"
                                     " FROM bots LEFT JOIN snapshots ON bot = name ORDER BY name");

    return answered(&each, each_row(journal, stmt, on_bot, &each));
}

static int on_state(void *ctx, const char *const cells[COLUMNS_MAX])
{
    *(char **)ctx = strdup(text_of(cells[0]));
    return *(char **)ctx ? 0 : -ENOMEM;
}

static int stored_state(struct journal *journal, const char *bot, char **out)
{
    const int err = settle(journal, OP_BOT_REMOVE, OP_BOT_REMOVE);

    if (err)
        return err;
    sqlite3_stmt *const stmt =
        flt_db_stmt(journal->reader, "SELECT state FROM snapshots WHERE bot = ?");

    flt_db_bind_str(stmt, 1, bot);
    return settled(each_row(journal, stmt, on_state, out));
}

/* A copy, as `fn` may write the next snapshot, which takes this one's place. */
int journal_state(struct journal *journal, const char *bot, journal_state_fn *fn, void *ctx)
{
    const char *const waiting = journal_waiting_state(journal, bot);
    char *state = waiting ? strdup(waiting) : NULL;
    int err = waiting ? (state ? 0 : -ENOMEM) : stored_state(journal, bot, &state);

    if (!err && state)
        err = fn(ctx, state);
    free(state);
    return err;
}

int journal_bot_put(struct journal *journal, const struct journal_bot *bot)
{
    const struct op_args args = {
        .kind = OP_BOT,
        .texts = { bot->name, bot->spec, bot->desired, bot->how },
        .numbers = { bot->generation, bot->epoch },
    };

    if (!flt_name_ok(bot->name) || !bot->spec || !bot->desired || !bot->how)
        return FLT_FAIL(-EINVAL, "bot=%s", bot->name);
    return journal_queue(journal, &args, NULL);
}

int journal_bot_state(struct journal *journal, const char *bot, const char *state)
{
    const struct journal_entry entry = {
        .bot = bot,
        .state = state,
        .ts_ms = flt_wall_ms(flt_loop_clock(journal->options.loop)),
    };

    return (int)journal_append(journal, &entry);
}

int journal_bot_remove(struct journal *journal, const char *bot)
{
    struct bot_slot *const slot = journal_bot_slot(journal, bot);
    const int err =
        journal_queue(journal, &(struct op_args){ .kind = OP_BOT_REMOVE, .texts = { bot } }, NULL);

    if (!err && slot)
        slot->op = NULL; /* what waits of it is removed with it */
    return err;
}

int journal_trades_forget(struct journal *journal, const char *bot)
{
    return journal_queue(journal, &(struct op_args){ .kind = OP_TRADES_FORGET, .texts = { bot } },
                         NULL);
}

static int on_trade(void *ctx, const char *const cells[COLUMNS_MAX])
{
    const struct each *const each = ctx;
    const struct journal_trade trade = { .instrument = cells[0],
                                         .trade_id = cells[1],
                                         .order_id = cells[2],
                                         .ts_ms = int_of(cells[3]) };

    each->fn.trade(each->ctx, &trade);
    return 0;
}

int journal_trades(struct journal *journal, const char *bot, size_t limit, journal_trade_fn *fn,
                   void *ctx)
{
    struct each each = { .ctx = ctx, .fn.trade = fn };
    const struct bot_slot *const slot = journal_bot_slot(journal, bot);
    const int err = slot && slot->trades ? journal_flush(journal, READ_TIMEOUT_MS) : 0;

    if (err)
        return err;
    sqlite3_stmt *const stmt =
        flt_db_stmt(journal->reader, "SELECT instrument, trade_id, order_id, ts_ms FROM trades"
                                     " WHERE bot = ? ORDER BY number DESC LIMIT ?");

    flt_db_bind_str(stmt, 1, bot);
    flt_db_bind_int(stmt, 2, (int64_t)limit);
    return settled(each_row(journal, stmt, on_trade, &each));
}

static bool is_trade(const struct op *op, const char *account, const struct fill *fill)
{
    return op->kind == OP_RECORD && op->texts[TEXT_TRADE] &&
           strcmp(op->texts[TEXT_TRADE], fill->trade_id) == 0 &&
           strcmp(op->texts[TEXT_ORDER], fill->order_id) == 0 &&
           strcmp(op->texts[TEXT_INSTRUMENT], fill->instrument) == 0 &&
           strcmp(op->texts[TEXT_ACCOUNT], account) == 0;
}

static bool has_trade(const struct ops *ops, const char *account, const struct fill *fill)
{
    for (const struct op *op = ops->first; op; op = op->next)
        if (is_trade(op, account, fill))
            return true;
    return false;
}

int journal_trade_known(struct journal *journal, const char *account, const struct fill *fill)
{
    int known = 0, err;

    if (has_trade(&journal->queued, account, fill) || has_trade(&journal->in_flight, account, fill))
        return 1;
    sqlite3_stmt *const stmt =
        flt_db_stmt(journal->reader, "SELECT 1 FROM trades WHERE account = ? AND instrument = ?"
                                     " AND trade_id = ? AND order_id = ?");

    flt_db_bind_str(stmt, 1, account);
    flt_db_bind_str(stmt, 2, fill->instrument);
    flt_db_bind_str(stmt, 3, fill->trade_id);
    flt_db_bind_str(stmt, 4, fill->order_id);
    while ((err = flt_db_step(journal->reader, stmt)) == FLT_DB_ROW)
        known = 1;
    return err ? err : known;
}

struct last_trade {
    char *trade_id;
    int64_t *ts_ms;
};

static int on_last_trade(void *ctx, const char *const cells[COLUMNS_MAX])
{
    const struct last_trade *const last = ctx;

    (void)snprintf(last->trade_id, ORDER_ID_MAX, "%s", text_of(cells[0]));
    *last->ts_ms = int_of(cells[1]);
    return 0;
}

int journal_last_trade(struct journal *journal, const char *account, const char *instrument,
                       char trade_id[ORDER_ID_MAX], int64_t *ts_ms)
{
    struct last_trade last = { trade_id, ts_ms };
    const int err = settle(journal, OP_RECORD, OP_RECORD);

    trade_id[0] = '\0';
    *ts_ms = 0;
    if (err)
        return err;
    sqlite3_stmt *const stmt = flt_db_stmt(
        journal->reader, "SELECT trade_id, ts_ms FROM trades WHERE account = ? AND instrument = ?"
                         " ORDER BY ts_ms DESC, number DESC LIMIT 1");

    flt_db_bind_str(stmt, 1, account);
    flt_db_bind_str(stmt, 2, instrument);
    return settled(each_row(journal, stmt, on_last_trade, &last));
}

/* --- commands ------------------------------------------------------------------------------------
 */

int journal_command_put(struct journal *journal, const struct journal_command *command)
{
    const struct op_args args = {
        .kind = OP_COMMAND,
        .texts = { command->id, command->op, command->state, command->result },
        .numbers = { command->ts_ms },
    };
    struct op *op = NULL;

    if (!command->id || !command->op || !command->state)
        return FLT_FAIL(-EINVAL, "id=%s", text_of(command->id));
    const int err = journal_queue(journal, &args, &op);

    if (err)
        return err;
    op->older_command = journal->newest_command;
    journal->newest_command = op;
    return 0;
}

static void keep_text(struct flt_buf *buf, const char *text, size_t *at)
{
    *at = buf->length;
    if (text)
        flt_buf_append(buf, text, strlen(text) + 1);
}

/* Into memory of the journal, as queued and read rows both go away. */
static int keep_found(struct journal *journal, const char *const texts[4], int64_t ts_ms,
                      struct journal_command *out)
{
    struct flt_buf *const buf = &journal->found;
    size_t at[4];

    flt_buf_reset(buf);
    for (int i = 0; i < 4; i++)
        keep_text(buf, texts[i], &at[i]);
    if (buf->failed)
        return -ENOMEM;
    *out = (struct journal_command){
        .id = buf->data + at[0],
        .op = buf->data + at[1],
        .state = buf->data + at[2],
        .result = texts[3] ? buf->data + at[3] : NULL,
        .ts_ms = ts_ms,
    };
    return 1;
}

struct find {
    struct journal *journal;
    struct journal_command *out;
    int found;
};

static int on_command(void *ctx, const char *const cells[COLUMNS_MAX])
{
    struct find *const find = ctx;

    find->found = keep_found(find->journal, cells, int_of(cells[4]), find->out);
    return find->found < 0 ? find->found : 0;
}

int journal_command_find(struct journal *journal, const char *id, struct journal_command *out)
{
    struct find find = { .journal = journal, .out = out };

    for (const struct op *op = journal->newest_command; op; op = op->older_command)
        if (strcmp(op->texts[0], id) == 0)
            return keep_found(journal, op->texts, op->numbers[0], out);
    sqlite3_stmt *const stmt = flt_db_stmt(
        journal->reader, "SELECT id, op, state, result, ts_ms FROM commands WHERE id = ?");

    flt_db_bind_str(stmt, 1, id);
    const int64_t count = each_row(journal, stmt, on_command, &find);

    return count < 0 ? (int)count : find.found;
}

/* --- halts and accounts --------------------------------------------------------------------------
 */

int journal_halt_put(struct journal *journal, const struct journal_halt *halt)
{
    const struct op_args args = {
        .kind = OP_HALT,
        .texts = { halt->scope, text_of(halt->target), halt->how, text_of(halt->reason) },
        .numbers = { halt->number, halt->ts_ms },
    };

    if (!halt->scope || !halt->how)
        return FLT_FAIL(-EINVAL, "number=%" PRId64, halt->number);
    return journal_queue(journal, &args, NULL);
}

static int on_halt(void *ctx, const char *const cells[COLUMNS_MAX])
{
    struct each *const each = ctx;
    const struct journal_halt halt = {
        .scope = cells[0],
        .target = cells[1],
        .how = cells[2],
        .reason = cells[3],
        .number = int_of(cells[4]),
        .ts_ms = int_of(cells[5]),
    };

    return each->answer = each->fn.halt(each->ctx, &halt);
}

int journal_halts(struct journal *journal, journal_halt_fn *fn, void *ctx)
{
    struct each each = { .ctx = ctx, .fn.halt = fn };
    const int err = settle(journal, OP_HALT, OP_HALT);

    if (err)
        return err;
    sqlite3_stmt *const stmt =
        flt_db_stmt(journal->reader, "SELECT scope, target, how, reason, number, ts_ms FROM halts"
                                     " ORDER BY number, scope, target");

    return answered(&each, each_row(journal, stmt, on_halt, &each));
}

int journal_account_put(struct journal *journal, const struct journal_account *account)
{
    const struct op_args args = { .kind = OP_ACCOUNT, .texts = { account->name, account->doc } };

    if (!account->name || !account->doc)
        return FLT_FAIL(-EINVAL, "account=%s", text_of(account->name));
    return journal_queue(journal, &args, NULL);
}

int journal_account_remove(struct journal *journal, const char *name)
{
    return journal_queue(journal, &(struct op_args){ .kind = OP_ACCOUNT_REMOVE, .texts = { name } },
                         NULL);
}

static int on_account(void *ctx, const char *const cells[COLUMNS_MAX])
{
    struct each *const each = ctx;
    const struct journal_account account = { .name = cells[0], .doc = cells[1] };

    return each->answer = each->fn.account(each->ctx, &account);
}

int journal_accounts(struct journal *journal, journal_account_fn *fn, void *ctx)
{
    struct each each = { .ctx = ctx, .fn.account = fn };
    const int err = settle(journal, OP_ACCOUNT, OP_ACCOUNT_REMOVE);

    if (err)
        return err;
    sqlite3_stmt *const stmt =
        flt_db_stmt(journal->reader, "SELECT name, doc FROM accounts ORDER BY name");

    return answered(&each, each_row(journal, stmt, on_account, &each));
}

/* --- single values -------------------------------------------------------------------------------
 */

static struct number *find_number(const struct journal *journal, const char *name)
{
    for (size_t i = 0; i < journal->number_count; i++)
        if (strcmp(journal->numbers[i].name, name) == 0)
            return &journal->numbers[i];
    return NULL;
}

static struct number *add_number(struct journal *journal, const char *name)
{
    struct number *const numbers =
        realloc(journal->numbers, (journal->number_count + 1) * sizeof *numbers);

    if (!numbers)
        return NULL;
    struct number *const number = &numbers[journal->number_count++];

    journal->numbers = numbers;
    *number = (struct number){ .value = 0 };
    memcpy(number->name, name, strlen(name) + 1);
    return number;
}

int64_t journal_int(const struct journal *journal, const char *name)
{
    const struct number *const number = find_number(journal, name);

    return number ? number->value : 0;
}

int journal_set_int(struct journal *journal, const char *name, int64_t value)
{
    const struct op_args args = { .kind = OP_NUMBER, .texts = { name }, .numbers = { value } };

    if (strlen(name) >= NUMBER_NAME_MAX || strcmp(name, SEQUENCE_RESERVED) == 0)
        return FLT_FAIL(-EINVAL, "name=%s", name);
    struct number *number = find_number(journal, name);

    if (!number)
        number = add_number(journal, name);
    const int err = number ? journal_queue(journal, &args, NULL) : -ENOMEM;

    if (!err)
        number->value = value;
    return err;
}
