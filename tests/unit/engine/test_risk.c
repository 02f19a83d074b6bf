/* Each rule at its limit and beyond it, with its own reason code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "engine/risk.h"
#include "strategies/params.h"

static const struct instrument btc = {
    .name = "BTC-USDT", .base = "BTC", .quote = "USDT", .tick = { 1, 2 }, .lot = { 1, 4 }
};
#define DAY INT64_C(86400000)

static struct risk limits(const char *json)
{
    struct risk risk = { 0 };
    struct json_object *tree = flt_json_parse(json, strlen(json), NULL);

    assert_int_equal(params_parse(risk_fields, tree, &risk.limits, sizeof risk.limits, NULL), 0);
    json_object_put(tree);
    risk_start(&risk, DAY, 0);
    return risk;
}

static struct risk_order buy(int64_t price_ticks, int64_t qty_lots)
{
    return (struct risk_order){ .instrument = &btc,
                                .side = SIDE_BUY,
                                .price_ticks = price_ticks,
                                .qty_lots = qty_lots,
                                .mark_ticks = 10000,
                                .price_age_ms = 5 };
}

/* The rule that refuses, "" when allowed. */
static const char *verdict(struct risk *risk, struct risk_order order)
{
    char why[160] = "";
    const char *rule = risk_check(risk, &order, why, sizeof why);

    assert_true(!rule || *why);
    return rule ? rule : "";
}

static void an_order_above_the_notional_limit_is_refused(void **ctx)
{
    struct risk risk = limits("{\"max_order_notional\":\"1000\"}");

    (void)ctx;
    assert_string_equal(verdict(&risk, buy(10000, 100000)), ""); /* 100 * 10 = 1000 */
    assert_string_equal(verdict(&risk, buy(10000, 100001)), "max_order_notional");
}

static void a_position_counts_what_rests_and_what_is_new(void **ctx)
{
    struct risk risk = limits("{\"max_position\":\"1\"}");
    struct risk_order order = buy(10000, 3000);

    (void)ctx;
    order.position_lots = 5000;
    order.resting_lots = 2000;
    assert_string_equal(verdict(&risk, order), "");
    order.resting_lots = 2001;
    assert_string_equal(verdict(&risk, order), "max_position");
    order.side = SIDE_SELL; /* through zero to the other side: 0.5 - 0.5001 is small */
    assert_string_equal(verdict(&risk, order), "");
}

static void a_position_is_valued_at_the_mark(void **ctx)
{
    struct risk risk = limits("{\"max_position_notional\":50}");

    (void)ctx;
    assert_string_equal(verdict(&risk, buy(9000, 5000)), "");
    assert_string_equal(verdict(&risk, buy(9000, 5001)), "max_position_notional");
}

static void resting_orders_are_counted(void **ctx)
{
    struct risk risk = limits("{\"max_open_orders\":3}");
    struct risk_order order = buy(10000, 1);

    (void)ctx;
    order.open_orders = 2;
    assert_string_equal(verdict(&risk, order), "");
    order.open_orders = 3;
    assert_string_equal(verdict(&risk, order), "max_open_orders");
}

static void a_price_outside_the_band_is_refused(void **ctx)
{
    struct risk risk = limits("{\"price_band_pct\":5}");

    (void)ctx;
    assert_string_equal(verdict(&risk, buy(9500, 1)), "");
    assert_string_equal(verdict(&risk, buy(9499, 1)), "price_band");
    assert_string_equal(verdict(&risk, buy(10501, 1)), "price_band");
}

static void an_old_or_missing_price_is_refused(void **ctx)
{
    struct risk risk = limits("{\"stale_ms\":\"2s\"}");
    struct risk_order order = buy(10000, 1);

    (void)ctx;
    order.price_age_ms = 2000;
    assert_string_equal(verdict(&risk, order), "");
    order.price_age_ms = 2001;
    assert_string_equal(verdict(&risk, order), "stale_price");
    order.price_age_ms = -1;
    assert_string_equal(verdict(&risk, order), "stale_price");
}

