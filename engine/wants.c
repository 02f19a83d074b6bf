/* What a strategy wants, by key. A full set is ended by wants_commit() after the call: what it did
 * not name goes. Slots that changed are queued once, for orders_step(). */
#define FLT_MOD "wants"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/core.h"

#define SLOTS_MAX 65536

uint32_t wants_find(const struct wants *wants, uint32_t key)
{
    const uint32_t hash = lookup_mix(key);
    uint32_t at = hash, row;

    while ((row = lookup_next(&wants->keys, hash, &at)) != LOOKUP_NONE)
        if (wants->slots[row].key == key)
            return row;
    return NO_SLOT;
}

static void put_all(const struct lookup *old, struct lookup *out)
{
    for (uint32_t i = 0; old->cells && i <= old->mask; i++)
        if (old->cells[i].row != LOOKUP_NONE)
            lookup_put(out, old->cells[i].hash, old->cells[i].row);
}

static int resize_lookup(struct lookup *lookup, uint32_t cap)
{
    struct lookup wider;

    if (lookup_init(&wider, cap))
        return -ENOMEM;
    put_all(lookup, &wider);
    lookup_finish(lookup);
    *lookup = wider;
    return 0;
}

/* Room for `cap` slots. What fails half-way has only made tables wider than they need to be. */
static int resize(struct wants *wants, uint32_t cap)
{
    struct slot *slots = realloc(wants->slots, cap * sizeof *slots);

    if (slots)
        wants->slots = slots;
    if (!slots || resize_lookup(&wants->keys, cap) || resize_lookup(&wants->sequences, cap) ||
        resize_lookup(&wants->order_ids, cap))
        return -ENOMEM;
    uint32_t *dirty = calloc(cap, sizeof *dirty);
    if (!dirty)
        return -ENOMEM;
    for (uint32_t i = 0; i < wants->dirty_count; i++)
        dirty[i] = wants->dirty[(wants->dirty_head + i) % wants->slot_cap];
    free(wants->dirty);
    wants->dirty = dirty;
    wants->dirty_head = 0;
    wants->slot_cap = cap;
    return 0;
}

int wants_init(struct wants *wants, struct bot *bot, size_t orders_max)
{
    memset(wants, 0, sizeof *wants);
    wants->bot = bot;
    wants->free_head = NO_SLOT;
    if (orders_max > SLOTS_MAX / 4)
        return -EINVAL;
    return resize(wants, (uint32_t)(orders_max + orders_max / 2 + 8));
}

void wants_finish(struct wants *wants)
{
    free(wants->slots);
    free(wants->dirty);
    lookup_finish(&wants->keys);
    lookup_finish(&wants->sequences);
    lookup_finish(&wants->order_ids);
    memset(wants, 0, sizeof *wants);
}

uint32_t wants_slot(struct wants *wants, uint32_t key, bool indexed)
{
    uint32_t number = indexed ? wants_find(wants, key) : NO_SLOT;

    if (number != NO_SLOT)
        return number;
    if (wants->free_head != NO_SLOT) {
        number = wants->free_head;
        wants->free_head = wants->slots[number].stamp;
    } else {
        /* more keys than the strategy declared: rare (a takeover), so memory may be asked for */
        if (wants->slot_count == wants->slot_cap &&
            (wants->slot_cap >= SLOTS_MAX || resize(wants, wants->slot_cap * 2)))
            return NO_SLOT;
        number = wants->slot_count++;
    }
    struct slot *slot = &wants->slots[number];
    memset(slot, 0, sizeof *slot);
    slot->key = key;
    slot->used = true;
    slot->indexed = indexed;
    if (indexed)
        lookup_put(&wants->keys, lookup_mix(key), number);
    else
        wants->strays++;
    return number;
}

void wants_release(struct wants *wants, uint32_t number)
{
    struct slot *slot = &wants->slots[number];

    assert(slot->used && slot->kind == WANT_NONE && slot->live.state == ORDER_BAD);
    if (slot->indexed)
        lookup_remove(&wants->keys, lookup_mix(slot->key), number);
    else
        wants->strays--;
    slot->used = false;
    slot->stamp = wants->free_head;
    wants->free_head = number;
}

