/* One bot in a node: from its desired document to a running engine, and the port through which the
 * engine reaches journal and venue.
 *
 * A host waits until its venue has instruments and its account has keys; then it makes the bot,
 * gives it back its past from the journal and starts it. Every answer of a venue that takes time
 * finds its host again by serial number, as the host may be gone by then. */
#pragma once
#include "botnode/accounts.h"
#include "botnode/lease.h"
#include "botnode/node.h"

struct recorder;

#define HOST_LOG_ROWS 48 /* the last lines of a bot's log, kept in memory */

struct host_log_row {
    int64_t ts_ms;
    enum msg_log_level level;
    char event[24];
    char text[160];
};

struct host {
    struct botnode *node;
    uint64_t serial; /* never reused in this process */
    char name[FLT_NAME_MAX];
    struct msg_c_desired desired; /* owned */
    struct json_object *tree;     /* the same as received */
    enum bot_run run;             /* desired, or what a flatten command made of it */
    struct bot *bot;              /* NULL: waiting, see why_code */
    char why_code[32], why[160];
    bool failed; /* `why` will not go away by waiting */
    struct venue *venue;
    struct account *account;
    const struct instrument *legs[STRATEGY_LEGS_MAX];
    size_t leg_count;
    struct feed_listener *listeners;
    char *saved; /* the journal's snapshot as read at start; NULL: ask the journal */
    uint64_t owner;
    struct host *next_owner; /* hosts.c: chain of the table by owner */
    enum bot_phase phase;    /* as last seen, for since_ms */
    int64_t since_ms;
    int64_t command_term, command_seq; /* of the newest command that changed something */
    /* owner.c: who may trade it */
    struct lease_claim claim;
    enum lease_right right;
    bool claimed;           /* a sticky bot has its leave for this epoch in this place */
    int64_t epoch_seen;     /* the newest in an id of its orders at the venue */
    bool orphan;            /* without a grant for half its lease: on_orphan is carried out */
    int64_t quiet_since_ns; /* monotonic; nothing left for it since then; 0: never anything */
    /* handover.c: what it begins with, and what the next one would */
    bool prepared, begins, no_past, born;
    bool quiet; /* fills are booked, and told to nobody */
    bool snap_due;
    int64_t snap_ms;
    bool swept;                  /* missed trades were told in this process */
    int64_t sweep_from_ms;       /* trades before that are in the state it began with */
    bool report_due;             /* the state topic is behind */
    int64_t reported_ns;         /* monotonic; 0: never */
    int64_t reported_mark_ticks; /* the price that state was valued at */
    int64_t watch_until_ns;      /* detail topics go out until then */
    int64_t live_sent_ns;
    struct recorder *recorder; /* NULL: never asked for */
    struct host_log_row *log;  /* HOST_LOG_ROWS, a ring */
    size_t log_count;          /* ever */
};

FLT_MUST_USE int host_create(struct botnode *node, uint64_t serial, const struct msg_c_desired *doc,
                             struct json_object *tree, struct host **out);
void host_destroy(struct host *host);
/* The document changed: hot changes go to the running bot, others make it anew. */
FLT_MUST_USE int host_update(struct host *host, const struct msg_c_desired *doc,
                             struct json_object *tree);
void host_try_start(struct host *host);      /* as far as it goes; called again on each change */
void host_unbind_account(struct host *host); /* the connection closes; the bot waits */
void host_set_run(struct host *host, enum bot_run run, enum bot_stop how);
/* Records the bot for that long: it is made anew, so that the recording has its beginning. While
 * it is on: for that long from now. 0 ends it. */
FLT_MUST_USE int host_record(struct host *host, int64_t ttl_s);
void host_on_link(struct host *host); /* the account's link changed */
void host_on_second(struct host *host);
void host_log(struct host *host, enum flt_log_level level, const char *event, const char *text);
enum bot_phase host_phase(const struct host *host);
enum bot_stop host_stop_how(const struct host *host);
/* The account's name as records carry it ("paper" for a private one). */
const char *host_account(const struct host *host);
static inline bool host_is_watched(const struct host *host)
{
    return host->watch_until_ns > flt_mono_ns(host->node->clock);
}
