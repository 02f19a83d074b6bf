/* All bots of a node: what the controller wants of each, and how an order finds its bot. */
#pragma once
#include "botnode/host.h"

FLT_MUST_USE int hosts_create(struct botnode *node, struct hosts **out);
FLT_MUST_USE int hosts_restore(struct hosts *hosts); /* bots and halts of the journal */
void hosts_destroy(struct hosts *hosts);

/* A desired document. Outcomes: HOSTS_OLD (an older or equal (epoch, generation) than what is held:
 * ignored), HOSTS_FULL. Journaled before it is acted on. Takes what it needs of `doc`; `tree` is
 * the document as received. */
enum { HOSTS_OLD = 1, HOSTS_FULL = 2 };
FLT_MUST_USE int hosts_apply(struct hosts *hosts, const struct msg_c_desired *doc,
                             struct json_object *tree);
/* Bots that the controller does not list with our epoch; how many, and up to `max` of them. */
size_t hosts_unclaimed(struct hosts *hosts, const struct msg_bot_ref *refs, size_t count,
                       struct msg_bot_ref *out, size_t max);

/* The list of halts in force; lower numbers than the journaled one are ignored. */
void hosts_set_halts(struct hosts *hosts, const struct msg_ctl_halt *halts);
/* The strongest halt that applies goes to the bot; without any word yet it waits (failover auto).
 */
void hosts_apply_halt(struct hosts *hosts, struct host *host);
int64_t hosts_halt_number(const struct hosts *hosts);
/* The bot obeys the list of that number: it was said since the start, or the journal's suffices. */
bool hosts_halts_seen(const struct hosts *hosts, const struct host *host);

struct host *hosts_find(struct hosts *hosts, const char *name);
struct host *hosts_by_serial(struct hosts *hosts, uint64_t serial);
struct host *hosts_by_owner(struct hosts *hosts, uint64_t owner);
/* The bot of this account that has an order with the venue's id; NULL: none of ours. */
struct host *hosts_by_order_id(struct hosts *hosts, const struct account *account,
                               const char *order_id);
struct host *hosts_at(struct hosts *hosts, size_t index); /* NULL: past the end */
size_t hosts_count(const struct hosts *hosts);
size_t hosts_running(const struct hosts *hosts);
/* msg_bots_hash over all bots held. */
void hosts_hash(struct hosts *hosts, char out[MSG_HASH_MAX]);
/* The same without generations: what a grant is for. */
void hosts_owned_hash(struct hosts *hosts, char out[MSG_HASH_MAX]);
FLT_MUST_USE int hosts_journal(struct hosts *hosts, const struct host *host); /* its document */
void hosts_forget(struct hosts *hosts, struct host *host); /* out of journal and memory */

/* A second's work for a part of the bots; each part once a second. A thousand bots at once, each
 * with a word to say, would keep market events waiting for tens of milliseconds. */
#define HOSTS_SLICES 50
void hosts_on_slice(struct hosts *hosts, unsigned slice);      /* 0..HOSTS_SLICES - 1 */
void hosts_on_venue(struct hosts *hosts, struct venue *venue); /* instruments or link changed */
void hosts_on_account(struct hosts *hosts, struct account *account); /* keys or link changed */
/* The journal lost its end: each live bot fetches what its venue traded since. */
void hosts_distrust(struct hosts *hosts);
void hosts_on_storage(struct hosts *hosts, bool entries);
