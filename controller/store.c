#define FLT_MOD "store"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "controller/store.h"
#include "lib/log.h"

extern const struct flt_migration controller_migrations[];
extern const size_t controller_migrations_count;

int store_open(struct store *store, const char *path, struct flt_error *error)
{
    *store = (struct store){ 0 };
    return flt_db_open(path, STORE_APPLICATION_ID, controller_migrations,
                       controller_migrations_count, error, &store->db);
}

void store_close(struct store *store)
{
    if (store->db && store->open_tx)
        flt_db_rollback(store->db);
    flt_db_close(store->db);
    *store = (struct store){ 0 };
}

int store_commit(struct store *store)
{
    if (!store->open_tx)
        return 0;
    store->open_tx = false;
    store->writes = 0;
    return flt_db_commit(store->db);
}

sqlite3_stmt *store_write(struct store *store, const char *sql)
{
    if (!store->open_tx) {
        if (flt_db_begin(store->db) != 0)
            return NULL;
        store->open_tx = true;
    }
    store->writes++;
    return flt_db_stmt(store->db, sql);
}

sqlite3_stmt *store_read(struct store *store, const char *sql)
{
    return flt_db_stmt(store->db, sql);
}

int store_run(struct store *store, sqlite3_stmt *stmt)
{
    return stmt ? flt_db_step(store->db, stmt) : -EIO;
}

bool store_next(struct store *store, sqlite3_stmt *stmt)
{
    return stmt && flt_db_step(store->db, stmt) == FLT_DB_ROW;
}

int64_t store_meta_int(struct store *store, const char *key, int64_t fallback)
{
    sqlite3_stmt *stmt = store_read(store, "SELECT value FROM meta WHERE key = ?");
    int64_t value = fallback;

    flt_db_bind_str(stmt, 1, key);
    if (store_next(store, stmt)) {
        value = flt_db_int(stmt, 0);
        sqlite3_reset(stmt);
    }
    return value;
}

int store_set_meta_int(struct store *store, const char *key, int64_t value)
{
    sqlite3_stmt *stmt =
        store_write(store, "INSERT INTO meta (key, value) VALUES (?, ?)"
                           " ON CONFLICT (key) DO UPDATE SET value = excluded.value");

    flt_db_bind_str(stmt, 1, key);
    flt_db_bind_int(stmt, 2, value);
    return store_run(store, stmt);
}

/* --- loading
 * -------------------------------------------------------------------------------------- */

static unsigned word(const struct msg_enum *choices, const char *text)
{
    unsigned value = 0;

    (void)msg_enum_parse(choices, text, &value);
    return value;
}

static int load_nodes(struct store *store, struct inventory *inventory)
{
    sqlite3_stmt *stmt =
        store_read(store, "SELECT node, incarnation, boot, place, draining FROM nodes");

    while (store_next(store, stmt)) {
        struct node *node = inventory_get_node(inventory, flt_db_str(stmt, 0));

        if (!node)
            return -ENOMEM;
        node->incarnation = flt_db_int(stmt, 1);
        flt_db_copy(stmt, 2, node->grant.holder.boot, sizeof node->grant.holder.boot);
        flt_db_copy(stmt, 3, node->grant.holder.place, sizeof node->grant.holder.place);
        node->grant.holder.incarnation = node->incarnation;
        node->draining = flt_db_int(stmt, 4) != 0;
    }
    return stmt ? 0 : -EIO;
}

