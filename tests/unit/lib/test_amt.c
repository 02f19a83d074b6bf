#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "lib/amt.h"

#define LARGEST "170141183460469231731.687303715884105727" /* 2^127 - 1 units */

static struct flt_amt amt(const char *text)
{
    const struct flt_amt value = flt_amt_parse(text);

    if (!flt_amt_ok(value))
        fail_msg("%s does not parse", text);
    return value;
}

static struct flt_dec dec(const char *text)
{
    return flt_dec_parse(text);
}

#define assert_amt(value, expected)                                                                \
    do {                                                                                           \
        char text_[FLT_AMT_TEXT_MAX];                                                              \
        assert_string_equal(flt_amt_format(value, text_), expected);                               \
    } while (0)

static void text_goes_in_and_out_in_canonical_form(void **ctx)
{
    static const char *const rows[][2] = {
        { "0", "0" },
        { "-0.00", "0" },
        { "1.50", "1.5" },
        { "-0.000000000000000001", "-0.000000000000000001" },
        { "18446744073709551616", "18446744073709551616" },
        { "123456789012345678901.234567890123456789", "123456789012345678901.234567890123456789" },
        { LARGEST, LARGEST },
        { "-" LARGEST, "-" LARGEST },
        { "1e20", "100000000000000000000" },
        { "100000000000000000005", "100000000000000000005" },
        { "2.5e-3", "0.0025" },
    };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++)
        assert_amt(amt(rows[i][0]), rows[i][1]);
}

static void what_does_not_fit_is_bad(void **ctx)
{
    static const char *const rows[] = {
        "",
        "x",
        "1.",
        "170141183460469231731.687303715884105728",
        "-170141183460469231731.687303715884105728",
        "1e21",
        "0.0000000000000000001",
        "99999999999999999999999999999999999999999999999999",
    };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++)
        if (flt_amt_ok(flt_amt_parse(rows[i])))
            fail_msg("%s parses", rows[i]);
    assert_false(flt_amt_ok(flt_amt_parse(NULL)));
    assert_amt(FLT_AMT_BAD, "bad");
}

static void sums_are_exact_or_bad(void **ctx)
{
    (void)ctx;
    assert_amt(flt_amt_add(amt("0.1"), amt("0.2")), "0.3");
    assert_amt(flt_amt_sub(amt("1"), amt("2.5")), "-1.5");
    assert_false(flt_amt_ok(flt_amt_add(amt(LARGEST), amt("0.000000000000000001"))));
    assert_false(flt_amt_ok(flt_amt_sub(amt("-" LARGEST), amt("0.000000000000000001"))));
    assert_false(flt_amt_ok(flt_amt_add(FLT_AMT_BAD, amt("1"))));
    assert_false(flt_amt_ok(flt_amt_sub(amt("1"), FLT_AMT_BAD)));
    assert_int_equal(flt_amt_cmp(amt("-1"), amt("1")), -1);
    assert_int_equal(flt_amt_cmp(amt("1.0"), amt("1")), 0);
    assert_int_equal(flt_amt_sign(amt("-0.1")), -1);
}

static void price_times_quantity_is_exact(void **ctx)
{
    const struct flt_dec tiny = { 15, 10 }; /* 0.0000000015 */

    (void)ctx;
    assert_amt(flt_amt_product(dec("64123.1"), dec("0.01"), FLT_ROUND_DOWN), "641.231");
    assert_amt(flt_amt_product(dec("9223372036854775807"), dec("18.4"), FLT_ROUND_DOWN),
               "169710045478127874848.8");
    assert_false(
        flt_amt_ok(flt_amt_product(dec("9223372036854775807"), dec("18.5"), FLT_ROUND_DOWN)));
    assert_amt(flt_amt_product(tiny, dec("0.0000000005"), FLT_ROUND_DOWN), "0");
    assert_amt(flt_amt_product(tiny, dec("0.0000000005"), FLT_ROUND_UP), "0.000000000000000001");
    assert_amt(flt_amt_product(tiny, dec("-0.000000001"), FLT_ROUND_HALF_EVEN),
               "-0.000000000000000002"); /* 1.5 goes to the even 2 */
}

static void a_fee_is_amount_times_rate(void **ctx)
{
    (void)ctx;
    assert_amt(flt_amt_mul(amt("641.231"), dec("0.001"), FLT_ROUND_UP), "0.641231");
    assert_amt(flt_amt_mul(amt(LARGEST), dec("0.000000000000000001"), FLT_ROUND_DOWN),
               "170.141183460469231731");
    assert_amt(flt_amt_mul(amt(LARGEST), dec("0.000000000000000001"), FLT_ROUND_UP),
               "170.141183460469231732");
    assert_amt(flt_amt_mul(amt("-" LARGEST), dec("1.000000000000000000"), FLT_ROUND_UP),
               "-" LARGEST);
    assert_false(flt_amt_ok(flt_amt_mul(amt(LARGEST), dec("1.1"), FLT_ROUND_DOWN)));
    assert_amt(flt_amt_mul(amt("0.000000000000000001"), dec("-0.5"), FLT_ROUND_HALF_EVEN), "0");
}

