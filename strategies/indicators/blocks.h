/* What indicators are made of: windows of whole ticks with exact sums, sliding extremes, smoothed
 * averages. For strategies/indicators/ only.
 *
 * A part is plain bytes inside its indicator's state. Its window lies behind the indicator's struct
 * and is found by the distance from the part itself, so that a copy of the state is a state. */
#pragma once
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include "lib/attr.h"
#include "strategies/indicators/indicator.h"

/* Inlined into both forms of an indicator: the batch loop keeps its state in registers. */
#define BLOCK static inline __attribute__((always_inline, unused))
#define UNDEFINED ((double)NAN)
#define IS_ZERO(x) (fabs(x) < 1e-14) /* TA-Lib 0.6's TA_IS_ZERO */

__extension__ typedef __int128 wide;

BLOCK double wide_to_double(wide x) /* a sum of ticks mostly fits 64 bits, which is much faster */
{
    return (wide)(int64_t)x == x ? (double)(int64_t)x : (double)x;
}

/* --- memory --------------------------------------------------------------------------------------
 */

struct arena {
    char *base; /* NULL: only the size is asked for */
    size_t used;
};

/* `name` points at the state, or at a stand-in when only the size is asked for. */
#define INDICATOR_STATE(type, name, state)                                                         \
    type name##_stand_in;                                                                          \
    type *const name = (state) ? (state) : &name##_stand_in;                                       \
    struct arena arena = { (state), (sizeof(type) + 15) / 16 * 16 };                               \
    memset(name, 0, sizeof *name)

/* Zeroed bytes; returns their distance from `part`. */
BLOCK ptrdiff_t arena_take(struct arena *arena, const void *part, size_t bytes)
{
    const size_t at = arena->used;

    arena->used += (bytes + 15) / 16 * 16;
    if (!arena->base)
        return 0;
    memset(arena->base + at, 0, bytes);
    return arena->base + at - (const char *)part;
}

/* --- a window of ticks with its sum
 * ---------------------------------------------------------------- */

struct ring {
    int64_t size, at, count; /* count: bars seen, up to size */
    int64_t sum;
    ptrdiff_t data;
};

BLOCK int64_t *ring_data(struct ring *ring)
{
    return (int64_t *)(void *)((char *)ring + ring->data);
}

BLOCK void ring_init(struct ring *ring, struct arena *arena, int64_t size)
{
    *ring = (struct ring){ .size = size };
    ring->data = arena_take(arena, ring, (size_t)size * sizeof(int64_t));
}

/* Returns what leaves the window: the value of `size` bars ago, 0 while it fills. */
BLOCK int64_t ring_push(struct ring *ring, int64_t x)
{
    int64_t *slot = ring_data(ring) + ring->at;
    const int64_t gone = *slot;

    *slot = x;
    ring->sum += x - gone;
    ring->at = ring->at + 1 == ring->size ? 0 : ring->at + 1;
    ring->count += ring->count < ring->size;
    return gone;
}

BLOCK bool ring_full(const struct ring *ring)
{
    return ring->count == ring->size;
}

/* --- a window of doubles with its sum
 * -------------------------------------------------------------- */

/* The sum is taken anew each time the window has turned over once, so it cannot drift. */
struct total {
    int64_t size, at, count, nonzero;
    double sum;
    ptrdiff_t data;
};

BLOCK double *total_data(struct total *total)
{
    return (double *)(void *)((char *)total + total->data);
}

BLOCK void total_init(struct total *total, struct arena *arena, int64_t size)
{
    *total = (struct total){ .size = size };
    total->data = arena_take(arena, total, (size_t)size * sizeof(double));
}

BLOCK bool total_full(const struct total *total)
{
    return total->count == total->size;
}

BLOCK double total_push(struct total *total, double x)
{
    double *data = total_data(total);
    const double gone = data[total->at];

    data[total->at] = x;
    total->sum += x - gone;
    total->nonzero += (x < 0 || x > 0) - (gone < 0 || gone > 0);
    total->count += total->count < total->size;
    if (++total->at == total->size) {
        total->at = 0;
        total->sum = 0;
        for (int64_t i = 0; i < total->size; i++)
            total->sum += data[i];
    }
    if (total->nonzero == 0)
        total->sum = 0;
    return total->sum;
}

/* --- the highest value of a window
 * ------------------------------------------------------------------ */

/* A queue of falling values: each new one removes those it beats, and the front is the highest. Of
 * equal values the newest stays. For the lowest, push the values' negatives. */
struct extreme_entry {
    int64_t value, bar;
};

struct extreme {
    int64_t size, head, used, bar; /* bar: bars seen */
    ptrdiff_t data;
};

