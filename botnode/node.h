/* The node daemon from the inside: what its modules share. One process, one loop thread.
 *
 *   main.c      arguments, signals
 *   node.c      opens everything in order, the 1 s tick, the clean end
 *   bus.c       MQTT: presence, heartbeat, what comes in, what goes out
 *   command.c   one-shot commands of the controller, as a table
 *   hosts.c     all bots: desired documents, halts, lookup by name and by order id
 *   host.c      one bot: its life, and the port between engine and venue
 *   record.c    what goes into the numbered stream
 *   recorder.c  a bot's inputs and outputs into a file, when asked for
 *   lists.c     open orders, asked once for all bots that wait for them
 *   sweep.c     missed trades of the venue, to the bots they belong to
 *   truth.c     accounts beside their venue: what is missing, what is of others
 *   lease.c     until when may this process trade a bot (pure)
 *   owner.c     who may trade here: grants, rights, releases
 *   handover.c  snapshots for the next owner, and what one begins with
 *   report.c    a bot's state and detail topics
 *   accounts.c  trading accounts and their keys
 *   venues.c    market data
 */
#pragma once
#include "botnode/venues.h"
#include "engine/journal.h"
#include "lib/crypto.h"
#include "lib/mqtt.h"
#include "lib/refusal.h"
#include "schemas/schemas_msg.h"

#define NODE_CAPACITY_DEFAULT 1000
#define NODE_HEARTBEAT_MS 1000

struct accounts;
struct audit;
struct lists;
struct sweeps;
struct truth;
struct hosts;
struct bus;
struct owner;

struct botnode {
    struct msg_config_node config;
    char *password; /* of the broker; wiped at the end */
    struct flt_loop *loop;
    const struct flt_clock *clock;
    struct flt_http *http;
    struct flt_ws_context *ws;
    struct journal *journal;
    struct venues *venues;
    struct accounts *accounts;
    struct hosts *hosts;
    struct audit *audit;
    struct lists *lists;
    struct sweeps *sweeps;
    struct truth *truth;
    struct keytest *keytests; /* list of those under way */
    struct call *calls;       /* commands that have no end yet; command.c */
    struct bus *bus;
    struct flt_watchdog *watchdog; /* NULL: no service manager */
    struct owner *owner;
    struct flt_timer *second;
    struct flt_timer *beat; /* a heartbeat, by time_scale */
    struct flt_timer *part; /* HOSTS_SLICES of a second */
    unsigned slice;
    int64_t heap_bytes;  /* in use, at the last look */
    size_t trimmed_free; /* what the allocator held unused when it was last trimmed */
    uint8_t box_private[32], box_public[32]; /* secrets for this node are sealed to it */
    char boot[FLT_ULID_MAX];                 /* of this process */
    struct flt_refusals refused;             /* of what came in: said in heartbeats */
    struct flt_step_watch clock_steps;
    int64_t started_ms, started_ns;
    int lock_fd;
    bool stopping;
    int failure; /* why it ended by itself; 0: it did not */
};

FLT_MUST_USE int botnode_open(const char *config_path, struct flt_error *error,
                              struct botnode **out);
void botnode_close(struct botnode *node); /* NULL is fine */
int botnode_run(struct botnode *node);    /* until SIGINT or SIGTERM */

/* Heartbeats, leases and what is counted from them, by config.time_scale. */
int64_t node_scaled_ms(const struct botnode *node, int64_t ms);
