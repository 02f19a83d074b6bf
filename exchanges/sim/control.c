#include "exchanges/sim/control.h"
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/fault.h"
#include "exchanges/sim/ledger.h"
#include "exchanges/sim/params.h"
#include "exchanges/sim/user_data.h"

const char sim_control_help[] =
    "Control API (JSON over HTTP on the control port):\n"
    "  GET /state                     markets, counts, clock, faults\n"
    "  POST /pause, /resume           stop and go on playing market data\n"
    "  POST /step {\"ms\":N}            while paused: play N ms of market data\n"
    "  POST /speed {\"speed\":X}\n"
    "  POST /deposit {\"key\":K,\"asset\":A,\"amount\":\"1.5\"}\n"
    "  POST /fault {\"kind\":..,\"params\":{..},\"count\":N,\"duration_ms\":N,\n"
    "               \"match\":{\"path\":..,\"method\":..,\"symbol\":..}}   answers {\"id\":N}\n"
    "     latency {ms}                answers that much later (the request waits as long)\n"
    "     reject {code,msg}           HTTP 400 with this error, nothing is done\n"
    "     http_status {status,code,msg,ms}   429, 418 (Retry-After from ms), 5xx; nothing is done\n"
    "     accept_then_timeout {status,hang,ms}   it is done, then the connection is cut; or -1007 "
    "comes\n"
    "                                 with `status`; or, with hang true, nothing for ms (60000)\n"
    "     drop_events, repeat_events {streams: user|market|all}\n"
    "     disconnect_streams {streams: user|market|all}   at once\n"
    "     skew_clock {ms}             the venue's clock is ahead by ms (or behind, below 0)\n"
    "     `path` and `symbol` are parts of the request; the WebSocket API's path is its method's "
    "name\n"
    "  DELETE /fault                  ends all faults\n"
    "  GET /ledger/fills?after=N&limit=N, /ledger/orders?after=N&limit=N, /ledger/balances\n"
    "  POST /quit\n";

static void jw_markets(struct flt_buf *buf, const struct sim *sim)
{
    flt_jw_begin(buf, "markets", '[');
    for (size_t i = 0; i < sim->market_count; i++) {
        const struct sim_market *market = sim->markets[i];

        flt_jw_begin(buf, NULL, '{');
        flt_jw_str(buf, "symbol", market->instrument.venue_symbol);
        flt_jw_amt(buf, "last", sim_price_amt(market, market->last_ticks));
        flt_jw_int(buf, "trades", market->trade_count);
        flt_jw_int(buf, "orders",
                   (int64_t)(match_count(market->match, SIDE_BUY) +
                             match_count(market->match, SIDE_SELL)));
        flt_jw_bool(buf, "ended", !market->has_next);
        flt_jw_end(buf, '}');
    }
    flt_jw_end(buf, ']');
}

static void jw_state(struct flt_buf *buf, const struct sim *sim)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "server_time_ms", sim_now(sim));
    flt_jw_bool(buf, "paused", sim->clock.paused);
    flt_jw_double(buf, "speed", sim->clock.speed);
    flt_jw_int(buf, "source_ms", sim->clock.source_ms);
    flt_jw_int(buf, "orders", (int64_t)sim->order_count);
    flt_jw_int(buf, "fills", (int64_t)sim->fill_count);
    flt_jw_int(buf, "requests", (int64_t)sim->requests);
    flt_jw_int(buf, "events", (int64_t)sim->events);
    jw_markets(buf, sim);
    sim_jw_faults(buf, "faults", sim);
    flt_jw_end(buf, '}');
}

