/* What the controller knows of venues: instruments and candles, from their public interfaces. */
#pragma once
#include "controller/controller.h"
#include "lib/market.h"

FLT_MUST_USE int market_create(struct controller *controller, struct market **out);
void market_destroy(struct market *market); /* NULL is fine */

/* Whether the configuration names this venue, so that its rules can be asked for. */
bool market_knows(const struct market *market, const char *venue);
/* All instruments, borrowed; count 0 until they are loaded. */
const struct instrument *const *market_instruments(struct market *market, const char *venue,
                                                   size_t *count);
const struct instrument *market_find(struct market *market, const char *venue, const char *name);

/* `failure` is NULL when `bars` are valid. */
typedef void market_bars_fn(void *ctx, const char *failure, const struct instrument *instrument,
                            const struct bar *bars, size_t count);
FLT_MUST_USE int market_bars(struct market *market, const char *venue, const char *instrument,
                             const char *timeframe, int64_t since_ms, int limit, market_bars_fn *fn,
                             void *ctx, struct flt_error *error);
