#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>
#include "dashboard/api_route.h"
#include "lib/json.h"

struct found {
    int err;
    struct api_target target;
    struct flt_error error;
    char args[512];
};

static struct found ask(const char *method, const char *path, const char *query, const char *body)
{
    struct found found = { 0 };

    found.err = api_find(method, path, query, body, strlen(body), &found.target, &found.error);
    if (found.err == 0) {
        snprintf(found.args, sizeof found.args, "%s",
                 json_object_to_json_string_ext(found.target.args, JSON_C_TO_STRING_PLAIN));
        json_object_put(found.target.args);
    }
    return found;
}

static void each_verb_is_a_post_and_those_that_read_a_get(void **ctx)
{
    char path[64];

    (void)ctx;
    for (size_t i = 0; i < msg_verb_count; i++) {
        snprintf(path, sizeof path, "/api/v1/%s", msg_verbs[i].name);
        struct found found = ask("POST", path, "", "{}");

        assert_int_equal(found.err, 0);
        assert_ptr_equal(found.target.verb, &msg_verbs[i]);
        found = ask("GET", path, "", "");
        assert_int_equal(found.err == 0, !msg_verbs[i].mutates);
    }
}

static void each_readable_route_names_a_verb_or_a_page(void **ctx)
{
    (void)ctx;
    for (size_t i = 0; i < api_route_count; i++) {
        const struct msg_verb *verb = api_routes[i].verb ? msg_verb_find(api_routes[i].verb) : NULL;

        assert_true(verb != NULL || api_routes[i].kind != API_VERB);
        /* A GET never changes anything: links and prefetching use it. */
        assert_false(verb && verb->mutates && strcmp(api_routes[i].method, "GET") == 0);
    }
}

static void arguments_come_from_path_query_and_body(void **ctx)
{
    struct found found = ask("GET", "/api/v1/bots/btc-grid/trades", "limit=5&since_ms=1", "");

    (void)ctx;
    assert_string_equal(found.target.verb->name, "bot-fills");
    assert_string_equal(found.args, "{\"bot\":\"btc-grid\",\"limit\":5,\"since_ms\":1}");
    found = ask("GET", "/api/v1/bots", "node=node-1&limit=7&text=a%20b", "");
    assert_string_equal(found.args,
                        "{\"filter\":{\"node\":\"node-1\",\"text\":\"a b\"},\"limit\":7}");
    found = ask("GET", "/api/v1/bots/running", "", "");
    assert_string_equal(found.args, "{\"filter\":{\"phase\":\"running\"}}");
    found = ask("POST", "/api/v1/bots/x/stop", "", "{\"how\":\"flatten\"}");
    assert_string_equal(found.args, "{\"bot\":\"x\",\"how\":\"flatten\"}");
    found = ask("GET", "/api/v1/orders/", "open=false", "");
    assert_string_equal(found.args, "{\"open\":false}");
    found = ask("GET", "/api/v1/backtests/run-1/report.html", "ticket=a.b", "");
    assert_int_equal(found.target.kind, API_REPORT);
    assert_string_equal(found.target.name, "run-1");
}

static void what_does_not_fit_is_refused_with_words(void **ctx)
{
    struct found found = ask("POST", "/api/v1/bots/x/stop", "", "{\"bot\":\"y\"}");

    (void)ctx;
    assert_int_equal(found.error.code, FLT_INVALID_ARGUMENT); /* which one? */
    assert_string_equal(found.error.field, "bot");
    assert_int_equal(ask("POST", "/api/v1/bot-stop", "", "[]").error.code, FLT_INVALID_ARGUMENT);
    assert_int_equal(ask("POST", "/api/v1/bot-stop", "", "{").error.code, FLT_INVALID_ARGUMENT);
    assert_int_equal(ask("GET", "/api/v1/bot-ls", "limit=%zz", "").error.code,
                     FLT_INVALID_ARGUMENT);
    found = ask("GET", "/api/v1/bot-lss", "", "");
    assert_int_equal(found.error.code, FLT_NOT_FOUND);
    assert_string_equal(found.error.hint, "bot-ls");
    found = ask("GET", "/api/v1/bot-stop", "", "");
    assert_string_equal(found.target.allow, "POST");
    found = ask("PUT", "/api/v1/bots", "", "{}");
    assert_string_equal(found.target.allow, "GET, POST");
    assert_int_equal(ask("GET", "/api/v1/a/b/c/d/e/f/g/h", "", "").error.code, FLT_NOT_FOUND);
    assert_int_equal(ask("GET", "/api/v1/", "", "").error.code, FLT_NOT_FOUND);
}

static void logins_are_read_and_strange_names_refused(void **ctx)
{
    char user[64], password[128];

    (void)ctx;
    assert_true(api_login("Basic YWRhOnNlOmNyZXQ=", user, sizeof user, password, sizeof password));
    assert_string_equal(user, "ada");
    assert_string_equal(password, "se:cret");
    assert_true(api_login("Bearer flt_ci_a_b", user, sizeof user, password, sizeof password));
    assert_string_equal(user, "token-ci");
    assert_string_equal(password, "a_b");
    assert_false(api_login(NULL, user, sizeof user, password, sizeof password));
    assert_false(api_login("Bearer x", user, sizeof user, password, sizeof password));
    assert_false(api_login("Basic ***", user, sizeof user, password, sizeof password));
    /* "+:x" would subscribe to everybody's answers */
    assert_false(api_login("Basic Kzp4", user, sizeof user, password, sizeof password));
    assert_false(api_login("Bearer flt_a/b_c", user, sizeof user, password, sizeof password));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verb_is_a_post_and_those_that_read_a_get),
        cmocka_unit_test(each_readable_route_names_a_verb_or_a_page),
        cmocka_unit_test(arguments_come_from_path_query_and_body),
        cmocka_unit_test(what_does_not_fit_is_refused_with_words),
        cmocka_unit_test(logins_are_read_and_strange_names_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
