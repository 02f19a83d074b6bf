/* Which way prices go: trend strength, trend lines, and candles made of averages. */
#include "strategies/indicators/kernel.h"

/* --- adx
 * ---------------------------------------------------------------------------------------------- */

struct adx {
    int64_t bars, period, high_ticks, low_ticks;
    bool pandas;
    struct true_range range;
    struct smooth plus, minus, tr, adx; /* pandas; talib uses adx only, and these sums: */
    double plus_sum, minus_sum, tr_sum, plus_di, minus_di, dx;
    struct total before; /* adx of the last n - 1 bars, for adxr */
};

static const struct indicator_option adx_options[] = {
    OPTION_PERIOD(14, 2, "bars"),
    OPTION_SEED("Wilder's running sums, or pandas' adjusted weights"),
    OPTION_END,
};
static const char *const adx_outputs[] = { "adx", "plus_di", "minus_di", "dx", "adxr", NULL };

static size_t adx_first(const double *option)
{
    return (size_t)option[0] * 3 - 1; /* adxr; adx is there after 2 n, the others after n + 1 */
}

static size_t adx_settle(const double *option)
{
    return (size_t)option[0] * 22;
}

static size_t adx_init(void *state, const double *option)
{
    const int64_t n = (int64_t)option[0];
    INDICATOR_STATE(struct adx, adx, state);

    adx->period = n;
    adx->pandas = option[1] > 0;
    rma_start(&adx->plus, n, SEED_WEIGHTED);
    rma_start(&adx->minus, n, SEED_WEIGHTED);
    rma_start(&adx->tr, n, SEED_WEIGHTED);
    rma_start(&adx->adx, n, adx->pandas ? SEED_WEIGHTED : SEED_MEAN);
    total_init(&adx->before, &arena, n - 1);
    return arena.used;
}

/* Sums over the first n - 1 moves, then s = s - s/n + x. */
BLOCK bool adx_talib(struct adx *adx, double plus, double minus, double range)
{
    const double n = (double)adx->period;
    const bool running = adx->bars >= adx->period;

    adx->plus_sum += plus - (running ? adx->plus_sum / n : 0);
    adx->minus_sum += minus - (running ? adx->minus_sum / n : 0);
    adx->tr_sum += range - (running ? adx->tr_sum / n : 0);
    if (!running)
        return false;
    adx->plus_di = IS_ZERO(adx->tr_sum) ? 0 : 100.0 * (adx->plus_sum / adx->tr_sum);
    adx->minus_di = IS_ZERO(adx->tr_sum) ? 0 : 100.0 * (adx->minus_sum / adx->tr_sum);
    return true;
}

BLOCK bool adx_pandas(struct adx *adx, double plus, double minus, double range)
{
    const double p = smooth_next(&adx->plus, plus), m = smooth_next(&adx->minus, minus);
    const double r = smooth_next(&adx->tr, range);

    if (isnan(p))
        return false;
    adx->plus_di = IS_ZERO(r) ? 0 : 100.0 * (p / r);
    adx->minus_di = IS_ZERO(r) ? 0 : 100.0 * (m / r);
    return true;
}

/* Without any direction TA-Lib keeps the last ADX; while that is being seeded the bar counts as 0.
 */
BLOCK double adx_next(struct adx *adx)
{
    const double both = adx->plus_di + adx->minus_di;

    if (!IS_ZERO(both))
        adx->dx = 100.0 * (fabs(adx->plus_di - adx->minus_di) / both);
    else if (adx->adx.count >= adx->period)
        return adx->adx.value;
    return smooth_next(&adx->adx, IS_ZERO(both) ? 0.0 : adx->dx);
}

