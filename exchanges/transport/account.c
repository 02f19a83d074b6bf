/* A trading account: orders over REST, their truth over the private stream. */
#define FLT_MOD "account"
#include "exchanges/transport/rest.h"
#include "exchanges/transport/transport.h"
#include "lib/ws.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROLL_EARLY_MS 3600000

struct exchange_account {
    struct transport_link link;
    struct exchange_account_events events;
    struct rest_account *rest;
    struct flt_ws *ws;
    struct flt_timer *login_timer, *roll_timer;
    struct flt_buf text;
    struct stream_scratch scratch;
    unsigned login_step;
    uint64_t login_wait_ms;
    bool up, closing;
};

/* --- the private stream --- */

static void set_link(struct exchange_account *account, bool up, const char *reason)
{
    if (account->up == up)
        return;
    account->up = up;
    if (account->events.on_link)
        account->events.on_link(account->events.ctx, up, reason);
}

static void login_later(struct exchange_account *account)
{
    account->login_wait_ms = flt_backoff_ms(account->login_wait_ms, 500, 30000);
    flt_timer_start(account->login_timer, account->login_wait_ms, 0);
}

/* The next step of the login, or its end. */
static void login(void *ctx)
{
    struct exchange_account *account = ctx;

    if (!flt_ws_is_open(account->ws))
        return;
    const int outcome = account->link.codec->login(rest_account_signer(account->rest),
                                                   rest_now_ms(account->link.rest),
                                                   account->login_step, &account->text);

    if (outcome == CODEC_LOGGED_IN) {
        account->login_wait_ms = 0;
        set_link(account, true, "logged in");
    } else if (outcome != 0 ||
               flt_ws_send(account->ws, account->text.data, account->text.length) != 0) {
        login_later(account);
    }
}

static void on_ws_open(void *ctx)
{
    struct exchange_account *account = ctx;
    const int64_t life_ms = account->link.codec->stream.life_ms;

    account->login_step = 0;
    login(account);
    if (life_ms > 0)
        flt_timer_start(account->roll_timer, (uint64_t)(life_ms - ROLL_EARLY_MS), 0);
}

static void on_ws_close(void *ctx, const char *reason)
{
    struct exchange_account *account = ctx;

    flt_timer_stop(account->login_timer);
    set_link(account, false, reason);
}

/* Before the venue ends the connection by its age we do, at a moment when we look: on_link then
 * makes the engine ask for what it may have missed. */
static void on_roll(void *ctx)
{
    struct exchange_account *account = ctx;

    set_link(account, false, "connection renewed");
    flt_ws_reconnect(account->ws);
}

static void on_login_refused(struct exchange_account *account, const struct stream_event *event)
{
    const struct exchange_failure *failure = &event->failure;

    if (failure->error == EXCHANGE_NOT_MODIFIED) { /* subscribed already */
        account->login_step++;
        login(account);
        return;
    }
    FLT_LOG(ERROR, "login_refused", "venue=%s class=%s why=\"%s\"", account->link.codec->name,
            exchange_error_name(failure->error), failure->message);
    if (failure->error == EXCHANGE_TIMESTAMP)
        rest_sync_clock(account->link.rest);
    if (account->events.on_link && !account->up)
        account->events.on_link(account->events.ctx, false, failure->message);
    account->login_step = 0;
    login_later(account);
}

static void on_event(void *ctx, const struct stream_event *event)
{
    struct exchange_account *account = ctx;
    const struct exchange_account_events *to = &account->events;

    if (event->kind == STREAM_FILL) {
        if (to->on_fill)
            to->on_fill(to->ctx, &event->fill);
    } else if (event->kind == STREAM_ORDER) {
        if (to->on_order)
            to->on_order(to->ctx, &event->order);
    } else if (event->kind == STREAM_BALANCE) {
        if (to->on_balance)
            to->on_balance(to->ctx, &event->balance);
    } else if (event->kind == STREAM_ACK) {
        account->login_step++;
        login(account);
    } else if (event->kind == STREAM_ERROR) {
        on_login_refused(account, event);
    } else if (event->kind == STREAM_SHUTDOWN) {
        on_roll(account);
    } else if (event->kind == STREAM_END) {
        set_link(account, false, "the venue ended the account's stream");
        account->login_step = 0;
        login_later(account);
    } else if (event->kind == STREAM_UNKNOWN) {
        FLT_LOG(WARN, "frame_unknown", "venue=%s why=\"%s\"", account->link.codec->name,
                event->text);
    }
}

static void on_ws_message(void *ctx, const char *data, size_t size, bool text)
{
    struct exchange_account *account = ctx;

    (void)text;
    account->link.codec->frame(account->link.table, data, size, &account->scratch, on_event,
                               account);
}

