#define FLT_MOD "run"
#include "backtest/run.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/clock.h"
#include "strategies/params.h"

#define SPAN_FIRST 64 /* bars scanned at a time, doubling while nothing is found */
#define SPAN_MAX 8192
#define KEYS_MIN 64

struct run {
    const struct run_config *config;
    const struct indicator_columns *columns;
    struct run_result *result;
    struct flt_sim_clock clock;
    struct book book;
    struct bot *bot;
    size_t bar;
    uint32_t sequence;
    int64_t trades;
    char (*cancelled)[FLT_COID_MAX]; /* to be answered */
    size_t cancelled_count, cancelled_cap;
    struct key_tag { /* open addressing; tag 0: free, else the tag + 1 */
        uint32_t key, tag;
    } * keys;
    size_t key_count, key_cap;
    int err; /* of a callback */
};

/* Room for one more element; the array is found through `array`. */
static int reserve(void *array, size_t count, size_t *cap, size_t size)
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
        reserve(&result->tags, result->tag_count, &result->tag_cap, sizeof *result->tags);
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

/* --- the engine's host
 * ------------------------------------------------------------------------------- */

static int intend(void *ctx, struct bot *bot, struct order_intent *intent)
{
    struct run *run = ctx;

    (void)bot;
    intent->id.sequence = ++run->sequence;
    return 0;
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
        .bar = run->bar,
    };

    (void)bot;
    memcpy(order.client_order_id, request->client_order_id, sizeof order.client_order_id);
    const int err = book_add(&run->book, &order);

    if (err)
        run->err = err;
    return err ? err : BOT_PLACE_RESTS;
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
    if (reserve(&run->cancelled, run->cancelled_count, &run->cancelled_cap, sizeof *run->cancelled))
        return -ENOMEM;
    memcpy(run->cancelled[run->cancelled_count++], client_order_id, FLT_COID_MAX);
    book_remove(&run->book, order);
    return 0;
}

/* Never asked: each order's state is known at once. */
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
    return 0; /* start() answers */
}

