#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/order_json.h"
#include "exchanges/sim/rest.h"
#include "lib/crypto.h"

#define DAY_MS ((int64_t)86400000)

/* --- reading an order
 * ------------------------------------------------------------------------------ */

static void make_id(char *out)
{
    uint8_t bytes[11];

    if (flt_random(bytes, sizeof bytes) != 0)
        memset(bytes, 0, sizeof bytes);
    flt_hex(bytes, sizeof bytes, out); /* 22 characters, as the venue's */
}

static int read_id(struct sim_call *call, const char *name, char *out)
{
    const char *text = sim_param(call->params, name);

    if (!text) {
        make_id(out);
        return 0;
    }
    const size_t size = strlen(text);

    if (size > 36 ||
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != size)
        return sim_fail(&call->error, 400, -1100,
                        "Illegal characters found in parameter '%s'; legal range is "
                        "'^[a-zA-Z0-9-_]{1,36}$'.",
                        name);
    memcpy(out, text, size + 1);
    return 0;
}

static int read_words(struct sim_call *call, struct sim_place *place)
{
    const char *side = sim_param(call->params, "side"), *type = sim_param(call->params, "type");
    const char *tif = sim_param(call->params, "timeInForce");
    const char *stp = sim_param(call->params, "selfTradePreventionMode");

    if (!side)
        return sim_param_missing(&call->error, "side");
    if (!type)
        return sim_param_missing(&call->error, "type");
    if (strcmp(side, "BUY") != 0 && strcmp(side, "SELL") != 0)
        return sim_fail(&call->error, 400, -1117, "Invalid side.");
    place->side = strcmp(side, "BUY") == 0 ? SIDE_BUY : SIDE_SELL;
    if (strcmp(type, "LIMIT") == 0)
        place->type = SIM_LIMIT;
    else if (strcmp(type, "MARKET") == 0)
        place->type = SIM_MARKET;
    else if (strcmp(type, "LIMIT_MAKER") == 0)
        place->type = SIM_LIMIT_MAKER;
    else if (strncmp(type, "STOP_LOSS", 9) == 0 || strncmp(type, "TAKE_PROFIT", 11) == 0)
        return sim_fail(&call->error, 400, -1013,
                        "This order type is not enabled for this symbol.");
    else
        return sim_fail(&call->error, 400, -1116, "Invalid orderType.");
    if (place->type == SIM_LIMIT && !tif)
        return sim_param_missing(&call->error, "timeInForce");
    if (place->type != SIM_LIMIT && tif)
        return sim_fail(&call->error, 400, -1106,
                        "Parameter 'timeInForce' sent when not required.");
    if (tif && strcmp(tif, "GTC") != 0 && strcmp(tif, "IOC") != 0 && strcmp(tif, "FOK") != 0)
        return sim_fail(&call->error, 400, -1115, "Invalid timeInForce.");
    place->tif = !tif || tif[0] == 'G' ? TIF_GTC : tif[0] == 'I' ? TIF_IOC : TIF_FOK;
    place->stp = SIM_STP_EXPIRE_MAKER;
    for (int i = 0; stp && i <= SIM_STP_EXPIRE_BOTH; i++)
        if (strcmp(stp, sim_stp_name((enum sim_stp)i)) == 0)
            place->stp = (enum sim_stp)i;
    if (stp && strcmp(stp, sim_stp_name(place->stp)) != 0)
        return sim_fail(&call->error, 400, -1013,
                        "This symbol does not allow the specified "
                        "self-trade prevention mode.");
    return 0;
}

static bool outside(struct flt_amt value, struct flt_dec min, struct flt_dec max)
{
    return flt_amt_cmp(value, flt_amt_from_dec(min)) < 0 ||
           (!flt_dec_is_zero(max) && flt_amt_cmp(value, flt_amt_from_dec(max)) > 0);
}

static int filter_failure(struct sim_call *call, const char *name)
{
    return sim_fail(&call->error, 400, -1013, "Filter failure: %s", name);
}

