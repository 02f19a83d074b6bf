/* What the next owner of a bot is handed, against a real database file: streams are taken by
 * ingest.c and states by takeover.c, as in the daemon; only the bus is not there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/log.h"
#include "tests/unit/controller/temp_store.h"

#define BOT "grid-1"
#define BOOKS 1700000000
#define A "01J00000000000000000000000"
#define B "01J00000000000000000000001"
#define C "01J00000000000000000000002"

struct world {
    struct temp_store temp;
    struct controller controller;
    struct bot *bot;
    struct msg_resume resume; /* what the last owner was handed */
    char said[4096];
    int64_t apart_ms; /* the time of trade n is n times that later */
};

/* --- the world
 * ------------------------------------------------------------------------------------- */

static void deploy(struct world *w, enum msg_mode mode)
{
    w->bot->spec.mode = mode;
    assert_int_equal(store_save_bot(&w->controller.store, w->bot, "admin", "deployed"), 0);
}

static struct bot *put_bot(struct world *w, const char *name)
{
    struct bot *bot = inventory_get_bot(&w->controller.inventory, name);

    assert_non_null(bot);
    snprintf(bot->spec.name, sizeof bot->spec.name, "%s", name);
    snprintf(bot->node, sizeof bot->node, "a");
    bot->epoch = bot->generation = 1;
    return bot;
}

static int setup(void **ctx)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->controller.clock = flt_clock_system();
    assert_int_equal(temp_store_open(&w->temp, &w->controller.store), 0);
    assert_int_equal(store_set_meta_int(&w->controller.store, "books", BOOKS), 0);
    w->bot = put_bot(w, BOT);
    deploy(w, MSG_MODE_LIVE);
    *ctx = w;
    return 0;
}

static int teardown(void **ctx)
{
    struct world *w = *ctx;

    msg_resume_finish(&w->resume);
    late_finish(&w->controller);
    inventory_finish(&w->controller.inventory);
    books_finish(&w->controller.books);
    free(w->controller.watches);
    store_close(&w->controller.store);
    temp_store_remove(&w->temp);
    free(w);
    return 0;
}

/* --- what happens in it
 * ---------------------------------------------------------------------------- */

/* What a node says beside a fill: the sums that the books come to, or they would raise an alert. */
static struct msg_book sums_after(struct world *w, const char *bot, const struct msg_ev_fill *fill)
{
    const struct book_key key = { bot, fill->venue, fill->account, fill->fill.instrument,
                                  fill->mode };
    const struct book *book = books_get(&w->controller.books, &key);
    struct book next = *book;

    assert_int_equal(book_apply(&next, fill, 0), 0);
    return (struct msg_book){ .position = next.position, .cash = next.cash };
}

/* The node of this stream tells its next record: a fill of the bot under an epoch. */
static void fill_of(struct world *w, const char *bot, const char *node, const char *stream,
                    int64_t epoch, const char *trade)
{
    const int64_t position = store_stream_position(&w->controller.store, stream);
    struct msg_ev_record record = { .n = position < 0 ? 1 : position + 1,
                                    .kind = MSG_EV_RECORD_KIND_FILL,
                                    .epoch = epoch,
                                    .ts_ms = 1772366400000,
                                    .has_fill = true };
    struct msg_n_ev ev = { .first = record.n, .records = &record, .records_count = 1 };
    struct msg_fill *fill = &record.fill.fill;

    snprintf(record.bot, sizeof record.bot, "%s", bot);
    snprintf(record.fill.venue, sizeof record.fill.venue, "binance");
    snprintf(record.fill.account, sizeof record.fill.account, "main");
    record.fill.mode = w->bot->spec.mode;
    snprintf(fill->instrument, sizeof fill->instrument, "BTC-USDT");
    snprintf(fill->trade_id, sizeof fill->trade_id, "%s", trade);
    snprintf(fill->order_id, sizeof fill->order_id, "9%s", trade);
    fill->has_client_order_id = true;
    snprintf(fill->client_order_id, sizeof fill->client_order_id, "id-%s", trade);
    fill->side = SIDE_SELL;
    fill->price = flt_dec_parse("64123.1");
    fill->qty = flt_dec_parse("0.01");
    fill->fee = flt_amt_parse("0.641231");
    snprintf(fill->fee_asset, sizeof fill->fee_asset, "USDT");
    fill->liquidity = LIQUIDITY_TAKER;
    fill->ts_ms = 1772366399000 + w->apart_ms * atoi(trade);
    snprintf(ev.stream, sizeof ev.stream, "%s", stream);
    record.fill.book = sums_after(w, bot, &record.fill);
    ingest_ev(&w->controller, inventory_get_node(&w->controller.inventory, node), &ev);
    assert_int_equal(store_stream_position(&w->controller.store, stream), record.n);
}

