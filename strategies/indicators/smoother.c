/* Averages of averages, an adaptive one, and the parabolic stop. */
#include "strategies/indicators/kernel.h"

static size_t first_is_period(const double *option)
{
    return (size_t)option[0];
}

BLOCK double close_of(const struct bar *bar, double tick)
{
    return (double)bar->close_ticks * tick;
}

/* --- trima --------------------------------------------------------------------------------------
 */

struct trima {
    struct ring closes;
    struct total means;
};

static const struct indicator_option trima_options[] = { OPTION_PERIOD(20, 1, "bars"), OPTION_END };
static const char *const trima_outputs[] = { "trima", NULL };
#define trima_first first_is_period
#define trima_settle first_is_period

static size_t trima_init(void *state, const double *option)
{
    const int64_t n = (int64_t)option[0];
    INDICATOR_STATE(struct trima, trima, state);

    ring_init(&trima->closes, &arena, n / 2 + 1);
    total_init(&trima->means, &arena, n - n / 2);
    return arena.used;
}

BLOCK void trima_step(struct trima *trima, const struct bar *bar, double tick, double *out)
{
    ring_push(&trima->closes, bar->close_ticks);
    out[0] = UNDEFINED;
    if (!ring_full(&trima->closes))
        return;
    const double mean = (double)trima->closes.sum / (double)trima->closes.size;
    const double sum = total_push(&trima->means, mean);

    if (total_full(&trima->means))
        out[0] = sum / (double)trima->means.size * tick;
}

KERNEL(trima, CLOSES, 1)

/* --- kama ---------------------------------------------------------------------------------------
 */

struct kama {
    int64_t bars;
    double value;
    struct ring closes, changes;
};

static const struct indicator_option kama_options[] = { OPTION_PERIOD(10, 2, "bars"), OPTION_END };
static const char *const kama_outputs[] = { "kama", NULL };

static size_t kama_first(const double *option)
{
    return (size_t)option[0] + 1;
}

static size_t kama_settle(const double *option) /* at its slowest it keeps 1 - (2/31)^2 a bar */
{
    return (size_t)option[0] + 2400;
}

static size_t kama_init(void *state, const double *option)
{
    INDICATOR_STATE(struct kama, kama, state);
    ring_init(&kama->closes, &arena, (int64_t)option[0]);
    ring_init(&kama->changes, &arena, (int64_t)option[0]);
    return arena.used;
}

BLOCK void kama_step(struct kama *kama, const struct bar *bar, double tick, double *out)
{
    const int64_t n = kama->closes.size, at = (kama->closes.at + n - 1) % n;
    const int64_t change = bar->close_ticks - ring_data(&kama->closes)[at];
    const bool full = ring_full(&kama->closes);
    const int64_t way = bar->close_ticks - ring_push(&kama->closes, bar->close_ticks);

    out[0] = UNDEFINED;
    if (kama->bars++ > 0)
        ring_push(&kama->changes, change < 0 ? -change : change);
    if (!full) {
        kama->value = close_of(bar, tick);
        return;
    }
    const double path = (double)kama->changes.sum;
    const double ratio = path > 0 ? fabs((double)way) / path : 1.0;
    const double speed = ratio * (2.0 / 3 - 2.0 / 31) + 2.0 / 31;

    out[0] = kama->value += speed * speed * (close_of(bar, tick) - kama->value);
}

KERNEL(kama, CLOSES, 1)

/* --- t3 -----------------------------------------------------------------------------------------
 */

struct t3 {
    double c[4]; /* of e3, e4, e5, e6 */
    struct smooth stage[6];
};

static const struct indicator_option t3_options[] = {
    OPTION_PERIOD(5, 1, "bars of each average"),
    OPTION_NUMBER("factor", 0.7, 1e-9, 1, "volume factor"),
    OPTION_END,
};
static const char *const t3_outputs[] = { "t3", NULL };

static size_t t3_first(const double *option)
{
    return 6 * ((size_t)option[0] - 1) + 1;
}

static size_t t3_settle(const double *option)
{
    return (size_t)option[0] * 30;
}

static size_t t3_init(void *state, const double *option)
{
    const double v = option[1];
    INDICATOR_STATE(struct t3, t3, state);

    for (int i = 0; i < 6; i++)
        ema_start(&t3->stage[i], (int64_t)option[0]);
    t3->c[3] = -v * v * v;
    t3->c[2] = 3 * v * v + 3 * v * v * v;
    t3->c[1] = -6 * v * v - 3 * v - 3 * v * v * v;
    t3->c[0] = 1 + 3 * v + v * v * v + 3 * v * v;
    return arena.used;
}

BLOCK void t3_step(struct t3 *t3, const struct bar *bar, double tick, double *out)
{
    double e = close_of(bar, tick), sum = 0;

    for (int i = 0; i < 6; i++) {
        e = isnan(e) ? e : smooth_next(&t3->stage[i], e);
        sum += i < 2 ? 0 : t3->c[i - 2] * e;
    }
    out[0] = sum;
}

