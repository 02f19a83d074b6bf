/* Verbs that read the books: fills, equity, profit and loss, sums to compare with the venue. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/request.h"
#include "lib/log.h"

#define PAGE_DEFAULT 200

static unsigned word(const struct msg_enum *choices, sqlite3_stmt *stmt, int column)
{
    unsigned value = 0;

    (void)msg_enum_parse(choices, flt_db_str(stmt, column), &value);
    return value;
}

static void read_fill(sqlite3_stmt *stmt, struct msg_fill_row *row)
{
    struct msg_fill *fill = &row->fill;

    row->id = flt_db_int(stmt, 0);
    flt_db_copy(stmt, 1, row->bot, sizeof row->bot);
    flt_db_copy(stmt, 2, row->node, sizeof row->node);
    flt_db_copy(stmt, 3, row->venue, sizeof row->venue);
    flt_db_copy(stmt, 4, row->account, sizeof row->account);
    row->mode = (enum msg_mode)word(&msg_enum_mode, stmt, 5);
    row->epoch = flt_db_int(stmt, 6);
    flt_db_copy(stmt, 7, fill->instrument, sizeof fill->instrument);
    flt_db_copy(stmt, 8, fill->trade_id, sizeof fill->trade_id);
    flt_db_copy(stmt, 9, fill->order_id, sizeof fill->order_id);
    flt_db_copy(stmt, 10, fill->client_order_id, sizeof fill->client_order_id);
    fill->has_client_order_id = fill->client_order_id[0] != '\0';
    fill->side = (enum side)word(&msg_enum_side, stmt, 11);
    fill->price = flt_db_dec(stmt, 12);
    fill->qty = flt_db_dec(stmt, 13);
    fill->fee = flt_db_amt(stmt, 14);
    flt_db_copy(stmt, 15, fill->fee_asset, sizeof fill->fee_asset);
    fill->liquidity = (enum liquidity)word(&msg_enum_liquidity, stmt, 16);
    fill->ts_ms = flt_db_int(stmt, 17);
}

#define FILL_COLUMNS                                                                               \
    "SELECT id, bot, node, venue, account, mode, epoch, instrument, trade_id, order_id,"           \
    " client_order_id, side, price, qty, fee, fee_asset, liquidity, ts_ms FROM fills "

HANDLER(verb_bot_fills)
{
    const struct msg_bot_fills_args *in = args;
    struct msg_bot_fills_result *out = result;
    struct store *store = &request->controller->store;
    const int64_t limit = in->has_limit ? in->limit : PAGE_DEFAULT;
    sqlite3_stmt *stmt =
        in->has_bot ? store_read(store, FILL_COLUMNS "WHERE id < ?1 AND ts_ms >= ?2"
                                                     " AND bot = ?4 ORDER BY id DESC LIMIT ?3")
                    : store_read(store, FILL_COLUMNS "WHERE id < ?1 AND ts_ms >= ?2"
                                                     " ORDER BY id DESC LIMIT ?3");

    (void)error;
    out->items = calloc((size_t)limit, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    flt_db_bind_int(stmt, 1, in->has_after ? in->after : INT64_MAX);
    flt_db_bind_int(stmt, 2, in->has_since_ms ? in->since_ms : 0);
    flt_db_bind_int(stmt, 3, limit);
    if (in->has_bot)
        flt_db_bind_str(stmt, 4, in->bot);
    while (store_next(store, stmt))
        read_fill(stmt, &out->items[out->items_count++]);
    out->has_next = out->items_count == (size_t)limit;
    out->next = out->has_next ? out->items[limit - 1].id : 0;
    return 0;
}

HANDLER(verb_bot_equity)
{
    const struct msg_bot_equity_args *in = args;
    struct msg_bot_equity_result *out = result;
    struct store *store = &request->controller->store;
    const int64_t limit = in->has_limit ? in->limit : 1000;
    const struct bot *bot = request_bot(request, in->bot, error);
    struct bot_sums sums;
    sqlite3_stmt *stmt;

    if (!bot)
        return -ENOENT;
    out->points = calloc((size_t)limit + 1, sizeof *out->points);
    if (!out->points)
        return -ENOMEM;
    stmt = store_read(store, "SELECT ts_ms, equity, position, price FROM (SELECT * FROM equity"
                             " WHERE bot = ? AND ts_ms >= ? ORDER BY ts_ms DESC LIMIT ?)"
                             " ORDER BY ts_ms");
    flt_db_bind_str(stmt, 1, in->bot);
    flt_db_bind_int(stmt, 2, in->has_since_ms ? in->since_ms : 0);
    flt_db_bind_int(stmt, 3, limit);
    while (store_next(store, stmt)) {
        struct msg_equity_point *point = &out->points[out->points_count++];

        point->ts_ms = flt_db_int(stmt, 0);
        point->equity = flt_db_amt(stmt, 1);
        point->position = flt_db_amt(stmt, 2);
        point->price = flt_db_dec(stmt, 3);
        point->has_price = point->price.coef != 0;
    }
    bot_sums_get(request->controller, bot, &sums);
    struct msg_equity_point *now = &out->points[out->points_count++];
    now->ts_ms = controller_now_ms(request->controller);
    now->equity = sums.equity;
    now->position = sums.position;
    now->price = sums.mark;
    now->has_price = sums.mark.coef != 0;
    return 0;
}

/* --- profit and loss
 * ---------------------------------------------------------------------------------- */

