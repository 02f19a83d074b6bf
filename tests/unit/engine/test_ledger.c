#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "engine/ledger.h"

static const struct instrument btc = {
    .name = "BTC-USDT", .base = "BTC", .quote = "USDT", .tick = { 1, 2 }, .lot = { 1, 4 }
};

static int apply(struct ledger *ledger, enum side side, const char *price, const char *qty,
                 const char *fee, const char *asset)
{
    struct fill fill = { .trade_id = "1",
                         .side = side,
                         .price = flt_dec_parse(price),
                         .qty = flt_dec_parse(qty),
                         .fee = flt_amt_parse(fee) };

    (void)snprintf(fill.fee_asset, sizeof fill.fee_asset, "%s", asset);
    return ledger_apply(ledger, &btc, &fill);
}

static void check(const struct ledger *ledger, const char *position, const char *cash,
                  const char *cost, const char *realised)
{
    char text[FLT_AMT_TEXT_MAX];

    assert_string_equal(flt_amt_format(ledger->position, text), position);
    assert_string_equal(flt_amt_format(ledger->cash, text), cash);
    assert_string_equal(flt_amt_format(ledger->cost, text), cost);
    assert_string_equal(flt_amt_format(ledger_realised(ledger), text), realised);
}

static void a_fee_in_base_reduces_the_position_and_leaves_dust(void **ctx)
{
    struct ledger ledger = { 0 };

    (void)ctx;
    assert_int_equal(apply(&ledger, SIDE_BUY, "100", "0.03", "0.00003", "BTC"), 0);
    check(&ledger, "0.02997", "-3", "3", "0");
    assert_int_equal(ledger_position_lots(&ledger, &btc), 299); /* floored: 0.0299 can be sold */
    assert_int_equal(apply(&ledger, SIDE_SELL, "110", "0.0299", "0.003289", "USDT"), 0);
    /* 3 * 0.0299 / 0.02997 of the cost goes, the dust keeps the rest */
    assert_int_equal(ledger_position_lots(&ledger, &btc), 0);
    assert_int_equal(flt_amt_cmp(ledger.position, flt_amt_parse("0.00007")), 0);
    assert_int_equal(flt_amt_cmp(ledger.cash, flt_amt_parse("0.285711")), 0);
}

static void profit_is_against_the_average_cost(void **ctx)
{
    struct ledger ledger = { 0 };

    (void)ctx;
    assert_int_equal(apply(&ledger, SIDE_BUY, "100", "1", "0", "USDT"), 0);
    assert_int_equal(apply(&ledger, SIDE_BUY, "110", "1", "0", "USDT"), 0);
    assert_int_equal(apply(&ledger, SIDE_SELL, "120", "1", "0", "USDT"), 0);
    check(&ledger, "1", "-90", "105", "15");
    assert_int_equal(apply(&ledger, SIDE_SELL, "100", "1", "0.5", "USDT"), 0);
    check(&ledger, "0", "9.5", "0", "9.5");
}

static void a_trade_through_zero_closes_and_opens(void **ctx)
{
    struct ledger ledger = { 0 };

    (void)ctx;
    assert_int_equal(apply(&ledger, SIDE_SELL, "100", "2", "0", "USDT"), 0);
    check(&ledger, "-2", "200", "-200", "0");
    assert_int_equal(apply(&ledger, SIDE_BUY, "90", "3", "0", "USDT"), 0);
    check(&ledger, "1", "-70", "90", "20");
    assert_int_equal(ledger_position_lots(&ledger, &btc), 10000);
}

static void a_quote_fee_of_a_buy_is_part_of_its_cost(void **ctx)
{
    struct ledger ledger = { 0 };

    (void)ctx;
    assert_int_equal(apply(&ledger, SIDE_BUY, "100", "1", "0.1", "USDT"), 0);
    check(&ledger, "1", "-100.1", "100.1", "0");
    assert_string_equal(ledger.fees[0].asset, "USDT");
}

static void a_fee_in_a_third_asset_is_kept_under_its_name(void **ctx)
{
    struct ledger ledger = { 0 };

    (void)ctx;
    assert_int_equal(apply(&ledger, SIDE_BUY, "100", "1", "0.00012", "BNB"), 0);
    assert_int_equal(apply(&ledger, SIDE_SELL, "100", "1", "0.00013", "BNB"), 0);
    check(&ledger, "0", "0", "0", "0");
    assert_int_equal(ledger.fee_count, 1);
    assert_int_equal(flt_amt_cmp(ledger.fees[0].sum, flt_amt_parse("0.00025")), 0);
}