static int check_price(struct sim_call *call, struct sim_place *place, struct flt_amt price)
{
    const struct instrument *instrument = &place->market->instrument;
    const int64_t ticks = flt_amt_units(price, instrument->tick, FLT_ROUND_DOWN);

    if (ticks <= 0 || outside(price, instrument->price_min, instrument->price_max) ||
        flt_amt_cmp(sim_price_amt(place->market, ticks), price) != 0)
        return filter_failure(call, "PRICE_FILTER");
    place->price_ticks = ticks;
    return 0;
}

static int check_qty(struct sim_call *call, struct sim_place *place, struct flt_amt qty)
{
    const struct instrument *instrument = &place->market->instrument;
    const int64_t lots = flt_amt_units(qty, instrument->lot, FLT_ROUND_DOWN);

    if (flt_amt_sign(qty) == 0)
        return sim_fail(&call->error, 400, -1013, "Invalid quantity.");
    if (lots <= 0 || outside(qty, instrument->qty_min, instrument->qty_max) ||
        flt_amt_cmp(sim_qty_amt(place->market, lots), qty) != 0)
        return filter_failure(call, "LOT_SIZE");
    place->qty_lots = lots;
    return 0;
}

/* Market orders by the last price, which stands for the venue's 5 minute average. */
static int check_notional(struct sim_call *call, const struct sim_place *place)
{
    const struct sim_market *market = place->market;
    const int64_t price = place->type == SIM_MARKET ? market->last_ticks : place->price_ticks;
    const struct flt_amt notional = flt_amt_sign(place->quote_qty) > 0
                                        ? place->quote_qty
                                        : sim_cost_amt(market, (flt_i128)price * place->qty_lots);

    if (!flt_amt_ok(notional) ||
        flt_amt_cmp(notional, flt_amt_from_dec(market->instrument.notional_min)) < 0)
        return filter_failure(call, "NOTIONAL");
    return 0;
}

static int read_numbers(struct sim_call *call, struct sim_place *place)
{
    struct flt_amt price = FLT_AMT_ZERO, qty = FLT_AMT_ZERO, quote = FLT_AMT_ZERO;
    const bool market = place->type == SIM_MARKET;
    const bool by_quote = market && sim_param(call->params, "quoteOrderQty");

    if (sim_param_dec(call->params, "quantity", !by_quote, &qty, &call->error) != 0 ||
        sim_param_dec(call->params, "price", !market, &price, &call->error) != 0 ||
        sim_param_dec(call->params, "quoteOrderQty", false, &quote, &call->error) != 0)
        return -1;
    if (market && sim_param(call->params, "price"))
        return sim_fail(&call->error, 400, -1106, "Parameter 'price' sent when not required.");
    if (!market && sim_param(call->params, "quoteOrderQty"))
        return sim_fail(&call->error, 400, -1106,
                        "Parameter 'quoteOrderQty' sent when not required.");
    if (by_quote && sim_param(call->params, "quantity"))
        return sim_fail(&call->error, 400, -1128, "Combination of optional parameters invalid.");
    if (sim_param(call->params, "stopPrice") || sim_param(call->params, "icebergQty") ||
        sim_param(call->params, "trailingDelta"))
        return sim_fail(&call->error, 400, -1013,
                        "This order type is not enabled for this symbol.");
    place->quote_qty = quote;
    if (!market && check_price(call, place, price) != 0)
        return -1;
    if (!by_quote && check_qty(call, place, qty) != 0)
        return -1;
    return check_notional(call, place);
}

static int read_resp(struct sim_call *call, const struct sim_place *place, enum sim_resp *out)
{
    const char *text = sim_param(call->params, "newOrderRespType");

    *out = place->type == SIM_LIMIT_MAKER ? SIM_RESP_ACK : SIM_RESP_FULL;
    if (!text)
        return 0;
    if (strcmp(text, "ACK") == 0)
        *out = SIM_RESP_ACK;
    else if (strcmp(text, "RESULT") == 0)
        *out = SIM_RESP_RESULT;
    else if (strcmp(text, "FULL") == 0)
        *out = SIM_RESP_FULL;
    else
        return sim_fail(&call->error, 400, -1130,
                        "Data sent for parameter 'newOrderRespType' is not valid.");
    return 0;
}

