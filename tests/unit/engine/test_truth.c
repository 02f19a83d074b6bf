/* Books beside the venue: what a power loss took, what a stop says, and a person's word. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "engine/core.h"
#include "tests/support/fake_venue.h"

#define GRID "{\"lower\":90,\"upper\":110,\"levels\":4,\"budget\":\"100\",\"initial_buy\":false}"

static struct fake_venue venue;

static const struct strategy_ops *grid(void)
{
    return strategy_find("grid");
}

static struct bot_status status(void)
{
    struct bot_status out;

    bot_status(venue.bot, &out);
    return out;
}

static void begin(void)
{
    fake_open(&venue, 1);
    fake_create(&venue, grid(), GRID, NULL, 1);
    fake_start(&venue);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 3000);
}

/* The order was sent, and filled whole, after the last flush: it is in no snapshot, no ring and no
 * list of open orders. Only the venue's trades tell of it. */
static void a_power_loss_after_a_full_fill_is_booked_from_the_venues_trades(void **ctx)
{
    struct fake_disk disk = { 0 };

    (void)ctx;
    begin();
    fake_disk_sync(&venue, &disk);
    fake_price(&venue, 9399, 9401); /* two levels trade whole; their sells are sent */
    fake_run(&venue, 2000);
    fake_price(&venue, 10001, 10003); /* a sell trades whole, its buy is sent anew */
    fake_run(&venue, 2000);
    const int64_t fills = venue.truth.fill_count;
    assert_true(fills >= 3);
    fake_power_loss(&venue, grid(), GRID, NULL, 1, &disk);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 8000);
    assert_int_equal(status().phase, BOT_RUNNING);
    assert_int_equal(venue.alarms, 0);
    fake_assert_books(&venue);
    assert_true(fake_live_count(&venue) >= 3);
    fake_close(&venue);
    free(disk.state);
}

/* Without the sweep the test above must fail, or it proves nothing. */
static void without_the_sweep_the_trades_would_be_lost(void **ctx)
{
    struct fake_disk disk = { 0 };

    (void)ctx;
    begin();
    venue.port.sweep = NULL;
    fake_disk_sync(&venue, &disk);
    fake_price(&venue, 9399, 9401);
    fake_run(&venue, 2000);
    fake_price(&venue, 10001, 10003);
    fake_run(&venue, 2000);
    fake_power_loss(&venue, grid(), GRID, NULL, 1, &disk);
    fake_price(&venue, 9999, 10001);
    fake_run(&venue, 8000);
    assert_true(bot_ledger(venue.bot, 0)->fill_count < venue.truth.fill_count);
    fake_close(&venue);
    free(disk.state);
}

static void power_once(uint64_t seed)
{
    struct fake_disk disk = { 0 };
    int64_t mid = 10000;

    fake_open(&venue, seed);
    fake_create(&venue, grid(), GRID, NULL, 1);
    venue.faults = (struct fake_faults){ 40, 60, 80, 80, 20, 20, 700 };
    fake_price(&venue, mid - 1, mid + 1);
    fake_start(&venue);
    fake_run(&venue, 1000);
    for (int step = 0; step < 150; step++) {
        if (step % 7 == 0)
            fake_disk_sync(&venue, &disk);
        mid += (int64_t)fake_random(&venue, 301) - 150 + (10000 - mid) / 40;
        fake_price(&venue, mid - 1, mid + 1);
        fake_run(&venue, 50 * (1 + fake_random(&venue, 20)));
        if (step % 7 == 6 && fake_random(&venue, 3) == 0)
            fake_power_loss(&venue, grid(), GRID, NULL, 1, &disk);
    }
    venue.faults = (struct fake_faults){ 0 };
    bot_set_desired(venue.bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    for (int i = 0; i < 40; i++) {
        fake_price(&venue, mid - 1, mid + 1);
        fake_run(&venue, 3000);
    }
    bot_set_desired(venue.bot, BOT_RUN_STOPPED, BOT_STOP_CANCEL);
    fake_run(&venue, 30000);
    assert_int_equal(status().phase, BOT_STOPPED);
    assert_int_equal(fake_live_count(&venue), 0);
    fake_assert_books(&venue);
    fake_close(&venue);
    free(disk.state);
}

static void random_power_losses_end_with_the_books_of_the_venue(void **ctx)
{
    const char *only = getenv("FLOTILLA_SEED");

    (void)ctx;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        if (only && seed != strtoull(only, NULL, 10))
            continue;
        printf("# seed %" PRIu64 "\n", seed);
        power_once(seed);
    }
}