/* --- life --- */

static int open_stream(struct exchange_account *account)
{
    char url[256];
    const struct flt_ws_config config = { .url = url, .ca_file = account->link.urls->ca_file };
    const struct flt_ws_events events = { account, on_ws_open, on_ws_message, on_ws_close };
    int err = account->link.codec->stream_url(account->link.urls, true, url, sizeof url);

    if (err == 0)
        err = flt_ws_connect(account->link.env->ws, &config, &events, &account->ws);
    return err;
}

int transport_account_open(struct exchange_market *market,
                           const struct exchange_credentials *credentials,
                           const struct exchange_account_events *events,
                           struct exchange_account **out)
{
    struct exchange_account *account = calloc(1, sizeof *account);

    if (!account)
        return -ENOMEM;
    transport_link(market, &account->link);
    account->events = *events;
    struct flt_loop *loop = account->link.env->loop;
    int err = rest_account_open(account->link.rest, credentials, &account->rest);

    if (err == 0)
        err = flt_timer_create(loop, login, account, &account->login_timer);
    if (err == 0)
        err = flt_timer_create(loop, on_roll, account, &account->roll_timer);
    if (err == 0)
        err = open_stream(account);
    if (err != 0) {
        transport_account_close(account);
        return err;
    }
    *out = account;
    return 0;
}

void transport_account_close(struct exchange_account *account)
{
    if (!account)
        return;
    account->closing = true;
    flt_ws_close(account->ws);
    flt_timer_destroy(account->login_timer);
    flt_timer_destroy(account->roll_timer);
    rest_account_close(account->rest);
    flt_buf_finish(&account->text);
    stream_scratch_finish(&account->scratch);
    free(account);
}

int64_t transport_request_life_ms(struct exchange_account *account)
{
    return rest_request_life_ms(account->link.rest);
}

/* --- orders --- */

struct order_call {
    struct exchange_account *account;
    char client_order_id[FLT_COID_MAX];
    union {
        exchange_order_fn *order;
        exchange_orders_fn *orders;
        exchange_fills_fn *fills;
        exchange_balances_fn *balances;
        exchange_rights_fn *rights;
    } fn;
    void *ctx;
    char after_trade_id[ORDER_ID_MAX];
};

static struct order_call *order_call(struct exchange_account *account, const char *client_order_id)
{
    struct order_call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    call->account = account;
    if (client_order_id)
        snprintf(call->client_order_id, sizeof call->client_order_id, "%s", client_order_id);
    return call;
}

static int ask(struct order_call *call, enum op op, const struct op_args *args, rest_fn *fn)
{
    const int err =
        call ? rest_send(call->account->link.rest, call->account->rest, op, args, fn, call)
             : -ENOMEM;

    if (err != 0)
        free(call);
    return err;
}

static const struct order *first_order(const struct result *result)
{
    return result->failure.error == EXCHANGE_OK && result->kind == RESULT_ORDERS &&
                   result->items.count > 0
               ? RESULT_ITEMS(result, struct order)
               : NULL;
}

/* Fills before the order that counts them. */
static void on_placed(void *ctx, const struct result *result)
{
    struct order_call *call = ctx;
    const struct exchange_account_events *to = &call->account->events;
    const struct fill *fills = result->fills.items;

    if (!call->account->closing) {
        for (size_t i = 0; i < result->fills.count && to->on_fill; i++)
            to->on_fill(to->ctx, &fills[i]);
        if (to->on_place_result)
            to->on_place_result(to->ctx, call->client_order_id, &result->failure,
                                first_order(result));
    }
    free(call);
}

int transport_place(struct exchange_account *account, const struct order_request *request)
{
    const struct op_args args = { .instrument = request->instrument,
                                  .client_order_id = request->client_order_id,
                                  .side = request->side,
                                  .type = request->type,
                                  .tif = request->tif,
                                  .post_only = request->post_only,
                                  .reduce_only = request->reduce_only,
                                  .qty = request->qty,
                                  .price = request->price };

    return ask(order_call(account, request->client_order_id), OP_PLACE_ORDER, &args, on_placed);
}

static void on_cancelled(void *ctx, const struct result *result)
{
    struct order_call *call = ctx;
    const struct exchange_account_events *to = &call->account->events;
    const struct order *order = first_order(result);

    if (!call->account->closing) {
        if (order && to->on_order)
            to->on_order(to->ctx, order);
        if (to->on_cancel_result)
            to->on_cancel_result(to->ctx, call->client_order_id, &result->failure);
    }
    free(call);
}

