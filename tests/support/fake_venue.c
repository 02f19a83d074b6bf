#include "tests/support/fake_venue.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "engine/core.h"

#define QUEUE_MAX 8192

enum message_kind {
    MSG_PLACE,
    MSG_CANCEL,
    MSG_QUERY,
    MSG_FILLS,
    MSG_LIST,
    MSG_ORDER,
    MSG_FILL,
    MSG_SWEEP
};

struct fake_message {
    enum message_kind kind;
    int64_t at_ms;
    char coid[FLT_COID_MAX];
    enum exchange_error error;
    bool has_order;
    struct order order;
    struct fill fill;
    size_t known; /* FILLS, LIST: what the venue had then */
    bool used;
};

uint32_t fake_random(struct fake_venue *venue, uint32_t below)
{
    venue->random = venue->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(venue->random >> 33) % below;
}

static bool chance(struct fake_venue *venue, unsigned of_1000)
{
    return of_1000 > 0 && fake_random(venue, 1000) < of_1000;
}

static int64_t now_ms(const struct fake_venue *venue)
{
    return venue->clock.mono_now_ns / 1000000;
}

static struct fake_message *post(struct fake_venue *venue, enum message_kind kind)
{
    for (size_t i = 0; i < QUEUE_MAX; i++) {
        struct fake_message *message = &venue->queue[i];

        if (message->used)
            continue;
        memset(message, 0, sizeof *message);
        message->used = true;
        message->kind = kind;
        message->at_ms = now_ms(venue) + 1 +
                         (venue->faults.delay_ms_max > 0
                              ? fake_random(venue, (uint32_t)venue->faults.delay_ms_max)
                              : 0);
        return message;
    }
    fail_msg("the fake venue's queue is full");
    return NULL;
}

static struct fake_order *find(struct fake_venue *venue, const char *coid)
{
    for (size_t i = venue->order_count; i-- > 0;)
        if (!strcmp(venue->orders[i].order.client_order_id, coid))
            return &venue->orders[i];
    return NULL;
}

static bool is_open(const struct fake_order *order)
{
    return order->accepted && !order_status_is_final(order->order.status);
}

/* --- stream
 * ----------------------------------------------------------------------------------------- */

static void post_event(struct fake_venue *venue, const struct order *order, const struct fill *fill)
{
    if (venue->link_down || chance(venue, venue->faults.drop_event))
        return;
    for (unsigned i = 0; i < (chance(venue, venue->faults.repeat_event) ? 2u : 1u); i++) {
        struct fake_message *message = post(venue, fill ? MSG_FILL : MSG_ORDER);

        if (fill)
            message->fill = *fill;
        else
            message->order = *order;
    }
}

static void trade(struct fake_venue *venue, size_t number, int64_t lots)
{
    struct fake_order *order = &venue->orders[number];
    struct fake_trade *row = &venue->trades[venue->trade_count];
    struct fill *fill = &row->fill;

    assert_true(venue->trade_count < FAKE_TRADES_MAX);
    memset(row, 0, sizeof *row);
    row->order = number;
    (void)snprintf(fill->instrument, sizeof fill->instrument, "%s", venue->instrument.name);
    (void)snprintf(fill->trade_id, sizeof fill->trade_id, "%zu", 1000 + venue->trade_count++);
    memcpy(fill->order_id, order->order.order_id, sizeof fill->order_id);
    memcpy(fill->client_order_id, order->order.client_order_id, sizeof fill->client_order_id);
    fill->side = order->order.side;
    fill->price = order->order.type == ORDER_MARKET
                      ? ticks_to_price(&venue->instrument,
                                       fill->side == SIDE_BUY ? venue->ask_ticks : venue->bid_ticks)
                      : order->order.price;
    fill->qty = lots_to_qty(&venue->instrument, lots);
    const struct flt_amt value = flt_amt_product(fill->price, fill->qty, FLT_ROUND_UP);
    const bool in_base = fill->side == SIDE_BUY;
    fill->fee = flt_amt_mul(in_base ? flt_amt_from_dec(fill->qty) : value,
                            venue->instrument.fee_maker, FLT_ROUND_UP);
    (void)snprintf(fill->fee_asset, sizeof fill->fee_asset, "%s",
                   in_base ? venue->instrument.base : venue->instrument.quote);
    fill->liquidity = LIQUIDITY_MAKER;
    fill->ts_ms = venue->clock.wall_now_ms;
    assert_int_equal(ledger_apply(&venue->truth, &venue->instrument, fill), 0);
    order->filled_lots += lots;
    order->order.filled_qty = lots_to_qty(&venue->instrument, order->filled_lots);
    order->order.status =
        order->filled_lots == order->qty_lots ? ORDER_STATUS_FILLED : ORDER_STATUS_PARTLY_FILLED;
    order->order.ts_ms = venue->clock.wall_now_ms;
    post_event(venue, &order->order, NULL);
    post_event(venue, NULL, fill);
}

