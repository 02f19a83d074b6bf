/* Pictures of cells: what is drawn is clipped, and only what changed is sent. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "controller/cli/screen.h"

static struct screen screen;
static struct flt_buf out;

static const char *flushed(void)
{
    flt_buf_reset(&out);
    screen_flush(&screen, &out);
    return out.length ? out.data : "";
}

static int open_screen(void **ctx)
{
    (void)ctx;
    return screen_resize(&screen, 20, 3);
}

static int close_screen(void **ctx)
{
    (void)ctx;
    screen_finish(&screen);
    flt_buf_finish(&out);
    out = FLT_BUF_INIT;
    return 0;
}

static void only_what_changed_is_sent(void **ctx)
{
    (void)ctx;
    screen_text(&screen, 0, 0, 20, SCREEN_PLAIN, "equity 12.50");
    assert_non_null(strstr(flushed(), "equity 12.50"));
    assert_string_equal(flushed(), "");
    screen_clear(&screen);
    screen_text(&screen, 0, 0, 20, SCREEN_PLAIN, "equity 12.60");
    assert_string_equal(flushed(), "\033[1;11H\033[0m6\033[0m");
    screen_clear(&screen);
    assert_true(strlen(flushed()) < 60);
}

static void what_is_outside_or_too_long_is_cut(void **ctx)
{
    (void)ctx;
    assert_int_equal(screen_text(&screen, 3, 0, 20, 0, "below"), 0);
    assert_int_equal(screen_text(&screen, 0, 20, 20, 0, "beside"), 0);
    assert_int_equal(screen_text(&screen, 0, 15, 99, 0, "abcdefghij"), 5);
    assert_string_equal(screen.cells[19].text, "…");
    screen_right(&screen, 1, 10, 10, 0, "1.5");
    assert_string_equal(screen.cells[20 + 17].text, "1");
    screen_right(&screen, 1, 10, 10, 0, "12345678901234");
    assert_string_equal(screen.cells[20 + 10].text, "1");
}

static void wide_and_combining_characters_keep_their_cells(void **ctx)
{
    (void)ctx;
    assert_int_equal(screen_text(&screen, 0, 0, 20, 0, "网格x"), 5);
    assert_string_equal(screen.cells[1].text, "");
    assert_string_equal(screen.cells[4].text, "x");
    assert_int_equal(screen_text(&screen, 1, 0, 20, 0, "e\xcc\x81z"), 2);
    assert_string_equal(screen.cells[20].text, "e\xcc\x81");
    assert_int_equal(screen_text(&screen, 2, 17, 3, 0, "网格"),
                     3); /* half a character is not drawn */
    assert_non_null(strstr(flushed(), "网格x"));
}

static void no_sequence_of_others_is_ever_sent(void **ctx)
{
    (void)ctx;
    screen_text(&screen, 0, 0, 20, 0,
                "a\033[31mb\xc2\x9b"
                "c\x07");
    assert_null(strstr(flushed(), "\033[31m"));
    assert_non_null(strstr(out.data, "a?[31mb?c?"));
}

static void a_chart_goes_from_low_to_high_and_stands_holes(void **ctx)
{
    double values[40];

    (void)ctx;
    for (size_t i = 0; i < 40; i++)
        values[i] = (double)i;
    screen_chart(&screen, 0, 0, 20, 3, 0, values, 40);
    assert_string_not_equal(screen.cells[40].text, " "); /* low at the left, below */
    assert_string_not_equal(screen.cells[19].text, " "); /* high at the right, above */
    assert_string_equal(screen.cells[0].text, " ");
    screen_clear(&screen);
    for (size_t i = 0; i < 40; i++)
        values[i] = (double)NAN;
    screen_chart(&screen, 0, 0, 20, 3, 0, values, 40);
    assert_string_equal(screen.cells[0].text, " ");
    values[3] = 5; /* a single value, a level line */
    screen_chart(&screen, 0, 0, 20, 3, 0, values, 40);
    screen_chart(&screen, 0, 0, 0, 0, 0, values, 40);
    screen_chart(&screen, 0, 0, 500, 500, 0, values, 40); /* larger than the screen: clipped */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_changed_is_sent, open_screen, close_screen),
        cmocka_unit_test_setup_teardown(what_is_outside_or_too_long_is_cut, open_screen,
                                        close_screen),
        cmocka_unit_test_setup_teardown(wide_and_combining_characters_keep_their_cells, open_screen,
                                        close_screen),
        cmocka_unit_test_setup_teardown(no_sequence_of_others_is_ever_sent, open_screen,
                                        close_screen),
        cmocka_unit_test_setup_teardown(a_chart_goes_from_low_to_high_and_stands_holes, open_screen,
                                        close_screen),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
