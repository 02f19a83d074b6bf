/* What every venue's `struct exchange_market` begins with, so that the paper venue can stand on any
 * of them: the table it belongs to, what it shares with the process, and who else listens.
 *
 * A tap gets the same events as the owner, before it: a paper fill is then on its way when the bot
 * looks. Thread: the loop's. */
#pragma once
#include "exchanges/exchange.h"

struct market_tap {
    void *ctx;
    void (*on_quote)(void *ctx, const struct instrument *instrument, const struct quote *quote);
    void (*on_trade)(void *ctx, const struct instrument *instrument, const struct trade *trade);
    void (*on_link)(void *ctx, bool up, const char *reason);
    struct market_tap *next;
};

struct market_base {
    const struct exchange_ops *ops;
    struct exchange_env env;
    struct market_tap *taps;
    bool up;
};

/* A market is its base: the first member. */
static inline struct market_base *market_base(struct exchange_market *market)
{
    return (struct market_base *)market;
}

static inline void market_tap_add(struct exchange_market *market, struct market_tap *tap)
{
    tap->next = market_base(market)->taps;
    market_base(market)->taps = tap;
}

static inline void market_tap_remove(struct exchange_market *market, struct market_tap *tap)
{
    for (struct market_tap **at = &market_base(market)->taps; *at; at = &(*at)->next) {
        if (*at == tap) {
            *at = tap->next;
            return;
        }
    }
}