static int read_place(struct sim_call *call, struct sim_place *place, enum sim_resp *resp)
{
    *place = (struct sim_place){ .quote_qty = FLT_AMT_ZERO };
    if (sim_call_market(call, &place->market) != 0 || read_words(call, place) != 0 ||
        read_id(call, "newClientOrderId", place->client_id) != 0 || read_numbers(call, place) != 0)
        return -1;
    return read_resp(call, place, resp);
}

/* --- orders
 * --------------------------------------------------------------------------------------- */

static int run_place(struct sim_call *call)
{
    struct sim_place place;
    struct sim_order *order;
    enum sim_resp resp;
    const size_t first_fill = call->sim->fill_count;

    if (read_place(call, &place, &resp) != 0 ||
        sim_limits_order(call->sim, call->account, &call->error) != 0 ||
        sim_order_place(call->sim, call->account, &place, &order, &call->error) != 0)
        return -1;
    sim_jw_placed(&call->out, order, resp, first_fill);
    return 0;
}

static int run_test(struct sim_call *call)
{
    struct sim_place place;
    enum sim_resp resp;

    if (read_place(call, &place, &resp) != 0)
        return -1;
    flt_buf_append(&call->out, "{}", 2);
    return 0;
}

/* By `id_name` or `client_name`. -1: malformed; `out` NULL: there is none. */
static int read_which(struct sim_call *call, const char *id_name, const char *client_name,
                      const struct sim_market *market, struct sim_order **out)
{
    const char *client_id = sim_param(call->params, client_name);
    int64_t order_id = 0;

    if (sim_param_int(call->params, id_name, false, &order_id, &call->error) != 0)
        return -1;
    if (order_id <= 0 && !client_id)
        return sim_fail(&call->error, 400, -1102,
                        "Param '%s' or '%s' must be sent, but both were empty/null!", client_name,
                        id_name);
    *out = sim_order_find(call->sim, call->account, market, order_id, client_id);
    return 0;
}

static int run_query(struct sim_call *call)
{
    struct sim_market *market;
    struct sim_order *order = NULL;

    if (sim_call_market(call, &market) != 0 ||
        read_which(call, "orderId", "origClientOrderId", market, &order) != 0)
        return -1;
    if (!order)
        return sim_fail(&call->error, 400, -2013, "Order does not exist.");
    sim_jw_queried(&call->out, order);
    return 0;
}

static int run_cancel(struct sim_call *call)
{
    struct sim_market *market;
    struct sim_order *order = NULL;
    char cancel_id[SIM_CLIENT_ID_MAX];

    if (sim_call_market(call, &market) != 0 || read_id(call, "newClientOrderId", cancel_id) != 0 ||
        read_which(call, "orderId", "origClientOrderId", market, &order) != 0)
        return -1;
    if (!order || !sim_order_is_open(order))
        return sim_fail(&call->error, 400, -2011, "Unknown order sent.");
    sim_order_cancel(call->sim, order, cancel_id);
    sim_jw_canceled(&call->out, order);
    return 0;
}

static int run_cancel_all(struct sim_call *call)
{
    struct sim_market *market;
    struct sim_order *order, *next;
    char cancel_id[SIM_CLIENT_ID_MAX];
    size_t count = 0;

    if (sim_call_market(call, &market) != 0)
        return -1;
    flt_jw_begin(&call->out, NULL, '[');
    for (order = call->account->open_first; order; order = next) {
        next = order->open_next;
        if (order->market != market)
            continue;
        make_id(cancel_id);
        sim_order_cancel(call->sim, order, cancel_id);
        sim_jw_canceled(&call->out, order);
        count++;
    }
    flt_jw_end(&call->out, ']');
    return count ? 0 : sim_fail(&call->error, 400, -2011, "Unknown order sent.");
}

static int run_open(struct sim_call *call)
{
    struct sim_market *market = NULL;

    if (sim_param(call->params, "symbol") && sim_call_market(call, &market) != 0)
        return -1;
    flt_jw_begin(&call->out, NULL, '[');
    for (const struct sim_order *order = call->account->open_first; order; order = order->open_next)
        if (!market || order->market == market)
            sim_jw_queried(&call->out, order);
    flt_jw_end(&call->out, ']');
    return 0;
}

