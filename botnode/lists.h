/* Open orders for the bots that ask: one question to the venue serves all bots that wait for the
 * same account's instrument, and each gets its own of the list. A question leaves after everybody
 * whom it serves has asked, so a bot is told no more and no less than by a question of its own; who
 * asks while one is under way waits for the next. On its own, a thousand new bots' questions are
 * all of a venue's weight for a minute. Thread: the loop's. */
#pragma once
#include "botnode/host.h"

struct lists;

FLT_MUST_USE int lists_create(struct botnode *node, struct lists **out);
void lists_destroy(struct lists *lists); /* NULL is fine; after the accounts */
/* bot_on_open_orders() of the leg comes later, also when the venue could not be asked. */
FLT_MUST_USE int lists_ask(struct lists *lists, const struct host *host, unsigned leg);
