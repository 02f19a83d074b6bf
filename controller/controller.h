/* The controller: one writer that knows what should run where, and keeps the books.
 *
 * This header is for controller/ alone: the daemon's whole state, owned by the loop's thread, and
 * what its parts call of each other. Everything that must survive is in the database before anybody
 * hears of it; the broker may lose any message (docs/ARCHITECTURE.md). */
#pragma once
#include "controller/books.h"
#include "controller/inventory.h"
#include "controller/store.h"
#include "lib/loop.h"
#include "lib/mqtt.h"
#include "lib/refusal.h"
#include "schemas/schemas_msg.h"

struct market;
struct pending_command;
struct late_fill;
struct request;
struct halts;
struct user_call;
struct backups;
struct notifier;
struct own_log;

/* What is counted for the verb health; health.c. */
struct health {
    int64_t requests, requests_refused, records, fills_lag_ms;
    struct {
        char kind[48]; /* message_malformed, request_denied ... */
        int64_t count;
    } kinds[64];
    size_t kind_count, turn;
    int64_t tick_us, lag_us[10];
};

#define ROLE_CACHE 64

struct account_watch { /* verb_truth.c: when an account last traded, and was last compared */
    char account[FLT_NAME_MAX];
    int64_t fill_ms, asked_ms; /* monotonic */
};

struct controller {
    struct msg_config_controller config;
    struct flt_loop *loop;
    const struct flt_clock *clock;
    struct flt_mqtt *mqtt;
    struct store store;
    struct inventory inventory;
    struct books books;
    struct market *market;
    struct notifier *notifier;
    struct own_log *log;
    struct health health;
    struct pending_command *commands; /* list, newest first */
    struct late_fill *late;           /* list of those that their bots' nodes do not have yet */
    struct user_call *user_calls;     /* list of questions to the broker's login plugin */
    struct flt_timer *commit_timer, *fast_timer, *second_timer;
    uint8_t key[32];                         /* seals accounts at rest */
    uint8_t box_private[32], box_public[32]; /* people seal credentials to it */
    int64_t term, incarnation, halt_number, started_ms;
    int64_t up_ms; /* since when we are connected; -1: not now, and hear nobody */
    uint64_t sequence;
    struct flt_refusals refused; /* of what came in; nodes say theirs in heartbeats */
    struct flt_step_watch clock_steps;
    struct account_watch *watches; /* of accounts that ever traded */
    size_t watch_count;
    struct role_row {
        char user[FLT_NAME_MAX];
        enum msg_role role;
    } roles[ROLE_CACHE]; /* of those who asked lately; users.c empties it on each change */
    char will_topic[TOPIC_MAX];
    struct flt_buf will, out;             /* `out`: scratch of one publish */
    uint64_t digest_hash[1024];           /* of each page as last sent; some 13 bots a page */
    char digest_last[1024][FLT_NAME_MAX]; /* the last bot of each page */
    size_t digest_pages;
    uint64_t published_bytes;    /* payloads, since the start */
    int64_t equity_ms;           /* when snapshots were last taken */
    int64_t answers_ms;          /* when old answers were last forgotten */
    int64_t day, day_written_ms; /* days.c: the running day (since 1970), and its last write */
    unsigned turns;              /* of the fast timer */
    int64_t fills_total, alerts_raised;
    struct msg_ui_alert *alerts; /* those in force */
    size_t alert_count;
    struct backups *backups;
    struct grant_policy grants;
    int64_t tick_ms;  /* of the last look at all leases: a pause of ours shows here */
    int64_t heard_ms; /* of the last heartbeat of any node */
    /* Of the last one that came in time, of the last that came late, and when only late ones came
     * for a while: then it is our inbox that is behind, and silence says nothing of a node. */
    int64_t prompt_ms, late_ms, behind_ms;
    struct request *request; /* whose handler runs now; NULL: none */
    bool fresh;              /* this database never had a controller before */
    bool stopping, committing;
    bool restored;               /* this process began with a restored database */
    void (*on_fatal)(void *ctx); /* the database failed: end the process */
    void *fatal_ctx;
};

/* --- controller.c
 * ---------------------------------------------------------------------------------- */

FLT_MUST_USE int controller_create(struct flt_loop *loop,
                                   const struct msg_config_controller *config,
                                   struct flt_error *error, struct controller **out);
/* Says a clean goodbye; `closed` when the connection is gone. */
void controller_stop(struct controller *controller, void (*closed)(void *ctx), void *ctx);
void controller_destroy(struct controller *controller); /* NULL is fine */