/* startTime, endTime and limit of the lists; at most 24 h apart. */
struct window {
    int64_t from, to, limit;
    bool by_time;
};

static int read_window(struct sim_call *call, struct window *out)
{
    *out = (struct window){ 0, INT64_MAX, 500, false };
    if (sim_param_int(call->params, "startTime", false, &out->from, &call->error) != 0 ||
        sim_param_int(call->params, "endTime", false, &out->to, &call->error) != 0 ||
        sim_param_int(call->params, "limit", false, &out->limit, &call->error) != 0)
        return -1;
    if (out->limit < 1)
        return sim_fail(&call->error, 400, -1130, "Data sent for parameter 'limit' is not valid.");
    if (out->limit > 1000)
        out->limit = 1000;
    out->by_time = out->from > 0 || out->to != INT64_MAX;
    if (out->from > 0 && out->to == INT64_MAX)
        out->to = out->from + DAY_MS;
    if (out->from == 0 && out->by_time)
        out->from = out->to - DAY_MS;
    if (out->to - out->from > DAY_MS && out->by_time)
        return sim_fail(&call->error, 400, -1127,
                        "More than 24 hours between startTime and endTime.");
    return 0;
}

static int run_all(struct sim_call *call)
{
    struct sim_market *market;
    struct window window;
    int64_t from_id = 0;
    const struct sim *sim = call->sim;

    if (sim_call_market(call, &market) != 0 || read_window(call, &window) != 0 ||
        sim_param_int(call->params, "orderId", false, &from_id, &call->error) != 0)
        return -1;
    size_t at = from_id > 0 ? (size_t)from_id - 1 : 0;

    if (from_id <= 0 && !window.by_time) { /* the newest `limit`: find where they begin */
        int64_t seen = 0;

        for (at = sim->order_count; at > 0 && seen < window.limit; at--)
            seen += sim->orders[at - 1]->account == call->account &&
                    sim->orders[at - 1]->market == market;
    }
    flt_jw_begin(&call->out, NULL, '[');
    for (int64_t count = 0; at < sim->order_count && count < window.limit; at++) {
        const struct sim_order *order = sim->orders[at];

        if (order->account != call->account || order->market != market ||
            (window.by_time && (order->time_ms < window.from || order->time_ms > window.to)))
            continue;
        sim_jw_queried(&call->out, order);
        count++;
    }
    flt_jw_end(&call->out, ']');
    return 0;
}

static bool fill_fits(const struct sim_call *call, const struct sim_fill *fill,
                      const struct sim_market *market, int64_t order_id, int64_t from_id,
                      const struct window *window)
{
    const struct sim_order *order = call->sim->orders[fill->order_id - 1];

    return order->account == call->account && order->market == market &&
           (order_id <= 0 || order->order_id == order_id) && fill->trade_id >= from_id &&
           (!window->by_time || (fill->ts_ms >= window->from && fill->ts_ms <= window->to));
}

static int run_my_trades(struct sim_call *call)
{
    struct sim_market *market;
    struct window window;
    int64_t order_id = 0, from_id = -1;
    const struct sim *sim = call->sim;

    if (sim_call_market(call, &market) != 0 || read_window(call, &window) != 0 ||
        sim_param_int(call->params, "orderId", false, &order_id, &call->error) != 0 ||
        sim_param_int(call->params, "fromId", false, &from_id, &call->error) != 0)
        return -1;
    size_t at = 0;

    if (from_id < 0 && !window.by_time) {
        int64_t seen = 0;

        for (at = sim->fill_count; at > 0 && seen < window.limit; at--)
            seen += fill_fits(call, &sim->fills[at - 1], market, order_id, from_id, &window);
    }
    flt_jw_begin(&call->out, NULL, '[');
    for (int64_t count = 0; at < sim->fill_count && count < window.limit; at++)
        if (fill_fits(call, &sim->fills[at], market, order_id, from_id, &window)) {
            sim_jw_my_trade(&call->out, sim, &sim->fills[at]);
            count++;
        }
    flt_jw_end(&call->out, ']');
    return 0;
}

