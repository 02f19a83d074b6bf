/* What a paper account holds after a restart of the node.
 *
 * Paper accounts live in memory; the bot's sub-ledger is in the journal. So the account is made
 * anew from it: of each quote asset what it began with plus the flow of cash, of each base asset
 * the position. */
#pragma once
#include "lib/fail.h"
#include "lib/json.h"
#include "lib/market.h"

/* `state` is a snapshot of bot_save. Appends "BTC=0.5,USDT=99000"; nothing when nothing was traded.
 * -EINVAL: not a snapshot of these legs. */
FLT_MUST_USE int paper_holdings(struct json_object *state, const struct instrument *const *legs,
                                size_t leg_count, struct flt_buf *out);