int64_t controller_now_ms(const struct controller *controller);  /* wall */
int64_t controller_mono_ms(const struct controller *controller); /* monotonic */
void controller_envelope(struct controller *controller, struct msg_envelope *env);
/* Encodes and publishes; a broker that is away loses nothing, as on_up publishes what is true. */
void controller_publish(struct controller *controller, const char *topic,
                        const struct msg_type *type, const void *message, int qos, bool retained);
void controller_clear(struct controller *controller,
                      const char *topic); /* empties a retained one */
/* Makes writes durable now; on failure the process ends (on_fatal) and false comes back. */
bool controller_commit(struct controller *controller);
void controller_check(struct controller *controller, int err); /* a write failed: fatal */

/* Heartbeats, leases and what is counted from them, by config.time_scale. */
int64_t controller_scaled_ms(const struct controller *controller, int64_t ms);

/* --- owners.c: who gets grants, and what nodes hold
 * ------------------------------------------------ */

FLT_MUST_USE int owners_start(struct controller *controller); /* after the term */
void owners_attentive(struct controller *controller);         /* we hear again from now on */
/* A presence; false: of another process than the holder's, which is kept for later. */
bool owners_hear_presence(struct controller *controller, struct node *node,
                          struct msg_n_presence *presence);
/* Silence says nothing of nodes: what they said waits in our inbox, or did lately. */
bool owners_is_behind(const struct controller *controller);
/* A heartbeat; false: it gets no grant and says nothing of the node. */
bool owners_hear_hb(struct controller *controller, struct node *node, const struct msg_n_hb *hb);
void owners_on_sync(struct controller *controller, const char *node, const struct msg_n_res *res);
void owners_agree(struct controller *controller, struct node *node); /* it holds what it should */
void owners_fill_lease(const struct controller *controller, const struct node *node,
                       struct msg_lease_state *out);

/* --- resume.c: what the next owner begins with
 * ---------------------------------------------- */

/* As the books are now, for the epoch after the bot's. 0, or negative. */
FLT_MUST_USE int resume_store(struct controller *controller, const struct bot *bot);
/* For the owner of this epoch; false: it has it, or there is none. */
bool resume_load(struct controller *controller, const struct bot *bot, struct msg_resume *out);

/* --- takeover.c: from one owner to the next
 * ---------------------------------------------------- */

void takeover_tick(struct controller *controller); /* failover, and moves that wait */
/* Under a new epoch, durable before it is said. 0, or negative. */
FLT_MUST_USE int takeover_assign(struct controller *controller, struct bot *bot, const char *node,
                                 const char *why);
/* New epochs for all bots of a node that is another journal or machine than it was. */
void takeover_renew(struct controller *controller, const char *node);
/* Asks its node to give it up for the other. */
FLT_MUST_USE int takeover_ask(struct controller *controller, struct bot *bot, const char *node,
                              const char *by);
void takeover_snap(struct controller *controller, const char *node, const struct msg_n_snap *snap);
/* The record of a release. 0, or negative. */
FLT_MUST_USE int takeover_record(struct controller *controller, const struct node *node,
                                 const char *stream, const struct msg_ev_record *record);
/* Its node has nothing of it any more. */
void takeover_released(struct controller *controller, struct bot *bot);
void takeover_claimed(struct controller *controller, struct bot *bot); /* a state under its epoch */

/* --- late.c: fills of earlier owners that come late
 * -------------------------------------------- */

FLT_MUST_USE int late_load(struct controller *controller);
/* One was booked: its present owner gets it too. */
void late_take(struct controller *controller, const char *bot, const struct msg_fill *fill);
void late_tick(struct controller *controller);
/* A state of the bot came that was written after what its node had said before. */
void late_covered(struct controller *controller, const char *bot);
/* After resume_store(): the next owner begins with them, and is not told. */
void late_handed(struct controller *controller, const char *bot);
/* As items of an array: those that are in no state of the bot yet. */
void late_write(struct controller *controller, const char *bot, struct flt_buf *buf);
void late_finish(struct controller *controller);

/* --- placement.c: which node
 * ------------------------------------------------------------------- */

/* The best of the nodes that are up, not draining, and have room, labels, strategy and venue; bots
 * that are to be apart stay so where they can. NULL: none. */
struct node *placement_choose(const struct controller *controller, const struct msg_bot *spec,
                              const char *venue, const char *not_this);
/* 0, or an error with a hint that says why this node cannot have it. */
FLT_MUST_USE int placement_check(const struct controller *controller, const struct node *node,
                                 const struct msg_bot *spec, const char *venue, const char *field,
                                 struct flt_error *error);
/* Moves that would even out the nodes; how many of `max`. */
size_t placement_plan(const struct controller *controller, struct msg_move *out, size_t max);
void placement_drain(struct controller *controller); /* each second */

/* --- desired.c: what nodes should run -----------------------------------------------------------
 */

