/* The intents of a node: DIR/intents.ring, a preallocated, memory-mapped ring of 64-byte slots.
 *
 * Writing is a store into mapped memory and no system call; the kernel keeps the pages when the
 * process dies. Each slot is checksummed together with its place and turn, so that one torn by a
 * power cut, or half written by a process that was killed, is skipped and counted, never believed.
 * A file whose header is not ours is refused and left as it is. Part of engine/journal.h. */
#pragma once
#include "engine/journal.h"

struct intent_slot;
struct intent_index;

struct intent_ring {
    struct intent_slot *slots; /* mapped; NULL: closed */
    void *map;
    size_t map_bytes;
    uint64_t mask;              /* slots - 1 */
    uint64_t next;              /* turn of the next intent, from 1; its slot is turn & mask */
    uint32_t sequence_highest;  /* found at open; 0: none */
    uint64_t bad_slots;         /* found at open */
    bool created;               /* there was no file */
    struct intent_index *index; /* by owner; made by the first intent_ring_each() */
};

/* Opens DIR/intents.ring, or makes it with `slots` (a power of two). -EBADMSG, -ENOSPC, -EIO. */
FLT_MUST_USE int intent_ring_open(const char *dir, size_t slots, struct flt_error *error,
                                  struct intent_ring *out);
void intent_ring_close(struct intent_ring *ring);
void intent_ring_write(struct intent_ring *ring, const struct order_intent *intent);
/* Oldest first; stops at the first non-zero answer of `fn` and returns it. Its cost is that of the
 * owner's intents and of what was written since the last call, so that writing pays for no index.
 */
FLT_MUST_USE int intent_ring_each(struct intent_ring *ring, uint64_t owner, journal_intent_fn *fn,
                                  void *ctx);
