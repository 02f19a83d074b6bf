#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include "exchanges/match/funds.h"
#include "exchanges/match/match.h"

enum { LOG_MAX = 64, ME = 1, YOU = 2 };

struct entry {
    char kind; /* a ack, f fill, d done */
    uint64_t id;
    int64_t price, lots;
    enum liquidity liquidity;
    enum match_end end;
};

struct rig {
    struct match *match;
    struct entry log[LOG_MAX];
    size_t count;
};

static void note(struct rig *rig, struct entry entry)
{
    if (rig->count < LOG_MAX)
        rig->log[rig->count++] = entry;
}

static void on_ack(void *ctx, const struct match_order *order)
{
    note(ctx, (struct entry){ .kind = 'a', .id = order->req.id });
}

static void on_fill(void *ctx, const struct match_fill *fill)
{
    note(ctx, (struct entry){ .kind = 'f',
                              .id = fill->order->req.id,
                              .price = fill->price_ticks,
                              .lots = fill->qty_lots,
                              .liquidity = fill->liquidity });
}

static void on_done(void *ctx, const struct match_order *order, enum match_end end)
{
    note(ctx, (struct entry){ .kind = 'd', .id = order->req.id, .end = end });
}

static struct rig *rig_open(const struct match_options *options)
{
    struct rig *rig = test_calloc(1, sizeof *rig);
    const struct match_events events = { rig, on_ack, on_fill, on_done };

    assert_int_equal(match_create(options, &events, &rig->match), 0);
    return rig;
}

static void rig_close(struct rig *rig)
{
    match_destroy(rig->match);
    test_free(rig);
}

static void quote(struct rig *rig, int64_t bid, int64_t bid_lots, int64_t ask, int64_t ask_lots)
{
    const struct quote q = { 1, bid, ask, bid_lots, ask_lots };

    match_quote(rig->match, &q);
}

static int64_t trade(struct rig *rig, int64_t price, int64_t lots, enum side aggressor)
{
    const struct trade t = { 1, 1, price, lots, aggressor };

    return match_trade(rig->match, &t);
}

static struct match_request limit(uint64_t id, enum side side, int64_t price, int64_t lots)
{
    return (struct match_request){
        .id = id, .account = ME, .side = side, .price_ticks = price, .qty_lots = lots
    };
}

static struct match_order *place(struct rig *rig, struct match_request request)
{
    struct match_order *order;

    assert_int_equal(match_place(rig->match, 1, &request, &order), 0);
    return order;
}

static void expect_fill(const struct rig *rig, size_t at, uint64_t id, int64_t price, int64_t lots,
                        enum liquidity liquidity)
{
    assert_true(at < rig->count);
    assert_int_equal(rig->log[at].kind, 'f');
    assert_int_equal(rig->log[at].id, id);
    assert_int_equal(rig->log[at].price, price);
    assert_int_equal(rig->log[at].lots, lots);
    assert_int_equal(rig->log[at].liquidity, liquidity);
}

static void expect_done(const struct rig *rig, size_t at, uint64_t id, enum match_end end)
{
    assert_true(at < rig->count);
    assert_int_equal(rig->log[at].kind, 'd');
    assert_int_equal(rig->log[at].id, id);
    assert_int_equal(rig->log[at].end, end);
}

static void a_taker_gets_the_displayed_size_then_walks(void **ctx)
{
    struct rig *rig = rig_open(&(struct match_options){ .depth_lots = 100 });

    (void)ctx;
    quote(rig, 99, 5, 100, 7);
    assert_null(place(rig, (struct match_request){
                               .id = 1, .account = ME, .kind = MATCH_MARKET, .qty_lots = 20 }));
    expect_fill(rig, 1, 1, 100, 7, LIQUIDITY_TAKER);
    expect_fill(rig, 2, 1, 101, 13, LIQUIDITY_TAKER);
    expect_done(rig, 3, 1, MATCH_FILLED);
    assert_int_equal(match_best(rig->match, SIDE_BUY), 101); /* what was taken stays gone */
    quote(rig, 99, 5, 100, 7);
    assert_int_equal(match_best(rig->match, SIDE_BUY), 100); /* until the next quote */
    rig_close(rig);
}

