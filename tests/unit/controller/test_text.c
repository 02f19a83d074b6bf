/* What strangers wrote, on its way to a terminal. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "controller/cli/text.h"

static void nothing_that_draws_is_left(void **ctx)
{
    static const struct {
        const char *text, *clean;
    } rows[] = {
        { "plain", "plain" },
        { "\033[31mred\033[0m", "?[31mred?[0m" },
        { "a\tb\rc\n", "a?b?c?" },
        { "\x7f", "?" },
        { "\xc2\x9b"
          "31m",
          "?31m" }, /* C1: another way to say ESC [ */
        { "\xe2\x80\xae"
          "evil",
          "?evil" }, /* right to left from here */
        { "\xe2\x81\xa6x", "?x" },
        { "\xff\xfe", "??" },
        { "\xc0\xaf", "??" },           /* a slash, too long */
        { "\xe4\xb8", "??" },           /* cut short */
        { "\xf4\x90\x80\x80", "????" }, /* above U+10FFFF */
        { "\xed\xa0\x80", "???" },      /* half of a pair */
        { "网格 Ünïcode ▲", "网格 Ünïcode ▲" },
    };
    char text[64];

    (void)ctx;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text, "%s", rows[i].text);
        text_clean(text);
        assert_string_equal(text, rows[i].clean);
    }
}

static void widths_count_columns_and_cuts_end_with_an_ellipsis(void **ctx)
{
    char out[64];

    (void)ctx;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("网格"), 4);
    assert_int_equal(text_width("e\xcc\x81"), 1);
    assert_string_equal(text_cut("abcdef", 6, out, sizeof out), "abcdef");
    assert_string_equal(text_cut("abcdef", 4, out, sizeof out), "abc…");
    assert_string_equal(text_cut("网格交易", 5, out, sizeof out), "网格…");
    assert_string_equal(text_cut("网格交易", 4, out, sizeof out), "网…");
    assert_string_equal(text_cut("abc", 1, out, sizeof out), "…");
    assert_string_equal(text_cut("abc", 0, out, sizeof out), "");
    assert_true(strlen(text_cut("abcdefghijklmnop", 16, out, 8)) < 8);
}

static void ages_and_sizes_are_short(void **ctx)
{
    char out[32];

    (void)ctx;
    assert_string_equal(text_age(-5, out, sizeof out), "0s");
    assert_string_equal(text_age(119999, out, sizeof out), "119s");
    assert_string_equal(text_age(7199999, out, sizeof out), "119m");
    assert_string_equal(text_age(86400000, out, sizeof out), "24h");
    assert_string_equal(text_age(INT64_C(864000000), out, sizeof out), "10d");
    assert_string_equal(text_bytes(312, out, sizeof out), "312 B");
    assert_string_equal(text_bytes(1572864, out, sizeof out), "1.5 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_draws_is_left),
        cmocka_unit_test(widths_count_columns_and_cuts_end_with_an_ellipsis),
        cmocka_unit_test(ages_and_sizes_are_short),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
