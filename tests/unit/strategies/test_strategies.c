/* The strategies against the fake venue, with sequences worked out by hand; and what each refuses.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/support/fake_venue.h"

static struct fake_venue venue;

static void begin(const char *strategy, const char *params)
{
    fake_open(&venue, 1);
    fake_create(&venue, strategy_find(strategy), params, NULL, 1);
    fake_start(&venue);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 1000);
}

static void end(void)
{
    fake_assert_books(&venue);
    fake_close(&venue);
}

static int64_t position(void)
{
    return bot_position_lots(venue.bot, 0);
}

/* --- what is refused
 * ------------------------------------------------------------------------------------ */

static void refused(const char *strategy, const char *params, const char *field, const char *hint)
{
    const struct instrument *instruments[] = { &venue.instrument };
    struct flt_error error = { 0 };
    struct json_object *tree = flt_json_parse(params, strlen(params), &error);
    const struct bot_config config = { .fleet = "test",
                                       .name = "bot-1",
                                       .strategy = strategy_find(strategy),
                                       .params = tree,
                                       .instruments = instruments,
                                       .leg_count = 1,
                                       .clock = &venue.clock.base };

    assert_non_null(tree);
    assert_int_equal(bot_check(&config, &error), -22);
    json_object_put(tree);
    assert_string_equal(error.field, field);
    if (!strstr(error.hint, hint))
        fail_msg("hint \"%s\" does not say \"%s\"", error.hint, hint);
}

static void a_parameter_set_that_cannot_earn_is_refused_with_what_to_do(void **ctx)
{
    (void)ctx;
    fake_open(&venue, 1);
    refused("grid", "{\"lower\":110,\"upper\":90,\"budget\":100}", "params.upper", "swap");
    refused("grid", "{\"lower\":0,\"upper\":90,\"budget\":100}", "params.lower", "");
    /* fees of 0.1 % twice: 20 * 1.001 / (0.002 * 110) = 91 levels at most, and of equal ratios
     * ln(110/90) / ln(1.001/0.999) = 100.3; both less 0.1 % for ticks */
    refused("grid", "{\"lower\":90,\"upper\":110,\"levels\":120,\"budget\":10000}", "params.levels",
            "at most 90 levels");
    refused("grid",
            "{\"lower\":90,\"upper\":110,\"levels\":120,\"budget\":10000,"
            "\"spacing\":\"geometric\"}",
            "params.levels", "at most 100 levels");
    refused("grid", "{\"lower\":100,\"upper\":100.1,\"levels\":20,\"budget\":1000}",
            "params.levels", "wider range");
    refused("grid", "{\"lower\":90,\"upper\":110,\"levels\":20,\"budget\":100}", "params.budget",
            "at most 19 levels");
    refused("sma_cross", "{\"amount\":50,\"fast\":30,\"slow\":10}", "params.fast", "swap");
    refused("sma_cross", "{\"amount\":5}", "params.amount", "at least 7.5 USDT");
    refused("rsi", "{\"amount\":50,\"buy_below\":80}", "params.buy_below", "");
    refused("dca", "{\"amount\":50,\"take_profit_pct\":0.2}", "params.take_profit_pct", "");
    refused("dca", "{\"amount\":50,\"safety_orders\":50,\"safety_step_pct\":2}",
            "params.safety_orders", "fewer");
    refused("pmm_simple", "{\"amount\":50,\"bid_spreads_bps\":[10],\"ask_spreads_bps\":[9]}",
            "params.bid_spreads_bps", "widen");
    fake_close(&venue);
}

/* Does what the hint says, and is accepted. */
static void a_grid_with_the_hinted_number_of_levels_is_accepted(void **ctx)
{
    (void)ctx;
    begin("grid", "{\"lower\":90,\"upper\":110,\"levels\":90,\"budget\":10000}");
    end();
    begin("grid", "{\"lower\":90,\"upper\":110,\"levels\":19,\"budget\":100}");
    end();
}

static void a_geometric_grid_has_equal_ratios(void **ctx)
{
    (void)ctx;
    begin("grid", "{\"lower\":80,\"upper\":\"125\",\"levels\":2,\"budget\":100,"
                  "\"spacing\":\"geometric\",\"initial_buy\":false}");
    /* 80, 100, 125 */
    assert_int_equal(fake_live(&venue, 0)->price_ticks, 8000);
    assert_int_equal(fake_live(&venue, 2)->price_ticks, 10000);
    end();
}

/* --- dca
 * --------------------------------------------------------------------------------------------------
 */