BLOCK void adx_step(struct adx *adx, const struct bar *bar, double tick, double *out)
{
    const int64_t up = bar->high_ticks - adx->high_ticks, down = adx->low_ticks - bar->low_ticks;
    int64_t range;
    const bool moved = true_range_next(&adx->range, bar, &range);

    adx->high_ticks = bar->high_ticks;
    adx->low_ticks = bar->low_ticks;
    out[0] = out[1] = out[2] = out[3] = out[4] = UNDEFINED;
    adx->bars += moved;
    if (!moved)
        return;
    const double plus = up > down && up > 0 ? (double)up * tick : 0.0;
    const double minus = down > up && down > 0 ? (double)down * tick : 0.0;

    if (!(adx->pandas ? adx_pandas(adx, plus, minus, (double)range * tick)
                      : adx_talib(adx, plus, minus, (double)range * tick)))
        return;
    out[0] = adx_next(adx);
    out[1] = adx->plus_di;
    out[2] = adx->minus_di;
    out[3] = adx->dx;
    if (isnan(out[0]))
        return;
    const double old = total_data(&adx->before)[adx->before.at];

    if (total_full(&adx->before))
        out[4] = (out[0] + old) / 2;
    total_push(&adx->before, out[0]);
}

KERNEL(adx, HIGH_LOW_CLOSE, 5)

/* --- supertrend
 * --------------------------------------------------------------------------------------- */

struct supertrend {
    bool tradingview, down;
    double times, close, upper, lower; /* close and carried bands of the bar before */
    struct true_range range;
    struct smooth atr;
};

static const struct indicator_option supertrend_options[] = {
    OPTION_PERIOD(10, 1, "bars of the ATR"),
    OPTION_NUMBER("multiplier", 3, 0.01, 100, "ATRs to each band"),
    OPTION_CHOICE("rules", "pandas|tradingview", "how bands are carried and where it starts"),
    OPTION_SEED("of the ATR"),
    OPTION_END,
};
static const char *const supertrend_outputs[] = { "line", "direction", NULL };

static size_t supertrend_first(const double *option)
{
    return (size_t)option[0] + 1;
}

static size_t supertrend_settle(const double *option) /* the next turn ends what the start left */
{
    return (size_t)option[0] * 20;
}

static size_t supertrend_init(void *state, const double *option)
{
    INDICATOR_STATE(struct supertrend, trend, state);
    trend->times = option[1];
    trend->tradingview = option[2] > 0;
    trend->down = trend->tradingview;
    trend->upper = trend->lower = UNDEFINED;
    rma_start(&trend->atr, (int64_t)option[0], option[3] > 0 ? SEED_WEIGHTED : SEED_MEAN);
    return arena.used;
}

/* pandas_ta: a turn looks at the carried bands of the bar before, and does not carry its own. */
BLOCK void supertrend_pandas(struct supertrend *trend, double close, double upper, double lower)
{
    if (close > trend->upper)
        trend->down = false;
    else if (close < trend->lower)
        trend->down = true;
    else if (!trend->down && lower < trend->lower)
        lower = trend->lower;
    else if (trend->down && upper > trend->upper)
        upper = trend->upper;
    trend->upper = upper;
    trend->lower = lower;
}

/* Pine's ta.supertrend: bands are carried first, then a turn looks at this bar's. */
BLOCK void supertrend_pine(struct supertrend *trend, double close, double upper, double lower)
{
    const bool first = isnan(trend->upper);

    if (!first && !(lower > trend->lower || trend->close < trend->lower))
        lower = trend->lower;
    if (!first && !(upper < trend->upper || trend->close > trend->upper))
        upper = trend->upper;
    if (!first)
        trend->down = trend->down ? !(close > upper) : close < lower;
    trend->upper = upper;
    trend->lower = lower;
}

