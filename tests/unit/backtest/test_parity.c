/* Bots of every strategy live against a venue that misbehaves, on a tape; played again they do the
 * same. A tape that was changed by hand shows that the comparison sees it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "backtest/parity.h"
#include "engine/tape.h"
#include "tests/support/fake_venue.h"

static const struct {
    const char *strategy, *params;
} lives[] = {
    { "grid", "{\"lower\":90,\"upper\":110,\"levels\":8,\"budget\":\"400\"}" },
    { "dca", "{\"amount\":50,\"interval\":\"10s\",\"take_profit_pct\":1,\"safety_orders\":2,"
             "\"safety_step_pct\":1}" },
    { "rsi", "{\"amount\":50,\"timeframe\":\"1m\",\"period\":2}" },
    { "sma_cross", "{\"amount\":50,\"timeframe\":\"1m\",\"fast\":2,\"slow\":4}" },
    { "pmm_simple", "{\"amount\":50,\"bid_spreads_bps\":[60],\"ask_spreads_bps\":[60]}" },
};

static struct fake_venue venue;
static struct tape tape;

static void minute(int number)
{
    const int64_t close = 10000 + (number * 3371) % 900 - 450;
    const struct bar bar = { .ts_ms = venue.clock.wall_now_ms / 60000 * 60000,
                             .open_ticks = close - 10,
                             .high_ticks = close + 30,
                             .low_ticks = close - 30,
                             .close_ticks = close,
                             .volume = 12.5 + number };

    bot_on_bar(venue.bot, 0, &bar, 60000, true, venue.clock.mono_now_ns);
}

/* Some minutes of trading with a crash and a change of mind; with a seed, also with lost, late and
 * repeated messages. */
static void record(size_t which, uint64_t seed)
{
    const struct strategy_ops *ops = strategy_find(lives[which].strategy);

    fake_open(&venue, seed);
    if (seed > 0)
        venue.faults = (struct fake_faults){ 20, 20, 30, 30, 20, 20, 400 };
    tape_begin(&tape);
    venue.tape = &tape;
    fake_create(&venue, ops, lives[which].params, NULL, 1);
    fake_start(&venue);
    for (int i = 0; i < 80; i++) {
        const int64_t mid = 10000 + (i * 337 + (int)seed * 71) % 1100 - 550;

        fake_price(&venue, mid - 1, mid + 1);
        fake_run(&venue, 15000);
        if (i % 4 == 3)
            minute(i / 4);
        if (i == 40)
            fake_crash(&venue, ops, lives[which].params, NULL, 2, true);
        if (i == 60)
            bot_set_desired(venue.bot, BOT_RUN_PAUSED, BOT_STOP_CANCEL);
        if (i == 64)
            bot_set_desired(venue.bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    }
    bot_drop_tape(venue.bot);
    tape_end(&tape, "the test is over");
}

static void forget(void)
{
    tape_finish(&tape);
    venue.tape = NULL;
    fake_close(&venue);
}

static void show(const struct parity_report *report)
{
    for (size_t i = 0; i < report->shown_count && i < 5; i++)
        print_message("%s at input %" PRIu64 " (%s): expected %s, got %s\n",
                      parity_what_name(report->shown[i].what), report->shown[i].input,
                      report->shown[i].input_kind, report->shown[i].expected, report->shown[i].got);
}

static void replay(const void *data, size_t size, struct parity_report *report)
{
    struct flt_error error = { 0 };

    if (parity_replay(data, size, report, &error))
        fail_msg("%s", error.message);
}

static void every_strategy_replays_without_a_difference(void **ctx)
{
    static struct parity_report report;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(lives); i++) {
        record(i, 7 + i);
        replay(tape.buf.data, tape.buf.length, &report);
        show(&report);
        assert_int_equal(report.differences, 0);
        assert_string_equal(report.strategy, lives[i].strategy);
        assert_string_equal(report.end, "the test is over");
        assert_int_equal(report.sessions, 2);
        assert_int_equal(report.inputs, tape.inputs);
        assert_int_equal(report.outputs, tape.outputs);
        if (!report.placed || !report.fills)
            fail_msg("%s did not trade", lives[i].strategy);
        forget();
    }
}

static int64_t hasty_wall(const struct flt_clock *clock)
{
    (void)clock;
    return venue.clock.wall_now_ms++;
}

static int64_t hasty_mono(const struct flt_clock *clock)
{
    (void)clock;
    return venue.clock.mono_now_ns += 700000;
}

/* On a real clock no two readings are equal. An engine that read it twice within one input could
 * decide differently the second time, and nobody could tell from a recording. */
