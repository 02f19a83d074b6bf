/* The plain types of trading that all parts share: instrument, bar, quote, trade, order, fill,
 * balance. Their JSON forms are in schemas/ and use the same names; decimals are strings there.
 *
 * An instrument is known by its index in a table (struct instrument *) that its owner keeps; in hot
 * loops a price is an int64_t count of its ticks, a quantity a count of its lots. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/amt.h"
#include "lib/dec.h"
#include "lib/ids.h"

#define INSTRUMENT_NAME_MAX 32 /* "BTC-USDT", "BTC-USDT-PERP", and NUL */
#define ASSET_MAX 16
#define VENUE_MAX 24
#define ORDER_ID_MAX 48 /* the venue's, as text */

enum instrument_kind { INSTRUMENT_SPOT, INSTRUMENT_PERP };
enum instrument_status { INSTRUMENT_TRADING, INSTRUMENT_HALTED, INSTRUMENT_DELISTED };

struct instrument {
    char name[INSTRUMENT_NAME_MAX];         /* ours: "BTC-USDT" */
    char venue_symbol[INSTRUMENT_NAME_MAX]; /* the venue's: "BTCUSDT" */
    enum instrument_kind kind;
    enum instrument_status status;
    char base[ASSET_MAX], quote[ASSET_MAX];
    struct flt_dec tick, lot;            /* steps of price and quantity, above zero */
    struct flt_dec qty_min, qty_max;     /* zero: no limit */
    struct flt_dec price_min, price_max; /* zero: no limit */
    struct flt_dec notional_min;         /* in quote; zero: no limit */
    struct flt_dec contract_size;        /* 1 on spot */
    struct flt_dec fee_maker, fee_taker; /* rates, 0.001 is 10 bps; the account's may differ */
};

enum side { SIDE_BUY, SIDE_SELL };
enum order_type { ORDER_LIMIT, ORDER_MARKET };
enum tif { TIF_GTC, TIF_IOC, TIF_FOK };
enum liquidity { LIQUIDITY_UNKNOWN, LIQUIDITY_MAKER, LIQUIDITY_TAKER };

/* What a venue says an order is. engine/order_state.h has the states we add (intended, unknown). */
enum order_status {
    ORDER_STATUS_OPEN,
    ORDER_STATUS_PARTLY_FILLED,
    ORDER_STATUS_FILLED,
    ORDER_STATUS_CANCELLED,
    ORDER_STATUS_REJECTED,
    ORDER_STATUS_EXPIRED
};

const char *side_name(enum side side); /* "buy", "sell": the words of the JSON forms */
const char *order_type_name(enum order_type type);
const char *tif_name(enum tif tif);
const char *liquidity_name(enum liquidity liquidity);
const char *order_status_name(enum order_status status);
bool side_parse(const char *text, enum side *out);
bool order_type_parse(const char *text, enum order_type *out);
bool tif_parse(const char *text, enum tif *out);
bool liquidity_parse(const char *text, enum liquidity *out);
bool order_status_parse(const char *text, enum order_status *out);

static inline enum side side_opposite(enum side side)
{
    return side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

static inline bool order_status_is_final(enum order_status status)
{
    return status >= ORDER_STATUS_FILLED;
}

struct bar {
    int64_t ts_ms; /* open time; the bar is visible once ts_ms + timeframe has passed */
    int64_t open_ticks, high_ticks, low_ticks, close_ticks;
    double volume; /* base asset; for indicators only */
};

struct quote { /* best bid and ask */
    int64_t ts_ms;
    int64_t bid_ticks, ask_ticks; /* 0: that side is empty */
    int64_t bid_lots, ask_lots;
};

struct trade { /* a public one */
    int64_t ts_ms;
    int64_t trade_id;
    int64_t price_ticks;
    int64_t qty_lots;
    enum side aggressor;
};

struct order_request {
    const struct instrument *instrument; /* borrowed; outlives the venue connection */
    char client_order_id[FLT_COID_MAX];
    enum side side;
    enum order_type type;
    enum tif tif;
    bool post_only;
    bool reduce_only;
    struct flt_dec price; /* ignored for market orders */
    struct flt_dec qty;   /* base asset */
};

struct order {
    char instrument[INSTRUMENT_NAME_MAX];
    char order_id[ORDER_ID_MAX];
    char client_order_id[FLT_COID_MAX]; /* as the venue has it; may be somebody else's */
    enum side side;
    enum order_type type;
    enum tif tif;
    bool post_only, reduce_only;
    enum order_status status;
    struct flt_dec price, qty;
    struct flt_dec filled_qty;
    struct flt_dec average_price; /* zero while nothing is filled; derived, never truth */
    int64_t ts_ms;                /* the venue's last change */
};

struct fill {
    char instrument[INSTRUMENT_NAME_MAX];
    char trade_id[ORDER_ID_MAX];
    char order_id[ORDER_ID_MAX];
    char client_order_id[FLT_COID_MAX]; /* "" where the venue does not say (Binance's myTrades) */
    enum side side;
    struct flt_dec price, qty;
    struct flt_amt fee; /* above zero: paid; as sent by the venue, never recomputed */
    char fee_asset[ASSET_MAX];
    enum liquidity liquidity;
    int64_t ts_ms;
};

struct balance {
    char asset[ASSET_MAX];
    struct flt_amt free, locked;
};

/* Ticks and lots of an instrument; INT64_MIN when the value is bad or does not fit. */
int64_t price_to_ticks(const struct instrument *instrument, struct flt_dec price,
                       enum flt_round round);
int64_t qty_to_lots(const struct instrument *instrument, struct flt_dec qty, enum flt_round round);
struct flt_dec ticks_to_price(const struct instrument *instrument, int64_t ticks);
struct flt_dec lots_to_qty(const struct instrument *instrument, int64_t lots);
/* "1m" -> 60000; 0: not a timeframe we know. 1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w. */
int64_t timeframe_ms(const char *text);