static int load_bot(sqlite3_stmt *stmt, struct inventory *inventory)
{
    struct bot *bot = inventory_get_bot(inventory, flt_db_str(stmt, 0));
    const char *spec = flt_db_str(stmt, 1);
    struct flt_error error = { 0 };

    if (!bot)
        return -ENOMEM;
    if (msg_parse(&msg_type_bot, spec, strlen(spec), MSG_PROGRAM, &bot->spec, &error) != 0)
        return FLT_FAIL(-EBADMSG, "bot=%s why=\"%s\"", bot->name, error.message);
    flt_db_copy(stmt, 2, bot->venue, sizeof bot->venue);
    bot->sandbox = flt_db_int(stmt, 3) != 0;
    flt_db_copy(stmt, 4, bot->node, sizeof bot->node);
    bot->generation = flt_db_int(stmt, 5);
    bot->epoch = flt_db_int(stmt, 6);
    bot->run = (enum msg_run)word(&msg_enum_run, flt_db_str(stmt, 7));
    bot->how = (enum msg_c_desired_how)word(&msg_enum_c_desired_how, flt_db_str(stmt, 8));
    bot->release = flt_db_int(stmt, 9) != 0;
    bot->removed = flt_db_int(stmt, 10) != 0;
    bot->created_ms = flt_db_int(stmt, 11);
    bot->changed_ms = flt_db_int(stmt, 12);
    flt_db_copy(stmt, 13, bot->moving_to, sizeof bot->moving_to);
    bot->held_sticky = flt_db_int(stmt, 14) != 0;
    return 0;
}

static int load_bots(struct store *store, struct inventory *inventory)
{
    sqlite3_stmt *stmt = store_read(
        store, "SELECT bot, spec, venue, sandbox, node, generation, epoch, run, how, release,"
               " removed, created_ms, changed_ms, moving_to, held_sticky FROM bots");
    int err = stmt ? 0 : -EIO;

    while (!err && store_next(store, stmt))
        err = load_bot(stmt, inventory);
    return err;
}

static int load_book(sqlite3_stmt *stmt, struct books *books)
{
    const struct book_key key = { flt_db_str(stmt, 0), flt_db_str(stmt, 1), flt_db_str(stmt, 2),
                                  flt_db_str(stmt, 3),
                                  (enum msg_mode)word(&msg_enum_mode, flt_db_str(stmt, 4)) };
    struct book *book = books_get(books, &key);

    if (!book)
        return -ENOMEM;
    flt_db_copy(stmt, 5, book->node, sizeof book->node);
    book->position = flt_db_amt(stmt, 6);
    book->cash = flt_db_amt(stmt, 7);
    book->cost = flt_db_amt(stmt, 8);
    book->volume = flt_db_amt(stmt, 9);
    book->price = flt_db_dec(stmt, 11);
    book->fills = flt_db_int(stmt, 12);
    book->before = (struct book_before){ flt_db_int(stmt, 13), flt_db_amt(stmt, 14),
                                         flt_db_amt(stmt, 15), flt_db_amt(stmt, 16) };
    if (!flt_amt_ok(book->position) || !flt_amt_ok(book->cash) || !flt_amt_ok(book->cost) ||
        !flt_amt_ok(book->volume) || !flt_amt_ok(book->before.position) ||
        !flt_amt_ok(book->before.cash) || !flt_amt_ok(book->before.cost) ||
        book_fees_read(book, flt_db_str(stmt, 10)) != 0)
        return FLT_FAIL(-EBADMSG, "bot=%s why=\"a bad number in books\"", book->bot);
    return 0;
}

static int load_books(struct store *store, struct books *books)
{
    sqlite3_stmt *stmt =
        store_read(store, "SELECT bot, venue, account, instrument, mode, node, position, cash,"
                          " cost, volume, fees, price, fills, birth, before_position,"
                          " before_cash, before_cost FROM books");
    int err = stmt ? 0 : -EIO;

    while (!err && store_next(store, stmt))
        err = load_book(stmt, books);
    return err;
}

int store_load(struct store *store, struct inventory *inventory, struct books *books)
{
    int err = load_nodes(store, inventory);

    if (!err)
        err = load_bots(store, inventory);
    return err ? err : load_books(store, books);
}

/* --- what should be
 * ------------------------------------------------------------------------------- */

