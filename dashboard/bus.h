/* The dashboard server's own ear on the bus, with a login that may hear figures only: heartbeats,
 * whether the controller is there, the broker's counters; and every few seconds it asks the
 * controller for its `health`. /metrics and /healthz tell what is heard. Thread: the loop's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "dashboard/settings.h"
#include "lib/attr.h"
#include "lib/loop.h"
#include "schemas/schemas_msg.h"

#define BUS_NODES_MAX 1000
#define BUS_BROKER_MAX 24

struct bus;

struct bus_node {
    char name[FLT_NAME_MAX];
    struct msg_n_hb hb; /* the last one; owned */
    int64_t heard_ms;   /* monotonic */
};

struct bus_figure { /* of the broker: $SYS/broker/... */
    char name[64];
    double value;
};

struct bus_view {
    bool configured, up;
    bool controller_known, controller_online; /* ctl/state */
    const struct msg_health_result *health;   /* NULL: none yet */
    int64_t health_age_ms;
    const struct bus_node *nodes;
    size_t node_count;
    const struct bus_figure *broker;
    size_t broker_count;
    int64_t now_ms;
    uint64_t malformed; /* messages that did not decode */
};

FLT_MUST_USE int bus_create(struct flt_loop *loop, const struct settings *settings,
                            struct bus **out);
void bus_destroy(struct bus *bus); /* NULL is fine */
void bus_look(const struct bus *bus, struct bus_view *out);