static void own_orders_meet_by_price_then_time(void **ctx)
{
    struct rig *rig = rig_open(NULL);

    (void)ctx;
    place(rig, limit(1, SIDE_SELL, 102, 5));
    place(rig, limit(2, SIDE_SELL, 101, 5));
    place(rig, limit(3, SIDE_SELL, 101, 5));
    struct match_request buy = limit(4, SIDE_BUY, 102, 12);

    buy.account = YOU;
    rig->count = 0;
    assert_null(place(rig, buy));
    expect_fill(rig, 1, 4, 101, 5, LIQUIDITY_TAKER);
    expect_fill(rig, 2, 2, 101, 5, LIQUIDITY_MAKER);
    expect_done(rig, 3, 2, MATCH_FILLED);
    expect_fill(rig, 5, 3, 101, 5, LIQUIDITY_MAKER);
    expect_fill(rig, 7, 4, 102, 2, LIQUIDITY_TAKER);
    expect_done(rig, 9, 4, MATCH_FILLED);
    assert_int_equal(match_at(rig->match, SIDE_SELL, 0)->filled_lots, 2);
    rig_close(rig);
}

static void post_only_is_refused_when_it_would_take(void **ctx)
{
    struct rig *rig = rig_open(NULL);
    struct match_request request = limit(1, SIDE_BUY, 100, 5);

    (void)ctx;
    quote(rig, 99, 5, 100, 7);
    request.post_only = true;
    assert_int_equal(match_place(rig->match, 1, &request, NULL), MATCH_WOULD_TAKE);
    assert_int_equal(rig->count, 0);
    request.price_ticks = 99;
    assert_non_null(place(rig, request));
    rig_close(rig);
}

static void ioc_expires_its_rest_and_fok_is_all_or_nothing(void **ctx)
{
    struct rig *rig = rig_open(NULL);
    struct match_request request = limit(1, SIDE_BUY, 100, 10);

    (void)ctx;
    quote(rig, 99, 5, 100, 7);
    request.tif = TIF_FOK;
    assert_null(place(rig, request));
    expect_done(rig, 1, 1, MATCH_EXPIRED);
    request.tif = TIF_IOC;
    request.id = 2;
    assert_null(place(rig, request));
    expect_fill(rig, 3, 2, 100, 7, LIQUIDITY_TAKER);
    expect_done(rig, 4, 2, MATCH_EXPIRED);
    rig_close(rig);
}

static void a_market_order_by_budget_spends_no_more(void **ctx)
{
    struct rig *rig = rig_open(&(struct match_options){ .depth_lots = 100 });
    struct match_preview preview;
    const struct match_request request = {
        .id = 1, .account = ME, .kind = MATCH_MARKET, .budget = 1000
    };

    (void)ctx;
    quote(rig, 99, 5, 100, 7);
    match_preview(rig->match, &request, &preview);
    assert_int_equal(preview.lots, 9); /* 7 at 100, 2 at 101: 902 of 1000 */
    assert_int_equal((int64_t)preview.cost, 902);
    place(rig, request);
    expect_fill(rig, 2, 1, 101, 2, LIQUIDITY_TAKER);
    expect_done(rig, 3, 1, MATCH_FILLED);
    rig_close(rig);
}

