#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "lib/market.h"

static void names_and_values_pair_up(void **ctx)
{
    enum side side;
    enum order_type type;
    enum tif tif;
    enum liquidity liquidity;
    enum order_status status;

    (void)ctx;
    for (unsigned i = 0; i < 2; i++)
        assert_true(side_parse(side_name((enum side)i), &side) && side == (enum side)i);
    for (unsigned i = 0; i < 2; i++)
        assert_true(order_type_parse(order_type_name((enum order_type)i), &type) &&
                    type == (enum order_type)i);
    for (unsigned i = 0; i < 3; i++)
        assert_true(tif_parse(tif_name((enum tif)i), &tif) && tif == (enum tif)i);
    for (unsigned i = 0; i < 3; i++)
        assert_true(liquidity_parse(liquidity_name((enum liquidity)i), &liquidity) &&
                    liquidity == (enum liquidity)i);
    for (unsigned i = 0; i < 6; i++)
        assert_true(order_status_parse(order_status_name((enum order_status)i), &status) &&
                    status == (enum order_status)i);
    assert_string_equal(order_status_name(ORDER_STATUS_PARTLY_FILLED), "partly_filled");
    assert_string_equal(side_name((enum side)9), "?");
}

static void an_unknown_word_leaves_the_value_alone(void **ctx)
{
    enum side side = SIDE_SELL;

    (void)ctx;
    assert_false(side_parse("BUY", &side));
    assert_false(side_parse(NULL, &side));
    assert_int_equal(side, SIDE_SELL);
    assert_int_equal(side_opposite(side), SIDE_BUY);
}

static void only_the_last_states_are_final(void **ctx)
{
    (void)ctx;
    assert_false(order_status_is_final(ORDER_STATUS_OPEN));
    assert_false(order_status_is_final(ORDER_STATUS_PARTLY_FILLED));
    assert_true(order_status_is_final(ORDER_STATUS_FILLED));
    assert_true(order_status_is_final(ORDER_STATUS_EXPIRED));
}

static void prices_become_ticks_and_come_back(void **ctx)
{
    const struct instrument btc = { .tick = { 1, 2 }, .lot = { 1, 5 } };
    char text[FLT_DEC_TEXT_MAX];

    (void)ctx;
    assert_int_equal(price_to_ticks(&btc, flt_dec_parse("64123.10"), FLT_ROUND_DOWN), 6412310);
    assert_int_equal(price_to_ticks(&btc, flt_dec_parse("64123.109"), FLT_ROUND_UP), 6412311);
    assert_string_equal(flt_dec_format(ticks_to_price(&btc, 6412310), text), "64123.1");
    assert_int_equal(qty_to_lots(&btc, flt_dec_parse("0.000019"), FLT_ROUND_DOWN), 1);
    assert_string_equal(flt_dec_format(lots_to_qty(&btc, 12345), text), "0.12345");
    assert_int_equal(price_to_ticks(&btc, FLT_DEC_BAD, FLT_ROUND_DOWN), INT64_MIN);
}

static void timeframes_are_a_closed_list(void **ctx)
{
    (void)ctx;
    assert_int_equal(timeframe_ms("1s"), 1000);
    assert_int_equal(timeframe_ms("1m"), 60000);
    assert_int_equal(timeframe_ms("1w"), 604800000);
    assert_int_equal(timeframe_ms("7m"), 0);
    assert_int_equal(timeframe_ms("1M"), 0);
    assert_int_equal(timeframe_ms(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_pair_up),
        cmocka_unit_test(an_unknown_word_leaves_the_value_alone),
        cmocka_unit_test(only_the_last_states_are_final),
        cmocka_unit_test(prices_become_ticks_and_come_back),
        cmocka_unit_test(timeframes_are_a_closed_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
