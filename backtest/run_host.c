/* The engine's host in a backtest: orders go into the simulated book, fills and ends come back. */
#define FLT_MOD "run"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/run_impl.h"
#include "strategies/params.h"

#define KEYS_MIN 64

int run_reserve(void *array, size_t count, size_t *cap, size_t size)
{
    void *old;

    if (count < *cap)
        return 0;
    memcpy(&old, array, sizeof old);
    const size_t next = *cap ? *cap * 2 : 64;
    void *more = realloc(old, next * size);
    if (!more)
        return -ENOMEM;
    memcpy(array, &more, sizeof more);
    *cap = next;
    return 0;
}

/* --- tags
 * ------------------------------------------------------------------------------------------- */

/* The strategy's word for the key, without the side: "cell 17 buy" and "cell 17 sell" are one. */
static void tag_text(const char *name, char out[48])
{
    static const char *const sides[] = { " buy", " sell" };
    size_t size = strlen(name);

    for (size_t i = 0; i < FLT_COUNT(sides); i++) {
        const size_t tail = strlen(sides[i]);

        if (size > tail && !strcmp(name + size - tail, sides[i])) {
            size -= tail;
            break;
        }
    }
    (void)snprintf(out, 48, "%.*s", (int)size, name);
}

static int add_tag(struct run_result *result, const char *name, uint32_t *out)
{
    char text[48];

    tag_text(name, text);
    for (size_t i = 0; i < result->tag_count; i++)
        if (!strcmp(result->tags[i], text)) {
            *out = (uint32_t)i;
            return 0;
        }
    const int err =
        run_reserve(&result->tags, result->tag_count, &result->tag_cap, sizeof *result->tags);
    if (err)
        return err;
    *out = (uint32_t)result->tag_count;
    memcpy(result->tags[result->tag_count++], text, sizeof text);
    return 0;
}

static struct key_tag *key_place(struct key_tag *keys, size_t cap, uint32_t key)
{
    size_t at = (key * UINT32_C(2654435761)) & (cap - 1);

    while (keys[at].tag != 0 && keys[at].key != key)
        at = (at + 1) & (cap - 1);
    return &keys[at];
}

static int grow_keys(struct run *run)
{
    const size_t cap = run->key_cap ? run->key_cap * 2 : KEYS_MIN;
    struct key_tag *keys = calloc(cap, sizeof *keys);

    if (!keys)
        return -ENOMEM;
    for (size_t i = 0; i < run->key_cap; i++)
        if (run->keys[i].tag != 0)
            *key_place(keys, cap, run->keys[i].key) = run->keys[i];
    free(run->keys);
    run->keys = keys;
    run->key_cap = cap;
    return 0;
}

static int tag_of(struct run *run, uint32_t key, uint32_t *out)
{
    int err = run->key_count * 2 >= run->key_cap ? grow_keys(run) : 0;

    if (err)
        return err;
    struct key_tag *place = key_place(run->keys, run->key_cap, key);
    if (place->tag == 0) {
        uint32_t tag = 0;
        char name[48];

        err = add_tag(run->result, bot_key_name(run->bot, key, name, sizeof name), &tag);
        if (err)
            return err;
        *place = (struct key_tag){ key, tag + 1 };
        run->key_count++;
    }
    *out = place->tag - 1;
    return 0;
}

/* --- the engine's port
 * ------------------------------------------------------------------------------- */

static int intend(void *ctx, struct bot *bot, struct order_intent *intent)
{
    struct run *run = ctx;

    (void)bot;
    intent->id.sequence = ++run->sequence;
    run->key = intent->id.key;
    return 0;
}

