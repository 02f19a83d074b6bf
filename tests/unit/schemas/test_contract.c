#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "schemas/schemas_msg.h"

static void a_topic_that_was_built_parses_into_its_levels(void **ctx)
{
    struct topic_ref ref;
    char topic[TOPIC_MAX];

    (void)ctx;
    topic_node_state(topic, "main", "node-1", "btc-grid");
    assert_string_equal(topic, "flt/v1/main/n/node-1/b/btc-grid/state");
    assert_true(topic_parse(topic, &ref));
    assert_int_equal(ref.id, TOPIC_NODE_STATE);
    assert_string_equal(ref.tenant, "main");
    assert_string_equal(ref.node, "node-1");
    assert_string_equal(ref.bot, "btc-grid");
    assert_string_equal(topic_node_presence(topic, "main", "+"), "flt/v1/main/n/+/presence");
    assert_string_equal(topic_user_res(topic, "main", "eve", "#"), "flt/v1/main/u/eve/res/#");
    assert_string_equal(topic_ctl_state(topic, "main"), "flt/v1/main/ctl/state");
}

static void every_row_builds_and_parses_as_itself(void **ctx)
{
    static const char *const parts[] = { "a", "b", "c", "d" };

    (void)ctx;
    for (unsigned i = 0; i < TOPIC_COUNT; i++) {
        struct topic_ref ref;
        char topic[TOPIC_MAX];

        assert_non_null(topic_rows[i].message);
        assert_true(topic_parse(topic_format(topic, &topic_rows[i], "t", parts), &ref));
        assert_int_equal(ref.id, i);
        assert_ptr_equal(msg_type_find(topic_rows[i].message->name), topic_rows[i].message);
    }
}

static void what_is_no_topic_of_ours_does_not_parse(void **ctx)
{
    static const char *const bad[] = { "",
                                       "flt",
                                       "flt/v1/",
                                       "flt/v1/main",
                                       "flt/v2/main/ctl/state",
                                       "flt/v1/main/ctl/state/",
                                       "flt/v1/main/ctl/stat",
                                       "flt/v1/main/ctl/state2",
                                       "flt/v1/main/n//presence",
                                       "flt/v1/main/n/a.b/presence",
                                       "flt/v1/main/n/a/b/c/other",
                                       "flt/v1/main/n/+/presence",
                                       ("flt/v1/main/n/"
                                        "1234567890123456789012345678901234567890123456789/hb") };
    struct topic_ref ref;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(bad); i++)
        if (topic_parse(bad[i], &ref))
            fail_msg("%s parsed", bad[i]);
}

static void verbs_and_commands_are_found_and_have_both_schemas(void **ctx)
{
    (void)ctx;
    assert_int_equal(msg_verb_find("bot-stop")->role, MSG_ROLE_TRADER);
    assert_true(msg_verb_find("bot-stop")->mutates);
    assert_null(msg_verb_find("bot-fly"));
    assert_non_null(msg_op_find("account"));
    assert_null(msg_op_find(""));
    for (size_t i = 0; i < msg_verb_count; i++)
        assert_true(msg_verbs[i].args && msg_verbs[i].result && msg_verbs[i].help[0]);
}

static void an_error_survives_the_wire(void **ctx)
{
    struct flt_error in = { 0 }, out;
    struct msg_error wire;

    (void)ctx;
    (void)flt_error_set(&in, FLT_CONFLICT, "bot.name", "choose another", "it is there");
    msg_error_from(&wire, &in);
    assert_string_equal(wire.code, "conflict");
    msg_error_to(&wire, &out);
    assert_int_equal(out.code, FLT_CONFLICT);
    assert_string_equal(out.message, in.message);
    assert_string_equal(out.hint, in.hint);
    assert_string_equal(out.field, in.field);
}

static void an_envelope_carries_clock_and_number(void **ctx)
{
    struct flt_sim_clock clock;
    struct msg_envelope env;
    uint64_t sequence = 4;

    (void)ctx;
    flt_sim_clock_init(&clock, 1772366400125);
    msg_envelope_init(&env, &clock.base, "controller", &sequence);
    assert_int_equal(env.v, 1);
    assert_int_equal(env.ts_ms, 1772366400125);
    assert_int_equal(env.seq, 5);
    assert_int_equal(strlen(env.id), 26);
    assert_string_equal(env.src, "controller");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_that_was_built_parses_into_its_levels),
        cmocka_unit_test(every_row_builds_and_parses_as_itself),
        cmocka_unit_test(what_is_no_topic_of_ours_does_not_parse),
        cmocka_unit_test(verbs_and_commands_are_found_and_have_both_schemas),
        cmocka_unit_test(an_error_survives_the_wire),
        cmocka_unit_test(an_envelope_carries_clock_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
