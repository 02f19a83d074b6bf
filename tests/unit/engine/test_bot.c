/* One bot against the fake venue: grid, phases, orders in doubt, recovery; then many random lives.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "strategies/indicators/indicator.h"
#include "tests/support/fake_venue.h"

/* Four cells 90..95..100..105..110, about 25 USDT each; price 100. */
#define GRID "{\"lower\":90,\"upper\":110,\"levels\":4,\"budget\":\"100\",\"initial_buy\":false}"
#define GRID_FULL "{\"lower\":90,\"upper\":110,\"levels\":4,\"budget\":\"100\"}"
#define BUY(cell) ((uint32_t)(cell)*2)
#define SELL(cell) ((uint32_t)(cell)*2 + 1)

static struct fake_venue venue;

static const struct strategy_ops *grid(void)
{
    return strategy_find("grid");
}

static void begin(const char *params, const char *risk)
{
    fake_open(&venue, 1);
    fake_create(&venue, grid(), params, risk, 1);
    fake_start(&venue);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 1000);
}

static void end(void)
{
    fake_close(&venue);
}

static struct bot_status status(void)
{
    struct bot_status out;

    bot_status(venue.bot, &out);
    return out;
}

static void a_grid_rests_its_buys_below_the_price(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    assert_int_equal(status().phase, BOT_RUNNING);
    assert_int_equal(fake_live_count(&venue), 2 + 1); /* 90, 95, and 100 under the ask of 100.01 */
    assert_int_equal(fake_live(&venue, BUY(0))->price_ticks, 9000);
    assert_int_equal(fake_live(&venue, BUY(1))->price_ticks, 9500);
    assert_int_equal(fake_live(&venue, BUY(2))->price_ticks, 10000);
    /* 25 / (90 * 1.001) = 0.27750...; lot 0.0001 */
    assert_int_equal(fake_live(&venue, BUY(0))->qty_lots, 2775);
    end();
}

static void a_cell_buys_sells_what_it_got_and_buys_again(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    fake_price(&venue, 9499, 9500); /* 100 and 95 trade */
    fake_run(&venue, 2000);
    assert_null(fake_live(&venue, BUY(1)));
    assert_non_null(fake_live(&venue, SELL(1)));
    assert_int_equal(fake_live(&venue, SELL(1))->price_ticks, 10000);
    /* cell 2 bought 0.2497 less 0.0002497 of fee; cell 1 0.2628 less 0.0002628: 0.5119875 held, and
     * whole lots of it are shared without loss: 2494 and 2625 */
    assert_int_equal(fake_live(&venue, SELL(2))->qty_lots + fake_live(&venue, SELL(1))->qty_lots,
                     5119);
    assert_int_equal(bot_position_lots(venue.bot, 0), 5119);
    fake_price(&venue, 10000, 10002);
    fake_run(&venue, 2000);
    assert_null(fake_live(&venue, SELL(1)));
    assert_non_null(fake_live(&venue, BUY(1)));
    fake_assert_books(&venue);
    end();
}

static void the_first_purchase_fills_the_cells_above_the_price(void **ctx)
{
    (void)ctx;
    begin(GRID_FULL, NULL);
    fake_run(&venue, 3000);
    /* level 100 is at the price (last is the mid, 100.00), so cells 2 and 3 sell at 105 and 110 */
    assert_int_equal(fake_live(&venue, SELL(2))->price_ticks, 10500);
    assert_int_equal(fake_live(&venue, SELL(3))->price_ticks, 11000);
    assert_int_equal(fake_live(&venue, SELL(2))->qty_lots + fake_live(&venue, SELL(3))->qty_lots,
                     bot_position_lots(venue.bot, 0));
    assert_int_equal(fake_live(&venue, BUY(0))->price_ticks, 9000);
    fake_assert_books(&venue);
    end();
}

