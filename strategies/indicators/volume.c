/* Prices weighed by what was traded at them. */
#include "strategies/indicators/kernel.h"

static size_t first_after_period(const double *option)
{
    return (size_t)option[0] + 1;
}

BLOCK int64_t typical_ticks(const struct bar *bar) /* times 3 */
{
    return bar->high_ticks + bar->low_ticks + bar->close_ticks;
}

/* --- mfi
 * ---------------------------------------------------------------------------------------------- */

struct mfi {
    int64_t bars, typical;
    double floor;
    struct total up, down;
};

static const struct indicator_option mfi_options[] = {
    OPTION_PERIOD(14, 1, "bars"),
    OPTION_CHOICE("floor", "talib|none", "money flow below 1.0 in all gives 0, or only none does"),
    OPTION_END,
};
static const char *const mfi_outputs[] = { "mfi", NULL };
#define mfi_first first_after_period
#define mfi_settle first_after_period

static size_t mfi_init(void *state, const double *option)
{
    INDICATOR_STATE(struct mfi, mfi, state);
    mfi->floor = option[1] > 0 ? 0 : 1.0;
    total_init(&mfi->up, &arena, (int64_t)option[0]);
    total_init(&mfi->down, &arena, (int64_t)option[0]);
    return arena.used;
}

BLOCK void mfi_step(struct mfi *mfi, const struct bar *bar, double tick, double *out)
{
    const int64_t typical = typical_ticks(bar), change = typical - mfi->typical;
    const double flow = (double)typical / 3 * tick * bar->volume;

    mfi->typical = typical;
    out[0] = UNDEFINED;
    if (mfi->bars++ == 0)
        return;
    const double up = total_push(&mfi->up, change > 0 ? flow : 0);
    const double all = up + total_push(&mfi->down, change < 0 ? flow : 0);

    if (total_full(&mfi->up))
        out[0] = all < mfi->floor || !(all > 0) ? 0.0 : 100.0 * (up / all);
}

KERNEL(mfi, HIGH_LOW_CLOSE | INDICATOR_VOLUME, 1)

/* --- obv
 * ---------------------------------------------------------------------------------------------- */

struct obv {
    int64_t bars, close_ticks;
    double sum;
};

static const struct indicator_option obv_options[] = { OPTION_END };
static const char *const obv_outputs[] = { "obv", NULL };

static size_t at_once(const double *option)
{
    (void)option;
    return 1;
}

#define obv_first at_once
#define obv_settle at_once

static size_t obv_init(void *state, const double *option)
{
    INDICATOR_STATE(struct obv, obv, state);
    (void)option;
    return arena.used;
}

BLOCK void obv_step(struct obv *obv, const struct bar *bar, double tick, double *out)
{
    (void)tick;
    if (obv->bars++ == 0)
        obv->sum = bar->volume;
    else if (bar->close_ticks > obv->close_ticks)
        obv->sum += bar->volume;
    else if (bar->close_ticks < obv->close_ticks)
        obv->sum -= bar->volume;
    obv->close_ticks = bar->close_ticks;
    out[0] = obv->sum;
}

KERNEL(obv, CLOSES | INDICATOR_VOLUME, 1)

/* --- vwap
 * --------------------------------------------------------------------------------------------- */

enum { DAY_MS = 86400000 };

struct vwap {
    int64_t rolling, day;
    double money_sum, volume_sum; /* since 00:00 UTC */
    struct total money, volume;
};

static const struct indicator_option vwap_options[] = {
    { .name = "period",
      .type = INDICATOR_INT,
      .def = 0,
      .min = 0,
      .max = INDICATOR_PERIOD_MAX,
      .help = "bars; 0: since 00:00 UTC" },
    OPTION_END,
};
static const char *const vwap_outputs[] = { "vwap", NULL };

static size_t vwap_first(const double *option)
{
    return option[0] > 0 ? (size_t)option[0] : 1;
}

static size_t vwap_settle(const double *option) /* a day of 1-minute bars */
{
    return option[0] > 0 ? (size_t)option[0] : DAY_MS / 60000;
}

static size_t vwap_init(void *state, const double *option)
{
    const int64_t bars = (int64_t)option[0];
    INDICATOR_STATE(struct vwap, vwap, state);

    vwap->rolling = bars;
    vwap->day = INT64_MIN;
    total_init(&vwap->money, &arena, bars > 0 ? bars : 1);
    total_init(&vwap->volume, &arena, bars > 0 ? bars : 1);
    return arena.used;
}

BLOCK int64_t day_of(int64_t ts_ms) /* also before 1970 */
{
    return ts_ms / DAY_MS - (ts_ms % DAY_MS < 0);
}

