/* The filter language, held to tests/vectors/filter.json, as the dashboard's is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "controller/cli/filter.h"
#include "lib/json.h"

static const char *const fields[FILTER_FIELDS] = {
    [FILTER_BOT] = "bot",           [FILTER_NODE] = "node",
    [FILTER_STRATEGY] = "strategy", [FILTER_INSTRUMENT] = "instrument",
    [FILTER_STATE] = "state",       [FILTER_ACCOUNT] = "account",
    [FILTER_VENUE] = "venue",       [FILTER_MODE] = "mode",
    [FILTER_RUN] = "run",           [FILTER_REASON] = "reason",
    [FILTER_EQUITY] = "equity",     [FILTER_REALISED] = "realised",
    [FILTER_POSITION] = "position", [FILTER_PRICE] = "price",
    [FILTER_FILLS] = "fills",       [FILTER_ORDERS] = "orders",
    [FILTER_AGE] = "age",
};

static struct json_object *vectors(void)
{
    struct flt_error error = { 0 };
    struct json_object *tree = flt_json_load(FILTER_VECTORS, &error);

    if (!tree)
        fail_msg("%s", error.message);
    return tree;
}

static bool keeps(const struct filter *filter, struct json_object *item)
{
    struct filter_row row = { 0 };

    for (size_t i = 0; i < FILTER_FIELDS; i++)
        flt_json_str(item, fields[i], &row.text[i]);
    return filter_match(filter, &row);
}

static bool listed(struct json_object *names, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(names); i++)
        if (strcmp(json_object_get_string(json_object_array_get_idx(names, i)), name) == 0)
            return true;
    return false;
}

static void each_query_keeps_the_bots_that_the_vectors_say(void **ctx)
{
    struct json_object *tree = vectors();
    struct json_object *rows = flt_json_get(tree, "rows"), *cases = flt_json_get(tree, "cases");
    const size_t count = json_object_array_length(cases);

    (void)ctx;
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(cases, i);
        static struct filter filter;
        struct flt_error error = { 0 };
        const char *query = "", *name = "";

        flt_json_str(one, "query", &query);
        if (filter_compile(&filter, query, &error))
            fail_msg("%s: %s", query, error.message);
        for (size_t k = 0; k < json_object_array_length(rows); k++) {
            struct json_object *row = json_object_array_get_idx(rows, k);

            flt_json_str(row, "bot", &name);
            if (keeps(&filter, row) != listed(flt_json_get(one, "bots"), name))
                fail_msg("%s: wrong about %s", query, name);
        }
    }
    json_object_put(tree);
}

static void a_wrong_query_names_the_word_and_what_was_meant(void **ctx)
{
    struct json_object *tree = vectors();
    struct json_object *cases = flt_json_get(tree, "errors");
    static struct filter filter;

    (void)ctx;
    for (size_t i = 0; i < json_object_array_length(cases); i++) {
        struct json_object *one = json_object_array_get_idx(cases, i);
        struct flt_error error = { 0 };
        const char *query = "", *says = "";

        flt_json_str(one, "query", &query);
        flt_json_str(one, "says", &says);
        assert_true(filter_compile(&filter, query, &error) < 0);
        assert_int_equal(error.code, FLT_INVALID_ARGUMENT);
        if (!strstr(error.message, says) && !strstr(error.hint, says))
            fail_msg("%s: %s (%s)", query, error.message, error.hint);
    }
    json_object_put(tree);
}

static void what_is_too_long_or_too_much_is_refused(void **ctx)
{
    static struct filter filter;
    char text[FILTER_TEXT_MAX] = "";
    struct flt_error error = { 0 };

    (void)ctx;
    for (int i = 0; i < FILTER_TERMS_MAX + 1; i++)
        strcat(text, "a ");
    assert_true(filter_compile(&filter, text, &error) < 0);
    assert_non_null(strstr(error.message, "terms"));
    memset(text, 'x', sizeof text - 1);
    error = (struct flt_error){ 0 };
    assert_true(filter_compile(&filter, text, &error) < 0);
    assert_non_null(strstr(error.message, "characters"));
    strcpy(text, "node=1");
    for (int i = 0; i < FILTER_VALUES_MAX; i++)
        strcat(text, "|1");
    error = (struct flt_error){ 0 };
    assert_true(filter_compile(&filter, text, &error) < 0);
    assert_non_null(strstr(error.message, "values"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_query_keeps_the_bots_that_the_vectors_say),
        cmocka_unit_test(a_wrong_query_names_the_word_and_what_was_meant),
        cmocka_unit_test(what_is_too_long_or_too_much_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
