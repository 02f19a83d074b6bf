#include "lib/market.h"
#include <string.h>

static const char *const side_names[] = { "buy", "sell" };
static const char *const order_type_names[] = { "limit", "market" };
static const char *const tif_names[] = { "gtc", "ioc", "fok" };
static const char *const liquidity_names[] = { "unknown", "maker", "taker" };
static const char *const order_status_names[] = { "open",      "partly_filled", "filled",
                                                  "cancelled", "rejected",      "expired" };

static const char *name_at(const char *const *names, size_t count, unsigned index)
{
    return index < count ? names[index] : "?";
}

/* The index of `text`, or -1. */
static int find(const char *const *names, size_t count, const char *text)
{
    for (size_t i = 0; text && i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return (int)i;
    return -1;
}

const char *side_name(enum side side)
{
    return name_at(side_names, FLT_COUNT(side_names), side);
}

const char *order_type_name(enum order_type type)
{
    return name_at(order_type_names, FLT_COUNT(order_type_names), type);
}

const char *tif_name(enum tif tif)
{
    return name_at(tif_names, FLT_COUNT(tif_names), tif);
}

const char *liquidity_name(enum liquidity liquidity)
{
    return name_at(liquidity_names, FLT_COUNT(liquidity_names), liquidity);
}

const char *order_status_name(enum order_status status)
{
    return name_at(order_status_names, FLT_COUNT(order_status_names), status);
}

bool side_parse(const char *text, enum side *out)
{
    const int i = find(side_names, FLT_COUNT(side_names), text);

    if (i >= 0)
        *out = (enum side)i;
    return i >= 0;
}

bool order_type_parse(const char *text, enum order_type *out)
{
    const int i = find(order_type_names, FLT_COUNT(order_type_names), text);

    if (i >= 0)
        *out = (enum order_type)i;
    return i >= 0;
}

bool tif_parse(const char *text, enum tif *out)
{
    const int i = find(tif_names, FLT_COUNT(tif_names), text);

    if (i >= 0)
        *out = (enum tif)i;
    return i >= 0;
}

bool liquidity_parse(const char *text, enum liquidity *out)
{
    const int i = find(liquidity_names, FLT_COUNT(liquidity_names), text);

    if (i >= 0)
        *out = (enum liquidity)i;
    return i >= 0;
}

bool order_status_parse(const char *text, enum order_status *out)
{
    const int i = find(order_status_names, FLT_COUNT(order_status_names), text);

    if (i >= 0)
        *out = (enum order_status)i;
    return i >= 0;
}

int64_t price_to_ticks(const struct instrument *instrument, struct flt_dec price,
                       enum flt_round round)
{
    return flt_dec_units(price, instrument->tick, round);
}

int64_t qty_to_lots(const struct instrument *instrument, struct flt_dec qty, enum flt_round round)
{
    return flt_dec_units(qty, instrument->lot, round);
}

struct flt_dec ticks_to_price(const struct instrument *instrument, int64_t ticks)
{
    return flt_dec_times(instrument->tick, ticks);
}

struct flt_dec lots_to_qty(const struct instrument *instrument, int64_t lots)
{
    return flt_dec_times(instrument->lot, lots);
}

int64_t timeframe_ms(const char *text)
{
    static const struct {
        const char *name;
        int64_t ms;
    } timeframes[] = {
        { "1m", 60000 },     { "5m", 300000 },    { "15m", 900000 },   { "1h", 3600000 },
        { "4h", 14400000 },  { "1d", 86400000 },  { "1s", 1000 },      { "3m", 180000 },
        { "30m", 1800000 },  { "2h", 7200000 },   { "6h", 21600000 },  { "8h", 28800000 },
        { "12h", 43200000 }, { "3d", 259200000 }, { "1w", 604800000 },
    };

    for (size_t i = 0; text && i < FLT_COUNT(timeframes); i++)
        if (strcmp(text, timeframes[i].name) == 0)
            return timeframes[i].ms;
    return 0;
}