static void jw_fill(struct flt_buf *buf, const struct sim *sim, size_t index)
{
    const struct sim_fill *fill = &sim->fills[index];
    const struct sim_order *order = sim->orders[fill->order_id - 1];
    const struct instrument *instrument = &order->market->instrument;

    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "n", (int64_t)index + 1);
    flt_jw_str(buf, "key", order->account->key);
    flt_jw_str(buf, "symbol", instrument->venue_symbol);
    flt_jw_str(buf, "instrument", instrument->name);
    flt_jw_int(buf, "trade_id", fill->trade_id);
    flt_jw_int(buf, "order_id", fill->order_id);
    flt_jw_str(buf, "client_order_id", order->client_id);
    flt_jw_str(buf, "side", side_name(order->side));
    flt_jw_amt(buf, "price", sim_price_amt(order->market, fill->price_ticks));
    flt_jw_amt(buf, "qty", sim_qty_amt(order->market, fill->qty_lots));
    flt_jw_amt(buf, "fee", fill->fee);
    flt_jw_str(buf, "fee_asset", fill->fee_in_base ? instrument->base : instrument->quote);
    flt_jw_str(buf, "liquidity", fill->maker ? "maker" : "taker");
    flt_jw_int(buf, "ts_ms", fill->ts_ms);
    flt_jw_end(buf, '}');
}

static void jw_order(struct flt_buf *buf, const struct sim_order *order)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "n", order->order_id);
    flt_jw_str(buf, "key", order->account->key);
    flt_jw_str(buf, "symbol", order->market->instrument.venue_symbol);
    flt_jw_int(buf, "order_id", order->order_id);
    flt_jw_str(buf, "client_order_id", order->client_id);
    flt_jw_str(buf, "side", side_name(order->side));
    flt_jw_str(buf, "type", sim_type_name(order->type));
    flt_jw_str(buf, "status", sim_status_name(order->status));
    flt_jw_amt(buf, "price", sim_price_amt(order->market, order->price_ticks));
    flt_jw_amt(buf, "qty", sim_qty_amt(order->market, order->qty_lots));
    flt_jw_amt(buf, "filled", sim_qty_amt(order->market, order->filled_lots));
    flt_jw_int(buf, "ts_ms", order->time_ms);
    flt_jw_int(buf, "update_ms", order->update_ms);
    flt_jw_end(buf, '}');
}

static void jw_balances(struct flt_buf *buf, const struct sim *sim)
{
    for (size_t i = 0; i < sim->account_count; i++)
        for (size_t k = 0; k < funds_count(sim->accounts[i]->funds); k++) {
            const struct balance *balance = funds_at(sim->accounts[i]->funds, k);

            flt_jw_begin(buf, NULL, '{');
            flt_jw_str(buf, "key", sim->accounts[i]->key);
            flt_jw_str(buf, "asset", balance->asset);
            flt_jw_amt(buf, "free", balance->free);
            flt_jw_amt(buf, "locked", balance->locked);
            flt_jw_end(buf, '}');
        }
}

static void jw_ledger(struct flt_buf *buf, const struct sim *sim, const char *what,
                      struct sim_params *params)
{
    int64_t after = 0, limit = 1000;
    struct sim_error error = { 0 };
    const bool fills = strcmp(what, "fills") == 0, orders = strcmp(what, "orders") == 0;
    const size_t count = fills ? sim->fill_count : sim->order_count;

    (void)sim_param_int(params, "after", false, &after, &error);
    (void)sim_param_int(params, "limit", false, &limit, &error);
    if (after < 0)
        after = 0;
    flt_jw_begin(buf, NULL, '{');
    flt_jw_begin(buf, "items", '[');
    if (!fills && !orders)
        jw_balances(buf, sim);
    for (size_t i = (size_t)after; (fills || orders) && i < count && (int64_t)i < after + limit;
         i++) {
        if (fills)
            jw_fill(buf, sim, i);
        else
            jw_order(buf, sim->orders[i]);
    }
    flt_jw_end(buf, ']');
    if ((fills || orders) && after + limit < (int64_t)count)
        flt_jw_int(buf, "next", after + limit);
    flt_jw_end(buf, '}');
}

static int deposit(struct sim *sim, struct json_object *body, struct flt_error *error)
{
    const char *key = "", *asset = "";
    struct flt_amt amount;

    (void)flt_json_str(body, "key", &key);
    if (!flt_json_str(body, "asset", &asset) || strlen(asset) >= ASSET_MAX ||
        !flt_json_amt(body, "amount", &amount))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "amount", "", "asset or amount is bad.");
    for (size_t i = 0; i < sim->account_count; i++) {
        struct sim_account *account = sim->accounts[i];

        if (strcmp(account->key, key) != 0)
            continue;
        if (funds_add(account->funds, asset, amount) != 0)
            return flt_error_set(error, FLT_INSUFFICIENT_FUNDS, "amount", "",
                                 "There is not so much.");
        sim_ledger_balances(sim->ledger, account);
        sim_user_deposit(sim, account, asset, amount);
        return 0;
    }
    return flt_error_set(error, FLT_NOT_FOUND, "key", "", "There is no such account.");
}

