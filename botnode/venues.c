#define FLT_MOD "venues"
#include "botnode/venues.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/fail.h"

#define VENUES_MAX 16
#define PAPER_SOURCE "binance" /* whose market data paper accounts trade on */
#define FEED_BUCKETS 1024 /* power of two; a node watches tens of instruments, rarely hundreds */

struct feed_row { /* one watched instrument */
    const struct instrument *instrument;
    struct feed_listener *listeners;
    struct quote quote;
    int64_t quote_received_ns;
    struct feed_row *next;
};

struct venue {
    struct venues *venues;
    const struct exchange_ops *ops;
    struct exchange_market *market;
    struct feed_row *rows[FEED_BUCKETS];
    bool ready, up;
    int64_t heard_ns;
    char reason[96]; /* why the link is down */
};

struct venues {
    struct exchange_env env;
    struct venue_urls urls[VENUES_MAX];
    size_t url_count;
    struct venue *open[VENUES_MAX];
    size_t open_count;
    void (*on_change)(void *ctx, struct venue *venue);
    void *ctx;
    struct venue_stats stats;
};

static size_t bucket_of(const struct instrument *instrument)
{
    /* Instruments are heap objects of a few hundred bytes: the low bits of the address say nothing.
     */
    return (size_t)(((uintptr_t)instrument * 0x9e3779b97f4a7c15u) >> 54) & (FEED_BUCKETS - 1);
}

static struct feed_row *row_find(const struct venue *venue, const struct instrument *instrument)
{
    struct feed_row *row = venue->rows[bucket_of(instrument)];

    while (row && row->instrument != instrument)
        row = row->next;
    return row;
}

static struct feed_row *row_get(struct venue *venue, const struct instrument *instrument)
{
    struct feed_row *row = row_find(venue, instrument);

    if (row)
        return row;
    row = calloc(1, sizeof *row);
    if (!row)
        return NULL;
    row->instrument = instrument;
    row->next = venue->rows[bucket_of(instrument)];
    venue->rows[bucket_of(instrument)] = row;
    venue->venues->stats.instruments++;
    return row;
}

static void market_on_instruments(void *ctx)
{
    struct venue *venue = ctx;

    venue->ready = true;
    venue->venues->on_change(venue->venues->ctx, venue);
}

static void heard(struct venue *venue, int64_t received_ns)
{
    venue->venues->stats.events++;
    venue->heard_ns = received_ns;
}

static void market_on_quote(void *ctx, const struct instrument *instrument,
                            const struct quote *quote, int64_t received_ns)
{
    struct venue *venue = ctx;
    struct feed_row *row = row_find(venue, instrument);

    heard(venue, received_ns);
    if (!row)
        return;
    row->quote = *quote;
    row->quote_received_ns = received_ns;
    for (struct feed_listener *at = row->listeners, *next; at; at = next) {
        next = at->next; /* a listener may leave in its call */
        if (at->feeds & FEED_QUOTE)
            at->on_quote(at->ctx, at->leg, quote, received_ns);
    }
}

static void market_on_trade(void *ctx, const struct instrument *instrument,
                            const struct trade *trade, int64_t received_ns)
{
    struct venue *venue = ctx;
    struct feed_row *row = row_find(venue, instrument);

    heard(venue, received_ns);
    for (struct feed_listener *at = row ? row->listeners : NULL, *next; at; at = next) {
        next = at->next;
        if (at->feeds & FEED_TRADE)
            at->on_trade(at->ctx, at->leg, trade, received_ns);
    }
}

static void market_on_bar(void *ctx, const struct instrument *instrument, const struct bar *bar,
                          bool closed, int64_t received_ns)
{
    struct venue *venue = ctx;
    struct feed_row *row = row_find(venue, instrument);

    heard(venue, received_ns);
    if (!closed)
        return; /* strategies see closed bars only */
    for (struct feed_listener *at = row ? row->listeners : NULL, *next; at; at = next) {
        next = at->next;
        if (at->feeds & FEED_BAR_1M)
            at->on_bar(at->ctx, at->leg, bar, received_ns);
    }
}

static void market_on_link(void *ctx, bool up, const char *reason)
{
    struct venue *venue = ctx;
    char quoted[160];

    if (venue->up != up)
        FLT_LOG(INFO, up ? "market_up" : "market_down", "venue=%s why=%s", venue->ops->name,
                flt_log_quote(reason ? reason : "", quoted, sizeof quoted));
    venue->up = up;
    snprintf(venue->reason, sizeof venue->reason, "%s", up || !reason ? "" : reason);
    venue->venues->on_change(venue->venues->ctx, venue);
}

int venues_create(const struct exchange_env *env, const struct venue_urls *urls, size_t count,
                  void (*on_change)(void *ctx, struct venue *venue), void *ctx, struct venues **out)
{
    struct venues *venues;

    if (count > VENUES_MAX)
        return FLT_FAIL(-EINVAL, "venues=%zu max=%d", count, VENUES_MAX);
    venues = calloc(1, sizeof *venues);
    if (!venues)
        return -ENOMEM;
    venues->env = *env;
    memcpy(venues->urls, urls, count * sizeof *urls);
    venues->url_count = count;
    venues->on_change = on_change;
    venues->ctx = ctx;
    *out = venues;
    return 0;
}

