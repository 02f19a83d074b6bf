/* The venues of a node: one market-data connection each, shared by all bots, and one connection per
 * trading account. Routes what comes in to the bots that asked for it.
 *
 * Market data goes to listeners by instrument; account events go to the account's listener as they
 * are (botnode/accounts.h finds the bot). Thread: the loop's. */
#pragma once
#include "exchanges/exchange.h"
#include "lib/attr.h"

struct venues;
struct venue;

struct venue_urls { /* of one venue, from the node's configuration; borrowed strings */
    const char *name;
    struct exchange_urls urls;
};

/* One leg of one bot. Memory is the bot's; it stays valid from venue_listen to venue_unlisten. */
struct feed_listener {
    void *ctx;
    unsigned leg;
    unsigned feeds; /* enum feed bits */
    void (*on_quote)(void *ctx, unsigned leg, const struct quote *quote, int64_t received_ns);
    void (*on_trade)(void *ctx, unsigned leg, const struct trade *trade, int64_t received_ns);
    void (*on_bar)(void *ctx, unsigned leg, const struct bar *bar, int64_t received_ns);
    struct feed_listener *next; /* the venue's */
};

/* `on_change` is called when a venue's instruments arrive or its link goes up or down. */
FLT_MUST_USE int venues_create(const struct exchange_env *env, const struct venue_urls *urls,
                               size_t count, void (*on_change)(void *ctx, struct venue *venue),
                               void *ctx, struct venues **out);
void venues_destroy(struct venues *venues); /* accounts on them must be closed before */

/* Opens the venue at its first use; "paper" is the market of the venue that paper trades on.
 * -ENOENT: no such venue, or no addresses for it. */
FLT_MUST_USE int venues_get(struct venues *venues, const char *name, struct venue **out);

const struct exchange_ops *venue_ops(const struct venue *venue);
struct exchange_market *venue_market(const struct venue *venue);
const char *venue_name(const struct venue *venue);
bool venue_is_ready(const struct venue *venue);   /* instruments are there */
bool venue_link_is_up(const struct venue *venue); /* market streams are connected */
/* By our name; NULL: not there (yet, see venue_is_ready). */
const struct instrument *venue_instrument(const struct venue *venue, const char *name);

/* The newest quote is passed at once, if there is one. */
FLT_MUST_USE int venue_listen(struct venue *venue, const struct instrument *instrument,
                              struct feed_listener *listener);
void venue_unlisten(struct venue *venue, const struct instrument *instrument,
                    struct feed_listener *listener);

/* How a venue stands that somebody listens to. */
struct venue_view {
    const char *name, *reason; /* reason: why it is down; "" when it is not known */
    bool up;
    int64_t heard_ns; /* monotonic time of the last market data; 0: never */
};
size_t venues_view(const struct venues *venues, struct venue_view *out, size_t max);

struct venue_stats {
    uint64_t events; /* market events received */
    size_t instruments, listeners;
};
/* By how much the clock of a venue is ahead of ours (the wall's), the worst of all; 0: none is
 * open. */
int64_t venues_clock_offset_ms(const struct venues *venues);
void venues_get_stats(const struct venues *venues, struct venue_stats *out);