static void a_trade_serves_the_queue_ahead_first(void **ctx)
{
    struct rig *rig = rig_open(NULL);

    (void)ctx;
    quote(rig, 99, 10, 100, 7);
    place(rig, limit(1, SIDE_BUY, 99, 4));
    place(rig, limit(2, SIDE_BUY, 99, 4));
    rig->count = 0;
    assert_int_equal(trade(rig, 99, 8, SIDE_SELL), 0);
    assert_int_equal(trade(rig, 99, 5, SIDE_SELL), 3); /* 2 of the queue are left */
    expect_fill(rig, 0, 1, 99, 3, LIQUIDITY_MAKER);
    assert_int_equal(trade(rig, 99, 9, SIDE_BUY), 0);  /* hits asks, not bids */
    assert_int_equal(trade(rig, 98, 3, SIDE_SELL), 3); /* through our price: no queue */
    expect_fill(rig, 1, 1, 99, 1, LIQUIDITY_MAKER);
    expect_done(rig, 2, 1, MATCH_FILLED);
    expect_fill(rig, 3, 2, 99, 2, LIQUIDITY_MAKER);
    rig_close(rig);
}

static void the_queue_is_never_longer_than_what_is_displayed(void **ctx)
{
    struct rig *rig = rig_open(NULL);

    (void)ctx;
    quote(rig, 99, 10, 100, 7);
    place(rig, limit(1, SIDE_BUY, 99, 4));
    quote(rig, 99, 3, 100, 7);
    assert_int_equal(trade(rig, 99, 5, SIDE_SELL), 2);
    quote(rig, 98, 3, 100, 7); /* we are alone at 99 now */
    assert_int_equal(trade(rig, 99, 2, SIDE_SELL), 2);
    rig_close(rig);
}

static void a_quote_beyond_the_price_fills_whole_and_a_touch_up_to_its_size(void **ctx)
{
    struct rig *rig = rig_open(NULL);

    (void)ctx;
    quote(rig, 99, 10, 101, 7);
    place(rig, limit(1, SIDE_BUY, 100, 9));
    rig->count = 0;
    quote(rig, 98, 10, 100, 4);
    expect_fill(rig, 0, 1, 100, 4, LIQUIDITY_MAKER);
    assert_int_equal(match_outside(rig->match)->ask_lots, 0);
    quote(rig, 98, 10, 99, 1);
    expect_fill(rig, 1, 1, 100, 5, LIQUIDITY_MAKER);
    expect_done(rig, 2, 1, MATCH_FILLED);
    rig_close(rig);
}

static void strict_touch_waits_for_the_price_to_be_passed(void **ctx)
{
    struct rig *rig = rig_open(&(struct match_options){ .touch = MATCH_TOUCH_STRICT });
    const struct bar touches = { 0, 105, 110, 100, 108, 1.0 };
    const struct bar passes = { 60000, 105, 110, 99, 108, 1.0 };

    (void)ctx;
    place(rig, limit(1, SIDE_BUY, 100, 5));
    place(rig, limit(2, SIDE_SELL, 109, 5));
    rig->count = 0;
    match_candle(rig->match, &touches, 60000);
    assert_int_equal(rig->count, 2);
    expect_fill(rig, 0, 2, 109, 5, LIQUIDITY_MAKER);
    match_candle(rig->match, &passes, 60000);
    expect_fill(rig, 2, 1, 100, 5, LIQUIDITY_MAKER);
    rig_close(rig);
}

static void a_rising_candle_meets_its_low_first(void **ctx)
{
    struct rig *rig = rig_open(NULL);
    const struct bar rising = { 0, 100, 110, 90, 105, 1.0 };
    const struct bar falling = { 60000, 105, 110, 90, 100, 1.0 };

    (void)ctx;
    for (int i = 0; i < 2; i++) {
        place(rig, limit(1, SIDE_BUY, 95, 5));
        place(rig, limit(2, SIDE_SELL, 108, 5));
        rig->count = 0;
        match_candle(rig->match, i == 0 ? &rising : &falling, 60000);
        expect_fill(rig, 0, i == 0 ? 1 : 2, i == 0 ? 95 : 108, 5, LIQUIDITY_MAKER);
        expect_fill(rig, 2, i == 0 ? 2 : 1, i == 0 ? 108 : 95, 5, LIQUIDITY_MAKER);
    }
    rig_close(rig);
}