static void realised_and_unrealised_are_the_cash_and_the_position_at_the_mark(void **ctx)
{
    (void)ctx;
    begin(GRID_FULL, NULL);
    fake_run(&venue, 2000);
    for (int i = 0; i < 20; i++) {
        const int64_t mid = 9400 + (i * 337) % 1300;
        fake_price(&venue, mid - 1, mid + 1);
        fake_run(&venue, 1500);
    }
    const struct bot_status now = status();
    const struct flt_amt pnl =
        ledger_pnl(bot_ledger(venue.bot, 0), ticks_to_price(&venue.instrument, now.mark_ticks));

    assert_true(now.counters.fills > 8);
    assert_int_equal(flt_amt_cmp(now.pnl, pnl), 0);
    fake_assert_books(&venue);
    end();
}

static void pause_keeps_exits_and_withdraws_entries(void **ctx)
{
    (void)ctx;
    begin(GRID_FULL, NULL);
    fake_run(&venue, 2000);
    bot_set_desired(venue.bot, BOT_RUN_PAUSED, BOT_STOP_CANCEL);
    fake_run(&venue, 2000);
    assert_int_equal(status().phase, BOT_PAUSED);
    assert_null(fake_live(&venue, BUY(0)));
    assert_non_null(fake_live(&venue, SELL(2)));
    fake_price(&venue, 10501, 10503); /* an exit trades while paused */
    fake_run(&venue, 2000);
    assert_null(fake_live(&venue, SELL(2)));
    assert_null(fake_live(&venue, BUY(2)));
    bot_set_desired(venue.bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    fake_run(&venue, 2000);
    assert_non_null(fake_live(&venue, BUY(2)));
    fake_assert_books(&venue);
    end();
}

static void stop_cancels_all_and_says_stopped_when_nothing_rests(void **ctx)
{
    (void)ctx;
    begin(GRID_FULL, NULL);
    fake_run(&venue, 2000);
    bot_set_desired(venue.bot, BOT_RUN_STOPPED, BOT_STOP_CANCEL);
    assert_int_equal(status().phase, BOT_STOPPING);
    fake_run(&venue, 3000);
    assert_int_equal(status().phase, BOT_STOPPED);
    assert_int_equal(fake_live_count(&venue), 0);
    assert_true(bot_position_lots(venue.bot, 0) > 0);
    end();
}

static void flat_sells_the_position_and_forgets_the_cells(void **ctx)
{
    (void)ctx;
    begin(GRID_FULL, NULL);
    fake_run(&venue, 2000);
    bot_set_desired(venue.bot, BOT_RUN_FLAT, BOT_STOP_CANCEL);
    fake_run(&venue, 5000);
    assert_int_equal(status().phase, BOT_FLAT);
    assert_int_equal(fake_live_count(&venue), 0);
    assert_int_equal(bot_position_lots(venue.bot, 0), 0);
    fake_assert_books(&venue);
    bot_set_desired(venue.bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    fake_run(&venue, 3000);
    assert_int_equal(status().phase, BOT_RUNNING);
    assert_non_null(fake_live(&venue, SELL(3)));
    end();
}

static void a_halt_that_cancels_leaves_no_order(void **ctx)
{
    (void)ctx;
    begin(GRID_FULL, NULL);
    bot_set_halt(venue.bot, BOT_HALT_CANCEL, "drill");
    fake_run(&venue, 3000);
    assert_int_equal(status().phase, BOT_PAUSED);
    assert_string_equal(status().reason, "drill");
    assert_int_equal(fake_live_count(&venue), 0);
    end();
}

static void without_a_word_on_halts_nothing_is_sent(void **ctx)
{
    (void)ctx;
    fake_open(&venue, 1);
    fake_create(&venue, grid(), GRID, NULL, 1);
    bot_set_desired(venue.bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    bot_start(venue.bot);
    bot_on_link(venue.bot, true, "");
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 3000);
    assert_int_equal(status().phase, BOT_WAITING);
    assert_int_equal(venue.places, 0);
    end();
}

static void a_journal_that_refuses_sends_nothing(void **ctx)
{
    (void)ctx;
    fake_open(&venue, 1);
    fake_create(&venue, grid(), GRID, NULL, 1);
    venue.intend_fails = true;
    fake_start(&venue);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 5000);
    assert_int_equal(venue.places, 0);
    venue.intend_fails = false;
    fake_run(&venue, 2000);
    assert_int_equal(fake_live_count(&venue), 3);
    end();
}

static void an_unknown_order_is_asked_about_and_never_sent_again(void **ctx)
{
    (void)ctx;
    fake_open(&venue, 1);
    fake_create(&venue, grid(), GRID, NULL, 1);
    venue.faults.lose_request = 1000;
    fake_start(&venue);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 4500);
    assert_int_equal(venue.places, 3); /* one each, whatever "not found" said so far */
    assert_true(venue.queries > 3);
    assert_int_equal(status().unknown_orders, 3);
    venue.faults.lose_request = 0;
    fake_run(&venue, 10000);
    assert_int_equal(venue.places, 6); /* after request life + 2 s, with new ids */
    assert_int_equal(fake_live_count(&venue), 3);
    assert_int_equal(status().unknown_orders, 0);
    end();
}

