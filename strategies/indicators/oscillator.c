/* Further oscillators of TA-Lib. */
#include "strategies/indicators/kernel.h"

BLOCK double close_of(const struct bar *bar, double tick)
{
    return (double)bar->close_ticks * tick;
}

/* --- cmo ----------------------------------------------------------------------------------------
 */

struct moves { /* Wilder's averages of gains and losses */
    int64_t bars, close_ticks;
    struct smooth gain, loss;
};

static const struct indicator_option cmo_options[] = { OPTION_PERIOD(14, 1, "bars"), OPTION_END };
static const char *const cmo_outputs[] = { "cmo", NULL };

static size_t cmo_first(const double *option)
{
    return (size_t)option[0] + 1;
}

static size_t cmo_settle(const double *option)
{
    return (size_t)option[0] * 10;
}

BLOCK void moves_start(struct moves *moves, int64_t period)
{
    rma_start(&moves->gain, period, SEED_MEAN);
    rma_start(&moves->loss, period, SEED_MEAN);
}

BLOCK bool moves_next(struct moves *moves, const struct bar *bar, double tick, double *gain,
                      double *loss)
{
    const int64_t change = bar->close_ticks - moves->close_ticks;

    moves->close_ticks = bar->close_ticks;
    if (moves->bars++ == 0)
        return false;
    *gain = smooth_next(&moves->gain, (double)(change > 0 ? change : 0) * tick);
    *loss = smooth_next(&moves->loss, (double)(change < 0 ? -change : 0) * tick);
    return !isnan(*gain);
}

static size_t cmo_init(void *state, const double *option)
{
    INDICATOR_STATE(struct moves, moves, state);
    moves_start(moves, (int64_t)option[0]);
    return arena.used;
}

BLOCK void cmo_step(struct moves *moves, const struct bar *bar, double tick, double *out)
{
    double gain, loss;

    out[0] = UNDEFINED;
    if (moves_next(moves, bar, tick, &gain, &loss))
        out[0] = IS_ZERO(gain + loss) ? 0.0 : 100.0 * ((gain - loss) / (gain + loss));
}

KERNEL(cmo, CLOSES, 1)

/* --- stochrsi -----------------------------------------------------------------------------------
 */

struct stochrsi {
    struct moves moves;
    struct extreme high, low;
    struct total d;
};

static const struct indicator_option stochrsi_options[] = {
    OPTION_PERIOD(14, 1, "bars of the RSI"),
    OPTION_BARS("fast_k", 5, 1, "bars of its range"),
    OPTION_BARS("fast_d", 3, 1, "bars of %D"),
    OPTION_END,
};
static const char *const stochrsi_outputs[] = { "k", "d", NULL };

static size_t stochrsi_first(const double *option)
{
    return (size_t)option[0] + (size_t)option[1] + (size_t)option[2] - 1;
}

static size_t stochrsi_settle(const double *option)
{
    return (size_t)option[0] * 10 + (size_t)option[1] + (size_t)option[2];
}

static size_t stochrsi_init(void *state, const double *option)
{
    INDICATOR_STATE(struct stochrsi, s, state);
    moves_start(&s->moves, (int64_t)option[0]);
    extreme_init(&s->high, &arena, (int64_t)option[1]);
    extreme_init(&s->low, &arena, (int64_t)option[1]);
    total_init(&s->d, &arena, (int64_t)option[2]);
    return arena.used;
}

