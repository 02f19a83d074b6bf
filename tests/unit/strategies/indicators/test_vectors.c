/* Every indicator against values that TA-Lib, pandas_ta and plain numpy computed
 * (tests/vectors/indicators/README.md), and its two forms against each other. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/attr.h"
#include "lib/csv.h"
#include "strategies/indicators/indicator.h"

#define ROWS 600
#define FOLDER INDICATOR_VECTORS /* from meson */

static struct {
    int64_t ts_ms[ROWS], open[ROWS], high[ROWS], low[ROWS], close[ROWS];
    double volume[ROWS];
    double tick;
} input;

static const struct indicator_columns columns = {
    .ts_ms = input.ts_ms,
    .open_ticks = input.open,
    .high_ticks = input.high,
    .low_ticks = input.low,
    .close_ticks = input.close,
    .volume = input.volume,
};

/* --- which column is what
 * ------------------------------------------------------------------------- */

struct check {
    const char *file, *column, *indicator, *output, *options;
};

static const struct check checks[] = {
    { "talib_trend", "sma_10", "sma", "sma", "period=10" },
    { "talib_trend", "sma_30", "sma", "sma", "period=30" },
    { "talib_trend", "ema_12", "ema", "ema", "period=12" },
    { "talib_trend", "ema_26", "ema", "ema", "period=26" },
    { "talib_trend", "wma_20", "wma", "wma", "period=20" },
    { "talib_trend", "dema_20", "dema", "dema", "period=20" },
    { "talib_trend", "tema_20", "tema", "tema", "period=20" },
    { "talib_trend", "trima_20", "trima", "trima", "period=20" },
    { "talib_trend", "kama_10", "kama", "kama", "period=10" },
    { "talib_trend", "t3_5_0.7", "t3", "t3", "period=5 factor=0.7" },
    { "talib_trend", "sar_0.02_0.2", "sar", "sar", "" },
    { "talib_momentum", "cmo_14", "cmo", "cmo", "period=14" },
    { "talib_momentum", "stochrsi_fastk_14_5_3", "stochrsi", "k", "" },
    { "talib_momentum", "stochrsi_fastd_14_5_3", "stochrsi", "d", "fast_k=5 fast_d=3" },
    { "talib_momentum", "ultosc_7_14_28", "ultimate", "ultimate", "" },
    { "talib_momentum", "ppo_12_26_sma", "ppo", "ppo", "" },
    { "talib_momentum", "trix_15", "trix", "trix", "period=15" },
    { "talib_volatility_volume", "trange", "true_range", "true_range", "" },
    { "talib_volatility_volume", "ad", "ad", "ad", "" },
    { "talib_volatility_volume", "adosc_3_10", "adosc", "adosc", "fast=3 slow=10" },
    { "talib_trend", "macd_12_26_9", "macd", "macd", "" },
    { "talib_trend", "macdsignal_12_26_9", "macd", "signal", "" },
    { "talib_trend", "macdhist_12_26_9", "macd", "histogram", "fast=12 slow=26 signal=9" },
    { "talib_trend", "linearreg_14", "linreg", "value", "period=14" },
    { "talib_trend", "linearreg_slope_14", "linreg", "slope", "period=14" },
    { "talib_trend", "linearreg_intercept_14", "linreg", "intercept", "period=14" },
    { "talib_momentum", "rsi_14", "rsi", "rsi", "period=14" },
    { "talib_momentum", "roc_10", "roc", "roc", "period=10" },
    { "talib_momentum", "mom_10", "momentum", "momentum", "period=10" },
    { "talib_momentum", "willr_14", "williams_r", "williams_r", "period=14" },
    { "talib_momentum", "cci_14", "cci", "cci", "period=14" },
    { "talib_momentum", "cci_20", "cci", "cci", "period=20" },
    { "talib_momentum", "stoch_slowk_5_3_3", "stochastic", "k", "period=5 slow_k=3 slow_d=3" },
    { "talib_momentum", "stoch_slowd_5_3_3", "stochastic", "d", "period=5" },
    { "talib_momentum", "stoch_slowk_14_3_3", "stochastic", "k", "" },
    { "talib_momentum", "stoch_slowd_14_3_3", "stochastic", "d", "" },
    { "talib_momentum", "aroondown_14", "aroon", "down", "period=14" },
    { "talib_momentum", "aroonup_14", "aroon", "up", "period=14" },
    { "talib_momentum", "aroonosc_14", "aroon", "oscillator", "period=14" },
    { "talib_volatility_volume", "bb_upper_20_2", "bollinger", "upper", "" },
    { "talib_volatility_volume", "bb_middle_20_2", "bollinger", "middle", "" },
    { "talib_volatility_volume", "bb_lower_20_2", "bollinger", "lower", "period=20 deviations=2" },
    { "talib_volatility_volume", "stddev_20", "stddev", "stddev", "period=20" },
    { "talib_volatility_volume", "var_20", "stddev", "variance", "period=20" },
    { "talib_volatility_volume", "atr_14", "atr", "atr", "period=14" },
    { "talib_volatility_volume", "atr_20", "atr", "atr", "period=20" },
    { "talib_volatility_volume", "natr_14", "natr", "natr", "period=14" },
    { "talib_volatility_volume", "plus_di_14", "adx", "plus_di", "period=14" },
    { "talib_volatility_volume", "minus_di_14", "adx", "minus_di", "period=14" },
    { "talib_volatility_volume", "dx_14", "adx", "dx", "period=14" },
    { "talib_volatility_volume", "adx_14", "adx", "adx", "period=14" },
    { "talib_volatility_volume", "adxr_14", "adx", "adxr", "period=14" },
    { "talib_volatility_volume", "mfi_14", "mfi", "mfi", "period=14" },
    { "talib_volatility_volume", "obv", "obv", "obv", "" },
    { "talib_volatility_volume", "max_20", "donchian", "upper", "period=20" },
    { "talib_volatility_volume", "min_20", "donchian", "lower", "period=20" },
    { "numpy_bands", "supertrend_pta_20_4", "supertrend", "line", "period=20 multiplier=4" },
    { "numpy_bands", "supertrend_pta_dir_20_4", "supertrend", "direction",
      "period=20 multiplier=4 rules=pandas" },
    { "numpy_bands", "supertrend_tv_20_4", "supertrend", "line",
      "period=20 multiplier=4 rules=tradingview" },
    { "numpy_bands", "supertrend_tv_dir_20_4", "supertrend", "direction",
      "period=20 multiplier=4 rules=tradingview" },
    { "numpy_bands", "supertrend_pta_10_3", "supertrend", "line", "" },
    { "numpy_bands", "supertrend_pta_dir_10_3", "supertrend", "direction", "" },
    { "numpy_bands", "supertrend_tv_10_3", "supertrend", "line", "rules=tradingview" },
    { "numpy_bands", "supertrend_tv_dir_10_3", "supertrend", "direction", "rules=tradingview" },
    { "numpy_bands", "vwap_utcday", "vwap", "vwap", "" },
    { "numpy_bands", "vwap_roll_20", "vwap", "vwap", "period=20" },
    { "numpy_bands", "kc_mid_20_10_2", "keltner", "middle", "" },
    { "numpy_bands", "kc_upper_20_10_2", "keltner", "upper", "" },
    { "numpy_bands", "kc_lower_20_10_2", "keltner", "lower", "atr_period=10 multiplier=2" },
    { "numpy_bands", "donchian_upper_20", "donchian", "upper", "" },
    { "numpy_bands", "donchian_lower_20", "donchian", "lower", "" },
    { "numpy_bands", "donchian_mid_20", "donchian", "middle", "" },
    { "numpy_ichimoku_ha", "ichimoku_tenkan_9", "ichimoku", "tenkan", "" },
    { "numpy_ichimoku_ha", "ichimoku_kijun_26", "ichimoku", "kijun", "" },
    { "numpy_ichimoku_ha", "ichimoku_senkou_a_raw", "ichimoku", "senkou_a_raw", "" },
    { "numpy_ichimoku_ha", "ichimoku_senkou_b_raw_52", "ichimoku", "senkou_b_raw", "" },
    { "numpy_ichimoku_ha", "ichimoku_senkou_a_disp26", "ichimoku", "senkou_a", "" },
    { "numpy_ichimoku_ha", "ichimoku_senkou_b_disp26", "ichimoku", "senkou_b", "" },
    { "numpy_ichimoku_ha", "ha_open", "heikin_ashi", "open", "" },
    { "numpy_ichimoku_ha", "ha_high", "heikin_ashi", "high", "" },
    { "numpy_ichimoku_ha", "ha_low", "heikin_ashi", "low", "" },
    { "numpy_ichimoku_ha", "ha_close", "heikin_ashi", "close", "" },
    { "numpy_kalman_stats", "kalman_x_q0.01_r1", "kalman", "level", "q=0.01 r=1" },
    { "numpy_kalman_stats", "kalman_p_q0.01_r1", "kalman", "variance", "q=0.01 r=1" },
    { "numpy_kalman_stats", "kalman_k_q0.01_r1", "kalman", "gain", "q=0.01 r=1" },
    { "numpy_kalman_stats", "kalman_x_q1e-05_r0.01", "kalman", "level", "q=1e-5 r=0.01" },
    { "numpy_kalman_stats", "kalman_p_q1e-05_r0.01", "kalman", "variance", "q=1e-5 r=0.01" },
    { "numpy_kalman_stats", "kalman_k_q1e-05_r0.01", "kalman", "gain", "q=1e-5 r=0.01" },
    { "numpy_kalman_stats", "stddev_20_exact", "stddev", "stddev", "" },
    { "numpy_kalman_stats", "bb_upper_20_2_exact", "bollinger", "upper", "" },
    { "numpy_kalman_stats", "bb_lower_20_2_exact", "bollinger", "lower", "" },
    { "numpy_kalman_stats", "bbp_20_2", "bollinger", "percent_b", "" },
    { "numpy_kalman_stats", "bb_bandwidth_pct_20_2", "bollinger", "width", "" },
    { "numpy_kalman_stats", "stddev_20_ddof1", "stddev", "stddev", "ddof=1" },
    { "numpy_kalman_stats", "logret_std_30_ddof1", "log_return_stddev", "stddev", "" },
    { "numpy_kalman_stats", "zscore_20", "zscore", "zscore", "" },
    { "pandas_ta_0314b", "RMA_14", "rma", "rma", "seed=pandas" },
    { "pandas_ta_0314b", "RSI_14", "rsi", "rsi", "seed=pandas" },
    { "pandas_ta_0314b", "MACD_12_26_9", "macd", "macd", "seed=pandas" },
    { "pandas_ta_0314b", "MACDs_12_26_9", "macd", "signal", "seed=pandas" },
    { "pandas_ta_0314b", "MACDh_12_26_9", "macd", "histogram", "seed=pandas" },
    { "pandas_ta_0314b", "ATR_14", "atr", "atr", "seed=pandas" },
    { "pandas_ta_0314b", "NATR_14", "natr", "natr", "seed=pandas" },
    { "pandas_ta_0314b", "ADX_14", "adx", "adx", "seed=pandas" },
    { "pandas_ta_0314b", "DMP_14", "adx", "plus_di", "seed=pandas" },
    { "pandas_ta_0314b", "DMN_14", "adx", "minus_di", "seed=pandas" },
    { "pandas_ta_0314b", "STDEV_20", "stddev", "stddev", "ddof=1" },
    { "pandas_ta_0314b", "DEMA_20", "dema", "dema", "seed=pandas" },
    { "pandas_ta_0314b", "TEMA_20", "tema", "tema", "seed=pandas" },
    { "pandas_ta_0314b", "KCLe_20_2.0", "keltner", "lower", "seed=pandas" },
    { "pandas_ta_0314b", "KCBe_20_2.0", "keltner", "middle", "seed=pandas" },
    { "pandas_ta_0314b", "KCUe_20_2.0", "keltner", "upper", "seed=pandas" },
    { "pandas_ta_classic", "RMA_14", "rma", "rma", "" },
    { "pandas_ta_classic", "BBU_20_2.0", "bollinger", "upper", "" },
    { "pandas_ta_classic", "BBB_20_2.0", "bollinger", "width", "" },
    { "pandas_ta_classic", "BBP_20_2.0", "bollinger", "percent_b", "" },
    { "pandas_ta_classic", "STDEV_20", "stddev", "stddev", "" },
    { "pandas_ta_classic", "LINREG_14", "linreg", "value", "" },
    { "pandas_ta_classic", "DEMA_20", "dema", "dema", "" },
    { "pandas_ta_classic", "TEMA_20", "tema", "tema", "" },
};