static void a_fill_books_once_however_often_it_comes(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    fake_trade_now(&venue, 0, 1000);
    const struct fill fill = venue.trades[0].fill;
    bot_on_fill(venue.bot, &fill);
    bot_on_fill(venue.bot, &fill);
    fake_run(&venue, 2000);
    assert_int_equal(status().counters.fills, 1);
    assert_true(status().counters.duplicates >= 2);
    fake_assert_books(&venue);
    end();
}

/* The venue's trade of an order that nothing here remembers: number `n`, at `ts_ms`. */
static struct fill trade_of_another_time(int n, int64_t ts_ms)
{
    struct fill fill = venue.trades[0].fill;
    struct flt_coid id;

    assert_true(flt_coid_parse(fill.client_order_id, &id));
    id.sequence = 100000 + (uint32_t)n;
    flt_coid_format(&id, fill.client_order_id);
    snprintf(fill.order_id, sizeof fill.order_id, "o%d", n);
    snprintf(fill.trade_id, sizeof fill.trade_id, "t%d", n);
    fill.ts_ms = ts_ms;
    return fill;
}

/* Who takes a bot over asks its venue for the trades of the last minute. Of a bot that had made
 * more than it remembered, the older ones were "ambiguous", and it stopped in error after each
 * failover. */
static void hundreds_of_trades_in_a_minute_are_all_remembered(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    fake_trade_now(&venue, 0, 10);
    fake_run(&venue, 1000);
    const int64_t now_ms = venue.trades[0].fill.ts_ms;
    const uint64_t before = status().counters.fills;

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 1000; i++) {
            const struct fill fill = trade_of_another_time(i, now_ms + i * 50);

            bot_on_fill(venue.bot, &fill);
        }
    assert_int_equal(status().counters.fills - before, 1000);
    assert_int_not_equal(status().phase, BOT_ERROR);
    end();
}

/* A late trade of an hour ago made the next sweep begin there, and its age made all that lies
 * between seem newer than what is remembered: they were booked a second time. */
static void a_late_trade_does_not_turn_back_the_time_of_the_last(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    fake_trade_now(&venue, 0, 10);
    fake_run(&venue, 1000);
    const int64_t last_ms = status().last_fill_ms;
    const struct fill late = trade_of_another_time(1, last_ms - 3600000);

    bot_on_fill(venue.bot, &late);
    assert_int_equal(status().counters.fills, 2);
    assert_int_equal(status().last_fill_ms, last_ms);
    end();
}

/* A node came back after a day with a trade that nobody knew: the bot had made 300 since, could not
 * tell it from a repeat, and stopped in error. Its books know that it is none. */
