/* How wide prices swing. */
#include "strategies/indicators/kernel.h"

static size_t first_is_period(const double *option)
{
    return (size_t)option[0];
}

static size_t first_after_period(const double *option)
{
    return (size_t)option[0] + 1;
}

/* --- deviations: stddev, bollinger, zscore
 * ----------------------------------------------------------- */

/* n sum(x^2) - (sum x)^2 in whole ticks: no rounding, so none of the cancellation that running sums
 * of doubles suffer, and no drift. 5000^2 * 10^30 fits 127 bits. */
struct deviation {
    wide squares;
    int64_t ddof;
    double times; /* bollinger */
    struct ring ring;
};

BLOCK wide square(int64_t x)
{
    return (wide)x * x;
}

BLOCK bool deviation_push(struct deviation *deviation, const struct bar *bar, double *mean,
                          double *spread)
{
    struct ring *ring = &deviation->ring;
    const int64_t n = ring->size;

    const int64_t gone = ring_push(ring, bar->close_ticks);

    deviation->squares += square(bar->close_ticks) - square(gone);
    if (!ring_full(ring))
        return false;
    const wide over = deviation->squares * n - square(ring->sum);

    *mean = (double)ring->sum / (double)n;
    *spread = sqrt(wide_to_double(over) / ((double)n * (double)(n - deviation->ddof)));
    return true;
}

BLOCK void deviation_start(struct deviation *deviation, struct arena *arena, double period,
                           double ddof)
{
    deviation->ddof = (int64_t)ddof;
    ring_init(&deviation->ring, arena, (int64_t)period);
}

#define OPTION_DDOF                                                                                \
    {                                                                                              \
        .name = "ddof", .type = INDICATOR_INT, .def = 0, .min = 0, .max = 1,                       \
        .help = "0: of the population, 1: of a sample"                                             \
    }
static const struct indicator_option stddev_options[] = { OPTION_PERIOD(20, 2, "bars"), OPTION_DDOF,
                                                          OPTION_END };
static const struct indicator_option zscore_options[] = { OPTION_PERIOD(20, 2, "bars"), OPTION_DDOF,
                                                          OPTION_END };
static const struct indicator_option bollinger_options[] = {
    OPTION_PERIOD(20, 2, "bars"),
    OPTION_NUMBER("deviations", 2, 0.01, 100, "distance of the bands"),
    OPTION_DDOF,
    OPTION_END,
};
static const char *const stddev_outputs[] = { "stddev", "variance", NULL };
static const char *const zscore_outputs[] = { "zscore", NULL };
static const char *const bollinger_outputs[] = { "upper",     "middle", "lower",
                                                 "percent_b", "width",  NULL };
#define stddev_first first_is_period
#define stddev_settle first_is_period
#define zscore_first first_is_period
#define zscore_settle first_is_period
#define bollinger_first first_is_period
#define bollinger_settle first_is_period

static size_t stddev_init(void *state, const double *option)
{
    INDICATOR_STATE(struct deviation, deviation, state);
    deviation_start(deviation, &arena, option[0], option[1]);
    return arena.used;
}

#define zscore_init stddev_init

static size_t bollinger_init(void *state, const double *option)
{
    INDICATOR_STATE(struct deviation, deviation, state);
    deviation_start(deviation, &arena, option[0], option[2]);
    deviation->times = option[1];
    return arena.used;
}

BLOCK void stddev_step(struct deviation *deviation, const struct bar *bar, double tick, double *out)
{
    double mean, spread;

    out[0] = deviation_push(deviation, bar, &mean, &spread) ? spread * tick : UNDEFINED;
    out[1] = out[0] * out[0];
}

BLOCK void zscore_step(struct deviation *deviation, const struct bar *bar, double tick, double *out)
{
    double mean, spread;

    (void)tick;
    out[0] = deviation_push(deviation, bar, &mean, &spread) && spread > 0
                 ? ((double)bar->close_ticks - mean) / spread
                 : UNDEFINED;
}

BLOCK void bollinger_step(struct deviation *deviation, const struct bar *bar, double tick,
                          double *out)
{
    double mean, spread;

    out[0] = out[1] = out[2] = out[3] = out[4] = UNDEFINED;
    if (!deviation_push(deviation, bar, &mean, &spread))
        return;
    const double reach = deviation->times * spread;

    out[0] = (mean + reach) * tick;
    out[1] = mean * tick;
    out[2] = (mean - reach) * tick;
    if (reach > 0)
        out[3] = ((double)bar->close_ticks - (mean - reach)) / (2 * reach);
    out[4] = 100 * (2 * reach) / mean;
}