static void fill(struct world *w, const char *node, const char *stream, int64_t epoch,
                 const char *trade)
{
    fill_of(w, BOT, node, stream, epoch, trade);
}

/* A node tells a state as of record n of its stream; `past` as it stands there, "" for none. */
static void snap_of(struct world *w, const char *node, int64_t epoch, const char *stream, int64_t n,
                    const char *past)
{
    struct msg_n_snap said = { .env = { .has_epoch = true, .epoch = epoch, .ts_ms = 5000 },
                               .n = n };
    char text[512];

    snprintf(text, sizeof text, "{\"of\":%d%s%s}", (int)epoch, *past ? ",\"past\":" : "", past);
    snprintf(said.bot, sizeof said.bot, "%s", BOT);
    snprintf(said.stream, sizeof said.stream, "%s", stream);
    said.state = flt_json_parse(text, strlen(text), NULL);
    assert_non_null(said.state);
    takeover_snap(&w->controller, node, &said);
    json_object_put(said.state);
}

static void snap(struct world *w, const char *stream, int64_t n, const char *past)
{
    snap_of(w, w->bot->node, w->bot->epoch, stream, n, past);
}

static const char *born(const char *stream, int64_t n)
{
    static char text[128];

    snprintf(text, sizeof text, "{\"stream\":\"%s\",\"n\":%d}", stream, (int)n);
    return text;
}

static const char *handed(const char *stream, int64_t n, int64_t upto, int64_t books)
{
    static char text[160];

    snprintf(text, sizeof text, "{\"stream\":\"%s\",\"n\":%d,\"upto\":%d,\"books\":%lld}", stream,
             (int)n, (int)upto, (long long)books);
    return text;
}

/* As takeover.c does it; what the new owner reads is left in w->resume. */
static void move(struct world *w, const char *node)
{
    assert_int_equal(resume_store(&w->controller, w->bot), 0);
    w->bot->epoch++;
    w->bot->has_state = false;
    snprintf(w->bot->node, sizeof w->bot->node, "%s", node);
    assert_int_equal(store_save_bot(&w->controller.store, w->bot, "controller", "moved"), 0);
    msg_resume_finish(&w->resume);
    w->resume = (struct msg_resume){ 0 };
    assert_true(resume_load(&w->controller, w->bot, &w->resume));
    assert_int_equal(w->resume.epoch, w->bot->epoch - 1);
}

/* --- what was handed
 * ------------------------------------------------------------------------------- */

static const char *fills(struct world *w)
{
    w->said[0] = '\0';
    for (size_t i = 0; i < w->resume.fills_count; i++) {
        const size_t length = strlen(w->said);

        snprintf(w->said + length, sizeof w->said - length, "%s%s", i ? " " : "",
                 w->resume.fills[i].trade_id);
    }
    return w->said;
}

static const char *trades(struct world *w)
{
    w->said[0] = '\0';
    for (size_t i = 0; i < w->resume.trades_count; i++) {
        const size_t length = strlen(w->said);

        snprintf(w->said + length, sizeof w->said - length, "%s%s", i ? " " : "",
                 w->resume.trades[i].trade_id);
    }
    return w->said;
}

/* Epoch of the owner that wrote the state; 0: none is handed. */
static int64_t state_of(const struct world *w)
{
    int64_t of = 0;

    if (w->resume.has_state)
        assert_true(flt_json_int(w->resume.state, "of", &of));
    return of;
}

