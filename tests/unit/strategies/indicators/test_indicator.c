#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/attr.h"
#include "strategies/indicators/indicator.h"

#define BARS_MAX 4096

static void fill(const struct indicator *row, const char *const *options, double *option)
{
    struct flt_error error = { 0 };

    memset(option, 0, INDICATOR_OPTIONS_MAX * sizeof *option);
    for (; *options; options++)
        assert_int_equal(indicator_option_set(row, option, *options, &error), 0);
    assert_int_equal(indicator_options_check(row, option, &error), 0);
}

/* The first output over bars; `option` is one word or NULL. */
static void run_bars(const char *name, const char *option_text, const struct bar *bars,
                     size_t count, double *out)
{
    const struct indicator *row = indicator_find(name);
    const char *const options[] = { option_text, NULL };
    double option[INDICATOR_OPTIONS_MAX], values[INDICATOR_OUTPUTS_MAX];

    assert_non_null(row);
    fill(row, options, option);
    void *state = malloc(row->init(NULL, option));

    assert_non_null(state);
    row->init(state, option);
    for (size_t i = 0; i < count; i++) {
        row->update(state, &bars[i], 0.5, values);
        out[i] = values[0];
    }
    free(state);
}

static void run(const char *name, const char *option, const int64_t *closes, size_t count,
                double *out)
{
    struct bar bars[16] = { 0 };

    assert_in_range(count, 1, FLT_COUNT(bars));
    for (size_t i = 0; i < count; i++)
        bars[i] = (struct bar){ (int64_t)i * 60000, closes[i], closes[i] + 1,
                                closes[i] - 1,      closes[i], 1 };
    run_bars(name, option, bars, count, out);
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
    run("sma", "period=3", closes, 5, out);
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
    run("ema", "period=3", closes, 5, out); /* k = 1/2 */
    assert_true(isnan(out[1]));
    near(out[2], 2);
    near(out[3], 4);
    near(out[4], 3);
    run("rma", "period=3", closes, 5, out); /* k = 1/3 */
    near(out[3], 2 + 4.0 / 3);
}

/* Changes +1 -1 +2: gain 1, loss 1/3, so 75; then -1: gain 2/3, loss 5/9, so 600/11. */
static void rsi_is_wilders(void **ctx)
{
    const int64_t closes[] = { 20, 22, 20, 24, 22 };
    double out[5];

    (void)ctx;
    run("rsi", "period=3", closes, 5, out);
    assert_true(isnan(out[2]));
    near(out[3], 75);
    near(out[4], 600.0 / 11);
}

static void a_market_that_never_moved_is_0_or_neutral(void **ctx)
{
    const int64_t closes[] = { 20, 20, 20, 20 };
    struct bar bars[40];
    double out[40];

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(bars); i++)
        bars[i] = (struct bar){ 0, closes[0], closes[0], closes[0], closes[0], 0 };
    run_bars("rsi", NULL, bars, 40, out);
    near(out[39], 0);
    run_bars("rsi", "flat=neutral", bars, 40, out);
    near(out[39], 50);
    run_bars("stochastic", NULL, bars, 40, out);
    near(out[39], 0);
    run_bars("cci", NULL, bars, 40, out);
    near(out[39], 0);
    run_bars("adx", NULL, bars, 40, out);
    near(out[39], 0);
    run_bars("zscore", NULL, bars, 40, out);
    assert_true(isnan(out[39])); /* nothing by nothing is not 0 */
    run_bars("vwap", "period=5", bars, 40, out);
    assert_true(isnan(out[39]));
}