static void an_account_does_not_trade_with_itself(void **ctx)
{
    struct rig *rig = rig_open(NULL);
    struct match_request buy = limit(2, SIDE_BUY, 100, 5);

    (void)ctx;
    place(rig, limit(1, SIDE_SELL, 100, 5));
    assert_non_null(place(rig, buy)); /* the maker is expired, the taker rests */
    expect_done(rig, 2, 1, MATCH_EXPIRED_STP);
    rig->count = 0;
    struct match_request sell = limit(3, SIDE_SELL, 100, 5);

    sell.stp = MATCH_STP_EXPIRE_TAKER;
    assert_null(place(rig, sell));
    expect_done(rig, 1, 3, MATCH_EXPIRED_STP);
    assert_int_equal(match_count(rig->match, SIDE_BUY), 1);
    rig_close(rig);
}

static void a_full_book_refuses_and_bad_requests_are_bad(void **ctx)
{
    struct rig *rig = rig_open(&(struct match_options){ .orders_max = 1 });
    struct match_request request = limit(1, SIDE_BUY, 0, 1);

    (void)ctx;
    assert_int_equal(match_place(rig->match, 1, &request, NULL), -EINVAL);
    request.price_ticks = 5;
    struct match_order *order = place(rig, request);

    assert_int_equal(match_place(rig->match, 1, &request, NULL), MATCH_FULL);
    match_cancel(rig->match, 2, order);
    place(rig, request);
    rig_close(rig);
}

static void depth_merges_ours_with_the_outside(void **ctx)
{
    struct rig *rig = rig_open(&(struct match_options){ .depth_levels = 1, .depth_lots = 10 });
    struct match_level levels[8];

    (void)ctx;
    quote(rig, 99, 5, 100, 7);
    place(rig, limit(1, SIDE_BUY, 99, 4));
    place(rig, limit(2, SIDE_BUY, 90, 4));
    assert_int_equal(match_depth(rig->match, SIDE_BUY, levels, 8), 3);
    assert_int_equal(levels[0].qty_lots, 9);
    assert_int_equal(levels[1].price_ticks, 98);
    assert_int_equal(levels[2].price_ticks, 90);
    rig_close(rig);
}

/* --- random walk: assets are conserved, nothing is negative, the book is never crossed
 * ------------ */

struct world {
    struct match *match;
    struct instrument instrument;
    struct fee_rule rule;
    struct funds *funds[3];       /* 1 and 2: accounts */
    struct flt_amt outside[2];    /* base, quote: what the outside and the fees got */
    struct flt_amt lock[1 << 14]; /* by order id */
    struct match_order *open[1 << 14];
    size_t next_id, fills;
};

static struct flt_amt cost_of(const struct world *world, int64_t price, int64_t lots)
{
    return flt_amt_product(ticks_to_price(&world->instrument, price),
                           lots_to_qty(&world->instrument, lots), FLT_ROUND_UP);
}

static struct flt_amt lots_amt(const struct world *world, int64_t lots)
{
    return flt_amt_from_dec(lots_to_qty(&world->instrument, lots));
}

static struct flt_amt lock_for_rest(const struct world *world, const struct match_order *order)
{
    const int64_t rest = order->req.qty_lots - order->filled_lots;

    if (order->req.kind == MATCH_MARKET)
        return world->lock[order->req.id];
    return order->req.side == SIDE_SELL ? lots_amt(world, rest)
                                        : cost_of(world, order->req.price_ticks, rest);
}

