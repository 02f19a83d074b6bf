/* What goes from one owner of a bot to the next: snapshots told while it runs, the last state told
 * with its release, and what a new owner begins with (schemas/types/resume.json). Thread: the
 * loop's. */
#pragma once
#include "botnode/host.h"

void handover_second(struct host *host); /* tells the snapshot when it changed and is due */
/* The record of the release, with the last state: appended to the stream. Negative: failure. */
int64_t handover_release(struct host *host);

/* Before the bot is made: whether it begins with what the owner before it left. */
void handover_prepare(struct host *host);
/* After its past was restored: fills booked since that state, and trades that may come again. */
void handover_restored(struct host *host);
/* It has recovered: the document is kept without what was handed over. */
void handover_done(struct host *host);
/* Nobody owned it before us. */
void handover_born(struct host *host);
/* A fill of an earlier owner that came late. 1: booked; 0: it was known; negative: not now. */
FLT_MUST_USE int handover_late_fill(struct host *host, const struct msg_fill *fill);