static int keep_fill(struct run *run, const struct bot_record *record)
{
    struct run_result *result = run->result;
    const struct ledger *ledger = bot_ledger(run->bot, 0);
    const struct fill *fill = record->fill;
    uint32_t tag = 0;
    int err = reserve(&result->fills, result->fill_count, &result->fill_cap, sizeof *result->fills);

    if (!err)
        err = tag_of(run, record->order->key, &tag);
    if (err)
        return err;
    result->fills[result->fill_count++] = (struct run_fill){
        .bar = run->bar,
        .side = fill->side,
        .tag = tag,
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

/* --- one bar
 * ----------------------------------------------------------------------------------------- */

static void set_clock(struct run *run, int64_t ts_ms)
{
    const int64_t ms = ts_ms - run->clock.wall_now_ms;

    if (ms > 0)
        flt_sim_clock_advance(&run->clock, ms);
}

static void tell_end(struct run *run, const char *client_order_id, enum order_status status)
{
    struct order order = { .status = status, .ts_ms = run->clock.wall_now_ms };

    memcpy(order.client_order_id, client_order_id, sizeof order.client_order_id);
    memcpy(order.instrument, run->result->instrument.name, sizeof order.instrument);
    bot_on_order(run->bot, &order);
}

/* What was cancelled is answered after the call; the answers may cancel more. */
static void answer(struct run *run)
{
    char id[FLT_COID_MAX];

    while (run->cancelled_count > 0 && !run->err) {
        memcpy(id, run->cancelled[0], sizeof id);
        run->cancelled_count--;
        memmove(run->cancelled, run->cancelled + 1, run->cancelled_count * sizeof *run->cancelled);
        tell_end(run, id, ORDER_STATUS_CANCELLED);
    }
}

/* Digits, lowest first: nobody reads a trade's id here, but each has its own. */
static void number_text(int64_t number, char *out)
{
    do
        *out++ = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    *out = '\0';
}

static void deliver(struct run *run, const struct book_order *order, int64_t price_ticks)
{
    const struct instrument *instrument = &run->result->instrument;
    struct fill fill = {
        .side = order->side,
        .price = ticks_to_price(instrument, price_ticks),
        .qty = lots_to_qty(instrument, order->qty_lots),
        .liquidity = order->type == ORDER_LIMIT ? LIQUIDITY_MAKER : LIQUIDITY_TAKER,
        .ts_ms = run->columns->ts_ms[run->bar],
    };
    const struct flt_amt value = flt_amt_product(fill.price, fill.qty, FLT_ROUND_HALF_EVEN);

    fill.fee = flt_amt_mul(value, run->config->fee, FLT_ROUND_HALF_EVEN);
    memcpy(fill.instrument, instrument->name, sizeof fill.instrument);
    memcpy(fill.fee_asset, instrument->quote, sizeof fill.fee_asset);
    memcpy(fill.client_order_id, order->client_order_id, sizeof fill.client_order_id);
    number_text(++run->trades, fill.trade_id);
    bot_on_fill(run->bot, &fill);
}

static int keep_segment(struct run *run)
{
    struct run_result *result = run->result;
    const struct ledger *ledger = bot_ledger(run->bot, 0);
    const struct run_segment now = {
        .bar = run->bar,
        .cash = flt_amt_add(run->config->cash, ledger->cash),
        .cost = ledger->cost,
        .position_lots = bot_position_lots(run->bot, 0),
    };
    const int err = reserve(&result->segments, result->segment_count, &result->segment_cap,
                            sizeof *result->segments);

    if (!err)
        result->segments[result->segment_count++] = now;
    return err;
}

/* Fills or ends the order, or leaves it to rest. */
static void match_order(struct run *run, size_t i)
{
    const struct book_order order = run->book.orders[i];
    const int64_t price =
        order.gone ? NO_FILL : run->config->fill->price(&order, run->columns, run->bar);

    if (order.gone || (price == NO_FILL && order.tif == TIF_GTC))
        return;
    book_remove(&run->book, &run->book.orders[i]);
    if (price != NO_FILL)
        deliver(run, &order, price);
    else
        tell_end(run, order.client_order_id, ORDER_STATUS_EXPIRED);
    answer(run);
}

/* Orders of earlier closes against this bar: in the order in which they were placed, unless the
 * model has another one. What is placed meanwhile stands behind them and works from the next bar
 * on. */
static void match_bar(struct run *run)
{
    const struct fill_model *model = run->config->fill;
    const size_t before = run->result->fill_count;
    const size_t count = run->book.count;

    set_clock(run, run->columns->ts_ms[run->bar]);
    bot_seek(run->bot, 0, run->bar - 1);
    for (size_t i = 0; !model->distance && i < count && !run->err; i++)
        match_order(run, i);
    while (model->distance && !run->err) {
        const size_t next = book_pick(&run->book, model, run->columns, run->bar, count);

        if (next == count)
            break;
        match_order(run, next);
    }
    book_compact(&run->book);
    if (run->result->fill_count != before && !run->err)
        run->err = keep_segment(run);
}

static void close_bar(struct run *run, bool time)
{
    set_clock(run, run->columns->ts_ms[run->bar] + run->config->data->bar_ms);
    bot_on_column(run->bot, 0, run->bar);
    if (time)
        bot_on_second(run->bot);
    answer(run);
    book_compact(&run->book);
}

/* The first bar from `from` on that may fill an order or wakes the strategy. */
static size_t next_bar(struct run *run, size_t from, size_t count)
{
    for (size_t span = SPAN_FIRST; from < count; span = span < SPAN_MAX ? span * 2 : span) {
        const size_t to = count - from > span ? from + span : count;
        const size_t fill = book_next(&run->book, run->columns, from, to);
        const size_t next = bot_next_wake(run->bot, 0, from, fill);

        if (next < to)
            return next;
        from = to;
    }
    return count;
}

static int simulate(struct run *run)
{
    const size_t all = run->config->data->count, until = run->config->until;
    const size_t count = until > 0 && until < all ? until : all;
    const volatile sig_atomic_t *stop = run->config->stop;
    bool time = bot_waits_for_time(run->bot);

    for (size_t i = 1; i < count && !run->err; i++) {
        if (!run->config->every_bar && !time)
            i = next_bar(run, i, count);
        if (i == count)
            break;
        run->bar = i;
        if (stop && *stop) {
            run->result->stopped = true;
            break;
        }
        if (book_next(&run->book, run->columns, i, i + 1) == i)
            match_bar(run);
        if (run->config->every_bar || time || bot_next_wake(run->bot, 0, i, i + 1) == i)
            close_bar(run, time);
        time = bot_waits_for_time(run->bot);
    }
    run->result->bars = run->result->stopped ? run->bar : count;
    return run->err;
}

/* --- setting up
 * --------------------------------------------------------------------------------------- */

static struct instrument make_instrument(const struct run_config *config)
{
    const char *name = config->instrument ? config->instrument : "BASE-QUOTE";
    struct instrument instrument = {
        .tick = config->data->tick,
        .lot = config->lot,
        .contract_size = flt_dec_from_int(1),
        .fee_maker = config->fee,
        .fee_taker = config->fee,
    };
    const char *dash = strchr(name, '-');
    const size_t base = dash ? (size_t)(dash - name) : strlen(name);
    const char *quote = dash ? dash + 1 : "QUOTE";

    (void)snprintf(instrument.name, sizeof instrument.name, "%s", name);
    (void)snprintf(instrument.venue_symbol, sizeof instrument.venue_symbol, "%s", name);
    (void)snprintf(instrument.base, sizeof instrument.base, "%.*s", (int)base, name);
    (void)snprintf(instrument.quote, sizeof instrument.quote, "%.*s", (int)strcspn(quote, "-"),
                   quote);
    return instrument;
}

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
    char text[FLT_AMT_TEXT_MAX];

    if (params && params_find(config->strategy->params, "budget"))
        set_default(params, "budget", flt_amt_format(config->cash, text));
    return params;
}

/* Rows of the data are the strategy's bars; a timeframe that says otherwise is a mistake. */
static int check_timeframe(const struct run_config *config, struct flt_error *error)
{
    const char *word = NULL;

    if (!config->params || !params_find(config->strategy->params, "timeframe") ||
        !flt_json_str(config->params, "timeframe", &word))
        return 0;
    const int64_t ms = timeframe_ms(word);
    if (ms == 0 || ms == config->data->bar_ms)
        return 0; /* a wrong word is refused with the other parameters */
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "params.timeframe",
                         "use data of that timeframe, or leave timeframe out",
                         "timeframe is %s but the bars of %s are %" PRId64 " s long", word,
                         config->data->name, config->data->bar_ms / 1000);
}