void wants_dirty(struct wants *wants, uint32_t number)
{
    struct slot *slot = &wants->slots[number];

    if (slot->dirty)
        return;
    slot->dirty = true;
    const uint32_t at = wants->dirty_head + wants->dirty_count++;
    wants->dirty[at < wants->slot_cap ? at : at - wants->slot_cap] = number;
}

void wants_dirty_all(struct wants *wants)
{
    for (uint32_t i = 0; i < wants->slot_count; i++)
        if (wants->slots[i].used)
            wants_dirty(wants, i);
}

/* What still trades of the key belongs to no present want. */
static void disown(struct wants *wants, struct slot *slot)
{
    slot->live.current = false;
    for (uint32_t i = 0; wants->strays > 0 && i < wants->slot_count; i++)
        if (wants->slots[i].used && wants->slots[i].key == slot->key)
            wants->slots[i].live.current = false;
}

static void set_kind(struct wants *wants, struct slot *slot, enum want_kind kind)
{
    const bool named = slot->stamp == wants->stamp;

    if (slot->kind == WANT_LIMIT) {
        wants->limit_count--;
        wants->named_count -= named;
    }
    slot->kind = kind;
    if (kind == WANT_LIMIT) {
        wants->limit_count++;
        wants->named_count += named;
    }
}

void wants_restore(struct wants *wants, uint32_t number, enum want_kind kind)
{
    set_kind(wants, &wants->slots[number], kind);
}

/* The full set that is being made names the slot. */
static void name_slot(struct wants *wants, struct slot *slot)
{
    if (slot->stamp != wants->stamp && slot->kind == WANT_LIMIT)
        wants->named_count++;
    slot->stamp = wants->stamp;
}

/* An order that still rests goes with its slot to the other leg. */
static void set_leg(struct wants *wants, uint32_t number, unsigned leg)
{
    struct slot *slot = &wants->slots[number];
    struct live *live = &slot->live;

    if (slot->leg == leg)
        return;
    wants->bot->legs[slot->leg].resting_lots[live->side] -= live->rests_lots;
    live->rests_lots = 0;
    slot->leg = (uint8_t)leg;
    orders_count(wants->bot, number);
}

void wants_unwant(struct wants *wants, uint32_t number)
{
    struct slot *slot = &wants->slots[number];

    if (slot->kind == WANT_NONE)
        return;
    set_kind(wants, slot, WANT_NONE);
    slot->filled_lots = 0;
    disown(wants, slot);
    wants->bot->dirty_state = true;
    wants_dirty(wants, number);
}

void wants_commit(struct wants *wants)
{
    if (!wants->full_set)
        return;
    wants->full_set = false;
    for (uint32_t i = 0; wants->named_count < wants->limit_count && i < wants->slot_count; i++) {
        const struct slot *slot = &wants->slots[i];

        if (slot->used && slot->kind == WANT_LIMIT && slot->stamp != wants->stamp)
            wants_unwant(wants, i);
    }
}

void wants_clear(struct wants *wants)
{
    for (uint32_t i = 0; i < wants->slot_count; i++)
        if (wants->slots[i].used && wants->slots[i].key < KEY_CLOSE)
            wants_unwant(wants, i);
}

/* A new want in the slot: counters start again, an order that rests may still be taken over. */
static void renew(struct wants *wants, struct slot *slot, enum want_kind kind)
{
    set_kind(wants, slot, kind);
    slot->filled_lots = 0;
    disown(wants, slot);
    slot->retry_ms = 0;
    slot->backoff_ms = 0;
    slot->refused = false;
}

static struct slot *slot_for(struct wants *wants, uint32_t key, uint32_t *number)
{
    *number = wants_slot(wants, key, true);
    if (*number != NO_SLOT)
        return &wants->slots[*number];
    wants->overflowed = true;
    return NULL;
}

/* --- the strategy's side
 * -------------------------------------------------------------------------- */

void wants_begin(struct wants *wants)
{
    wants->full_set = true;
    wants->stamp++;
    wants->named_count = 0;
}