KERNEL(t3, CLOSES, 1)

/* --- sar ----------------------------------------------------------------------------------------
 */

/* In ticks. A falling market is the rising one seen upside down: sign turns both into one. */
struct sar {
    int64_t bars, high_ticks, low_ticks; /* of the bar before */
    double step, most, af, stop, extreme, sign;
};

static const struct indicator_option sar_options[] = {
    OPTION_NUMBER("acceleration", 0.02, 1e-6, 1, "first factor, and what each new extreme adds"),
    OPTION_NUMBER("maximum", 0.2, 1e-6, 1, "highest factor"),
    OPTION_END,
};
static const char *const sar_outputs[] = { "sar", NULL };

static size_t sar_first(const double *option)
{
    (void)option;
    return 2;
}

static size_t sar_settle(const double *option) /* some turns */
{
    (void)option;
    return 200;
}

static size_t sar_init(void *state, const double *option)
{
    INDICATOR_STATE(struct sar, sar, state);
    sar->step = option[0] < option[1] ? option[0] : option[1];
    sar->most = option[1];
    sar->af = sar->step;
    return arena.used;
}

BLOCK void sar_begin(struct sar *sar, const struct bar *bar)
{
    const int64_t up = bar->high_ticks - sar->high_ticks, down = sar->low_ticks - bar->low_ticks;
    const bool falls = down > 0 && up < down;

    sar->sign = falls ? -1 : 1;
    sar->stop = falls ? -(double)sar->high_ticks : (double)sar->low_ticks;
    sar->extreme = falls ? -(double)bar->low_ticks : (double)bar->high_ticks;
    sar->high_ticks = bar->high_ticks; /* the first bar counts as its own predecessor */
    sar->low_ticks = bar->low_ticks;
}

/* All as if prices rose: `low` and `high` are the bar's, the others those of the bar before. */
BLOCK double sar_next(struct sar *sar, double low, double high, double low1, double high1)
{
    double shown = sar->stop;

    if (low <= sar->stop) { /* it turns: the stop is now above, in the mirrored world below */
        shown = fmax(sar->extreme, fmax(high1, high));
        sar->af = sar->step;
        sar->extreme = -low;
        sar->stop = -shown + sar->af * (sar->extreme + shown);
        sar->stop = fmin(sar->stop, fmin(-high1, -high));
        return shown;
    }
    if (high > sar->extreme) {
        sar->extreme = high;
        sar->af = fmin(sar->af + sar->step, sar->most);
    }
    sar->stop += sar->af * (sar->extreme - sar->stop);
    sar->stop = fmin(sar->stop, fmin(low1, low));
    return shown;
}

BLOCK void sar_step(struct sar *sar, const struct bar *bar, double tick, double *out)
{
    const bool first = sar->bars++ == 0;

    out[0] = UNDEFINED;
    if (sar->bars == 2)
        sar_begin(sar, bar);
    if (!first) {
        const bool falls = sar->sign < 0;
        const double high = (double)bar->high_ticks, low = (double)bar->low_ticks;
        const double high1 = (double)sar->high_ticks, low1 = (double)sar->low_ticks;
        const double sign = sar->sign;
        const bool turns = (falls ? -high : low) <= sar->stop;

        out[0] = falls ? sar_next(sar, -high, -low, -high1, -low1)
                       : sar_next(sar, low, high, low1, high1);
        out[0] *= sign * tick;
        sar->sign = turns ? -sign : sign;
    }
    sar->high_ticks = bar->high_ticks;
    sar->low_ticks = bar->low_ticks;
}

KERNEL(sar, HIGH_LOW, 1)

const struct indicator indicators_smoother[] = {
    { "trima", "", "triangular moving average", "SMA(n - n/2) of SMA(n/2 + 1) (whole halves).",
      "TA-Lib TRIMA", .options = trima_options, ROW_CODE(trima, CLOSES, 1) },
    { "kama", "", "Kaufman's adaptive moving average",
      "r = |close - close n ago| / sum of the last n |changes| (1 when that is 0); k += (r (2/3 - "
      "2/31) + 2/31)^2 (close - k); k begins as the n-th close.",
      "TA-Lib KAMA", .options = kama_options, ROW_CODE(kama, CLOSES, 1) },
    { "t3", "", "Tillson's T3",
      "Six EMAs in a row, e3..e6 weighed by the factor v: -v^3 e6 + (3v^2 + "
      "3v^3) e5 + (-6v^2 - 3v - 3v^3) e4 + (1 + 3v + v^3 + 3v^2) e3.",
      "TA-Lib T3", .options = t3_options, ROW_CODE(t3, CLOSES, 1) },
    { "sar", "psar", "parabolic stop and reverse",
      "Wilder's: stop += af (extreme - stop), never inside the last two bars; af grows by the "
      "acceleration with each new extreme; a bar that reaches the stop turns it.",
      "TA-Lib SAR", .options = sar_options, ROW_CODE(sar, HIGH_LOW, 1) },
    { .name = NULL },
};