/* --- one owner after another
 * ----------------------------------------------------------------------- */

static void without_a_state_every_fill_is_handed_over_whole(void **ctx)
{
    struct world *w = *ctx;
    const struct msg_fill *got;

    fill(w, "a", A, 1, "11");
    fill_of(w, "grid-2", "a", A, 1, "12"); /* of another bot in the same stream */
    fill(w, "a", A, 1, "13");
    fill_of(w, "grid-2", "a", A, 1, "14");
    move(w, "b");
    assert_int_equal(state_of(w), 0);
    assert_string_equal(fills(w), "11 13"); /* in the order in which they were booked */
    assert_string_equal(trades(w), "");
    assert_int_equal(w->resume.books, BOOKS);
    assert_int_equal(w->resume.upto, 3);
    got = &w->resume.fills[0];
    assert_string_equal(got->instrument, "BTC-USDT");
    assert_string_equal(got->order_id, "911");
    assert_string_equal(got->client_order_id, "id-11");
    assert_int_equal(got->side, SIDE_SELL);
    assert_int_equal(flt_dec_cmp(got->price, flt_dec_parse("64123.1")), 0);
    assert_int_equal(flt_dec_cmp(got->qty, flt_dec_parse("0.01")), 0);
    assert_int_equal(flt_amt_cmp(got->fee, flt_amt_parse("0.641231")), 0);
    assert_string_equal(got->fee_asset, "USDT");
    assert_int_equal(got->liquidity, LIQUIDITY_TAKER);
    assert_int_equal(got->ts_ms, 1772366399000);
}

static void what_was_booked_after_the_state_is_handed_over_and_no_more(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    fill(w, "a", A, 1, "12");
    snap(w, A, 2, born(A, 0));
    fill(w, "a", A, 1, "13");
    move(w, "b");
    assert_int_equal(state_of(w), 1);
    assert_int_equal(w->resume.ts_ms, 5000);
    assert_string_equal(fills(w), "13");
    assert_string_equal(trades(w), "12 11"); /* the newest first */
}

/* Chaos seed 9065: the owner in the middle found a trade at the venue, told it and died before it
 * told a state. What it had found was taken for known, and was in nobody's sub-ledger. */
static void what_an_owner_in_the_middle_booked_is_handed_to_the_next(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    snap(w, A, 1, born(A, 0));
    fill(w, "a", A, 1, "12");
    move(w, "b");
    assert_string_equal(fills(w), "12");
    fill(w, "b", B, 2, "13");
    move(w, "c");
    assert_int_equal(state_of(w), 1); /* still the first one's */
    assert_string_equal(fills(w), "12 13");
    assert_string_equal(trades(w), "11");
    snap(w, C, 0, handed(C, 0, w->resume.upto, BOOKS));
    move(w, "a");
    assert_int_equal(state_of(w), 3);
    assert_string_equal(fills(w), ""); /* the third one has them all */
    assert_string_equal(trades(w), "13 12 11");
}

static void an_owner_in_the_middle_that_told_its_state_leaves_nothing_twice(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    snap(w, A, 1, born(A, 0));
    fill(w, "a", A, 1, "12");
    move(w, "b");
    snap(w, B, 0, handed(B, 0, w->resume.upto, BOOKS));
    fill(w, "b", B, 2, "13");
    snap(w, B, 1, handed(B, 0, 2, BOOKS));
    fill(w, "b", B, 2, "14");
    move(w, "c");
    assert_int_equal(state_of(w), 2);
    assert_string_equal(fills(w), "14");
    assert_string_equal(trades(w), "13 12 11");
}

/* --- late ones
 * ------------------------------------------------------------------------------------- */

/* The owner before tells a fill after the bot has moved; the present one books it in its own stream
 * when it is told, and the books see from that place there which states have it. */
static void a_late_fill_is_handed_on_until_a_state_has_it(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    snap(w, A, 1, born(A, 0));
    move(w, "b");
    snap(w, B, 0, handed(B, 0, w->resume.upto, BOOKS));
    fill(w, "a", A, 1, "12"); /* late */
    move(w, "c");
    assert_string_equal(fills(w), "12");
    assert_string_equal(trades(w), "11");
}