/* These begin earlier than ours do (README); from our first row on they must be the same. */
static const struct check early[] = {
    { "pandas_ta_0314b", "SUPERT_20_4.0", "supertrend", "line",
      "period=20 multiplier=4 seed=pandas" },
    { "pandas_ta_0314b", "SUPERTd_20_4.0", "supertrend", "direction",
      "period=20 multiplier=4 seed=pandas" },
    { "pandas_ta_0314b", "SUPERT_10_3.0", "supertrend", "line", "seed=pandas" },
    { "pandas_ta_classic", "RSI_14", "rsi", "rsi", "" },
    { "pandas_ta_classic", "ATR_14", "atr", "atr", "" },
    { "pandas_ta_classic", "NATR_14", "natr", "natr", "" },
    { "pandas_ta_classic", "SUPERT_20_4.0", "supertrend", "line", "period=20 multiplier=4" },
};

/* --- reading
 * ---------------------------------------------------------------------------------------- */

static double number(struct flt_csv_field field)
{
    char text[40];

    if (field.size == 0)
        return (double)NAN;
    assert_in_range(field.size, 1, sizeof text - 1);
    memcpy(text, field.text, field.size);
    text[field.size] = '\0';
    return strtod(text, NULL);
}

static int read_input(void **ctx)
{
    struct flt_candles candles;
    struct flt_candle candle[ROWS];
    struct flt_error error = { 0 };
    struct flt_csv *csv;
    int64_t *const ticks[] = { input.open, input.high, input.low, input.close };

    (void)ctx;
    assert_int_equal(flt_csv_open(FOLDER "/input.csv.gz", &csv, &error), 0);
    assert_int_equal(flt_candles_open(&candles, csv, &error), 0);
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(flt_candles_next(&candles, &candle[i], &error), 0);
    assert_int_equal(flt_candles_next(&candles, &candle[0], &error), FLT_CSV_END);
    const struct flt_dec tick = { 1, (int8_t)candles.price_scale };

    input.tick = flt_dec_to_double(tick);
    for (size_t i = 0; i < ROWS; i++) {
        const struct flt_dec values[] = { candle[i].open, candle[i].high, candle[i].low,
                                          candle[i].close };
        for (size_t k = 0; k < 4; k++)
            ticks[k][i] = flt_dec_units(values[k], tick, FLT_ROUND_DOWN);
        input.ts_ms[i] = candle[i].ts_ms;
        input.volume[i] = flt_dec_to_double(candle[i].volume);
    }
    flt_candles_close(&candles);
    return 0;
}

