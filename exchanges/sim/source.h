/* Where a simulated market's prices come from: a file played forwards and then backwards (so that
 * they stay continuous when it repeats), or a random walk from a seed. The same source gives the
 * same events each time. Times count from 0 at the source's begin and never go back. */
#pragma once
#include "exchanges/sim/rows.h"

struct sim_source;

struct sim_event {
    int64_t at_ms;
    bool is_trade;
    struct quote quote; /* ts_ms of these is not used */
    struct trade trade;
};

/* "trades:FILE[,bookticker:FILE]", "candles:FILE" or
 * "random:price=150[,seed=7][,vol=0.04][,rate=2]"; vol is the standard deviation of a day, rate the
 * trades a second. */
FLT_MUST_USE int sim_source_open(const char *spec, const struct instrument *instrument,
                                 uint64_t seed, bool loop, struct sim_source **out,
                                 struct flt_error *error);
void sim_source_close(struct sim_source *source);                       /* NULL is fine */
bool sim_source_next(struct sim_source *source, struct sim_event *out); /* false: it has ended */
/* Goes on to about `at_ms`, at most: the events left begin before or at it. */
void sim_source_skip(struct sim_source *source, int64_t at_ms);
int64_t sim_source_depth_lots(const struct sim_source *source); /* a usual size at the touch */