void fake_trade_now(struct fake_venue *venue, size_t order, int64_t lots)
{
    trade(venue, order, lots);
}

static bool crosses(const struct fake_venue *venue, const struct fake_order *order)
{
    if (order->order.type == ORDER_MARKET)
        return true;
    return order->order.side == SIDE_BUY ? order->price_ticks >= venue->ask_ticks
                                         : order->price_ticks <= venue->bid_ticks;
}

static void match_orders(struct fake_venue *venue)
{
    for (size_t i = 0; i < venue->order_count; i++) {
        struct fake_order *order = &venue->orders[i];
        const int64_t rest = order->qty_lots - order->filled_lots;

        if (!is_open(order) || !crosses(venue, order))
            continue;
        if (venue->faults.delay_ms_max > 0 && rest > 1 && chance(venue, 400))
            trade(venue, i, 1 + fake_random(venue, (uint32_t)rest - 1));
        else
            trade(venue, i, rest);
    }
}

/* An order reaches the venue. */
static void arrive(struct fake_venue *venue, size_t number)
{
    struct fake_order *order = &venue->orders[number];
    const bool takes = crosses(venue, order);

    order->arrived = true;
    if ((order->order.post_only && takes) || chance(venue, venue->faults.refuse)) {
        order->order.status = ORDER_STATUS_REJECTED;
        if (!chance(venue, venue->faults.lose_answer)) {
            struct fake_message *message = post(venue, MSG_PLACE);
            memcpy(message->coid, order->order.client_order_id, sizeof message->coid);
            message->error = EXCHANGE_POST_ONLY_WOULD_TAKE;
        }
        return;
    }
    for (size_t i = 0; i < number; i++)
        if (is_open(&venue->orders[i]) && venue->orders[i].id.key == order->id.key &&
            venue->orders[i].id.epoch == order->id.epoch)
            fail_msg("two live orders for key %" PRIu32, order->id.key);
    order->accepted = true;
    if (!chance(venue, venue->faults.lose_answer)) {
        struct fake_message *message = post(venue, MSG_PLACE);
        memcpy(message->coid, order->order.client_order_id, sizeof message->coid);
        message->has_order = fake_random(venue, 2);
        message->order = order->order;
    }
    post_event(venue, &order->order, NULL);
    if (order->order.tif == TIF_IOC) {
        if (takes)
            trade(venue, number, order->qty_lots);
        if (order->filled_lots < order->qty_lots) {
            order->order.status = ORDER_STATUS_EXPIRED;
            post_event(venue, &order->order, NULL);
        }
    }
}

/* --- the port
 * ----------------------------------------------------------------------------------------- */

static int port_intend(void *ctx, struct bot *bot, struct order_intent *intent)
{
    struct fake_venue *venue = ctx;

    (void)bot;
    if (venue->intend_fails)
        return -28;
    intent->id.sequence = venue->next_sequence++;
    assert_true(venue->intent_count < FAKE_ORDERS_MAX);
    venue->intents[venue->intent_count++] = *intent;
    return 0;
}