void wants_limit(struct wants *wants, unsigned leg, uint32_t key, enum side side,
                 int64_t price_ticks, int64_t qty_lots, unsigned flags)
{
    uint32_t number;

    if (leg >= wants->bot->leg_count || key >= KEY_CLOSE || qty_lots <= 0 || price_ticks <= 0 ||
        qty_lots > LOTS_MAX || price_ticks > LOTS_MAX)
        return;
    struct slot *slot = slot_for(wants, key, &number);
    if (!slot)
        return;
    name_slot(wants, slot);
    if (slot->kind == WANT_LIMIT && slot->leg == leg && slot->side == side &&
        slot->price_ticks == price_ticks && slot->qty_lots == qty_lots && slot->flags == flags)
        return;
    if (slot->kind != WANT_LIMIT || slot->leg != leg || slot->side != side)
        renew(wants, slot, WANT_LIMIT);
    set_leg(wants, number, leg);
    slot->side = side;
    slot->price_ticks = price_ticks;
    slot->qty_lots = qty_lots;
    slot->flags = flags;
    wants->bot->dirty_state = true;
    wants_dirty(wants, number);
}

void wants_drop(struct wants *wants, uint32_t key)
{
    const uint32_t number = wants_find(wants, key);

    if (number != NO_SLOT && key < KEY_CLOSE)
        wants_unwant(wants, number);
}

static void set_target(struct wants *wants, unsigned leg, uint32_t key, int64_t target_lots,
                       int64_t limit_ticks)
{
    uint32_t number;
    struct slot *slot = slot_for(wants, key, &number);

    if (!slot)
        return;
    if (slot->kind == WANT_TARGET && slot->leg == leg && slot->qty_lots == target_lots &&
        slot->price_ticks == limit_ticks)
        return;
    renew(wants, slot, WANT_TARGET);
    set_leg(wants, number, leg);
    slot->qty_lots = target_lots;
    slot->price_ticks = limit_ticks;
    slot->flags = 0;
    wants->bot->dirty_state = true;
    wants_dirty(wants, number);
}

void wants_target(struct wants *wants, unsigned leg, uint32_t key, int64_t target_lots,
                  int64_t limit_ticks)
{
    if (leg < wants->bot->leg_count && key < KEY_CLOSE && target_lots <= LOTS_MAX &&
        target_lots >= -LOTS_MAX)
        set_target(wants, leg, key, target_lots, limit_ticks);
}

void wants_close(struct wants *wants, unsigned leg, bool close)
{
    const uint32_t number = wants_find(wants, KEY_CLOSE + leg);

    if (close)
        set_target(wants, leg, KEY_CLOSE + leg, 0, NO_LIMIT);
    else if (number != NO_SLOT)
        wants_unwant(wants, number);
}

/* Legs not named in this call sleep. */
static void begin_waking(struct wants *wants)
{
    for (size_t i = 0; !wants->waking && i < wants->bot->leg_count; i++)
        wake_reset(&wants->bot->legs[i].wake, 0);
    wants->waking = true;
}

void wants_wake(struct wants *wants, unsigned leg, int64_t low_ticks, int64_t high_ticks,
                int64_t until_ms, unsigned kinds)
{
    if (leg >= wants->bot->leg_count)
        return;
    begin_waking(wants);
    struct wake *wake = &wants->bot->legs[leg].wake;

    wake->low_ticks = low_ticks;
    wake->high_ticks = high_ticks;
    wake->until_ms = until_ms;
    wake->kinds = kinds;
}

static void wake_line(struct wants *wants, unsigned leg, struct line_wake line)
{
    const struct bot *bot = wants->bot;

    if (leg >= bot->leg_count || line.a >= bot->needs.line_count || line.b >= bot->needs.line_count)
        return;
    begin_waking(wants);
    struct wake *wake = &bot->legs[leg].wake;

    if (wake->line_count < WAKE_LINES_MAX)
        wake->line[wake->line_count++] = line;
    else
        wake->kinds |= 1u << EVENT_BAR_CLOSED; /* rather too often than never */
}

void wants_wake_line(struct wants *wants, unsigned leg, unsigned a, enum line_test test,
                     double level)
{
    wake_line(wants, leg, (struct line_wake){ test, (uint8_t)a, (uint8_t)a, level });
}

void wants_wake_cross(struct wants *wants, unsigned leg, unsigned a, unsigned b)
{
    wake_line(wants, leg, (struct line_wake){ LINE_CROSS, (uint8_t)a, (uint8_t)b, 0 });
}

void wants_note(struct wants *wants, const char *format, ...)
{
    va_list args;

    if (wants->bot->port.brief)
        return;
    va_start(args, format);
    (void)vsnprintf(wants->note, sizeof wants->note, format, args);
    va_end(args);
}