static struct msg_pnl_row *pnl_row(struct msg_pnl_row *rows, size_t *count, const char *key,
                                   const char *quote)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(rows[i].key, key) == 0 && strcmp(rows[i].quote, quote) == 0)
            return &rows[i];
    struct msg_pnl_row *row = &rows[(*count)++];
    snprintf(row->key, sizeof row->key, "%s", key);
    snprintf(row->quote, sizeof row->quote, "%s", quote);
    row->fees = json_object_new_object();
    row->has_fees = row->fees != NULL;
    return row;
}

static void add_fees(struct msg_pnl_row *row, const struct book *book)
{
    for (size_t i = 0; row->fees && i < book->fee_count; i++) {
        struct flt_amt sum = FLT_AMT_ZERO;
        char text[FLT_AMT_TEXT_MAX];

        (void)flt_json_amt(row->fees, book->fees[i].asset, &sum);
        sum = flt_amt_add(sum, book->fees[i].sum);
        json_object_object_add(row->fees, book->fees[i].asset,
                               json_object_new_string(flt_amt_format(sum, text)));
    }
}

static void add_book(struct msg_pnl_row *row, const struct book *book, struct flt_dec mark)
{
    const struct flt_amt realised = book_realised(book);
    const struct flt_amt unrealised = book_unrealised(book, mark);

    row->realised = flt_amt_add(row->realised, realised);
    row->unrealised = flt_amt_add(row->unrealised, unrealised);
    row->net = flt_amt_add(row->realised, row->unrealised);
    row->volume = flt_amt_add(row->volume, book->volume);
    row->fills += book->fills;
    add_fees(row, book);
}

/* The bot's own word on the price when it still trades that instrument, else the last fill's. */
static struct flt_dec mark_of(const struct controller *controller, const struct book *book)
{
    const struct bot *bot = inventory_find_bot(&controller->inventory, book->bot);

    if (bot && strcmp(bot->spec.instrument, book->instrument) == 0 && bot_mark(bot).coef != 0)
        return bot_mark(bot);
    return book->price;
}

HANDLER(verb_pnl)
{
    const struct msg_pnl_args *in = args;
    struct msg_pnl_result *out = result;
    const struct controller *controller = request->controller;
    const enum msg_pnl_args_by by = in->has_by ? in->by : MSG_PNL_ARGS_BY_BOT;

    (void)error;
    out->items = calloc(controller->books.count + 1, sizeof *out->items);
    out->total = calloc(controller->books.count + 1, sizeof *out->total);
    if (!out->items || !out->total)
        return -ENOMEM;
    for (size_t i = 0; i < controller->books.count; i++) {
        const struct book *book = controller->books.list[i];
        const struct flt_dec mark = mark_of(controller, book);
        const char *key = by == MSG_PNL_ARGS_BY_NODE      ? book->node
                          : by == MSG_PNL_ARGS_BY_ACCOUNT ? book->account
                                                          : book->bot;

        add_book(pnl_row(out->items, &out->items_count, key, book->quote), book, mark);
        add_book(pnl_row(out->total, &out->total_count, "total", book->quote), book, mark);
    }
    return 0;
}