static void a_trade_that_is_fresh_for_sure_is_booked_however_old(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    fake_trade_now(&venue, 0, venue.orders[0].qty_lots); /* it lives no longer */
    fake_run(&venue, 1000);
    const int64_t now_ms = venue.trades[0].fill.ts_ms;

    for (int i = 0; i < 300; i++) {
        const struct fill fill = trade_of_another_time(i, now_ms + i * 60000);

        bot_on_fill(venue.bot, &fill);
    }
    const uint64_t before = status().counters.fills;
    const struct fill late = trade_of_another_time(1000, now_ms - 86400000);

    bot_on_fresh_fill(venue.bot, &late);
    bot_on_fresh_fill(venue.bot, &late);
    assert_int_equal(status().counters.fills - before, 1);
    assert_int_not_equal(status().phase, BOT_ERROR);
    const struct fill older = trade_of_another_time(1001, now_ms - 86400001);
    bot_on_fill(venue.bot, &older); /* of the venue's telling: it may be a repeat */
    fake_run(&venue, 1000);
    assert_int_equal(status().phase, BOT_ERROR);
    end();
}

static void missing_trades_are_fetched_when_the_order_says_more_was_executed(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    venue.link_down = true; /* the stream is silent; only the order's own events come */
    fake_trade_now(&venue, 0, 1000);
    venue.link_down = false;
    bot_on_order(venue.bot, &venue.orders[0].order);
    assert_int_equal(status().counters.fills, 0);
    fake_run(&venue, 3000);
    assert_int_equal(venue.fetches, 1);
    fake_assert_books(&venue);
    end();
}

static void audit(void)
{
    struct order open[8];
    size_t count = 0;

    for (size_t i = 0; i < venue.order_count; i++)
        if (venue.orders[i].order.status == ORDER_STATUS_OPEN ||
            venue.orders[i].order.status == ORDER_STATUS_PARTLY_FILLED)
            open[count++] = venue.orders[i].order;
    bot_on_audit(venue.bot, 0, open, count, flt_mono_ns(&venue.clock.base));
}

/* A stream can lose an event and stay up: the fill of a resting order, or its last one. Before the
 * audit a bot then waited for it until the next reconnect, hours later, with its cell asleep. */
static void a_fill_that_the_stream_lost_is_found_by_the_audit(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    fake_run(&venue, 10000);
    venue.faults.drop_event = 1000;
    fake_price(&venue, 9499, 9500); /* 100 and 95 trade in full */
    fake_run(&venue, 2000);
    venue.faults.drop_event = 0;
    assert_int_equal(status().counters.fills, 0);
    audit();
    fake_run(&venue, 4000);
    assert_int_equal(status().counters.fills, 2);
    assert_int_equal(status().unknown_orders, 0);
    assert_non_null(fake_live(&venue, SELL(1))); /* the cells woke up */
    fake_assert_books(&venue);
    end();
}

static void a_part_that_the_stream_lost_is_found_by_the_audit(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    fake_run(&venue, 10000);
    venue.faults.drop_event = 1000;
    fake_trade_now(&venue, 0, 1000);
    venue.faults.drop_event = 0;
    audit();
    fake_run(&venue, 4000);
    assert_int_equal(status().counters.fills, 1);
    fake_assert_books(&venue);
    end();
}

static void an_audit_older_than_an_order_does_not_doubt_it(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    fake_run(&venue, 10000);
    const size_t queries = venue.queries;

    bot_on_audit(venue.bot, 0, NULL, 0, flt_mono_ns(&venue.clock.base) - INT64_C(11000000000));
    fake_run(&venue, 500);
    assert_int_equal(venue.queries, queries);
    audit(); /* all three are in it */
    fake_run(&venue, 500);
    assert_int_equal(venue.queries, queries);
    end();
}