int store_save_node(struct store *store, const struct node *node, int64_t now_ms)
{
    sqlite3_stmt *stmt =
        store_write(store, "INSERT INTO nodes (node, first_ms, incarnation, boot, place, draining)"
                           " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET"
                           " incarnation = excluded.incarnation, boot = excluded.boot,"
                           " place = excluded.place, draining = excluded.draining");

    flt_db_bind_str(stmt, 1, node->name);
    flt_db_bind_int(stmt, 2, now_ms);
    flt_db_bind_int(stmt, 3, node->incarnation);
    flt_db_bind_str(stmt, 4, node->grant.holder.boot);
    flt_db_bind_str(stmt, 5, node->grant.holder.place);
    flt_db_bind_int(stmt, 6, node->draining);
    return store_run(store, stmt);
}

static int add_history(struct store *store, const struct bot *bot, const char *by, const char *what,
                       const char *spec)
{
    sqlite3_stmt *stmt = store_write(
        store, "INSERT INTO desired_history (bot, ts_ms, generation, epoch, run, node, by, what,"
               " spec, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    flt_db_bind_str(stmt, 1, bot->name);
    flt_db_bind_int(stmt, 2, bot->changed_ms);
    flt_db_bind_int(stmt, 3, bot->generation);
    flt_db_bind_int(stmt, 4, bot->epoch);
    flt_db_bind_str(stmt, 5, msg_run_name(bot->run));
    flt_db_bind_str(stmt, 6, bot->node);
    flt_db_bind_str(stmt, 7, by);
    flt_db_bind_str(stmt, 8, what);
    flt_db_bind_str(stmt, 9, spec);
    flt_db_bind_str(stmt, 10, store->origin);
    return store_run(store, stmt);
}

int store_save_bot(struct store *store, const struct bot *bot, const char *by, const char *what)
{
    struct flt_buf spec = FLT_BUF_INIT;
    sqlite3_stmt *stmt = store_write(
        store, "INSERT OR REPLACE INTO bots (bot, spec, venue, sandbox, node, generation, epoch,"
               " run, how, release, removed, created_ms, changed_ms, moving_to,"
               " held_sticky) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    int err;

    msg_bot_encode(&spec, &bot->spec);
    flt_db_bind_str(stmt, 1, bot->name);
    flt_db_bind_str(stmt, 2, spec.data);
    flt_db_bind_str(stmt, 3, bot->venue);
    flt_db_bind_int(stmt, 4, bot->sandbox);
    flt_db_bind_str(stmt, 5, bot->node);
    flt_db_bind_int(stmt, 6, bot->generation);
    flt_db_bind_int(stmt, 7, bot->epoch);
    flt_db_bind_str(stmt, 8, msg_run_name(bot->run));
    flt_db_bind_str(stmt, 9, msg_c_desired_how_name(bot->how));
    flt_db_bind_int(stmt, 10, bot->release);
    flt_db_bind_int(stmt, 11, bot->removed);
    flt_db_bind_int(stmt, 12, bot->created_ms);
    flt_db_bind_int(stmt, 13, bot->changed_ms);
    flt_db_bind_str(stmt, 14, bot->moving_to);
    flt_db_bind_int(stmt, 15, bot->held_sticky || bot_is_sticky(bot));
    err = spec.failed ? -ENOMEM : store_run(store, stmt);
    if (!err)
        err = add_history(store, bot, by, what, spec.data);
    flt_buf_finish(&spec);
    return err;
}

static int save_book(struct store *store, const struct book *book)
{
    struct json_object *fees = book_fees_tree(book);
    sqlite3_stmt *stmt = store_write(
        store, "INSERT OR REPLACE INTO books (bot, venue, account, instrument, mode, node,"
               " position, cash, cost, volume, fees, price, fills, birth, before_position,"
               " before_cash, before_cost)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    int err;

    flt_db_bind_str(stmt, 1, book->bot);
    flt_db_bind_str(stmt, 2, book->venue);
    flt_db_bind_str(stmt, 3, book->account);
    flt_db_bind_str(stmt, 4, book->instrument);
    flt_db_bind_str(stmt, 5, msg_mode_name(book->mode));
    flt_db_bind_str(stmt, 6, book->node);
    flt_db_bind_amt(stmt, 7, book->position);
    flt_db_bind_amt(stmt, 8, book->cash);
    flt_db_bind_amt(stmt, 9, book->cost);
    flt_db_bind_amt(stmt, 10, book->volume);
    flt_db_bind_str(stmt, 11, json_object_to_json_string_ext(fees, JSON_C_TO_STRING_PLAIN));
    flt_db_bind_dec(stmt, 12, book->price);
    flt_db_bind_int(stmt, 13, book->fills);
    flt_db_bind_int(stmt, 14, book->before.birth);
    flt_db_bind_amt(stmt, 15, book->before.position);
    flt_db_bind_amt(stmt, 16, book->before.cash);
    flt_db_bind_amt(stmt, 17, book->before.cost);
    err = fees ? store_run(store, stmt) : -ENOMEM;
    json_object_put(fees);
    return err;
}

int store_save_books(struct store *store, struct books *books)
{
    for (size_t i = 0; i < books->count; i++) {
        if (books->list[i]->dirty) {
            const int err = save_book(store, books->list[i]);

            if (err)
                return err;
            books->list[i]->dirty = false;
        }
    }
    return 0;
}

/* --- the streams of the nodes
 * --------------------------------------------------------------------- */

int64_t store_stream_position(struct store *store, const char *stream)
{
    sqlite3_stmt *stmt = store_read(store, "SELECT committed FROM streams WHERE stream = ?");
    int64_t position = -1;

    flt_db_bind_str(stmt, 1, stream);
    if (store_next(store, stmt)) {
        position = flt_db_int(stmt, 0);
        sqlite3_reset(stmt);
    }
    return position;
}

int store_set_stream(struct store *store, const char *stream, const char *node, int64_t committed,
                     int64_t now_ms)
{
    sqlite3_stmt *stmt = store_write(
        store, "INSERT INTO streams (stream, node, committed, changed_ms) VALUES (?, ?, ?, ?)"
               " ON CONFLICT (stream) DO UPDATE SET committed = excluded.committed,"
               " changed_ms = excluded.changed_ms");

    flt_db_bind_str(stmt, 1, stream);
    flt_db_bind_str(stmt, 2, node);
    flt_db_bind_int(stmt, 3, committed);
    flt_db_bind_int(stmt, 4, now_ms);
    return store_run(store, stmt);
}

int store_add_fill(struct store *store, const char *stream, const char *node,
                   const struct msg_ev_record *record)
{
    const struct msg_ev_fill *fill = &record->fill;
    sqlite3_stmt *stmt = store_write(
        store, "INSERT INTO fills (stream, n, node, bot, epoch, mode, venue, account, instrument,"
               " trade_id, order_id, client_order_id, side, price, qty, fee, fee_asset, liquidity,"
               " ts_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
               " ON CONFLICT DO NOTHING");
    int err;

    flt_db_bind_str(stmt, 1, stream);
    flt_db_bind_int(stmt, 2, record->n);
    flt_db_bind_str(stmt, 3, node);
    flt_db_bind_str(stmt, 4, record->bot);
    flt_db_bind_int(stmt, 5, record->epoch);
    flt_db_bind_str(stmt, 6, msg_mode_name(fill->mode));
    flt_db_bind_str(stmt, 7, fill->venue);
    flt_db_bind_str(stmt, 8, fill->account);
    flt_db_bind_str(stmt, 9, fill->fill.instrument);
    flt_db_bind_str(stmt, 10, fill->fill.trade_id);
    flt_db_bind_str(stmt, 11, fill->fill.order_id);
    flt_db_bind_str(stmt, 12, fill->fill.client_order_id);
    flt_db_bind_str(stmt, 13, side_name(fill->fill.side));
    flt_db_bind_dec(stmt, 14, fill->fill.price);
    flt_db_bind_dec(stmt, 15, fill->fill.qty);
    flt_db_bind_amt(stmt, 16, fill->fill.fee);
    flt_db_bind_str(stmt, 17, fill->fill.fee_asset);
    flt_db_bind_str(stmt, 18, liquidity_name(fill->fill.liquidity));
    flt_db_bind_int(stmt, 19, fill->fill.ts_ms);
    err = store_run(store, stmt);
    return err ? err : sqlite3_changes(flt_db_handle(store->db)) == 1 ? 0 : STORE_DUPLICATE;
}

int store_fill_again(struct store *store, const char *stream, const struct msg_ev_record *record)
{
    const struct msg_fill *fill = &record->fill.fill;
    sqlite3_stmt *stmt = store_write(
        store, "INSERT OR IGNORE INTO fills_again (fill, stream, n) SELECT id, ?1, ?2 FROM fills"
               " WHERE venue = ?3 AND account = ?4 AND instrument = ?5 AND trade_id = ?6"
               " AND order_id = ?7 AND mode = 'live' AND NOT (stream = ?1 AND n = ?2)");

    flt_db_bind_str(stmt, 1, stream);
    flt_db_bind_int(stmt, 2, record->n);
    flt_db_bind_str(stmt, 3, record->fill.venue);
    flt_db_bind_str(stmt, 4, record->fill.account);
    flt_db_bind_str(stmt, 5, fill->instrument);
    flt_db_bind_str(stmt, 6, fill->trade_id);
    flt_db_bind_str(stmt, 7, fill->order_id);
    return store_run(store, stmt);
}

static bool differs(struct store *store, sqlite3_stmt *stmt, const char *stream,
                    const struct msg_ev_record *record, const char *text)
{
    bool other = false;

    flt_db_bind_str(stmt, 1, stream);
    flt_db_bind_int(stmt, 2, record->n);
    while (store_next(store, stmt))
        other =
            strcmp(flt_db_str(stmt, 0), text) != 0 || strcmp(flt_db_str(stmt, 1), record->bot) != 0;
    return other;
}

/* A trade that was dropped as a repeat has no row: that is no difference. */
bool store_has_other(struct store *store, const char *stream, const struct msg_ev_record *record)
{
    const bool fill = record->kind == MSG_EV_RECORD_KIND_FILL;
    const bool order = record->kind == MSG_EV_RECORD_KIND_ORDER;

    return differs(store,
                   store_read(store, "SELECT trade_id, bot FROM fills WHERE stream = ? AND n = ?"),
                   stream, record, fill ? record->fill.fill.trade_id : "") ||
           differs(store,
                   store_read(store,
                              "SELECT client_order_id, bot FROM orders WHERE stream = ? AND n = ?"),
                   stream, record, order ? record->order.order.client_order_id : "") ||
           differs(store,
                   store_read(store, "SELECT kind, bot FROM events WHERE stream = ? AND n = ?"),
                   stream, record, fill || order ? "" : msg_ev_record_kind_name(record->kind));
}

int store_add_order(struct store *store, const char *stream, const struct msg_ev_record *record)
{
    const struct msg_order *order = &record->order.order;
    sqlite3_stmt *stmt = store_write(
        store,
        "INSERT OR IGNORE INTO orders (stream, n, bot, epoch, client_order_id, instrument,"
        " side, price, qty, filled_qty, status, reason, ts_ms, venue, account, mode, type,"
        " order_id, label) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    flt_db_bind_str(stmt, 1, stream);
    flt_db_bind_int(stmt, 2, record->n);
    flt_db_bind_str(stmt, 3, record->bot);
    flt_db_bind_int(stmt, 4, record->epoch);
    flt_db_bind_str(stmt, 5, order->client_order_id);
    flt_db_bind_str(stmt, 6, order->instrument);
    flt_db_bind_str(stmt, 7, side_name(order->side));
    flt_db_bind_dec(stmt, 8, order->price);
    flt_db_bind_dec(stmt, 9, order->qty);
    flt_db_bind_dec(stmt, 10, order->filled_qty);
    flt_db_bind_str(stmt, 11, order_status_name(order->status));
    flt_db_bind_str(stmt, 12, record->order.reason);
    flt_db_bind_int(stmt, 13, record->ts_ms);
    flt_db_bind_str(stmt, 14, record->order.venue);
    flt_db_bind_str(stmt, 15, record->order.account);
    flt_db_bind_str(stmt, 16, msg_mode_name(record->order.mode));
    flt_db_bind_str(stmt, 17, order_type_name(order->type));
    flt_db_bind_str(stmt, 18, order->order_id);
    flt_db_bind_str(stmt, 19, order->label);
    return store_run(store, stmt);
}

int store_add_event(struct store *store, const char *stream, const struct msg_ev_record *record,
                    const char *text, const char *data)
{
    sqlite3_stmt *stmt =
        store_write(store, "INSERT OR IGNORE INTO events (stream, n, bot, epoch, kind, ts_ms,"
                           " text, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

    flt_db_bind_str(stmt, 1, stream);
    flt_db_bind_int(stmt, 2, record->n);
    flt_db_bind_str(stmt, 3, record->bot);
    flt_db_bind_int(stmt, 4, record->epoch);
    flt_db_bind_str(stmt, 5, msg_ev_record_kind_name(record->kind));
    flt_db_bind_int(stmt, 6, record->ts_ms);
    flt_db_bind_str(stmt, 7, text);
    flt_db_bind_str(stmt, 8, data);
    return store_run(store, stmt);
}

/* --- accounts
 * --------------------------------------------------------------------------------------- */

bool store_find_account(struct store *store, const char *name, struct account_row *out)
{
    sqlite3_stmt *stmt =
        store_read(store, "SELECT name, venue, sandbox, version, created_ms, sealed FROM accounts"
                          " WHERE name = ?");

    memset(out, 0, sizeof *out);
    flt_db_bind_str(stmt, 1, name);
    if (!store_next(store, stmt))
        return false;
    flt_db_copy(stmt, 0, out->account.name, sizeof out->account.name);
    flt_db_copy(stmt, 1, out->account.venue, sizeof out->account.venue);
    out->account.has_sandbox = out->account.sandbox = flt_db_int(stmt, 2) != 0;
    out->account.version = flt_db_int(stmt, 3);
    out->account.created_ms = flt_db_int(stmt, 4);
    out->sealed_size = (size_t)sqlite3_column_bytes(stmt, 5);
    if (out->sealed_size > sizeof out->sealed)
        out->sealed_size = 0;
    if (out->sealed_size)
        memcpy(out->sealed, sqlite3_column_blob(stmt, 5), out->sealed_size);
    sqlite3_reset(stmt); /* an open read would keep the log from being emptied */
    return true;
}

int store_save_account(struct store *store, const struct account_row *row)
{
    sqlite3_stmt *stmt =
        store_write(store, "INSERT OR REPLACE INTO accounts (name, venue, sandbox, version, sealed,"
                           " created_ms) VALUES (?, ?, ?, ?, ?, ?)");

    flt_db_bind_str(stmt, 1, row->account.name);
    flt_db_bind_str(stmt, 2, row->account.venue);
    flt_db_bind_int(stmt, 3, row->account.sandbox);
    flt_db_bind_int(stmt, 4, row->account.version);
    if (stmt && row->sealed_size)
        sqlite3_bind_blob(stmt, 5, row->sealed, (int)row->sealed_size, SQLITE_TRANSIENT);
    flt_db_bind_int(stmt, 6, row->account.created_ms);
    return store_run(store, stmt);
}
