/* The public stream connections of a market: which channels are wanted, on which connection they
 * are, and that they come back after every loss.
 *
 * Subscriptions go out in batches within the venue's message rate; a connection takes so many
 * channels, then the next is opened. Before the venue ends a connection by its age, a successor is
 * opened beside it and takes over when it has all its channels; what both deliver is dropped by
 * sequence. Thread: the loop's. */
#pragma once
#include "exchanges/codec.h"
#include "lib/ws.h"

struct channels;

struct channels_events {
    void *ctx;
    void (*on_event)(void *ctx, const struct stream_event *event, int64_t received_ns);
    void (*on_link)(void *ctx, bool up, const char *reason);
};

struct channels_stats {
    uint64_t frames, duplicates, gaps, unknown, reconnects;
};

FLT_MUST_USE int channels_open(const struct exchange_env *env, const struct codec *codec,
                               const struct exchange_urls *urls, const struct instruments *table,
                               const struct channels_events *events, struct channels **out);
void channels_close(struct channels *channels);
/* Counted: as many removes end one. -ENOMEM. */
FLT_MUST_USE int channels_add(struct channels *channels, const struct instrument *instrument,
                              enum feed feed);
void channels_remove(struct channels *channels, const struct instrument *instrument,
                     enum feed feed);
void channels_get_stats(const struct channels *channels, struct channels_stats *out);