static void dca_buys_at_each_interval_and_sells_all_at_the_profit(void **ctx)
{
    (void)ctx;
    begin("dca", "{\"amount\":50,\"interval\":\"10s\",\"take_profit_pct\":2}");
    fake_run(&venue, 1000);
    /* 50 / 100.01 = 0.49995: 0.4999 at the ask, less 0.0004999 of fee */
    assert_int_equal(position(), 4994);
    fake_run(&venue, 11000);
    assert_int_equal(bot_ledger(venue.bot, 0)->fill_count, 2);
    const struct fake_order *profit = fake_live(&venue, 1);
    assert_int_equal(profit->qty_lots, position());
    const double cost = flt_amt_to_double(bot_ledger(venue.bot, 0)->cost);
    const double least = cost / ((double)position() * 1e-4) * 1.02 / 0.999 / 0.01;
    assert_int_equal(profit->price_ticks, (int64_t)ceil(least - 1e-9));
    fake_price(&venue, profit->price_ticks, profit->price_ticks + 2);
    fake_run(&venue, 2000);
    assert_int_equal(position(), 0);
    assert_int_equal(fake_live_count(&venue), 0);
    assert_true(flt_amt_sign(ledger_realised(bot_ledger(venue.bot, 0))) > 0);
    fake_run(&venue, 11000); /* a new round begins */
    assert_int_equal(bot_ledger(venue.bot, 0)->fill_count, 4);
    end();
}

static void dca_safety_orders_rest_below_the_first_buy(void **ctx)
{
    (void)ctx;
    begin("dca", "{\"amount\":50,\"interval\":\"1d\",\"take_profit_pct\":2,\"safety_orders\":2,"
                 "\"safety_step_pct\":1,\"safety_step_scale\":2,\"safety_volume_scale\":1.5}");
    fake_run(&venue, 2000);
    /* the order's limit, 100.22 (ask + 20 bps), is what the fake venue trades at; 1 % and 3 % below
     */
    const int64_t first = 10022;
    assert_int_equal(fake_live(&venue, 0x100)->price_ticks, (int64_t)floor((double)first * 0.99));
    assert_int_equal(fake_live(&venue, 0x101)->price_ticks, (int64_t)floor((double)first * 0.97));
    assert_int_equal(
        fake_live(&venue, 0x100)->qty_lots,
        (int64_t)floor(75.0 / ((double)fake_live(&venue, 0x100)->price_ticks * 0.01) * 1e4));
    const int64_t profit = fake_live(&venue, 1)->price_ticks;
    fake_price(&venue, 9900, 9902);
    fake_run(&venue, 3000);
    assert_null(fake_live(&venue, 0x100)); /* bought, and not again */
    assert_non_null(fake_live(&venue, 0x101));
    assert_true(fake_live(&venue, 1)->price_ticks < profit);
    assert_int_equal(fake_live(&venue, 1)->qty_lots, position());
    end();
}

static void dca_makes_up_for_one_buy_at_most(void **ctx)
{
    const char *params = "{\"amount\":50,\"interval\":\"10s\",\"take_profit_pct\":50}";

    (void)ctx;
    begin("dca", params);
    fake_run(&venue, 1000);
    flt_sim_clock_advance(&venue.clock, 100000); /* dead for ten intervals */
    fake_crash(&venue, strategy_find("dca"), params, NULL, 1, false);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 5000);
    assert_int_equal(bot_ledger(venue.bot, 0)->fill_count, 2);
    end();
}

/* --- strategies of bars
 * ------------------------------------------------------------------------------------ */

static void close_minute(int64_t price)
{
    const struct bar bar = { venue.clock.wall_now_ms - 60000, price, price, price, price, 1 };

    fake_price(&venue, price - 1, price + 1);
    bot_on_bar(venue.bot, 0, &bar, 60000, true, venue.clock.mono_now_ns);
    fake_run(&venue, 60000);
}

static void minutes(const int64_t *prices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close_minute(prices[i]);
}

static void align(void)
{
    fake_run(&venue, 60000 - venue.clock.wall_now_ms % 60000);
}

static void sma_cross_holds_while_fast_is_above_slow(void **ctx)
{
    /* sma(2) against sma(3): 9900 | 9833, 9850 | 9867 , ... crosses up with 10100, down with 9700
     */
    const int64_t down[] = { 10000, 9900, 9800 }, up[] = { 9900, 10100 }, below[] = { 9700, 9600 };

    (void)ctx;
    begin("sma_cross", "{\"amount\":50,\"fast\":2,\"slow\":3,\"timeframe\":\"1m\"}");
    align();
    minutes(down, 3);
    assert_int_equal(position(), 0);
    minutes(up, 2);
    assert_int_equal(bot_ledger(venue.bot, 0)->fill_count, 1);
    assert_true(position() > 4900);
    minutes(below, 2);
    assert_int_equal(position(), 0);
    assert_int_equal(bot_ledger(venue.bot, 0)->fill_count, 2);
    end();
}

static void rsi_buys_low_and_sells_high(void **ctx)
{
    const int64_t fall[] = { 10000, 9990, 9980, 9970 }, rise[] = { 10050, 10150 };

    (void)ctx;
    begin("rsi", "{\"amount\":50,\"period\":3,\"timeframe\":\"1m\"}");
    align();
    minutes(fall, 3);
    assert_int_equal(position(), 0); /* three bars are two changes */
    minutes(fall + 3, 1);
    assert_true(position() > 4900); /* 0: all changes were down */
    minutes(rise, 2);
    assert_int_equal(position(), 0);
    end();
}