static int port_place(void *ctx, struct bot *bot, const struct order_request *request)
{
    struct fake_venue *venue = ctx;
    struct fake_order *order = &venue->orders[venue->order_count];

    (void)bot;
    assert_null(find(venue, request->client_order_id)); /* an id is sent once, ever */
    assert_true(venue->order_count < FAKE_ORDERS_MAX);
    if (chance(venue, venue->faults.busy))
        return EXCHANGE_BUSY;
    memset(order, 0, sizeof *order);
    assert_true(flt_coid_parse(request->client_order_id, &order->id));
    (void)snprintf(order->order.instrument, sizeof order->order.instrument, "%s",
                   request->instrument->name);
    (void)snprintf(order->order.order_id, sizeof order->order.order_id, "%zu",
                   500000 + venue->order_count++);
    memcpy(order->order.client_order_id, request->client_order_id,
           sizeof order->order.client_order_id);
    order->order.side = request->side;
    order->order.type = request->type;
    order->order.tif = request->tif;
    order->order.post_only = request->post_only;
    order->order.price = request->price;
    order->order.qty = request->qty;
    order->order.filled_qty = FLT_DEC_ZERO;
    order->order.ts_ms = venue->clock.wall_now_ms;
    order->price_ticks = price_to_ticks(&venue->instrument, request->price, FLT_ROUND_DOWN);
    order->qty_lots = qty_to_lots(&venue->instrument, request->qty, FLT_ROUND_DOWN);
    venue->places++;
    order->arrive_ms =
        now_ms(venue) + 1 +
        (venue->faults.delay_ms_max > 0 ? fake_random(venue, (uint32_t)venue->request_life_ms) : 0);
    if (chance(venue, venue->faults.lose_request))
        order->arrive_ms = -1;
    if (order->arrive_ms < 0 || chance(venue, venue->faults.lose_answer)) {
        struct fake_message *message = post(venue, MSG_PLACE);
        memcpy(message->coid, request->client_order_id, sizeof message->coid);
        message->error = EXCHANGE_UNKNOWN_OUTCOME;
    }
    return 0;
}

static int port_cancel(void *ctx, struct bot *bot, const struct instrument *instrument,
                       const char *coid)
{
    struct fake_venue *venue = ctx;
    struct fake_order *order = find(venue, coid);

    (void)bot;
    (void)instrument;
    if (chance(venue, venue->faults.busy))
        return EXCHANGE_BUSY;
    venue->cancels++;
    if (chance(venue, venue->faults.lose_request))
        return 0;
    const bool found = order && is_open(order);
    if (found) {
        order->order.status = ORDER_STATUS_CANCELLED;
        order->order.ts_ms = venue->clock.wall_now_ms;
        post_event(venue, &order->order, NULL);
    }
    if (!chance(venue, venue->faults.lose_answer)) {
        struct fake_message *message = post(venue, MSG_CANCEL);
        (void)snprintf(message->coid, sizeof message->coid, "%s", coid);
        message->error = found ? EXCHANGE_OK : EXCHANGE_ORDER_NOT_FOUND;
    }
    return 0;
}

static int port_query(void *ctx, struct bot *bot, const struct instrument *instrument,
                      const char *coid)
{
    struct fake_venue *venue = ctx;
    struct fake_message *message;
    struct fake_order *order = find(venue, coid);

    (void)bot;
    (void)instrument;
    venue->queries++;
    if (chance(venue, venue->faults.lose_answer))
        return 0;
    message = post(venue, MSG_QUERY);
    (void)snprintf(message->coid, sizeof message->coid, "%s", coid);
    message->error = order && order->accepted ? EXCHANGE_OK : EXCHANGE_ORDER_NOT_FOUND;
    if (order && order->accepted) {
        message->has_order = true;
        message->order = order->order;
    }
    return 0;
}

static int port_fetch(void *ctx, struct bot *bot, const struct instrument *instrument,
                      const char *order_id, const char *coid)
{
    struct fake_venue *venue = ctx;
    struct fake_message *message;

    (void)bot;
    (void)instrument;
    (void)order_id;
    venue->fetches++;
    if (chance(venue, venue->faults.lose_answer))
        return 0;
    message = post(venue, MSG_FILLS);
    (void)snprintf(message->coid, sizeof message->coid, "%s", coid);
    message->known = venue->trade_count;
    return 0;
}

static int port_list(void *ctx, struct bot *bot, unsigned leg)
{
    struct fake_venue *venue = ctx;

    (void)bot;
    (void)leg;
    venue->lists++;
    if (!chance(venue, venue->faults.lose_answer))
        (void)post(venue, MSG_LIST);
    return 0;
}

static int port_sweep(void *ctx, struct bot *bot, unsigned leg)
{
    struct fake_venue *venue = ctx;

    (void)bot;
    (void)leg;
    venue->sweeps++;
    if (!chance(venue, venue->faults.lose_answer))
        post(venue, MSG_SWEEP)->known = venue->trade_count;
    return 0;
}

