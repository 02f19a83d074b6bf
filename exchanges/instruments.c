#include "exchanges/instruments.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void instruments_init(struct instruments *table)
{
    *table = (struct instruments){ 0 };
}

void instruments_finish(struct instruments *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->items[i]);
    free(table->items);
    free(table->slots);
    *table = (struct instruments){ 0 };
}

static size_t hash(const char *text, size_t size) /* FNV-1a */
{
    uint64_t value = 14695981039346656037U;

    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char)text[i]) * 1099511628211U;
    return (size_t)(value ^ value >> 29);
}

/* By symbol in the first half of `slots`, by name in the second. */
static void put(uint32_t *slots, size_t slot_count, const char *key, uint32_t index)
{
    size_t at = hash(key, strlen(key)) & (slot_count - 1);

    while (slots[at])
        at = (at + 1) & (slot_count - 1);
    slots[at] = index + 1;
}

static int reindex(struct instruments *table)
{
    size_t slot_count = 64;

    while (slot_count < table->count * 4)
        slot_count *= 2;
    uint32_t *slots = calloc(slot_count * 2, sizeof *slots);

    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < table->count; i++) {
        put(slots, slot_count, table->items[i]->venue_symbol, (uint32_t)i);
        put(slots + slot_count, slot_count, table->items[i]->name, (uint32_t)i);
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
    return 0;
}

/* The index, or -1. */
static int64_t index_of(const struct instruments *table, const char *symbol, size_t size)
{
    if (!table || table->slot_count == 0 || size == 0 || size >= INSTRUMENT_NAME_MAX)
        return -1;
    for (size_t at = hash(symbol, size) & (table->slot_count - 1); table->slots[at];
         at = (at + 1) & (table->slot_count - 1)) {
        const char *found = table->items[table->slots[at] - 1]->venue_symbol;

        if (memcmp(found, symbol, size) == 0 && found[size] == '\0')
            return (int64_t)table->slots[at] - 1;
    }
    return -1;
}

const struct instrument *instruments_by_symbol(const struct instruments *table, const char *symbol,
                                               size_t size)
{
    const int64_t index = index_of(table, symbol, size);

    return index < 0 ? NULL : table->items[index];
}

const struct instrument *instruments_find(const struct instruments *table, const char *name)
{
    if (!table || table->slot_count == 0)
        return NULL;
    const uint32_t *slots = table->slots + table->slot_count;

    for (size_t at = hash(name, strlen(name)) & (table->slot_count - 1); slots[at];
         at = (at + 1) & (table->slot_count - 1)) {
        const struct instrument *found = table->items[slots[at] - 1];

        if (strcmp(found->name, name) == 0)
            return found;
    }
    return NULL;
}

static int add(struct instruments *table, const struct instrument *instrument)
{
    struct instrument *copy = malloc(sizeof *copy);

    if (!copy)
        return -ENOMEM;
    if (table->count == table->capacity) {
        const size_t capacity = table->capacity ? table->capacity * 2 : 64;
        struct instrument **items = realloc(table->items, capacity * sizeof(struct instrument *));

        if (!items) {
            free(copy);
            return -ENOMEM;
        }
        table->items = items;
        table->capacity = capacity;
    }
    *copy = *instrument;
    table->items[table->count++] = copy;
    return 0;
}

int instruments_load(struct instruments *table, const struct instrument *list, size_t count)
{
    const size_t known = table->count;
    int err;

    for (size_t i = 0; i < known; i++)
        table->items[i]->status = INSTRUMENT_DELISTED;
    for (size_t i = 0; i < count; i++) {
        const int64_t old = index_of(table, list[i].venue_symbol, strlen(list[i].venue_symbol));

        if (old >= 0)
            *table->items[old] = list[i];
        else if ((err = add(table, &list[i])) != 0)
            return err;
    }
    return reindex(table);
}