/* --- cancel and replace
 * ------------------------------------------------------------------------------ */

static void jw_half(struct flt_buf *buf, const char *key, const struct flt_buf *json,
                    const struct sim_error *error)
{
    if (json->length) {
        flt_jw_raw(buf, key, json->data);
    } else if (error->http) {
        flt_jw_begin(buf, key, '{');
        flt_jw_int(buf, "code", error->code);
        flt_jw_str(buf, "msg", error->msg);
        flt_jw_end(buf, '}');
    } else {
        flt_jw_null(buf, key);
    }
}

static void jw_replaced(struct flt_buf *buf, const char *canceled, const char *placed,
                        struct sim_call *cancel, struct sim_call *place)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "cancelResult", canceled);
    flt_jw_str(buf, "newOrderResult", placed);
    jw_half(buf, "cancelResponse", &cancel->out, &cancel->error);
    jw_half(buf, "newOrderResponse", &place->out, &place->error);
    flt_jw_end(buf, '}');
}

static int cancel_half(struct sim_call *call, const struct sim_market *market)
{
    struct sim_order *order = NULL;
    char cancel_id[SIM_CLIENT_ID_MAX];

    if (read_id(call, "cancelNewClientOrderId", cancel_id) != 0 ||
        read_which(call, "cancelOrderId", "cancelOrigClientOrderId", market, &order) != 0)
        return -1;
    if (!order || !sim_order_is_open(order))
        return sim_fail(&call->error, 400, -2011, "Unknown order sent.");
    sim_order_cancel(call->sim, order, cancel_id);
    sim_jw_canceled(&call->out, order);
    return 0;
}

/* The venue answers a half done one with 409 and a not done one with 400, both with the halves. */
static int run_replace(struct sim_call *call)
{
    const char *mode = sim_param(call->params, "cancelReplaceMode");
    struct sim_call cancel = *call, place = *call;
    struct sim_market *market;

    cancel.out = place.out = FLT_BUF_INIT;
    if (!mode)
        return sim_param_missing(&call->error, "cancelReplaceMode");
    if (strcmp(mode, "STOP_ON_FAILURE") != 0 && strcmp(mode, "ALLOW_FAILURE") != 0)
        return sim_fail(&call->error, 400, -1130,
                        "Data sent for parameter 'cancelReplaceMode' is not valid.");
    if (sim_call_market(call, &market) != 0)
        return -1;
    const bool canceled = cancel_half(&cancel, market) == 0;
    const bool tried = canceled || mode[0] == 'A';
    const bool placed = tried && run_place(&place) == 0;
    const char *words[2] = { canceled ? "SUCCESS" : "FAILURE", placed  ? "SUCCESS"
                                                               : tried ? "FAILURE"
                                                                       : "NOT_ATTEMPTED" };

    if (canceled && placed) {
        jw_replaced(&call->out, words[0], words[1], &cancel, &place);
    } else {
        const bool half = canceled || placed;

        flt_jw_begin(&call->out, NULL, '{');
        flt_jw_int(&call->out, "code", half ? -2021 : -2022);
        flt_jw_str(&call->out, "msg",
                   half ? "Order cancel-replace partially failed."
                        : "Order cancel-replace failed.");
        struct flt_buf data = FLT_BUF_INIT;

        jw_replaced(&data, words[0], words[1], &cancel, &place);
        flt_jw_raw(&call->out, "data", data.data);
        flt_jw_end(&call->out, '}');
        flt_buf_finish(&data);
        call->error.http = half ? 409 : 400; /* with code 0: the body is written */
    }
    flt_buf_finish(&cancel.out);
    flt_buf_finish(&place.out);
    return 0;
}

/* --- the account
 * -------------------------------------------------------------------------------------- */