KERNEL(stddev, CLOSES, 2)
KERNEL(zscore, CLOSES, 1)
KERNEL(bollinger, CLOSES, 5)

/* --- atr and natr
 * ------------------------------------------------------------------------------------- */

struct atr {
    struct true_range range;
    struct smooth smooth;
};

static const struct indicator_option atr_options[] = {
    OPTION_PERIOD(14, 1, "bars"),
    OPTION_SEED("Wilder's from the mean of the first n ranges, or pandas' adjusted weights"),
    OPTION_END,
};
static const struct indicator_option natr_options[] = {
    OPTION_PERIOD(14, 2, "bars"),
    OPTION_SEED("Wilder's, or an EMA as pandas_ta 0.3.14b"),
    OPTION_END,
};
static const char *const atr_outputs[] = { "atr", NULL };
static const char *const natr_outputs[] = { "natr", NULL };
#define atr_first first_after_period

static size_t natr_first(const double *option)
{
    return (size_t)option[0] + (option[1] > 0 ? 0 : 1);
}

static size_t atr_settle(const double *option)
{
    return (size_t)option[0] * 10;
}

#define natr_settle atr_settle

static size_t atr_init(void *state, const double *option)
{
    INDICATOR_STATE(struct atr, atr, state);
    rma_start(&atr->smooth, (int64_t)option[0], option[1] > 0 ? SEED_WEIGHTED : SEED_MEAN);
    return arena.used;
}

/* pandas_ta's EMA of a range that misses its first bar: the seed is the mean of n - 1. */
BLOCK void short_ema_start(struct smooth *smooth, int64_t period)
{
    smooth_init(smooth, period - 1, 2.0 / ((double)period + 1.0), SEED_MEAN);
}

static size_t natr_init(void *state, const double *option)
{
    INDICATOR_STATE(struct atr, atr, state);
    if (option[1] > 0)
        short_ema_start(&atr->smooth, (int64_t)option[0]);
    else
        rma_start(&atr->smooth, (int64_t)option[0], SEED_MEAN);
    return arena.used;
}

BLOCK void atr_step(struct atr *atr, const struct bar *bar, double tick, double *out)
{
    int64_t range;

    out[0] = true_range_next(&atr->range, bar, &range)
                 ? smooth_next(&atr->smooth, (double)range * tick)
                 : UNDEFINED;
}

BLOCK void natr_step(struct atr *atr, const struct bar *bar, double tick, double *out)
{
    atr_step(atr, bar, tick, out);
    out[0] = bar->close_ticks == 0 ? 0.0 : out[0] / ((double)bar->close_ticks * tick) * 100.0;
}

static const struct indicator_option true_range_options[] = { OPTION_END };
static const char *const true_range_outputs[] = { "true_range", NULL };

static size_t true_range_first(const double *option)
{
    (void)option;
    return 2;
}

#define true_range_settle true_range_first

static size_t true_range_init(void *state, const double *option)
{
    INDICATOR_STATE(struct true_range, range, state);
    (void)option;
    return arena.used;
}

BLOCK void true_range_step(struct true_range *range, const struct bar *bar, double tick,
                           double *out)
{
    int64_t ticks;

    out[0] = true_range_next(range, bar, &ticks) ? (double)ticks * tick : UNDEFINED;
}

KERNEL(true_range, HIGH_LOW_CLOSE, 1)
KERNEL(atr, HIGH_LOW_CLOSE, 1)
KERNEL(natr, HIGH_LOW_CLOSE, 1)

/* --- keltner
 * ------------------------------------------------------------------------------------------ */

struct keltner {
    double times;
    struct smooth middle;
    struct atr atr;
};

static const struct indicator_option keltner_options[] = {
    OPTION_PERIOD(20, 2, "bars of the middle line"),
    OPTION_BARS("atr_period", 10, 1, "bars of the range; seed=pandas uses period"),
    OPTION_NUMBER("multiplier", 2, 0.01, 100, "ranges to each band"),
    OPTION_SEED("Wilder's ATR, or pandas_ta's EMA of the true range"),
    OPTION_END,
};
static const char *const keltner_outputs[] = { "upper", "middle", "lower", NULL };

static size_t keltner_first(const double *option)
{
    const double atr = option[3] > 0 ? option[0] : option[1] + 1;

    return (size_t)(option[0] > atr ? option[0] : atr);
}

