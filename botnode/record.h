/* What a bot did, as the JSON of a stream record (schemas/types/ev_record.json) without its number,
 * which the journal gives. */
#pragma once
#include "botnode/host.h"

/* Appends to the journal, with the bot's snapshot; negative: the journal cannot take it. */
FLT_MUST_USE int record_append(struct host *host, const struct bot_record *record);
/* Shared with report.c: the forms of order, fill and book that messages carry. */
void record_order(const struct host *host, const struct bot_order *order, struct msg_order *out);
void record_fill(const struct fill *fill, struct msg_fill *out);
void record_adjustment(const struct host *host, const struct bot_adjustment *adjustment,
                       struct msg_ev_adjustment *out); /* its book's `fees` as below */
/* `fees` of `out` is a new tree (put by the caller) or NULL. */
void record_book(const struct host *host, unsigned leg, struct msg_book *out);