static int log_order(struct run *run, const struct book_order *order)
{
    struct run_result *result = run->result;
    uint32_t tag = 0;
    int err = run_reserve(&result->log, result->log_count, &result->log_cap, sizeof *result->log);

    if (!err)
        err = tag_of(run, run->key, &tag);
    if (err)
        return err;
    result->cut_orders += order->qty_lots >= LOTS_MAX;
    result->log[result->log_count++] = (struct run_order){
        .bar = run->bar,
        .ts_ms = run->clock.wall_now_ms,
        .tag = tag,
        .side = order->side,
        .type = order->type,
        .status = ORDER_STATUS_OPEN,
        .price_ticks = order->type == ORDER_LIMIT ? order->price_ticks : 0,
        .qty_lots = order->qty_lots,
    };
    return 0;
}

/* With the tape an order reaches the venue at a time; with bars and no latency, with the next. */
static int64_t arrival(const struct run *run)
{
    const int64_t latency = run->config->costs.latency_ms;

    return latency > 0 || run->config->fill->tape ? run->clock.wall_now_ms + latency : 0;
}

static int place(void *ctx, struct bot *bot, const struct order_request *request)
{
    struct run *run = ctx;
    struct book_order order = {
        .side = request->side,
        .type = request->type,
        .tif = request->type == ORDER_MARKET ? TIF_IOC : request->tif,
        .price_ticks = price_to_ticks(request->instrument, request->price, FLT_ROUND_HALF_EVEN),
        .qty_lots = qty_to_lots(request->instrument, request->qty, FLT_ROUND_DOWN),
        .post_only = request->post_only,
        .bar = run->bar,
        .active_ms = arrival(run),
        .number = run->result->log_count,
    };

    (void)bot;
    memcpy(order.client_order_id, request->client_order_id, sizeof order.client_order_id);
    int err = log_order(run, &order);
    if (!err)
        err = book_add(&run->book, &order);

    if (err)
        run->err = err;
    return err ? err : BOT_PLACE_RESTS;
}

static int cancel_now(struct run *run, struct book_order *order)
{
    struct run_order *log = &run->result->log[order->number];

    if (run_reserve(&run->cancelled, run->cancelled_count, &run->cancelled_cap,
                    sizeof *run->cancelled))
        return -ENOMEM;
    memcpy(run->cancelled[run->cancelled_count++], order->client_order_id, FLT_COID_MAX);
    log->status = ORDER_STATUS_CANCELLED;
    log->end_bar = run->bar;
    book_remove(&run->book, order);
    return 0;
}

static int cancel(void *ctx, struct bot *bot, const struct instrument *instrument,
                  const char *client_order_id)
{
    struct run *run = ctx;
    struct book_order *order = book_find(&run->book, client_order_id);

    (void)bot;
    (void)instrument;
    if (!order)
        return -ENOENT;
    if (run->config->costs.latency_ms <= 0)
        return cancel_now(run, order);
    if (order->cancel_ms == 0)
        order->cancel_ms = run->clock.wall_now_ms + run->config->costs.latency_ms;
    run->book.stale = true;
    return 0;
}

/* No answer: each order's state is told when it changes, a cancel on its way included. */
static int query_order(void *ctx, struct bot *bot, const struct instrument *instrument,
                       const char *client_order_id)
{
    (void)ctx;
    (void)bot;
    (void)instrument;
    (void)client_order_id;
    return -ENOENT;
}

static int fetch_fills(void *ctx, struct bot *bot, const struct instrument *instrument,
                       const char *order_id, const char *client_order_id)
{
    (void)order_id;
    return query_order(ctx, bot, instrument, client_order_id);
}

static int open_orders(void *ctx, struct bot *bot, unsigned leg)
{
    (void)ctx;
    (void)bot;
    (void)leg;
    return 0; /* run_open() answers */
}

