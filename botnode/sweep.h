/* Missed trades: after a power loss, on a restored disk, and for a bot that comes from another
 * node, what the venue traded on an account's instrument since the last booked trade is fetched
 * before the bot goes on, and each trade that the journal does not know goes to the bot whose order
 * it was. An order that filled in full and is in neither snapshot nor ring of intents (both lost
 * their tail with the power) shows nowhere else. Trades without our client order id are mapped by
 * the venue's order id, then by asking the venue whose order it was. Thread: the loop's. */
#pragma once
#include "botnode/host.h"

struct sweeps;

FLT_MUST_USE int sweeps_create(struct botnode *node, struct sweeps **out);
void sweeps_destroy(struct sweeps *sweeps); /* NULL is fine */
/* Whether the bot may have traded what its journal does not know: not after the mere end of a
 * process, as ring and journal survive that, and its orders are asked about one by one. */
bool sweeps_begin(struct host *host);
/* Asks for the leg's instrument; bot_on_swept() comes later. Who comes while the venue answers
 * waits for the next one, as trades of a bot that was not there yet went by; all who wait share it.
 * Negative: nothing was asked. */
FLT_MUST_USE int sweeps_ask(struct sweeps *sweeps, struct host *host, unsigned leg);
