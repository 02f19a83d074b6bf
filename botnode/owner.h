/* Who may trade on this node: what the controller's grants mean for each bot, and how a bot is
 * given up. The arithmetic of a lease is in lease.h; the argument for all of it is in
 * docs/ARCHITECTURE.md, "Who may trade".
 *
 * A bot with failover auto trades while its claim lasts. A sticky one needs one grant in this
 * place (this boot of this machine, this folder, this journal) for its epoch, which is journaled,
 * and goes on from then through any outage; in another place (a copied folder, a machine that was
 * started anew) it waits for a grant again. Thread: the loop's. */
#pragma once
#include "botnode/host.h"

struct owner;

FLT_MUST_USE int owner_create(struct botnode *node, struct owner **out);
void owner_destroy(struct owner *owner); /* NULL is fine */

const char *owner_place(const struct owner *owner); /* for presence and heartbeats */
void owner_on_beat(struct owner *owner, int64_t k, int64_t incarnation);
void owner_take_lease(struct owner *owner, const struct msg_c_lease *lease);
void owner_take_list(struct owner *owner, const struct msg_cmd_sync_args *list);
void owner_tick(struct owner *owner); /* rights that have ended meanwhile */

/* A bot was restored, made, or has another document. */
void owner_restored(struct owner *owner, struct host *host);
void owner_judge(struct owner *owner, struct host *host);
/* The venue showed an order id of the bot with this epoch. */
void owner_saw_epoch(struct owner *owner, struct host *host, uint32_t epoch);
bool owner_is_sticky(const struct host *host);
/* Whether a request for this bot may leave now; its account is told until when. */
bool owner_opens(struct owner *owner, struct host *host);
/* The same for what is asked for all bots of an account. */
bool owner_opens_account(struct owner *owner, const struct account *account);

/* The bot has nothing at the venue any more, or another node has it: its last state and the
 * release go to the journal, then to the controller. `host` is gone afterwards. */
void owner_release(struct owner *owner, struct host *host);