static int keep_fill(struct run *run, const struct bot_record *record)
{
    struct run_result *result = run->result;
    const struct ledger *ledger = bot_ledger(run->bot, 0);
    const struct fill *fill = record->fill;
    uint32_t tag = 0;
    int err =
        run_reserve(&result->fills, result->fill_count, &result->fill_cap, sizeof *result->fills);

    if (!err)
        err = tag_of(run, record->order->key, &tag);
    if (err)
        return err;
    result->fills[result->fill_count++] = (struct run_fill){
        .bar = run->bar,
        .side = fill->side,
        .tag = tag,
        .taker = fill->liquidity == LIQUIDITY_TAKER,
        .ts_ms = fill->ts_ms,
        .price_ticks = price_to_ticks(&result->instrument, fill->price, FLT_ROUND_HALF_EVEN),
        .qty_lots = qty_to_lots(&result->instrument, fill->qty, FLT_ROUND_DOWN),
        .position_lots = bot_position_lots(run->bot, 0),
        .fee = fill->fee,
        .cash = flt_amt_add(run->config->cash, ledger->cash),
    };
    return 0;
}

static int record(void *ctx, struct bot *bot, const struct bot_record *record)
{
    struct run *run = ctx;
    int err = 0;

    (void)bot;
    if (record->kind == BOT_RECORD_FILL)
        err = keep_fill(run, record);
    else if (record->kind == BOT_RECORD_RISK || record->kind == BOT_RECORD_ALARM)
        (void)snprintf(run->result->trouble, sizeof run->result->trouble, "%s: %s", record->code,
                       record->message);
    if (err)
        run->err = err;
    return err;
}

/* --- what the bot is told
 * ----------------------------------------------------------------------------------------- */

void run_set_clock(struct run *run, int64_t ts_ms)
{
    const int64_t ms = ts_ms - run->clock.wall_now_ms;

    if (ms > 0)
        flt_sim_clock_advance(&run->clock, ms);
}

static void tell_end(struct run *run, const char *client_order_id, int64_t filled_lots,
                     enum order_status status)
{
    struct order order = { .status = status,
                           .ts_ms = run->clock.wall_now_ms,
                           .filled_qty = lots_to_qty(&run->result->instrument, filled_lots) };

    memcpy(order.client_order_id, client_order_id, sizeof order.client_order_id);
    memcpy(order.instrument, run->result->instrument.name, sizeof order.instrument);
    bot_on_order(run->bot, &order);
}

/* What was cancelled is answered after the call; the answers may cancel more. */
void run_answer(struct run *run)
{
    char id[FLT_COID_MAX];

    while (run->cancelled_count > 0 && !run->err) {
        memcpy(id, run->cancelled[0], sizeof id);
        run->cancelled_count--;
        memmove(run->cancelled, run->cancelled + 1, run->cancelled_count * sizeof *run->cancelled);
        tell_end(run, id, 0, ORDER_STATUS_CANCELLED);
    }
}

void run_end(struct run *run, size_t i, enum order_status status)
{
    const struct book_order order = run->book.orders[i];
    struct run_order *log = &run->result->log[order.number];

    log->status = status;
    log->end_bar = run->bar;
    book_remove(&run->book, &run->book.orders[i]);
    tell_end(run, order.client_order_id, order.filled_lots, status);
    run_answer(run);
}

/* Digits, lowest first: nobody reads a trade's id here, but each has its own. */
static void number_text(int64_t number, char *out)
{
    do
        *out++ = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    *out = '\0';
}

static struct flt_dec fee_rate(const struct run_config *config, enum liquidity liquidity)
{
    if (!config->costs.own_fees)
        return config->fee;
    return liquidity == LIQUIDITY_MAKER ? config->costs.fee_maker : config->costs.fee_taker;
}

static void count_fill(struct run *run, size_t i, int64_t lots)
{
    struct book_order *order = &run->book.orders[i];
    struct run_order *log = &run->result->log[order->number];

    order->filled_lots += lots;
    log->filled_lots = order->filled_lots;
    if (book_rest(order) > 0) {
        log->status = ORDER_STATUS_PARTLY_FILLED;
        return;
    }
    log->status = ORDER_STATUS_FILLED;
    log->end_bar = run->bar;
    book_remove(&run->book, order);
}