static void a_late_fill_that_the_present_owner_booked_too_is_not_handed_again(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    snap(w, A, 1, born(A, 0));
    move(w, "b");
    fill(w, "a", A, 1, "12"); /* late */
    fill(w, "b", B, 2, "13");
    fill(w, "b", B, 2, "12"); /* told again, at number 2 of its stream */
    snap(w, B, 1, handed(B, 0, 1, BOOKS));
    move(w, "c");
    assert_string_equal(fills(w), "12"); /* that state was written before it */
    w->bot->epoch = 2;                   /* had the state been one record younger */
    snprintf(w->bot->node, sizeof w->bot->node, "b");
    snap(w, B, 2, handed(B, 0, 1, BOOKS));
    move(w, "c");
    assert_string_equal(fills(w), "");
    assert_string_equal(trades(w), "13 12 11");
}

/* Its node had the bot before and wrote a fill then, which the books got only after they had given
 * it the bot again, with the other owner's state: that fill is in its stream, not in its state. */
static void what_a_node_wrote_as_the_owner_before_is_not_in_its_state_of_today(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    snap(w, A, 1, born(A, 0));
    move(w, "b");
    snap(w, B, 0, handed(B, 0, w->resume.upto, BOOKS));
    move(w, "a"); /* its journal's head is 2 by now, our books have 1 */
    assert_string_equal(fills(w), "");
    fill(w, "a", A, 1, "12");
    fill(w, "a", A, 3, "13");
    snap(w, A, 3, handed(A, 2, w->resume.upto, BOOKS));
    move(w, "c");
    assert_string_equal(fills(w), "12");
    assert_string_equal(trades(w), "13 11");
}

/* --- states that do not say what they have
 * --------------------------------------------------------- */

/* Of a version before `past`: all that other streams have is taken for known, as then, but for late
 * fills that no state has. */
static void a_state_without_past_lacks_what_came_after_it_and_what_came_late(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    move(w, "b");
    fill(w, "b", B, 2, "12");
    snap(w, B, 1, "");
    fill(w, "b", B, 2, "13");
    move(w, "c");
    assert_string_equal(fills(w), "13");
    assert_string_equal(trades(w), "12 11");
    w->bot->epoch = 2; /* the same, and the first one's fill comes late */
    snprintf(w->bot->node, sizeof w->bot->node, "b");
    fill(w, "a", A, 1, "14");
    move(w, "c");
    assert_string_equal(fills(w), "13 14");
    assert_string_equal(trades(w), "12 11");
}

/* What the one in the middle booked was taken for known, and was in nobody's sub-ledger: of a state
 * of an older version, and of each paper bot. */
static void a_state_without_past_lacks_what_an_owner_in_the_middle_booked(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    snap(w, A, 1, "");
    fill(w, "a", A, 1, "12");
    move(w, "b");
    fill(w, "b", B, 2, "13"); /* and no state of it */
    move(w, "c");
    assert_string_equal(fills(w), "12 13");
    assert_string_equal(trades(w), "11");
}

/* Its node tells what it wrote as the owner before: late, and after the state in its own stream. */
static void a_late_fill_after_a_state_without_past_is_handed_once(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    move(w, "b");
    move(w, "a");
    snap(w, A, 1, "");
    fill(w, "a", A, 1, "12");
    fill(w, "a", A, 3, "13");
    move(w, "c");
    assert_string_equal(fills(w), "13 12");
    assert_string_equal(trades(w), "11");
}

/* Numbers of fills are of one database: after a restore others stand for them. */
static void a_state_of_other_books_is_read_like_one_that_says_nothing(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    move(w, "b");
    fill(w, "b", B, 2, "12");
    snap(w, B, 1, handed(B, 0, 0, BOOKS + 1));
    move(w, "c");
    assert_string_equal(fills(w), ""); /* by that number 11 would be new to it */
    assert_string_equal(trades(w), "12 11");
}

/* Its node began a new stream since: the numbers beside the state are of another one than those
 * inside it. */