static void a_changed_level_is_replaced_only_after_the_cancel_is_confirmed(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    const size_t placed = venue.places;
    bot_set_desired(venue.bot, BOT_RUN_PAUSED, BOT_STOP_CANCEL); /* cancels are out */
    bot_set_desired(venue.bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    assert_int_equal(venue.places, placed); /* and nothing new before their answer */
    fake_run(&venue, 2000);
    assert_int_equal(fake_live_count(&venue), 3);
    end();
}

static void after_a_crash_open_orders_are_adopted_by_key(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    const size_t placed = venue.places;
    fake_crash(&venue, grid(), GRID, NULL, 1, false);
    fake_run(&venue, 3000);
    assert_int_equal(status().phase, BOT_RUNNING);
    assert_int_equal(venue.places, placed);
    assert_int_equal(fake_live_count(&venue), 3);
    end();
}

/* A paper venue dies with its node. The bot waited for ever for an order that had traded in part
 * and that nobody knew any more. */
static void a_paper_order_that_had_traded_ends_with_its_process(void **ctx)
{
    (void)ctx;
    fake_open(&venue, 1);
    venue.mode = BOT_MODE_PAPER;
    fake_create(&venue, grid(), GRID, NULL, 1);
    fake_start(&venue);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 1000);
    fake_trade_now(&venue, 0, 1000);
    fake_run(&venue, 1000);
    const size_t placed = venue.places;
    for (size_t i = 0; i < venue.order_count; i++)
        venue.orders[i].accepted = false;
    fake_crash(&venue, grid(), GRID, NULL, 1, false);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 10000);
    assert_int_equal(status().phase, BOT_RUNNING);
    assert_int_equal(status().unknown_orders, 0);
    assert_int_equal(venue.alarms, 0);
    assert_true(venue.places > placed); /* what did not trade rests again */
    assert_true(fake_live_count(&venue) >= 2);
    fake_assert_books(&venue);
    end();
}

static void a_crash_before_any_snapshot_still_adopts_from_the_ring(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    free(venue.state);
    free(venue.older_state);
    venue.state = venue.older_state = NULL;
    const size_t placed = venue.places;
    fake_crash(&venue, grid(), GRID, NULL, 1, false);
    fake_run(&venue, 3000);
    assert_int_equal(venue.places, placed);
    assert_int_equal(fake_live_count(&venue), 3);
    end();
}

static void fills_missed_while_dead_are_booked_before_it_goes_on(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    venue.link_down = true;
    fake_price(&venue, 9400, 9402); /* two buys trade; nobody tells */
    fake_crash(&venue, grid(), GRID, NULL, 1, false);
    fake_run(&venue, 5000);
    assert_int_equal(status().phase, BOT_RUNNING);
    fake_assert_books(&venue);
    assert_non_null(fake_live(&venue, SELL(1)));
    assert_non_null(fake_live(&venue, SELL(2)));
    end();
}

static void a_new_epoch_cancels_the_orders_of_the_old_one_first(void **ctx)
{
    (void)ctx;
    begin(GRID, NULL);
    fake_crash(&venue, grid(), GRID, NULL, 2, false);
    fake_run(&venue, 5000);
    assert_int_equal(status().phase, BOT_RUNNING);
    assert_int_equal(fake_live_count(&venue), 3);
    assert_int_equal(fake_live(&venue, BUY(0))->id.epoch, 2);
    assert_int_equal(venue.orders[0].order.status, ORDER_STATUS_CANCELLED);
    end();
}

static void risk_refuses_entries_with_its_reason_and_lets_exits_pass(void **ctx)
{
    (void)ctx;
    begin(GRID_FULL, "{\"max_order_notional\":\"24.98\",\"stale_ms\":3000}");
    fake_run(&venue, 2000);
    /* the first purchase of two cells is above it; single cells are not */
    assert_int_equal(fake_live_count(&venue), 2);
    assert_string_equal(venue.last_risk, "max_order_notional");
    assert_int_equal(venue.risk_records, 1); /* not one a second */
    end();
    begin(GRID_FULL, "{\"max_open_orders\":5}");
    fake_run(&venue, 3000);
    struct json_object *limits = json_tokener_parse("{\"max_open_orders\":1}");
    assert_int_equal(bot_set_params(venue.bot, NULL, limits, NULL), 0);
    json_object_put(limits);
    fake_price(&venue, 10502, 10504); /* cell 2 sells; its buy would be one order too many */
    fake_run(&venue, 2000);
    assert_null(fake_live(&venue, BUY(2)));
    assert_non_null(fake_live(&venue, SELL(3)));
    end();
}

