#include "lib/ring.h"
#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Records lie one after another: a header of 8 bytes with the size, the bytes, and padding to 8. A
 * record is never split; where it does not fit before the end, a header of SKIP sends the reader
 * back to the start. Positions only grow, and wrap by the mask. */
#define HEADER 8
#define SKIP UINT64_MAX
#define CAPACITY_MIN 4096
#define LINE 64 /* bytes of a cache line: what the two threads write is kept apart */

struct flt_ring {
    size_t capacity;
    unsigned char *data;
    alignas(LINE) _Atomic uint64_t tail; /* written by the producer */
    uint64_t head_seen;                  /* its last look at head */
    _Atomic uint64_t dropped;
    alignas(LINE) _Atomic uint64_t head; /* written by the consumer */
    uint64_t tail_seen;
};

int flt_ring_create(size_t size, struct flt_ring **out)
{
    size_t capacity = CAPACITY_MIN;
    struct flt_ring *const ring = aligned_alloc(LINE, sizeof *ring);

    while (capacity < size && capacity <= SIZE_MAX / 4)
        capacity *= 2;
    if (!ring)
        return -ENOMEM;
    memset(ring, 0, sizeof *ring);
    ring->capacity = capacity;
    ring->data = aligned_alloc(LINE, capacity);
    if (!ring->data) {
        free(ring);
        return -ENOMEM;
    }
    *out = ring;
    return 0;
}

void flt_ring_destroy(struct flt_ring *ring)
{
    if (!ring)
        return;
    free(ring->data);
    free(ring);
}

static uint64_t space_of(size_t size)
{
    return HEADER + (((uint64_t)size + 7) & ~UINT64_C(7));
}

/* Whether `space` bytes are free after `tail`; looks at the other side's position only if needed.
 */
static bool has_room(struct flt_ring *ring, uint64_t tail, uint64_t space)
{
    if (tail + space - ring->head_seen <= ring->capacity)
        return true;
    ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
    return tail + space - ring->head_seen <= ring->capacity;
}

bool flt_ring_push(struct flt_ring *ring, const struct flt_ring_part *parts, size_t count)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed), size = 0;

    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    const uint64_t to_end = ring->capacity - (tail & (ring->capacity - 1));
    const uint64_t space = space_of(size), skipped = space > to_end ? to_end : 0;

    if (space > ring->capacity / 2 || !has_room(ring, tail, skipped + space)) {
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return false;
    }
    if (skipped > 0) {
        memcpy(ring->data + (tail & (ring->capacity - 1)), &(uint64_t){ SKIP }, HEADER);
        tail += skipped;
    }
    unsigned char *p = ring->data + (tail & (ring->capacity - 1));

    memcpy(p, &size, HEADER);
    p += HEADER;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > 0)
            memcpy(p, parts[i].data, parts[i].size);
        p += parts[i].size;
    }
    atomic_store_explicit(&ring->tail, tail + space, memory_order_release);
    return true;
}

static uint64_t size_at(const struct flt_ring *ring, uint64_t position)
{
    uint64_t size;

    memcpy(&size, ring->data + (position & (ring->capacity - 1)), HEADER);
    return size;
}

const void *flt_ring_peek(struct flt_ring *ring, size_t *size)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    if (head == ring->tail_seen) {
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head == ring->tail_seen)
            return NULL;
    }
    if (size_at(ring, head) == SKIP) { /* a record follows it always: both were stored as one */
        head += ring->capacity - (head & (ring->capacity - 1));
        atomic_store_explicit(&ring->head, head, memory_order_release);
    }
    *size = (size_t)size_at(ring, head);
    return ring->data + (head & (ring->capacity - 1)) + HEADER;
}

void flt_ring_pop(struct flt_ring *ring)
{
    size_t size;

    if (!flt_ring_peek(ring, &size)) /* also steps over a SKIP when nobody peeked before */
        return;
    const uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    atomic_store_explicit(&ring->head, head + space_of(size), memory_order_release);
}

uint64_t flt_ring_dropped(const struct flt_ring *ring)
{
    return atomic_load_explicit(&ring->dropped, memory_order_relaxed);
}

size_t flt_ring_used(const struct flt_ring *ring)
{
    const uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    return (size_t)(atomic_load_explicit(&ring->tail, memory_order_acquire) - head);
}
