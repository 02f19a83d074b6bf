/* A hash table from 32-bit hashes to row numbers of an array that somebody else keeps: open
 * addressing, at most half full, nothing allocated after its start. It compares hashes only; the
 * caller looks at the row. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/attr.h"

#define LOOKUP_NONE UINT32_MAX

struct lookup_cell {
    uint32_t hash;
    uint32_t row; /* LOOKUP_NONE: empty */
};

struct lookup {
    struct lookup_cell *cells;
    uint32_t mask;
};

/* An empty table for up to `rows` entries; failure: -ENOMEM, and the table is as it was. */
FLT_MUST_USE int lookup_init(struct lookup *lookup, uint32_t rows);
void lookup_finish(struct lookup *lookup);
void lookup_put(struct lookup *lookup, uint32_t hash, uint32_t row);
void lookup_remove(struct lookup *lookup, uint32_t hash, uint32_t row); /* not there: nothing */

/* The rows of a hash, one after the other: start with `at` = hash, until LOOKUP_NONE. */
static inline uint32_t lookup_next(const struct lookup *lookup, uint32_t hash, uint32_t *at)
{
    for (;;) {
        const struct lookup_cell cell = lookup->cells[(*at)++ & lookup->mask];

        if (cell.row == LOOKUP_NONE || cell.hash == hash)
            return cell.row;
    }
}

static inline uint32_t lookup_mix(uint64_t value) /* a hash of an integer */
{
    return (uint32_t)((value * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

static inline uint64_t lookup_text(uint64_t hash,
                                   const char *text) /* FNV-1a, goes on from `hash` */
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return hash;
}
