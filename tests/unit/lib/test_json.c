#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define FLT_MOD "test_json"
#include "lib/json.h"

static struct json_object *parse(const char *text)
{
    return flt_json_parse(text, strlen(text), NULL);
}

static void what_json_c_lets_pass_is_refused(void **ctx)
{
    static const char *const rows[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{'a':1}",
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":}",
        "[1 2]",
        "[NaN]",
        "[Infinity]",
        "[-Infinity]",
        "[nan]",
        "/* c */ {}",
        "{} x",
        "{}{}",
        "[01]",
        "[-]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[1e+]",
        "[+1]",
        "[0x1]",
        "[1e309]",
        "[1e-400]",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"a",
        "[\"\\",
        "[\"\t\"]",
        "[tru]",
        "[True]",
        "[nulll]",
        "[\"\\u0000\"]",
        "[\"\\ud800\"]",
        "[\"\\udc00\\ud800\"]",
        "[\"\xff\"]",
        "[\"\xc0\x80\"]",
        "[\"\xed\xa0\x80\"]",
        "[\"\xf4\x90\x80\x80\"]",
        "[\"\xe2\x82\"]",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "[{\"x\":{\"b\":1,\"c\":2,\"b\":null}}]",
        "[9223372036854775808]",
        "[-9223372036854775809]",
        "[18446744073709551616]",
        "[1}",
        "{\"a\":1]",
        "null",
        "[,1]",
        "{,}",
        "[100000000000000000000000000000000000000000000000000000000000000000]",
        "\xef\xbb\xbf{}",
    };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        struct flt_error error = { 0 };

        if (flt_json_parse(rows[i], strlen(rows[i]), &error))
            fail_msg("%s parses", rows[i]);
        assert_int_equal(error.code, FLT_INVALID_ARGUMENT);
    }
    assert_null(flt_json_parse("[1]\0", 4, NULL));
    assert_null(flt_json_parse("[\"a\0b\"]", 7, NULL));
}

static void good_json_comes_back_as_it_was(void **ctx)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        "[[],{}]",
        "{\"a\":[1,-2,0,null,true,false,\"x\"],\"b\":{\"c\":{}}}",
        "[9223372036854775807,-9223372036854775808]",
        "[64123.10,1e-8,1E+3,-0.5]",
        "{\"a\":{\"k\":1},\"b\":{\"k\":2}}",
        "[{\"k\":1},{\"k\":2}]",
        "\"text\"",
        "12",
        "-1.5",
        "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        struct json_object *const tree = parse(rows[i]);

        if (!tree)
            fail_msg("%s does not parse", rows[i]);
        assert_string_equal(json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN), rows[i]);
        json_object_put(tree);
    }
    assert_null(parse("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]")); /* 17 levels */
}

static void an_error_says_where_and_what(void **ctx)
{
    static const char text[] = "{\n  \"lower\": 1,\n  \"lower\": 2\n}";
    struct flt_error error = { 0 }, other = { 0 };

    (void)ctx;
    assert_null(flt_json_parse(text, strlen(text), &error));
    assert_string_equal(
        error.message,
        "not JSON at line 3, column 4: the key \"lower\" appears twice in one object");
    assert_null(flt_json_parse("[1,\n 'x']", 9, &other));
    assert_string_equal(other.message, "not JSON at line 2, column 2: a value is missing here");
}

static void a_file_is_named_in_its_error(void **ctx)
{
    char path[] = "/tmp/test_json.XXXXXX", expected[128];
    struct flt_error error = { 0 }, missing = { 0 };
    const int fd = mkstemp(path);

    (void)ctx;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"a\":\n01}", 9), 9);
    assert_null(flt_json_load(path, &error));
    (void)snprintf(expected, sizeof expected, "%s:2:1: a number cannot start with 0", path);
    assert_string_equal(error.message, expected);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "{\"a\":1}", 7, 0), 7);
    close(fd);
    struct json_object *const tree = flt_json_load(path, NULL);
    assert_non_null(tree);
    json_object_put(tree);
    unlink(path);
    assert_null(flt_json_load(path, &missing));
    assert_int_equal(missing.code, FLT_NOT_FOUND);
}