/* --- stopped
 * ---------------------------------------------------------------------------------------- */

static void stopped_is_said_after_the_venues_list_and_not_before(void **ctx)
{
    (void)ctx;
    begin();
    const size_t lists = venue.lists;
    venue.faults.lose_answer = 1000; /* it hears nothing of its questions */
    bot_set_desired(venue.bot, BOT_RUN_STOPPED, BOT_STOP_CANCEL);
    fake_run(&venue, 5000); /* the stream tells that each order ended */
    assert_int_equal(fake_live_count(&venue), 0);
    assert_int_equal(status().open_orders, 0);
    assert_int_equal(status().phase, BOT_STOPPING);
    assert_int_equal(status().clear_ms, 0);
    assert_true(venue.lists > lists);
    venue.faults.lose_answer = 0;
    fake_run(&venue, 20000);
    assert_int_equal(status().phase, BOT_STOPPED);
    assert_true(status().clear_ms > 0);
    fake_close(&venue);
}

/* An order that the bot had lost sight of is found by the list that a stop asks for. */
static void a_stop_finds_and_cancels_an_order_that_the_bot_does_not_know(void **ctx)
{
    (void)ctx;
    begin();
    for (uint32_t i = 0; i < venue.bot->wants.slot_count; i++)
        if (venue.bot->wants.slots[i].used && venue.bot->wants.slots[i].live.state != ORDER_BAD) {
            venue.bot->ended_at = 0;
            orders_clear(venue.bot, i); /* one is forgotten */
            break;
        }
    bot_set_desired(venue.bot, BOT_RUN_STOPPED, BOT_STOP_CANCEL);
    fake_run(&venue, 10000);
    assert_int_equal(status().phase, BOT_STOPPED);
    assert_int_equal(fake_live_count(&venue), 0);
    fake_close(&venue);
}

static void a_detached_bot_is_not_stopped_while_its_orders_rest(void **ctx)
{
    (void)ctx;
    begin();
    bot_set_desired(venue.bot, BOT_RUN_STOPPED, BOT_STOP_DETACH);
    fake_run(&venue, 3000);
    assert_int_equal(status().phase, BOT_STOPPING);
    assert_string_equal(status().reason_code, "detached");
    assert_true(fake_live_count(&venue) >= 3);
    fake_price(&venue, 8900, 8901); /* they all trade, and are booked */
    fake_run(&venue, 5000);
    assert_int_equal(status().phase, BOT_STOPPED);
    fake_assert_books(&venue);
    fake_close(&venue);
}

