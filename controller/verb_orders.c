/* Orders of all bots: the open ones are asked of the bots' nodes, the ended ones are in the books.
 */
#define FLT_MOD "verbs"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/request.h"

#define PAGE_DEFAULT 200
#define BOTS_A_PAGE 50
#define ASK_TTL_MS 3000

static unsigned word(const struct msg_enum *choices, sqlite3_stmt *stmt, int column)
{
    unsigned value = 0;

    (void)msg_enum_parse(choices, flt_db_str(stmt, column), &value);
    return value;
}

/* --- ended ones
 * ------------------------------------------------------------------------------------- */

static void read_order(sqlite3_stmt *stmt, struct msg_order_row *row)
{
    flt_db_copy(stmt, 0, row->bot, sizeof row->bot);
    flt_db_copy(stmt, 1, row->client_order_id, sizeof row->client_order_id);
    flt_db_copy(stmt, 2, row->instrument, sizeof row->instrument);
    row->side = (enum side)word(&msg_enum_side, stmt, 3);
    row->price = flt_db_dec(stmt, 4);
    row->has_price = row->price.coef != 0;
    row->qty = flt_db_dec(stmt, 5);
    row->filled_qty = flt_db_dec(stmt, 6);
    row->status = (enum order_status)word(&msg_enum_order_status, stmt, 7);
    flt_db_copy(stmt, 8, row->reason, sizeof row->reason);
    row->has_reason = row->reason[0] != '\0';
    row->ts_ms = flt_db_int(stmt, 9);
    flt_db_copy(stmt, 10, row->venue, sizeof row->venue);
    row->has_venue = row->venue[0] != '\0';
    flt_db_copy(stmt, 11, row->account, sizeof row->account);
    row->has_account = row->account[0] != '\0';
    row->has_mode = flt_db_str(stmt, 12)[0] != '\0';
    row->mode = (enum msg_mode)word(&msg_enum_mode, stmt, 12);
    row->has_type = flt_db_str(stmt, 13)[0] != '\0';
    row->type = (enum order_type)word(&msg_enum_order_type, stmt, 13);
    flt_db_copy(stmt, 14, row->order_id, sizeof row->order_id);
    row->has_order_id = row->order_id[0] != '\0';
    flt_db_copy(stmt, 15, row->label, sizeof row->label);
    row->has_label = row->label[0] != '\0';
    flt_db_copy(stmt, 18, row->node, sizeof row->node);
    row->has_node = row->node[0] != '\0';
}

/* A page ends at (time, stream, number): "1772366400100.01JD8Z....88213". */
struct cursor {
    int64_t ts_ms, n;
    char stream[FLT_ULID_MAX];
};

static int read_cursor(const struct msg_order_ls_args *in, struct cursor *out,
                       struct flt_error *error)
{
    int used = 0;

    *out = (struct cursor){ .ts_ms = INT64_MAX };
    if (!in->has_after)
        return 0;
    if (sscanf(in->after, "%" SCNd64 ".%26[0-9A-Z].%" SCNd64 "%n", &out->ts_ms, out->stream,
               &out->n, &used) == 3 &&
        in->after[used] == '\0')
        return 0;
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "after", "take `next` of the page before",
                         "%s is not where a page ended", in->after);
}

static int ended_orders(struct request *request, const struct msg_order_ls_args *in,
                        struct msg_order_ls_result *out, struct flt_error *error)
{
    struct store *store = &request->controller->store;
    const size_t limit = in->has_limit ? (size_t)in->limit : PAGE_DEFAULT;
    struct cursor from;
    const int err = read_cursor(in, &from, error);

    if (err)
        return err;
    sqlite3_stmt *stmt = store_read(
        store,
        "SELECT o.bot, client_order_id, instrument, side, price, qty, filled_qty, status, reason,"
        " o.ts_ms, venue, account, mode, type, order_id, label, o.stream, o.n,"
        " coalesce((SELECT node FROM streams s WHERE s.stream = o.stream), '') FROM orders o"
        " WHERE (o.ts_ms, o.stream, o.n) < (?1, ?2, ?3) AND (?4 IS NULL OR o.bot = ?4)"
        " AND (?5 IS NULL OR account = ?5) ORDER BY o.ts_ms DESC, o.stream DESC, o.n DESC LIMIT"
        " ?6");

