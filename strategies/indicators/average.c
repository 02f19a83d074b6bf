/* Moving averages and straight lines through closes. */
#include "strategies/indicators/kernel.h"

static size_t first_is_period(const double *option)
{
    return (size_t)option[0];
}

static size_t settles_in_ten(const double *option) /* (1 - 1/n)^(10 n) < 5e-5 */
{
    return (size_t)option[0] * 10;
}

BLOCK double close_of(const struct bar *bar, double tick)
{
    return (double)bar->close_ticks * tick;
}

/* --- sma
 * ------------------------------------------------------------------------------------------ */

struct sma {
    struct ring ring;
};

static const struct indicator_option sma_options[] = { OPTION_PERIOD(20, 1, "bars"), OPTION_END };
static const char *const sma_outputs[] = { "sma", NULL };
#define sma_first first_is_period
#define sma_settle first_is_period

static size_t sma_init(void *state, const double *option)
{
    INDICATOR_STATE(struct sma, sma, state);
    ring_init(&sma->ring, &arena, (int64_t)option[0]);
    return arena.used;
}

/* The quotient of whole numbers is rounded once: equal averages of two periods compare equal. */
BLOCK void sma_step(struct sma *sma, const struct bar *bar, double tick, double *out)
{
    ring_push(&sma->ring, bar->close_ticks);
    out[0] =
        ring_full(&sma->ring) ? (double)sma->ring.sum / (double)sma->ring.size * tick : UNDEFINED;
}

KERNEL(sma, CLOSES, 1)

/* --- ema and rma
 * ------------------------------------------------------------------------------------ */

static const struct indicator_option ema_options[] = { OPTION_PERIOD(20, 1, "bars"), OPTION_END };
static const char *const ema_outputs[] = { "ema", NULL };
#define ema_first first_is_period
#define ema_settle settles_in_ten

static size_t ema_init(void *state, const double *option)
{
    INDICATOR_STATE(struct smooth, smooth, state);
    ema_start(smooth, (int64_t)option[0]);
    return arena.used;
}

BLOCK void ema_step(struct smooth *smooth, const struct bar *bar, double tick, double *out)
{
    out[0] = smooth_next(smooth, close_of(bar, tick));
}

KERNEL(ema, CLOSES, 1)

static const struct indicator_option rma_options[] = {
    OPTION_PERIOD(14, 1, "bars"),
    OPTION_SEED("mean of the first bars, or pandas' adjusted weights"),
    OPTION_END,
};
static const char *const rma_outputs[] = { "rma", NULL };
#define rma_first first_is_period
#define rma_settle settles_in_ten

static size_t rma_init(void *state, const double *option)
{
    INDICATOR_STATE(struct smooth, smooth, state);
    rma_start(smooth, (int64_t)option[0], option[1] > 0 ? SEED_WEIGHTED : SEED_MEAN);
    return arena.used;
}

#define rma_step ema_step
KERNEL(rma, CLOSES, 1)

/* --- wma
 * ------------------------------------------------------------------------------------------ */

/* The weighted sum of a full window moves on by: take each value once off, add the new one n times.
 */
struct weighted {
    wide sum;
    struct ring ring;
};

BLOCK void weighted_push(struct weighted *weighted, int64_t x)
{
    weighted->sum += (wide)x * weighted->ring.size - weighted->ring.sum;
    ring_push(&weighted->ring, x);
}

static size_t weighted_init(void *state, const double *option)
{
    INDICATOR_STATE(struct weighted, weighted, state);
    ring_init(&weighted->ring, &arena, (int64_t)option[0]);
    return arena.used;
}

static const struct indicator_option wma_options[] = { OPTION_PERIOD(20, 1, "bars"), OPTION_END };
static const char *const wma_outputs[] = { "wma", NULL };
#define wma_first first_is_period
#define wma_settle first_is_period
#define wma_init weighted_init

BLOCK void wma_step(struct weighted *wma, const struct bar *bar, double tick, double *out)
{
    const double n = (double)wma->ring.size;

    weighted_push(wma, bar->close_ticks);
    out[0] =
        ring_full(&wma->ring) ? wide_to_double(wma->sum) / (n * (n + 1) / 2) * tick : UNDEFINED;
}

KERNEL(wma, CLOSES, 1)

/* --- linreg
 * ---------------------------------------------------------------------------------------- */

static const struct indicator_option linreg_options[] = { OPTION_PERIOD(14, 2, "bars"),
                                                          OPTION_END };
static const char *const linreg_outputs[] = { "slope", "value", "intercept", NULL };
#define linreg_first first_is_period
#define linreg_settle first_is_period
#define linreg_init weighted_init

/* Least squares over x = 0 .. n-1, from exact sums: with w = sum((x + 1) y),
 * slope = (n (w - sum y) - sum x sum y) / (n sum x^2 - (sum x)^2). */
