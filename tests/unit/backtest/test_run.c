/* Runs over drawn markets: what has to hold for any strategy, and what the checks must find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "backtest/lookahead.h"
#include "backtest/trades.h"

#define BARS 1500

static int64_t columns[5][BARS];
static double volume[BARS];

static struct data market = {
    .columns = { columns[0], columns[1], columns[2], columns[3], columns[4], volume },
    .count = BARS,
    .bar_ms = 60000,
    .tick = { 1, 1 },
    .name = "drawn",
};

static uint32_t draw(uint32_t below)
{
    static uint64_t state = 88172645463325252ULL;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

/* Steps of up to 10 around 1000.0, now and then a gap, pulled back to its mean. */
static int make_market(void **ctx)
{
    int64_t price = 10000;

    (void)ctx;
    for (size_t i = 0; i < BARS; i++) {
        const int64_t open = price + (draw(20) == 0 ? (int64_t)draw(201) - 100 : 0);
        const int64_t close = open + (10000 - open) / 50 + (int64_t)draw(201) - 100;

        columns[0][i] = INT64_C(1600000000000) + (int64_t)i * 60000;
        columns[1][i] = open;
        columns[2][i] = (open > close ? open : close) + draw(40);
        columns[3][i] = (open < close ? open : close) - draw(40);
        columns[4][i] = price = close;
        volume[i] = 1;
    }
    return 0;
}

struct sample {
    const char *strategy, *params;
};

static const struct sample samples[] = {
    { "sma_cross", "{\"fast\":3,\"slow\":9,\"stake_pct\":95}" },
    { "rsi", "{\"period\":5,\"buy_below\":35,\"sell_above\":65,\"qty\":1}" },
    { "hold", "{\"qty\":\"1.5\"}" },
    { "grid_lines", "{\"lower\":980,\"step\":2,\"lines\":20,\"qty\":1}" },
    { "grid", "{\"lower\":900,\"upper\":1100,\"levels\":20,\"budget\":10000}" },
    { "dca", "{\"amount\":500,\"interval\":\"10m\",\"take_profit_pct\":1}" },
    { "pmm_simple", "{\"amount\":500}" },
};

static struct run_config config_of(const char *strategy, const char *params)
{
    struct run_config config = {
        .strategy = strategy_find(strategy),
        .params = json_tokener_parse(params),
        .data = &market,
        .fill = fill_model_find("next-open"),
        .fee = { 1, 3 },
        .lot = { 1, 6 },
        .cash = flt_amt_from_int(100000),
    };

    assert_non_null(config.params);
    return config;
}

static void run_it(const struct run_config *config, struct run_result *out)
{
    struct flt_error error = { 0 };

    if (run_backtest(config, out, &error))
        fail_msg("%s: %s: %s (%s)", config->strategy->name, error.field, error.message, error.hint);
}

static void every_strategy_has_a_sample_here(void **ctx)
{
    size_t count = 0;
    const struct strategy_ops *const *list = strategy_list(&count);

    (void)ctx;
    for (size_t i = 0; i < count; i++) {
        bool found = false;

        for (size_t k = 0; k < FLT_COUNT(samples); k++)
            found = found || !strcmp(samples[k].strategy, list[i]->name);
        if (!found)
            fail_msg("no sample of %s", list[i]->name);
    }
}

static void assert_same(const struct run_result *a, const struct run_result *b)
{
    assert_int_equal(a->fill_count, b->fill_count);
    for (size_t i = 0; i < a->fill_count; i++) {
        assert_int_equal(a->fills[i].bar, b->fills[i].bar);
        assert_int_equal(a->fills[i].price_ticks, b->fills[i].price_ticks);
        assert_int_equal(a->fills[i].qty_lots, b->fills[i].qty_lots);
        assert_true(flt_amt_cmp(a->fills[i].cash, b->fills[i].cash) == 0);
    }
    assert_int_equal(a->order_count, b->order_count);
}

static void skipped_bars_change_nothing(void **ctx)
{
    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(samples); i++) {
        struct run_config config = config_of(samples[i].strategy, samples[i].params);
        struct run_result quick, slow;

        run_it(&config, &quick);
        config.every_bar = true;
        run_it(&config, &slow);
        assert_true(quick.fill_count > 0);
        if (quick.fill_count != slow.fill_count)
            fail_msg("%s: %zu fills, without skipping %zu", samples[i].strategy, quick.fill_count,
                     slow.fill_count);
        assert_same(&quick, &slow);
        run_free(&quick);
        run_free(&slow);
        json_object_put(config.params);
    }
}

