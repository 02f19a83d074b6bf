/* How fast and how far prices went. */
#include "strategies/indicators/kernel.h"

static size_t first_is_period(const double *option)
{
    return (size_t)option[0];
}

static size_t first_after_period(const double *option) /* differences need one bar more */
{
    return (size_t)option[0] + 1;
}

static size_t settles_in_ten(const double *option)
{
    return (size_t)option[0] * 10;
}

/* --- rsi
 * ------------------------------------------------------------------------------------------ */

struct rsi {
    int64_t bars, close_ticks;
    bool neutral;
    struct smooth gain, loss;
};

static const struct indicator_option rsi_options[] = {
    OPTION_PERIOD(14, 1, "bars"),
    OPTION_SEED("averages from the mean of the first changes, or pandas' adjusted weights"),
    OPTION_CHOICE("flat", "talib|neutral", "a market that did not move is 0, or 50"),
    OPTION_END,
};
static const char *const rsi_outputs[] = { "rsi", NULL };
#define rsi_first first_after_period
#define rsi_settle settles_in_ten

static size_t rsi_init(void *state, const double *option)
{
    const enum smooth_seed seed = option[1] > 0 ? SEED_WEIGHTED : SEED_MEAN;
    INDICATOR_STATE(struct rsi, rsi, state);

    rsi->neutral = option[2] > 0;
    rma_start(&rsi->gain, (int64_t)option[0], seed);
    rma_start(&rsi->loss, (int64_t)option[0], seed);
    return arena.used;
}

BLOCK void rsi_step(struct rsi *rsi, const struct bar *bar, double tick, double *out)
{
    const int64_t change = bar->close_ticks - rsi->close_ticks;

    rsi->close_ticks = bar->close_ticks;
    out[0] = UNDEFINED;
    if (rsi->bars++ == 0)
        return;
    const double gain = smooth_next(&rsi->gain, (double)(change > 0 ? change : 0) * tick);
    const double loss = smooth_next(&rsi->loss, (double)(change < 0 ? -change : 0) * tick);

    if (isnan(gain))
        return;
    out[0] = IS_ZERO(gain + loss) ? rsi->neutral ? 50.0 : 0.0 : 100.0 * (gain / (gain + loss));
}

KERNEL(rsi, CLOSES, 1)

/* --- macd
 * ----------------------------------------------------------------------------------------- */

struct macd {
    int64_t bars, fast_from, slow_from;
    bool early; /* the line is shown before its signal exists */
    struct smooth fast, slow, signal;
};

static const struct indicator_option macd_options[] = {
    OPTION_BARS("fast", 12, 1, "bars of the fast average"),
    OPTION_BARS("slow", 26, 1, "bars of the slow average"),
    OPTION_BARS("signal", 9, 1, "bars of the signal line"),
    OPTION_SEED("both averages begin on the slow one's first bar, or each on its own"),
    OPTION_END,
};
static const char *const macd_outputs[] = { "macd", "signal", "histogram", NULL };

static int64_t larger(double a, double b)
{
    return (int64_t)(a > b ? a : b);
}

static size_t macd_first(const double *option)
{
    return (size_t)larger(option[0], option[1]) + (size_t)option[2] - 1;
}

static size_t macd_settle(const double *option)
{
    return (size_t)larger(option[0], option[1]) * 10 + (size_t)option[2] * 10;
}

static size_t macd_init(void *state, const double *option)
{
    const int64_t fast = (int64_t)option[0], slow = (int64_t)option[1];
    INDICATOR_STATE(struct macd, macd, state);

    ema_start(&macd->fast, fast);
    ema_start(&macd->slow, slow);
    ema_start(&macd->signal, (int64_t)option[2]);
    macd->early = option[3] > 0;
    macd->fast_from = macd->early ? 0 : larger(option[0], option[1]) - fast;
    macd->slow_from = macd->early ? 0 : larger(option[0], option[1]) - slow;
    return arena.used;
}

BLOCK void macd_step(struct macd *macd, const struct bar *bar, double tick, double *out)
{
    const double close = (double)bar->close_ticks * tick;
    const int64_t at = macd->bars++;
    const double fast = at < macd->fast_from ? UNDEFINED : smooth_next(&macd->fast, close);
    const double slow = at < macd->slow_from ? UNDEFINED : smooth_next(&macd->slow, close);
    const double line = fast - slow;
    const double signal = isnan(line) ? UNDEFINED : smooth_next(&macd->signal, line);

    out[0] = isnan(signal) && !macd->early ? UNDEFINED : line;
    out[1] = signal;
    out[2] = line - signal;
}

KERNEL(macd, CLOSES, 3)

/* --- roc and momentum
 * -------------------------------------------------------------------------------- */

static const struct indicator_option roc_options[] = { OPTION_PERIOD(10, 1, "bars back"),
                                                       OPTION_END };
static const struct indicator_option momentum_options[] = { OPTION_PERIOD(10, 1, "bars back"),
                                                            OPTION_END };
