/* What may be sent now under a venue's rate limits.
 *
 * Venues count in windows whose start we do not know, so each limit is a sliding window of slots:
 * in no stretch of its length do we send more than the limit, wherever the venue's window begins.
 * Less urgent requests see a smaller limit, so that there is always room for a cancel. Time is an
 * argument (monotonic ms); thread: the owner's. */
#pragma once
#include "exchanges/codec.h"

#define RATE_SLOTS 16

struct rate_window {
    const struct rate_limit *limit;
    size_t index; /* in the codec's list, and so in struct op_cost */
    int64_t slot; /* number of the newest slot */
    uint32_t used[RATE_SLOTS];
    uint32_t sum;
};

struct rate {
    struct rate_window windows[RATE_LIMITS_MAX];
    size_t count;
    const uint32_t
        *units; /* the limits in force, by index; the venue may say others than the codec */
    int64_t held_until_ms; /* 429 or 418: nothing at all goes before */
};

/* Takes those limits that are (or are not) per account; `units` is borrowed. */
void rate_init(struct rate *rate, const struct rate_limit *limits, size_t count, bool per_account,
               const uint32_t units[RATE_LIMITS_MAX]);
/* 0: may go now; else how long to wait at least. */
int64_t rate_wait_ms(struct rate *rate, const struct op_cost *cost, enum op_priority priority,
                     int64_t now_ms);
void rate_take(struct rate *rate, const struct op_cost *cost, int64_t now_ms);
/* The venue says that it has counted `used` in the window under way: others share our address. */
void rate_sync(struct rate *rate, size_t index, uint32_t used, int64_t now_ms);
void rate_hold(struct rate *rate, int64_t until_ms);
