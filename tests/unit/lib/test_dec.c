#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "lib/dec.h"

static struct flt_dec dec(const char *text)
{
    const struct flt_dec value = flt_dec_parse(text);

    if (!flt_dec_ok(value))
        fail_msg("%s does not parse", text);
    return value;
}

#define assert_dec(value, expected)                                                                \
    do {                                                                                           \
        char text_[FLT_DEC_TEXT_MAX];                                                              \
        assert_string_equal(flt_dec_format(value, text_), expected);                               \
    } while (0)

static void text_goes_in_and_out_in_canonical_form(void **ctx)
{
    static const char *const rows[][2] = {
        { "0", "0" },
        { "-0", "0" },
        { "0.000", "0" },
        { "0e99", "0" },
        { "1", "1" },
        { "+1", "1" },
        { "007", "7" },
        { "100", "100" },
        { "64123.10000000", "64123.1" },
        { "-12.5", "-12.5" },
        { "0.00000001", "0.00000001" },
        { "1e-8", "0.00000001" },
        { "1E+3", "1000" },
        { "1.5e3", "1500" },
        { "1.25e1", "12.5" },
        { "1000e-3", "1" },
        { "10e-19", "0.000000000000000001" },
        { "0.000000000000000001", "0.000000000000000001" },
        { "9223372036854775807", "9223372036854775807" },
        { "-9.223372036854775807", "-9.223372036854775807" },
        { "0.10000000000000000000000000000000000000000000000000", "0.1" },
        { "00000000000000000000000000000000000000000000000000.5", "0.5" },
    };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++)
        assert_dec(dec(rows[i][0]), rows[i][1]);
}

static void what_is_not_an_exact_number_is_bad(void **ctx)
{
    static const char *const rows[] = {
        "",
        " 1",
        "1 ",
        "-",
        "+",
        ".",
        ".5",
        "5.",
        "1e",
        "1e+",
        "1..2",
        "1.2.3",
        "0x10",
        "1,5",
        "NaN",
        "inf",
        "--1",
        "+-1",
        "e5",
        "1e5.5",
        "1e-19",
        "1e19",
        "9223372036854775808",
        "-9223372036854775808",
        "1e999999999999999999999",
        "0.0000000000000000001",
        "1234567890123456789.5",
        "340282366920938463463374607431768211456",
        "\xd9\xa1",
    };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++)
        if (flt_dec_ok(flt_dec_parse(rows[i])))
            fail_msg("%s parses", rows[i]);
    assert_false(flt_dec_ok(flt_dec_parse(NULL)));
    assert_false(flt_dec_ok(flt_dec_parse_n("1\0", 2)));
    assert_dec(FLT_DEC_BAD, "bad");
}

static void a_part_of_a_buffer_parses(void **ctx)
{
    (void)ctx;
    assert_dec(flt_dec_parse_n("64123.1,", 7), "64123.1");
    assert_dec(flt_dec_parse_n("64123.1,", 2), "64");
}

static void sums_are_exact_across_scales(void **ctx)
{
    (void)ctx;
    assert_dec(flt_dec_add(dec("0.1"), dec("0.2")), "0.3");
    assert_dec(flt_dec_sub(dec("1"), dec("0.000000000000000001")), "0.999999999999999999");
    assert_dec(flt_dec_add(dec("9223372036854775806"), dec("1")), "9223372036854775807");
    assert_dec(flt_dec_sub(dec("0.3"), dec("0.3")), "0");
    assert_dec(flt_dec_neg(dec("-2.5")), "2.5");
}

static void a_sum_that_would_lose_a_digit_is_bad(void **ctx)
{
    (void)ctx;
    assert_false(flt_dec_ok(flt_dec_add(dec("9223372036854775807"), dec("1"))));
    assert_false(flt_dec_ok(flt_dec_add(dec("9223372036854775807"), dec("0.1"))));
    assert_false(flt_dec_ok(flt_dec_add(dec("10"), dec("0.000000000000000001"))));
    assert_dec(flt_dec_add(dec("9"), dec("0.000000000000000001")), "9.000000000000000001");
}