static int create_bot(struct run *run, struct flt_error *error)
{
    const struct run_config *config = run->config;
    const struct instrument *instruments[] = { &run->result->instrument };
    const struct engine_port port = { run,         intend,      place,  cancel, query_order,
                                      fetch_fills, open_orders, record, NULL,   true };
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
        .bar_ms = config->data->bar_ms,
    };
    int err = params && risk ? bot_create(&bot, &port, error, &run->bot) : -ENOMEM;

    json_object_put(params);
    json_object_put(risk);
    if (!err)
        err = bot_use_columns(run->bot, 0, run->columns, config->data->count, config->data->bar_ms);
    return err;
}

static void start(struct run *run)
{
    const struct exchange_failure ok = { .error = EXCHANGE_OK };

    bot_set_halt(run->bot, BOT_HALT_NONE, "");
    bot_set_desired(run->bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    bot_start(run->bot);
    bot_on_link(run->bot, true, "");
    bot_on_open_orders(run->bot, 0, &ok, NULL, 0);
}

static void finish(struct run *run)
{
    struct run_result *result = run->result;
    struct flt_buf buf = FLT_BUF_INIT;
    struct bot_status status;

    bot_status(run->bot, &status);
    result->counters = status.counters;
    book_compact(&run->book);
    result->orders = run->book.orders;
    result->order_count = run->book.count;
    run->book = (struct book){ 0 };
    result->ready_bars = bot_ready_bars(run->bot);
    if (status.phase != BOT_RUNNING && *status.reason)
        (void)snprintf(result->trouble, sizeof result->trouble, "%s: %s", status.reason_code,
                       status.reason);
    bot_write_params(run->bot, &buf, NULL);
    (void)snprintf(result->params, sizeof result->params, "%s", buf.data ? buf.data : "{}");
    flt_buf_finish(&buf);
}

int run_backtest(const struct run_config *config, struct run_result *out, struct flt_error *error)
{
    struct run_result result = { .instrument = make_instrument(config) };
    struct run run = { .config = config, .columns = &config->data->columns, .result = &result };
    int err = check_timeframe(config, error);

    flt_sim_clock_init(&run.clock, config->data->columns.ts_ms[0] + config->data->bar_ms);
    if (!err)
        err = create_bot(&run, error);
    if (!err) {
        start(&run);
        err = keep_segment(&run);
    }
    if (!err)
        err = simulate(&run);
    if (!err)
        finish(&run);
    bot_destroy(run.bot);
    book_free(&run.book);
    free(run.cancelled);
    free(run.keys);
    if (err)
        run_free(&result);
    else
        *out = result;
    return err;
}

void run_free(struct run_result *result)
{
    free(result->fills);
    free(result->segments);
    free(result->tags);
    free(result->orders);
    memset(result, 0, sizeof *result);
}

struct flt_amt run_equity(const struct run_result *result, const struct run_segment *segment,
                          int64_t close_ticks)
{
    const struct instrument *i = &result->instrument;

    return flt_amt_add(segment->cash,
                       flt_amt_mul(flt_amt_from_dec(lots_to_qty(i, segment->position_lots)),
                                   ticks_to_price(i, close_ticks), FLT_ROUND_HALF_EVEN));
}