BLOCK void linreg_step(struct weighted *line, const struct bar *bar, double tick, double *out)
{
    const int64_t n = line->ring.size, sum_x = n * (n - 1) / 2;

    weighted_push(line, bar->close_ticks);
    if (!ring_full(&line->ring)) {
        out[0] = out[1] = out[2] = UNDEFINED;
        return;
    }
    const wide over = (line->sum - line->ring.sum) * n - (wide)line->ring.sum * sum_x;
    const double under = (double)n * (double)n * ((double)n * (double)n - 1) / 12;
    const double slope = wide_to_double(over) / under;
    const double intercept = (double)line->ring.sum / (double)n - slope * (double)(n - 1) / 2;

    out[0] = slope * tick;
    out[1] = (intercept + slope * (double)(n - 1)) * tick;
    out[2] = intercept * tick;
}

KERNEL(linreg, CLOSES, 3)

/* --- dema and tema
 * ---------------------------------------------------------------------------------- */

struct cascade {
    struct smooth stage[3];
};

static size_t cascade_init(void *state, const double *option)
{
    INDICATOR_STATE(struct cascade, cascade, state);
    for (int i = 0; i < 3; i++) {
        ema_start(&cascade->stage[i], (int64_t)option[0]);
        if (i > 0 && option[1] > 0)
            cascade->stage[i].seed = SEED_FIRST;
    }
    return arena.used;
}

BLOCK double cascade_next(struct cascade *cascade, int stages, double x, double *e)
{
    for (int i = 0; i < stages; i++) {
        x = isnan(x) ? x : smooth_next(&cascade->stage[i], x);
        e[i] = x;
    }
    return x;
}

static size_t cascade_first(const double *option, size_t stages)
{
    return option[1] > 0 ? (size_t)option[0] : stages * ((size_t)option[0] - 1) + 1;
}

#define CASCADE_OPTIONS                                                                            \
    {                                                                                              \
        OPTION_PERIOD(20, 1, "bars"),                                                              \
            OPTION_SEED(                                                                           \
                "inner averages from the mean of their first bars, or from the first value"),      \
            OPTION_END                                                                             \
    }
static const struct indicator_option dema_options[] = CASCADE_OPTIONS;
static const struct indicator_option tema_options[] = CASCADE_OPTIONS;
static const char *const dema_outputs[] = { "dema", NULL };
static const char *const tema_outputs[] = { "tema", NULL };
#define dema_init cascade_init
#define tema_init cascade_init

static size_t dema_first(const double *option)
{
    return cascade_first(option, 2);
}

static size_t tema_first(const double *option)
{
    return cascade_first(option, 3);
}

static size_t dema_settle(const double *option)
{
    return (size_t)option[0] * 20;
}

#define tema_settle dema_settle

BLOCK void dema_step(struct cascade *cascade, const struct bar *bar, double tick, double *out)
{
    double e[2];

    cascade_next(cascade, 2, close_of(bar, tick), e);
    out[0] = 2 * e[0] - e[1];
}

BLOCK void tema_step(struct cascade *cascade, const struct bar *bar, double tick, double *out)
{
    double e[3];

    cascade_next(cascade, 3, close_of(bar, tick), e);
    out[0] = 3 * e[0] - 3 * e[1] + e[2];
}

KERNEL(dema, CLOSES, 1)
KERNEL(tema, CLOSES, 1)

const struct indicator indicators_average[] = {
    { "sma", "ma", "simple moving average of closes",
      "The sum of the last n closes, in whole ticks, over n.", "TA-Lib SMA", .options = sma_options,
      ROW_CODE(sma, CLOSES, 1) },
    { "ema", "", "exponential moving average of closes",
      "k = 2/(n+1); begins as the mean of the first n closes; then e += k (close - e).",
      "TA-Lib EMA (pandas_ta's is the same)", .options = ema_options, ROW_CODE(ema, CLOSES, 1) },
    { "wma", "", "weighted moving average of closes, the newest weighs most",
      "Weights 1..n, the newest has n; over n(n+1)/2.", "TA-Lib WMA", .options = wma_options,
      ROW_CODE(wma, CLOSES, 1) },
    { "dema", "", "double exponential moving average",
      "2 e1 - e2, where e2 is the EMA of e1. seed=talib: e2 begins as the mean of the first n of "
      "e1; "
      "seed=pandas: as the first of e1.",
      "TA-Lib DEMA; pandas_ta 0.3.14b", .options = dema_options, ROW_CODE(dema, CLOSES, 1) },
    { "tema", "", "triple exponential moving average",
      "3 e1 - 3 e2 + e3, each the EMA of the one before; seeds as dema.",
      "TA-Lib TEMA; pandas_ta 0.3.14b", .options = tema_options, ROW_CODE(tema, CLOSES, 1) },
    { "rma", "smma wilder", "Wilder's moving average of closes",
      "r += (close - r)/n. seed=talib: begins as the mean of the first n; seed=pandas: weights "
      "(1-1/n)^age over all bars so far, shown from the n-th.",
      "Wilder 1978; pandas ewm(alpha=1/n, adjust=True, min_periods=n)", .options = rma_options,
      ROW_CODE(rma, CLOSES, 1) },
    { "linreg", "linreg_slope slope linearreg", "least-squares line through the last n closes",
      "y = intercept + slope x over x = 0..n-1 (x = n-1 is this bar); value is the line at this "
      "bar.",
      "TA-Lib LINEARREG_SLOPE, LINEARREG, LINEARREG_INTERCEPT", .options = linreg_options,
      ROW_CODE(linreg, CLOSES, 3) },
    { .name = NULL },
};