static void a_bot_in_doubt_is_stopped_once_nothing_of_it_rests(void **ctx)
{
    (void)ctx;
    begin();
    bot_fail(venue.bot, "mismatch", "for the test");
    bot_pump(venue.bot);
    fake_run(&venue, 2000);
    assert_int_equal(status().phase, BOT_ERROR);
    assert_true(fake_live_count(&venue) >= 3); /* nothing is done on its own */
    bot_set_desired(venue.bot, BOT_RUN_STOPPED, BOT_STOP_CANCEL);
    fake_run(&venue, 5000);
    assert_int_equal(status().phase, BOT_STOPPED);
    assert_string_equal(status().reason_code, "mismatch");
    assert_int_equal(fake_live_count(&venue), 0);
    bot_set_desired(venue.bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    fake_run(&venue, 5000);
    assert_int_equal(status().phase, BOT_RUNNING);
    fake_close(&venue);
}

static void a_halt_that_cancels_takes_the_orders_of_a_bot_in_doubt(void **ctx)
{
    (void)ctx;
    begin();
    bot_fail(venue.bot, "mismatch", "for the test");
    bot_set_halt(venue.bot, BOT_HALT_CANCEL, "drill");
    fake_run(&venue, 5000);
    assert_int_equal(status().phase, BOT_ERROR);
    assert_int_equal(fake_live_count(&venue), 0);
    fake_close(&venue);
}

/* --- drift
 * ------------------------------------------------------------------------------------------ */

static void a_drift_pauses_with_its_numbers_and_ends(void **ctx)
{
    (void)ctx;
    begin();
    bot_set_drift(venue.bot, "BTC: books 0.04, venue 0.035");
    assert_int_equal(status().phase, BOT_PAUSED);
    assert_string_equal(status().reason_code, "drift");
    assert_string_equal(status().reason, "BTC: books 0.04, venue 0.035");
    assert_string_equal(venue.last_alarm, "drift");
    fake_run(&venue, 2000);
    assert_null(fake_live(&venue, 0));
    bot_set_drift(venue.bot, NULL);
    fake_run(&venue, 2000);
    assert_int_equal(status().phase, BOT_RUNNING);
    fake_close(&venue);
}

static void an_adjustment_moves_position_and_cost_and_not_the_cash(void **ctx)
{
    struct ledger before;
    char a[FLT_AMT_TEXT_MAX], b[FLT_AMT_TEXT_MAX];

    (void)ctx;
    begin();
    fake_price(&venue, 9399, 9401);
    fake_run(&venue, 3000);
    before = *bot_ledger(venue.bot, 0);
    assert_true(flt_amt_sign(before.position) > 0);
    const struct bot_adjustment all = {
        .leg = 0, .qty = flt_amt_neg(before.position), .by = "user/test", .reason = "gone"
    };
    assert_int_equal(bot_adjust(venue.bot, &all), 0);
    const struct ledger *after = bot_ledger(venue.bot, 0);

    assert_int_equal(flt_amt_sign(after->position), 0);
    assert_int_equal(flt_amt_sign(after->cost), 0);
    assert_string_equal(flt_amt_format(after->cash, a), flt_amt_format(before.cash, b));
    assert_string_equal(flt_amt_format(ledger_realised(after), a), flt_amt_format(before.cash, b));
    assert_int_equal(bot_position_lots(venue.bot, 0), 0);
    const struct bot_adjustment none = { .leg = 7, .qty = FLT_AMT_ZERO, .by = "", .reason = "" };
    assert_int_equal(bot_adjust(venue.bot, &none), -ERANGE);
    fake_close(&venue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_loss_after_a_full_fill_is_booked_from_the_venues_trades),
        cmocka_unit_test(without_the_sweep_the_trades_would_be_lost),
        cmocka_unit_test(random_power_losses_end_with_the_books_of_the_venue),
        cmocka_unit_test(stopped_is_said_after_the_venues_list_and_not_before),
        cmocka_unit_test(a_stop_finds_and_cancels_an_order_that_the_bot_does_not_know),
        cmocka_unit_test(a_detached_bot_is_not_stopped_while_its_orders_rest),
        cmocka_unit_test(a_bot_in_doubt_is_stopped_once_nothing_of_it_rests),
        cmocka_unit_test(a_halt_that_cancels_takes_the_orders_of_a_bot_in_doubt),
        cmocka_unit_test(a_drift_pauses_with_its_numbers_and_ends),
        cmocka_unit_test(an_adjustment_moves_position_and_cost_and_not_the_cash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
