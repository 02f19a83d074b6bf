/* The ring of intents: DIR/intents.ring, preallocated and memory-mapped. Writing one is a few
 * stores; the kernel keeps the pages when the process dies. A record that was being written at that
 * moment fails its checksum and counts as not there: its order was not sent yet. Failures: -EBADMSG
 * (damaged or not ours, left untouched), -EIO, -ENOSPC, -ENOMEM. Loop thread. */
#pragma once
#include "engine/bot.h"

struct intents;

FLT_MUST_USE int intents_open(const char *path, size_t slots, struct flt_error *error,
                              struct intents **out);
void intents_close(struct intents *intents); /* NULL is fine */
void intents_write(struct intents *intents, const struct order_intent *intent);
/* Of one bot, oldest first. The first call indexes the ring, later ones are cheap. */
FLT_MUST_USE int intents_each(struct intents *intents, uint64_t owner,
                              int (*fn)(void *ctx, const struct order_intent *intent), void *ctx);
uint32_t intents_last_sequence(const struct intents *intents); /* highest held; 0: none */
int intents_fd(const struct intents *intents); /* for the storage thread's fdatasync */
