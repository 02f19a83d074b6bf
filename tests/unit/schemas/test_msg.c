#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/json.h"
#include "schemas/schemas_msg.h"

/* Equal as JSON; 5.0 and 5 are the same number, the order of keys does not count. */
static bool same(struct json_object *a, struct json_object *b)
{
    if (json_object_is_type(a, json_type_object) && json_object_is_type(b, json_type_object)) {
        if (json_object_object_length(a) != json_object_object_length(b))
            return false;
        json_object_object_foreach(a, key, value)
        {
            struct json_object *other = NULL;

            if (!json_object_object_get_ex(b, key, &other) || !same(value, other))
                return false;
        }
        return true;
    }
    if (json_object_is_type(a, json_type_array) && json_object_is_type(b, json_type_array)) {
        if (json_object_array_length(a) != json_object_array_length(b))
            return false;
        for (size_t i = 0; i < json_object_array_length(a); i++)
            if (!same(json_object_array_get_idx(a, i), json_object_array_get_idx(b, i)))
                return false;
        return true;
    }
    if (json_object_is_type(a, json_type_double) || json_object_is_type(b, json_type_double))
        return !(json_object_get_double(a) < json_object_get_double(b)) &&
               !(json_object_get_double(a) > json_object_get_double(b));
    return json_object_equal(a, b);
}

static void every_example_decodes_encodes_and_decodes_equal(void **ctx)
{
    (void)ctx;
    assert_true(msg_type_count > 100);
    for (size_t i = 0; i < msg_type_count; i++) {
        const struct msg_type *type = msg_types[i];
        struct flt_error error = { 0 };
        struct json_object *tree = flt_json_parse(type->example, strlen(type->example), &error);
        struct json_object *again = NULL;
        void *out = calloc(1, type->size);

        assert_non_null(out);
        if (!tree || msg_decode(type, tree, MSG_PEOPLE, out, &error) != 0)
            fail_msg("%s: %s", type->name, error.message);
        again = msg_to_tree(type, out);
        if (!again || !same(tree, again))
            fail_msg("%s: %s became %s", type->name, type->example,
                     json_object_to_json_string(again));
        struct json_object *raw = msg_to_raw(type, out);
        struct flt_buf buf = FLT_BUF_INIT, written = FLT_BUF_INIT;

        msg_encode(type, &buf, NULL, out);
        flt_jw_tree(&written, NULL, raw);
        assert_string_equal(written.data, buf.data);
        flt_buf_finish(&buf);
        flt_buf_finish(&written);
        json_object_put(raw);
        msg_finish(type, out);
        free(out);
        json_object_put(tree);
        json_object_put(again);
    }
}

static void refused(const struct msg_type *type, enum msg_strict how, const char *text,
                    const char *field, const char *word)
{
    struct flt_error error = { 0 };
    void *out = calloc(1, type->size);
    const int err = msg_parse(type, text, strlen(text), how, out, &error);

    assert_non_null(out);
    msg_finish(type, out);
    free(out);
    assert_int_equal(err, -EINVAL);
    assert_int_equal(error.code, FLT_INVALID_ARGUMENT);
    assert_string_equal(error.field, field);
    if (!strstr(error.message, word) && !strstr(error.hint, word))
        fail_msg("neither \"%s\" nor \"%s\" says \"%s\"", error.message, error.hint, word);
}

static void wrong_input_is_refused_with_the_fields_path(void **ctx)
{
    static const struct {
        const struct msg_type *type;
        enum msg_strict how;
        const char *text, *field, *word;
    } rows[] = {
        { &msg_type_apply_args, MSG_PEOPLE,
          "{\"bots\":[{\"name\":\"a\",\"strategy\":\"grid\",\"mode\":\"paper\",\"parms\":{}}]}",
          "bots[0].parms", "params" },
        { &msg_type_account_rm_args, MSG_PEOPLE, "{\"nam\":\"a\"}", "nam", "did you mean name" },
        { &msg_type_apply_args, MSG_PEOPLE, "{\"bots\":[{\"name\":\"a\",\"mode\":\"paper\"}]}",
          "bots[0].strategy", "missing" },
        { &msg_type_apply_args, MSG_PEOPLE,
          "{\"bots\":[{\"name\":\"A b\",\"strategy\":\"grid\",\"mode\":\"paper\"}]}",
          "bots[0].name", "name" },
        { &msg_type_apply_args, MSG_PEOPLE,
          "{\"bots\":[{\"name\":\"a\",\"strategy\":\"grid\",\"mode\":\"papr\"}]}", "bots[0].mode",
          "did you mean paper" },
        { &msg_type_apply_args, MSG_PEOPLE, "{\"bots\":{}}", "bots", "list" },
        { &msg_type_apply_args, MSG_PEOPLE, "[]", "", "object" },
        { &msg_type_risk, MSG_PEOPLE, "{\"stale_ms\":99}", "stale_ms", "at least 100" },
        { &msg_type_risk, MSG_PEOPLE, "{\"stale_ms\":1.5}", "stale_ms", "whole" },
        { &msg_type_risk, MSG_PEOPLE, "{\"price_band_pct\":101}", "price_band_pct", "at most 100" },
        { &msg_type_risk, MSG_PEOPLE, "{\"max_daily_loss\":\"0\"}", "max_daily_loss",
          "above zero" },
        { &msg_type_risk, MSG_PEOPLE, "{\"max_daily_loss\":\"x\"}", "max_daily_loss", "decimal" },
        { &msg_type_risk, MSG_PROGRAM, "{\"max_daily_loss\":5}", "max_daily_loss", "string" },
        { &msg_type_account, MSG_PEOPLE,
          "{\"name\":\"a\",\"venue\":\"b\",\"version\":1,\"created_ms\":1,\"sandbox\":1}",
          "sandbox", "true or false" },
        { &msg_type_leg, MSG_PEOPLE, "{\"instrument\":\"btc-usdt\"}", "instrument", "BTC-USDT" },
        { &msg_type_account_key_result, MSG_PEOPLE, "{\"box_key\":\"ab\"}", "box_key", "shorter" },
        { &msg_type_audit_row, MSG_PEOPLE, "{\"n\":1,\"ts_ms\":1,\"user\":5}", "user", "string" },
        { &msg_type_ev_record, MSG_PROGRAM,
          "{\"n\":1,\"kind\":\"fill\",\"bot\":\"a\",\"epoch\":1,\"ts_ms\":1}", "fill", "missing" },
        { &msg_type_envelope, MSG_PROGRAM,
          "{\"v\":2,\"id\":\"01JD8Z6M5K7Q4W2X9Y3B1C0DEF\",\"ts_ms\":1,\"src\":\"x\"}", "v",
          "at most 1" },
        { &msg_type_u_request, MSG_PROGRAM, "{\"id\":\"a/b\"}", "id", "48" },
        { &msg_type_bot_show_args, MSG_PEOPLE, "{\"bot\":\"123456789012345678901234567890123\"}",
          "bot", "longer" },
    };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++)
        refused(rows[i].type, rows[i].how, rows[i].text, rows[i].field, rows[i].word);
}