static size_t keltner_settle(const double *option)
{
    return keltner_first(option) * 10;
}

static size_t keltner_init(void *state, const double *option)
{
    INDICATOR_STATE(struct keltner, keltner, state);
    keltner->times = option[2];
    ema_start(&keltner->middle, (int64_t)option[0]);
    if (option[3] > 0)
        short_ema_start(&keltner->atr.smooth, (int64_t)option[0]);
    else
        rma_start(&keltner->atr.smooth, (int64_t)option[1], SEED_MEAN);
    return arena.used;
}

BLOCK void keltner_step(struct keltner *keltner, const struct bar *bar, double tick, double *out)
{
    double range;

    atr_step(&keltner->atr, bar, tick, &range);
    out[1] = smooth_next(&keltner->middle, (double)bar->close_ticks * tick);
    out[0] = out[1] + keltner->times * range;
    out[2] = out[1] - keltner->times * range;
}

KERNEL(keltner, HIGH_LOW_CLOSE, 3)

/* --- donchian
 * ----------------------------------------------------------------------------------------- */

static const struct indicator_option donchian_options[] = { OPTION_PERIOD(20, 1, "bars"),
                                                            OPTION_END };
static const char *const donchian_outputs[] = { "upper", "middle", "lower", NULL };
#define donchian_first first_is_period
#define donchian_settle first_is_period

static size_t donchian_init(void *state, const double *option)
{
    INDICATOR_STATE(struct range, range, state);
    range_init(range, &arena, (int64_t)option[0]);
    return arena.used;
}

BLOCK void donchian_step(struct range *range, const struct bar *bar, double tick, double *out)
{
    int64_t high, low;
    const bool full = range_push(range, bar, &high, &low);

    out[0] = full ? (double)high * tick : UNDEFINED;
    out[1] = full ? (double)(high + low) / 2 * tick : UNDEFINED;
    out[2] = full ? (double)low * tick : UNDEFINED;
}

KERNEL(donchian, HIGH_LOW, 3)

/* --- log_return_stddev
 * -------------------------------------------------------------------------------- */

/* Welford's sums over a sliding window, taken anew each time the window has turned over. */
struct log_returns {
    int64_t bars, close_ticks, ddof;
    double mean, spread;
    struct total window;
};

static const struct indicator_option log_return_stddev_options[] = {
    OPTION_PERIOD(30, 2, "returns"),
    OPTION_CHOICE("of", "sample|population", "divide by n - 1 or by n"),
    OPTION_END,
};
static const char *const log_return_stddev_outputs[] = { "stddev", NULL };
#define log_return_stddev_first first_after_period
#define log_return_stddev_settle first_after_period

static size_t log_return_stddev_init(void *state, const double *option)
{
    INDICATOR_STATE(struct log_returns, returns, state);
    returns->ddof = option[1] > 0 ? 0 : 1;
    total_init(&returns->window, &arena, (int64_t)option[0]);
    return arena.used;
}

BLOCK void log_returns_again(struct log_returns *returns)
{
    const double *data = total_data(&returns->window);

    returns->mean = returns->window.sum / (double)returns->window.size;
    returns->spread = 0;
    for (int64_t i = 0; i < returns->window.size; i++)
        returns->spread += (data[i] - returns->mean) * (data[i] - returns->mean);
}

BLOCK void log_return_stddev_step(struct log_returns *returns, const struct bar *bar, double tick,
                                  double *out)
{
    struct total *window = &returns->window;
    const double before = (double)returns->close_ticks, close = (double)bar->close_ticks;
    const double n = (double)window->size;

    (void)tick;
    returns->close_ticks = bar->close_ticks;
    out[0] = UNDEFINED;
    if (returns->bars++ == 0)
        return;
    const double x = log(close / before), gone = total_data(window)[window->at];

    total_push(window, x);
    if (!total_full(window))
        return;
    if (window->at == 0) {
        log_returns_again(returns);
    } else {
        const double mean = returns->mean + (x - gone) / n;

        returns->spread += (x - gone) * (x - mean + gone - returns->mean);
        returns->mean = mean;
    }
    out[0] = sqrt((returns->spread > 0 ? returns->spread : 0) / (n - (double)returns->ddof));
}

KERNEL(log_return_stddev, CLOSES, 1)

/* --- log_range
 * ---------------------------------------------------------------------------------------- */

static const struct indicator_option log_range_options[] = {
    OPTION_NUMBER("span", 60, 1, 1e6, "bars of the average; need not be whole"),
    OPTION_CHOICE("begin", "zero|first", "the average begins at 0, or at the first range"),
    OPTION_END,
};
static const char *const log_range_outputs[] = { "log_range", NULL };

