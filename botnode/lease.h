/* The node's half of a lease: until when may this process trade a bot. Pure: no clock, no I/O.
 *
 * The controller answers heartbeat k with a grant. What it grants counts from the moment at which k
 * was SENT, by our own CLOCK_BOOTTIME, so that no delay on the way, of the grant or of the
 * heartbeat, can make it last longer than the controller believes. Each bot has a claim of its own,
 * and a grant extends the claims of just those bots that the controller listed in it: a lease of
 * the node as a whole would revive a bot that was given away while the node was not heard.
 *
 * Times are boot nanoseconds. docs/ARCHITECTURE.md, "Who may trade", has the argument. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/ids.h"

#define LEASE_TTL_MS 15000   /* what controllers grant; the grant itself says it */
#define LEASE_MARGIN_MS 3000 /* signed windows (2 s) and a venue's tolerance (1 s) fit into it */
#define LEASE_BEATS 64       /* heartbeats whose time is remembered */

struct lease {
    char boot[FLT_ULID_MAX]; /* of this process */
    int64_t incarnation;     /* of its present connection */
    int64_t margin_ns;
    struct {
        int64_t k, sent_ns;
    } beats[LEASE_BEATS];
};

struct lease_grant { /* as it came */
    const char *boot;
    int64_t incarnation, k, ttl_ms;
};

struct lease_claim { /* of one bot; zeroed: none */
    int64_t sent_ns; /* when the heartbeat of its newest grant left */
    int64_t ttl_ns;
};

enum lease_right {
    LEASE_NOTHING, /* no request of any kind */
    LEASE_EXITS,   /* half the lease has passed without a grant: nothing new, on_orphan */
    LEASE_ALL
};

void lease_init(struct lease *lease, const char *boot, int64_t margin_ns);
/* Before the heartbeat is handed to the connection. */
void lease_beat(struct lease *lease, int64_t k, int64_t now_ns);
/* When the heartbeat that this answers left; 0: it grants nothing (another process or connection,
 * a heartbeat never sent or long ago, no time). */
int64_t lease_answers(const struct lease *lease, const struct lease_grant *grant);
/* Never shortens. */
void lease_extend(struct lease_claim *claim, int64_t sent_ns, int64_t ttl_ms);

/* Nothing leaves at or after it; 0: never granted. */
int64_t lease_deadline_ns(const struct lease *lease, const struct lease_claim *claim);
enum lease_right lease_right(const struct lease *lease, const struct lease_claim *claim,
                             int64_t now_ns);
/* When lease_right() falls next without a grant; INT64_MAX: it has fallen. */
int64_t lease_next_ns(const struct lease *lease, const struct lease_claim *claim, int64_t now_ns);
