/* Requests of Binance spot: one row an operation. */
#define FLT_MOD "binance"
#include "exchanges/binance/binance.h"
#include <errno.h>
#include <string.h>

enum {
    P_SYMBOL = 1,       /* required */
    P_SYMBOL_IF = 2,    /* when given */
    P_SYMBOLS = 4,      /* one or a list, when given */
    P_ORDER = 8,        /* orderId or origClientOrderId, required */
    P_ORDER_ID_IF = 16, /* orderId when given */
    P_LIMIT = 32,
    P_SINCE = 64,
    P_HOUR = 128, /* a start needs an end within the hour */
    P_INTERVAL = 256,
    P_FROM_ID = 512,
    P_NEW_ORDER = 1024,
    P_REPLACE = 2048,
};

struct request_row {
    const char *method, *path;
    unsigned params;
    uint16_t weight;
    uint16_t limit_max, limit_default; /* default 0: leave it to the venue */
};

/* Weights of https://developers.binance.com/docs/binance-spot-api-docs/rest-api; order requests are
 * charged 1 and refunded on success (since 2026-04-02). */
static const struct request_row rows[OP_COUNT] = {
    [OP_SERVER_TIME] = { "GET", "/api/v3/time", 0, 1, 0, 0 },
    [OP_INSTRUMENTS] = { "GET", "/api/v3/exchangeInfo", P_SYMBOLS, 20, 0, 0 },
    [OP_TICKER] = { "GET", "/api/v3/ticker/24hr", P_SYMBOL, 2, 0, 0 },
    [OP_TICKERS] = { "GET", "/api/v3/ticker/24hr", P_SYMBOLS, 80, 0, 0 },
    [OP_LAST_PRICES] = { "GET", "/api/v3/ticker/price", P_SYMBOL_IF, 4, 0, 0 },
    [OP_BOOK_TICKER] = { "GET", "/api/v3/ticker/bookTicker", P_SYMBOLS, 4, 0, 0 },
    [OP_KLINES] = { "GET", "/api/v3/klines", P_SYMBOL | P_INTERVAL | P_SINCE | P_LIMIT, 2, 1000,
                    500 },
    [OP_DEPTH] = { "GET", "/api/v3/depth", P_SYMBOL | P_LIMIT, 5, 5000, 0 },
    [OP_PUBLIC_TRADES] = { "GET", "/api/v3/aggTrades",
                           P_SYMBOL | P_FROM_ID | P_SINCE | P_HOUR | P_LIMIT, 4, 1000, 0 },
    [OP_BALANCES] = { "GET", "/api/v3/account", 0, 20, 0, 0 },
    [OP_PLACE_ORDER] = { "POST", "/api/v3/order", P_SYMBOL | P_NEW_ORDER, 1, 0, 0 },
    [OP_AMEND_ORDER] = { "POST", "/api/v3/order/cancelReplace", P_SYMBOL | P_NEW_ORDER | P_REPLACE,
                         1, 0, 0 },
    [OP_CANCEL] = { "DELETE", "/api/v3/order", P_SYMBOL | P_ORDER, 1, 0, 0 },
    [OP_CANCEL_ALL] = { "DELETE", "/api/v3/openOrders", P_SYMBOL, 1, 0, 0 },
    [OP_QUERY_ORDER] = { "GET", "/api/v3/order", P_SYMBOL | P_ORDER, 4, 0, 0 },
    [OP_OPEN_ORDERS] = { "GET", "/api/v3/openOrders", P_SYMBOL_IF, 80, 0, 0 },
    /* No limit: the venue's would count orders that are open, too. */
    [OP_CLOSED_ORDERS] = { "GET", "/api/v3/allOrders", P_SYMBOL | P_ORDER_ID_IF | P_SINCE, 20, 0,
                           0 },
    [OP_ALL_ORDERS] = { "GET", "/api/v3/allOrders", P_SYMBOL | P_ORDER_ID_IF | P_SINCE | P_LIMIT,
                        20, 1000, 0 },
    [OP_MY_TRADES] = { "GET", "/api/v3/myTrades",
                       P_SYMBOL | P_ORDER_ID_IF | P_FROM_ID | P_SINCE | P_LIMIT, 20, 1000, 0 },
    /* /sapi does not exist on the testnet; there the rates come with the balances' reply. */
    [OP_TRADING_FEE] = { "GET", "/sapi/v1/asset/tradeFee", P_SYMBOL_IF, 1, 0, 0 },
    [OP_KEY_RIGHTS] = { "GET", "/sapi/v1/account/apiRestrictions", 0, 1, 0, 0 },
};