static void read_column(const char *file, const char *column, double *out)
{
    char path[256];
    struct flt_csv_field fields[FLT_CSV_COLUMNS_MAX];
    struct flt_error error = { 0 };
    struct flt_csv *csv;

    snprintf(path, sizeof path, FOLDER "/%s.csv.gz", file);
    assert_int_equal(flt_csv_open(path, &csv, &error), 0);
    const int at = flt_csv_column(csv, column);

    if (at < 0)
        fail_msg("%s has no column %s", file, column);
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(flt_csv_next(csv, fields, &error), 0);
        out[i] = number(fields[at]);
    }
    flt_csv_close(csv);
}

/* --- both forms
 * --------------------------------------------------------------------------------------- */

static void set_options(const struct indicator *row, const char *text, double *option)
{
    struct flt_error error = { 0 };
    char words[128], *save = NULL;

    memset(option, 0, INDICATOR_OPTIONS_MAX * sizeof *option);
    snprintf(words, sizeof words, "%s", text);
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
        if (indicator_option_set(row, option, word, &error) != 0)
            fail_msg("%s %s: %s", row->name, word, error.message);
    if (indicator_options_check(row, option, &error) != 0)
        fail_msg("%s: %s", row->name, error.message);
}

static void run_batch(const struct indicator *row, const double *option, size_t from, size_t count,
                      void *state, double out[][ROWS])
{
    struct indicator_columns in = columns;
    double *to[INDICATOR_OUTPUTS_MAX];

    (void)option;
    in.ts_ms = row->inputs & INDICATOR_TIME ? in.ts_ms + from : NULL;
    in.open_ticks = row->inputs & INDICATOR_OPEN ? in.open_ticks + from : NULL;
    in.high_ticks = row->inputs & INDICATOR_HIGH ? in.high_ticks + from : NULL;
    in.low_ticks = row->inputs & INDICATOR_LOW ? in.low_ticks + from : NULL;
    in.close_ticks = row->inputs & INDICATOR_CLOSE ? in.close_ticks + from : NULL;
    in.volume = row->inputs & INDICATOR_VOLUME ? in.volume + from : NULL;
    for (size_t k = 0; k < row->output_count; k++)
        to[k] = out[k] + from;
    row->run(state, &in, count, input.tick, to);
}

