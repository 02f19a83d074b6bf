#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "exchanges/match/funds.h"

static const struct instrument btc = {
    .base = "BTC", .quote = "USDT", .tick = { 1, 2 }, .lot = { 1, 5 }
};
static const struct fee_rule rule = { .maker = { 1, 3 }, .taker = { 1, 3 } };

static struct flt_amt amt(const char *text)
{
    const struct flt_amt value = flt_amt_parse(text);

    assert_true(flt_amt_ok(value));
    return value;
}

static void expect(const struct funds *funds, const char *asset, const char *free,
                   const char *locked)
{
    const struct balance *balance = funds_find(funds, asset);
    char text[FLT_AMT_TEXT_MAX];

    assert_non_null(balance);
    assert_string_equal(flt_amt_format(balance->free, text), free);
    assert_string_equal(flt_amt_format(balance->locked, text), locked);
}

static void what_is_not_there_cannot_be_locked(void **ctx)
{
    struct funds *funds;

    (void)ctx;
    assert_int_equal(funds_create(&funds), 0);
    assert_int_equal(funds_lock(funds, "USDT", amt("1")), FUNDS_INSUFFICIENT);
    assert_int_equal(funds_add(funds, "USDT", amt("100")), 0);
    assert_int_equal(funds_lock(funds, "USDT", amt("100.00000001")), FUNDS_INSUFFICIENT);
    assert_int_equal(funds_lock(funds, "USDT", amt("60")), 0);
    assert_int_equal(funds_lock(funds, "USDT", amt("60")), FUNDS_INSUFFICIENT);
    assert_int_equal(funds_add(funds, "USDT", amt("-41")), FUNDS_INSUFFICIENT);
    expect(funds, "USDT", "40", "60");
    funds_unlock(funds, "USDT", amt("60"));
    expect(funds, "USDT", "100", "0");
    assert_int_equal(funds_lock(funds, "USDT", FLT_AMT_BAD), -EINVAL);
    funds_destroy(funds);
}

static void a_buyer_pays_in_quote_and_its_fee_in_what_it_gets(void **ctx)
{
    struct funds *funds;
    struct flt_amt lock = amt("600");
    struct funds_fill fill = {
        .instrument = &btc, .side = SIDE_BUY, .qty = amt("0.005"), .cost = amt("299.5")
    };

    (void)ctx;
    assert_int_equal(funds_create(&funds), 0);
    assert_int_equal(funds_add(funds, "USDT", amt("1000")), 0);
    assert_int_equal(funds_lock(funds, "USDT", lock), 0);
    fill.fee = funds_fee(&rule, SIDE_BUY, LIQUIDITY_TAKER, fill.qty, fill.cost, &fill.fee_in_base);
    assert_true(fill.fee_in_base);
    /* half is filled 0.5 cheaper than its limit: the lock keeps what the other half needs */
    assert_int_equal(funds_settle(funds, &fill, &lock, amt("300")), 0);
    expect(funds, "USDT", "400.5", "300");
    expect(funds, "BTC", "0.004995", "0");
    funds_destroy(funds);
}

static void a_fee_in_quote_comes_out_of_the_sellers_proceeds(void **ctx)
{
    struct fee_rule in_quote = rule;
    struct funds *funds;
    struct flt_amt lock = amt("0.005");
    struct funds_fill fill = {
        .instrument = &btc, .side = SIDE_SELL, .qty = amt("0.005"), .cost = amt("300")
    };

    (void)ctx;
    in_quote.asset = FEE_QUOTE;
    assert_int_equal(funds_create(&funds), 0);
    assert_int_equal(funds_add(funds, "BTC", amt("0.005")), 0);
    assert_int_equal(funds_lock(funds, "BTC", lock), 0);
    fill.fee =
        funds_fee(&in_quote, SIDE_SELL, LIQUIDITY_MAKER, fill.qty, fill.cost, &fill.fee_in_base);
    assert_int_equal(funds_settle(funds, &fill, &lock, FLT_AMT_ZERO), 0);
    expect(funds, "USDT", "299.7", "0");
    expect(funds, "BTC", "0", "0");
    funds_destroy(funds);
}

static void a_buyer_whose_fee_is_in_quote_locks_it_too(void **ctx)
{
    struct fee_rule in_quote = rule;
    const char *asset;
    struct flt_amt need;
    bool in_base;

    (void)ctx;
    in_quote.asset = FEE_QUOTE;
    need = funds_needed(&btc, &in_quote, SIDE_BUY, amt("0.005"), amt("300"), &asset);
    assert_string_equal(asset, "USDT");
    const struct flt_amt fee =
        funds_fee(&in_quote, SIDE_BUY, LIQUIDITY_TAKER, amt("0.005"), amt("300"), &in_base);

    assert_false(in_base);
    assert_true(flt_amt_cmp(need, flt_amt_add(amt("300"), fee)) >= 0);
}

static void a_fee_is_rounded_up_to_the_assets_digits(void **ctx)
{
    char text[FLT_AMT_TEXT_MAX];
    bool in_base;

    (void)ctx;
    flt_amt_format(
        funds_fee(&rule, SIDE_BUY, LIQUIDITY_MAKER, amt("0.00001234"), amt("1"), &in_base), text);
    assert_string_equal(text, "0.00000002");
    flt_amt_format(
        funds_fee(&rule, SIDE_SELL, LIQUIDITY_MAKER, amt("1"), amt("0.000000001"), &in_base), text);
    assert_string_equal(text, "0.000000001"); /* never more than the fill brings */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_there_cannot_be_locked),
        cmocka_unit_test(a_buyer_pays_in_quote_and_its_fee_in_what_it_gets),
        cmocka_unit_test(a_fee_in_quote_comes_out_of_the_sellers_proceeds),
        cmocka_unit_test(a_buyer_whose_fee_is_in_quote_locks_it_too),
        cmocka_unit_test(a_fee_is_rounded_up_to_the_assets_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