static void world_fill(void *ctx, const struct match_fill *fill)
{
    struct world *world = ctx;
    const struct match_request *req = &fill->order->req;
    struct funds_fill money = { .instrument = &world->instrument, .side = req->side };
    struct flt_amt after;

    world->fills++;
    money.qty = lots_amt(world, fill->qty_lots);
    money.cost = cost_of(world, fill->price_ticks, fill->qty_lots);
    money.fee = funds_fee(&world->rule, req->side, fill->liquidity, money.qty, money.cost,
                          &money.fee_in_base);
    after = lock_for_rest(world, fill->order);
    if (req->kind == MATCH_MARKET)
        after = flt_amt_sub(after, req->side == SIDE_SELL ? money.qty : money.cost);
    assert_int_equal(funds_settle(world->funds[req->account], &money, &world->lock[req->id], after),
                     0);
    const bool buys = req->side == SIDE_BUY;

    if (!fill->other) { /* the outside gave or got the other half */
        world->outside[0] = buys ? flt_amt_sub(world->outside[0], money.qty)
                                 : flt_amt_add(world->outside[0], money.qty);
        world->outside[1] = buys ? flt_amt_add(world->outside[1], money.cost)
                                 : flt_amt_sub(world->outside[1], money.cost);
    }
    world->outside[money.fee_in_base ? 0 : 1] =
        flt_amt_add(world->outside[money.fee_in_base ? 0 : 1], money.fee);
}

static void world_done(void *ctx, const struct match_order *order, enum match_end end)
{
    struct world *world = ctx;
    const uint64_t id = order->req.id;

    (void)end;
    funds_unlock(world->funds[order->req.account], order->req.side == SIDE_BUY ? "USDT" : "BTC",
                 world->lock[id]);
    world->lock[id] = FLT_AMT_ZERO;
    world->open[id] = NULL;
}

static uint32_t roll(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % below;
}

static void world_place(struct world *world, uint64_t *dice)
{
    struct match_request request = { .id = ++world->next_id,
                                     .account = 1 + roll(dice, 2),
                                     .side = roll(dice, 2) ? SIDE_BUY : SIDE_SELL,
                                     .kind = roll(dice, 5) ? MATCH_LIMIT : MATCH_MARKET,
                                     .tif = (enum tif)roll(dice, 3),
                                     .stp = (enum match_stp)roll(dice, 3),
                                     .qty_lots = 1 + roll(dice, 50) };
    struct match_preview preview;
    const char *asset;
    struct match_order *order;

    if (request.kind == MATCH_LIMIT)
        request.price_ticks = 950 + roll(dice, 100);
    request.post_only = request.kind == MATCH_LIMIT && roll(dice, 4) == 0;
    match_preview(world->match, &request, &preview);
    struct flt_amt cost = cost_of(world, request.price_ticks, request.qty_lots);

    if (request.kind == MATCH_MARKET)
        cost = flt_amt_mul(flt_amt_mul(flt_amt_from_int((int64_t)preview.cost),
                                       world->instrument.tick, FLT_ROUND_UP),
                           world->instrument.lot, FLT_ROUND_UP);
    const struct flt_amt need = funds_needed(&world->instrument, &world->rule, request.side,
                                             lots_amt(world, request.qty_lots), cost, &asset);

    if (funds_lock(world->funds[request.account], asset, need) != 0)
        return;
    world->lock[request.id] = need;
    const int outcome = match_place(world->match, 1, &request, &order);

    if (outcome != 0) {
        funds_unlock(world->funds[request.account], asset, need);
        world->lock[request.id] = FLT_AMT_ZERO;
    } else if (order) {
        world->open[request.id] = order;
    }
}

static void world_check(const struct world *world)
{
    static const char *const assets[] = { "BTC", "USDT" };
    const struct match_order *bid = match_at(world->match, SIDE_BUY, 0);
    const struct match_order *ask = match_at(world->match, SIDE_SELL, 0);

    for (size_t a = 0; a < 2; a++) {
        struct flt_amt sum = world->outside[a];

        for (size_t i = 1; i <= 2; i++) {
            const struct balance *balance = funds_find(world->funds[i], assets[a]);

            assert_true(flt_amt_sign(balance->free) >= 0 && flt_amt_sign(balance->locked) >= 0);
            sum = flt_amt_add(sum, flt_amt_add(balance->free, balance->locked));
        }
        assert_int_equal(flt_amt_cmp(sum, flt_amt_from_int(a == 0 ? 20 : 20000)), 0);
    }
    if (bid && ask)
        assert_true(bid->req.price_ticks < ask->req.price_ticks);
    const struct quote *outside = match_outside(world->match);

    if (bid && outside->ask_lots > 0)
        assert_true(bid->req.price_ticks < outside->ask_ticks);
    if (ask && outside->bid_lots > 0)
        assert_true(ask->req.price_ticks > outside->bid_ticks);
}