/* Equity at the end = cash at the start + what the trades brought + the open position at the last
 * close, less what it and its fees cost. */
static void equity_is_what_fills_and_trades_add_up_to(void **ctx)
{
    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(samples); i++) {
        const struct run_config config = config_of(samples[i].strategy, samples[i].params);
        struct flt_amt flow = config.cash, trade_sum = FLT_AMT_ZERO;
        struct run_result result;
        struct trades trades;
        int64_t position = 0;

        run_it(&config, &result);
        for (size_t k = 0; k < result.fill_count; k++) {
            const struct run_fill *fill = &result.fills[k];
            const int64_t lots = fill->side == SIDE_BUY ? fill->qty_lots : -fill->qty_lots;

            flow = flt_amt_sub(
                flt_amt_sub(flow,
                            flt_amt_product(ticks_to_price(&result.instrument, fill->price_ticks),
                                            lots_to_qty(&result.instrument, lots), FLT_ROUND_DOWN)),
                fill->fee);
            position += lots;
            assert_true(flt_amt_cmp(flow, fill->cash) == 0);
            assert_int_equal(position, fill->position_lots);
        }
        assert_int_equal(trades_make(&result, &trades), 0);
        for (size_t k = 0; k < trades.count; k++)
            trade_sum = flt_amt_add(trade_sum, trades.trade[k].pnl);
        if (position == 0)
            assert_true(flt_amt_cmp(flow, flt_amt_add(config.cash, trade_sum)) == 0);
        const struct run_segment *last = &result.segments[result.segment_count - 1];
        assert_true(flt_amt_cmp(last->cash, flow) == 0);
        assert_int_equal(last->position_lots, position);
        trades_free(&trades);
        run_free(&result);
        json_object_put(config.params);
    }
}

static void no_strategy_looks_ahead(void **ctx)
{
    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(samples); i++) {
        const struct run_config config = config_of(samples[i].strategy, samples[i].params);
        struct lookahead found;
        struct flt_error error = { 0 };

        assert_int_equal(lookahead_check(&config, 10, &found, &error), 0);
        if (found.found)
            fail_msg("%s: %s", samples[i].strategy, found.what);
        assert_true(found.points >= 5 && found.decisions > 0);
        json_object_put(config.params);
    }
}

/* --- a cheat: it buys before a rise and sells before a fall, out of the columns that the fill
 * model lets it see --- */

static const struct indicator_columns *seen;

static int64_t spying_price(const struct book_order *order, const struct indicator_columns *all,
                            size_t bar)
{
    (void)order;
    seen = all;
    return all->open_ticks[bar];
}

static const struct fill_model spy = { .name = "spy", .help = "", .price = spying_price };

static void cheat_on_event(void *state, const void *params, const struct event *event,
                           const struct view *view, struct wants *wants)
{
    const struct bar *now = &view->leg[0].bars[view->leg[0].bar_count - 1];
    const size_t i = (size_t)(now->ts_ms - columns[0][0]) / 60000;

    (void)state;
    (void)params;
    if (event->kind != EVENT_BAR_CLOSED)
        return;
    if (i == 1)
        seen = NULL; /* of an earlier run */
    const bool rises = seen && i + 2 < BARS && seen->close_ticks[i + 2] > seen->open_ticks[i + 1];
    wants_target(wants, 0, 1, rises || !seen ? 1000000 : 0, NO_LIMIT);
}

static size_t no_state(const void *params)
{
    (void)params;
    return 8;
}

static int cheat_declare(const void *params, struct needs *needs)
{
    (void)params;
    *needs = (struct needs){ .legs = 1, .bar_ms = 60000, .bars = 1, .orders_max = 1 };
    return 0;
}

static const struct field none[] = { FIELD_END };
static const struct strategy_ops cheat = { .name = "cheat",
                                           .params = none,
                                           .state = none,
                                           .state_size = no_state,
                                           .declare = cheat_declare,
                                           .on_event = cheat_on_event };