static void longer_bars_are_made_of_minutes_and_close_in_time(void **ctx)
{
    struct bar history[40];

    (void)ctx;
    begin("rsi", "{\"amount\":50,\"period\":3,\"timeframe\":\"5m\"}");
    fake_run(&venue, 300000 - venue.clock.wall_now_ms % 300000);
    const int64_t start = venue.clock.wall_now_ms;
    for (int i = 0; i < 40; i++)
        history[i] = (struct bar){
            start - (40 - i) * INT64_C(300000), 10000, 10000, 10000, 10000 + i % 2, 1
        };
    assert_int_equal(bot_warmup_bars(venue.bot), 31);
    bot_on_history(venue.bot, 0, history, 40);
    for (int i = 0; i < 4; i++) {
        fake_run(&venue, 60000);
        const struct bar bar = { start + i * INT64_C(60000), 9000, 9000, 9000, 9000, 1 };
        fake_price(&venue, 8999, 9001);
        bot_on_bar(venue.bot, 0, &bar, 60000, true, venue.clock.mono_now_ns);
    }
    assert_int_equal(venue.places, 0); /* the bar is not closed: nothing is seen of it */
    fake_run(&venue, 60000);
    const struct bar last = { start + INT64_C(240000), 9000, 9000, 9000, 9000, 1 };
    bot_on_bar(venue.bot, 0, &last, 60000, true, venue.clock.mono_now_ns);
    fake_run(&venue, 2000);
    assert_true(position() > 0);
    end();
}

/* --- pmm_simple
 * ---------------------------------------------------------------------------------------------- */

#define PMM                                                                                        \
    "{\"amount\":25,\"bid_spreads_bps\":[100,200],\"ask_spreads_bps\":[100,200],"                  \
    "\"refresh\":\"5s\",\"tolerance_bps\":10}"

static void pmm_quotes_around_the_mid_and_sells_only_what_it_holds(void **ctx)
{
    (void)ctx;
    begin("pmm_simple", PMM);
    fake_run(&venue, 1000);
    /* R = 100: bids 99.00 x 0.2525, 98.00 x 0.2551, as in the worked example of hummingbot */
    assert_int_equal(fake_live(&venue, 0)->price_ticks, 9900);
    assert_int_equal(fake_live(&venue, 0)->qty_lots, 2525);
    assert_int_equal(fake_live(&venue, 2)->price_ticks, 9800);
    assert_int_equal(fake_live(&venue, 2)->qty_lots, 2551);
    assert_null(fake_live(&venue, 1)); /* nothing held yet */
    fake_price(&venue, 9897, 9899);
    fake_run(&venue, 7000);
    assert_true(position() > 0);
    assert_int_equal(fake_live(&venue, 1)->price_ticks, (int64_t)ceil(9898 * 1.01));
    assert_int_equal(fake_live(&venue, 1)->qty_lots, 2500); /* 25 / 99.97, no more than is held */
    end();
}

static void pmm_leaves_orders_that_are_near_enough(void **ctx)
{
    (void)ctx;
    begin("pmm_simple", PMM);
    fake_run(&venue, 1000);
    const size_t placed = venue.places;
    fake_price(&venue, 10004, 10006); /* 5 bps up: within tolerance */
    fake_run(&venue, 11000);
    assert_int_equal(venue.places, placed);
    fake_price(&venue, 10030, 10032);
    fake_run(&venue, 7000);
    assert_int_equal(fake_live(&venue, 0)->price_ticks, (int64_t)floor(10031 * 0.99));
    assert_true(venue.places > placed);
    end();
}

/* --- all of them
 * -----------------------------------------------------------------------------------------------
 */

static void each_strategy_is_listed_with_a_table_that_makes_a_schema(void **ctx)
{
    size_t count = 0;
    const struct strategy_ops *const *list = strategy_list(&count);

    (void)ctx;
    assert_int_equal(count, 7);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(strategy_find(list[i]->name), list[i]);
        assert_true(list[i]->help && *list[i]->help);
        for (const struct field *field = list[i]->params; field->name; field++)
            assert_true(field->help && *field->help && field->unit);
    }
    assert_null(strategy_find("nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parameter_set_that_cannot_earn_is_refused_with_what_to_do),
        cmocka_unit_test(a_grid_with_the_hinted_number_of_levels_is_accepted),
        cmocka_unit_test(a_geometric_grid_has_equal_ratios),
        cmocka_unit_test(dca_buys_at_each_interval_and_sells_all_at_the_profit),
        cmocka_unit_test(dca_safety_orders_rest_below_the_first_buy),
        cmocka_unit_test(dca_makes_up_for_one_buy_at_most),
        cmocka_unit_test(sma_cross_holds_while_fast_is_above_slow),
        cmocka_unit_test(rsi_buys_low_and_sells_high),
        cmocka_unit_test(longer_bars_are_made_of_minutes_and_close_in_time),
        cmocka_unit_test(pmm_quotes_around_the_mid_and_sells_only_what_it_holds),
        cmocka_unit_test(pmm_leaves_orders_that_are_near_enough),
        cmocka_unit_test(each_strategy_is_listed_with_a_table_that_makes_a_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
