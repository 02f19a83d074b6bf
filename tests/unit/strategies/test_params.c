#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "strategies/params.h"

static const char *const colours[] = { "red", "green", NULL };

struct values {
    int64_t count, wait, colour;
    double ratio, list[4];
    struct flt_dec price;
    bool on;
};

#define ROW(f, t) .name = #f, .type = t, .offset = offsetof(struct values, f)
static const struct field fields[] = {
    { ROW(count, FIELD_INT), .min = "1", .max = "10", .help = "How many." },
    { ROW(wait, FIELD_DURATION), .def = "1m", .min = "1s", .hot = true },
    { ROW(colour, FIELD_ENUM), .def = "green", .choices = colours },
    { ROW(ratio, FIELD_DOUBLE), .def = "0.5", .max = "1" },
    { ROW(list, FIELD_DOUBLE), .count = 4, .def = "2", .min = "0" },
    { ROW(price, FIELD_DEC), .def = "0", .min = "0" },
    { ROW(on, FIELD_BOOL), .def = "true" },
    FIELD_END,
};

static int parse(const char *json, struct values *out, struct flt_error *error)
{
    struct json_object *tree = flt_json_parse(json, strlen(json), NULL);

    memset(error, 0, sizeof *error);
    assert_non_null(tree);
    const int err = params_parse(fields, tree, out, sizeof *out, error);
    json_object_put(tree);
    return err;
}

static void defaults_stand_where_nothing_is_said(void **ctx)
{
    struct values v;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(parse("{\"count\":3}", &v, &error), 0);
    assert_int_equal(v.count, 3);
    assert_int_equal(v.wait, 60000);
    assert_int_equal(v.colour, 1);
    assert_true(v.ratio == 0.5 && v.list[0] == 2 && v.list[1] == 0 && v.on);
}

static void values_come_as_numbers_text_and_lists(void **ctx)
{
    struct values v;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(parse("{\"count\":\"7\",\"wait\":\"2h\",\"colour\":\"red\",\"list\":[1,2.5],"
                           "\"price\":0.1000,\"on\":false}",
                           &v, &error),
                     0);
    assert_int_equal(v.count, 7);
    assert_int_equal(v.wait, 7200000);
    assert_int_equal(v.colour, 0);
    assert_true(v.list[0] == 1 && v.list[1] == 2.5 && v.list[2] == 0);
    assert_int_equal(flt_dec_cmp(v.price, (struct flt_dec){ 1, 1 }), 0);
    assert_false(v.on);
}

static void refused(const char *json, const char *field, const char *message, const char *hint)
{
    struct values v;
    struct flt_error error;

    assert_int_equal(parse(json, &v, &error), -EINVAL);
    assert_string_equal(error.field, field);
    assert_non_null(strstr(error.message, message));
    assert_non_null(strstr(error.hint, hint));
}

static void what_is_wrong_is_named_with_its_field_and_a_hint(void **ctx)
{
    (void)ctx;
    refused("{}", "count", "required", "How many");
    refused("{\"count\":11}", "count", "at most 10", "");
    refused("{\"count\":0}", "count", "at least 1", "");
    refused("{\"count\":1.5}", "count", "whole number", "");
    refused("{\"count\":true}", "count", "whole number", "");
    refused("{\"count\":[1]}", "count", "whole number", "");
    refused("{\"cuont\":1}", "cuont", "unknown key", "did you mean \"count\"");
    refused("{\"count\":1,\"wait\":\"5x\"}", "wait", "duration", "");
    refused("{\"count\":1,\"wait\":999}", "wait", "at least 1s", "");
    refused("{\"count\":1,\"colour\":\"gren\"}", "colour", "choices", "did you mean \"green\"");
    refused("{\"count\":1,\"list\":[1,2,3,4,5]}", "list", "1 to 4 values", "");
    refused("{\"count\":1,\"price\":\"abc\"}", "price", "decimal", "");
    refused("{\"count\":1,\"price\":-1}", "price", "at least 0", "");
    refused("{\"count\":1,\"on\":\"true\"}", "on", "true or false", "");
}

static void a_running_bot_takes_only_what_is_hot(void **ctx)
{
    struct values now, next;
    struct flt_error error = { 0 };
    struct json_object *hot = json_tokener_parse("{\"count\":3,\"wait\":\"5s\"}");
    struct json_object *cold = json_tokener_parse("{\"count\":4}");

    (void)ctx;
    assert_int_equal(parse("{\"count\":3}", &now, &error), 0);
    assert_int_equal(params_update(fields, hot, &now, &next, sizeof next, &error), 0);
    assert_int_equal(next.wait, 5000);
    assert_int_equal(params_update(fields, cold, &now, &next, sizeof next, &error), -EBUSY);
    assert_string_equal(error.field, "count");
    json_object_put(hot);
    json_object_put(cold);
}

static void values_are_written_and_read_back(void **ctx)
{
    struct values v, back;
    struct flt_error error;
    struct flt_buf buf = FLT_BUF_INIT;

    (void)ctx;
    assert_int_equal(
        parse("{\"count\":3,\"ratio\":0.1,\"list\":[0,3],\"price\":\"12.50\"}", &v, &error), 0);
    params_write(fields, &v, &buf, NULL);
    assert_non_null(strstr(buf.data, "\"price\":\"12.5\""));
    assert_non_null(strstr(buf.data, "\"colour\":\"green\""));
    struct json_object *tree = flt_json_parse(buf.data, buf.length, NULL);
    json_object_object_add(tree, "of_a_newer_version", json_object_new_int(1));
    assert_int_equal(params_read(fields, tree, &back, sizeof back, &error), 0);
    assert_int_equal(back.count, 3);
    assert_true(back.ratio == 0.1 && back.list[1] == 3 && back.on);
    json_object_object_add(tree, "count", json_object_new_string("many"));
    assert_int_equal(params_read(fields, tree, &back, sizeof back, &error), -EINVAL);
    json_object_put(tree);
    flt_buf_finish(&buf);
}

static void the_table_becomes_a_json_schema(void **ctx)
{
    struct flt_buf buf = FLT_BUF_INIT;

    (void)ctx;
    params_schema(fields, &buf, NULL);
    assert_false(buf.failed);
    struct json_object *tree = flt_json_parse(buf.data, buf.length, NULL);
    assert_non_null(tree);
    struct json_object *properties = flt_json_get(tree, "properties");
    int64_t number = 0;
    bool extra = true;
    assert_int_equal(json_object_object_length(properties), 7);
    assert_true(flt_json_int(flt_json_get(properties, "count"), "maximum", &number));
    assert_int_equal(number, 10);
    assert_true(flt_json_int(flt_json_get(properties, "wait"), "default", &number));
    assert_int_equal(number, 60000);
    assert_int_equal(json_object_array_length(flt_json_get(tree, "required")), 1);
    assert_true(flt_json_bool(tree, "additionalProperties", &extra) && !extra);
    json_object_put(tree);
    flt_buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_where_nothing_is_said),
        cmocka_unit_test(values_come_as_numbers_text_and_lists),
        cmocka_unit_test(what_is_wrong_is_named_with_its_field_and_a_hint),
        cmocka_unit_test(a_running_bot_takes_only_what_is_hot),
        cmocka_unit_test(values_are_written_and_read_back),
        cmocka_unit_test(the_table_becomes_a_json_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