    out->items = calloc(limit, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    flt_db_bind_int(stmt, 1, from.ts_ms);
    flt_db_bind_str(stmt, 2, from.stream);
    flt_db_bind_int(stmt, 3, from.n);
    flt_db_bind_str(stmt, 4, in->has_bot ? in->bot : NULL);
    flt_db_bind_str(stmt, 5, in->has_account ? in->account : NULL);
    flt_db_bind_int(stmt, 6, (int64_t)limit);
    while (store_next(store, stmt)) {
        read_order(stmt, &out->items[out->items_count++]);
        snprintf(out->next, sizeof out->next, "%" PRId64 ".%s.%" PRId64, flt_db_int(stmt, 9),
                 flt_db_str(stmt, 16), flt_db_int(stmt, 17));
    }
    out->has_next = out->items_count == limit;
    return 0;
}

/* --- open ones
 * -------------------------------------------------------------------------------------- */

struct ask;

struct slot { /* one bot that was asked */
    struct ask *ask;
    char bot[FLT_NAME_MAX], node[FLT_NAME_MAX];
    bool silent;
    char why[192];
    struct msg_cmd_orders_result answer;
};

struct ask { /* a page that waits for its nodes */
    struct request *request;
    struct slot slots[BOTS_A_PAGE];
    size_t count, waiting;
    bool more;
};

static void copy_order(const struct msg_order *order, struct msg_order_row *row)
{
    snprintf(row->instrument, sizeof row->instrument, "%s", order->instrument);
    snprintf(row->client_order_id, sizeof row->client_order_id, "%s", order->client_order_id);
    row->has_order_id = order->has_order_id;
    snprintf(row->order_id, sizeof row->order_id, "%s", order->order_id);
    row->has_label = order->has_label;
    snprintf(row->label, sizeof row->label, "%s", order->label);
    row->side = order->side;
    row->has_type = true;
    row->type = order->type;
    row->has_price = order->has_price;
    row->price = order->price;
    row->qty = order->qty;
    row->filled_qty = order->filled_qty;
    row->status = order->status;
    row->has_unknown = order->has_unknown;
    row->unknown = order->unknown;
    row->open = true;
    row->ts_ms = order->ts_ms;
}

static void copy_slot(const struct controller *controller, const struct slot *slot,
                      struct msg_order_ls_result *out)
{
    const struct bot *bot = inventory_find_bot(&controller->inventory, slot->bot);