static void a_daily_loss_pauses_until_the_next_day(void **ctx)
{
    (void)ctx;
    begin(GRID_FULL, "{\"max_daily_loss\":\"2\"}");
    fake_run(&venue, 2000);
    fake_price(&venue, 9001, 9003); /* about 0.5 + 0.26 BTC under water */
    fake_run(&venue, 3000);
    assert_int_equal(status().phase, BOT_PAUSED);
    assert_string_equal(status().reason_code, "daily_loss");
    assert_string_equal(venue.last_risk, "daily_loss");
    assert_null(fake_live(&venue, BUY(0)));
    flt_sim_clock_advance(&venue.clock, INT64_C(86400000));
    fake_price(&venue, 9001, 9003);
    fake_run(&venue, 2000);
    assert_int_equal(status().phase, BOT_RUNNING);
    end();
}

static void an_expired_lease_sends_nothing_of_any_kind(void **ctx)
{
    (void)ctx;
    begin(GRID_FULL, NULL);
    fake_run(&venue, 2000);
    bot_set_lease(venue.bot, false, false);
    const size_t placed = venue.places, cancelled = venue.cancels;
    bot_set_desired(venue.bot, BOT_RUN_STOPPED, BOT_STOP_CANCEL);
    fake_run(&venue, 3000);
    assert_int_equal(venue.places, placed);
    assert_int_equal(venue.cancels, cancelled);
    bot_set_lease(venue.bot, true, true);
    fake_run(&venue, 3000);
    assert_int_equal(status().phase, BOT_STOPPED);
    end();
}

static void parameters_that_cannot_change_are_refused_whole(void **ctx)
{
    struct flt_error error = { 0 };
    struct json_object *params =
        json_tokener_parse("{\"lower\":90,\"upper\":120,\"levels\":4,\"budget\":\"100\"}");

    (void)ctx;
    begin(GRID, NULL);
    assert_int_equal(bot_set_params(venue.bot, params, NULL, &error), -16);
    assert_string_equal(error.field, "params.upper");
    json_object_put(params);
    end();
}

/* --- random lives
 * --------------------------------------------------------------------------------------- */

static void quiet_end(void)
{
    venue.faults = (struct fake_faults){ 0 };
    venue.link_down = false;
    bot_on_link(venue.bot, true, "");
    fake_run(&venue, 40000);
    bot_set_desired(venue.bot, BOT_RUN_STOPPED, BOT_STOP_CANCEL);
    fake_run(&venue, 60000);
    if (status().phase != BOT_STOPPED)
        print_message("phase %s: %s\n", bot_phase_name(status().phase), status().reason);
    assert_int_equal(status().phase, BOT_STOPPED);
    assert_int_equal(fake_live_count(&venue), 0);
}

/* A strategy without any sense, for what the others never do: prices and quantities that change all
 * the time, keys dropped and taken up again, targets both ways, sometimes all at once. */
struct whim_state {
    int64_t random;
};

static const struct field no_params[] = { FIELD_END };
static const struct field whim_fields[] = {
    { .name = "random", .type = FIELD_INT, .offset = offsetof(struct whim_state, random) },
    FIELD_END,
};

static size_t whim_state_size(const void *params)
{
    (void)params;
    return sizeof(struct whim_state);
}

static int whim_declare(const void *params, struct needs *needs)
{
    (void)params;
    *needs = (struct needs){ .legs = 1, .orders_max = 8, .timer = true };
    return 0;
}

static void whim_on_event(void *state, const void *params, const struct event *event,
                          const struct view *view, struct wants *wants)
{
    struct whim_state *s = state;
    const struct leg_view *leg = &view->leg[0];

    (void)params;
    s->random = (s->random * 1103515245 + 12345 + event->ts_ms) & 0x7FFFFFFF;
    const int64_t r = s->random >> 8;
    const uint32_t key = (uint32_t)(r % 6);
    const enum side side = leg->position_lots > 3000 || r % 3 == 0 ? SIDE_SELL : SIDE_BUY;
    const int64_t away = 1 + r % 300;

    if (leg->last_ticks <= 0 || r % 4 == 0)
        return;
    if (r % 31 == 0)
        wants_begin(wants);
    if (r % 7 == 0)
        wants_drop(wants, key);
    if (r % 5 == 0)
        wants_target(wants, 0, 7, r % 2000, r % 2 ? NO_LIMIT : leg->last_ticks + 5);
    else if (r % 11 == 0)
        wants_drop(wants, 7);
    wants_limit(wants, 0, key, side,
                side == SIDE_BUY ? leg->last_ticks - away : leg->last_ticks + away, 600 + r % 900,
                r % 2 ? WANT_POST_ONLY : 0);
}

