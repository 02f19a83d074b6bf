#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "lib/ids.h"

static void a_ulid_starts_with_its_time(void **ctx)
{
    char first[FLT_ULID_MAX], second[FLT_ULID_MAX], later[FLT_ULID_MAX];

    (void)ctx;
    /* github.com/ulid/spec: 01ARZ3NDEKTSV4RRFFQ69G5FAV has the time 1469922850259 */
    assert_int_equal(strncmp(flt_ulid(INT64_C(1469922850259), first), "01ARZ3NDEK", 10), 0);
    assert_true(flt_ulid_ok(first));
    assert_string_not_equal(flt_ulid(INT64_C(1469922850259), second), first);
    assert_true(strcmp(flt_ulid(INT64_C(1469922850260), later), first) > 0);
}

static void what_is_not_a_ulid_is_refused(void **ctx)
{
    (void)ctx;
    assert_true(flt_ulid_ok("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
    assert_false(flt_ulid_ok("8ZZZZZZZZZZZZZZZZZZZZZZZZZ")); /* 131 bits */
    assert_false(flt_ulid_ok("01ARZ3NDEKTSV4RRFFQ69G5FA"));
    assert_false(flt_ulid_ok("01ARZ3NDEKTSV4RRFFQ69G5FAVX"));
    assert_false(flt_ulid_ok("01ARZ3NDEKTSV4RRFFQ69G5FAI"));
    assert_false(flt_ulid_ok("01arz3ndektsv4rrffq69g5fav"));
    assert_false(flt_ulid_ok(""));
    assert_false(flt_ulid_ok(NULL));
}

static void names_are_what_topics_and_paths_take(void **ctx)
{
    (void)ctx;
    assert_true(flt_name_ok("a"));
    assert_true(flt_name_ok("0-grid-btc"));
    assert_true(flt_name_ok("abcdefghijklmnopqrstuvwxyz012345"));
    assert_false(flt_name_ok("abcdefghijklmnopqrstuvwxyz0123456"));
    assert_false(flt_name_ok(""));
    assert_false(flt_name_ok(NULL));
    assert_false(flt_name_ok("-a"));
    assert_false(flt_name_ok("A"));
    assert_false(flt_name_ok("a.b"));
    assert_false(flt_name_ok("a/b"));
    assert_false(flt_name_ok("a+"));
}

static void a_client_order_id_says_whose_it_is(void **ctx)
{
    const struct flt_coid id = { 0xfedcba9876, 0xabcdef, 0xffffffff, 0x80000001 };
    const struct flt_coid zero = { 0 }, full = { 0xffffffffff, 0xffffff, UINT32_MAX, UINT32_MAX };
    struct flt_coid back;
    char text[FLT_COID_MAX];

    (void)ctx;
    assert_true(flt_coid_parse(flt_coid_format(&id, text), &back));
    assert_int_equal(back.owner, id.owner);
    assert_int_equal(back.epoch, id.epoch);
    assert_int_equal(back.sequence, id.sequence);
    assert_int_equal(back.key, id.key);
    assert_int_equal(strlen(text), 27);
    assert_string_equal(flt_coid_format(&zero, text), "f00000000000000000000000000");
    assert_string_equal(flt_coid_format(&full, text), "f7zzzzzzzzzzzzzzzzzzzzzzzzz");
}

static void ids_of_others_are_not_ours(void **ctx)
{
    struct flt_coid back = { .key = 7 };

    (void)ctx;
    assert_false(flt_coid_parse("web_1234567890", &back));
    assert_false(flt_coid_parse("f8zzzzzzzzzzzzzzzzzzzzzzzzz", &back));
    assert_false(flt_coid_parse("f7ZZZZZZZZZZZZZZZZZZZZZZZZZ", &back));
    assert_false(flt_coid_parse("f000000000000000000000000000", &back));
    assert_false(flt_coid_parse("x00000000000000000000000000", &back));
    assert_false(flt_coid_parse("", &back));
    assert_false(flt_coid_parse(NULL, &back));
    assert_int_equal(back.key, 7);
}

static void the_owner_is_the_head_of_a_hash(void **ctx)
{
    (void)ctx;
    /* printf 'fleet/bot' | sha256sum: b8f7e180a8... */
    assert_int_equal(flt_coid_owner("fleet", "bot"), 0xb8f7e180a8);
    assert_true(flt_coid_owner("fleet", "bot") != flt_coid_owner("fleet", "bot-2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ulid_starts_with_its_time),
        cmocka_unit_test(what_is_not_a_ulid_is_refused),
        cmocka_unit_test(names_are_what_topics_and_paths_take),
        cmocka_unit_test(a_client_order_id_says_whose_it_is),
        cmocka_unit_test(ids_of_others_are_not_ours),
        cmocka_unit_test(the_owner_is_the_head_of_a_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