static void programs_may_know_more_keys_and_they_are_counted(void **ctx)
{
    static const char text[] =
        "{\"bot\":\"a\",\"epoch\":1,\"generation\":2,\"later\":3,\"more\":{}}";
    const uint64_t before = msg_unknown_keys();
    struct msg_bot_ref ref;

    (void)ctx;
    assert_int_equal(msg_parse(&msg_type_bot_ref, text, strlen(text), MSG_PROGRAM, &ref, NULL), 0);
    assert_string_equal(ref.bot, "a");
    assert_int_equal(ref.generation, 2);
    assert_int_equal(msg_unknown_keys() - before, 2);
    msg_bot_ref_finish(&ref);
}

static void people_may_write_numbers_where_decimals_belong(void **ctx)
{
    static const char text[] = "{\"max_daily_loss\":250,\"price_band_pct\":\"2.5\"}";
    struct msg_risk risk;
    char out[FLT_DEC_TEXT_MAX];

    (void)ctx;
    assert_int_equal(msg_parse(&msg_type_risk, text, strlen(text), MSG_PEOPLE, &risk, NULL), 0);
    assert_true(risk.has_max_daily_loss && !risk.has_stale_ms);
    assert_string_equal(flt_dec_format(risk.max_daily_loss, out), "250");
    assert_true(risk.price_band_pct > 2.49 && risk.price_band_pct < 2.51);
    msg_risk_finish(&risk);
}

static void enums_of_the_wire_are_those_of_the_library(void **ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < msg_enum_side.count; i++)
        assert_string_equal(msg_enum_side.names[i], side_name((enum side)i));
    for (unsigned i = 0; i < msg_enum_order_type.count; i++)
        assert_string_equal(msg_enum_order_type.names[i], order_type_name((enum order_type)i));
    for (unsigned i = 0; i < msg_enum_tif.count; i++)
        assert_string_equal(msg_enum_tif.names[i], tif_name((enum tif)i));
    for (unsigned i = 0; i < msg_enum_liquidity.count; i++)
        assert_string_equal(msg_enum_liquidity.names[i], liquidity_name((enum liquidity)i));
    for (unsigned i = 0; i < msg_enum_order_status.count; i++)
        assert_string_equal(msg_enum_order_status.names[i],
                            order_status_name((enum order_status)i));
}

static void a_lists_hash_does_not_depend_on_its_order(void **ctx)
{
    struct msg_bot_ref one[2] = { { .bot = "a", .epoch = 1, .generation = 2 }, { .bot = "b" } };
    struct msg_bot_ref two[2] = { { .bot = "b" }, { .bot = "a", .epoch = 1, .generation = 2 } };
    char first[MSG_HASH_MAX], second[MSG_HASH_MAX], none[MSG_HASH_MAX];

    (void)ctx;
    msg_bots_hash(one, 2, first);
    msg_bots_hash(two, 2, second);
    msg_bots_hash(NULL, 0, none);
    assert_string_equal(first, second);
    assert_string_equal(none, "e3b0c44298fc1c14"); /* of nothing */
    two[0].generation++;
    msg_bots_hash(two, 2, second);
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_decodes_encodes_and_decodes_equal),
        cmocka_unit_test(wrong_input_is_refused_with_the_fields_path),
        cmocka_unit_test(programs_may_know_more_keys_and_they_are_counted),
        cmocka_unit_test(people_may_write_numbers_where_decimals_belong),
        cmocka_unit_test(enums_of_the_wire_are_those_of_the_library),
        cmocka_unit_test(a_lists_hash_does_not_depend_on_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
