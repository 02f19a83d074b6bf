#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "strategies/indicators/indicator.h"

static void run(const char *name, int64_t period, const int64_t *closes, size_t count, double *out)
{
    const struct indicator *row = indicator_find(name);
    struct bar bars[512] = { 0 };

    assert_non_null(row);
    void *state = malloc(row->state_size(period));
    row->init(state, period);
    for (size_t i = 0; i < count; i++)
        bars[i].close_ticks = closes[i];
    indicator_run(row, state, bars, count, 0.5, out);
    free(state);
}

static void near(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-12))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void sma_is_the_mean_of_the_last_n(void **ctx)
{
    const int64_t closes[] = { 2, 4, 6, 8, 20 };
    double out[5];

    (void)ctx;
    run("sma", 3, closes, 5, out);
    assert_true(isnan(out[1]));
    near(out[2], 2);
    near(out[3], 3);
    near(out[4], 34.0 / 6);
}

static void ema_and_rma_begin_with_a_mean(void **ctx)
{
    const int64_t closes[] = { 2, 4, 6, 12, 4 };
    double out[5];

    (void)ctx;
    run("ema", 3, closes, 5, out); /* k = 1/2 */
    assert_true(isnan(out[1]));
    near(out[2], 2);
    near(out[3], 4);
    near(out[4], 3);
    run("rma", 3, closes, 5, out); /* k = 1/3 */
    near(out[3], 2 + 4.0 / 3);
}

/* Changes +1 -1 +2: gain 1, loss 1/3, so 75; then -1: gain 2/3, loss 5/9, so 600/11. */
static void rsi_is_wilders(void **ctx)
{
    const int64_t closes[] = { 20, 22, 20, 24, 22 };
    double out[5];

    (void)ctx;
    run("rsi", 3, closes, 5, out);
    assert_true(isnan(out[2]));
    near(out[3], 75);
    near(out[4], 600.0 / 11);
}

static void a_market_that_never_moved_is_neutral(void **ctx)
{
    const int64_t closes[] = { 20, 20, 20, 20 };
    double out[4];

    (void)ctx;
    run("rsi", 3, closes, 4, out);
    near(out[3], 50);
}

static void the_first_value_comes_when_the_row_says(void **ctx)
{
    static const char *const names[] = { "sma", "ema", "rma", "rsi" };
    int64_t closes[512];
    double out[512];

    (void)ctx;
    for (int64_t i = 0; i < 512; i++)
        closes[i] = 1000 + i * i % 97;
    for (int n = 0; n < 4; n++) {
        const size_t first = indicator_find(names[n])->first(14);

        run(names[n], 14, closes, 512, out);
        assert_true(isnan(out[first - 2]));
        assert_true(!isnan(out[first - 1]));
        assert_true(indicator_find(names[n])->settle(14) >= first - 1);
    }
    assert_null(indicator_find("nothing"));
}

static void streaming_and_batch_agree_bit_for_bit(void **ctx)
{
    const struct indicator *row = indicator_find("rsi");
    struct bar bars[300] = { 0 };
    double out[300];
    void *batch = malloc(row->state_size(14));
    void *stream = malloc(row->state_size(14));

    (void)ctx;
    for (int i = 0; i < 300; i++)
        bars[i].close_ticks = 60000 + (i * 7919) % 1009;
    row->init(batch, 14);
    row->init(stream, 14);
    indicator_run(row, batch, bars, 300, 0.01, out);
    for (int i = 0; i < 300; i++) {
        const double value = row->update(stream, &bars[i], 0.01);
        assert_memory_equal(&value, &out[i], sizeof value);
    }
    free(batch);
    free(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sma_is_the_mean_of_the_last_n),
        cmocka_unit_test(ema_and_rma_begin_with_a_mean),
        cmocka_unit_test(rsi_is_wilders),
        cmocka_unit_test(a_market_that_never_moved_is_neutral),
        cmocka_unit_test(the_first_value_comes_when_the_row_says),
        cmocka_unit_test(streaming_and_batch_agree_bit_for_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