int transport_cancel(struct exchange_account *account, const struct instrument *instrument,
                     const char *client_order_id)
{
    const struct op_args args = { .instrument = instrument, .client_order_id = client_order_id };

    return ask(order_call(account, client_order_id), OP_CANCEL, &args, on_cancelled);
}

static void on_queried(void *ctx, const struct result *result)
{
    struct order_call *call = ctx;

    call->fn.order(call->ctx, &result->failure, first_order(result));
    free(call);
}

int transport_query_order(struct exchange_account *account, const struct instrument *instrument,
                          const char *client_order_id, exchange_order_fn *fn, void *ctx)
{
    const struct op_args args = { .instrument = instrument, .client_order_id = client_order_id };
    struct order_call *call = order_call(account, client_order_id);

    if (call) {
        call->fn.order = fn;
        call->ctx = ctx;
    }
    return ask(call, OP_QUERY_ORDER, &args, on_queried);
}

int transport_query_order_id(struct exchange_account *account, const struct instrument *instrument,
                             const char *order_id, exchange_order_fn *fn, void *ctx)
{
    const struct op_args args = { .instrument = instrument, .order_id = order_id };
    struct order_call *call = order_call(account, NULL);

    if (call) {
        call->fn.order = fn;
        call->ctx = ctx;
    }
    return ask(call, OP_QUERY_ORDER, &args, on_queried);
}

void transport_set_deadline(struct exchange_account *account, int64_t not_after_boot_ns)
{
    rest_account_set_deadline(account->rest, not_after_boot_ns);
}

static void on_listed(void *ctx, const struct result *result)
{
    struct order_call *call = ctx;

    call->fn.orders(call->ctx, &result->failure, first_order(result), result->items.count);
    free(call);
}

int transport_open_orders(struct exchange_account *account, const struct instrument *instrument,
                          exchange_orders_fn *fn, void *ctx)
{
    const struct op_args args = { .instrument = instrument };
    struct order_call *call = order_call(account, NULL);

    if (call) {
        call->fn.orders = fn;
        call->ctx = ctx;
    }
    return ask(call, OP_OPEN_ORDERS, &args, on_listed);
}

/* Venues begin at the id given; ours begin after it. */
static void on_fills(void *ctx, const struct result *result)
{
    struct order_call *call = ctx;
    const struct fill *fills = result->items.items;
    size_t count = result->failure.error == EXCHANGE_OK ? result->items.count : 0;

    if (count > 0 && call->after_trade_id[0] &&
        strcmp(fills[0].trade_id, call->after_trade_id) == 0) {
        fills++;
        count--;
    }
    call->fn.fills(call->ctx, &result->failure, fills, count);
    free(call);
}

int transport_fills(struct exchange_account *account, const struct fills_query *query,
                    exchange_fills_fn *fn, void *ctx)
{
    const struct op_args args = { .instrument = query->instrument,
                                  .order_id = query->order_id,
                                  .from_trade_id = query->from_trade_id,
                                  .since_ms = query->since_ms,
                                  /* one more, for the one that is dropped */
                                  .limit = query->limit > 0 && query->from_trade_id
                                               ? query->limit + 1
                                               : query->limit };
    struct order_call *call = order_call(account, NULL);

    if (call) {
        call->fn.fills = fn;
        call->ctx = ctx;
        if (query->from_trade_id)
            snprintf(call->after_trade_id, sizeof call->after_trade_id, "%s", query->from_trade_id);
    }
    return ask(call, OP_MY_TRADES, &args, on_fills);
}

static void on_balances(void *ctx, const struct result *result)
{
    struct order_call *call = ctx;

    call->fn.balances(call->ctx, &result->failure, result->items.items, result->items.count);
    free(call);
}

int transport_balances(struct exchange_account *account, exchange_balances_fn *fn, void *ctx)
{
    const struct op_args args = { 0 };
    struct order_call *call = order_call(account, NULL);

    if (call) {
        call->fn.balances = fn;
        call->ctx = ctx;
    }
    return ask(call, OP_BALANCES, &args, on_balances);
}

static void on_rights(void *ctx, const struct result *result)
{
    static const struct key_rights none;
    struct order_call *call = ctx;
    const bool said = result->kind == RESULT_RIGHTS && result->items.count == 1;

    call->fn.rights(call->ctx, &result->failure,
                    said ? RESULT_ITEMS(result, struct key_rights) : &none);
    free(call);
}

int transport_rights(struct exchange_account *account, exchange_rights_fn *fn, void *ctx)
{
    const struct op_args args = { 0 };
    struct order_call *call = order_call(account, NULL);

    if (call) {
        call->fn.rights = fn;
        call->ctx = ctx;
    }
    return ask(call, OP_KEY_RIGHTS, &args, on_rights);
}
