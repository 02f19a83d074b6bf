#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#define FLT_MOD "test_fail"
#include "lib/fail.h"

static char last_line[1024];

static void keep_line(void *ctx, enum flt_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    (void)snprintf(last_line, sizeof last_line, "%s", line);
}

static void a_failure_is_logged_with_its_place_and_passed_on(void **ctx)
{
    (void)ctx;
    flt_log_set_fd(-1);
    flt_log_set_sink(keep_line, NULL);
    assert_int_equal(FLT_FAIL(-EIO, "path=%s", "/x"), -EIO);
    flt_log_set_sink(NULL, NULL);
    flt_log_set_fd(2);
    assert_non_null(strstr(last_line, " lvl=error mod=test_fail ev=failed at="));
    assert_non_null(strstr(last_line, "test_fail.c:"));
    assert_non_null(strstr(last_line, "err=-5 errno=\"Input/output error\" path=/x"));
}

static void names_and_errnos_of_codes_come_back(void **ctx)
{
    (void)ctx;
    for (int code = 0; code < FLT_ERROR_CODE_COUNT; code++) {
        struct flt_error error = { 0 };
        const int err = flt_error_set(&error, (enum flt_error_code)code, NULL, NULL, "x");

        assert_int_equal(flt_error_from_name(flt_error_name((enum flt_error_code)code)), code);
        assert_int_equal(flt_error_from_errno(err), code);
    }
    assert_int_equal(flt_error_from_name("nonsense"), FLT_INTERNAL);
    assert_int_equal(flt_error_from_name(NULL), FLT_INTERNAL);
    assert_int_equal(flt_error_from_errno(-EPERM), FLT_DENIED);
    assert_int_equal(flt_error_from_errno(-ECONNREFUSED), FLT_UNAVAILABLE);
    assert_int_equal(flt_error_from_errno(-EXDEV), FLT_INTERNAL);
}

static void exit_codes_differ(void **ctx)
{
    (void)ctx;
    for (int a = 0; a < FLT_ERROR_CODE_COUNT; a++)
        for (int b = 0; b < a; b++)
            assert_int_not_equal(flt_error_exit_code((enum flt_error_code)a),
                                 flt_error_exit_code((enum flt_error_code)b));
    assert_int_equal(flt_error_exit_code(FLT_OK), 0);
}

static void the_first_error_is_kept(void **ctx)
{
    struct flt_error error = { 0 };

    (void)ctx;
    assert_int_equal(flt_error_set(&error, FLT_NOT_FOUND, "bot", "try bot ls", "no bot %s", "a"),
                     -ENOENT);
    assert_int_equal(flt_error_set(&error, FLT_CONFLICT, "", "", "second"), -EEXIST);
    assert_int_equal(flt_error_set(NULL, FLT_DENIED, "", "", "nobody listens"), -EACCES);
    assert_int_equal(error.code, FLT_NOT_FOUND);
    assert_string_equal(error.message, "no bot a");
    assert_string_equal(error.hint, "try bot ls");
    assert_string_equal(error.field, "bot");
}

static void a_field_path_grows_from_its_end(void **ctx)
{
    struct flt_error error = { 0 };
    char long_prefix[200];

    (void)ctx;
    (void)flt_error_set(&error, FLT_INVALID_ARGUMENT, "levels", NULL, "too many");
    flt_error_prefix(&error, "params");
    flt_error_prefix(&error, "[2]");
    flt_error_prefix(&error, "bots");
    assert_string_equal(error.field, "bots[2].params.levels");
    memset(long_prefix, 'x', sizeof long_prefix - 1);
    long_prefix[sizeof long_prefix - 1] = '\0';
    flt_error_prefix(&error, long_prefix);
    assert_int_equal(strlen(error.field), sizeof error.field - 1);
}

static void a_typo_finds_its_word(void **ctx)
{
    static const char *const names[] = { "levels", "lower", "upper", "budget", "stop" };

    (void)ctx;
    assert_string_equal(flt_nearest("levles", names, FLT_COUNT(names)), "levels");
    assert_string_equal(flt_nearest("Lower", names, FLT_COUNT(names)), "lower");
    assert_string_equal(flt_nearest("budgets", names, FLT_COUNT(names)), "budget");
    assert_string_equal(flt_nearest("stpo", names, FLT_COUNT(names)), "stop");
    assert_null(flt_nearest("zebra", names, FLT_COUNT(names)));
    assert_null(flt_nearest("", names, FLT_COUNT(names)));
    assert_null(flt_nearest("x", names, FLT_COUNT(names)));
    assert_null(flt_nearest("a-word-far-longer-than-any-name-that-anybody-would-give-to-a-thing",
                            names, FLT_COUNT(names)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_logged_with_its_place_and_passed_on),
        cmocka_unit_test(names_and_errnos_of_codes_come_back),
        cmocka_unit_test(exit_codes_differ),
        cmocka_unit_test(the_first_error_is_kept),
        cmocka_unit_test(a_field_path_grows_from_its_end),
        cmocka_unit_test(a_typo_finds_its_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