static void division_is_exact_to_18_decimals(void **ctx)
{
    (void)ctx;
    assert_amt(flt_amt_div(amt("1"), amt("3"), FLT_ROUND_DOWN), "0.333333333333333333");
    assert_amt(flt_amt_div(amt("-1"), amt("3"), FLT_ROUND_UP), "-0.333333333333333334");
    assert_amt(flt_amt_div(amt("2"), amt("3"), FLT_ROUND_HALF_EVEN), "0.666666666666666667");
    /* the numerator needs 187 bits here */
    assert_amt(
        flt_amt_div(amt("100000000000000000000"), amt("170000000000000000000"), FLT_ROUND_DOWN),
        "0.588235294117647058");
    assert_amt(flt_amt_div(amt(LARGEST), amt(LARGEST), FLT_ROUND_UP), "1");
    assert_amt(flt_amt_div(amt("123456789012345678901.234567890123456789"),
                           amt("98765432109876543210.987654321"), FLT_ROUND_DOWN),
               "1.249999988609375");
    assert_false(flt_amt_ok(flt_amt_div(amt("1"), FLT_AMT_ZERO, FLT_ROUND_DOWN)));
    assert_false(flt_amt_ok(flt_amt_div(amt("1000"), amt("0.000000000000000001"), FLT_ROUND_DOWN)));
}

static void narrowing_names_its_rounding(void **ctx)
{
    char text[FLT_DEC_TEXT_MAX];

    (void)ctx;
    assert_string_equal(flt_dec_format(flt_amt_to_dec(amt("1.239"), 2, FLT_ROUND_DOWN), text),
                        "1.23");
    assert_string_equal(flt_dec_format(flt_amt_to_dec(amt("-1.231"), 2, FLT_ROUND_UP), text),
                        "-1.24");
    assert_string_equal(flt_dec_format(flt_amt_to_dec(amt("1.225"), 2, FLT_ROUND_HALF_EVEN), text),
                        "1.22");
    assert_false(flt_dec_ok(flt_amt_to_dec(amt("10"), 18, FLT_ROUND_DOWN)));
    assert_int_equal(flt_amt_units(amt("1.3"), dec("0.25"), FLT_ROUND_DOWN), 5);
    assert_int_equal(flt_amt_units(amt("-1.3"), dec("0.25"), FLT_ROUND_UP), -6);
    assert_int_equal(flt_amt_units(amt(LARGEST), dec("0.1"), FLT_ROUND_DOWN), INT64_MIN);
    assert_amt(flt_amt_from_dec(dec("-12.5")), "-12.5");
    assert_false(flt_amt_ok(flt_amt_from_dec(FLT_DEC_BAD)));
    assert_amt(flt_amt_from_int(INT64_MIN), "-9223372036854775808");
    assert_amt(flt_amt_from_double(0.5), "0.5");
    assert_false(flt_amt_ok(flt_amt_from_double((double)NAN)));
    assert_false(flt_amt_ok(flt_amt_from_double(1e21)));
    assert_float_equal(flt_amt_to_double(amt("64123.1")), 64123.1, 0.0);
    assert_true(isnan(flt_amt_to_double(FLT_AMT_BAD)));
}

static uint64_t random_u64(uint64_t *state) /* xorshift64 */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct flt_amt random_amt(uint64_t *seed)
{
    const flt_i128 wide = (flt_i128)random_u64(seed) << 63 ^ (flt_i128)random_u64(seed);
    const flt_i128 units = wide >> (random_u64(seed) % 126);

    return (struct flt_amt){ random_u64(seed) % 2 ? units : -units };
}

/* floor(a / b) and its rest must give a back: q * b <= a < (q + 1) * b, at 10^-18. */
static void division_and_multiplication_agree(void **ctx)
{
    uint64_t seed = 88172645463325252u;

    (void)ctx;
    for (int i = 0; i < 20000; i++) {
        const struct flt_amt a = random_amt(&seed);
        const struct flt_dec b = { (int64_t)(random_u64(&seed) >> (1 + random_u64(&seed) % 62)),
                                   0 };
        const struct flt_amt down = flt_amt_div(a, flt_amt_from_dec(b), FLT_ROUND_DOWN);
        const struct flt_amt up = flt_amt_div(a, flt_amt_from_dec(b), FLT_ROUND_UP);

        if (b.coef == 0)
            continue;
        assert_true(flt_amt_ok(down) && flt_amt_ok(up));
        const flt_i128 rest = a.units - down.units * b.coef;

        assert_true(rest < 0 ? -rest < b.coef && a.units < 0 : rest < b.coef);
        assert_true(up.units - down.units == (rest > 0 ? 1 : rest < 0 ? -1 : 0));
        assert_true(flt_amt_mul(down, b, FLT_ROUND_DOWN).units == a.units - rest);
    }
}

static void format_and_parse_are_inverse(void **ctx)
{
    uint64_t seed = 123456789u;

    (void)ctx;
    for (int i = 0; i < 20000; i++) {
        const struct flt_amt value = random_amt(&seed);
        char text[FLT_AMT_TEXT_MAX];

        assert_true(flt_amt_parse(flt_amt_format(value, text)).units == value.units);
        assert_true(strlen(text) < sizeof text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_in_and_out_in_canonical_form),
        cmocka_unit_test(what_does_not_fit_is_bad),
        cmocka_unit_test(sums_are_exact_or_bad),
        cmocka_unit_test(price_times_quantity_is_exact),
        cmocka_unit_test(a_fee_is_amount_times_rate),
        cmocka_unit_test(division_is_exact_to_18_decimals),
        cmocka_unit_test(narrowing_names_its_rounding),
        cmocka_unit_test(division_and_multiplication_agree),
        cmocka_unit_test(format_and_parse_are_inverse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