void desired_publish(struct controller *controller, const struct bot *bot);
void desired_clear(struct controller *controller, const struct bot *bot);
/* Everything the node should hold, in chunks of the sync command, and its accounts' keys. */
void desired_sync(struct controller *controller, struct node *node, bool grants);
void desired_on_hb(struct controller *controller,
                   struct node *node); /* lease; sync on a mismatch */
/* A released bot is gone from its node: it leaves the inventory. */
void desired_removed(struct controller *controller, struct bot *bot);
void halts_publish(struct controller *controller);
int halts_read(struct controller *controller, struct msg_halt **out, size_t *count);

/* --- ingest.c: the streams of the nodes
 * ----------------------------------------------------------- */

void ingest_on_birth(struct controller *controller, struct node *node, bool fresh);
void ingest_ev(struct controller *controller, struct node *node, const struct msg_n_ev *ev);
void ingest_rp(struct controller *controller, struct node *node, const struct msg_n_rp *rp);
/* Asks again for what is missing; called each second. */
void ingest_on_second(struct controller *controller, struct node *node);
void ingest_sack(struct controller *controller, struct node *node); /* after a commit */

/* --- commands.c: one-shot actions at nodes
 * ---------------------------------------------------------- */

/* `res` NULL: no answer before the deadline. */
typedef void command_done_fn(struct controller *controller, void *ctx, const struct msg_n_res *res);

/* Those that an earlier process of ours left without an end: their nodes are asked what became of
 * them. */
FLT_MUST_USE int commands_load(struct controller *controller);
/* Sends and resends until accepted or `ttl_ms` is over. `args` (may be NULL) is encoded as the op's
 * type. `record`: kept in the database for command-show, and asked about until it has an end. `id`
 * (may be NULL) gets FLT_ULID_MAX. */
void commands_send(struct controller *controller, const char *node, enum msg_c_cmd_op op,
                   const char *bot, const void *args, int64_t ttl_ms, bool record, char *id,
                   command_done_fn *done, void *ctx);
void commands_on_res(struct controller *controller, const char *node, const struct msg_n_res *res);
void commands_on_tick(struct controller *controller); /* resends, expires */
void commands_finish(struct controller *controller);
size_t commands_open(const struct controller *controller); /* under way */

/* --- verb_log.c: the process's own log, for log-ls
 * -------------------------------------------------------------------------- */

FLT_MUST_USE int own_log_start(struct controller *controller);
void own_log_stop(struct controller *controller);

/* --- health.c
 * ------------------------------------------------------------------------------------ */

/* One more of what was refused or malformed; kinds are few and fixed. */
void health_count(struct controller *controller, const char *kind);
void health_tick(struct controller *controller); /* each second */

/* --- accounts.c ----------------------------------------------------------------------------------
 */

/* Sends the keys of `account` to the node, sealed to it; nothing when there are none. */
void accounts_send(struct controller *controller, struct node *node, const char *account);
void accounts_send_all(struct controller *controller, struct node *node); /* of the node's bots */

/* --- verb_truth.c: accounts that bots on several nodes share, beside the venue
 * -------------------------------- */

void truth_on_fill(struct controller *controller, const char *account);
void truth_tick(struct controller *controller); /* each second */

/* --- alerts.c, digest.c, market.c, users.c
 * ---------------------------------------------------------- */

FLT_PRINTF(6, 7)
void alert_raise(struct controller *controller, const char *alert, enum msg_severity severity,
                 const char *code, const char *target, const char *format, ...);
void alert_clear(struct controller *controller, const char *alert);
void alerts_publish(struct controller *controller);

void digest_tick(struct controller *controller);   /* 3 Hz, of many bots 1 Hz */
void digest_forget(struct controller *controller); /* send every page again */
void equity_tick(struct controller *controller);   /* snapshots, each 10 s */

/* How a person is asked for: rows and sums, shared by verbs and digest. */
struct bot_sums {
    struct flt_amt position, realised, unrealised, equity;
    struct flt_dec mark;
    int64_t fills;
    const struct book *book; /* of its own account and instrument; NULL: no fill yet */
};
void bot_sums_get(const struct controller *controller, const struct bot *bot, struct bot_sums *out);
void bot_row_fill(const struct controller *controller, const struct bot *bot,
                  struct msg_bot_row *out);
void node_row_fill(struct controller *controller, const struct node *node,
                   struct msg_node_row *out);

FLT_MUST_USE int users_start(struct controller *controller); /* on_up: learns users and roles */
void users_on_response(struct controller *controller, const char *text, size_t size);
void users_on_tick(struct controller *controller);
void users_finish(struct controller *controller);
enum msg_role user_role(struct controller *controller, const char *user, enum msg_role least);