static const struct strategy_ops whim = { .name = "whim",
                                          .help = "",
                                          .params = no_params,
                                          .state = whim_fields,
                                          .state_size = whim_state_size,
                                          .declare = whim_declare,
                                          .on_event = whim_on_event };

/* --- lines
 * ------------------------------------------------------------------------------------------ */

static double seen[2][2]; /* [line][bars back] */

static int watcher_declare(const void *params, struct needs *needs)
{
    (void)params;
    *needs = (struct needs){
        .legs = 1,
        .bar_ms = 60000,
        .bars = 1,
        .lines_back = 2,
        .line = { { .indicator = "macd", .period = 5, .output = 2, .option = { 10, 3, 1 } },
                  { .indicator = "bollinger", .period = 10, .output = 4 } },
        .line_count = 2,
        .orders_max = 1,
        .timer = true,
    };
    return 0;
}

static void watcher_on_event(void *state, const void *params, const struct event *event,
                             const struct view *view, struct wants *wants)
{
    (void)state;
    (void)params;
    (void)event;
    (void)wants;
    for (size_t i = 0; i < 2; i++)
        memcpy(seen[i], view->leg[0].lines[i], sizeof seen[i]);
}

static const struct strategy_ops watcher = { .name = "watcher",
                                             .help = "",
                                             .params = no_params,
                                             .state = whim_fields,
                                             .state_size = whim_state_size,
                                             .declare = watcher_declare,
                                             .on_event = watcher_on_event };

/* Computes one output over bars, and leaves its last two values. */
static void direct(const char *name, const double *option, size_t output, const struct bar *bars,
                   size_t count, double *last)
{
    const struct indicator *row = indicator_find(name);
    void *state = malloc(row->init(NULL, option));
    double values[INDICATOR_OUTPUTS_MAX];

    assert_non_null(state);
    row->init(state, option);
    for (size_t i = 0; i < count; i++) {
        row->update(state, &bars[i], 0.01, values);
        last[1] = last[0];
        last[0] = values[output];
    }
    free(state);
}

static void a_line_takes_further_options_and_any_output(void **ctx)
{
    const double macd[INDICATOR_OPTIONS_MAX] = { 5, 10, 3, 1 };
    const double bollinger[INDICATOR_OPTIONS_MAX] = { 10, 2, 0 };
    double expected[2][2] = { { 0 } };
    struct bar bars[60];

    (void)ctx;
    fake_open(&venue, 1);
    fake_create(&venue, &watcher, "{}", NULL, 1);
    fake_start(&venue);
    fake_price(&venue, 9999, 10001);
    const int64_t start = venue.clock.wall_now_ms / 60000 * 60000 - 60 * 60000;

    for (int64_t i = 0; i < 60; i++)
        bars[i] = (struct bar){ start + i * 60000, 10000, 10100, 9900, 10000 + i * i % 37, 1 };
    bot_on_history(venue.bot, 0, bars, 60);
    fake_run(&venue, 3000);
    direct("macd", macd, 2, bars, 60, expected[0]);
    direct("bollinger", bollinger, 4, bars, 60, expected[1]);
    assert_memory_equal(seen, expected, sizeof seen);
    assert_int_equal(bot_warmup_bars(venue.bot), 10 * 10 + 3 * 10 + 2);
    end();
}

