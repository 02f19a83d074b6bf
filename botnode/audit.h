/* Are the orders that our bots believe to rest the ones that rest? A venue can lose an event of a
 * stream that stays up, and then nothing else would tell. So each (account, instrument) in use is
 * listed every AUDIT_PERIOD_MS, once for all its bots, and a few a second at most: a list costs 6
 * of the 6,000 units of weight that Binance gives a minute. Thread: the loop's. */
#pragma once
#include "botnode/node.h"

#define AUDIT_PERIOD_MS 10000
#define AUDIT_PER_SECOND 2

struct audit;

FLT_MUST_USE int audit_create(struct botnode *node, struct audit **out);
void audit_destroy(struct audit *audit); /* NULL is fine */
void audit_second(struct audit *audit);
