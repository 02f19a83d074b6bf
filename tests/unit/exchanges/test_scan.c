#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/scan.h"

static void members_come_in_order_with_nested_values_whole(void **ctx)
{
    static const char text[] =
        " { \"a\" : 1.5 ,\"b\":\"x\\\"}\",\"c\":{\"d\":[1,{\"e\":\"]\"}]},\"f\":null}";
    static const char *const keys[] = { "a", "b", "c", "f" };
    static const char *const values[] = { "1.5", "x\\\"}", "{\"d\":[1,{\"e\":\"]\"}]}", "null" };
    struct scan scan = scan_object(text, strlen(text));
    struct span key, value;
    size_t count = 0;

    (void)ctx;
    while (scan_member(&scan, &key, &value)) {
        assert_true(count < 4 && span_is(key, keys[count]));
        assert_true(span_is(value, values[count]));
        assert_int_equal(value.is_string, count == 1);
        count++;
    }
    assert_int_equal(count, 4);
    assert_false(scan.failed);
}

/* Every prefix of a frame, in memory that ends there. */
static void a_cut_frame_fails_and_is_never_read_past_its_end(void **ctx)
{
    static const char text[] = "{\"e\":\"trade\",\"p\":\"1\\\\\",\"k\":{\"t\":[1,2]},\"m\":true}";
    struct span key, value;

    (void)ctx;
    for (size_t size = 0; size < strlen(text); size++) {
        char *exact = malloc(size + !size);

        assert_non_null(exact);
        memcpy(exact, text, size);
        struct scan scan = scan_object(exact, size);

        while (scan_member(&scan, &key, &value))
            ;
        assert_true(scan.failed);
        free(exact);
    }
}

static void numbers_are_exact_or_refused(void **ctx)
{
    int64_t number = 0;
    const struct span big = { "9223372036854775807", 19, false },
                      over = { "9223372036854775808", 19, false };
    const struct span minus = { "-1", 2, true }, word = { "1x", 2, true },
                      none = { NULL, 0, false };
    char small[3];

    (void)ctx;
    assert_true(span_int(big, &number) && number == INT64_MAX);
    assert_false(span_int(over, &number));
    assert_true(span_int(minus, &number) && number == -1);
    assert_false(span_int(word, &number));
    assert_false(span_int(none, &number));
    assert_false(flt_dec_ok(span_dec(none)));
    assert_false(flt_dec_ok(span_dec(word)));
    assert_false(span_copy(big, small, sizeof small));
    assert_string_equal(small, "");
    assert_true(span_copy(minus, small, sizeof small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_order_with_nested_values_whole),
        cmocka_unit_test(a_cut_frame_fails_and_is_never_read_past_its_end),
        cmocka_unit_test(numbers_are_exact_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