void run_fill(struct run *run, size_t i, int64_t lots, int64_t price_ticks,
              enum liquidity liquidity, int64_t ts_ms)
{
    const struct instrument *instrument = &run->result->instrument;
    const struct book_order *order = &run->book.orders[i];
    struct fill fill = {
        .side = order->side,
        .price = ticks_to_price(instrument, price_ticks),
        .qty = lots_to_qty(instrument, lots),
        .liquidity = liquidity,
        .ts_ms = ts_ms,
    };
    const struct flt_amt value = flt_amt_product(fill.price, fill.qty, FLT_ROUND_HALF_EVEN);

    fill.fee = flt_amt_mul(value, fee_rate(run->config, liquidity), FLT_ROUND_HALF_EVEN);
    memcpy(fill.instrument, instrument->name, sizeof fill.instrument);
    memcpy(fill.fee_asset, instrument->quote, sizeof fill.fee_asset);
    memcpy(fill.client_order_id, order->client_order_id, sizeof fill.client_order_id);
    number_text(++run->trades, fill.trade_id);
    count_fill(run, i, lots);
    bot_on_fill(run->bot, &fill);
    run_answer(run);
}

/* --- the bot
 * --------------------------------------------------------------------------------------- */

/* A copy of `given` (NULL: none) to which defaults of a backtest can be added. */
static struct json_object *copy_of(struct json_object *given)
{
    struct json_object *copy = NULL;

    if (!given)
        return json_object_new_object();
    return json_object_deep_copy(given, &copy, NULL) ? NULL : copy;
}

static void set_default(struct json_object *object, const char *key, const char *value)
{
    if (!json_object_object_get_ex(object, key, NULL))
        json_object_object_add(object, key, json_object_new_string(value));
}

/* Rules that guard live trading are off unless they are asked for. */
static struct json_object *risk_of(const struct run_config *config)
{
    struct json_object *risk = copy_of(config->risk);

    if (risk) {
        set_default(risk, "max_orders_per_minute", "0");
        set_default(risk, "stale_ms", "0");
    }
    return risk;
}

static struct json_object *params_of(const struct run_config *config)
{
    struct json_object *params = copy_of(config->params);
    const struct flt_amt budget = flt_amt_sign(config->budget) > 0 ? config->budget : config->cash;
    char text[FLT_AMT_TEXT_MAX];

    if (params && params_find(config->strategy->params, "budget"))
        set_default(params, "budget", flt_amt_format(budget, text));
    return params;
}

int run_make_bot(struct run *run, struct flt_error *error)
{
    const struct run_config *config = run->config;
    const struct instrument *instruments[] = { &run->result->instrument };
    const struct engine_port port = { run,         intend, place, cancel, query_order, fetch_fills,
                                      open_orders, record, NULL,  true,   NULL };
    struct json_object *params = params_of(config), *risk = risk_of(config);
    const struct bot_config bot = {
        .fleet = "backtest",
        .name = "backtest",
        .epoch = 1,
        .mode = BOT_MODE_BACKTEST,
        .strategy = config->strategy,
        .params = params,
        .risk = risk,
        .instruments = instruments,
        .leg_count = 1,
        .clock = &run->clock.base,
        .bar_ms = run->bars.step_ms ? run->bars.step_ms : config->data->bar_ms,
    };
    int err = params && risk ? bot_create(&bot, &port, error, &run->bot) : -ENOMEM;

    json_object_put(params);
    json_object_put(risk);
    if (err)
        return err;
    return run->bars.step_ms ? bot_use_columns(run->bot, 0, &run->bars.columns, run->bars.count,
                                               run->bars.step_ms)
                             : bot_use_columns(run->bot, 0, run->columns, config->data->count,
                                               config->data->bar_ms);
}
