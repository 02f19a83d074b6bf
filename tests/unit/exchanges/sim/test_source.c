/* Where simulated prices come from: files forwards and backwards, candles turned into a path,
 * walks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <unistd.h>
#include "exchanges/sim/source.h"

static const struct instrument btc = {
    .name = "BTC-USDT", .tick = { 1, 2 }, .lot = { 1, 5 }, .price_min = { 1, 2 }
};
static char path[64];

static void write_file(const char *text)
{
    snprintf(path, sizeof path, "/tmp/flotilla-source-XXXXXX");
    const int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static struct sim_source *open_source(const char *spec, uint64_t seed, bool loop)
{
    struct sim_source *source = NULL;
    struct flt_error error = { 0 };

    if (sim_source_open(spec, &btc, seed, loop, &source, &error) != 0)
        fail_msg("%s", error.message);
    return source;
}

static struct sim_source *open_file(const char *kind, const char *text, bool loop)
{
    char spec[128];

    write_file(text);
    snprintf(spec, sizeof spec, "%s:%s", kind, path);
    struct sim_source *source = open_source(spec, 1, loop);

    unlink(path);
    return source;
}

/* The next trade; quotes on the way are checked to be around it. */
static bool next_trade(struct sim_source *source, struct sim_event *out)
{
    struct sim_event quote = { .quote = { .bid_ticks = 0 } };

    while (sim_source_next(source, out)) {
        if (!out->is_trade) {
            assert_true(out->quote.bid_ticks > 0 && out->quote.bid_ticks < out->quote.ask_ticks);
            quote = *out;
            continue;
        }
        if (quote.quote.bid_ticks > 0)
            assert_int_equal(out->trade.price_ticks, out->trade.aggressor == SIDE_BUY
                                                         ? quote.quote.ask_ticks
                                                         : quote.quote.bid_ticks);
        return true;
    }
    return false;
}

#define TRADES "ts_ms,price,qty,is_buyer_maker\n5000,100,1,true\n6000,101,1,false\n8000,99,1,true\n"

static void a_file_is_played_forwards_then_backwards(void **ctx)
{
    static const int64_t prices[] = { 10000, 10100, 9900, 9900, 10100, 10000, 10000 };
    static const int64_t times[] = { 0, 1000, 3000, 3001, 5001, 6001, 6002 };
    struct sim_source *source = open_file("trades", TRADES, true);
    struct sim_event event;

    (void)ctx;
    for (size_t i = 0; i < 7; i++) {
        assert_true(next_trade(source, &event));
        assert_int_equal(event.trade.price_ticks, prices[i]);
        assert_int_equal(event.at_ms, times[i]);
    }
    sim_source_close(source);
}

static void without_loop_a_file_ends(void **ctx)
{
    struct sim_source *source = open_file("trades", TRADES, false);
    struct sim_event event;
    int count = 0;

    (void)ctx;
    while (next_trade(source, &event))
        count++;
    assert_int_equal(count, 3);
    assert_false(sim_source_next(source, &event));
    sim_source_close(source);
}

#define QUOTES                                                                                     \
    "ts_ms,update_id,bid,bid_qty,ask,ask_qty\n4900,1,99.99,1,100.01,1\n8100,2,98.99,1,99.01,1\n"

/* After a restart the simulator goes on at a position; hours of a short file must not be played for
 * that, and what comes then must be what would have come. */