/* TA-Lib's running sums give 0 here: the prices squared hide what they differ by. */
static void a_quiet_coin_with_a_tiny_price_keeps_its_deviation(void **ctx)
{
    const int64_t closes[] = { 900000000000000, 900000000000001, 900000000000002 };
    double out[3];

    (void)ctx;
    run("stddev", "period=3", closes, 3, out);
    near(out[2], sqrt(2.0 / 3) * 0.5);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

static void walk(struct bar *bars, size_t count, uint64_t seed)
{
    int64_t price = 100000;

    for (size_t i = 0; i < count; i++) {
        const int64_t open = price;

        price += (int64_t)(next_random(&seed) % 21) - 10;
        const int64_t top = price > open ? price : open, bottom = price < open ? price : open;

        bars[i] = (struct bar){ (int64_t)i * 60000,
                                open,
                                top + (int64_t)(next_random(&seed) % 5),
                                bottom - (int64_t)(next_random(&seed) % 5),
                                price,
                                (double)(next_random(&seed) % 1000) / 8 };
    }
}

/* Looks at each whole window anew. */
static void slow_extremes(const struct bar *bars, size_t i, size_t n, int64_t *high, int64_t *low)
{
    *high = bars[i].high_ticks;
    *low = bars[i].low_ticks;
    for (size_t k = i + 1 - n; k < i; k++) {
        *high = bars[k].high_ticks > *high ? bars[k].high_ticks : *high;
        *low = bars[k].low_ticks < *low ? bars[k].low_ticks : *low;
    }
}

static void sliding_windows_equal_whole_ones_after_a_long_run(void **ctx)
{
    static struct bar bars[BARS_MAX];
    static double high_line[BARS_MAX], sma[BARS_MAX], wma[BARS_MAX], deviation[BARS_MAX];
    enum { N = 37 };

    (void)ctx;
    walk(bars, BARS_MAX, 7);
    run_bars("donchian", "period=37", bars, BARS_MAX, high_line);
    run_bars("sma", "period=37", bars, BARS_MAX, sma);
    run_bars("wma", "period=37", bars, BARS_MAX, wma);
    run_bars("stddev", "period=37", bars, BARS_MAX, deviation);
    for (size_t i = N - 1; i < BARS_MAX; i++) {
        int64_t high, low, sum = 0, weighted = 0;
        double squares = 0;

        slow_extremes(bars, i, N, &high, &low);
        near(high_line[i], (double)high * 0.5);
        for (size_t k = 0; k < N; k++) {
            sum += bars[i - k].close_ticks;
            weighted += bars[i - k].close_ticks * (int64_t)(N - k);
        }
        near(sma[i], (double)sum / N * 0.5);
        near(wma[i], (double)weighted / (N * (N + 1) / 2) * 0.5);
        for (size_t k = 0; k < N; k++) {
            const double away = (double)bars[i - k].close_ticks - (double)sum / N;

            squares += away * away;
        }
        assert_true(fabs(deviation[i] - sqrt(squares / N) * 0.5) < 1e-10);
    }
}

/* On a straight line the trend filter finds the line, and the level filter lags behind. */
static void a_trend_filter_follows_a_straight_line(void **ctx)
{
    static struct bar bars[BARS_MAX];
    static double level[BARS_MAX], trend[BARS_MAX];

    (void)ctx;
    for (size_t i = 0; i < BARS_MAX; i++)
        bars[i].close_ticks = 1000 + 4 * (int64_t)i;
    run_bars("kalman", NULL, bars, BARS_MAX, level);
    run_bars("kalman_trend", NULL, bars, BARS_MAX, trend);
    const double last = (double)bars[BARS_MAX - 1].close_ticks * 0.5;

    assert_true(fabs(trend[BARS_MAX - 1] - last) < 1e-6);
    assert_true(last - level[BARS_MAX - 1] > 10); /* slope / gain */
}

static void log_range_begins_at_nothing_or_at_the_first(void **ctx)
{
    const struct bar bars[] = { { 0, 100, 110, 100, 100, 1 }, { 0, 100, 120, 100, 100, 1 } };
    double out[2];

    (void)ctx;
    run_bars("log_range", "span=3", bars, 2, out); /* k = 1/2 */
    near(out[0], log(1.1) / 2);
    near(out[1], (log(1.1) / 2 + log(1.2)) / 2);
    run_bars("log_range", "begin=first", bars, 2, out);
    near(out[0], log(1.1));
}

static void options_are_checked(void **ctx)
{
    static const char *const wrong[][2] = {
        { "sma", "period=0.5" },  { "sma", "period=1.5" },   { "sma", "period=-3" },
        { "sma", "period=5001" }, { "sma", "period=nan" },   { "sma", "period=" },
        { "sma", "period=3x" },   { "sma", "period" },       { "sma", "=3" },
        { "sma", "seed=talib" },  { "rsi", "seed=wilder" },  { "rsi", "seed=" },
        { "obv", "period=3" },    { "bollinger", "ddof=2" }, { "kalman", "q=-1" },
        { "rsi", "seed=talib|" }, { "cci", "period=1" },
    };
    struct flt_error error;
    double option[INDICATOR_OPTIONS_MAX] = { 0 };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(wrong); i++) {
        error = (struct flt_error){ 0 };
        if (indicator_option_set(indicator_find(wrong[i][0]), option, wrong[i][1], &error) !=
                -EINVAL ||
            !error.message[0])
            fail_msg("%s %s was taken", wrong[i][0], wrong[i][1]);
    }
    assert_int_equal(indicator_option_set(indicator_find("sma"), option, "length=7", &error), 0);
    near(option[0], 7);
    option[1] = 1; /* sma has one option only */
    assert_int_equal(indicator_options_check(indicator_find("sma"), option, &error), -EINVAL);
}

static void check_row(const struct indicator *row)
{
    size_t count = 0;

    assert_ptr_equal(indicator_find(row->name), row);
    for (; row->options[count].name; count++) {
        const struct indicator_option *option = &row->options[count];

        if (option->type == INDICATOR_CHOICE)
            assert_non_null(strchr(option->choices, '|'));
        else
            assert_true(option->def >= option->min && option->def <= option->max);
        if (option->def > 0) /* 0 stands for the default, so it must not mean anything else */
            assert_true(option->min > 0);
    }
    assert_true(count <= INDICATOR_OPTIONS_MAX);
    assert_in_range(row->output_count, 1, INDICATOR_OUTPUTS_MAX);
    for (size_t k = 0; k < row->output_count; k++)
        assert_int_equal(indicator_output_find(row, row->outputs[k]), (int)k);
    assert_null(row->outputs[row->output_count]);
    assert_true(row->inputs != 0 && row->help[0] && row->formula[0] && row->source[0]);
}

static void the_table_is_sound(void **ctx)
{
    const struct indicator *row;
    size_t count = 0;

    (void)ctx;
    for (; (row = indicator_at(count)); count++)
        check_row(row);
    assert_true(count >= 30);
    assert_ptr_equal(indicator_find("bbands"), indicator_find("bollinger"));
    assert_null(indicator_find("nothing"));
    assert_null(indicator_find(""));
    assert_string_equal(indicator_nearest("bolinger"), "bollinger");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sma_is_the_mean_of_the_last_n),
        cmocka_unit_test(ema_and_rma_begin_with_a_mean),
        cmocka_unit_test(rsi_is_wilders),
        cmocka_unit_test(a_market_that_never_moved_is_0_or_neutral),
        cmocka_unit_test(a_quiet_coin_with_a_tiny_price_keeps_its_deviation),
        cmocka_unit_test(sliding_windows_equal_whole_ones_after_a_long_run),
        cmocka_unit_test(a_trend_filter_follows_a_straight_line),
        cmocka_unit_test(log_range_begins_at_nothing_or_at_the_first),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(the_table_is_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