static void a_strategy_that_looks_ahead_is_found(void **ctx)
{
    struct run_config config = config_of("hold", "{}");
    struct lookahead found;
    struct flt_error error = { 0 };

    (void)ctx;
    config.strategy = &cheat;
    config.fill = &spy;
    assert_int_equal(lookahead_check(&config, 10, &found, &error), 0);
    assert_true(found.found);
    assert_non_null(strstr(found.what, "mirrored"));
    json_object_put(config.params);
}

/* It trades one instrument out of another one's future. */
static void one_that_sees_another_instruments_future_is_found(void **ctx)
{
    struct run_config runs[] = { config_of("hold", "{}"), config_of("hold", "{\"qty\":\"1\"}") };
    struct portfolio_config config = { runs, 2, flt_amt_from_int(100000), true, NULL };
    struct lookahead found;
    struct flt_error error = { 0 };

    (void)ctx;
    runs[0].strategy = &cheat;
    runs[0].instrument = "A-Q";
    runs[1].instrument = "B-Q";
    runs[1].fill = &spy; /* its order shows the columns of B */
    assert_int_equal(lookahead_check_all(&config, 10, &found, &error), 0);
    assert_true(found.found);
    assert_non_null(strstr(found.what, "of A-Q"));
    json_object_put(runs[0].params);
    runs[0].params = json_tokener_parse("{\"qty\":\"1\"}");
    runs[0].strategy = runs[1].strategy;
    assert_int_equal(lookahead_check_all(&config, 10, &found, &error), 0);
    assert_false(found.found);
    json_object_put(runs[0].params);
    json_object_put(runs[1].params);
}

/* --- risk, and an early end --- */

static void no_rule_holds_unless_it_is_set(void **ctx)
{
    struct run_config config = config_of("grid_lines", samples[3].params);
    struct run_result result;

    (void)ctx;
    config.cash = flt_amt_from_int(1); /* money is not checked */
    run_it(&config, &result);
    assert_true(result.fill_count > 10);
    assert_int_equal(result.counters.risk_refusals, 0);
    run_free(&result);
    config.risk = json_tokener_parse("{\"max_position\":\"3\"}");
    run_it(&config, &result);
    assert_true(result.counters.risk_refusals > 0);
    for (size_t i = 0; i < result.fill_count; i++)
        assert_true(result.fills[i].position_lots <= 3000000);
    assert_non_null(strstr(result.trouble, "max_position"));
    run_free(&result);
    json_object_put(config.risk);
    json_object_put(config.params);
}

static void a_drawdown_rule_pauses_at_the_bar_that_breaks_it(void **ctx)
{
    struct run_config config = config_of("hold", "{\"qty\":100}");
    struct run_result result;

    (void)ctx;
    config.risk = json_tokener_parse("{\"price_stop_low\":\"1\",\"max_drawdown_pct\":0.5}");
    run_it(&config, &result);
    assert_int_equal(result.fill_count, 1); /* entries stop; what is held stays */
    assert_non_null(strstr(result.trouble, "max_drawdown"));
    run_free(&result);
    json_object_put(config.risk);
    json_object_put(config.params);
}

static void a_stopped_run_is_the_beginning_of_the_whole_one(void **ctx)
{
    static volatile sig_atomic_t stop = 1;
    struct run_config config = config_of("hold", "{\"qty\":1}");
    struct run_result result;

    (void)ctx;
    config.stop = &stop;
    run_it(&config, &result);
    assert_true(result.stopped);
    assert_true(result.bars >= 1 && result.bars < BARS);
    assert_int_equal(result.segment_count, 1);
    run_free(&result);
    json_object_put(config.params);
}

static void data_shorter_than_the_warm_up_trade_nothing_and_say_how_much_is_needed(void **ctx)
{
    struct run_config config = config_of("sma_cross", "{\"fast\":10,\"slow\":2000,\"qty\":1}");
    struct run_result result;

    (void)ctx;
    run_it(&config, &result);
    assert_int_equal(result.fill_count, 0);
    assert_int_equal(result.ready_bars, 2001);
    run_free(&result);
    json_object_put(config.params);
}

/* --- the fill models, one bar at a time --- */