static const char *const roc_outputs[] = { "roc", NULL };
static const char *const momentum_outputs[] = { "momentum", NULL };
#define roc_first first_after_period
#define roc_settle first_after_period
#define momentum_first first_after_period
#define momentum_settle first_after_period

static size_t roc_init(void *state, const double *option)
{
    INDICATOR_STATE(struct ring, ring, state);
    ring_init(ring, &arena, (int64_t)option[0]);
    return arena.used;
}

#define momentum_init roc_init

BLOCK void roc_step(struct ring *ring, const struct bar *bar, double tick, double *out)
{
    const bool full = ring_full(ring);
    const int64_t before = ring_push(ring, bar->close_ticks);

    (void)tick;
    if (!full)
        out[0] = UNDEFINED;
    else
        out[0] = before == 0 ? 0.0 : (double)(bar->close_ticks - before) / (double)before * 100.0;
}

BLOCK void momentum_step(struct ring *ring, const struct bar *bar, double tick, double *out)
{
    const bool full = ring_full(ring);
    const int64_t before = ring_push(ring, bar->close_ticks);

    out[0] = full ? (double)(bar->close_ticks - before) * tick : UNDEFINED;
}

KERNEL(roc, CLOSES, 1)
KERNEL(momentum, CLOSES, 1)

/* --- williams_r
 * --------------------------------------------------------------------------------------- */

static const struct indicator_option williams_r_options[] = { OPTION_PERIOD(14, 1, "bars"),
                                                              OPTION_END };
static const char *const williams_r_outputs[] = { "williams_r", NULL };
#define williams_r_first first_is_period
#define williams_r_settle first_is_period

static size_t williams_r_init(void *state, const double *option)
{
    INDICATOR_STATE(struct range, range, state);
    range_init(range, &arena, (int64_t)option[0]);
    return arena.used;
}

BLOCK void williams_r_step(struct range *range, const struct bar *bar, double tick, double *out)
{
    int64_t high, low;
    const bool full = range_push(range, bar, &high, &low);

    (void)tick;
    if (!full)
        out[0] = UNDEFINED;
    else
        out[0] =
            high == low ? 0.0 : (double)(high - bar->close_ticks) / (double)(high - low) * -100.0;
}

KERNEL(williams_r, HIGH_LOW_CLOSE, 1)

/* --- stochastic
 * --------------------------------------------------------------------------------------- */

struct stochastic {
    bool early;
    struct range range;
    struct total slow_k, slow_d;
};

static const struct indicator_option stochastic_options[] = {
    OPTION_PERIOD(14, 1, "bars of the range"),
    OPTION_BARS("slow_k", 3, 1, "bars that smooth %K; 1: the fast stochastic"),
    OPTION_BARS("slow_d", 3, 1, "bars of %D"),
    OPTION_SEED("%K shown once %D exists, or from its own first bar"),
    OPTION_END,
};
static const char *const stochastic_outputs[] = { "k", "d", NULL };

static size_t stochastic_first(const double *option)
{
    return (size_t)option[0] + (size_t)option[1] + (size_t)option[2] - 2;
}

#define stochastic_settle stochastic_first

static size_t stochastic_init(void *state, const double *option)
{
    INDICATOR_STATE(struct stochastic, stochastic, state);
    stochastic->early = option[3] > 0;
    range_init(&stochastic->range, &arena, (int64_t)option[0]);
    total_init(&stochastic->slow_k, &arena, (int64_t)option[1]);
    total_init(&stochastic->slow_d, &arena, (int64_t)option[2]);
    return arena.used;
}

BLOCK void stochastic_step(struct stochastic *s, const struct bar *bar, double tick, double *out)
{
    int64_t high, low;

    (void)tick;
    out[0] = out[1] = UNDEFINED;
    if (!range_push(&s->range, bar, &high, &low))
        return;
    const double fast =
        high == low ? 0.0 : (double)(bar->close_ticks - low) / (double)(high - low) * 100;
    const double k = total_push(&s->slow_k, fast) / (double)s->slow_k.size;

    if (!total_full(&s->slow_k))
        return;
    const double d = total_push(&s->slow_d, k) / (double)s->slow_d.size;

    if (total_full(&s->slow_d))
        out[1] = d;
    if (total_full(&s->slow_d) || s->early)
        out[0] = k;
}

KERNEL(stochastic, HIGH_LOW_CLOSE, 2)

/* --- cci
 * ---------------------------------------------------------------------------------------------- */

static const struct indicator_option cci_options[] = { OPTION_PERIOD(14, 2, "bars"), OPTION_END };
static const char *const cci_outputs[] = { "cci", NULL };
#define cci_first first_is_period
#define cci_settle first_is_period
#define cci_init roc_init