static void *new_state(const struct indicator *row, const double *option)
{
    void *state = malloc(row->init(NULL, option));

    assert_non_null(state);
    assert_int_equal(row->init(state, option), row->init(NULL, option));
    return state;
}

static double batch[INDICATOR_OUTPUTS_MAX][ROWS], stream[INDICATOR_OUTPUTS_MAX][ROWS];

static void compute(const struct indicator *row, const double *option)
{
    void *state = new_state(row, option);

    run_batch(row, option, 0, ROWS, state, batch);
    free(state);
}

static bool is_near(double value, double expected)
{
    return fabs(value - expected) <= 1e-9 * fabs(expected) + 1e-12 * fabs(expected);
}

/* TA-Lib's and numpy's own rounding shows where a difference of prices is small: 1e-12 of a price.
 */
static bool matches(double value, double expected, size_t i)
{
    return isnan(value) == isnan(expected) &&
           (isnan(value) || is_near(value, expected) ||
            fabs(value - expected) <= 1e-12 * (double)input.close[i] * input.tick);
}

static bool check_column(const struct check *check, bool begun)
{
    const struct indicator *row = indicator_find(check->indicator);
    double option[INDICATOR_OPTIONS_MAX], expected[ROWS];

    assert_non_null(row);
    const int at = indicator_output_find(row, check->output);

    if (at < 0)
        fail_msg("%s has no output %s", row->name, check->output);
    set_options(row, check->options, option);
    compute(row, option);
    read_column(check->file, check->column, expected);
    for (size_t i = 0; i < ROWS; i++) {
        begun = begun || !isnan(batch[at][i]);
        if (begun && !matches(batch[at][i], expected[i], i)) {
            print_error("%s %s: %s.%s %s row %zu: %.17g is not %.17g\n", check->file, check->column,
                        row->name, check->output, check->options, i, batch[at][i], expected[i]);
            return false;
        }
    }
    return begun;
}