static int post(struct sim *sim, const char *path, struct json_object *body, struct flt_buf *buf,
                struct flt_error *error)
{
    int64_t number = 0;

    if (strcmp(path, "/pause") == 0 || strcmp(path, "/resume") == 0) {
        sim->clock.paused = path[1] == 'p';
        return 0;
    }
    if (strcmp(path, "/step") == 0) {
        if (!body || !flt_json_int(body, "ms", &number) || number < 0 || number > 86400000)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "ms", "0 to 86400000", "ms is bad.");
        sim->clock.source_ms += number;
        for (size_t i = 0; i < sim->market_count; i++)
            sim_market_play(sim->markets[i], sim->clock.source_ms);
        return 0;
    }
    if (strcmp(path, "/speed") == 0) {
        double speed = 0;

        if (!body || !flt_json_double(body, "speed", &speed) || speed <= 0 || speed > 1e6)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "speed", "Above 0, to 1e6.",
                                 "speed is bad.");
        sim->clock.speed = speed;
        return 0;
    }
    if (strcmp(path, "/deposit") == 0)
        return deposit(sim, body, error);
    if (strcmp(path, "/fault") == 0) {
        if (!body || sim_fault_add(sim, body, &number, error) != 0)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "kind", "",
                                 "A JSON object is needed.");
        flt_buf_printf(buf, "{\"id\":%d}", (int)number);
        return 0;
    }
    if (strcmp(path, "/quit") == 0) {
        sim->stopping = true;
        return 0;
    }
    return flt_error_set(error, FLT_NOT_FOUND, "", "See flotilla-sim --help.", "No such command.");
}

static void reply_error(struct flt_request *request, const struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_begin(&buf, "error", '{');
    flt_jw_str(&buf, "code", flt_error_name(error->code));
    flt_jw_str(&buf, "message", error->message);
    flt_jw_str(&buf, "hint", error->hint);
    flt_jw_str(&buf, "field", error->field);
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, '}');
    flt_request_reply_text(request, error->code == FLT_NOT_FOUND ? 404 : 400, buf.data);
    flt_buf_finish(&buf);
}

void sim_control_request(void *ctx, struct flt_request *request)
{
    struct sim *sim = ctx;
    const char *method = flt_request_method(request), *path = flt_request_path(request);
    struct flt_buf buf = FLT_BUF_INIT;
    struct flt_error error = { 0 };
    struct sim_params params = { 0 };
    struct sim_error bad = { 0 };
    size_t size = 0;
    const char *text = flt_request_body(request, &size);
    struct json_object *body = size ? flt_json_parse(text, size, &error) : NULL;

    if (sim_params_parse(&params, flt_request_query(request), "", &bad) != 0)
        (void)flt_error_set(&error, FLT_INVALID_ARGUMENT, "query", "", "The query is malformed.");
    if (error.code) {
        /* said below */
    } else if (strcmp(method, "GET") == 0 && strcmp(path, "/state") == 0) {
        jw_state(&buf, sim);
    } else if (strcmp(method, "GET") == 0 && strncmp(path, "/ledger/", 8) == 0) {
        jw_ledger(&buf, sim, path + 8, &params);
    } else if (strcmp(method, "DELETE") == 0 && strcmp(path, "/fault") == 0) {
        sim_fault_clear(sim);
    } else if (strcmp(method, "POST") == 0) {
        (void)post(sim, path, body, &buf, &error);
    } else {
        (void)flt_error_set(&error, FLT_NOT_FOUND, "", "See flotilla-sim --help.", "No such page.");
    }
    if (error.code)
        reply_error(request, &error);
    else
        flt_request_reply_text(request, 200, buf.length ? buf.data : "{}");
    json_object_put(body);
    sim_params_finish(&params);
    flt_buf_finish(&buf);
}
