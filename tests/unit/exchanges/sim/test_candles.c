/* Candles from trades: gaps, the ring's end, and sums of longer ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "exchanges/sim/candles.h"

#define MINUTE 60000

static struct sim_candles candles;

static int begin(void **ctx)
{
    (void)ctx;
    return sim_candles_init(&candles, MINUTE, 4);
}

static int end(void **ctx)
{
    (void)ctx;
    sim_candles_finish(&candles);
    return 0;
}

static bool trade(int64_t ts_ms, int64_t id, int64_t price, int64_t lots, enum side side,
                  struct sim_kline *closed)
{
    const struct trade row = { ts_ms, id, price, lots, side };

    return sim_candles_trade(&candles, ts_ms, &row, closed);
}

static void a_minute_sums_its_trades(void **ctx)
{
    (void)ctx;
    assert_false(trade(MINUTE + 1, 7, 100, 2, SIDE_BUY, NULL));
    assert_false(trade(MINUTE + 2, 8, 120, 3, SIDE_SELL, NULL));
    assert_false(trade(MINUTE + 3, 9, 90, 1, SIDE_BUY, NULL));
    const struct sim_kline *k = sim_candles_back(&candles, 0);

    assert_int_equal(k->ts_ms, MINUTE);
    assert_true(k->open == 100 && k->high == 120 && k->low == 90 && k->close == 90);
    assert_true(k->lots == 6 && k->buy_lots == 3 && k->trades == 3);
    assert_true(k->first_id == 7 && k->last_id == 9);
    assert_true(k->cost == 650 && k->buy_cost == 290);
    assert_null(sim_candles_back(&candles, 1));
}

static void the_next_minute_closes_the_last_and_fills_the_gap_flat(void **ctx)
{
    struct sim_kline closed = { 0 };

    (void)ctx;
    (void)trade(MINUTE, 1, 100, 1, SIDE_BUY, NULL);
    assert_true(trade(3 * MINUTE + 5, 2, 110, 1, SIDE_BUY, &closed));
    assert_int_equal(closed.ts_ms, MINUTE);
    const struct sim_kline *gap = sim_candles_back(&candles, 1);

    assert_true(gap->ts_ms == 2 * MINUTE && gap->open == 100 && gap->close == 100);
    assert_true(gap->trades == 0 && gap->first_id == -1);
    assert_int_equal(sim_candles_back(&candles, 0)->open, 110);
    assert_false(sim_candles_advance(&candles, 3 * MINUTE + 59999, &closed));
    assert_true(sim_candles_advance(&candles, 4 * MINUTE, &closed));
    assert_int_equal(closed.close, 110);
}

static void the_ring_keeps_the_newest_after_a_long_silence(void **ctx)
{
    (void)ctx;
    (void)trade(0, 1, 100, 1, SIDE_BUY, NULL);
    assert_true(sim_candles_advance(&candles, INT64_C(1000000) * MINUTE, NULL));
    assert_int_equal(sim_candles_back(&candles, 0)->ts_ms, INT64_C(1000000) * MINUTE);
    assert_int_equal(sim_candles_back(&candles, 3)->ts_ms, INT64_C(999997) * MINUTE);
    assert_null(sim_candles_back(&candles, 4));
    assert_int_equal(sim_candles_back(&candles, 3)->close, 100);
}

static void longer_candles_are_sums_and_weeks_begin_on_monday(void **ctx)
{
    struct sim_kline sum = { .open = 10,
                             .high = 12,
                             .low = 9,
                             .close = 11,
                             .lots = 5,
                             .trades = 2,
                             .first_id = -1,
                             .last_id = -1 };
    const struct sim_kline more = { .open = 11,
                                    .high = 15,
                                    .low = 10,
                                    .close = 14,
                                    .lots = 4,
                                    .trades = 1,
                                    .first_id = 3,
                                    .last_id = 3 };
    const int64_t thursday = INT64_C(1709164800000), monday = INT64_C(1708905600000);

    (void)ctx;
    sim_kline_merge(&sum, &more);
    assert_true(sum.open == 10 && sum.high == 15 && sum.low == 9 && sum.close == 14);
    assert_true(sum.lots == 9 && sum.trades == 3 && sum.first_id == 3 && sum.last_id == 3);
    assert_int_equal(sim_kline_open(thursday + 5, INT64_C(7) * 86400000), monday);
    assert_int_equal(sim_kline_open(thursday + 3700000, 3600000), thursday + 3600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_minute_sums_its_trades, begin, end),
        cmocka_unit_test_setup_teardown(the_next_minute_closes_the_last_and_fills_the_gap_flat,
                                        begin, end),
        cmocka_unit_test_setup_teardown(the_ring_keeps_the_newest_after_a_long_silence, begin, end),
        cmocka_unit_test(longer_candles_are_sums_and_weeks_begin_on_monday),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