static void a_state_of_another_stream_is_read_like_one_that_says_nothing(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    fill(w, "a", B, 1, "12");
    fill(w, "a", B, 1, "13");
    snap(w, B, 1, born(A, 1));
    move(w, "b");
    assert_string_equal(fills(w), "13");
    assert_string_equal(trades(w), "12 11");
}

/* --- names and modes
 * ------------------------------------------------------------------------------- */

static void a_new_bot_of_a_removed_one_s_name_begins_with_nothing_of_it(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    snap(w, A, 1, born(A, 0));
    fill(w, "a", A, 1, "12");
    w->bot->epoch = 2;
    deploy(w, MSG_MODE_LIVE);
    move(w, "b");
    assert_int_equal(state_of(w), 0);
    assert_string_equal(fills(w), "");
    assert_string_equal(trades(w), "");
    fill(w, "b", B, 3, "13");
    snap(w, B, 1, handed(B, 0, w->resume.upto, BOOKS));
    fill(w, "a", A, 1, "14"); /* of the removed one, told only now */
    fill(w, "b", B, 3, "15");
    move(w, "c");
    assert_int_equal(state_of(w), 3);
    assert_string_equal(fills(w), "15");
}

/* Each node counts the trades of its paper venue from 1: which of two states has "1" cannot be told
 * from the trade, so only what came after the state in its own stream is handed over. */
static void a_paper_bot_is_handed_what_its_owner_s_stream_has_after_the_state(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "7"); /* it was live once */
    w->bot->spec.mode = MSG_MODE_PAPER;
    fill(w, "a", A, 1, "1");
    snap(w, A, 2, born(A, 0));
    w->bot->spec.mode = MSG_MODE_LIVE;
    fill(w, "a", A, 1, "8"); /* of a live order that ended after that */
    w->bot->spec.mode = MSG_MODE_PAPER;
    fill(w, "a", A, 1, "2");
    move(w, "b");
    assert_string_equal(fills(w), "2");
    assert_string_equal(trades(w), "1");
    fill(w, "b", B, 2, "1");
    snap(w, B, 1, handed(B, 0, 1, BOOKS)); /* by its numbers it would lack 1 and 2 of a */
    fill(w, "b", B, 2, "2");
    move(w, "a");
    assert_string_equal(fills(w), "2");
    assert_string_equal(trades(w), "1 2 1");
}

/* --- the rest of what is handed
 * -------------------------------------------------------------------- */

static void set_stream(struct world *w, const char *stream, int64_t n, int64_t ts_ms)
{
    assert_int_equal(store_set_stream(&w->controller.store, stream, "a", n, ts_ms), 0);
}

static void the_owner_s_newest_stream_and_its_number_are_said(void **ctx)
{
    struct world *w = *ctx;

    move(w, "a"); /* its node has told nothing */
    assert_false(w->resume.has_stream);
    assert_false(w->resume.has_n);
    set_stream(w, B, 40, 2000);
    set_stream(w, A, 90, 1000);
    move(w, "b");
    assert_string_equal(w->resume.node, "a");
    assert_string_equal(w->resume.stream, B);
    assert_int_equal(w->resume.n, 40);
    move(w, "a"); /* nothing was told by b */
    assert_string_equal(w->resume.node, "b");
    assert_false(w->resume.has_stream);
}

static void only_the_newest_trades_are_told(void **ctx)
{
    struct world *w = *ctx;
    char trade[16];

    w->apart_ms = 1000;
    for (int i = 1; i <= 300; i++) {
        snprintf(trade, sizeof trade, "%d", i);
        fill(w, "a", A, 1, trade);
    }
    snap(w, A, 300, born(A, 0));
    move(w, "b");
    assert_int_equal(w->resume.fills_count, 0);
    assert_int_equal(w->resume.trades_count, 256);
    assert_string_equal(w->resume.trades[0].trade_id, "300");
    assert_string_equal(w->resume.trades[255].trade_id, "45");
    assert_string_equal(w->resume.trades[255].order_id, "945");
}

/* The venue tells the last minute's again: of a bot that had made more than 256, the next owner
 * took the others for trades that were missed. */
