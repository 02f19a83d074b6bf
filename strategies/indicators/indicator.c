#include "strategies/indicators/indicator.h"
#include <math.h>
#include <string.h>
#include "lib/attr.h"

static size_t first_is_period(int64_t period)
{
    return (size_t)period;
}

static size_t first_after_period(int64_t period) /* differences need one bar more */
{
    return (size_t)period + 1;
}

static size_t settles_at_once(int64_t period)
{
    return (size_t)period;
}

static size_t settles_in_ten(int64_t period) /* (1 - 1/n)^(10 n) < 5e-5 */
{
    return (size_t)period * 10;
}

/* --- sma: the mean of the last n closes
 * ------------------------------------------------------------ */

/* The window holds ticks and the sum is an integer, so it never drifts, however long the run. */
struct sma {
    int64_t period, count, at, sum_ticks;
    int64_t window_ticks[];
};

static size_t sma_size(int64_t period)
{
    return sizeof(struct sma) + (size_t)period * sizeof(int64_t);
}

static void sma_init(void *state, int64_t period)
{
    struct sma *sma = state;

    memset(sma, 0, sma_size(period));
    sma->period = period;
}

static double sma_update(void *state, const struct bar *bar, double tick)
{
    struct sma *sma = state;

    sma->sum_ticks += bar->close_ticks - sma->window_ticks[sma->at];
    sma->window_ticks[sma->at] = bar->close_ticks;
    sma->at = sma->at + 1 == sma->period ? 0 : sma->at + 1;
    if (sma->count < sma->period && ++sma->count < sma->period)
        return (double)NAN;
    return (double)sma->sum_ticks / (double)sma->period * tick;
}

/* --- ema and rma: e += (x - e) * k, seeded with the mean of the first n
 * ---------------------------- */

struct smooth {
    int64_t period, count;
    double k, sum, value;
};

static size_t smooth_size(int64_t period)
{
    (void)period;
    return sizeof(struct smooth);
}

static void smooth_start(struct smooth *smooth, int64_t period, double k)
{
    *smooth = (struct smooth){ .period = period, .k = k };
}

static double smooth_next(struct smooth *smooth, double x)
{
    if (smooth->count >= smooth->period)
        return smooth->value += (x - smooth->value) * smooth->k;
    smooth->sum += x;
    if (++smooth->count < smooth->period)
        return (double)NAN;
    return smooth->value = smooth->sum / (double)smooth->period;
}

static void ema_init(void *state, int64_t period)
{
    smooth_start(state, period, 2.0 / ((double)period + 1.0));
}

static void rma_init(void *state, int64_t period) /* Wilder's */
{
    smooth_start(state, period, 1.0 / (double)period);
}

static double smooth_update(void *state, const struct bar *bar, double tick)
{
    return smooth_next(state, (double)bar->close_ticks * tick);
}

/* --- rsi: Wilder's, 100 - 100 / (1 + gain / loss)
 * --------------------------------------------------- */

struct rsi {
    int64_t close_ticks; /* 0: no bar yet */
    struct smooth gain, loss;
};

static size_t rsi_size(int64_t period)
{
    (void)period;
    return sizeof(struct rsi);
}

static void rsi_init(void *state, int64_t period)
{
    struct rsi *rsi = state;

    rsi->close_ticks = 0;
    rma_init(&rsi->gain, period);
    rma_init(&rsi->loss, period);
}

static double rsi_update(void *state, const struct bar *bar, double tick)
{
    struct rsi *rsi = state;
    const int64_t before = rsi->close_ticks;

    rsi->close_ticks = bar->close_ticks;
    if (before == 0)
        return (double)NAN;
    const double change = (double)(bar->close_ticks - before) * tick;
    const double gain = smooth_next(&rsi->gain, change > 0 ? change : 0);
    const double loss = smooth_next(&rsi->loss, change < 0 ? -change : 0);

    if (isnan(gain))
        return (double)NAN;
    return gain + loss == 0 ? 50.0 : 100.0 * (gain / (gain + loss)); /* a flat market is neutral */
}

static const struct indicator indicators[] = {
    { "ema", "exponential moving average of closes", first_is_period, settles_in_ten, smooth_size,
      ema_init, smooth_update },
    { "rma", "Wilder's moving average of closes", first_is_period, settles_in_ten, smooth_size,
      rma_init, smooth_update },
    { "rsi", "Wilder's relative strength index, 0..100", first_after_period, settles_in_ten,
      rsi_size, rsi_init, rsi_update },
    { "sma", "simple moving average of closes", first_is_period, settles_at_once, sma_size,
      sma_init, sma_update },
};

const struct indicator *indicator_find(const char *name)
{
    for (size_t i = 0; i < FLT_COUNT(indicators); i++)
        if (!strcmp(indicators[i].name, name))
            return &indicators[i];
    return NULL;
}

void indicator_run(const struct indicator *indicator, void *state, const struct bar *bars,
                   size_t count, double tick, double *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = indicator->update(state, &bars[i], tick);
}