static int port_record(void *ctx, struct bot *bot, const struct bot_record *record)
{
    struct fake_venue *venue = ctx;
    struct flt_buf buf = FLT_BUF_INIT;

    bot_save(bot, &buf);
    assert_false(buf.failed);
    free(venue->older_state);
    venue->older_state = venue->state;
    venue->older_recorded = venue->recorded;
    venue->state = buf.data;
    if (record->kind == BOT_RECORD_FILL)
        venue->booked[venue->recorded++] = *record->fill;
    if (record->kind == BOT_RECORD_RISK) {
        venue->risk_records++;
        (void)snprintf(venue->last_risk, sizeof venue->last_risk, "%s", record->code);
    }
    if (record->kind == BOT_RECORD_ALARM) {
        venue->alarms++;
        (void)snprintf(venue->last_alarm, sizeof venue->last_alarm, "%s", record->code);
        (void)snprintf(venue->last_alarm_text, sizeof venue->last_alarm_text, "%s",
                       record->message);
    }
    return 0;
}

/* --- life
 * ------------------------------------------------------------------------------------------------
 */

void fake_open(struct fake_venue *venue, uint64_t seed)
{
    memset(venue, 0, sizeof *venue);
    flt_sim_clock_init(&venue->clock, INT64_C(1772323200000)); /* 2026-03-01T00:00:00Z */
    venue->clock.mono_now_ns = INT64_C(1000000000);
    venue->random = seed * 2 + 1;
    venue->request_life_ms = 3000;
    venue->next_sequence = 1;
    venue->orders = calloc(FAKE_ORDERS_MAX, sizeof *venue->orders);
    venue->trades = calloc(FAKE_TRADES_MAX, sizeof *venue->trades);
    venue->intents = calloc(FAKE_ORDERS_MAX, sizeof *venue->intents);
    venue->booked = calloc(FAKE_TRADES_MAX, sizeof *venue->booked);
    venue->queue = calloc(QUEUE_MAX, sizeof *venue->queue);
    venue->instrument = (struct instrument){
        .name = "BTC-USDT",
        .venue_symbol = "BTCUSDT",
        .base = "BTC",
        .quote = "USDT",
        .tick = { 1, 2 },
        .lot = { 1, 4 },
        .qty_min = { 1, 4 },
        .notional_min = { 5, 0 },
        .contract_size = { 1, 0 },
        .fee_maker = { 1, 3 },
        .fee_taker = { 1, 3 },
    };
    venue->port = (struct engine_port){ venue,      port_intend, port_place, port_cancel,
                                        port_query, port_fetch,  port_list,  port_record,
                                        NULL,       false,       port_sweep };
}

void fake_close(struct fake_venue *venue)
{
    bot_drop_tape(venue->bot);
    bot_destroy(venue->bot);
    free(venue->orders);
    free(venue->trades);
    free(venue->intents);
    free(venue->booked);
    free(venue->queue);
    free(venue->state);
    free(venue->older_state);
    memset(venue, 0, sizeof *venue);
}

void fake_create(struct fake_venue *venue, const struct strategy_ops *ops, const char *params,
                 const char *risk, uint32_t epoch)
{
    const struct instrument *instruments[] = { &venue->instrument };
    struct flt_error error = { 0 };
    struct json_object *tree = flt_json_parse(params, strlen(params), &error);
    struct json_object *limits = risk ? flt_json_parse(risk, strlen(risk), &error) : NULL;
    const struct bot_config config = {
        .fleet = "test",
        .name = "bot-1",
        .epoch = epoch,
        .mode = venue->mode,
        .strategy = ops,
        .params = tree,
        .risk = limits,
        .instruments = instruments,
        .leg_count = 1,
        .clock = &venue->clock.base,
        .request_life_ms = venue->request_life_ms,
        .tape = venue->tape,
    };

    if (bot_create(&config, &venue->port, &error, &venue->bot))
        fail_msg("refused: %s: %s (%s)", error.field, error.message, error.hint);
    json_object_put(tree);
    json_object_put(limits);
}