static void readers_take_their_type_only(void **ctx)
{
    struct json_object *const tree =
        parse("{\"s\":\"x\",\"i\":-5,\"is\":\"123456789012345678\",\"b\":true,\"d\":1.5,\"n\":null,"
              "\"p\":64123.10,\"ps\":\"0.00000001\",\"big\":\"9223372036854775808\",\"bad\":\"1x\","
              "\"amt\":\"123456789012345678901.5\",\"o\":{}}");
    const char *s = "kept";
    int64_t i = 7;
    bool b = false;
    double d = 0;
    struct flt_dec dec = { 3, 0 };
    struct flt_amt amt = FLT_AMT_ZERO;
    char text[FLT_AMT_TEXT_MAX];

    (void)ctx;
    assert_true(flt_json_str(tree, "s", &s));
    assert_string_equal(s, "x");
    assert_false(flt_json_str(tree, "i", &s));
    assert_false(flt_json_str(tree, "n", &s));
    assert_false(flt_json_str(tree, "missing", &s));
    assert_true(flt_json_int(tree, "i", &i) && i == -5);
    assert_true(flt_json_int(tree, "is", &i) && i == INT64_C(123456789012345678));
    assert_false(flt_json_int(tree, "big", &i));
    assert_false(flt_json_int(tree, "s", &i));
    assert_false(flt_json_int(tree, "d", &i));
    assert_false(flt_json_int(tree, "n", &i));
    assert_int_equal(i, INT64_C(123456789012345678));
    assert_true(flt_json_bool(tree, "b", &b) && b);
    assert_false(flt_json_bool(tree, "i", &b));
    assert_true(flt_json_double(tree, "d", &d) && d > 1.4 && d < 1.6);
    assert_true(flt_json_double(tree, "i", &d) && d < -4.9);
    assert_false(flt_json_double(tree, "s", &d));
    assert_true(flt_json_double(tree, "ps", &d) && d < 2e-8 && d > 0);
    assert_true(flt_json_dec(tree, "p", &dec) && dec.coef == 641231 && dec.scale == 1);
    assert_true(flt_json_dec(tree, "ps", &dec) && dec.coef == 1 && dec.scale == 8);
    assert_true(flt_json_dec(tree, "i", &dec) && dec.coef == -5);
    assert_false(flt_json_dec(tree, "bad", &dec));
    assert_false(flt_json_dec(tree, "b", &dec));
    assert_false(flt_json_dec(tree, "o", &dec));
    assert_int_equal(dec.coef, -5);
    assert_true(flt_json_amt(tree, "amt", &amt));
    assert_string_equal(flt_amt_format(amt, text), "123456789012345678901.5");
    assert_true(flt_json_amt(tree, "p", &amt) && flt_json_amt(tree, "i", &amt));
    assert_false(flt_json_amt(tree, "n", &amt));
    assert_non_null(flt_json_get(tree, "o"));
    assert_null(flt_json_get(tree, "n"));
    assert_null(flt_json_get(NULL, "n"));
    json_object_put(tree);
}

static void the_writer_escapes_and_places_commas(void **ctx)
{
    struct flt_buf buf = FLT_BUF_INIT;
    struct json_object *const tree = parse("{\"x\":[1.50,\"a/b\"]}");

    (void)ctx;
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "s", "a\"b\\c\n\x01\x7f/\xe2\x82\xac\xff");
    flt_jw_str(&buf, "none", NULL);
    flt_jw_str_n(&buf, "n", "cut here", 3);
    flt_jw_int(&buf, "i", INT64_MIN);
    flt_jw_begin(&buf, "a", '[');
    flt_jw_bool(&buf, NULL, true);
    flt_jw_null(&buf, NULL);
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, ']');
    flt_jw_double(&buf, "d", 0.5);
    flt_jw_dec(&buf, "p", (struct flt_dec){ 641231, 1 });
    flt_jw_amt(&buf, "m", flt_amt_from_int(-3));
    flt_jw_raw(&buf, "r", "[1]");
    flt_jw_tree(&buf, "t", tree);
    flt_jw_tree(&buf, "t0", NULL);
    flt_jw_end(&buf, '}');
    assert_false(buf.failed);
    assert_string_equal(
        buf.data, "{\"s\":\"a\\\"b\\\\c\\n\\u0001\x7f/\xe2\x82\xac\xef\xbf\xbd\",\"none\":null,"
                  "\"n\":\"cut\",\"i\":-9223372036854775808,\"a\":[true,null,{}],\"d\":0.5,"
                  "\"p\":\"64123.1\",\"m\":\"-3\",\"r\":[1],\"t\":{\"x\":[1.50,\"a/b\"]},"
                  "\"t0\":null}");
    struct json_object *const back = parse(buf.data);
    assert_non_null(back);
    json_object_put(back);
    json_object_put(tree);
    flt_buf_finish(&buf);
}

static void a_broken_number_is_noticed(void **ctx)
{
    struct flt_buf buf = FLT_BUF_INIT;

    (void)ctx;
    flt_jw_dec(&buf, NULL, FLT_DEC_BAD);
    assert_string_equal(buf.data, "null");
    assert_true(buf.failed);
    flt_buf_reset(&buf);
    assert_false(buf.failed);
    flt_jw_amt(&buf, NULL, FLT_AMT_BAD);
    assert_true(buf.failed);
    flt_buf_reset(&buf);
    flt_jw_double(&buf, NULL, (double)NAN);
    assert_string_equal(buf.data, "null");
    assert_true(buf.failed);
    flt_buf_finish(&buf);
}

static void a_buffer_grows_and_stays_terminated(void **ctx)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char piece[100];

    (void)ctx;
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 100; i++) {
        flt_buf_append(&buf, piece, sizeof piece);
        flt_buf_printf(&buf, "%0150d", i);
        assert_int_equal(strlen(buf.data), buf.length);
    }
    assert_int_equal(buf.length, 25000);
    flt_buf_reset(&buf);
    assert_string_equal(buf.data, "");
    flt_buf_finish(&buf);
    assert_null(buf.data);
}

static void *parse_much(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        struct json_object *const tree = parse("{\"a\":[1,2,{\"b\":\"c\"}]}");

        if (!tree)
            return arg;
        json_object_put(tree);
    }
    return NULL;
}

static void threads_parse_side_by_side(void **ctx)
{
    pthread_t threads[2];
    void *failed;

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parse_much, ctx), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_json_c_lets_pass_is_refused),
        cmocka_unit_test(good_json_comes_back_as_it_was),
        cmocka_unit_test(an_error_says_where_and_what),
        cmocka_unit_test(a_file_is_named_in_its_error),
        cmocka_unit_test(readers_take_their_type_only),
        cmocka_unit_test(the_writer_escapes_and_places_commas),
        cmocka_unit_test(a_broken_number_is_noticed),
        cmocka_unit_test(a_buffer_grows_and_stays_terminated),
        cmocka_unit_test(threads_parse_side_by_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