static void values_are_those_of_the_libraries(void **ctx)
{
    size_t wrong = 0;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(checks); i++)
        wrong += !check_column(&checks[i], true);
    for (size_t i = 0; i < FLT_COUNT(early); i++)
        wrong += !check_column(&early[i], false);
    assert_int_equal(wrong, 0);
}

/* Options beside the defaults that take another path through the code. */
static const char *const variants[][2] = {
    { "rma", "seed=pandas" },
    { "rsi", "seed=pandas flat=neutral" },
    { "macd", "seed=pandas" },
    { "macd", "fast=30 slow=10" },
    { "atr", "seed=pandas" },
    { "natr", "seed=pandas" },
    { "adx", "seed=pandas" },
    { "adx", "period=2" },
    { "dema", "seed=pandas" },
    { "tema", "seed=pandas period=1" },
    { "stochastic", "seed=pandas" },
    { "keltner", "seed=pandas" },
    { "supertrend", "rules=tradingview seed=pandas" },
    { "bollinger", "ddof=1" },
    { "vwap", "period=7" },
    { "mfi", "floor=none period=3" },
    { "log_return_stddev", "of=population period=7" },
    { "log_range", "begin=first span=3.5" },
    { "sma", "period=1" },
    { "donchian", "period=1" },
    { "trima", "period=7" },
    { "ultimate", "short=30 middle=3 long=9" },
    { "adosc", "fast=12 slow=4" },
    { "cci", "period=7" },
    { "ichimoku", "tenkan=3 kijun=2 senkou=5 displacement=1" },
};