static void a_product_names_where_its_rest_goes(void **ctx)
{
    const struct flt_dec a = { 1, 18 }, half = { 5, 1 }, three_halves = { 3, 18 };

    (void)ctx;
    assert_dec(flt_dec_mul(dec("64123.1"), dec("0.001"), FLT_ROUND_DOWN), "64.1231");
    assert_dec(flt_dec_mul(a, half, FLT_ROUND_DOWN), "0");
    assert_dec(flt_dec_mul(a, half, FLT_ROUND_UP), "0.000000000000000001");
    assert_dec(flt_dec_mul(flt_dec_neg(a), half, FLT_ROUND_UP), "-0.000000000000000001");
    assert_dec(flt_dec_mul(a, half, FLT_ROUND_HALF_EVEN), "0");
    assert_dec(flt_dec_mul(three_halves, half, FLT_ROUND_HALF_EVEN), "0.000000000000000002");
    assert_dec(flt_dec_mul(dec("9223372036854775807"), dec("1"), FLT_ROUND_DOWN),
               "9223372036854775807");
}

static void a_product_that_does_not_fit_is_bad_and_stays_bad(void **ctx)
{
    const struct flt_dec huge = { INT64_MAX, 0 };
    const struct flt_dec two = { 2, 0 };
    const struct flt_dec product = flt_dec_mul(huge, two, FLT_ROUND_DOWN);

    (void)ctx;
    assert_false(flt_dec_ok(product));
    assert_false(flt_dec_ok(flt_dec_mul(product, two, FLT_ROUND_DOWN)));
    assert_false(flt_dec_ok(flt_dec_add(product, two)));
    assert_false(flt_dec_ok(flt_dec_sub(two, product)));
    assert_false(flt_dec_ok(flt_dec_div(two, product, FLT_ROUND_DOWN)));
    assert_false(flt_dec_ok(flt_dec_neg(product)));
    assert_false(flt_dec_ok(flt_dec_times(product, 1)));
    assert_true(isnan(flt_dec_to_double(product)));
    assert_int_equal(flt_dec_units(product, two, FLT_ROUND_DOWN), INT64_MIN);
}

static void division_keeps_what_fits_and_rounds_once(void **ctx)
{
    (void)ctx;
    assert_dec(flt_dec_div(dec("1"), dec("8"), FLT_ROUND_DOWN), "0.125");
    assert_dec(flt_dec_div(dec("1"), dec("3"), FLT_ROUND_DOWN), "0.333333333333333333");
    assert_dec(flt_dec_div(dec("1"), dec("3"), FLT_ROUND_UP), "0.333333333333333334");
    assert_dec(flt_dec_div(dec("-2"), dec("3"), FLT_ROUND_UP), "-0.666666666666666667");
    assert_dec(flt_dec_div(dec("2"), dec("3"), FLT_ROUND_HALF_EVEN), "0.666666666666666667");
    assert_dec(flt_dec_div(dec("100"), dec("0.000001"), FLT_ROUND_DOWN), "100000000");
    assert_dec(flt_dec_div(dec("64123.1"), dec("3"), FLT_ROUND_DOWN), "21374.36666666666666");
    assert_dec(flt_dec_div(dec("1"), dec("3.000000000000000001"), FLT_ROUND_DOWN),
               "0.333333333333333333");
    assert_false(flt_dec_ok(flt_dec_div(dec("1"), dec("0"), FLT_ROUND_DOWN)));
    assert_false(flt_dec_ok(flt_dec_div(dec("100"), dec("0.000000000000000001"), FLT_ROUND_DOWN)));
}

static void comparison_is_exact_across_scales(void **ctx)
{
    const struct flt_dec one = { 1, 0 }, one_18 = { 1000000000000000000, 18 };

    (void)ctx;
    assert_int_equal(flt_dec_cmp(one, one_18), 0);
    assert_int_equal(flt_dec_cmp(dec("0.1"), dec("0.10000000000000001")), -1);
    assert_int_equal(flt_dec_cmp(dec("9223372036854775807"), dec("0.000000000000000001")), 1);
    assert_int_equal(flt_dec_cmp(dec("-1"), dec("0.5")), -1);
}