bool binance_supports(enum op op)
{
    return rows[op].method != NULL;
}

static uint32_t depth_weight(int limit)
{
    return limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1000 ? 50 : 250;
}

static uint32_t weight(enum op op, const struct op_args *args)
{
    const bool one = args->instrument || args->instrument_count == 1;

    if (op == OP_DEPTH)
        return depth_weight(args->limit);
    if ((op == OP_BOOK_TICKER || op == OP_LAST_PRICES) && one)
        return 2;
    if (op == OP_TICKERS && args->instrument_count > 0)
        return args->rolling                   ? 4 * (uint32_t)args->instrument_count
               : args->instrument_count <= 20  ? 2
               : args->instrument_count <= 100 ? 40
                                               : 80;
    if (op == OP_OPEN_ORDERS && one)
        return 6;
    if (op == OP_MY_TRADES && args->order_id)
        return 5;
    return rows[op].weight;
}

void binance_cost(enum op op, const struct op_args *args, struct op_cost *out)
{
    *out = (struct op_cost){ 0 };
    out->units[BINANCE_WEIGHT] = weight(op, args);
    if (rows[op].params & P_NEW_ORDER)
        out->units[BINANCE_ORDERS_10S] = out->units[BINANCE_ORDERS_DAY] = 1;
}

static int refuse(struct flt_error *error, const char *field, const char *why)
{
    return flt_error_set(error, FLT_INVALID_ARGUMENT, field, "", "%s", why);
}

struct params {
    struct flt_buf *buf;
    size_t start;
    struct flt_error *error;
};

static int put_symbol(const struct params *to, unsigned rules, const struct op_args *args)
{
    if (args->instrument)
        wire_param(to->buf, to->start, "symbol", args->instrument->venue_symbol);
    else if (rules & P_SYMBOL)
        return refuse(to->error, "instrument", "instrument is missing");
    return 0;
}

/* symbols=["BTCUSDT","LTCUSDT"], percent-encoded. */
static int put_symbols(const struct params *to, const struct op_args *args)
{
    if (args->instrument_count == 0)
        return put_symbol(to, 0, args);
    struct flt_buf text = FLT_BUF_INIT;

    flt_jw_begin(&text, NULL, '[');
    for (size_t i = 0; i < args->instrument_count; i++)
        flt_jw_str(&text, NULL, args->instruments[i]->venue_symbol);
    flt_jw_end(&text, ']');
    if (!text.failed)
        wire_param(to->buf, to->start, "symbols", text.data);
    const int err = text.failed ? -ENOMEM : 0;

    flt_buf_finish(&text);
    return err;
}

static int put_order(const struct params *to, const struct op_args *args, bool replace)
{
    if (args->order_id)
        wire_param(to->buf, to->start, replace ? "cancelOrderId" : "orderId", args->order_id);
    else if (args->client_order_id)
        wire_param(to->buf, to->start, replace ? "cancelOrigClientOrderId" : "origClientOrderId",
                   args->client_order_id);
    else
        return refuse(to->error, "order_id", "order_id or client_order_id is needed");
    return 0;
}

static const char *const intervals[] = { "1s", "1m", "3m", "5m",  "15m", "30m", "1h", "2h",
                                         "4h", "6h", "8h", "12h", "1d",  "3d",  "1w", "1M" };

static int put_interval(const struct params *to, const char *interval)
{
    if (!interval)
        interval = "1m";
    for (size_t i = 0; i < FLT_COUNT(intervals); i++) {
        if (strcmp(intervals[i], interval) == 0) {
            wire_param(to->buf, to->start, "interval", interval);
            return 0;
        }
    }
    return refuse(to->error, "interval", "this venue has no candles of that interval");
}

