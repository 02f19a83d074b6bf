#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "dashboard/backtests.h"
#include "lib/config.h"

static char dir[64];

static void put(const char *path, const char *text)
{
    char whole[256];

    snprintf(whole, sizeof whole, "%s/%s", dir, path);
    assert_int_equal(flt_file_write(whole, text, strlen(text), 0600), 0);
}

static void make(const char *path)
{
    char whole[256];

    snprintf(whole, sizeof whole, "%s/%s", dir, path);
    assert_int_equal(flt_mkdir_p(whole), 0);
}

static int set_up(void **ctx)
{
    (void)ctx;
    snprintf(dir, sizeof dir, "/tmp/flt-backtests-XXXXXX");
    assert_non_null(mkdtemp(dir));
    make("backtests/one");
    make("backtests/empty");
    put("backtests/one/summary.json", "{\"net\":\"1.5\"}");
    put("backtests/one/report.html", "<p>one</p>");
    put("secret", "not for you");
    return 0;
}

static int tear_down(void **ctx)
{
    static const char *const files[] = { "backtests/one/summary.json", "backtests/one/report.html",
                                         "backtests/link", "secret" };
    static const char *const folders[] = { "backtests/one", "backtests/empty", "backtests", "" };
    char whole[256];

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(files); i++) {
        snprintf(whole, sizeof whole, "%s/%s", dir, files[i]);
        (void)unlink(whole);
    }
    for (size_t i = 0; i < FLT_COUNT(folders); i++) {
        snprintf(whole, sizeof whole, "%s/%s", dir, folders[i]);
        assert_int_equal(rmdir(whole), 0);
    }
    return 0;
}

static void finished_runs_are_listed_with_their_summary(void **ctx)
{
    struct flt_buf buf = FLT_BUF_INIT;

    (void)ctx;
    flt_jw_begin(&buf, NULL, '{');
    backtests_write(dir, &buf);
    flt_jw_end(&buf, '}');
    struct json_object *tree = flt_json_parse(buf.data, buf.length, NULL);
    struct json_object *items = flt_json_get(tree, "items");
    const char *net;
    bool report = false;

    assert_int_equal(json_object_array_length(items), 1);
    struct json_object *one = json_object_array_get_idx(items, 0);

    assert_true(flt_json_bool(one, "report", &report) && report);
    assert_true(flt_json_str(flt_json_get(one, "summary"), "net", &net));
    assert_string_equal(net, "1.5");
    json_object_put(tree);
    flt_buf_finish(&buf);
}

static void no_name_leads_out_of_the_folder(void **ctx)
{
    static const char *const names[] = {
        "..", ".", "", "../..", "one/..", "/etc", ".hidden", "-x"
    };
    char target[128], link[128];
    size_t size = 0;

    (void)ctx;
    char *text = backtests_read(dir, "one", "report.html", &size);

    assert_non_null(text);
    assert_int_equal(size, 10);
    free(text);
    for (size_t i = 0; i < FLT_COUNT(names); i++) {
        assert_false(backtests_name_ok(names[i]));
        assert_null(backtests_read(dir, names[i], "secret", &size));
    }
    snprintf(target, sizeof target, "%s", dir);
    snprintf(link, sizeof link, "%s/backtests/link", dir);
    assert_int_equal(symlink(target, link), 0);
    assert_null(backtests_read(dir, "link", "secret", &size));
    assert_null(backtests_read(NULL, "one", "report.html", &size));
}

static void a_ticket_opens_its_report_for_its_time(void **ctx)
{
    static const uint8_t secret[32] = { 7 }, other[32] = { 8 };
    char ticket[TICKET_MAX];

    (void)ctx;
    ticket_make(secret, "one", 1000, ticket);
    assert_true(ticket_ok(secret, "one", 1000, ticket));
    assert_true(ticket_ok(secret, "one", 1000 + TICKET_MS, ticket));
    assert_false(ticket_ok(secret, "one", 1001 + TICKET_MS, ticket));
    assert_false(ticket_ok(secret, "two", 1000, ticket));
    assert_false(ticket_ok(other, "one", 1000, ticket));
    ticket[0] = '9'; /* a longer life */
    assert_false(ticket_ok(secret, "one", 1000, ticket));
    assert_false(ticket_ok(secret, "one", 1000, "") || ticket_ok(secret, "one", 1000, "5.x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finished_runs_are_listed_with_their_summary, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_name_leads_out_of_the_folder, set_up, tear_down),
        cmocka_unit_test(a_ticket_opens_its_report_for_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