static struct bar bar_at(size_t i)
{
    return (struct bar){ input.ts_ms[i], input.open[i],  input.high[i],
                         input.low[i],   input.close[i], input.volume[i] };
}

/* Streams, moving the state to other memory at each step: bytes are all there is to it. */
static void stream_moving(const struct indicator *row, const double *option)
{
    const size_t size = row->init(NULL, option);
    void *state = new_state(row, option);

    for (size_t i = 0; i < ROWS; i++) {
        const struct bar bar = bar_at(i);
        double values[INDICATOR_OUTPUTS_MAX];
        void *moved = malloc(size);

        assert_non_null(moved);
        memcpy(moved, state, size);
        memset(state, 0xa5, size);
        free(state);
        state = moved;
        row->update(state, &bar, input.tick, values);
        for (size_t k = 0; k < row->output_count; k++)
            stream[k][i] = values[k];
    }
    free(state);
}

static void agree(const struct indicator *row, const char *options)
{
    double option[INDICATOR_OPTIONS_MAX];

    set_options(row, options, option);
    compute(row, option);
    stream_moving(row, option);
    for (size_t k = 0; k < row->output_count; k++)
        if (memcmp(batch[k], stream[k], sizeof batch[k]) != 0)
            fail_msg("%s %s: output %s differs", row->name, options, row->outputs[k]);
    void *state = new_state(row, option); /* in two pieces, the second going on from the first */

    run_batch(row, option, 0, 251, state, stream);
    run_batch(row, option, 251, ROWS - 251, state, stream);
    free(state);
    for (size_t k = 0; k < row->output_count; k++)
        assert_memory_equal(batch[k], stream[k], sizeof batch[k]);
}

static void batch_and_streaming_agree_bit_for_bit(void **ctx)
{
    const struct indicator *row;

    (void)ctx;
    for (size_t i = 0; (row = indicator_at(i)); i++)
        agree(row, "");
    for (size_t i = 0; i < FLT_COUNT(checks); i++)
        agree(indicator_find(checks[i].indicator), checks[i].options);
    for (size_t i = 0; i < FLT_COUNT(variants); i++)
        agree(indicator_find(variants[i][0]), variants[i][1]);
}

/* --- markets that never were
 * ------------------------------------------------------------------------ */

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* Jumps, stretches in which nothing moves, and bars without volume. */
static void invent_market(uint64_t *seed)
{
    int64_t price = 1 + (int64_t)(next_random(seed) % 100000000);

    for (size_t i = 0; i < ROWS; i++) {
        const bool still = next_random(seed) % 8 < 3 || i % 100 > 60;
        const int64_t reach = price / 50 + 2, open = price;

        if (!still)
            price += (int64_t)(next_random(seed) % (uint64_t)(2 * reach)) - reach + 1;
        price = price < 3 ? 3 : price;
        const int64_t wick = still ? 0 : (int64_t)(next_random(seed) % 3);
        const int64_t top = price > open ? price : open, bottom = price < open ? price : open;

        input.open[i] = open;
        input.close[i] = price;
        input.high[i] = top + wick;
        input.low[i] = bottom - (bottom > wick ? wick : 0);
        input.volume[i] = still ? 0 : (double)(next_random(seed) % 100000) / 7;
    }
}

