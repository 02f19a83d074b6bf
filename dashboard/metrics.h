/* /metrics: what the bus and this server say, in Prometheus' text format 0.0.4. */
#pragma once
#include "dashboard/bus.h"
#include "dashboard/pool.h"
#include "lib/json.h"

struct metrics_own { /* of this server */
    bool broker_up;
    unsigned sessions;
    uint64_t login_failures, login_refusals, http_requests, sessions_total;
    int64_t uptime_ms;
    struct pool_stats pool;
};

void metrics_write(struct flt_buf *out, const struct bus_view *view, const struct metrics_own *own);
