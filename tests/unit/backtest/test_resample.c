/* Longer candles: nothing before its close, sums exact in decimals, ends that are not whole left
 * out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "backtest/import.h"
#include "backtest/resample.h"
#include "lib/log.h"

#define MINUTE INT64_C(60000)
#define T0 INT64_C(1699999800000) /* 22:10, a full five minutes */

static char root[64];

static int set_up(void **ctx)
{
    (void)ctx;
    flt_log_set_level(FLT_LOG_OFF);
    strcpy(root, "/tmp/test_resample.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **ctx)
{
    char command[96];

    (void)ctx;
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static struct store_candle minute(int64_t i)
{
    return (struct store_candle){ T0 + i * MINUTE, 100 + i, 110 + i, 90 - i, 105 + i, 0.1 };
}

static void write_minutes(const char *timeframe, int64_t from, int64_t to, int64_t hole)
{
    struct store_spec spec = { .price_scale = 2, .qty_scale = 1 };
    struct store_writer *writer;
    char path[128];

    assert_int_equal(store_id_set(&spec.id, "demo", "A-B", timeframe, NULL), 0);
    assert_int_equal(store_path(root, &spec.id, path, sizeof path, NULL), 0);
    assert_int_equal(store_writer_open(path, &spec, &writer, NULL), 0);
    for (int64_t i = from; i < to; i++) {
        const struct store_candle candle = minute(i);

        if (i < hole || i >= hole + 7)
            assert_int_equal(store_write_candle(writer, &candle, STORE_VENUE_DOWN, NULL), 0);
    }
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    store_writer_close(writer);
}

static struct store open_store(const char *timeframe)
{
    struct store_id id;
    struct store store;
    char path[128];

    assert_int_equal(store_id_set(&id, "demo", "A-B", timeframe, NULL), 0);
    assert_int_equal(store_path(root, &id, path, sizeof path, NULL), 0);
    assert_int_equal(store_open(path, &store, NULL), 0);
    assert_int_equal(store_verify(&store, NULL), 0);
    return store;
}

static void nothing_can_be_taken_before_its_close(void **ctx)
{
    struct resample state;
    struct store_candle candle, out;

    (void)ctx;
    resample_init(&state, 5 * MINUTE, 1);
    for (int64_t i = 0; i < 5; i++) {
        candle = minute(i);
        assert_false(resample_take(&state, candle.ts_ms, &out));
        resample_add(&state, &candle);
    }
    assert_false(resample_take(&state, T0 + 5 * MINUTE - 1, &out));
    assert_true(resample_take(&state, T0 + 5 * MINUTE, &out));
    assert_true(out.ts_ms == T0 && out.open == 100 && out.high == 114 && out.low == 86);
    assert_true(out.close == 109);
    assert_true(out.volume == 0.5); /* as doubles, 0.1 added five times is not 0.5 but for luck */
    assert_false(resample_take(&state, INT64_MAX, &out));
}

static void volumes_add_as_decimals_do(void **ctx)
{
    struct resample state;
    struct store_candle candle = minute(0), out;

    (void)ctx;
    resample_init(&state, 10 * MINUTE, 8);
    for (int64_t i = 0; i < 10; i++) {
        candle = minute(i);
        candle.volume = i % 2 ? 0.1 : 0.70000001;
        resample_add(&state, &candle);
    }
    assert_true(resample_take(&state, INT64_MAX, &out));
    assert_true(out.volume == 4.00000005);
    resample_init(&state, 10 * MINUTE, 2); /* finer than the scale: summed as doubles */
    candle.volume = 1.23456;
    resample_add(&state, &candle);
    candle.volume = 2.5;
    resample_add(&state, &candle);
    assert_true(resample_take(&state, INT64_MAX, &out));
    assert_true(out.volume == 1.23456 + 2.5);
}

static void a_store_of_minutes_makes_one_of_five(void **ctx)
{
    struct resampled done;

    (void)ctx;
    write_minutes("1m", 2, 33,
                  14); /* half a candle at each end, and 7 minutes missing from 14 on */
    struct store from = open_store("1m");

    assert_int_equal(store_resample(root, &from, "5m", false, &done, NULL), 0);
    assert_int_equal(done.left_out, 2);
    struct store five = open_store("5m");

    assert_true(five.base_ms == T0 + 5 * MINUTE);
    assert_int_equal(five.count, 5);
    assert_int_equal(five.valid_count, 4); /* 22:25 has no minute at all */
    assert_int_equal(five.gap_count, 1);
    assert_int_equal(five.gaps[0].reason, STORE_VENUE_DOWN);
    assert_true(five.open[0] == 105 && five.close[0] == 114 && five.volume[0] == 0.5);
    assert_true(five.open[1] == 110 && five.close[1] == 118 && five.volume[1] == 0.4);
    assert_true(five.open[3] == 121 && five.close[3] == 129);
    store_close(&five);
    assert_int_equal(store_resample(root, &from, "5m", true, &done, NULL), 0);
    five = open_store("5m");
    assert_int_equal(five.count, 7);
    assert_true(five.open[0] == 102 && five.close[6] == 137);
    store_close(&five);
    assert_int_equal(store_resample(root, &from, "1m", false, &done, NULL), -EINVAL);
    assert_int_equal(store_resample(root, &from, "1d", false, &done, NULL), -EINVAL);
    store_close(&from);
}

static void more_decimals_keep_every_candle_and_gap(void **ctx)
{
    (void)ctx;
    write_minutes("1m", 0, 30, 14);
    struct store before = open_store("1m");

    assert_int_equal(store_rescale(before.path, 5, NULL), 0);
    struct store after = open_store("1m");

    assert_int_equal(after.price_scale, 5);
    assert_int_equal(after.count, before.count);
    assert_memory_equal(after.valid, before.valid, 4);
    assert_memory_equal(after.gaps, before.gaps, sizeof *before.gaps);
    for (size_t i = 0; i < after.count; i++)
        assert_true(after.low[i] == before.low[i] * 1000 && after.volume[i] == before.volume[i]);
    assert_int_equal(store_rescale(before.path, 18, NULL), 0); /* 141 still fits in 18 decimals */
    store_close(&before);
    store_close(&after);
}

static void a_grid_of_three_days_begins_with_its_first_candle(void **ctx)
{
    const int64_t day = 1440 * MINUTE, first = 17392 * day;
    struct store_spec spec = { .price_scale = 2 };
    struct store_writer *writer;
    struct store_candle candle = { first, 1, 1, 1, 1, 0 };
    char path[128];

    (void)ctx;
    assert_int_equal(store_id_set(&spec.id, "demo", "A-B", "3d", NULL), 0);
    assert_int_equal(store_path(root, &spec.id, path, sizeof path, NULL), 0);
    assert_int_equal(store_writer_open(path, &spec, &writer, NULL), 0);
    assert_int_equal(store_write_candle(writer, &candle, STORE_UNKNOWN, NULL), 0);
    candle.ts_ms += 2 * day;
    assert_int_equal(store_write_candle(writer, &candle, STORE_UNKNOWN, NULL), -EINVAL);
    candle.ts_ms += day;
    assert_int_equal(store_write_candle(writer, &candle, STORE_UNKNOWN, NULL), 0);
    store_writer_close(writer);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(nothing_can_be_taken_before_its_close),
        ROW(volumes_add_as_decimals_do),
        ROW(a_store_of_minutes_makes_one_of_five),
        ROW(more_decimals_keep_every_candle_and_gap),
        ROW(a_grid_of_three_days_begins_with_its_first_candle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