static void put_window(const struct params *to, unsigned rules, const struct op_args *args)
{
    int64_t until_ms = args->until_ms;

    if (args->from_trade_id && (rules & P_FROM_ID)) {
        wire_param(to->buf, to->start, "fromId", args->from_trade_id);
        return; /* the venue takes either an id or a time */
    }
    if (args->since_ms > 0)
        wire_param_int(to->buf, to->start, "startTime", args->since_ms);
    if (args->since_ms > 0 && until_ms == 0 && (rules & P_HOUR))
        until_ms = args->since_ms + 3600000;
    if (until_ms > 0)
        wire_param_int(to->buf, to->start, "endTime", until_ms);
}

static void put_limit(const struct params *to, const struct request_row *row,
                      const struct op_args *args)
{
    int limit = args->limit > 0 ? args->limit : row->limit_default;

    if (limit > row->limit_max)
        limit = row->limit_max;
    if (limit > 0)
        wire_param_int(to->buf, to->start, "limit", limit);
}

static bool is_client_id(const char *text)
{
    const size_t size = strlen(text);

    return size >= 1 && size <= 36 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == size;
}

static int put_client_id(const struct params *to, const char *id, const char *field)
{
    if (!id)
        return 0;
    if (!is_client_id(id))
        return refuse(to->error, field, "a client order id has 1 to 36 of A-Z a-z 0-9 - _ here");
    wire_param(to->buf, to->start, "newClientOrderId", id);
    return 0;
}

static int put_self_trade(const struct params *to, const char *mode)
{
    static const char *const words[][2] = {
        { "none", "NONE" },
        { "expire_maker", "EXPIRE_MAKER" },
        { "expire_taker", "EXPIRE_TAKER" },
        { "expire_both", "EXPIRE_BOTH" },
        { "decrement", "DECREMENT" },
        { "transfer", "TRANSFER" },
    };

    if (!mode)
        return 0;
    for (size_t i = 0; i < FLT_COUNT(words); i++) {
        if (strcmp(words[i][0], mode) == 0) {
            wire_param(to->buf, to->start, "selfTradePreventionMode", words[i][1]);
            return 0;
        }
    }
    return refuse(to->error, "self_trade_prevention", "not a mode of this venue");
}

static int put_amount(const struct params *to, const struct op_args *args)
{
    const struct instrument *instrument = args->instrument;

    if (args->type == ORDER_LIMIT || flt_dec_is_zero(args->quote_qty)) {
        wire_param_dec(to->buf, to->start, "quantity", args->qty);
        return 0;
    }
    /* The venue takes quote amounts to the price's decimals; never spend more than was said. */
    const int64_t ticks = flt_dec_units(args->quote_qty, instrument->tick, FLT_ROUND_DOWN);

    if (ticks <= 0)
        return refuse(to->error, "quote_qty", "quote_qty must be at least one tick");
    wire_param_dec(to->buf, to->start, "quoteOrderQty", flt_dec_times(instrument->tick, ticks));
    return 0;
}

static int check_flags(const struct params *to, const struct op_args *args)
{
    if (args->reduce_only)
        return refuse(to->error, "reduce_only", "reduce_only does not exist on a spot venue");
    if (args->post_only && (args->type != ORDER_LIMIT || args->tif != TIF_GTC))
        return refuse(to->error, "post_only", "post_only needs a limit order that stays (tif gtc)");
    return 0;
}

static const char *const wire_tif[] = { [TIF_GTC] = "GTC", [TIF_IOC] = "IOC", [TIF_FOK] = "FOK" };

static int put_new_order(const struct params *to, const struct op_args *args, bool replace)
{
    int err = check_flags(to, args);

    if (err == 0)
        err = op_check_order(args, to->error);
    if (err != 0)
        return err;
    wire_param(to->buf, to->start, "side", args->side == SIDE_BUY ? "BUY" : "SELL");
    wire_param(to->buf, to->start, "type",
               args->type == ORDER_MARKET ? "MARKET"
               : args->post_only          ? "LIMIT_MAKER"
                                          : "LIMIT");
    err = put_amount(to, args);
    if (err != 0)
        return err;
    if (args->type == ORDER_LIMIT) {
        wire_param_dec(to->buf, to->start, "price", args->price);
        if (!args->post_only)
            wire_param(to->buf, to->start, "timeInForce", wire_tif[args->tif]);
    }
    if (!flt_dec_is_zero(args->iceberg_qty))
        wire_param_dec(to->buf, to->start, "icebergQty", args->iceberg_qty);
    err = put_self_trade(to, args->self_trade);
    if (err == 0)
        err = replace ? put_client_id(to, args->new_client_order_id, "new_client_order_id")
                      : put_client_id(to, args->client_order_id, "client_order_id");
    /* FULL: the reply brings the fills, so that a lost stream event costs no second request. */
    wire_param(to->buf, to->start, "newOrderRespType", "FULL");
    return err;
}