BLOCK struct extreme_entry *extreme_data(struct extreme *extreme)
{
    return (struct extreme_entry *)(void *)((char *)extreme + extreme->data);
}

BLOCK void extreme_init(struct extreme *extreme, struct arena *arena, int64_t size)
{
    *extreme = (struct extreme){ .size = size };
    extreme->data = arena_take(arena, extreme, (size_t)size * sizeof(struct extreme_entry));
}

BLOCK struct extreme_entry *extreme_slot(struct extreme *extreme, int64_t index)
{
    const int64_t at = extreme->head + index;

    return extreme_data(extreme) + (at >= extreme->size ? at - extreme->size : at);
}

BLOCK int64_t extreme_push(struct extreme *extreme, int64_t x)
{
    if (extreme->used > 0 && extreme_slot(extreme, 0)->bar <= extreme->bar - extreme->size) {
        extreme->head = extreme->head + 1 == extreme->size ? 0 : extreme->head + 1;
        extreme->used--;
    }
    while (extreme->used > 0 && extreme_slot(extreme, extreme->used - 1)->value <= x)
        extreme->used--;
    *extreme_slot(extreme, extreme->used++) = (struct extreme_entry){ x, extreme->bar++ };
    return extreme_slot(extreme, 0)->value;
}

BLOCK int64_t extreme_age(struct extreme *extreme) /* bars since the highest; 0: this one */
{
    return extreme->bar - 1 - extreme_slot(extreme, 0)->bar;
}

BLOCK bool extreme_full(const struct extreme *extreme)
{
    return extreme->bar >= extreme->size;
}

struct range { /* highest high and lowest low */
    struct extreme high, low;
};

BLOCK void range_init(struct range *range, struct arena *arena, int64_t size)
{
    extreme_init(&range->high, arena, size);
    extreme_init(&range->low, arena, size);
}

BLOCK bool range_push(struct range *range, const struct bar *bar, int64_t *high, int64_t *low)
{
    *high = extreme_push(&range->high, bar->high_ticks);
    *low = -extreme_push(&range->low, -bar->low_ticks);
    return extreme_full(&range->high);
}

/* --- smoothed averages: value += (x - value) * k
 * ---------------------------------------------------- */

enum smooth_seed {
    SEED_MEAN,    /* the mean of the first n values, at the n-th (TA-Lib) */
    SEED_FIRST,   /* the first value, at once */
    SEED_WEIGHTED /* weights (1-k)^age over what there is, shown from the n-th (pandas' ewm) */
};

struct smooth {
    int64_t period, count;
    enum smooth_seed seed;
    double k, sum, weight, value;
};

BLOCK void smooth_init(struct smooth *smooth, int64_t period, double k, enum smooth_seed seed)
{
    *smooth = (struct smooth){ .period = period, .k = k, .seed = seed };
}

BLOCK void ema_start(struct smooth *smooth, int64_t period)
{
    smooth_init(smooth, period, 2.0 / ((double)period + 1.0), SEED_MEAN);
}

BLOCK void rma_start(struct smooth *smooth, int64_t period, enum smooth_seed seed) /* Wilder's */
{
    smooth_init(smooth, period, 1.0 / (double)period, seed);
}

BLOCK double smooth_seeding(struct smooth *smooth, double x)
{
    smooth->count++;
    if (smooth->seed == SEED_WEIGHTED) {
        smooth->sum = smooth->sum * (1.0 - smooth->k) + x;
        smooth->weight = smooth->weight * (1.0 - smooth->k) + 1.0;
        smooth->value = smooth->sum / smooth->weight;
        return smooth->count < smooth->period ? UNDEFINED : smooth->value;
    }
    smooth->sum += x;
    if (smooth->seed == SEED_MEAN && smooth->count < smooth->period)
        return UNDEFINED;
    smooth->value = smooth->sum / (double)smooth->count;
    smooth->count = smooth->period;
    return smooth->value;
}

BLOCK double smooth_next(struct smooth *smooth, double x)
{
    if (smooth->count >= smooth->period && smooth->seed != SEED_WEIGHTED)
        return smooth->value += (x - smooth->value) * smooth->k;
    return smooth_seeding(smooth, x);
}

/* --- true range: max(high - low, |high - previous close|, |low - previous close|)
 * ------------------- */

struct true_range {
    int64_t close_ticks, bars;
};

BLOCK bool true_range_next(struct true_range *range, const struct bar *bar, int64_t *out)
{
    const int64_t before = range->close_ticks;
    const int64_t top = bar->high_ticks > before ? bar->high_ticks : before;
    const int64_t bottom = bar->low_ticks < before ? bar->low_ticks : before;

    range->close_ticks = bar->close_ticks;
    *out = top - bottom; /* the same three cases, for high >= low */
    return range->bars++ > 0;
}
