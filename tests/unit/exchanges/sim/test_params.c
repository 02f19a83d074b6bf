/* Parameters of a request: decoding, what was signed, and the venue's words for what is wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "exchanges/sim/params.h"

static struct sim_params params;
static struct sim_error error;

static int end(void **ctx)
{
    (void)ctx;
    sim_params_finish(&params);
    error = (struct sim_error){ 0 };
    return 0;
}

static void query_and_body_are_one_and_the_payload_is_as_sent(void **ctx)
{
    (void)ctx;
    assert_int_equal(sim_params_parse(&params, "symbol=BTCUSDT&note=a%20b+c",
                                      "price=1.5&signature=abcd&symbol=ETHUSDT", &error),
                     0);
    assert_string_equal(sim_param(&params, "symbol"), "BTCUSDT"); /* the query's goes first */
    assert_string_equal(sim_param(&params, "note"), "a b c");
    assert_null(sim_param(&params, "signature"));
    assert_string_equal(params.signature, "abcd");
    assert_string_equal(params.payload, "symbol=BTCUSDT&note=a%20b+cprice=1.5&symbol=ETHUSDT");
}

static void json_is_signed_in_the_order_of_names(void **ctx)
{
    const char *text = "{\"timestamp\":17,\"apiKey\":\"k\",\"signature\":\"s\",\"price\":\"1.50\"}";
    struct json_object *tree = flt_json_parse(text, strlen(text), NULL);

    (void)ctx;
    assert_non_null(tree);
    assert_int_equal(sim_params_parse_json(&params, tree, &error), 0);
    assert_string_equal(params.payload, "apiKey=k&price=1.50&timestamp=17");
    assert_string_equal(params.signature, "s");
    json_object_put(tree);
}

static void broken_escapes_and_too_much_are_refused(void **ctx)
{
    static const char *const bad[] = { "a=%", "a=%4", "a=%zz", "a=%00" };
    char many[SIM_PARAMS_MAX * 8 + 16] = "";

    (void)ctx;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(sim_params_parse(&params, bad[i], "", &error), -1);
        assert_int_equal(error.code, -1100);
        sim_params_finish(&params);
    }
    for (int i = 0; i <= SIM_PARAMS_MAX; i++)
        snprintf(many + strlen(many), 8, "p%d=1&", i);
    assert_int_equal(sim_params_parse(&params, many, "", &error), -1);
    assert_int_equal(error.code, -1101);
}

static void numbers_are_read_as_the_venue_reads_them(void **ctx)
{
    int64_t number = 5;
    struct flt_amt amount = FLT_AMT_ZERO;

    (void)ctx;
    assert_int_equal(
        sim_params_parse(&params, "i=42&e=1e3&d=0.12345678&p=0.123456789&n=-1&empty=", "", &error),
        0);
    assert_int_equal(sim_param_int(&params, "none", false, &number, &error), 0);
    assert_int_equal(number, 5); /* untouched */
    assert_int_equal(sim_param_int(&params, "i", true, &number, &error), 0);
    assert_int_equal(number, 42);
    assert_int_equal(sim_param_int(&params, "empty", true, &number, &error), -1);
    assert_int_equal(error.code, -1102);
    assert_int_equal(sim_param_int(&params, "e", true, &number, &error), -1);
    assert_int_equal(error.code, -1100);
    assert_int_equal(sim_param_dec(&params, "d", true, &amount, &error), 0);
    assert_int_equal(flt_amt_cmp(amount, flt_amt_parse("0.12345678")), 0);
    assert_int_equal(sim_param_dec(&params, "p", true, &amount, &error), -1);
    assert_int_equal(error.code, -1111);
    assert_int_equal(sim_param_dec(&params, "n", true, &amount, &error), -1);
    assert_int_equal(error.code, -1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(query_and_body_are_one_and_the_payload_is_as_sent, end),
        cmocka_unit_test_teardown(json_is_signed_in_the_order_of_names, end),
        cmocka_unit_test_teardown(broken_escapes_and_too_much_are_refused, end),
        cmocka_unit_test_teardown(numbers_are_read_as_the_venue_reads_them, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