BLOCK void supertrend_step(struct supertrend *trend, const struct bar *bar, double tick,
                           double *out)
{
    const double close = (double)bar->close_ticks * tick;
    const double middle = (double)(bar->high_ticks + bar->low_ticks) / 2 * tick;
    int64_t range;
    const bool moved = true_range_next(&trend->range, bar, &range);
    const double atr = moved ? smooth_next(&trend->atr, (double)range * tick) : UNDEFINED;

    out[0] = out[1] = UNDEFINED;
    if (!isnan(atr)) {
        const double upper = middle + trend->times * atr, lower = middle - trend->times * atr;

        if (trend->tradingview)
            supertrend_pine(trend, close, upper, lower);
        else
            supertrend_pandas(trend, close, upper, lower);
        out[0] = trend->down ? trend->upper : trend->lower;
        out[1] = trend->down ? -1 : 1;
    }
    trend->close = close;
}

KERNEL(supertrend, HIGH_LOW_CLOSE, 2)

/* --- ichimoku
 * ----------------------------------------------------------------------------------------- */

struct ichimoku {
    int64_t bars, a_from, b_from;
    struct range tenkan, kijun, senkou;
    struct ring a, b; /* senkou a in quarters of a tick, b in halves, as drawn later */
};

static const struct indicator_option ichimoku_options[] = {
    OPTION_BARS("tenkan", 9, 1, "bars of the conversion line"),
    OPTION_BARS("kijun", 26, 1, "bars of the base line"),
    OPTION_BARS("senkou", 52, 1, "bars of leading span b"),
    OPTION_BARS("displacement", 26, 1, "bars by which the leading spans are drawn later"),
    OPTION_END,
};
static const char *const ichimoku_outputs[] = { "tenkan",   "kijun",        "senkou_a",
                                                "senkou_b", "senkou_a_raw", "senkou_b_raw",
                                                NULL };

static size_t ichimoku_first(const double *option)
{
    double most = option[0] > option[1] ? option[0] : option[1];

    most = option[2] > most ? option[2] : most;
    return (size_t)(most + option[3]);
}

#define ichimoku_settle ichimoku_first

static size_t ichimoku_init(void *state, const double *option)
{
    INDICATOR_STATE(struct ichimoku, ichimoku, state);
    range_init(&ichimoku->tenkan, &arena, (int64_t)option[0]);
    range_init(&ichimoku->kijun, &arena, (int64_t)option[1]);
    range_init(&ichimoku->senkou, &arena, (int64_t)option[2]);
    ring_init(&ichimoku->a, &arena, (int64_t)option[3]);
    ring_init(&ichimoku->b, &arena, (int64_t)option[3]);
    ichimoku->a_from = (int64_t)(option[0] > option[1] ? option[0] : option[1]);
    ichimoku->b_from = (int64_t)option[2];
    return arena.used;
}

BLOCK void ichimoku_step(struct ichimoku *ichimoku, const struct bar *bar, double tick, double *out)
{
    const int64_t bars = ++ichimoku->bars, late = ichimoku->a.size;
    int64_t high, low;
    const bool tenkan_is = range_push(&ichimoku->tenkan, bar, &high, &low);
    const int64_t tenkan = high + low;
    const bool kijun_is = range_push(&ichimoku->kijun, bar, &high, &low);
    const int64_t kijun = high + low;
    const bool senkou_is = range_push(&ichimoku->senkou, bar, &high, &low);
    const int64_t senkou = high + low;
    const int64_t a = ring_push(&ichimoku->a, tenkan + kijun);
    const int64_t b = ring_push(&ichimoku->b, senkou);

    out[0] = tenkan_is ? (double)tenkan / 2 * tick : UNDEFINED;
    out[1] = kijun_is ? (double)kijun / 2 * tick : UNDEFINED;
    out[2] = bars >= ichimoku->a_from + late ? (double)a / 4 * tick : UNDEFINED;
    out[3] = bars >= ichimoku->b_from + late ? (double)b / 2 * tick : UNDEFINED;
    out[4] = tenkan_is && kijun_is ? (double)(tenkan + kijun) / 4 * tick : UNDEFINED;
    out[5] = senkou_is ? (double)senkou / 2 * tick : UNDEFINED;
}

KERNEL(ichimoku, HIGH_LOW, 6)