static void invent_options(const struct indicator *row, double *option, uint64_t *seed)
{
    struct flt_error error = { 0 };

    memset(option, 0, INDICATOR_OPTIONS_MAX * sizeof *option);
    for (size_t i = 0; row->options[i].name; i++) {
        const struct indicator_option *o = &row->options[i];

        if (o->type == INDICATOR_CHOICE)
            option[i] = (double)(next_random(seed) % 2);
        else if (o->type == INDICATOR_INT)
            option[i] = fmin(o->max, o->min + (double)(next_random(seed) % 40));
        else
            option[i] = fmin(o->max, o->min + (double)(next_random(seed) % 1000) / 100);
    }
    assert_int_equal(indicator_options_check(row, option, &error), 0);
}

static void agree_with(const struct indicator *row, const double *option)
{
    compute(row, option);
    stream_moving(row, option);
    for (size_t k = 0; k < row->output_count; k++)
        assert_memory_equal(batch[k], stream[k], sizeof batch[k]);
}

/* Nothing ever becomes infinite: the bounds that people rely on hold in odd markets too. */
static void check_values(const struct indicator *row)
{
    for (size_t k = 0; k < row->output_count; k++)
        for (size_t i = 0; i < ROWS; i++)
            if (isinf(batch[k][i]))
                fail_msg("%s.%s is infinite at row %zu", row->name, row->outputs[k], i);
}

static void both_forms_agree_on_invented_markets_with_any_options(void **ctx)
{
    double option[INDICATOR_OPTIONS_MAX];
    const struct indicator *row;
    uint64_t seed = 20260301;

    (void)ctx;
    for (int round = 0; round < 10; round++) {
        invent_market(&seed);
        for (size_t i = 0; (row = indicator_at(i)); i++) {
            invent_options(row, option, &seed);
            agree_with(row, option);
            check_values(row);
        }
    }
    read_input(NULL);
}

static void all_outputs_come_first_when_the_row_says(const struct indicator *row,
                                                     const char *options)
{
    double option[INDICATOR_OPTIONS_MAX];

    set_options(row, options, option);
    const size_t first = row->first(option);
    bool all = true, before = true;

    compute(row, option);
    for (size_t k = 0; k < row->output_count; k++) {
        all = all && !isnan(batch[k][first - 1]);
        before = before && first > 1 && !isnan(batch[k][first - 2]);
    }
    if (!all || before)
        fail_msg("%s %s: not first at bar %zu", row->name, options, first);
    assert_true(row->settle(option) + 1 >= first);
}

static void warm_up_is_what_the_row_says(void **ctx)
{
    const struct indicator *row;

    (void)ctx;
    for (size_t i = 0; (row = indicator_at(i)); i++)
        all_outputs_come_first_when_the_row_says(row, "");
    for (size_t i = 0; i < FLT_COUNT(checks); i++)
        all_outputs_come_first_when_the_row_says(indicator_find(checks[i].indicator),
                                                 checks[i].options);
    for (size_t i = 0; i < FLT_COUNT(variants); i++)
        all_outputs_come_first_when_the_row_says(indicator_find(variants[i][0]), variants[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_the_libraries),
        cmocka_unit_test(batch_and_streaming_agree_bit_for_bit),
        cmocka_unit_test(warm_up_is_what_the_row_says),
        cmocka_unit_test(both_forms_agree_on_invented_markets_with_any_options),
    };

    return cmocka_run_group_tests(tests, read_input, NULL);
}