static void all_trades_of_the_last_minute_are_told(void **ctx)
{
    struct world *w = *ctx;
    char trade[16];

    w->apart_ms = 200;
    for (int i = 1; i <= 500; i++) {
        snprintf(trade, sizeof trade, "%d", i);
        fill(w, "a", A, 1, trade);
    }
    snap(w, A, 500, born(A, 0));
    move(w, "b");
    assert_int_equal(w->resume.trades_count, 451); /* 90 s */
    assert_string_equal(w->resume.trades[450].trade_id, "50");
}

/* Also by a controller that was started anew, until its owner has said a state of its own. */
static void it_is_told_until_the_new_owner_has_it(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    move(w, "b");
    assert_int_equal(store_commit(&w->controller.store), 0);
    store_close(&w->controller.store);
    assert_int_equal(temp_store_reopen(&w->temp, &w->controller.store), 0);
    msg_resume_finish(&w->resume);
    assert_true(resume_load(&w->controller, w->bot, &w->resume));
    assert_string_equal(fills(w), "11");
    w->bot->has_state = true;
    w->bot->state.env = (struct msg_envelope){ .has_epoch = true, .epoch = 1 };
    msg_resume_finish(&w->resume);
    assert_true(resume_load(&w->controller, w->bot, &w->resume)); /* that was the owner before */
    w->bot->state.env.epoch = 2;
    msg_resume_finish(&w->resume);
    assert_false(resume_load(&w->controller, w->bot, &w->resume));
    w->resume = (struct msg_resume){ 0 };
    w->bot->has_state = false;
    w->bot->epoch = 3; /* made for epoch 2, and for no other */
    assert_false(resume_load(&w->controller, w->bot, &w->resume));
}

/* A state is kept only from the present owner, and not before every record in front of it is here.
 */
static void a_state_that_is_ahead_of_the_books_or_of_no_owner_is_not_kept(void **ctx)
{
    struct world *w = *ctx;

    fill(w, "a", A, 1, "11");
    snap(w, A, 2, born(A, 0)); /* record 2 is on its way */
    move(w, "b");
    assert_int_equal(state_of(w), 0);
    assert_string_equal(fills(w), "11");
    snap_of(w, "a", 1, A, 1, born(A, 0)); /* that was the owner before */
    snap_of(w, "b", 1, A, 1, born(A, 0));
    snap_of(w, "a", 2, A, 1, born(A, 0));
    move(w, "c");
    assert_int_equal(state_of(w), 0);
    assert_string_equal(fills(w), "11");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(without_a_state_every_fill_is_handed_over_whole),
        CASE(what_was_booked_after_the_state_is_handed_over_and_no_more),
        CASE(what_an_owner_in_the_middle_booked_is_handed_to_the_next),
        CASE(an_owner_in_the_middle_that_told_its_state_leaves_nothing_twice),
        CASE(a_late_fill_is_handed_on_until_a_state_has_it),
        CASE(a_late_fill_that_the_present_owner_booked_too_is_not_handed_again),
        CASE(what_a_node_wrote_as_the_owner_before_is_not_in_its_state_of_today),
        CASE(a_state_without_past_lacks_what_came_after_it_and_what_came_late),
        CASE(a_state_without_past_lacks_what_an_owner_in_the_middle_booked),
        CASE(a_late_fill_after_a_state_without_past_is_handed_once),
        CASE(a_state_of_other_books_is_read_like_one_that_says_nothing),
        CASE(a_state_of_another_stream_is_read_like_one_that_says_nothing),
        CASE(a_new_bot_of_a_removed_one_s_name_begins_with_nothing_of_it),
        CASE(a_paper_bot_is_handed_what_its_owner_s_stream_has_after_the_state),
        CASE(the_owner_s_newest_stream_and_its_number_are_said),
        CASE(only_the_newest_trades_are_told),
        CASE(all_trades_of_the_last_minute_are_told),
        CASE(it_is_told_until_the_new_owner_has_it),
        CASE(a_state_that_is_ahead_of_the_books_or_of_no_owner_is_not_kept),
    };

    flt_log_set_level(FLT_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