/* --- heikin_ashi
 * -------------------------------------------------------------------------------------- */

struct heikin_ashi {
    int64_t bars;
    double open, close;
};

static const struct indicator_option heikin_ashi_options[] = { OPTION_END };
static const char *const heikin_ashi_outputs[] = { "open", "high", "low", "close", NULL };

static size_t heikin_ashi_first(const double *option)
{
    (void)option;
    return 1;
}

static size_t heikin_ashi_settle(const double *option) /* each bar halves what the first left */
{
    (void)option;
    return 60;
}

static size_t heikin_ashi_init(void *state, const double *option)
{
    INDICATOR_STATE(struct heikin_ashi, ha, state);
    (void)option;
    return arena.used;
}

BLOCK void heikin_ashi_step(struct heikin_ashi *ha, const struct bar *bar, double tick, double *out)
{
    const double open = (double)bar->open_ticks, close = (double)bar->close_ticks;
    const double high = (double)bar->high_ticks, low = (double)bar->low_ticks;

    ha->open = ha->bars++ == 0 ? (open + close) / 2 : (ha->open + ha->close) / 2;
    ha->close = (open + high + low + close) / 4;
    out[0] = ha->open * tick;
    out[1] = fmax(high, fmax(ha->open, ha->close)) * tick;
    out[2] = fmin(low, fmin(ha->open, ha->close)) * tick;
    out[3] = ha->close * tick;
}

KERNEL(heikin_ashi, INDICATOR_OPEN | HIGH_LOW_CLOSE, 4)

const struct indicator indicators_trend[] = {
    { "adx", "dmi", "average directional index, with +DI and -DI",
      "Moves: up = high - high before if it is the larger of the two and positive, down likewise. "
      "seed=talib: sums of the first n-1 moves and ranges, then s = s - s/n + x; DI = 100 "
      "move/range; "
      "dx = 100 |+DI - -DI|/(+DI + -DI); adx begins as the mean of n dx, then Wilder's; adxr = "
      "(adx + "
      "adx n-1 bars ago)/2. seed=pandas: all four averages with weights (1-1/n)^age.",
      "TA-Lib ADX, DX, PLUS_DI, MINUS_DI, ADXR; pandas_ta 0.3.14b", .options = adx_options,
      ROW_CODE(adx, HIGH_LOW_CLOSE, 5) },
    { "supertrend", "", "SuperTrend line and direction (+1 up, -1 down)",
      "Bands (high+low)/2 +- multiplier * ATR. rules=pandas: close above the upper band carried "
      "from "
      "the bar before turns up, below the lower turns down, else the band behind the trend never "
      "retreats; a turn's fresh band is not carried; starts up. rules=tradingview: final bands are "
      "carried first, and compared with this close; starts down.",
      "pandas_ta supertrend; Pine ta.supertrend", .options = supertrend_options,
      ROW_CODE(supertrend, HIGH_LOW_CLOSE, 2) },
    { "ichimoku", "", "Ichimoku Kinko Hyo",
      "Middles of the range of the last tenkan, kijun and senkou bars; senkou_a_raw = (tenkan + "
      "kijun)/2; senkou_a and senkou_b are the raw spans of `displacement` bars ago, as drawn at "
      "this "
      "bar. The chikou span is this close drawn earlier: it looks ahead, so it is not here.",
      "Hosoda", .options = ichimoku_options, ROW_CODE(ichimoku, HIGH_LOW, 6) },
    { "heikin_ashi", "ha", "Heikin-Ashi candles",
      "close = (o+h+l+c)/4; open = (open + close of the Heikin-Ashi bar before)/2, first (o+c)/2; "
      "high "
      "and low include both.",
      "Valcu 2004", .options = heikin_ashi_options,
      ROW_CODE(heikin_ashi, INDICATOR_OPEN | HIGH_LOW_CLOSE, 4) },
    { .name = NULL },
};
