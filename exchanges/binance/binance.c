/* The venue "binance" (spot): its codec behind the shared transport. */
#include "exchanges/transport/transport.h"

extern const struct codec codec_binance;
extern const struct exchange_ops exchange_binance;

static int binance_market_open(const struct exchange_env *env, const struct exchange_urls *urls,
                               const struct exchange_market_events *events,
                               struct exchange_market **out)
{
    return transport_market_open(&exchange_binance, &codec_binance, env, urls, events, out);
}

const struct exchange_ops exchange_binance = { .name = "binance",
                                               .market_open = binance_market_open,
                                               TRANSPORT_OPS };