static void live_once(const struct strategy_ops *ops, const char *params, uint64_t seed)
{
    uint32_t epoch = 1;
    int64_t mid = 10000;

    fake_open(&venue, seed);
    fake_create(&venue, ops, params, NULL, epoch);
    venue.faults = (struct fake_faults){ 60, 80, 100, 100, 40, 30, 900 };
    fake_price(&venue, mid - 1, mid + 1);
    fake_start(&venue);
    for (int step = 0; step < 400; step++) {
        mid += (int64_t)fake_random(&venue, 301) - 150 + (10000 - mid) / 40;
        fake_price(&venue, mid - 1, mid + 1);
        fake_run(&venue, 50 * (1 + fake_random(&venue, 20)));
        const uint32_t what = fake_random(&venue, 100);
        if (what < 3) {
            bot_on_link(venue.bot, false, "cut");
            venue.link_down = true;
        } else if (what < 10 && venue.link_down) {
            venue.link_down = false;
            bot_on_link(venue.bot, true, "");
        } else if (what < 14) {
            fake_crash(&venue, ops, params, NULL, epoch += what == 13, fake_random(&venue, 2) == 0);
        } else if (what < 16) {
            bot_set_desired(venue.bot, (enum bot_run)fake_random(&venue, 4), BOT_STOP_CANCEL);
        } else if (what < 26) {
            bot_set_desired(venue.bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
        }
    }
    quiet_end();
    fake_assert_books(&venue);
    fake_close(&venue);
}

static void random_lives_end_with_the_books_of_the_venue(void **ctx)
{
    const char *only = getenv("FLOTILLA_SEED");

    (void)ctx;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        if (only && seed != strtoull(only, NULL, 10))
            continue;
        print_message("# seed %" PRIu64 "\n", seed);
        live_once(grid(), GRID_FULL, seed);
        live_once(&whim, "{}", seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_rests_its_buys_below_the_price),
        cmocka_unit_test(a_cell_buys_sells_what_it_got_and_buys_again),
        cmocka_unit_test(the_first_purchase_fills_the_cells_above_the_price),
        cmocka_unit_test(realised_and_unrealised_are_the_cash_and_the_position_at_the_mark),
        cmocka_unit_test(pause_keeps_exits_and_withdraws_entries),
        cmocka_unit_test(stop_cancels_all_and_says_stopped_when_nothing_rests),
        cmocka_unit_test(flat_sells_the_position_and_forgets_the_cells),
        cmocka_unit_test(a_halt_that_cancels_leaves_no_order),
        cmocka_unit_test(without_a_word_on_halts_nothing_is_sent),
        cmocka_unit_test(a_journal_that_refuses_sends_nothing),
        cmocka_unit_test(an_unknown_order_is_asked_about_and_never_sent_again),
        cmocka_unit_test(a_fill_books_once_however_often_it_comes),
        cmocka_unit_test(hundreds_of_trades_in_a_minute_are_all_remembered),
        cmocka_unit_test(a_late_trade_does_not_turn_back_the_time_of_the_last),
        cmocka_unit_test(a_trade_that_is_fresh_for_sure_is_booked_however_old),
        cmocka_unit_test(missing_trades_are_fetched_when_the_order_says_more_was_executed),
        cmocka_unit_test(a_fill_that_the_stream_lost_is_found_by_the_audit),
        cmocka_unit_test(a_part_that_the_stream_lost_is_found_by_the_audit),
        cmocka_unit_test(an_audit_older_than_an_order_does_not_doubt_it),
        cmocka_unit_test(a_changed_level_is_replaced_only_after_the_cancel_is_confirmed),
        cmocka_unit_test(after_a_crash_open_orders_are_adopted_by_key),
        cmocka_unit_test(a_paper_order_that_had_traded_ends_with_its_process),
        cmocka_unit_test(a_crash_before_any_snapshot_still_adopts_from_the_ring),
        cmocka_unit_test(fills_missed_while_dead_are_booked_before_it_goes_on),
        cmocka_unit_test(a_new_epoch_cancels_the_orders_of_the_old_one_first),
        cmocka_unit_test(risk_refuses_entries_with_its_reason_and_lets_exits_pass),
        cmocka_unit_test(a_daily_loss_pauses_until_the_next_day),
        cmocka_unit_test(an_expired_lease_sends_nothing_of_any_kind),
        cmocka_unit_test(parameters_that_cannot_change_are_refused_whole),
        cmocka_unit_test(a_line_takes_further_options_and_any_output),
        cmocka_unit_test(random_lives_end_with_the_books_of_the_venue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