static void units_count_ticks_in_the_named_direction(void **ctx)
{
    const struct flt_dec tick = { 25, 2 };

    (void)ctx;
    assert_int_equal(flt_dec_units(dec("1.3"), tick, FLT_ROUND_DOWN), 5);
    assert_int_equal(flt_dec_units(dec("1.3"), tick, FLT_ROUND_UP), 6);
    assert_int_equal(flt_dec_units(dec("-1.3"), tick, FLT_ROUND_DOWN), -5);
    assert_int_equal(flt_dec_units(dec("-1.3"), tick, FLT_ROUND_UP), -6);
    assert_int_equal(flt_dec_units(dec("0.125"), tick, FLT_ROUND_HALF_EVEN), 0);
    assert_int_equal(flt_dec_units(dec("0.375"), tick, FLT_ROUND_HALF_EVEN), 2);
    assert_int_equal(flt_dec_units(dec("64123.1"), dec("0.01"), FLT_ROUND_DOWN), 6412310);
    assert_int_equal(flt_dec_units(dec("0.000000000000000005"), dec("1000"), FLT_ROUND_UP), 1);
    assert_int_equal(flt_dec_units(dec("9223372036854775807"), dec("0.1"), FLT_ROUND_DOWN),
                     INT64_MIN);
    assert_int_equal(flt_dec_units(dec("1"), dec("0"), FLT_ROUND_DOWN), INT64_MIN);
    assert_true(flt_dec_is_multiple(dec("1.5"), tick));
    assert_true(flt_dec_is_multiple(dec("100000000000000000"), dec("0.000000000000000001")));
    assert_false(flt_dec_is_multiple(dec("1.3"), tick));
    assert_dec(flt_dec_times(tick, -6), "-1.5");
    assert_int_equal(flt_dec_times(tick, 4).scale, 2);
    assert_false(flt_dec_ok(flt_dec_times(tick, INT64_MAX)));
}

static void a_double_means_its_shortest_decimal(void **ctx)
{
    (void)ctx;
    assert_dec(flt_dec_from_double(0.29, 2, FLT_ROUND_DOWN), "0.29"); /* 0.28999999999999998 */
    assert_dec(flt_dec_from_double(0.07, 2, FLT_ROUND_UP), "0.07");   /* 0.07000000000000001 */
    assert_dec(flt_dec_from_double(-1.005, 2, FLT_ROUND_DOWN), "-1");
    assert_dec(flt_dec_from_double(-1.001, 2, FLT_ROUND_UP), "-1.01");
    assert_dec(flt_dec_from_double(2.5, 0, FLT_ROUND_HALF_EVEN), "2");
    assert_false(flt_dec_ok(flt_dec_from_double((double)NAN, 2, FLT_ROUND_DOWN)));
    assert_false(flt_dec_ok(flt_dec_from_double((double)INFINITY, 2, FLT_ROUND_DOWN)));
    assert_false(flt_dec_ok(flt_dec_from_double(1e19, 0, FLT_ROUND_DOWN)));
    assert_float_equal(flt_dec_to_double(dec("64123.1")), 64123.1, 0.0);
    assert_float_equal(flt_dec_to_double(dec("0.1")), 0.1, 0.0);
}

static uint64_t random_u64(uint64_t *state) /* xorshift64 */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void format_and_parse_are_inverse(void **ctx)
{
    uint64_t seed = 88172645463325252u;

    (void)ctx;
    for (int i = 0; i < 20000; i++) {
        const int64_t size = (int64_t)(random_u64(&seed) >> (1 + random_u64(&seed) % 63));
        const struct flt_dec value = { i % 2 ? size : -size, (int8_t)(random_u64(&seed) % 19) };
        char text[FLT_DEC_TEXT_MAX];
        const struct flt_dec back = flt_dec_parse(flt_dec_format(value, text));

        assert_true(strlen(text) < sizeof text);
        if (!flt_dec_ok(back) || flt_dec_cmp(value, back) != 0)
            fail_msg("%s of coef %lld scale %d", text, (long long)value.coef, value.scale);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_in_and_out_in_canonical_form),
        cmocka_unit_test(what_is_not_an_exact_number_is_bad),
        cmocka_unit_test(a_part_of_a_buffer_parses),
        cmocka_unit_test(sums_are_exact_across_scales),
        cmocka_unit_test(a_sum_that_would_lose_a_digit_is_bad),
        cmocka_unit_test(a_product_names_where_its_rest_goes),
        cmocka_unit_test(a_product_that_does_not_fit_is_bad_and_stays_bad),
        cmocka_unit_test(division_keeps_what_fits_and_rounds_once),
        cmocka_unit_test(comparison_is_exact_across_scales),
        cmocka_unit_test(units_count_ticks_in_the_named_direction),
        cmocka_unit_test(a_double_means_its_shortest_decimal),
        cmocka_unit_test(format_and_parse_are_inverse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
