#include <stdio.h>
#include <string.h>
#include "exchanges/sim/sim.h"

char *sim_num(struct flt_amt value, char *out)
{
    static const flt_i128 unit = 10000000000; /* 18 decimals to 8 */
    const bool negative = value.units < 0;
    flt_i128 rest = (negative ? -value.units : value.units) / unit;
    char text[SIM_NUM_MAX];
    size_t at = sizeof text - 1;

    text[at] = '\0';
    for (int digits = 0; digits < 9 || rest > 0; digits++) {
        if (digits == 8)
            text[--at] = '.';
        text[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    if (negative)
        text[--at] = '-';
    memcpy(out, text + at, sizeof text - at);
    return out;
}

void sim_jw_amt(struct flt_buf *buf, const char *key, struct flt_amt value)
{
    char text[SIM_NUM_MAX];

    flt_jw_str(buf, key, sim_num(value, text));
}

struct flt_amt sim_price_amt(const struct sim_market *market, int64_t ticks)
{
    return flt_amt_from_dec(ticks_to_price(&market->instrument, ticks));
}

struct flt_amt sim_qty_amt(const struct sim_market *market, int64_t lots)
{
    return flt_amt_from_dec(lots_to_qty(&market->instrument, lots));
}

static flt_i128 ten_to(int power)
{
    flt_i128 value = 1;

    while (power-- > 0)
        value *= 10;
    return value;
}

/* ticks * lots to quote, exact: tick and lot have up to 9 decimals each here. */
struct flt_amt sim_cost_amt(const struct sim_market *market, flt_i128 cost)
{
    const struct flt_dec tick = market->instrument.tick, lot = market->instrument.lot;
    const int scale = tick.scale + lot.scale;

    if (scale > FLT_AMT_SCALE)
        return FLT_AMT_BAD;
    return (struct flt_amt){ cost * tick.coef * lot.coef * ten_to(FLT_AMT_SCALE - scale) };
}

void sim_jw_price(struct flt_buf *buf, const char *key, const struct sim_market *market,
                  int64_t ticks)
{
    sim_jw_amt(buf, key, sim_price_amt(market, ticks));
}

void sim_jw_qty(struct flt_buf *buf, const char *key, const struct sim_market *market, int64_t lots)
{
    sim_jw_amt(buf, key, sim_qty_amt(market, lots));
}

void sim_jw_cost(struct flt_buf *buf, const char *key, const struct sim_market *market,
                 flt_i128 cost)
{
    sim_jw_amt(buf, key, sim_cost_amt(market, cost));
}

void sim_jw_levels(struct flt_buf *buf, const char *key, const struct sim_market *market,
                   const struct match_level *levels, size_t count)
{
    flt_jw_begin(buf, key, '[');
    for (size_t i = 0; i < count; i++) {
        flt_jw_begin(buf, NULL, '[');
        sim_jw_price(buf, NULL, market, levels[i].price_ticks);
        sim_jw_qty(buf, NULL, market, levels[i].qty_lots);
        flt_jw_end(buf, ']');
    }
    flt_jw_end(buf, ']');
}

const char *sim_type_name(enum sim_type type)
{
    static const char *const names[] = { "LIMIT", "MARKET", "LIMIT_MAKER" };

    return names[type];
}

const char *sim_status_name(enum sim_status status)
{
    static const char *const names[] = { "NEW",      "PARTIALLY_FILLED", "FILLED",
                                         "CANCELED", "EXPIRED",          "EXPIRED_IN_MATCH" };

    return names[status];
}

const char *sim_stp_name(enum sim_stp stp)
{
    static const char *const names[] = { "NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH" };

    return names[stp];
}

const char *sim_tif_name(enum tif tif)
{
    return tif == TIF_IOC ? "IOC" : tif == TIF_FOK ? "FOK" : "GTC";
}

const char *sim_side_name(enum side side)
{
    return side == SIDE_BUY ? "BUY" : "SELL";
}

#define MIN_MS ((int64_t)60000)
const struct sim_interval sim_intervals[16] = {
    { "1s", 1000 },           { "1m", MIN_MS },
    { "3m", 3 * MIN_MS },     { "5m", 5 * MIN_MS },
    { "15m", 15 * MIN_MS },   { "30m", 30 * MIN_MS },
    { "1h", 60 * MIN_MS },    { "2h", 120 * MIN_MS },
    { "4h", 240 * MIN_MS },   { "6h", 360 * MIN_MS },
    { "8h", 480 * MIN_MS },   { "12h", 720 * MIN_MS },
    { "1d", 1440 * MIN_MS },  { "3d", 4320 * MIN_MS },
    { "1w", 10080 * MIN_MS }, { "1M", 0 },
};

int sim_interval_find(const char *name)
{
    for (int i = 0; i < (int)FLT_COUNT(sim_intervals); i++)
        if (strcmp(sim_intervals[i].name, name) == 0)
            return i;
    return -1;
}

static int64_t month_open(int64_t ts_ms, int add)
{
    char text[FLT_ISO_MAX];
    int year = 1970, month = 1;

    flt_iso_format(ts_ms, text);
    (void)sscanf(text, "%d-%d", &year, &month);
    month += add;
    if (month > 12) {
        month -= 12;
        year++;
    }
    snprintf(text, sizeof text, "%04d-%02d-01", year % 10000, month % 100);
    return flt_iso_parse(text);
}

int64_t sim_interval_open(int interval, int64_t ts_ms)
{
    const int64_t step = sim_intervals[interval].step_ms;

    return step ? sim_kline_open(ts_ms, step) : month_open(ts_ms, 0);
}

int64_t sim_interval_close(int interval, int64_t open_ms)
{
    const int64_t step = sim_intervals[interval].step_ms;

    return (step ? open_ms + step : month_open(open_ms, 1)) - 1;
}

/* Walks the kept candles oldest first and sums them into the wanted interval. */
size_t sim_klines(const struct sim_market *market, int interval, int64_t from_ms, int64_t to_ms,
                  struct sim_kline *out, size_t max)
{
    const struct sim_candles *base = interval == 0 ? &market->seconds : &market->minutes;
    size_t count = 0, back = base->count;

    if (from_ms < 0 && max > 0) { /* the newest: begin as late as gives `max` of them */
        const struct sim_kline *newest = sim_candles_back(base, 0);
        const int64_t step = sim_intervals[interval].step_ms;
        const int64_t until = newest && newest->ts_ms < to_ms ? newest->ts_ms : to_ms;

        from_ms = step ? sim_interval_open(interval, until) - ((int64_t)max - 1) * step : 0;
    }
    while (back > 0) {
        const struct sim_kline *kline = sim_candles_back(base, --back);
        const int64_t open = sim_interval_open(interval, kline->ts_ms);

        if (open < from_ms || open > to_ms)
            continue;
        if (count > 0 && out[count - 1].ts_ms == open) {
            sim_kline_merge(&out[count - 1], kline);
            continue;
        }
        if (count == max)
            break;
        out[count] = *kline;
        out[count++].ts_ms = open;
    }
    return count;
}
