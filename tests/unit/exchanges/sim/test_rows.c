/* Market data files of the simulator: what is taken, and what is refused with its line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "exchanges/sim/rows.h"

static const struct instrument btc = {
    .name = "BTC-USDT", .tick = { 1, 2 }, .lot = { 1, 5 }, .price_min = { 1, 2 }
};

static int parse(enum sim_rows_kind kind, const char *text, struct sim_rows *rows,
                 struct flt_error *error)
{
    *error = (struct flt_error){ 0 };
    return sim_rows_parse(kind, &btc, text, strlen(text), rows, error);
}

static void trades_are_ticks_and_lots_with_the_taker_as_aggressor(void **ctx)
{
    struct sim_rows rows;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(parse(SIM_ROWS_TRADES,
                           "ts_ms,price,qty,is_buyer_maker\n"
                           "1000,61837.63000000,0.02000000,true\n1000,61838.00,0.5,False\n",
                           &rows, &error),
                     0);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.trades[0].price_ticks, 6183763);
    assert_int_equal(rows.trades[0].qty_lots, 2000);
    assert_int_equal(rows.trades[0].aggressor, SIDE_SELL); /* the buyer was there first */
    assert_int_equal(rows.trades[1].aggressor, SIDE_BUY);
    sim_rows_finish(&rows);
}

static void a_size_below_the_lot_was_still_a_trade(void **ctx)
{
    struct sim_rows rows;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(parse(SIM_ROWS_TRADES, "ts_ms,price,qty,is_buyer_maker\n1,2,0.000001,true\n",
                           &rows, &error),
                     0);
    assert_int_equal(rows.trades[0].qty_lots, 1);
    sim_rows_finish(&rows);
}

static void quotes_and_candles_are_read(void **ctx)
{
    struct sim_rows rows;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(parse(SIM_ROWS_QUOTES,
                           "ts_ms,update_id,bid,bid_qty,ask,ask_qty\n5,1,10.00,1,10.01,2\n", &rows,
                           &error),
                     0);
    assert_int_equal(rows.quotes[0].ask_ticks, 1001);
    assert_int_equal(rows.quotes[0].ask_lots, 200000);
    sim_rows_finish(&rows);
    assert_int_equal(
        parse(SIM_ROWS_CANDLES,
              "ts_ms,open,high,low,close,volume\n0,10,12,9,11,5\n60000,11,11,11,11,0\n", &rows,
              &error),
        0);
    assert_int_equal(rows.candles[0].high, 1200);
    assert_int_equal(rows.count, 2);
    sim_rows_finish(&rows);
}

static void what_is_wrong_is_refused_with_its_line(void **ctx)
{
    static const struct {
        enum sim_rows_kind kind;
        const char *text, *says;
    } cases[] = {
        { SIM_ROWS_TRADES, "ts_ms,price,qty,is_buyer_maker\n1,2,3,true\n1,x,3,true\n", "3" },
        { SIM_ROWS_TRADES, "ts_ms,price,qty,is_buyer_maker\n9,2,3,true\n8,2,3,true\n", "3" },
        { SIM_ROWS_TRADES, "ts_ms,price,qty,is_buyer_maker\n1,0,3,true\n", "2" },
        { SIM_ROWS_TRADES, "ts_ms,price,qty,is_buyer_maker\n1,2,3,maybe\n", "2" },
        { SIM_ROWS_TRADES, "ts_ms,price,qty,is_buyer_maker\n1,2,3\n", "2" },
        { SIM_ROWS_TRADES, "ts_ms,price,qty,is_buyer_maker\n", "" },
        { SIM_ROWS_TRADES, "ts_ms,price,qty\n1,2,3\n", "is_buyer_maker" },
        { SIM_ROWS_QUOTES, "ts_ms,update_id,bid,bid_qty,ask,ask_qty\n5,1,10,1,9,2\n", "2" },
        { SIM_ROWS_CANDLES, "ts_ms,open,high,low,close,volume\n0,10,9,9,11,5\n", "2" },
        { SIM_ROWS_CANDLES, "ts_ms,open,high,low,close,volume\n0,1,1,1,1,5\n0,1,1,1,1,5\n", "3" },
    };

    (void)ctx;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sim_rows rows;
        struct flt_error error;

        assert_int_equal(parse(cases[i].kind, cases[i].text, &rows, &error), -EINVAL);
        if (!strstr(error.message, cases[i].says))
            fail_msg("case %zu says: %s", i, error.message);
        sim_rows_finish(&rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trades_are_ticks_and_lots_with_the_taker_as_aggressor),
        cmocka_unit_test(a_size_below_the_lot_was_still_a_trade),
        cmocka_unit_test(quotes_and_candles_are_read),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
