/* What a venue says of a key, from its reply to the words that people read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "botnode/keytest.h"
#include "exchanges/codec.h"

static bool read_reply(const char *body, struct key_rights *out)
{
    struct instruments table = { 0 };
    struct result result = { 0 };
    const struct codec_reply reply = { .http_status = 200, .body = body, .size = strlen(body) };

    codec_find("binance")->parse(&table, OP_KEY_RIGHTS, NULL, &reply, &result);
    const bool said = result.failure.error == EXCHANGE_OK && result.kind == RESULT_RIGHTS &&
                      result.items.count == 1;

    if (said)
        *out = *RESULT_ITEMS(&result, struct key_rights);
    result_finish(&result);
    return said;
}

static void a_key_that_can_withdraw_is_a_warning(void **ctx)
{
    struct key_rights rights = { 0 };
    struct msg_key_check checks[8];

    (void)ctx;
    assert_true(read_reply("{\"ipRestrict\":true,\"enableReading\":true,"
                           "\"enableWithdrawals\":true,\"enableSpotAndMarginTrading\":true}",
                           &rights));
    assert_int_equal(keytest_judge(&rights, checks), 3);
    assert_int_equal(checks[0].state, MSG_KEY_CHECK_STATE_OK);
    assert_int_equal(checks[1].check, MSG_KEY_CHECK_CHECK_WITHDRAW);
    assert_int_equal(checks[1].state, MSG_KEY_CHECK_STATE_WARN);
    assert_non_null(strstr(checks[1].message, "can withdraw"));
    assert_true(checks[1].has_hint);
    assert_int_equal(checks[2].state, MSG_KEY_CHECK_STATE_OK);
}

static void a_key_that_only_reads_fails_as_bots_must_trade(void **ctx)
{
    struct key_rights rights = { 0 };
    struct msg_key_check checks[8];

    (void)ctx;
    assert_true(read_reply("{\"ipRestrict\":false,\"enableWithdrawals\":false}", &rights));
    keytest_judge(&rights, checks);
    assert_int_equal(checks[0].state, MSG_KEY_CHECK_STATE_FAIL);
    assert_int_equal(checks[1].state, MSG_KEY_CHECK_STATE_OK);
    assert_int_equal(checks[2].state, MSG_KEY_CHECK_STATE_WARN);
}

/* Silence about withdrawals is not a no: the outcome is then "unknown", never "ok". */
static void a_reply_that_does_not_say_calms_nobody(void **ctx)
{
    static const char *const bodies[] = { "{}", "[]", "null", "{\"enableReading\":true}", "x", "" };
    struct key_rights rights;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(bodies); i++)
        assert_false(read_reply(bodies[i], &rights));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_can_withdraw_is_a_warning),
        cmocka_unit_test(a_key_that_only_reads_fails_as_bots_must_trade),
        cmocka_unit_test(a_reply_that_does_not_say_calms_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
