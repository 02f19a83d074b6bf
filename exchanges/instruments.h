/* The instruments of a venue, found by our name and by the venue's symbol.
 *
 * An instrument keeps its address from its first load until the table is finished, so that bots and
 * orders may hold pointers; a reload updates it in place, and one the venue no longer lists becomes
 * INSTRUMENT_DELISTED. Symbols may have any bytes (Binance lists non-ASCII ones). Thread: the
 * owner's. */
#pragma once
#include "lib/attr.h"
#include "lib/market.h"

struct instruments {
    struct instrument **items; /* in order of first sight */
    size_t count, capacity;
    uint32_t *slots; /* two open-addressing tables of `slot_count`, index + 1 or 0 */
    size_t slot_count;
};

void instruments_init(struct instruments *table);
void instruments_finish(struct instruments *table);
/* Takes over a whole list as a reload: what is missing in it is delisted. -ENOMEM. */
FLT_MUST_USE int instruments_load(struct instruments *table, const struct instrument *list,
                                  size_t count);
const struct instrument *instruments_find(const struct instruments *table, const char *name);
const struct instrument *instruments_by_symbol(const struct instruments *table, const char *symbol,
                                               size_t size);