static int64_t price_of(const char *model, enum side side, int64_t limit, int64_t open,
                        int64_t high, int64_t low)
{
    const int64_t o[] = { open }, h[] = { high }, l[] = { low }, ts[] = { 0 };
    const struct indicator_columns bar = { ts, o, h, l, o, NULL };
    const struct book_order order = { .side = side,
                                      .type = limit ? ORDER_LIMIT : ORDER_MARKET,
                                      .price_ticks = limit };

    return fill_model_find(model)->price(&order, &bar, 0);
}

static void each_model_fills_where_it_says(void **ctx)
{
    (void)ctx;
    assert_int_equal(price_of("next-open", SIDE_BUY, 0, 100, 110, 90), 100);
    assert_int_equal(price_of("next-open", SIDE_BUY, 90, 100, 110, 90), 90);   /* touched */
    assert_int_equal(price_of("next-open", SIDE_BUY, 105, 100, 110, 90), 100); /* a better open */
    assert_int_equal(price_of("next-open", SIDE_SELL, 110, 100, 110, 90), 110);
    assert_int_equal(price_of("next-open", SIDE_SELL, 95, 100, 110, 90), 100);
    assert_true(price_of("next-open", SIDE_BUY, 89, 100, 110, 90) == NO_FILL);
    assert_true(price_of("strict-cross", SIDE_BUY, 90, 100, 110, 90) == NO_FILL);
    assert_int_equal(price_of("strict-cross", SIDE_BUY, 91, 100, 110, 90), 91);
    assert_int_equal(price_of("strict-cross", SIDE_BUY, 105, 100, 110, 90),
                     105); /* no better open */
    assert_true(price_of("strict-cross", SIDE_SELL, 110, 100, 110, 90) == NO_FILL);
    assert_int_equal(price_of("strict-cross", SIDE_SELL, 109, 100, 110, 90), 109);
    assert_int_equal(price_of("path", SIDE_BUY, 105, 100, 110, 90), 100);
    assert_int_equal(price_of("path", SIDE_SELL, 110, 100, 110, 90), 110);
}

/* open 100, low 90, high 110: a rising bar meets 95 first, a falling one 105; and 92 after 95. */
static void a_path_meets_orders_in_its_own_order(void **ctx)
{
    const struct fill_model *path = fill_model_find("path");
    const int64_t open[] = { 100 }, high[] = { 110 }, low[] = { 90 }, up[] = { 105 },
                  down[] = { 95 };
    struct indicator_columns bar = { open, open, high, low, up, NULL };
    const struct book_order orders[] = { { .side = SIDE_SELL, .price_ticks = 105 },
                                         { .side = SIDE_BUY, .price_ticks = 92 },
                                         { .side = SIDE_BUY, .price_ticks = 95 },
                                         { .side = SIDE_BUY, .price_ticks = 80 } };

    (void)ctx;
    assert_true(path->distance(&orders[2], &bar, 0) < path->distance(&orders[1], &bar, 0));
    assert_true(path->distance(&orders[1], &bar, 0) < path->distance(&orders[0], &bar, 0));
    bar.close_ticks = down;
    assert_true(path->distance(&orders[0], &bar, 0) < path->distance(&orders[2], &bar, 0));
    assert_true(path->distance(&orders[2], &bar, 0) < path->distance(&orders[1], &bar, 0));
    assert_true(path->price(&orders[3], &bar, 0) == NO_FILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_strategy_has_a_sample_here),
        cmocka_unit_test(skipped_bars_change_nothing),
        cmocka_unit_test(equity_is_what_fills_and_trades_add_up_to),
        cmocka_unit_test(no_strategy_looks_ahead),
        cmocka_unit_test(a_strategy_that_looks_ahead_is_found),
        cmocka_unit_test(one_that_sees_another_instruments_future_is_found),
        cmocka_unit_test(each_model_fills_where_it_says),
        cmocka_unit_test(a_path_meets_orders_in_its_own_order),
        cmocka_unit_test(no_rule_holds_unless_it_is_set),
        cmocka_unit_test(a_drawdown_rule_pauses_at_the_bar_that_breaks_it),
        cmocka_unit_test(a_stopped_run_is_the_beginning_of_the_whole_one),
        cmocka_unit_test(data_shorter_than_the_warm_up_trade_nothing_and_say_how_much_is_needed),
    };

    return cmocka_run_group_tests(tests, make_market, NULL);
}