void fake_start(struct fake_venue *venue)
{
    bot_set_halt(venue->bot, BOT_HALT_NONE, "");
    bot_set_desired(venue->bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    bot_start(venue->bot);
    venue->link_down = false;
    bot_on_link(venue->bot, true, "");
}

static bool power_went; /* for the fake_crash inside fake_power_loss */

void fake_crash(struct fake_venue *venue, const struct strategy_ops *ops, const char *params,
                const char *risk, uint32_t epoch, bool lose_commit)
{
    struct flt_error error = { 0 };
    const char *state = lose_commit && venue->older_state ? venue->older_state : venue->state;
    char *copy = strdup(state ? state : "");

    bot_drop_tape(venue->bot);
    bot_destroy(venue->bot);
    venue->bot = NULL;
    if (lose_commit && venue->older_state)
        venue->recorded = venue->older_recorded;
    free(venue->older_state);
    free(venue->state);
    venue->older_state = NULL;
    venue->state = copy;
    venue->older_recorded = venue->recorded;
    memset(venue->queue, 0, QUEUE_MAX * sizeof *venue->queue);
    fake_create(venue, ops, params, risk, epoch);
    if (*copy) {
        struct json_object *tree = flt_json_parse(copy, strlen(copy), &error);

        if (!tree || bot_restore(venue->bot, tree, &error))
            fail_msg("not restored: %s: %s", error.field, error.message);
        json_object_put(tree);
    }
    for (size_t i = 0; i < venue->intent_count; i++)
        assert_int_equal(bot_restore_intent(venue->bot, &venue->intents[i]), 0);
    const size_t from = venue->recorded > 300 ? venue->recorded - 300 : 0;
    for (size_t i = from; i < venue->recorded; i++)
        bot_restore_fill(venue->bot, venue->booked[i].instrument, venue->booked[i].trade_id,
                         venue->booked[i].order_id, venue->booked[i].ts_ms);
    if (power_went)
        bot_distrust(venue->bot);
    fake_start(venue);
}

void fake_disk_sync(const struct fake_venue *venue, struct fake_disk *out)
{
    free(out->state);
    out->state = strdup(venue->state ? venue->state : "");
    out->recorded = venue->recorded;
}

void fake_power_loss(struct fake_venue *venue, const struct strategy_ops *ops, const char *params,
                     const char *risk, uint32_t epoch, const struct fake_disk *disk)
{
    free(venue->state);
    free(venue->older_state);
    venue->state = strdup(disk->state);
    venue->older_state = NULL;
    venue->recorded = venue->older_recorded = disk->recorded;
    venue->intent_count = 0;
    for (size_t i = 0; i < venue->order_count; i++) { /* nothing is on its way after a boot */
        if (!venue->orders[i].arrived && fake_random(venue, 2))
            venue->orders[i].arrive_ms = -1;
        else if (!venue->orders[i].arrived && venue->orders[i].arrive_ms >= 0)
            arrive(venue, i);
    }
    power_went = true;
    fake_crash(venue, ops, params, risk, epoch, false);
    power_went = false;
}

void fake_price(struct fake_venue *venue, int64_t bid_ticks, int64_t ask_ticks)
{
    const struct quote quote = { venue->clock.wall_now_ms, bid_ticks, ask_ticks, 1000, 1000 };

    venue->bid_ticks = bid_ticks;
    venue->ask_ticks = ask_ticks;
    match_orders(venue);
    if (venue->bot)
        bot_on_quote(venue->bot, 0, &quote, venue->clock.mono_now_ns);
}

static void answer_fills(struct fake_venue *venue, const struct fake_message *message,
                         const struct exchange_failure *failure)
{
    static struct fill fills[FAKE_TRADES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < message->known; i++)
        if (!strcmp(venue->trades[i].fill.client_order_id, message->coid)) {
            fills[count] = venue->trades[i].fill;
            fills[count++].client_order_id[0] = '\0'; /* as Binance's myTrades */
        }
    bot_on_fills_result(venue->bot, message->coid, failure, fills, count);
}

static void answer_list(struct fake_venue *venue, const struct exchange_failure *failure)
{
    static struct order orders[FAKE_ORDERS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < venue->order_count; i++)
        if (is_open(&venue->orders[i]))
            orders[count++] = venue->orders[i].order;
    (void)snprintf(orders[count].client_order_id, sizeof orders[count].client_order_id, "somebody");
    (void)snprintf(orders[count].instrument, sizeof orders[count].instrument, "%s",
                   venue->instrument.name);
    count++; /* a foreign one */
    bot_on_open_orders(venue->bot, 0, failure, orders, count);
}

/* As the host, whose journal knows what is booked. */
static bool is_booked(const struct fake_venue *venue, const struct fill *fill)
{
    for (size_t i = venue->recorded; i-- > 0;)
        if (!strcmp(venue->booked[i].trade_id, fill->trade_id))
            return true;
    return false;
}

static void deliver(struct fake_venue *venue, struct fake_message *slot)
{
    const struct fake_message message = *slot;
    const struct exchange_failure failure = { .error = message.error };
    const struct order *order = message.has_order ? &message.order : NULL;

    slot->used = false;
    switch (message.kind) {
    case MSG_PLACE:
        bot_on_place_result(venue->bot, message.coid, &failure, order);
        break;
    case MSG_CANCEL:
        bot_on_cancel_result(venue->bot, message.coid, &failure);
        break;
    case MSG_QUERY:
        bot_on_query_result(venue->bot, message.coid, &failure, order);
        break;
    case MSG_FILLS:
        answer_fills(venue, &message, &failure);
        break;
    case MSG_LIST:
        answer_list(venue, &failure);
        break;
    case MSG_ORDER:
        bot_on_order(venue->bot, &message.order);
        break;
    case MSG_FILL:
        bot_on_fill(venue->bot, &message.fill);
        break;
    case MSG_SWEEP:
        for (size_t i = 0; i < message.known; i++)
            if (!is_booked(venue, &venue->trades[i].fill))
                bot_on_fill(venue->bot, &venue->trades[i].fill);
        bot_on_swept(venue->bot, 0, true);
        break;
    }
}

void fake_run(struct fake_venue *venue, int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 50) {
        flt_sim_clock_advance(&venue->clock, 50);
        for (size_t i = 0; i < venue->order_count; i++)
            if (!venue->orders[i].arrived && venue->orders[i].arrive_ms >= 0 &&
                venue->orders[i].arrive_ms <= now_ms(venue))
                arrive(venue, i);
        match_orders(venue);
        for (size_t i = 0; i < QUEUE_MAX; i++)
            if (venue->queue[i].used && venue->queue[i].at_ms <= now_ms(venue))
                deliver(venue, &venue->queue[i]);
        if (now_ms(venue) % 1000 == 0) {
            fake_price(venue, venue->bid_ticks, venue->ask_ticks);
            bot_on_second(venue->bot);
        }
    }
}