/* The mean deviation has no running form: each bar looks at its whole window. */
BLOCK double mean_deviation(struct ring *ring, double mean)
{
    const int64_t *data = ring_data(ring);
    double sum[2] = { 0, 0 };

    for (int64_t i = 0; i + 1 < ring->size; i += 2) {
        sum[0] += fabs((double)data[i] - mean);
        sum[1] += fabs((double)data[i + 1] - mean);
    }
    if (ring->size % 2)
        sum[0] += fabs((double)data[ring->size - 1] - mean);
    return (sum[0] + sum[1]) / (double)ring->size;
}

BLOCK void cci_step(struct ring *ring, const struct bar *bar, double tick, double *out)
{
    const int64_t typical = bar->high_ticks + bar->low_ticks + bar->close_ticks; /* times 3 */

    (void)tick;
    ring_push(ring, typical);
    out[0] = UNDEFINED;
    if (!ring_full(ring))
        return;
    const double mean = (double)ring->sum / (double)ring->size;
    const double deviation = mean_deviation(ring, mean);
    const double away = (double)typical - mean;

    out[0] = away < 0 || away > 0 ? away / (0.015 * deviation) : 0.0;
}

KERNEL(cci, HIGH_LOW_CLOSE, 1)

/* --- aroon
 * -------------------------------------------------------------------------------------------- */

static const struct indicator_option aroon_options[] = { OPTION_PERIOD(14, 1, "bars back"),
                                                         OPTION_END };
static const char *const aroon_outputs[] = { "up", "down", "oscillator", NULL };
#define aroon_first first_after_period
#define aroon_settle first_after_period

static size_t aroon_init(void *state, const double *option)
{
    INDICATOR_STATE(struct range, range, state);
    range_init(range, &arena, (int64_t)option[0] + 1);
    return arena.used;
}

BLOCK void aroon_step(struct range *range, const struct bar *bar, double tick, double *out)
{
    int64_t high, low;
    const bool full = range_push(range, bar, &high, &low);
    const int64_t n = range->high.size - 1;

    (void)tick;
    out[0] = full ? 100.0 * (double)(n - extreme_age(&range->high)) / (double)n : UNDEFINED;
    out[1] = full ? 100.0 * (double)(n - extreme_age(&range->low)) / (double)n : UNDEFINED;
    out[2] = out[0] - out[1];
}

KERNEL(aroon, HIGH_LOW, 3)

const struct indicator indicators_momentum[] = {
    { "rsi", "", "Wilder's relative strength index, 0..100",
      "100 g/(g+l) of Wilder's averages of gains and losses; 0 when g+l < 1e-14 (flat=neutral: "
      "50). "
      "seed=talib: mean of the first n changes; seed=pandas: weights (1-1/n)^age.",
      "TA-Lib RSI; pandas_ta 0.3.14b", .options = rsi_options, ROW_CODE(rsi, CLOSES, 1) },
    { "macd", "", "difference of two exponential averages, and its own average",
      "EMA(fast) - EMA(slow); signal is the EMA of that. seed=talib: both begin as means that end "
      "on "
      "bar max(fast, slow), all shown from the signal's first bar; seed=pandas: each begins on its "
      "own bar, and the line is shown at once.",
      "TA-Lib MACD; pandas_ta", .options = macd_options, ROW_CODE(macd, CLOSES, 3) },
    { "stochastic", "stoch", "slow stochastic: where the close stands in the range, 0..100",
      "100 (close - lowest)/(highest - lowest), 0 for an empty range; k is its SMA(slow_k), d the "
      "SMA(slow_d) of k.",
      "TA-Lib STOCH with simple averages", .options = stochastic_options,
      ROW_CODE(stochastic, HIGH_LOW_CLOSE, 2) },
    { "cci", "", "commodity channel index",
      "(t - mean t)/(0.015 mean |t - mean t|), t = (high+low+close)/3; 0 at the mean.",
      "TA-Lib CCI", .options = cci_options, ROW_CODE(cci, HIGH_LOW_CLOSE, 1) },
    { "williams_r", "willr williams", "Williams %R, -100..0",
      "-100 (highest - close)/(highest - lowest); 0 for an empty range.", "TA-Lib WILLR",
      .options = williams_r_options, ROW_CODE(williams_r, HIGH_LOW_CLOSE, 1) },
    { "roc", "", "rate of change in percent", "100 (close/close n bars ago - 1).", "TA-Lib ROC",
      .options = roc_options, ROW_CODE(roc, CLOSES, 1) },
    { "momentum", "mom", "change of the close", "close - close n bars ago.", "TA-Lib MOM",
      .options = momentum_options, ROW_CODE(momentum, CLOSES, 1) },
    { "aroon", "", "how long ago the highest high and the lowest low were",
      "100 (n - bars since the extreme of the last n+1 bars)/n; of equal extremes the newest "
      "counts.",
      "TA-Lib AROON, AROONOSC", .options = aroon_options, ROW_CODE(aroon, HIGH_LOW, 3) },
    { .name = NULL },
};