static void a_clock_that_runs_on_within_an_input_changes_nothing(void **ctx)
{
    static struct parity_report report;

    (void)ctx;
    fake_open(&venue, 5);
    tape_begin(&tape);
    venue.tape = &tape;
    venue.clock.base.wall_ms = hasty_wall;
    venue.clock.base.mono_ns = hasty_mono;
    fake_create(&venue, strategy_find("pmm_simple"), lives[4].params, NULL, 1);
    fake_start(&venue);
    for (int i = 0; i < 20; i++) {
        fake_price(&venue, 9990 + i * 7, 9992 + i * 7);
        fake_run(&venue, 5000);
    }
    bot_drop_tape(venue.bot);
    tape_end(&tape, "");
    replay(tape.buf.data, tape.buf.length, &report);
    show(&report);
    assert_int_equal(report.differences, 0);
    assert_true(report.placed > 4);
    forget();
}

/* --- tapes changed by hand
 * ------------------------------------------------------------------------------ */

enum change { CHANGE_PRICE, CHANGE_LEAVE_OUT, CHANGE_REPEAT, CHANGE_STATE };

/* Copies the tape with one change at its third frame of the kind. */
static void change(struct flt_buf *out, enum tape_kind kind, enum change how)
{
    struct tape_reader reader;
    struct tape_frame frame = { 0 };
    uint64_t number = 0;
    int seen = 0;
    bool ended = false;

    assert_int_equal(tape_open(&reader, tape.buf.data, tape.buf.length, NULL), 0);
    flt_buf_append(out, TAPE_MAGIC, TAPE_MAGIC_SIZE);
    while (!ended && tape_next(&reader, &frame, NULL) == 0) {
        const bool here = frame.kind == kind && ++seen == (how == CHANGE_STATE ? 1 : 3);

        ended = frame.kind == TAPE_END;
        if (here && how == CHANGE_PRICE) {
            struct order order = frame.orders[0];

            order.price.coef++;
            frame.orders = &order;
            tape_frame_write(out, number++, &frame);
        } else if (here && how == CHANGE_STATE) {
            frame.text = "{\"v\":1,\"strategy\":\"grid\",\"epoch\":3}";
            tape_frame_write(out, number++, &frame);
        } else if (!here || how == CHANGE_REPEAT) {
            tape_frame_write(out, number++, &frame);
        }
        if (here && how == CHANGE_REPEAT)
            tape_frame_write(out, number++, &frame);
        tape_frame_finish(&frame);
    }
    assert_true(ended && seen > 0);
}

static void a_difference_is_found_and_named(void **ctx)
{
    static const struct {
        enum tape_kind kind;
        enum change how;
        enum parity_what what;
        const char *expected, *got;
    } rows[] = {
        { TAPE_OUT_PLACE, CHANGE_PRICE, PARITY_CHANGED, "place buy limit", "place buy limit" },
        { TAPE_OUT_PLACE, CHANGE_LEAVE_OUT, PARITY_EXTRA, "", "place buy limit" },
        { TAPE_OUT_PLACE, CHANGE_REPEAT, PARITY_MISSING, "place buy limit", "" },
        { TAPE_OUT_CANCEL, CHANGE_LEAVE_OUT, PARITY_EXTRA, "", "cancel id=" },
        { TAPE_OUT_RECORD, CHANGE_REPEAT, PARITY_MISSING, "record ", "" },
        { TAPE_FINAL, CHANGE_STATE, PARITY_STATE, "\"epoch\":3", "\"epoch\":1" },
    };
    static struct parity_report report;

    (void)ctx;
    record(0, 0);
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        struct flt_buf changed = FLT_BUF_INIT;

        change(&changed, rows[i].kind, rows[i].how);
        replay(changed.data, changed.length, &report);
        if (report.differences != 1)
            show(&report);
        assert_int_equal(report.differences, 1);
        assert_int_equal(report.shown[0].what, rows[i].what);
        assert_non_null(strstr(report.shown[0].expected, rows[i].expected));
        assert_non_null(strstr(report.shown[0].got, rows[i].got));
        assert_string_not_equal(report.shown[0].expected, report.shown[0].got);
        assert_true(report.shown[0].input > 1);
        assert_in_range(report.shown[0].ts_ms, report.from_ms, report.to_ms);
        flt_buf_finish(&changed);
    }
    forget();
}

/* A lost input is no difference of its own; what it leads to is. */
static void a_lost_input_shows_in_what_follows(void **ctx)
{
    static struct parity_report report;
    struct flt_buf changed = FLT_BUF_INIT;

    (void)ctx;
    record(0, 0);
    change(&changed, TAPE_FILL, CHANGE_LEAVE_OUT);
    replay(changed.data, changed.length, &report);
    assert_true(report.differences > 0);
    flt_buf_finish(&changed);
    forget();
}