const struct fake_order *fake_live(const struct fake_venue *venue, uint32_t key)
{
    for (size_t i = venue->order_count; i-- > 0;)
        if (is_open(&venue->orders[i]) && venue->orders[i].id.key == key)
            return &venue->orders[i];
    return NULL;
}

size_t fake_live_count(const struct fake_venue *venue)
{
    size_t count = 0;

    for (size_t i = 0; i < venue->order_count; i++)
        count += is_open(&venue->orders[i]);
    return count;
}

/* What the engine sums up as it goes is what its orders say, and each is found by its ids. */
static void assert_indexes(const struct bot *bot)
{
    int64_t rests[2] = { 0, 0 };
    uint32_t live = 0, limits = 0;

    for (uint32_t i = 0; i < bot->wants.slot_count; i++) {
        const struct slot *slot = &bot->wants.slots[i];

        limits += slot->used && slot->kind == WANT_LIMIT;
        if (!slot->used || slot->live.state == ORDER_BAD)
            continue;
        live++;
        if (!order_state_is_final(slot->live.state))
            rests[slot->live.side] += slot->live.qty_lots - slot->live.booked_lots;
        assert_int_equal(orders_find(bot, slot->live.coid, NULL), i);
        if (*slot->live.order_id)
            assert_int_equal(orders_find(bot, NULL, slot->live.order_id), i);
    }
    assert_int_equal(bot->wants.live_count, live);
    assert_int_equal(bot->wants.limit_count, limits);
    assert_int_equal(bot->legs[0].resting_lots[SIDE_BUY], rests[SIDE_BUY]);
    assert_int_equal(bot->legs[0].resting_lots[SIDE_SELL], rests[SIDE_SELL]);
}

void fake_assert_books(const struct fake_venue *venue)
{
    const struct ledger *book = bot_ledger(venue->bot, 0);
    char a[FLT_AMT_TEXT_MAX], b[FLT_AMT_TEXT_MAX];

    assert_indexes(venue->bot);
    assert_int_equal(book->fill_count, venue->truth.fill_count);
    assert_string_equal(flt_amt_format(book->position, a),
                        flt_amt_format(venue->truth.position, b));
    assert_string_equal(flt_amt_format(book->cash, a), flt_amt_format(venue->truth.cash, b));
    assert_int_equal(book->fee_count, venue->truth.fee_count);
    for (size_t i = 0; i < book->fee_count; i++)
        for (size_t k = 0; k < book->fee_count; k++)
            if (!strcmp(book->fees[i].asset, venue->truth.fees[k].asset))
                assert_string_equal(flt_amt_format(book->fees[i].sum, a),
                                    flt_amt_format(venue->truth.fees[k].sum, b));
}