/* Doubles from 0 up are ordered as their bits are. */
BLOCK int64_t bits_of(double x)
{
    int64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

BLOCK double of_bits(int64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

BLOCK void stochrsi_step(struct stochrsi *s, const struct bar *bar, double tick, double *out)
{
    double gain, loss;

    out[0] = out[1] = UNDEFINED;
    if (!moves_next(&s->moves, bar, tick, &gain, &loss))
        return;
    const double rsi = IS_ZERO(gain + loss) ? 0.0 : 100.0 * (gain / (gain + loss));
    const double high = of_bits(extreme_push(&s->high, bits_of(rsi)));
    const double low = of_bits(-extreme_push(&s->low, -bits_of(rsi)));

    if (!extreme_full(&s->high))
        return;
    const double k = high > low ? 100.0 * ((rsi - low) / (high - low)) : 0.0;
    const double sum = total_push(&s->d, k);

    if (total_full(&s->d)) {
        out[0] = k;
        out[1] = sum / (double)s->d.size;
    }
}

KERNEL(stochrsi, CLOSES, 2)

/* --- ultimate -----------------------------------------------------------------------------------
 */

struct ultimate {
    struct true_range range;
    int64_t most;
    struct ring pressure[3], ranges[3];
};

static const struct indicator_option ultimate_options[] = {
    OPTION_BARS("short", 7, 1, "bars that weigh 4"),
    OPTION_BARS("middle", 14, 1, "bars that weigh 2"),
    OPTION_BARS("long", 28, 1, "bars that weigh 1"),
    OPTION_END,
};
static const char *const ultimate_outputs[] = { "ultimate", NULL };

static double longest(const double *option)
{
    return fmax(option[0], fmax(option[1], option[2]));
}

static size_t ultimate_first(const double *option)
{
    return (size_t)longest(option) + 1;
}

#define ultimate_settle ultimate_first

static size_t ultimate_init(void *state, const double *option)
{
    INDICATOR_STATE(struct ultimate, u, state);
    u->most = (int64_t)longest(option);
    for (int i = 0; i < 3; i++) {
        ring_init(&u->pressure[i], &arena, (int64_t)option[i]);
        ring_init(&u->ranges[i], &arena, (int64_t)option[i]);
    }
    return arena.used;
}

BLOCK void ultimate_step(struct ultimate *u, const struct bar *bar, double tick, double *out)
{
    const int64_t before = u->range.close_ticks;
    const int64_t bottom = bar->low_ticks < before ? bar->low_ticks : before;
    double sum = 0;
    int64_t range;

    (void)tick;
    out[0] = UNDEFINED;
    if (!true_range_next(&u->range, bar, &range))
        return;
    for (int i = 0; i < 3; i++) {
        ring_push(&u->pressure[i], bar->close_ticks - bottom);
        ring_push(&u->ranges[i], range);
        if (u->ranges[i].sum > 0)
            sum += (4 >> i) * ((double)u->pressure[i].sum / (double)u->ranges[i].sum);
    }
    if (u->range.bars > u->most)
        out[0] = 100.0 * (sum / 7.0);
}

KERNEL(ultimate, HIGH_LOW_CLOSE, 1)

/* --- ppo ----------------------------------------------------------------------------------------
 */

struct ppo {
    struct ring fast, slow;
};

static const struct indicator_option ppo_options[] = {
    OPTION_BARS("fast", 12, 1, "bars of the fast average"),
    OPTION_BARS("slow", 26, 1, "bars of the slow average"),
    OPTION_END,
};
static const char *const ppo_outputs[] = { "ppo", NULL };

static size_t ppo_first(const double *option)
{
    return (size_t)(option[0] > option[1] ? option[0] : option[1]);
}

#define ppo_settle ppo_first

static size_t ppo_init(void *state, const double *option)
{
    INDICATOR_STATE(struct ppo, ppo, state);
    ring_init(&ppo->fast, &arena, (int64_t)option[0]);
    ring_init(&ppo->slow, &arena, (int64_t)option[1]);
    return arena.used;
}

BLOCK void ppo_step(struct ppo *ppo, const struct bar *bar, double tick, double *out)
{
    (void)tick;
    ring_push(&ppo->fast, bar->close_ticks);
    ring_push(&ppo->slow, bar->close_ticks);
    out[0] = UNDEFINED;
    if (!ring_full(&ppo->fast) || !ring_full(&ppo->slow))
        return;
    const double fast = (double)ppo->fast.sum / (double)ppo->fast.size;
    const double slow = (double)ppo->slow.sum / (double)ppo->slow.size;

    out[0] = slow > 0 ? 100.0 * ((fast - slow) / slow) : 0.0;
}

KERNEL(ppo, CLOSES, 1)

/* --- trix ---------------------------------------------------------------------------------------
 */

struct trix {
    double before;
    struct smooth stage[3];
};

static const struct indicator_option trix_options[] = {
    OPTION_PERIOD(15, 1, "bars of each average"), OPTION_END
};
static const char *const trix_outputs[] = { "trix", NULL };

static size_t trix_first(const double *option)
{
    return 3 * ((size_t)option[0] - 1) + 2;
}

static size_t trix_settle(const double *option)
{
    return (size_t)option[0] * 25 + 1;
}

static size_t trix_init(void *state, const double *option)
{
    INDICATOR_STATE(struct trix, trix, state);
    for (int i = 0; i < 3; i++)
        ema_start(&trix->stage[i], (int64_t)option[0]);
    trix->before = UNDEFINED;
    return arena.used;
}

BLOCK void trix_step(struct trix *trix, const struct bar *bar, double tick, double *out)
{
    double e = close_of(bar, tick);

    for (int i = 0; i < 3; i++)
        e = isnan(e) ? e : smooth_next(&trix->stage[i], e);
    out[0] = (e / trix->before - 1.0) * 100.0;
    trix->before = e;
}

KERNEL(trix, CLOSES, 1)

const struct indicator indicators_oscillator[] = {
    { "cmo", "", "Chande's momentum oscillator, -100..100",
      "100 (g - l)/(g + l) of Wilder's averages of gains and losses; 0 when g + l < 1e-14.",
      "TA-Lib CMO", .options = cmo_options, ROW_CODE(cmo, CLOSES, 1) },
    { "stochrsi", "", "stochastic of the RSI, 0..100",
      "k = 100 (rsi - lowest)/(highest - lowest) over the last fast_k values of RSI(n), 0 for an "
      "empty "
      "range; d = SMA(fast_d) of k; both from d's first bar.",
      "TA-Lib STOCHRSI", .options = stochrsi_options, ROW_CODE(stochrsi, CLOSES, 2) },
    { "ultimate", "ultosc uo", "ultimate oscillator, 0..100",
      "100 (4 a + 2 b + c)/7, each sum(close - min(low, c1))/sum(true range) over its bars.",
      "TA-Lib ULTOSC", .options = ultimate_options, ROW_CODE(ultimate, HIGH_LOW_CLOSE, 1) },
    { "ppo", "", "difference of two simple averages in percent", "100 (SMA(fast)/SMA(slow) - 1).",
      "TA-Lib PPO (its default averages)", .options = ppo_options, ROW_CODE(ppo, CLOSES, 1) },
    { "trix", "", "percent change of a triple exponential average",
      "100 (e3/e3 before - 1), e3 the EMA of the EMA of the EMA.", "TA-Lib TRIX",
      .options = trix_options, ROW_CODE(trix, CLOSES, 1) },
    { .name = NULL },
};
