/* A bounded ring of bytes records from one thread to another: one producer, one consumer, no locks.
 *
 * The only place in Flotilla where two threads share memory on the loop's path. Records are copied
 * in and out; a full ring refuses (and counts), it never blocks and never overwrites.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"

struct flt_ring;

/* `size` bytes, rounded up to a power of two, at least 4 KiB. One record takes at most half of it.
 * -ENOMEM. */
FLT_MUST_USE int flt_ring_create(size_t size, struct flt_ring **out);
void flt_ring_destroy(struct flt_ring *ring); /* NULL is fine */

/* Producer: appends one record made of `count` parts. False: no room, or too large; counted. */
struct flt_ring_part {
    const void *data;
    size_t size;
};
bool flt_ring_push(struct flt_ring *ring, const struct flt_ring_part *parts, size_t count);

/* Consumer: the oldest record, in place and 8-byte aligned, valid until flt_ring_pop(); NULL:
 * empty. */
const void *flt_ring_peek(struct flt_ring *ring, size_t *size);
void flt_ring_pop(struct flt_ring *ring);

uint64_t flt_ring_dropped(const struct flt_ring *ring); /* any thread */
size_t flt_ring_used(const struct flt_ring *ring);      /* bytes, any thread, a moment's value */