static int put_params(const struct params *to, const struct request_row *row,
                      const struct op_args *args)
{
    const unsigned rules = row->params;
    int err = 0;

    if (rules & (P_SYMBOL | P_SYMBOL_IF))
        err = put_symbol(to, rules, args);
    if (err == 0 && (rules & P_SYMBOLS))
        err = put_symbols(to, args);
    if (err == 0 && (rules & P_REPLACE)) {
        wire_param(to->buf, to->start, "cancelReplaceMode", "STOP_ON_FAILURE");
        err = put_order(to, args, true);
    }
    if (err == 0 && (rules & P_ORDER))
        err = put_order(to, args, false);
    if (err == 0 && (rules & P_ORDER_ID_IF) && args->order_id)
        wire_param(to->buf, to->start, "orderId", args->order_id);
    if (err == 0 && (rules & P_INTERVAL))
        err = put_interval(to, args->interval);
    if (err == 0 && (rules & P_SINCE))
        put_window(to, rules, args);
    if (err == 0 && (rules & P_LIMIT))
        put_limit(to, row, args);
    if (err == 0 && (rules & P_NEW_ORDER))
        err = put_new_order(to, args, (rules & P_REPLACE) != 0);
    return err;
}

/* What is signed is what is sent: the percent-encoded parameters without the signature. */
static int sign(const struct params *to, const struct codec_env *env, struct wire *out)
{
    char signature[SIGNATURE_SIZE];

    if (!env->signer)
        return refuse(to->error, "key", "this operation needs an account's key");
    int err = wire_header(out, "X-MBX-APIKEY", signer_key(env->signer));

    if (err != 0)
        return refuse(to->error, "key", "the key cannot be sent in a header");
    wire_param_int(to->buf, to->start, "recvWindow",
                   env->receive_window_ms > 0 ? env->receive_window_ms : 2000);
    wire_param_int(to->buf, to->start, "timestamp", env->now_ms);
    if (to->buf->failed)
        return -ENOMEM;
    err = signer_sign(env->signer, to->buf->data + to->start, to->buf->length - to->start,
                      SIGNATURE_HEX, signature);
    if (err != 0)
        return refuse(to->error, "key", "signing failed; is the private key an Ed25519 PEM?");
    wire_param(to->buf, to->start, "signature", signature);
    return 0;
}

int binance_build(const struct codec_env *env, enum op op, const struct op_args *args,
                  struct wire *out, struct flt_error *error)
{
    const struct request_row *row = &rows[op];

    if (!binance_supports(op))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "op", "",
                             "%s does not exist on Binance spot", op_name(op));
    const char *path = op == OP_TICKERS && args->rolling ? "/api/v3/ticker" : row->path;
    const bool form = strcmp(row->method, "POST") == 0;

    wire_reset(out, row->method);
    flt_buf_append(&out->url, env->rest_url, strlen(env->rest_url));
    flt_buf_append(&out->url, path, strlen(path));
    const size_t bare = out->url.length;

    if (!form)
        flt_buf_append(&out->url, "?", 1);
    const struct params to = { form ? &out->body : &out->url, form ? 0 : bare + 1, error };
    int err = put_params(&to, row, args);

    if (err == 0 && op_is_private(op))
        err = sign(&to, env, out);
    if (err == 0 && form)
        err = wire_header(out, "Content-Type", "application/x-www-form-urlencoded");
    if (err == 0 && (out->url.failed || out->body.failed))
        err = -ENOMEM;
    if (err == 0 && !form && out->url.length == bare + 1)
        out->url.data[--out->url.length] = '\0'; /* no parameters: no question mark */
    return err;
}
