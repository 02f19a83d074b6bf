#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "lib/attr.h"
#include "lib/clock.h"

static void times_have_one_text(void **ctx)
{
    static const struct {
        const char *text;
        int64_t ts_ms;
    } rows[] = {
        { "1970-01-01T00:00:00.000Z", 0 },
        { "2000-02-29T23:59:59.999Z", INT64_C(951868799999) },
        { "2026-03-01T12:00:00.125Z", INT64_C(1772366400125) },
        { "2100-03-01T00:00:00.000Z", INT64_C(4107542400000) },
        { "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
    };
    char text[FLT_ISO_MAX];

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        assert_string_equal(flt_iso_format(rows[i].ts_ms, text), rows[i].text);
        assert_int_equal(flt_iso_parse(rows[i].text), rows[i].ts_ms);
    }
    assert_string_equal(flt_iso_format(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(flt_iso_format(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(flt_iso_format(INT64_MIN, text), "0001-01-01T00:00:00.000Z");
}

static void dates_and_unix_milliseconds_are_times_too(void **ctx)
{
    (void)ctx;
    assert_int_equal(flt_iso_parse("2026-03-01"), INT64_C(1772323200000));
    assert_int_equal(flt_iso_parse("2026-03-01T12:00:00Z"), INT64_C(1772366400000));
    assert_int_equal(flt_iso_parse("1772366400125"), INT64_C(1772366400125));
    assert_int_equal(flt_iso_parse("0"), 0);
}

static void what_is_not_a_time_is_refused(void **ctx)
{
    static const char *const rows[] = {
        "",
        "x",
        "-5",
        "2026",
        "2026-3-1",
        "2026-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-01-01T",
        "2026-01-01T24:00:00Z",
        "2026-01-01T12:00:00",
        "2026-01-01T12:00:00.1Z",
        "2026-01-01T12:00:00Zx",
        "2026-01-01 12:00:00Z",
        "99999999999999999999",
        "12x",
        "2026-01-01T12:60:00Z",
        "1969-12-31",
    };

    (void)ctx;
    assert_int_equal(flt_iso_parse(NULL), -1);
    for (size_t i = 0; i < FLT_COUNT(rows); i++)
        if (flt_iso_parse(rows[i]) != -1 && i != 3) /* "2026" is Unix milliseconds */
            fail_msg("%s is taken for a time", rows[i]);
}

static void every_day_of_four_centuries_comes_back(void **ctx)
{
    char text[FLT_ISO_MAX];

    (void)ctx;
    for (int64_t day = 0; day < 146097; day++)
        assert_int_equal(flt_iso_parse(flt_iso_format(day * 86400000, text)), day * 86400000);
}

static void a_simulated_clock_moves_by_hand_only(void **ctx)
{
    struct flt_sim_clock sim;

    (void)ctx;
    flt_sim_clock_init(&sim, 1000);
    const int64_t start_ns = flt_mono_ns(&sim.base);
    assert_int_equal(flt_wall_ms(&sim.base), 1000);
    flt_sim_clock_advance(&sim, 250);
    assert_int_equal(flt_wall_ms(&sim.base), 1250);
    assert_int_equal(flt_mono_ns(&sim.base) - start_ns, 250000000);
    assert_int_equal(flt_boot_ns(&sim.base) - start_ns, 250000000);
}

static void the_system_clock_goes_forward(void **ctx)
{
    const struct flt_clock *clock = flt_clock_system();
    const int64_t mono_ns = flt_mono_ns(clock), boot_ns = flt_boot_ns(clock);

    (void)ctx;
    assert_true(flt_wall_ms(clock) > INT64_C(1700000000000));
    assert_true(flt_mono_ns(clock) >= mono_ns);
    assert_true(flt_boot_ns(clock) >= boot_ns);
    assert_true(flt_mono_ms(clock) >= mono_ns / 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_have_one_text),
        cmocka_unit_test(dates_and_unix_milliseconds_are_times_too),
        cmocka_unit_test(what_is_not_a_time_is_refused),
        cmocka_unit_test(every_day_of_four_centuries_comes_back),
        cmocka_unit_test(a_simulated_clock_moves_by_hand_only),
        cmocka_unit_test(the_system_clock_goes_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
