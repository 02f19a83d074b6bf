#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "lib/refusal.h"

static enum flt_refusal of(const char *text)
{
    return flt_refusal_of(text, strlen(text), 1000);
}

static void bad_payloads_are_told_apart(void **ctx)
{
    char deep[200] = { 0 }, big[1001];

    (void)ctx;
    memset(deep, '[', 100);
    memset(big, ' ', sizeof big);
    assert_int_equal(of("{"), FLT_REFUSED_MALFORMED);
    assert_int_equal(of("nonsense"), FLT_REFUSED_MALFORMED);
    assert_int_equal(of(deep), FLT_REFUSED_DEEP);
    assert_int_equal(of("\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[\""), FLT_REFUSED_MALFORMED);
    assert_int_equal(of("{\"a\":\x01}"), FLT_REFUSED_BINARY);
    assert_int_equal(of("\xff\xfe"), FLT_REFUSED_BINARY);
    assert_int_equal(flt_refusal_of("{}\0{}", 5, 1000), FLT_REFUSED_BINARY);
    assert_int_equal(flt_refusal_of(big, sizeof big, 1000), FLT_REFUSED_OVERSIZED);
}

static void counts_are_said_by_name(void **ctx)
{
    struct flt_refusals refusals = { 0 };

    (void)ctx;
    assert_null(flt_refusals_tree(&refusals));
    flt_refuse(&refusals, FLT_REFUSED_OLD_TERM);
    flt_refuse(&refusals, FLT_REFUSED_OLD_TERM);
    flt_refuse(&refusals, FLT_REFUSED_CLOCK_STEP);
    struct json_object *tree = flt_refusals_tree(&refusals);

    assert_string_equal(json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN),
                        "{\"old_term\":2,\"clock_step\":1}");
    assert_int_equal(flt_refusals_total(&refusals), 3);
    json_object_put(tree);
    for (int i = 0; i < FLT_REFUSED_COUNT; i++)
        assert_true(strlen(flt_refusal_name((enum flt_refusal)i)) > 2);
}

static void a_clock_that_jumps_is_seen_both_ways_and_a_slow_second_is_not(void **ctx)
{
    struct flt_step_watch watch = { 0 };

    (void)ctx;
    assert_int_equal(flt_step_seen(&watch, 1000000, 500), 0);
    assert_int_equal(flt_step_seen(&watch, 1001000, 1500), 0);
    assert_int_equal(flt_step_seen(&watch, 1009000, 9500), 0); /* the process slept */
    assert_int_equal(flt_step_seen(&watch, 1070000, 10500), 60000);
    assert_int_equal(flt_step_seen(&watch, 1071000, 11500), 0);
    assert_int_equal(flt_step_seen(&watch, 1012000, 12500), -60000);
    assert_int_equal(flt_step_seen(&watch, 1013000, 13500), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_payloads_are_told_apart),
        cmocka_unit_test(counts_are_said_by_name),
        cmocka_unit_test(a_clock_that_jumps_is_seen_both_ways_and_a_slow_second_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
