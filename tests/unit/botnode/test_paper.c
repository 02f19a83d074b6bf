/* A paper account made anew from the bot's books. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "botnode/paper.h"

static const struct instrument btc = { .name = "BTC-USDT", .base = "BTC", .quote = "USDT" };
static const struct instrument eth = { .name = "ETH-USDT", .base = "ETH", .quote = "USDT" };

#define LEG(name, position, cash, fills)                                                           \
    "{\"instrument\":\"" name "\",\"book\":{\"position\":\"" position "\",\"cash\":\"" cash        \
    "\",\"fills\":" fills "}}"

static int holdings(const char *state, size_t leg_count, struct flt_buf *out)
{
    const struct instrument *const legs[] = { &btc, &eth };
    struct json_object *tree = flt_json_parse(state, strlen(state), NULL);

    assert_non_null(tree);
    const int err = paper_holdings(tree, legs, leg_count, out);

    json_object_put(tree);
    return err;
}

/* A node was restarted, and its paper bots held what their accounts did not: every sell of theirs
 * was refused for want of funds. */
static void the_account_holds_the_position_and_what_is_left_of_the_cash(void **ctx)
{
    struct flt_buf out = FLT_BUF_INIT;

    (void)ctx;
    assert_int_equal(
        holdings("{\"legs\":[" LEG("BTC-USDT", "0.15936048", "-9836.25", "3") "]}", 1, &out), 0);
    assert_string_equal(out.data, "BTC=0.15936048,USDT=90163.75");
    flt_buf_finish(&out);
}

static void legs_share_their_quote_asset_once(void **ctx)
{
    struct flt_buf out = FLT_BUF_INIT;

    (void)ctx;
    assert_int_equal(holdings("{\"legs\":[" LEG("BTC-USDT", "0.5", "-30000",
                                                "1") "," LEG("ETH-USDT", "0", "12.5", "2") "]}",
                              2, &out),
                     0);
    assert_string_equal(out.data, "BTC=0.5,USDT=70012.5,ETH=0");
    flt_buf_finish(&out);
}

static void a_bot_that_never_traded_begins_as_all_do(void **ctx)
{
    struct flt_buf out = FLT_BUF_INIT;

    (void)ctx;
    assert_int_equal(holdings("{\"legs\":[" LEG("BTC-USDT", "0", "0", "0") "]}", 1, &out), 0);
    assert_int_equal(out.length, 0);
    flt_buf_finish(&out);
}

static void a_snapshot_of_other_legs_is_refused(void **ctx)
{
    struct flt_buf out = FLT_BUF_INIT;

    (void)ctx;
    assert_int_equal(holdings("{\"legs\":[" LEG("ETH-USDT", "1", "1", "1") "]}", 1, &out), -EINVAL);
    assert_int_equal(holdings("{\"legs\":[]}", 1, &out), -EINVAL);
    assert_int_equal(holdings("{\"legs\":[{\"instrument\":\"BTC-USDT\"}]}", 1, &out), -EINVAL);
    assert_int_equal(holdings("{}", 1, &out), -EINVAL);
    flt_buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_account_holds_the_position_and_what_is_left_of_the_cash),
        cmocka_unit_test(legs_share_their_quote_asset_once),
        cmocka_unit_test(a_bot_that_never_traded_begins_as_all_do),
        cmocka_unit_test(a_snapshot_of_other_legs_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