BLOCK void vwap_step(struct vwap *vwap, const struct bar *bar, double tick, double *out)
{
    const double money = (double)typical_ticks(bar) / 3 * tick * bar->volume;

    if (vwap->rolling > 0) {
        const double sum = total_push(&vwap->money, money);
        const double volume = total_push(&vwap->volume, bar->volume);

        out[0] = total_full(&vwap->volume) && volume > 0 ? sum / volume : UNDEFINED;
        return;
    }
    const int64_t day = day_of(bar->ts_ms);
    const bool same = day == vwap->day;

    vwap->day = day;
    vwap->money_sum = (same ? vwap->money_sum : 0) + money;
    vwap->volume_sum = (same ? vwap->volume_sum : 0) + bar->volume;
    out[0] = vwap->volume_sum > 0 ? vwap->money_sum / vwap->volume_sum : UNDEFINED;
}

KERNEL(vwap, INDICATOR_TIME | HIGH_LOW_CLOSE | INDICATOR_VOLUME, 1)

/* --- ad and adosc -------------------------------------------------------------------------------
 */

struct ad {
    int64_t bars, from;
    double sum;
    struct smooth fast, slow;
};

static const struct indicator_option ad_options[] = { OPTION_END };
static const struct indicator_option adosc_options[] = {
    OPTION_BARS("fast", 3, 1, "bars of the fast average"),
    OPTION_BARS("slow", 10, 1, "bars of the slow average"),
    OPTION_END,
};
static const char *const ad_outputs[] = { "ad", NULL };
static const char *const adosc_outputs[] = { "adosc", NULL };
#define ad_first at_once
#define ad_settle at_once

static size_t adosc_first(const double *option)
{
    return (size_t)(option[0] > option[1] ? option[0] : option[1]);
}

static size_t adosc_settle(const double *option)
{
    return adosc_first(option) * 10;
}

static size_t ad_init(void *state, const double *option)
{
    INDICATOR_STATE(struct ad, ad, state);
    (void)option;
    return arena.used;
}

static size_t adosc_init(void *state, const double *option)
{
    INDICATOR_STATE(struct ad, ad, state);
    ema_start(&ad->fast, (int64_t)option[0]);
    ema_start(&ad->slow, (int64_t)option[1]);
    ad->fast.seed = ad->slow.seed = SEED_FIRST;
    ad->from = (int64_t)adosc_first(option);
    return arena.used;
}

BLOCK void ad_step(struct ad *ad, const struct bar *bar, double tick, double *out)
{
    const int64_t range = bar->high_ticks - bar->low_ticks;
    const int64_t place = 2 * bar->close_ticks - bar->low_ticks - bar->high_ticks;

    (void)tick;
    if (range > 0)
        ad->sum += (double)place / (double)range * bar->volume;
    out[0] = ad->sum;
}

BLOCK void adosc_step(struct ad *ad, const struct bar *bar, double tick, double *out)
{
    double sum;

    ad_step(ad, bar, tick, &sum);
    const double fast = smooth_next(&ad->fast, sum), slow = smooth_next(&ad->slow, sum);

    out[0] = ++ad->bars >= ad->from ? fast - slow : UNDEFINED;
}

KERNEL(ad, HIGH_LOW_CLOSE | INDICATOR_VOLUME, 1)
KERNEL(adosc, HIGH_LOW_CLOSE | INDICATOR_VOLUME, 1)

const struct indicator indicators_volume[] = {
    { "mfi", "", "money flow index, 0..100",
      "Money t volume with t = (high+low+close)/3, up or down as t changed; 100 up/(up + down) "
      "over n "
      "bars. TA-Lib gives 0 when up + down < 1.0, which silences coins of little money: "
      "floor=none.",
      "TA-Lib MFI", .options = mfi_options, ROW_CODE(mfi, HIGH_LOW_CLOSE | INDICATOR_VOLUME, 1) },
    { "obv", "", "on-balance volume",
      "Begins as the first volume; then adds the volume when the close rises, takes it off when it "
      "falls. Depends on where it begins.",
      "TA-Lib OBV", .options = obv_options, ROW_CODE(obv, CLOSES | INDICATOR_VOLUME, 1) },
    { "ad", "", "accumulation and distribution",
      "Adds ((close - low) - (high - close))/(high - low) volume, nothing for an empty range. "
      "Depends "
      "on where it begins.",
      "TA-Lib AD", .options = ad_options, ROW_CODE(ad, HIGH_LOW_CLOSE | INDICATOR_VOLUME, 1) },
    { "adosc", "", "Chaikin's oscillator",
      "EMA(fast) - EMA(slow) of ad, both begun with its first value.", "TA-Lib ADOSC",
      .options = adosc_options, ROW_CODE(adosc, HIGH_LOW_CLOSE | INDICATOR_VOLUME, 1) },
    { "vwap", "", "volume-weighted average price",
      "sum(t volume)/sum(volume), t = (high+low+close)/3, since 00:00 UTC or over n bars; "
      "undefined "
      "without volume.",
      "definition; pandas_ta vwap (day)", .options = vwap_options,
      ROW_CODE(vwap, INDICATOR_TIME | HIGH_LOW_CLOSE | INDICATOR_VOLUME, 1) },
    { .name = NULL },
};