static int run_account(struct sim_call *call)
{
    const char *omit = sim_param(call->params, "omitZeroBalances");
    const struct fee_rule *fees = &call->sim->options.fees;
    const struct flt_amt maker = flt_amt_from_dec(fees->maker),
                         taker = flt_amt_from_dec(fees->taker);
    struct flt_buf *buf = &call->out;

    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "makerCommission",
               flt_amt_units(maker, (struct flt_dec){ 1, 4 }, FLT_ROUND_DOWN));
    flt_jw_int(buf, "takerCommission",
               flt_amt_units(taker, (struct flt_dec){ 1, 4 }, FLT_ROUND_DOWN));
    flt_jw_int(buf, "buyerCommission", 0);
    flt_jw_int(buf, "sellerCommission", 0);
    flt_jw_begin(buf, "commissionRates", '{');
    sim_jw_amt(buf, "maker", maker);
    sim_jw_amt(buf, "taker", taker);
    sim_jw_amt(buf, "buyer", FLT_AMT_ZERO);
    sim_jw_amt(buf, "seller", FLT_AMT_ZERO);
    flt_jw_end(buf, '}');
    flt_jw_bool(buf, "canTrade", true);
    flt_jw_bool(buf, "canWithdraw", false);
    flt_jw_bool(buf, "canDeposit", false);
    flt_jw_bool(buf, "brokered", false);
    flt_jw_bool(buf, "requireSelfTradePrevention", false);
    flt_jw_bool(buf, "preventSor", false);
    flt_jw_int(buf, "updateTime", sim_now(call->sim));
    flt_jw_str(buf, "accountType", "SPOT");
    flt_jw_begin(buf, "balances", '[');
    for (size_t i = 0; i < funds_count(call->account->funds); i++) {
        const struct balance *balance = funds_at(call->account->funds, i);

        if (omit && strcmp(omit, "true") == 0 && flt_amt_sign(balance->free) == 0 &&
            flt_amt_sign(balance->locked) == 0)
            continue;
        flt_jw_begin(buf, NULL, '{');
        flt_jw_str(buf, "asset", balance->asset);
        sim_jw_amt(buf, "free", balance->free);
        sim_jw_amt(buf, "locked", balance->locked);
        flt_jw_end(buf, '}');
    }
    flt_jw_end(buf, ']');
    flt_jw_raw(buf, "permissions", "[\"SPOT\"]");
    flt_jw_int(buf, "uid", (int64_t)call->account->index);
    flt_jw_end(buf, '}');
    return 0;
}

static int run_restrictions(struct sim_call *call)
{
    struct flt_buf *buf = &call->out;

    flt_jw_begin(buf, NULL, '{');
    flt_jw_bool(buf, "ipRestrict", false);
    flt_jw_int(buf, "createTime", sim_now(call->sim));
    flt_jw_bool(buf, "enableReading", true);
    flt_jw_bool(buf, "enableSpotAndMarginTrading", true);
    flt_jw_bool(buf, "enableWithdrawals", call->account->can_withdraw);
    flt_jw_bool(buf, "enableInternalTransfer", false);
    flt_jw_bool(buf, "enableMargin", false);
    flt_jw_bool(buf, "enableFutures", false);
    flt_jw_bool(buf, "permitsUniversalTransfer", false);
    flt_jw_end(buf, '}');
    return 0;
}

static void jw_rates(struct flt_buf *buf, const char *key, struct flt_dec maker,
                     struct flt_dec taker)
{
    flt_jw_begin(buf, key, '{');
    sim_jw_amt(buf, "maker", flt_amt_from_dec(maker));
    sim_jw_amt(buf, "taker", flt_amt_from_dec(taker));
    sim_jw_amt(buf, "buyer", FLT_AMT_ZERO);
    sim_jw_amt(buf, "seller", FLT_AMT_ZERO);
    flt_jw_end(buf, '}');
}

static int run_commission(struct sim_call *call)
{
    struct sim_market *market;
    const struct fee_rule *fees = &call->sim->options.fees;

    if (sim_call_market(call, &market) != 0)
        return -1;
    flt_jw_begin(&call->out, NULL, '{');
    flt_jw_str(&call->out, "symbol", market->instrument.venue_symbol);
    jw_rates(&call->out, "standardCommission", fees->maker, fees->taker);
    jw_rates(&call->out, "specialCommission", FLT_DEC_ZERO, FLT_DEC_ZERO);
    jw_rates(&call->out, "taxCommission", FLT_DEC_ZERO, FLT_DEC_ZERO);
    flt_jw_raw(&call->out, "discount",
               "{\"enabledForAccount\":false,\"enabledForSymbol\":false,\"discountAsset\":\"BNB\","
               "\"discount\":\"0.75000000\"}");
    flt_jw_end(&call->out, '}');
    return 0;
}