static void world_step(struct world *world, uint64_t *dice)
{
    const uint32_t kind = roll(dice, 10);

    if (kind < 5) {
        world_place(world, dice);
    } else if (kind < 7) {
        const size_t id = roll(dice, (uint32_t)world->next_id + 1);

        if (world->open[id])
            match_cancel(world->match, 1, world->open[id]);
    } else if (kind < 9) {
        const int64_t bid = 960 + roll(dice, 70);
        const struct quote q = { 1, bid, bid + 1 + roll(dice, 4), 1 + roll(dice, 30),
                                 1 + roll(dice, 30) };

        match_quote(world->match, &q);
    } else {
        const struct trade t = { 1, 1, 960 + roll(dice, 80), 1 + roll(dice, 90),
                                 roll(dice, 2) ? SIDE_BUY : SIDE_SELL };

        match_trade(world->match, &t);
    }
}

static void random_trading_conserves_assets_and_never_crosses(void **ctx)
{
    struct world *world = test_calloc(1, sizeof *world);
    const struct match_events events = { world, NULL, world_fill, world_done };
    uint64_t dice = 20260301;

    (void)ctx;
    world->instrument =
        (struct instrument){ .tick = { 1, 1 }, .lot = { 1, 3 }, .base = "BTC", .quote = "USDT" };
    world->rule = (struct fee_rule){ .maker = { 1, 3 }, .taker = { 15, 4 } };
    for (size_t i = 1; i <= 2; i++) {
        assert_int_equal(funds_create(&world->funds[i]), 0);
        assert_int_equal(funds_add(world->funds[i], "BTC", flt_amt_from_int(10)), 0);
        assert_int_equal(funds_add(world->funds[i], "USDT", flt_amt_from_int(10000)), 0);
    }
    assert_int_equal(
        match_create(&(struct match_options){ .depth_lots = 20 }, &events, &world->match), 0);
    for (int i = 0; i < 30000 && world->next_id < FLT_COUNT(world->open) - 1; i++) {
        world_step(world, &dice);
        world_check(world);
    }
    assert_true(world->fills > 5000);
    match_destroy(world->match);
    funds_destroy(world->funds[1]);
    funds_destroy(world->funds[2]);
    test_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_taker_gets_the_displayed_size_then_walks),
        cmocka_unit_test(own_orders_meet_by_price_then_time),
        cmocka_unit_test(post_only_is_refused_when_it_would_take),
        cmocka_unit_test(ioc_expires_its_rest_and_fok_is_all_or_nothing),
        cmocka_unit_test(a_market_order_by_budget_spends_no_more),
        cmocka_unit_test(a_trade_serves_the_queue_ahead_first),
        cmocka_unit_test(the_queue_is_never_longer_than_what_is_displayed),
        cmocka_unit_test(a_quote_beyond_the_price_fills_whole_and_a_touch_up_to_its_size),
        cmocka_unit_test(strict_touch_waits_for_the_price_to_be_passed),
        cmocka_unit_test(a_rising_candle_meets_its_low_first),
        cmocka_unit_test(an_account_does_not_trade_with_itself),
        cmocka_unit_test(a_full_book_refuses_and_bad_requests_are_bad),
        cmocka_unit_test(depth_merges_ours_with_the_outside),
        cmocka_unit_test(random_trading_conserves_assets_and_never_crosses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
