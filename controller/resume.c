/* What the next owner of a bot begins with: the newest state in the books, the fills that this
 * state does not have, and the keys of the newest ones that it has.
 *
 * A state has what its owner was handed (`upto`, which stands in the state as `past`) and what that
 * owner booked itself since: the part of its stream that it wrote meanwhile. A fill found by two
 * owners stands in two streams (`fills_again`). Whatever else the books have came from elsewhere,
 * late, and is handed over, whoever booked it. */
#define FLT_MOD "resume"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/log.h"

#define TRADES_MIN 256
#define TRADES_MS 90000 /* the next owner asks its venue for those of the last minute */
#define FILLS_MAX 4000

struct snapshot {
    char stream[FLT_ULID_MAX];
    int64_t n, ts_ms;
    char *state; /* NULL: none was told */
    /* With `exact` it has the fills up to number `upto`, and `from` < n <= `n` of its stream. Else
     * all but those after n, those of later owners and those that came late: a state of an older
     * version, of other books, or on paper, where trades of two nodes cannot be told apart. */
    bool exact;
    int64_t from, upto;
    int64_t epoch; /* of the owner that told it */
    int64_t birth; /* epoch of its deployment: what is older is of a removed bot of this name */
};

/* --- the state and what it has
 * --------------------------------------------------------------------- */

static void past_read(struct snapshot *snapshot, int64_t books)
{
    struct json_object *state = flt_json_parse(snapshot->state, strlen(snapshot->state), NULL);
    struct json_object *past = flt_json_get(state, "past");
    const char *stream = "";
    int64_t of = 0;

    snapshot->exact = past && flt_json_str(past, "stream", &stream) &&
                      flt_json_int(past, "n", &snapshot->from) &&
                      strcmp(stream, snapshot->stream) == 0;
    if (snapshot->exact && flt_json_get(past, "upto")) /* without: it was born there */
        snapshot->exact = flt_json_int(past, "upto", &snapshot->upto) &&
                          flt_json_int(past, "books", &of) && of == books;
    json_object_put(state);
}

static int64_t birth_of(struct controller *controller, const struct bot *bot)
{
    sqlite3_stmt *stmt =
        store_read(&controller->store, "SELECT coalesce(max(epoch), 0) FROM desired_history"
                                       " WHERE bot = ? AND what = 'deployed'");
    int64_t epoch = 0;

    flt_db_bind_str(stmt, 1, bot->name);
    if (store_next(&controller->store, stmt)) {
        epoch = flt_db_int(stmt, 0);
        sqlite3_reset(stmt);
    }
    return epoch;
}

static void snapshot_read(struct controller *controller, const struct bot *bot, int64_t books,
                          struct snapshot *out)
{
    sqlite3_stmt *stmt =
        store_read(&controller->store, "SELECT stream, n, ts_ms, state, epoch FROM snapshots"
                                       " WHERE bot = ? AND epoch >= ?");

    *out = (struct snapshot){ .ts_ms = bot->created_ms,
                              .exact = true,
                              .birth = birth_of(controller, bot) };
    flt_db_bind_str(stmt, 1, bot->name);
    flt_db_bind_int(stmt, 2, out->birth);
    if (!store_next(&controller->store, stmt))
        return;
    flt_db_copy(stmt, 0, out->stream, sizeof out->stream);
    out->n = flt_db_int(stmt, 1);
    out->ts_ms = flt_db_int(stmt, 2);
    out->state = strdup(flt_db_str(stmt, 3));
    out->epoch = flt_db_int(stmt, 4);
    sqlite3_reset(stmt);
    if (out->state)
        past_read(out, books);
    if (bot->spec.mode != MSG_MODE_LIVE)
        out->exact = false;
}

/* --- its fills
 * ------------------------------------------------------------------------------------- */

/* Parameters of all: 1 bot, 2 stream, 3 from, 4 n, 5 upto, 6 birth, 7 epoch, 8 limit, 9 mode. */
#define OWN "(stream = ?2 AND n > ?3 AND n <= ?4)"
#define OWN_AGAIN                                                                                  \
    "EXISTS (SELECT 1 FROM fills_again AS a WHERE a.fill = fills.id AND a.stream = ?2"             \
    " AND a.n > ?3 AND a.n <= ?4)"