static void a_third_of_a_cost_is_exact(void **ctx)
{
    struct ledger ledger = { 0 };

    (void)ctx;
    assert_int_equal(apply(&ledger, SIDE_BUY, "100", "3", "0", "USDT"), 0);
    assert_int_equal(apply(&ledger, SIDE_SELL, "110", "1", "0", "USDT"), 0);
    check(&ledger, "2", "-190", "200", "10");
}

static void what_cannot_be_booked_changes_nothing(void **ctx)
{
    struct ledger ledger = { 0 };
    char asset[4] = "A";

    (void)ctx;
    assert_int_equal(apply(&ledger, SIDE_BUY, "100", "1", "0", "USDT"), 0);
    const struct ledger before = ledger;
    assert_int_equal(apply(&ledger, SIDE_BUY, "x", "1", "0", "USDT"), -ERANGE);
    assert_int_equal(apply(&ledger, SIDE_BUY, "100", "0", "0", "USDT"), -ERANGE);
    assert_int_equal(apply(&ledger, SIDE_BUY, "9000000000000", "9000000000", "0", "USDT"), -ERANGE);
    assert_memory_equal(&ledger, &before, sizeof ledger);
    for (; asset[0] < 'A' + LEDGER_FEES_MAX; asset[0]++)
        assert_int_equal(apply(&ledger, SIDE_BUY, "1", "1", "1", asset), 0);
    assert_int_equal(apply(&ledger, SIDE_BUY, "1", "1", "1", "ZZZ"), -ERANGE);
}

/* realised + unrealised = cash + position * mark, to the last digit, whatever was traded. */
static void the_identity_holds_at_every_mark(void **ctx)
{
    struct ledger ledger = { 0 };
    uint32_t random = 7;

    (void)ctx;
    for (int i = 0; i < 5000; i++) {
        char price[32], qty[32], fee[32];

        random = random * 1664525 + 1013904223;
        (void)snprintf(price, sizeof price, "%u.%02u", 60000 + random % 5000, random % 100);
        (void)snprintf(qty, sizeof qty, "0.%04u", 1 + (random >> 8) % 9999);
        (void)snprintf(fee, sizeof fee, "0.%08u", (random >> 5) % 10000);
        assert_int_equal(apply(&ledger, random & 0x10000 ? SIDE_BUY : SIDE_SELL, price, qty, fee,
                               random & 0x20000 ? "BTC" : "USDT"),
                         0);
        const struct flt_dec mark = flt_dec_parse(price);
        const struct flt_amt sum =
            flt_amt_add(ledger_realised(&ledger), ledger_unrealised(&ledger, mark));

        assert_int_equal(flt_amt_cmp(sum, ledger_pnl(&ledger, mark)), 0);
    }
}

static void books_survive_as_json(void **ctx)
{
    struct ledger ledger = { 0 }, back = { 0 };
    struct flt_buf buf = FLT_BUF_INIT;

    (void)ctx;
    assert_int_equal(apply(&ledger, SIDE_BUY, "64123.1", "0.015", "0.000015", "BTC"), 0);
    assert_int_equal(apply(&ledger, SIDE_SELL, "64200", "0.01", "0.642", "USDT"), 0);
    ledger_write(&ledger, &buf, NULL);
    struct json_object *tree = flt_json_parse(buf.data, buf.length, NULL);
    assert_int_equal(ledger_read(&back, tree), 0);
    assert_memory_equal(&back, &ledger, sizeof back);
    json_object_object_del(tree, "cash");
    assert_int_equal(ledger_read(&back, tree), -EINVAL);
    json_object_put(tree);
    flt_buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fee_in_base_reduces_the_position_and_leaves_dust),
        cmocka_unit_test(profit_is_against_the_average_cost),
        cmocka_unit_test(a_trade_through_zero_closes_and_opens),
        cmocka_unit_test(a_quote_fee_of_a_buy_is_part_of_its_cost),
        cmocka_unit_test(a_fee_in_a_third_asset_is_kept_under_its_name),
        cmocka_unit_test(a_third_of_a_cost_is_exact),
        cmocka_unit_test(what_cannot_be_booked_changes_nothing),
        cmocka_unit_test(the_identity_holds_at_every_mark),
        cmocka_unit_test(books_survive_as_json),
    };

    flt_log_set_level(FLT_LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
