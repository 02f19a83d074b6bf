#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#define FLT_MOD "test_log"
#include "lib/log.h"

struct lines {
    int count;
    enum flt_log_level level;
    char last[8192];
};

static void keep_line(void *ctx, enum flt_log_level level, const char *line)
{
    struct lines *lines = ctx;

    lines->count++;
    lines->level = level;
    (void)snprintf(lines->last, sizeof lines->last, "%s", line);
}

static int listen_to(void **ctx)
{
    static struct lines lines;

    lines = (struct lines){ 0 };
    flt_log_set_fd(-1);
    flt_log_set_level(FLT_LOG_INFO);
    flt_log_set_sink(keep_line, &lines);
    *ctx = &lines;
    return 0;
}

static int listen_no_more(void **ctx)
{
    (void)ctx;
    flt_log_set_sink(NULL, NULL);
    flt_log_set_fd(2);
    return 0;
}

static void an_event_is_one_logfmt_line(void **ctx)
{
    const struct lines *lines = *ctx;

    FLT_LOG(WARN, "fill_applied", "bot=%s price=%s", "grid-1", "64123.1");
    assert_int_equal(lines->count, 1);
    assert_int_equal(lines->level, FLT_LOG_WARN);
    assert_int_equal(strncmp(lines->last, "ts=2", 4), 0);
    assert_string_equal(strstr(lines->last, " lvl="),
                        " lvl=warn mod=test_log ev=fill_applied bot=grid-1 price=64123.1");
}

static void what_is_below_the_level_is_silent(void **ctx)
{
    const struct lines *lines = *ctx;

    FLT_LOG(DEBUG, "detail", "x=%d", 1);
    assert_int_equal(lines->count, 0);
    flt_log_set_level(FLT_LOG_DEBUG);
    FLT_LOG(DEBUG, "detail", "x=%d", 1);
    assert_int_equal(lines->count, 1);
    flt_log_set_level(FLT_LOG_OFF);
    FLT_LOG(ERROR, "bad", "x=%d", 1);
    assert_int_equal(lines->count, 1);
    assert_int_equal(flt_log_level_parse("warn"), FLT_LOG_WARN);
    assert_int_equal(flt_log_level_parse("loud"), -EINVAL);
    assert_int_equal(flt_log_level_parse(NULL), -EINVAL);
}

static void a_value_cannot_forge_a_line(void **ctx)
{
    const struct lines *lines = *ctx;
    char quoted[64], tiny[6];

    FLT_LOG(INFO, "said", "raw=%s", "a\nts=forged");
    assert_null(strchr(lines->last, '\n'));
    assert_string_equal(flt_log_quote("a\nb\"c\\\x01", quoted, sizeof quoted),
                        "\"a\\nb\\\"c\\\\\\x01\"");
    assert_string_equal(flt_log_quote("abcdef", tiny, sizeof tiny), "\"abc\"");
    assert_string_equal(flt_log_quote("ab\n", tiny, sizeof tiny), "\"ab\""); /* no half escape */
    assert_string_equal(flt_log_quote(NULL, quoted, sizeof quoted), "\"\"");
    assert_string_equal(flt_log_quote("x", tiny, 2), "");
}

static void a_long_line_is_cut_and_stays_a_line(void **ctx)
{
    const struct lines *lines = *ctx;
    char text[9000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    FLT_LOG(INFO, "long", "text=%s", text);
    assert_true(strlen(lines->last) > 4000 && strlen(lines->last) < 4096);
}

static void a_line_arrives_in_one_piece_at_the_descriptor(void **ctx)
{
    int ends[2];
    char text[512];

    (void)ctx;
    assert_int_equal(pipe(ends), 0);
    flt_log_set_fd(ends[1]);
    errno = EAGAIN;
    FLT_LOG(INFO, "started", "pid=%d", 7);
    assert_int_equal(errno, EAGAIN);
    const ssize_t size = read(ends[0], text, sizeof text - 1);
    assert_true(size > 0);
    text[size] = '\0';
    assert_string_equal(strstr(text, "ev="), "ev=started pid=7\n");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_is_one_logfmt_line, listen_to, listen_no_more),
        cmocka_unit_test_setup_teardown(what_is_below_the_level_is_silent, listen_to,
                                        listen_no_more),
        cmocka_unit_test_setup_teardown(a_value_cannot_forge_a_line, listen_to, listen_no_more),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut_and_stays_a_line, listen_to,
                                        listen_no_more),
        cmocka_unit_test_setup_teardown(a_line_arrives_in_one_piece_at_the_descriptor, listen_to,
                                        listen_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