static int run_order_limits(struct sim_call *call)
{
    flt_jw_begin(&call->out, NULL, '[');
    for (int day = 0; day < 2; day++) {
        flt_jw_begin(&call->out, NULL, '{');
        flt_jw_str(&call->out, "rateLimitType", "ORDERS");
        flt_jw_str(&call->out, "interval", day ? "DAY" : "SECOND");
        flt_jw_int(&call->out, "intervalNum", day ? 1 : 10);
        flt_jw_int(&call->out, "limit",
                   day ? call->sim->options.limit_orders_day : call->sim->options.limit_orders_10s);
        flt_jw_int(&call->out, "count",
                   day ? call->account->orders_day : call->account->orders_10s);
        flt_jw_end(&call->out, '}');
    }
    flt_jw_end(&call->out, ']');
    return 0;
}

static int run_refused_list(struct sim_call *call)
{
    return sim_fail(&call->error, 400, -1013, "This order type is not enabled for this symbol.");
}

/* exchangeInfo says amendAllowed false for every symbol. */
static int run_refused_amend(struct sim_call *call)
{
    return sim_fail(&call->error, 400, -2038, "Order amend is not supported for this symbol.");
}

static int weigh_open(const struct sim_params *params)
{
    return sim_param(params, "symbol") ? 6 : 80;
}

static int weigh_my_trades(const struct sim_params *params)
{
    return sim_param(params, "orderId") ? 5 : 20;
}

const struct sim_route sim_private_routes[] = {
    { "POST", "/api/v3/order", "order.place", run_place, true, true, 1, 1, NULL },
    { "GET", "/api/v3/order", "order.status", run_query, true, false, 4, 0, NULL },
    { "DELETE", "/api/v3/order", "order.cancel", run_cancel, true, false, 1, 1, NULL },
    { "POST", "/api/v3/order/test", "order.test", run_test, true, false, 1, 0, NULL },
    { "POST", "/api/v3/order/cancelReplace", "order.cancelReplace", run_replace, true, true, 1, 1,
      NULL },
    { "GET", "/api/v3/openOrders", "openOrders.status", run_open, true, false, 80, 0, weigh_open },
    { "DELETE", "/api/v3/openOrders", "openOrders.cancelAll", run_cancel_all, true, false, 1, 1,
      NULL },
    { "GET", "/api/v3/allOrders", "allOrders", run_all, true, false, 20, 0, NULL },
    { "GET", "/api/v3/myTrades", "myTrades", run_my_trades, true, false, 20, 0, weigh_my_trades },
    { "GET", "/api/v3/account", "account.status", run_account, true, false, 20, 0, NULL },
    { "GET", "/api/v3/account/commission", "account.commission", run_commission, true, false, 20, 0,
      NULL },
    { "GET", "/sapi/v1/account/apiRestrictions", NULL, run_restrictions, true, false, 1, 0, NULL },
    { "GET", "/api/v3/rateLimit/order", "account.rateLimits.orders", run_order_limits, true, false,
      40, 0, NULL },
    { "POST", "/api/v3/orderList/oco", "orderList.place.oco", run_refused_list, true, false, 1, 0,
      NULL },
    { "POST", "/api/v3/orderList/oto", "orderList.place.oto", run_refused_list, true, false, 1, 0,
      NULL },
    { "POST", "/api/v3/orderList/otoco", "orderList.place.otoco", run_refused_list, true, false, 1,
      0, NULL },
    { "PUT", "/api/v3/order/amend/keepPriority", "order.amend.keepPriority", run_refused_amend,
      true, false, 4, 0, NULL },
    { "POST", "/api/v3/order/oco", NULL, run_refused_list, true, false, 1, 0, NULL },
};
const size_t sim_private_route_count = FLT_COUNT(sim_private_routes);