#define HAS "(id <= ?5 OR epoch < ?6 OR " OWN " OR " OWN_AGAIN ")"
#define AFTER "(((stream = ?2 AND n > ?4) OR epoch > ?7) AND epoch >= ?6)"
/* One that is in late_fills (late.c) is written from there. */
#define NOT_LATE                                                                                   \
    " AND NOT EXISTS (SELECT 1 FROM late_fills AS late WHERE late.bot = fills.bot"                 \
    " AND late.instrument = fills.instrument AND late.trade_id = fills.trade_id"                   \
    " AND late.order_id = fills.order_id)"
#define FILL                                                                                       \
    "SELECT instrument, trade_id, order_id, client_order_id, side, price, qty, fee, fee_asset,"    \
    " liquidity, ts_ms FROM fills WHERE bot = ?1 AND mode = ?9 AND "
#define TRADE                                                                                      \
    "SELECT instrument, trade_id, order_id, ts_ms FROM fills WHERE bot = ?1 AND mode = ?9 AND "
#define OLDEST_FIRST " ORDER BY id LIMIT ?8"
#define NEWEST_FIRST " ORDER BY id DESC LIMIT ?8"

static const char *const fills_sql[] = { FILL AFTER NOT_LATE OLDEST_FIRST,
                                         FILL "id > ?5 AND NOT " HAS OLDEST_FIRST };
static const char *const trades_sql[] = { TRADE "NOT " AFTER NOT_LATE NEWEST_FIRST,
                                          TRADE HAS NEWEST_FIRST };

static sqlite3_stmt *ask(struct controller *controller, const char *const sql[2],
                         const struct bot *bot, const struct snapshot *snapshot, int64_t limit)
{
    sqlite3_stmt *stmt = store_read(&controller->store, sql[snapshot->exact]);
    const int64_t numbers[] = { snapshot->from,  snapshot->n,     snapshot->upto,
                                snapshot->birth, snapshot->epoch, limit };

    flt_db_bind_str(stmt, 1, bot->name);
    flt_db_bind_str(stmt, 2, snapshot->stream);
    for (int i = 0; i < (int)FLT_COUNT(numbers); i++)
        if (sqlite3_bind_parameter_name(stmt, i + 3))
            flt_db_bind_int(stmt, i + 3, numbers[i]);
    flt_db_bind_str(stmt, 9, msg_mode_name(bot->spec.mode));
    return stmt;
}

static void fill_json(sqlite3_stmt *stmt, struct flt_buf *buf)
{
    static const char *const names[] = { "instrument", "trade_id", "order_id", "client_order_id",
                                         "side",       "price",    "qty",      "fee",
                                         "fee_asset",  "liquidity" };

    flt_jw_begin(buf, NULL, '{');
    for (int i = 0; i < (int)FLT_COUNT(names); i++)
        flt_jw_str(buf, names[i], flt_db_str(stmt, i));
    flt_jw_int(buf, "ts_ms", flt_db_int(stmt, (int)FLT_COUNT(names)));
    flt_jw_end(buf, '}');
}

/* Those that the state does not have, in the order in which they were booked. */
static void write_fills(struct controller *controller, const struct bot *bot,
                        const struct snapshot *snapshot, struct flt_buf *buf)
{
    sqlite3_stmt *stmt = ask(controller, fills_sql, bot, snapshot, FILLS_MAX);
    size_t count = 0;

    flt_jw_begin(buf, "fills", '[');
    for (; store_next(&controller->store, stmt); count++)
        fill_json(stmt, buf);
    if (!snapshot->exact)
        late_write(controller, bot->name, buf);
    flt_jw_end(buf, ']');
    if (count == FILLS_MAX)
        FLT_LOG(ERROR, "resume_cut", "bot=%s fills=%zu", bot->name, count);
}

/* Those that it has, as the venue will tell the newest of them again: all of the last minute, as
 * the bot could not tell one that it does not know from a trade that was missed. */