static size_t first_at_once(const double *option)
{
    (void)option;
    return 1;
}

static size_t log_range_settle(const double *option) /* (1 - 2/(n+1))^(5 n) < 5e-5 */
{
    return (size_t)(option[0] * 5) + 1;
}

#define log_range_first first_at_once

static size_t log_range_init(void *state, const double *option)
{
    INDICATOR_STATE(struct smooth, smooth, state);
    smooth_init(smooth, 1, 2.0 / (option[0] + 1.0), SEED_FIRST);
    smooth->count = option[1] > 0 ? 0 : 1; /* seeded, at 0 */
    return arena.used;
}

BLOCK void log_range_step(struct smooth *smooth, const struct bar *bar, double tick, double *out)
{
    (void)tick;
    out[0] = smooth_next(smooth, log((double)bar->high_ticks / (double)bar->low_ticks));
}

KERNEL(log_range, HIGH_LOW, 1)

const struct indicator indicators_volatility[] = {
    { "bollinger", "bbands bb", "Bollinger bands with %B and width",
      "middle = SMA(n); bands = middle +- deviations * stddev(n); percent_b = (close - "
      "lower)/(upper "
      "- lower), undefined when they meet; width = 100 (upper - lower)/middle. Exact: sums are "
      "whole "
      "ticks, so quiet coins with tiny prices keep their width.",
      "TA-Lib BBANDS; Bollinger 2001", .options = bollinger_options,
      ROW_CODE(bollinger, CLOSES, 5) },
    { "stddev", "stdev std", "standard deviation of the last n closes",
      "sqrt((n sum x^2 - (sum x)^2)/(n (n - ddof))) over whole ticks; variance is its square.",
      "TA-Lib STDDEV, VAR without their cancellation", .options = stddev_options,
      ROW_CODE(stddev, CLOSES, 2) },
    { "zscore", "z", "how many deviations the close is from its mean",
      "(close - SMA(n))/stddev(n); undefined when the deviation is 0.", "definition",
      .options = zscore_options, ROW_CODE(zscore, CLOSES, 1) },
    { "true_range", "trange tr", "true range",
      "max(high - low, |high - c1|, |low - c1|), c1 the close before.", "TA-Lib TRANGE",
      .options = true_range_options, ROW_CODE(true_range, HIGH_LOW_CLOSE, 1) },
    { "atr", "", "average true range",
      "Wilder's average of max(high - low, |high - c1|, |low - c1|), c1 the close before, from the "
      "second bar on. seed=talib: mean of the first n; seed=pandas: weights (1-1/n)^age.",
      "TA-Lib ATR; pandas_ta 0.3.14b", .options = atr_options, ROW_CODE(atr, HIGH_LOW_CLOSE, 1) },
    { "natr", "", "average true range in percent of the close",
      "100 atr/close. seed=pandas: EMA(n) of the range instead, begun with the mean of n - 1.",
      "TA-Lib NATR; pandas_ta 0.3.14b", .options = natr_options,
      ROW_CODE(natr, HIGH_LOW_CLOSE, 1) },
    { "keltner", "kc", "Keltner channel",
      "middle = EMA(period); bands = middle +- multiplier * ATR(atr_period). seed=pandas: "
      "EMA(period) "
      "of the true range instead, begun with the mean of n - 1.",
      "Raschke; pandas_ta 0.3.14b", .options = keltner_options,
      ROW_CODE(keltner, HIGH_LOW_CLOSE, 3) },
    { "donchian", "dc", "Donchian channel",
      "Highest high and lowest low of the last n bars, this one included; middle is their average.",
      "Donchian; TA-Lib MAX, MIN", .options = donchian_options, ROW_CODE(donchian, HIGH_LOW, 3) },
    { "log_return_stddev", "volatility logret_std", "deviation of the last n log returns",
      "Deviation of ln(close/close before) over n returns, of a sample unless of=population.",
      "definition", .options = log_return_stddev_options, ROW_CODE(log_return_stddev, CLOSES, 1) },
    { "log_range", "log_range_volatility", "volatility as the average of ln(high/low)",
      "e += 2/(span+1) (ln(high/low) - e); e begins at 0 (begin=first: at the first range).",
      "Passivbot's log-range EMA", .options = log_range_options, ROW_CODE(log_range, HIGH_LOW, 1) },
    { .name = NULL },
};
