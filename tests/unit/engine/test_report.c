/* What a bot says of itself is what the schemas say it is: decoded strictly, no unknown key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "schemas_msg.h"
#include "engine/risk.h"
#include "tests/support/fake_venue.h"

#define GRID "{\"lower\":90,\"upper\":110,\"levels\":4,\"budget\":\"100\"}"

struct tally {
    struct fake_venue venue;
    int (*record)(void *ctx, struct bot *bot, const struct bot_record *record);
    int kinds[BOT_RECORD_CHECKPOINT + 1];
};

static void decode_record(const struct flt_buf *buf)
{
    struct flt_error error = { 0 };
    struct msg_ev_record out;
    struct json_object *tree = flt_json_parse(buf->data, buf->length, &error);

    if (!tree)
        fail_msg("%s in %s", error.message, buf->data);
    json_object_object_add(tree, "n", json_object_new_int(1)); /* the host's */
    if (msg_ev_record_decode(tree, MSG_PEOPLE, &out, &error))
        fail_msg("%s: %s in %s", error.field, error.message, buf->data);
    msg_ev_record_finish(&out);
    json_object_put(tree);
}

static int on_record(void *ctx, struct bot *bot, const struct bot_record *record)
{
    struct tally *tally = ctx; /* the venue is its first member */
    struct flt_buf buf = FLT_BUF_INIT;

    tally->kinds[record->kind]++;
    if (record->kind != BOT_RECORD_CHECKPOINT) {
        bot_record_write(bot, record, "binance", "demo", 7, &buf);
        assert_false(buf.failed);
        decode_record(&buf);
    }
    flt_buf_finish(&buf);
    return tally->record(ctx, bot, record);
}

static void begin(struct tally *tally, const char *risk)
{
    memset(tally, 0, sizeof *tally);
    fake_open(&tally->venue, 1);
    tally->record = tally->venue.port.record;
    tally->venue.port.record = on_record;
    fake_create(&tally->venue, strategy_find("grid"), GRID, risk, 3);
    fake_price(&tally->venue, 9999, 10001);
    fake_start(&tally->venue);
    fake_run(&tally->venue, 2000);
}

static void each_record_is_of_the_schema(void **ctx)
{
    static struct tally tally;

    (void)ctx;
    begin(&tally, "{\"max_order_notional\":\"24.98\",\"max_daily_loss\":\"0.5\"}");
    fake_price(&tally.venue, 9400, 9402);
    fake_run(&tally.venue, 3000);
    fake_price(&tally.venue, 9010, 9012);
    fake_run(&tally.venue, 3000);
    assert_true(tally.kinds[BOT_RECORD_FILL] > 0);
    assert_true(tally.kinds[BOT_RECORD_ORDER] > 0);
    assert_true(tally.kinds[BOT_RECORD_TRANSITION] > 0);
    assert_true(tally.kinds[BOT_RECORD_RISK] > 1);
    struct fill wrong = tally.venue.trades[0].fill;
    wrong.price = FLT_DEC_BAD; /* cannot be booked: the bot stops and says so */
    wrong.trade_id[0] = 'x';
    bot_on_fill(tally.venue.bot, &wrong);
    assert_int_equal(bot_phase(tally.venue.bot), BOT_ERROR);
    assert_int_equal(tally.kinds[BOT_RECORD_ALARM], 1);
    fake_close(&tally.venue);
}

static void the_status_is_of_the_schema(void **ctx)
{
    static struct tally tally;
    struct flt_buf buf = FLT_BUF_INIT;
    struct flt_error error = { 0 };
    struct msg_n_state out;

    (void)ctx;
    begin(&tally, NULL);
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_int(&buf, "v", 1);
    flt_jw_str(&buf, "id", "01JD8Z6M5K7Q4W2X9Y3B1C0DEF");
    flt_jw_int(&buf, "ts_ms", 1772366400125);
    flt_jw_str(&buf, "src", "node/node-1");
    flt_jw_int(&buf, "seq", 1);
    flt_jw_int(&buf, "epoch", 3);
    flt_jw_str(&buf, "bot", "bot-1");
    flt_jw_int(&buf, "incarnation", 1);
    flt_jw_int(&buf, "generation", 1);
    bot_write_status(tally.venue.bot, &buf);
    flt_jw_end(&buf, '}');
    assert_false(buf.failed);
    struct json_object *tree = flt_json_parse(buf.data, buf.length, &error);
    assert_non_null(tree);
    if (msg_n_state_decode(tree, MSG_PEOPLE, &out, &error))
        fail_msg("%s: %s in %s", error.field, error.message, buf.data);
    msg_n_state_finish(&out);
    json_object_put(tree);
    flt_buf_finish(&buf);
    fake_close(&tally.venue);
}

static void the_limits_are_those_of_the_schema(void **ctx)
{
    struct flt_error error = { 0 };
    struct json_object *tree = json_object_new_object();
    struct msg_risk out;

    (void)ctx;
    for (const struct field *field = risk_fields; field->name; field++) {
        const bool text = field->type == FIELD_DEC;

        json_object_object_add(tree, field->name,
                               text ? json_object_new_string("5") : json_object_new_int(1000));
    }
    json_object_object_add(tree, "price_band_pct", json_object_new_int(5));
    json_object_object_add(tree, "max_drawdown_pct", json_object_new_int(5));
    if (msg_risk_decode(tree, MSG_PEOPLE, &out, &error))
        fail_msg("%s: %s", error.field, error.message);
    msg_risk_finish(&out);
    json_object_put(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_is_of_the_schema),
        cmocka_unit_test(the_status_is_of_the_schema),
        cmocka_unit_test(the_limits_are_those_of_the_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