static void venue_close(struct venue *venue)
{
    if (venue->market)
        venue->ops->market_close(venue->market);
    for (size_t i = 0; i < FEED_BUCKETS; i++) {
        for (struct feed_row *row = venue->rows[i], *next; row; row = next) {
            next = row->next;
            free(row);
        }
    }
    free(venue);
}

void venues_destroy(struct venues *venues)
{
    if (!venues)
        return;
    for (size_t i = 0; i < venues->open_count; i++)
        venue_close(venues->open[i]);
    free(venues);
}

static const struct exchange_urls *urls_find(const struct venues *venues, const char *name)
{
    for (size_t i = 0; i < venues->url_count; i++) {
        if (strcmp(venues->urls[i].name, name) == 0)
            return &venues->urls[i].urls;
    }
    return NULL;
}

static int venue_open(struct venues *venues, const struct exchange_ops *ops,
                      const struct exchange_urls *urls, struct venue **out)
{
    struct venue *venue = calloc(1, sizeof *venue);
    int err;

    if (!venue)
        return -ENOMEM;
    venue->venues = venues;
    venue->ops = ops;
    const struct exchange_market_events events = {
        .ctx = venue,
        .on_instruments = market_on_instruments,
        .on_quote = market_on_quote,
        .on_trade = market_on_trade,
        .on_bar = market_on_bar,
        .on_link = market_on_link,
    };

    err = ops->market_open(&venues->env, urls, &events, &venue->market);
    if (err) {
        free(venue);
        return err;
    }
    *out = venue;
    return 0;
}

int venues_get(struct venues *venues, const char *name, struct venue **out)
{
    const struct exchange_ops *ops;
    const struct exchange_urls *urls;
    int err;

    if (strcmp(name, "paper") == 0)
        name = PAPER_SOURCE;
    ops = exchange_find(name);
    urls = urls_find(venues, name);

    for (size_t i = 0; i < venues->open_count; i++) {
        if (strcmp(venues->open[i]->ops->name, name) == 0) {
            *out = venues->open[i];
            return 0;
        }
    }
    if (!ops || !urls || venues->open_count == VENUES_MAX)
        return -ENOENT;
    err = venue_open(venues, ops, urls, out);
    if (!err)
        venues->open[venues->open_count++] = *out;
    return err;
}

const struct exchange_ops *venue_ops(const struct venue *venue)
{
    return venue->ops;
}

struct exchange_market *venue_market(const struct venue *venue)
{
    return venue->market;
}

const char *venue_name(const struct venue *venue)
{
    return venue->ops->name;
}

bool venue_is_ready(const struct venue *venue)
{
    return venue->ready;
}

bool venue_link_is_up(const struct venue *venue)
{
    return venue->up;
}

const struct instrument *venue_instrument(const struct venue *venue, const char *name)
{
    size_t count;
    const struct instrument *const *list = venue->ops->instruments(venue->market, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    }
    return NULL;
}

int venue_listen(struct venue *venue, const struct instrument *instrument,
                 struct feed_listener *listener)
{
    struct feed_row *row = row_get(venue, instrument);
    int err;

    if (!row)
        return -ENOMEM;
    err = venue->ops->subscribe(venue->market, instrument, listener->feeds);
    if (err < 0)
        return err;
    listener->next = row->listeners;
    row->listeners = listener;
    venue->venues->stats.listeners++;
    if (row->quote_received_ns && (listener->feeds & FEED_QUOTE))
        listener->on_quote(listener->ctx, listener->leg, &row->quote, row->quote_received_ns);
    return 0;
}

void venue_unlisten(struct venue *venue, const struct instrument *instrument,
                    struct feed_listener *listener)
{
    struct feed_row *row = row_find(venue, instrument);

    for (struct feed_listener **at = row ? &row->listeners : NULL; at && *at; at = &(*at)->next) {
        if (*at != listener)
            continue;
        *at = listener->next;
        listener->next = NULL;
        venue->venues->stats.listeners--;
        venue->ops->unsubscribe(venue->market, instrument, listener->feeds);
        return;
    }
}

static bool is_listened_to(const struct venue *venue)
{
    for (size_t i = 0; i < FEED_BUCKETS; i++)
        for (const struct feed_row *row = venue->rows[i]; row; row = row->next)
            if (row->listeners)
                return true;
    return false;
}

size_t venues_view(const struct venues *venues, struct venue_view *out, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < venues->open_count && count < max; i++) {
        const struct venue *venue = venues->open[i];
        const bool connecting = !venue->up && venue->heard_ns == 0 && !venue->reason[0];

        if (is_listened_to(venue) && !connecting)
            out[count++] =
                (struct venue_view){ venue_name(venue), venue->reason, venue->up, venue->heard_ns };
    }
    return count;
}

void venues_get_stats(const struct venues *venues, struct venue_stats *out)
{
    *out = venues->stats;
}

int64_t venues_clock_offset_ms(const struct venues *venues)
{
    int64_t worst_ms = 0;

    for (size_t i = 0; i < venues->open_count; i++) {
        const struct venue *venue = venues->open[i];
        const int64_t ms = venue->market && venue->ops->clock_offset_ms
                               ? venue->ops->clock_offset_ms(venue->market)
                               : 0;

        if (llabs(ms) > llabs(worst_ms))
            worst_ms = ms;
    }
    return worst_ms;
}
