/* The nodes and bots the controller knows, in memory: what should be (from the database) and what
 * is said to be (from the bus), with the age of each word.
 *
 * Presence: of two words the one with the greater incarnation holds; of equals, down and lost beat
 * up (a will may arrive late, never early). Liveness comes from heartbeats. Pure memory. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "controller/grant.h"
#include "schemas/schemas_msg.h"

#define NODE_SUSPECT_MS 3500

enum node_word { NODE_NEVER, NODE_UP, NODE_DOWN, NODE_LOST };

struct node {
    char name[FLT_NAME_MAX];
    enum node_word word;
    int64_t incarnation;
    char boot[FLT_ULID_MAX];
    struct msg_n_presence presence; /* the last birth; finished with the node */
    bool has_presence;
    struct msg_n_hb hb; /* the last one */
    bool has_hb;
    /* Our monotonic time less its own, as its heartbeats come: the least of this minute and of the
     * one before, and by how much the last heartbeat was later. */
    int64_t apart_ms[2], apart_since_ms, late_ms;
    int64_t heard_ms;              /* monotonic time of the last birth or heartbeat; -1: never */
    int64_t synced_ms;             /* monotonic time of the last sync; -1: not since its birth */
    char stream[FLT_ULID_MAX];     /* the stream it writes now */
    int64_t replay_ms;             /* monotonic time of the last replay request; 0: none waits */
    int64_t last_head;             /* head of the heartbeat before the last */
    char bad_stream[FLT_ULID_MAX]; /* it holds other records under used numbers: none is taken */
    int64_t bad_from;
    bool sack_due;               /* records were taken since the last acknowledgement */
    struct grant grant;          /* who holds its lease */
    int64_t suspect_ms;          /* without a heartbeat for that long */
    bool draining;               /* its bots go elsewhere, and none comes */
    struct msg_n_presence rival; /* of another process of its name that waits; with has_rival */
    bool has_rival;
    char (*unclaimed)[FLT_NAME_MAX]; /* bots it holds that are not its */
    size_t unclaimed_count;
};

struct bot {
    char name[FLT_NAME_MAX];
    struct msg_bot spec; /* decoded; finished with the bot */
    char venue[FLT_NAME_MAX];
    bool sandbox;
    char node[FLT_NAME_MAX];
    int64_t generation, epoch;
    enum msg_run run;
    enum msg_c_desired_how how;
    bool release;                 /* being removed */
    bool removed;                 /* only its numbers are kept */
    char moving_to[FLT_NAME_MAX]; /* its node is to give it up for this one; "": no */
    int64_t move_ms;              /* monotonic; when that was said, for the gap */
    /* Its node may hold it as sticky by an older document, and then trades on whatever we say:
     * until it has said that it holds a newer one, nobody takes the bot over. */
    bool held_sticky;
    int64_t created_ms, changed_ms;
    struct msg_n_state state; /* last word of its node */
    bool has_state;
    int64_t heard_ms;                    /* monotonic; -1: never */
    bool quiet;                          /* no rule of rules.c holds for it */
    int64_t reported_generation;         /* of `state` */
    char equity_point[FLT_AMT_TEXT_MAX]; /* last snapshot, to skip equal ones */
};

struct inventory {
    struct node **nodes; /* by name */
    size_t node_count, node_capacity;
    struct bot **bots; /* by name, removed ones too */
    size_t bot_count, bot_capacity;
    int64_t suspect_ms; /* of new nodes; 0: NODE_SUSPECT_MS */
};

struct node *inventory_find_node(const struct inventory *inventory, const char *name);
struct node *inventory_get_node(struct inventory *inventory,
                                const char *name); /* NULL: no memory */
struct bot *inventory_find_bot(const struct inventory *inventory, const char *name);
struct bot *inventory_get_bot(struct inventory *inventory, const char *name);
void inventory_finish(struct inventory *inventory);

enum { INVENTORY_OLD = 1, INVENTORY_BIRTH = 2 };
/* Takes a presence; `presence` moves into the node when it holds. INVENTORY_OLD: it does not;
 * INVENTORY_BIRTH: a new connection of the node; 0: it went down. */
int node_take_presence(struct node *node, struct msg_n_presence *presence, int64_t now_ms);
/* Takes a heartbeat; INVENTORY_OLD: of another connection than the newest; INVENTORY_BIRTH: its
 * birth was missed; 0: taken. */
int node_take_hb(struct node *node, struct msg_n_hb *hb, int64_t now_ms);
/* Before node_take_hb: how late the heartbeat comes, beside the quickest of its process lately. */
void node_measure(struct node *node, const struct msg_n_hb *hb, int64_t now_ms);
enum msg_node_row_state node_state(const struct node *node, int64_t now_ms);
bool node_is_up(const struct node *node, int64_t now_ms);
/* Bots that should run on it, not counting removed ones. */
size_t inventory_bots_of(const struct inventory *inventory, const char *node);
/* The hash of what a node should hold, as its heartbeat says it; with or without the bots that it
 * is to release. */
int inventory_hash(const struct inventory *inventory, const char *node, bool with_released,
                   size_t *count, char out[MSG_HASH_MAX]);
/* Strategy, venue and labels. */
bool node_fits(const struct node *node, const struct msg_bot *spec, const char *venue);
/* Takes a bot's word; false: from another node than its own, or an older epoch. */
bool bot_take_state(struct bot *bot, const char *node, struct msg_n_state *state, int64_t now_ms);
/* The best mark price known: the bot's last word, else zero. */
struct flt_dec bot_mark(const struct bot *bot);
bool bot_listed(const struct bot *bot); /* not removed */
bool bot_is_sticky(const struct bot *bot);
/* What a grant to the node is for: its bots with epochs, without generations. */
int inventory_owned_hash(const struct inventory *inventory, const char *node,
                         char out[MSG_HASH_MAX]);
/* Another process of the node is its voice from now on. */
void node_change_voice(struct node *node);
void inventory_drop_node(struct inventory *inventory, struct node *node); /* frees it */