    for (size_t i = 0; i < slot->answer.orders_count; i++) {
        struct msg_order_row *row = &out->items[out->items_count++];

        copy_order(&slot->answer.orders[i], row);
        snprintf(row->bot, sizeof row->bot, "%s", slot->bot);
        row->has_node = true;
        snprintf(row->node, sizeof row->node, "%s", slot->node);
        row->has_as_of_ms = true;
        row->as_of_ms = slot->answer.as_of_ms;
        if (!bot)
            continue;
        row->has_venue = row->has_mode = true;
        snprintf(row->venue, sizeof row->venue, "%s", bot->venue);
        row->mode = bot->spec.mode;
        row->has_account = bot->spec.has_account;
        snprintf(row->account, sizeof row->account, "%s", bot->spec.account);
    }
}

static void add_silent(const struct slot *slot, struct msg_order_ls_result *out)
{
    struct msg_silent_row *row = &out->silent[out->silent_count++];

    snprintf(row->bot, sizeof row->bot, "%s", slot->bot);
    snprintf(row->node, sizeof row->node, "%s", slot->node);
    snprintf(row->message, sizeof row->message, "%s", slot->why);
}

static void finish_page(struct controller *controller, struct ask *ask)
{
    struct msg_order_ls_result out = { 0 };
    struct flt_error error = { 0 };
    size_t orders = 0;

    for (size_t i = 0; i < ask->count; i++)
        orders += ask->slots[i].answer.orders_count;
    out.items = calloc(orders + 1, sizeof *out.items);
    out.silent = calloc(ask->count + 1, sizeof *out.silent);
    if (out.items && out.silent) {
        for (size_t i = 0; i < ask->count; i++) {
            if (ask->slots[i].silent)
                add_silent(&ask->slots[i], &out);
            else
                copy_slot(controller, &ask->slots[i], &out);
        }
        out.has_silent = out.silent_count > 0;
        out.has_next = ask->more;
        if (ask->more)
            snprintf(out.next, sizeof out.next, "%s", ask->slots[ask->count - 1].bot);
        request_answer(ask->request, &out);
    } else {
        (void)flt_error_set(&error, FLT_INTERNAL, "", "", "no memory for the orders");
        request_refuse(ask->request, &error);
    }
    for (size_t i = 0; i < ask->count; i++)
        msg_cmd_orders_result_finish(&ask->slots[i].answer);
    free(out.items);
    free(out.silent);
    free(ask);
}

static void on_orders(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    struct slot *slot = ctx;
    struct ask *ask = slot->ask;
    struct flt_error error = { 0 };

    if (!res)
        snprintf(slot->why, sizeof slot->why, "the node did not answer");
    else if (res->has_error)
        snprintf(slot->why, sizeof slot->why, "%.191s", res->error.message);
    else if (msg_cmd_orders_result_decode(res->result, MSG_PROGRAM, &slot->answer, &error) != 0)
        snprintf(slot->why, sizeof slot->why, "%.191s", error.message);
    slot->silent = slot->why[0] != '\0';
    if (--ask->waiting == 0)
        finish_page(controller, ask);
}

static bool is_asked(const struct bot *bot, const struct msg_order_ls_args *in)
{
    return bot_listed(bot) && (!in->has_after || strcmp(bot->name, in->after) > 0) &&
           (!in->has_bot || strcmp(bot->name, in->bot) == 0) &&
           (!in->has_account || strcmp(bot->spec.account, in->account) == 0) && bot->has_state;
}

/* The bots of the page; those whose last word is that nothing rests are passed over unless they
 * were named. */
static void choose_bots(struct ask *ask, const struct msg_order_ls_args *in)
{
    const struct inventory *inventory = &ask->request->controller->inventory;

    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];
        struct slot *slot = &ask->slots[ask->count];

        if (!is_asked(bot, in) || (!in->has_bot && bot->state.orders_open == 0))
            continue;
        if (ask->count == BOTS_A_PAGE) {
            ask->more = true;
            return;
        }
        slot->ask = ask;
        snprintf(slot->bot, sizeof slot->bot, "%s", bot->name);
        snprintf(slot->node, sizeof slot->node, "%s", bot->node);
        ask->count++;
    }
}

static int open_orders(struct request *request, const struct msg_order_ls_args *in,
                       struct flt_error *error)
{
    struct controller *controller = request->controller;
    const struct msg_cmd_orders_args none = { 0 };
    struct ask *ask;

    if (in->has_bot && !request_bot(request, in->bot, error))
        return -ENOENT;
    ask = calloc(1, sizeof *ask);
    if (!ask)
        return -ENOMEM;
    ask->request = request_keep(request);
    if (!ask->request) {
        free(ask);
        return -ENOMEM;
    }
    choose_bots(ask, in);
    ask->waiting = ask->count + 1; /* one for ourselves, so that it does not end while we send */
    for (size_t i = 0; i < ask->count; i++) {
        struct slot *slot = &ask->slots[i];
        const struct node *node = inventory_find_node(&controller->inventory, slot->node);

        if (node && node_is_up(node, controller_mono_ms(controller))) {
            commands_send(controller, slot->node, MSG_C_CMD_OP_ORDERS, slot->bot, &none, ASK_TTL_MS,
                          false, NULL, on_orders, slot);
            continue;
        }
        slot->silent = true;
        snprintf(slot->why, sizeof slot->why, "its node is not up");
        ask->waiting--;
    }
    if (--ask->waiting == 0)
        finish_page(controller, ask);
    return REQUEST_LATER;
}

HANDLER(verb_order_ls)
{
    const struct msg_order_ls_args *in = args;

    return in->has_open && !in->open ? ended_orders(request, in, result, error)
                                     : open_orders(request, in, error);
}