static void write_trades(struct controller *controller, const struct bot *bot,
                         const struct snapshot *snapshot, struct flt_buf *buf)
{
    sqlite3_stmt *stmt = ask(controller, trades_sql, bot, snapshot, FILLS_MAX);
    int64_t newest_ms = 0;

    flt_jw_begin(buf, "trades", '[');
    for (size_t i = 0; snapshot->state && store_next(&controller->store, stmt); i++) {
        const int64_t ts_ms = flt_db_int(stmt, 3);

        newest_ms = ts_ms > newest_ms ? ts_ms : newest_ms;
        if (i >= TRADES_MIN && ts_ms < newest_ms - TRADES_MS)
            continue;
        flt_jw_begin(buf, NULL, '{');
        flt_jw_str(buf, "instrument", flt_db_str(stmt, 0));
        flt_jw_str(buf, "trade_id", flt_db_str(stmt, 1));
        flt_jw_str(buf, "order_id", flt_db_str(stmt, 2));
        flt_jw_int(buf, "ts_ms", ts_ms);
        flt_jw_end(buf, '}');
    }
    flt_jw_end(buf, ']');
}

static int64_t last_fill(struct controller *controller, const struct bot *bot)
{
    sqlite3_stmt *stmt =
        store_read(&controller->store, "SELECT coalesce(max(id), 0) FROM fills WHERE bot = ?");
    int64_t id = 0;

    flt_db_bind_str(stmt, 1, bot->name);
    if (store_next(&controller->store, stmt)) {
        id = flt_db_int(stmt, 0);
        sqlite3_reset(stmt);
    }
    return id;
}

/* --- the whole
 * ------------------------------------------------------------------------------------- */

/* How far the books have the stream of its node. */
static void write_position(struct controller *controller, const struct bot *bot,
                           struct flt_buf *buf)
{
    sqlite3_stmt *stmt =
        store_read(&controller->store, "SELECT stream, committed FROM streams WHERE node = ?"
                                       " ORDER BY changed_ms DESC, stream DESC LIMIT 1");

    flt_db_bind_str(stmt, 1, bot->node);
    if (!store_next(&controller->store, stmt))
        return;
    flt_jw_str(buf, "stream", flt_db_str(stmt, 0));
    flt_jw_int(buf, "n", flt_db_int(stmt, 1));
    sqlite3_reset(stmt);
}

int resume_store(struct controller *controller, const struct bot *bot)
{
    const int64_t books = store_meta_int(&controller->store, "books", 0);
    struct flt_buf buf = FLT_BUF_INIT;
    struct snapshot snapshot;
    sqlite3_stmt *stmt;
    int err;

    snapshot_read(controller, bot, books, &snapshot);
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "node", bot->node);
    flt_jw_int(&buf, "epoch", bot->epoch);
    write_position(controller, bot, &buf);
    flt_jw_int(&buf, "ts_ms", snapshot.ts_ms);
    flt_jw_int(&buf, "books", books);
    flt_jw_int(&buf, "upto", last_fill(controller, bot));
    if (snapshot.state)
        flt_jw_raw(&buf, "state", snapshot.state);
    write_fills(controller, bot, &snapshot, &buf);
    write_trades(controller, bot, &snapshot, &buf);
    flt_jw_end(&buf, '}');
    free(snapshot.state);
    stmt = store_write(&controller->store,
                       "INSERT OR REPLACE INTO resumes (bot, epoch, doc) VALUES (?, ?, ?)");
    flt_db_bind_str(stmt, 1, bot->name);
    flt_db_bind_int(stmt, 2, bot->epoch + 1);
    flt_db_bind_str(stmt, 3, buf.data);
    err = buf.failed ? -ENOMEM : store_run(&controller->store, stmt);
    flt_buf_finish(&buf);
    return err;
}

bool resume_load(struct controller *controller, const struct bot *bot, struct msg_resume *out)
{
    sqlite3_stmt *stmt;
    struct flt_error error = { 0 };
    bool found = false;

    if (bot->has_state && bot->state.env.has_epoch && bot->state.env.epoch == bot->epoch)
        return false;
    stmt = store_read(&controller->store, "SELECT doc FROM resumes WHERE bot = ? AND epoch = ?");
    flt_db_bind_str(stmt, 1, bot->name);
    flt_db_bind_int(stmt, 2, bot->epoch);
    if (store_next(&controller->store, stmt)) {
        const char *doc = flt_db_str(stmt, 0);

        found = msg_parse(&msg_type_resume, doc, strlen(doc), MSG_PROGRAM, out, &error) == 0;
        if (!found)
            FLT_LOG(ERROR, "resume_damaged", "bot=%s why=\"%s\"", bot->name, error.message);
        sqlite3_reset(stmt);
    }
    return found;
}
