/* The controller's half of a lease: which process of a node gets grants, and when may a bot go to
 * another node without having been released. Pure: no clock, no I/O; times are the controller's
 * monotonic milliseconds.
 *
 * A grant is counted here from the moment at which it is given, which is later than the moment at
 * which the node counts from (the heartbeat had to be sent first), and with 1 % and 2 s added for
 * clocks that run differently. So a lease is over at the node before it is over here. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/ids.h"

#define GRANT_TTL_MS 15000
#define GRANT_SLACK_MS 2000
#define GRANT_PLACE_MAX 17

struct grant_policy {
    int64_t ttl_ms;
    int64_t guard_ms; /* after the last grant: grant_guard_ms() */
    /* Grants of an earlier process of the controller may hold until then. */
    int64_t foreign_until_ms;
    /* Since when we hear without a pause: a controller that was frozen or had no broker let leases
     * end that nodes wanted to renew, and gives them the time to say so. */
    int64_t attentive_ms;
};

struct grant_process {
    char boot[FLT_ULID_MAX];
    char place[GRANT_PLACE_MAX]; /* "": not told */
    int64_t incarnation, k;
};

struct grant {
    struct grant_process holder; /* boot "": nobody yet */
    int64_t granted_ms;          /* -1: not by this process of ours */
    int64_t heard_ms;            /* of the holder; -1: not yet */
    struct grant_process rival;  /* another process of the same name that asked */
    int64_t rival_ms;            /* when it was heard last; -1: none */
    unsigned holder_since_rival; /* heartbeats of the holder since the rival came */
};

enum grant_answer {
    GRANT_GIVEN,
    GRANT_NEW_HOLDER, /* a grant too, once that this process is the holder is on disk */
    GRANT_WAIT,       /* for the end of an earlier process's lease */
    GRANT_CLONED,     /* the holder is alive: two processes have this name */
    GRANT_REPEATED    /* a heartbeat that was answered before */
};

int64_t grant_guard_ms(int64_t ttl_ms, int64_t slack_ms); /* ttl * 1.01 + slack */
void grant_init(struct grant *grant);
/* A heartbeat. With GRANT_GIVEN the grant counts from now on; the caller gives it after this. With
 * GRANT_NEW_HOLDER nothing has changed but that grant_take() may follow. */
enum grant_answer grant_ask(struct grant *grant, const struct grant_policy *policy,
                            const struct grant_process *asks, int64_t now_ms);
void grant_take(struct grant *grant, const struct grant_process *process, int64_t now_ms);
/* Whether this holder would be another journal, or another life of its machine: one that may know
 * less than the last holder did, and would number its orders as that one has. Then its bots go on
 * under new epochs. */
bool grant_changes_place(const struct grant *grant, const struct grant_process *process);
/* Whether what this process says of itself is the node's word: it is the holder, or nobody is. */
bool grant_is_holder(const struct grant *grant, const char *boot);
/* The node's lease has certainly ended at the node. */
bool grant_is_over(const struct grant *grant, const struct grant_policy *policy, int64_t now_ms);
/* And it was given every chance: its bots may be taken over. */
bool grant_may_take_over(const struct grant *grant, const struct grant_policy *policy,
                         int64_t now_ms);
int64_t grant_ends_ms(const struct grant *grant, const struct grant_policy *policy);