static void a_budget_of_orders_refills_with_time(void **ctx)
{
    struct risk risk = limits("{\"max_orders_per_minute\":2}");
    struct risk_order order = buy(10000, 1);

    (void)ctx;
    risk_spend(&risk, 0);
    assert_string_equal(verdict(&risk, order), "");
    risk_spend(&risk, 0);
    assert_string_equal(verdict(&risk, order), "max_orders_per_minute");
    order.now_ms = 29999;
    assert_string_equal(verdict(&risk, order), "max_orders_per_minute");
    order.now_ms = 30000;
    assert_string_equal(verdict(&risk, order), "");
}

static bool watch(struct risk *risk, int64_t wall_ms, const char *pnl, const char *mark)
{
    return risk_watch(risk, wall_ms, flt_amt_parse(pnl), flt_amt_from_int(1000),
                      flt_dec_parse(mark));
}

static void a_days_net_loss_trips_the_kill_switch_until_midnight(void **ctx)
{
    struct risk risk = limits("{\"max_daily_loss\":\"50\"}");

    (void)ctx;
    assert_false(watch(&risk, DAY, "0", "100"));
    assert_false(watch(&risk, DAY + 1, "-30", "100"));
    assert_false(watch(&risk, DAY + 2, "10", "100"));  /* +40: wins count */
    assert_false(watch(&risk, DAY + 3, "-15", "100")); /* -25: net -15, where gross would be 55 */
    assert_true(watch(&risk, DAY + 4, "-50", "100"));
    assert_string_equal(risk.tripped, "daily_loss");
    assert_string_equal(verdict(&risk, buy(10000, 1)), "kill_switch");
    assert_false(watch(&risk, DAY + 5, "0", "100")); /* stays, though it came back */
    assert_true(watch(&risk, 2 * DAY, "-50", "100"));
    assert_null(risk.tripped);
    assert_false(watch(&risk, 2 * DAY + 1, "-99", "100")); /* 49 of the new day */
}

static void a_fall_from_the_peak_trips(void **ctx)
{
    struct risk risk = limits("{\"max_drawdown_pct\":10}");

    (void)ctx;
    assert_false(watch(&risk, DAY, "1000", "100")); /* peak 2000 */
    assert_false(watch(&risk, DAY, "801", "100"));
    assert_true(watch(&risk, DAY, "800", "100"));
    assert_string_equal(risk.tripped, "max_drawdown");
}

static void a_price_and_the_time_trip(void **ctx)
{
    struct risk risk = limits("{\"price_stop_low\":90,\"price_stop_high\":110}");

    (void)ctx;
    assert_false(watch(&risk, DAY, "0", "90.01"));
    assert_true(watch(&risk, DAY, "0", "90"));
    assert_string_equal(risk.tripped, "price_stop");
    risk = limits("{\"time_stop_ms\":\"1h\"}");
    assert_false(watch(&risk, DAY + 3599999, "0", "100"));
    assert_true(watch(&risk, DAY + 3600000, "0", "100"));
    assert_string_equal(risk.tripped, "time_stop");
}

static void without_limits_only_age_and_rate_are_judged(void **ctx)
{
    struct risk risk = limits("{}");

    (void)ctx;
    assert_string_equal(verdict(&risk, buy(1, INT64_C(1000000000))), "");
    for (int i = 0; i < 600; i++)
        risk_spend(&risk, 0);
    assert_string_equal(verdict(&risk, buy(10000, 1)), "max_orders_per_minute");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_above_the_notional_limit_is_refused),
        cmocka_unit_test(a_position_counts_what_rests_and_what_is_new),
        cmocka_unit_test(a_position_is_valued_at_the_mark),
        cmocka_unit_test(resting_orders_are_counted),
        cmocka_unit_test(a_price_outside_the_band_is_refused),
        cmocka_unit_test(an_old_or_missing_price_is_refused),
        cmocka_unit_test(a_budget_of_orders_refills_with_time),
        cmocka_unit_test(a_days_net_loss_trips_the_kill_switch_until_midnight),
        cmocka_unit_test(a_fall_from_the_peak_trips),
        cmocka_unit_test(a_price_and_the_time_trip),
        cmocka_unit_test(without_limits_only_age_and_rate_are_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