/* --- reconcile
 * ------------------------------------------------------------------------------------------ */

struct reconcile {
    struct msg_reconcile_result *out;
    size_t capacity;
};

static struct msg_reconcile_row *reconcile_row(struct reconcile *into, const char *venue,
                                               const char *account, const char *instrument)
{
    struct msg_reconcile_result *out = into->out;

    for (size_t i = 0; i < out->items_count; i++)
        if (strcmp(out->items[i].venue, venue) == 0 &&
            strcmp(out->items[i].account, account) == 0 &&
            strcmp(out->items[i].instrument, instrument) == 0)
            return &out->items[i];
    if (out->items_count == into->capacity) {
        const size_t capacity = into->capacity ? 2 * into->capacity : 16;
        struct msg_reconcile_row *grown = realloc(out->items, capacity * sizeof *grown);

        if (!grown)
            return NULL;
        out->items = grown;
        into->capacity = capacity;
    }
    struct msg_reconcile_row *row = &out->items[out->items_count++];
    memset(row, 0, sizeof *row);
    snprintf(row->venue, sizeof row->venue, "%s", venue);
    snprintf(row->account, sizeof row->account, "%s", account);
    snprintf(row->instrument, sizeof row->instrument, "%s", instrument);
    row->fees = json_object_new_object();
    return row;
}

/* From the rows themselves, not from the sums kept beside them. */
static void reconcile_fill(struct msg_reconcile_row *row, sqlite3_stmt *stmt)
{
    const bool buys = strcmp(flt_db_str(stmt, 3), "buy") == 0;
    const struct flt_dec price = flt_db_dec(stmt, 4), qty = flt_db_dec(stmt, 5);
    const struct flt_amt value = flt_amt_product(price, qty, FLT_ROUND_HALF_EVEN);
    struct flt_amt *base = buys ? &row->bought : &row->sold;
    struct flt_amt *quote = buys ? &row->paid : &row->received;
    struct flt_amt fee = FLT_AMT_ZERO;
    char asset[ASSET_MAX], text[FLT_AMT_TEXT_MAX];

    row->fills++;
    row->buys += buys;
    *base = flt_amt_add(*base, flt_amt_from_dec(qty));
    *quote = flt_amt_add(*quote, value);
    row->position = flt_amt_sub(row->bought, row->sold);
    flt_db_copy(stmt, 7, asset, sizeof asset);
    (void)flt_json_amt(row->fees, asset, &fee);
    fee = flt_amt_add(fee, flt_db_amt(stmt, 6));
    json_object_object_add(row->fees, asset, json_object_new_string(flt_amt_format(fee, text)));
}

HANDLER(verb_reconcile)
{
    const struct msg_reconcile_args *in = args;
    struct reconcile into = { .out = result };
    struct store *store = &request->controller->store;
    sqlite3_stmt *stmt = store_read(
        store, "SELECT venue, account, instrument, side, price, qty, fee, fee_asset FROM fills"
               " WHERE ?1 IS NULL OR bot = ?1");

    (void)error;
    flt_db_bind_str(stmt, 1, in->has_bot ? in->bot : NULL);
    while (store_next(store, stmt)) {
        struct msg_reconcile_row *row =
            reconcile_row(&into, flt_db_str(stmt, 0), flt_db_str(stmt, 1), flt_db_str(stmt, 2));

        if (!row || !row->fees) {
            sqlite3_reset(stmt);
            return -ENOMEM;
        }
        reconcile_fill(row, stmt);
    }
    return 0;
}