static void refused(const void *data, size_t size, const char *word)
{
    static struct parity_report report;
    struct flt_error error = { 0 };

    assert_int_equal(parity_replay(data, size, &report, &error), -22);
    if (!strstr(error.message, word))
        fail_msg("\"%s\" does not say \"%s\"", error.message, word);
}

static void a_tape_that_is_cut_off_or_damaged_is_refused_with_a_sentence(void **ctx)
{
    (void)ctx;
    record(0, 3);
    char *data = tape.buf.data;
    const size_t size = tape.buf.length;

    refused("", 0, "not a recording");
    refused("FLTTAPE9 and so on", 18, "not a recording");
    refused(data, TAPE_MAGIC_SIZE, "no end");
    for (size_t cut = TAPE_MAGIC_SIZE + 1; cut < size; cut += 1 + size / 61)
        refused(data, cut, "the recording");
    for (size_t at = TAPE_MAGIC_SIZE + 4; at < size; at += 1 + size / 61) {
        data[at] = (char)(data[at] ^ 4);
        refused(data, size, "the recording");
        data[at] = (char)(data[at] ^ 4);
    }
    flt_buf_append(&tape.buf, "x", 1);
    refused(tape.buf.data, size + 1, "follows the end");
    forget();
}

static void frames_out_of_place_are_refused(void **ctx)
{
    (void)ctx;
    tape_begin(&tape);
    tape_frame_write(&tape.buf, 0, &(struct tape_frame){ .kind = TAPE_SECOND });
    refused(tape.buf.data, tape.buf.length, "(second) stands where it cannot be");
    tape_finish(&tape);
    tape_begin(&tape);
    tape_frame_write(&tape.buf, 0, &(struct tape_frame){ .kind = TAPE_HEADER, .text = "{}" });
    tape_frame_write(&tape.buf, 1, &(struct tape_frame){ .kind = TAPE_FINAL, .text = "" });
    tape_frame_write(&tape.buf, 2, &(struct tape_frame){ .kind = TAPE_END, .text = "" });
    refused(tape.buf.data, tape.buf.length, "does not say whose");
    tape_finish(&tape);
    tape_begin(&tape);
    tape_end(&tape, "nothing");
    refused(tape.buf.data, tape.buf.length, "did not run");
    tape_finish(&tape);
}

static void what_is_written_is_what_is_read(void **ctx)
{
    const struct fill fill = { .instrument = "BTC-USDT",
                               .trade_id = "9223372036854775808",
                               .client_order_id = "c-1",
                               .side = SIDE_SELL,
                               .price = { INT64_MAX, 18 },
                               .qty = { -INT64_MAX, 0 },
                               .fee = { FLT_AMT_BAD_UNITS },
                               .fee_asset = "BNB",
                               .liquidity = LIQUIDITY_TAKER,
                               .ts_ms = INT64_MIN };
    const struct tape_frame frame = { .kind = TAPE_FILLS_RESULT,
                                      .wall_ms = INT64_MAX,
                                      .mono_ns = -1,
                                      .coid = "abc",
                                      .failure = { .error = EXCHANGE_UNKNOWN_OUTCOME,
                                                   .http_status = -7,
                                                   .message = "no \"answer\"" },
                                      .fills = &fill,
                                      .fill_count = 1 };
    struct tape_reader reader;
    struct tape_frame back;

    (void)ctx;
    tape_begin(&tape);
    tape_frame_write(&tape.buf, 0, &frame);
    assert_int_equal(tape_open(&reader, tape.buf.data, tape.buf.length, NULL), 0);
    assert_int_equal(tape_next(&reader, &back, NULL), 0);
    assert_true(tape_at_end(&reader));
    assert_true(back.wall_ms == INT64_MAX && back.mono_ns == -1);
    assert_int_equal(back.fill_count, 1);
    assert_memory_equal(&back.fills[0].price, &fill.price, sizeof fill.price);
    assert_true(back.fills[0].qty.coef == -INT64_MAX && back.fills[0].ts_ms == INT64_MIN);
    assert_true(back.fills[0].fee.units == FLT_AMT_BAD_UNITS);
    assert_string_equal(back.fills[0].trade_id, fill.trade_id);
    assert_string_equal(back.failure.message, frame.failure.message);
    assert_int_equal(back.failure.http_status, -7);
    tape_frame_finish(&back);
    tape_finish(&tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_strategy_replays_without_a_difference),
        cmocka_unit_test(a_clock_that_runs_on_within_an_input_changes_nothing),
        cmocka_unit_test(a_difference_is_found_and_named),
        cmocka_unit_test(a_lost_input_shows_in_what_follows),
        cmocka_unit_test(a_tape_that_is_cut_off_or_damaged_is_refused_with_a_sentence),
        cmocka_unit_test(frames_out_of_place_are_refused),
        cmocka_unit_test(what_is_written_is_what_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
