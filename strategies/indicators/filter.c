/* Kalman filters over closes. */
#include "strategies/indicators/kernel.h"

static size_t at_once(const double *option)
{
    (void)option;
    return 1;
}

static size_t bars_to_forget(double kept) /* bars until what the start left is below 5e-5 */
{
    const double bars = kept > 0 ? log(5e-5) / log(kept) : 1;

    return !(bars < INDICATOR_PERIOD_MAX) ? INDICATOR_PERIOD_MAX : bars > 1 ? (size_t)bars + 1 : 1;
}

/* --- kalman: local level
 * ------------------------------------------------------------------------------ */

struct kalman {
    int64_t bars;
    double q, r, x, p;
};

static const struct indicator_option kalman_options[] = {
    OPTION_NUMBER("q", 0.01, 1e-18, 1e18, "variance of the level's step"),
    OPTION_NUMBER("r", 1, 1e-18, 1e18, "variance of what is seen"),
    OPTION_NUMBER("p0", 1, 1e-18, 1e18, "variance of the first level"),
    OPTION_END,
};
static const char *const kalman_outputs[] = { "level", "variance", "gain", NULL };

/* The second bar has the first gain. */
static size_t kalman_first(const double *option)
{
    (void)option;
    return 2;
}

static size_t kalman_settle(const double *option) /* with the gain it ends at */
{
    const double ratio = option[0] / option[1];

    return bars_to_forget(1 - (sqrt(ratio * ratio + 4 * ratio) - ratio) / 2);
}

static size_t kalman_init(void *state, const double *option)
{
    INDICATOR_STATE(struct kalman, kalman, state);
    kalman->q = option[0];
    kalman->r = option[1];
    kalman->p = option[2];
    return arena.used;
}

BLOCK void kalman_step(struct kalman *kalman, const struct bar *bar, double tick, double *out)
{
    const double close = (double)bar->close_ticks * tick;

    out[2] = UNDEFINED;
    if (kalman->bars++ == 0) {
        kalman->x = close;
    } else {
        const double p = kalman->p + kalman->q, gain = p / (p + kalman->r);

        kalman->x += gain * (close - kalman->x);
        kalman->p = (1 - gain) * p;
        out[2] = gain;
    }
    out[0] = kalman->x;
    out[1] = kalman->p;
}

KERNEL(kalman, CLOSES, 3)

/* --- kalman_trend: local linear trend
 * ------------------------------------------------------------------- */

struct kalman_trend {
    int64_t bars;
    double q_level, q_slope, r, level, slope;
    double p_level, p_both, p_slope; /* covariance */
};

static const struct indicator_option kalman_trend_options[] = {
    OPTION_NUMBER("q_level", 0.01, 1e-18, 1e18, "variance of the level's step"),
    OPTION_NUMBER("q_slope", 0.0001, 1e-18, 1e18, "variance of the slope's step"),
    OPTION_NUMBER("r", 1, 1e-18, 1e18, "variance of what is seen"),
    OPTION_NUMBER("p0", 1, 1e-18, 1e18, "variance of the first level and slope"),
    OPTION_END,
};
static const char *const kalman_trend_outputs[] = { "level", "slope", "variance", NULL };
#define kalman_trend_first at_once

static size_t kalman_trend_settle(const double *option) /* the slope is the slower one */
{
    const double ratio = sqrt(option[1] / option[2]);

    return bars_to_forget(1 - sqrt(ratio) / (1 + sqrt(ratio)));
}

static size_t kalman_trend_init(void *state, const double *option)
{
    INDICATOR_STATE(struct kalman_trend, k, state);
    k->q_level = option[0];
    k->q_slope = option[1];
    k->r = option[2];
    k->p_level = k->p_slope = option[3];
    return arena.used;
}

/* level' = level + slope, slope' = slope; P' = F P F' + Q; then the usual correction by the close.
 */
BLOCK void kalman_trend_step(struct kalman_trend *k, const struct bar *bar, double tick,
                             double *out)
{
    const double close = (double)bar->close_ticks * tick;

    if (k->bars++ == 0) {
        k->level = close;
    } else {
        const double p_level = k->p_level + 2 * k->p_both + k->p_slope + k->q_level;
        const double p_both = k->p_both + k->p_slope, p_slope = k->p_slope + k->q_slope;
        const double gain_level = p_level / (p_level + k->r),
                     gain_slope = p_both / (p_level + k->r);
        const double miss = close - (k->level + k->slope);

        k->level += k->slope + gain_level * miss;
        k->slope += gain_slope * miss;
        k->p_level = (1 - gain_level) * p_level;
        k->p_both = (1 - gain_level) * p_both;
        k->p_slope = p_slope - gain_slope * p_both;
    }
    out[0] = k->level;
    out[1] = k->slope;
    out[2] = k->p_level;
}

KERNEL(kalman_trend, CLOSES, 3)

const struct indicator indicators_filter[] = {
    { "kalman", "kalman_level", "Kalman filter of a local level",
      "Level = first close, P = p0. Then each bar: P += q; gain = P/(P + r); level += gain (close "
      "- "
      "level); P = (1 - gain) P.",
      "Kalman 1960; scalar, F = H = 1", .options = kalman_options, ROW_CODE(kalman, CLOSES, 3) },
    { "kalman_trend", "", "Kalman filter of a level and its slope",
      "State (level, slope), F = [1 1; 0 1], H = [1 0], Q = diag(q_level, q_slope); begins at the "
      "first close with slope 0 and P = p0 I; variance is the level's.",
      "Harvey 1989, local linear trend", .options = kalman_trend_options,
      ROW_CODE(kalman_trend, CLOSES, 3) },
    { .name = NULL },
};
