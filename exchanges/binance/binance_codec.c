/* The wire protocol of Binance spot: its rules and functions in one table. */
#include "exchanges/binance/binance.h"

static const struct rate_limit limits[] = {
    [BINANCE_WEIGHT] = { "request_weight", false, 6000, 60000, "X-MBX-USED-WEIGHT-1M" },
    [BINANCE_ORDERS_10S] = { "orders_10s", true, 100, 10000, "X-MBX-ORDER-COUNT-10S" },
    [BINANCE_ORDERS_DAY] = { "orders_day", true, 200000, 86400000, "X-MBX-ORDER-COUNT-1D" },
};

const struct codec codec_binance = {
    .name = "binance",
    .live = { .rest = "https://api.binance.com",
              .stream = "wss://stream.binance.com:9443",
              .ws_api = "wss://ws-api.binance.com:443/ws-api/v3" },
    .limits = limits,
    .limit_count = FLT_COUNT(limits),
    .stream = { .messages_per_s = 4, /* of 5; our pongs count, too */
                .channels_max = 1024,
                .channels_per_message = 100,
                .life_ms = 86400000 },
    .receive_window_ms = 2000,
    .supports = binance_supports,
    .cost = binance_cost,
    .build = binance_build,
    .parse = binance_parse,
    .stream_url = binance_stream_url,
    .subscribe = binance_subscribe,
    .login = binance_login,
    .frame = binance_frame,
};