static void skipping_whole_rounds_changes_nothing(void **ctx)
{
    char trades[64], spec[192];
    struct sim_event played, skipped;
    const int64_t at_ms =
        INT64_C(3202) * 1001; /* a pass is 3200 ms and one: 500 rounds, and half */

    (void)ctx;
    write_file(TRADES);
    memcpy(trades, path, sizeof trades);
    write_file(QUOTES);
    snprintf(spec, sizeof spec, "trades:%s,bookticker:%s", trades, path);
    struct sim_source *a = open_source(spec, 1, true), *b = open_source(spec, 1, true);

    sim_source_skip(b, at_ms);
    do
        assert_true(sim_source_next(a, &played));
    while (played.at_ms < at_ms);
    int steps = 0;
    do
        assert_true(sim_source_next(b, &skipped));
    while (skipped.at_ms < at_ms && ++steps < 30);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(played.at_ms, skipped.at_ms);
        assert_int_equal(played.is_trade, skipped.is_trade);
        assert_int_equal(played.trade.price_ticks, skipped.trade.price_ticks);
        assert_int_equal(played.quote.bid_ticks, skipped.quote.bid_ticks);
        assert_true(sim_source_next(a, &played) && sim_source_next(b, &skipped));
    }
    sim_source_close(a);
    sim_source_close(b);
    unlink(trades);
    unlink(path);
}

static void a_candle_becomes_a_path_through_its_prices(void **ctx)
{
    struct sim_source *source = open_file(
        "candles",
        "ts_ms,open,high,low,close,volume\n0,100,110,95,105,10\n60000,105,106,90,92,10\n", false);
    struct sim_event event;
    int64_t first = 0, last = 0, low = INT64_MAX, high = 0, before = -1;

    (void)ctx;
    while (next_trade(source, &event)) {
        assert_true(event.at_ms >= before); /* never back in time */
        before = event.at_ms;
        if (event.at_ms >= 60000)
            continue;
        first = first ? first : event.trade.price_ticks;
        last = event.trade.price_ticks;
        low = last < low ? last : low;
        high = last > high ? last : high;
    }
    assert_int_equal(first, 10000);
    assert_int_equal(last, 10500);
    assert_true(low >= 9500 && low <= 9600 && high <= 11000 && high >= 10900);
    assert_int_equal(event.trade.price_ticks, 9200);
    sim_source_close(source);
}

static void a_walk_is_the_same_for_a_seed_and_another_for_another(void **ctx)
{
    const char *spec = "random:price=150,rate=5";
    struct sim_source *a = open_source(spec, 1, false), *b = open_source(spec, 1, false),
                      *c = open_source(spec, 2, false);
    struct sim_event x, y, z;
    int differ = 0;
    int64_t before = 0;

    (void)ctx;
    for (int i = 0; i < 2000; i++) {
        assert_true(next_trade(a, &x) && next_trade(b, &y) && next_trade(c, &z));
        assert_int_equal(x.trade.price_ticks, y.trade.price_ticks);
        assert_int_equal(x.at_ms, y.at_ms);
        assert_true(x.at_ms > before && x.trade.price_ticks > 10000 && x.trade.price_ticks < 20000);
        before = x.at_ms;
        differ += x.trade.price_ticks != z.trade.price_ticks;
    }
    assert_true(differ > 1000);
    assert_in_range(before, 300000, 500000); /* 2000 trades at 5 a second */
    sim_source_close(a);
    sim_source_close(b);
    sim_source_close(c);
}

static void what_cannot_be_is_refused(void **ctx)
{
    static const char *const specs[] = { "random:price=-1",
                                         "random:price=x",
                                         "random:rate=0",
                                         "trades:/nonexistent/file.csv",
                                         "candles:/nonexistent.csv",
                                         "quotes:/x",
                                         "" };

    (void)ctx;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        struct sim_source *source = NULL;
        struct flt_error error = { 0 };

        assert_true(sim_source_open(specs[i], &btc, 1, false, &source, &error) < 0);
        assert_true(error.message[0] != '\0');
        assert_null(source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_played_forwards_then_backwards),
        cmocka_unit_test(without_loop_a_file_ends),
        cmocka_unit_test(skipping_whole_rounds_changes_nothing),
        cmocka_unit_test(a_candle_becomes_a_path_through_its_prices),
        cmocka_unit_test(a_walk_is_the_same_for_a_seed_and_another_for_another),
        cmocka_unit_test(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
