#include "engine/lookup.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int lookup_init(struct lookup *lookup, uint32_t rows)
{
    uint32_t count = 16;

    while (count < rows * 2)
        count *= 2;
    struct lookup_cell *cells = malloc(count * sizeof *cells);
    if (!cells)
        return -ENOMEM;
    memset(cells, 0xFF, count * sizeof *cells);
    *lookup = (struct lookup){ cells, count - 1 };
    return 0;
}

void lookup_finish(struct lookup *lookup)
{
    free(lookup->cells);
    *lookup = (struct lookup){ 0 };
}

void lookup_put(struct lookup *lookup, uint32_t hash, uint32_t row)
{
    uint32_t at = hash & lookup->mask;

    while (lookup->cells[at].row != LOOKUP_NONE)
        at = (at + 1) & lookup->mask;
    lookup->cells[at] = (struct lookup_cell){ hash, row };
}

/* Moves up what a walk would no longer reach over the hole. */
static void close_hole(struct lookup *lookup, uint32_t hole)
{
    const uint32_t mask = lookup->mask;

    for (uint32_t at = (hole + 1) & mask; lookup->cells[at].row != LOOKUP_NONE;
         at = (at + 1) & mask) {
        const uint32_t home = lookup->cells[at].hash & mask;

        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        lookup->cells[hole] = lookup->cells[at];
        hole = at;
    }
    lookup->cells[hole].row = LOOKUP_NONE;
}

void lookup_remove(struct lookup *lookup, uint32_t hash, uint32_t row)
{
    uint32_t at = hash & lookup->mask;

    while (lookup->cells[at].row != LOOKUP_NONE &&
           (lookup->cells[at].row != row || lookup->cells[at].hash != hash))
        at = (at + 1) & lookup->mask;
    if (lookup->cells[at].row != LOOKUP_NONE)
        close_hole(lookup, at);
}
