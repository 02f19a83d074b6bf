/* Booking trades: each once, whichever of stream, query or history brings it, in every state of its
 * order, whatever its epoch. */
#define FLT_MOD "fills"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/core.h"

#define SEEN_MAX 65536
#define SEEN_MS 90000 /* trades of the last minute may come again after a takeover */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return lookup_text(lookup_text(hash, text), "/");
}

/* A trade is known by instrument, trade and order: two of our bots can meet in one trade. */
static uint64_t hash_trade(const char *instrument, const char *trade_id, const char *order_id)
{
    const uint64_t start = hash_text(UINT64_C(0xCBF29CE484222325), instrument);
    const uint64_t hash = hash_text(hash_text(start, trade_id), order_id);

    return hash ^ (hash >> 29);
}

static bool is_seen(const struct bot *bot, uint64_t hash)
{
    uint32_t at = lookup_mix(hash), row;

    while ((row = lookup_next(&bot->seen_rows, lookup_mix(hash), &at)) != LOOKUP_NONE)
        if (bot->seen[row].hash == hash)
            return true;
    return false;
}

static bool is_live(const struct bot *bot, uint32_t sequence)
{
    const uint32_t hash = lookup_mix(sequence);
    uint32_t at = hash, row;

    while (sequence != 0 && (row = lookup_next(&bot->wants.sequences, hash, &at)) != LOOKUP_NONE)
        if (bot->wants.slots[row].live.sequence == sequence)
            return true;
    return false;
}

/* Twice the room, in the order they came. */
static bool grow_seen(struct bot *bot)
{
    struct lookup rows = { 0 };
    struct seen_trade *more = calloc(bot->seen_cap * 2, sizeof *more);

    if (!more || lookup_init(&rows, (uint32_t)bot->seen_cap * 2)) {
        free(more);
        return false;
    }
    for (size_t i = 0; i < bot->seen_count; i++) {
        more[i] = bot->seen[(bot->seen_at + i) % bot->seen_cap];
        lookup_put(&rows, lookup_mix(more[i].hash), (uint32_t)i);
    }
    free(bot->seen);
    lookup_finish(&bot->seen_rows);
    bot->seen = more;
    bot->seen_rows = rows;
    bot->seen_at = 0;
    bot->seen_cap *= 2;
    return true;
}

static void keep_seen(struct bot *bot, size_t row, struct seen_trade trade)
{
    bot->seen[row] = trade;
    lookup_put(&bot->seen_rows, lookup_mix(trade.hash), (uint32_t)row);
}

/* With a fetch, as its order still lives, or with a sweep (botnode/sweep.c). */
static bool may_come_again(const struct bot *bot, const struct seen_trade *trade)
{
    return is_live(bot, trade->sequence) || trade->ts_ms > bot->last_fill_ms - SEEN_MS;
}

/* The oldest makes room, unless it may come again: then the memory grows (an order of hundreds of
 * trades, or hundreds of trades in a minute, are rare). */
static void remember(struct bot *bot, struct seen_trade trade)
{
    if (bot->seen_count == bot->seen_cap && bot->seen_cap < SEEN_MAX &&
        may_come_again(bot, &bot->seen[bot->seen_at]))
        (void)grow_seen(bot);
    if (bot->seen_count < bot->seen_cap) {
        keep_seen(bot, bot->seen_count++, trade);
        return;
    }
    lookup_remove(&bot->seen_rows, lookup_mix(bot->seen[bot->seen_at].hash),
                  (uint32_t)bot->seen_at);
    keep_seen(bot, bot->seen_at, trade);
    bot->seen_at = bot->seen_at + 1 == bot->seen_cap ? 0 : bot->seen_at + 1;
}

static int64_t lots_of(const struct bot *bot, const struct fill *fill)
{
    for (unsigned i = 0; i < bot->leg_count; i++)
        if (!strcmp(bot->legs[i].instrument->name, fill->instrument))
            return qty_to_lots(bot->legs[i].instrument, fill->qty, FLT_ROUND_DOWN);
    return 0;
}

void fills_remember(struct bot *bot, const struct fill *fill, uint32_t sequence)
{
    remember(bot, (struct seen_trade){ hash_trade(fill->instrument, fill->trade_id, fill->order_id),
                                       sequence, fill->ts_ms, lots_of(bot, fill) });
}

int64_t fills_lots_of(const struct bot *bot, uint32_t sequence)
{
    int64_t lots = 0;

    for (size_t i = 0; i < bot->seen_count; i++)
        if (bot->seen[i].sequence == sequence)
            lots += bot->seen[i].lots;
    return lots;
}

void bot_restore_fill(struct bot *bot, const char *instrument, const char *trade_id,
                      const char *order_id, int64_t ts_ms)
{
    const uint64_t hash = hash_trade(instrument, trade_id, order_id);
    struct fill fill = { .ts_ms = ts_ms };

    if (bot_input(bot)) {
        (void)snprintf(fill.instrument, sizeof fill.instrument, "%s", instrument);
        (void)snprintf(fill.trade_id, sizeof fill.trade_id, "%s", trade_id);
        (void)snprintf(fill.order_id, sizeof fill.order_id, "%s", order_id);
        tape_put(bot, &(struct tape_frame){
                          .kind = TAPE_RESTORE_FILL, .fills = &fill, .fill_count = 1 });
    }
    if (!is_seen(bot, hash))
        remember(bot, (struct seen_trade){ hash, 0, ts_ms, 0 });
}

/* A trade of ours whose order is settled and that we do not remember: when the memory is full, it
 * may be older than what it holds, and then nobody can tell it from a repeat. */
static bool is_ambiguous(const struct bot *bot, const struct fill *fill)
{
    int64_t oldest = INT64_MAX;

    if (bot->seen_count < bot->seen_cap)
        return false;
    for (size_t i = 0; i < bot->seen_count; i++)
        if (bot->seen[i].ts_ms < oldest)
            oldest = bot->seen[i].ts_ms;
    return fill->ts_ms <= oldest;
}

static unsigned leg_of(const struct bot *bot, const struct fill *fill)
{
    for (unsigned i = 0; i < bot->leg_count; i++)
        if (!strcmp(bot->legs[i].instrument->name, fill->instrument))
            return i;
    return UINT32_MAX;
}

/* The order's own counters and state. */
static void count_for_order(struct bot *bot, uint32_t number, int64_t lots, const struct fill *fill)
{
    struct slot *slot = &bot->wants.slots[number];
    struct live *live = &slot->live;

    live->booked_lots += lots;
    if (live->booked_lots > live->executed_lots)
        live->executed_lots = live->booked_lots;
    orders_learn_id(bot, number, fill->order_id);
    const uint32_t want = live->current ? wants_find(&bot->wants, slot->key) : NO_SLOT;
    if (want != NO_SLOT)
        bot->wants.slots[want].filled_lots += lots;
    const enum order_state next = order_state_next(
        live->state, live->booked_lots >= live->qty_lots ? ORDER_EV_FILL : ORDER_EV_PART);
    if (next != ORDER_BAD && live->state != ORDER_UNKNOWN) /* unknown ends by the venue's word */
        live->state = next;
    else if (next == ORDER_FILLED)
        live->state = next;
    live->ts_ms = bot_wall_ms(bot);
    bot->orders_stale = true;
    orders_count(bot, number);
    wants_dirty(&bot->wants, number);
}

/* A trade of an order that nothing here remembers: sent after the snapshot that this process began
 * with (a power loss took the rest), so it was sent for the want of that snapshot. */
static void count_for_want(struct bot *bot, const struct flt_coid *id, int64_t lots, enum side side,
                           struct slot *copy)
{
    const uint32_t number = wants_find(&bot->wants, id->key);

    if (number == NO_SLOT || bot->recovered || id->epoch < bot->saved_epoch ||
        (id->epoch == bot->saved_epoch && id->sequence <= bot->saved_sequence))
        return;
    struct slot *want = &bot->wants.slots[number];

    if (want->kind == WANT_LIMIT && want->side != side)
        return;
    want->filled_lots += lots;
    copy->kind = want->kind;
    copy->qty_lots = want->qty_lots;
    copy->filled_lots = want->filled_lots;
    copy->live.current = true;
    wants_dirty(&bot->wants, number);
}

static void tell_strategy(struct bot *bot, const struct event *event)
{
    if (event->key < KEY_CLOSE)
        bot_call(bot, event);
}

/* Books and tells. `number` NO_SLOT: the order is gone. */
static bool book(struct bot *bot, uint32_t number, unsigned leg_number, const struct flt_coid *id,
                 const struct fill *fill)
{
    const uint32_t key = id->key;
    struct leg *leg = &bot->legs[leg_number];
    const struct flt_amt before = ledger_realised(&leg->ledger);
    const int64_t position = leg->position_lots;
    const int64_t lots = qty_to_lots(leg->instrument, fill->qty, FLT_ROUND_DOWN);
    char name[48];
    struct bot_order order;
    struct slot copy = { .key = key, .leg = (uint8_t)leg_number };

    if (lots == INT64_MIN || ledger_apply(&leg->ledger, leg->instrument, fill)) {
        bot_fail(bot, "ledger", "trade %s cannot be booked", fill->trade_id);
        return false;
    }
    leg->position_lots = ledger_position_lots(&leg->ledger, leg->instrument);
    bot->counters.fills++;
    if (fill->ts_ms > bot->last_fill_ms)
        bot->last_fill_ms = fill->ts_ms; /* a late one is no reason to ask for all since then */
    bot->dirty_state = true;
    if (number != NO_SLOT) {
        count_for_order(bot, number, lots, fill);
        copy = bot->wants.slots[number];
        const uint32_t want = copy.live.current ? wants_find(&bot->wants, key) : NO_SLOT;
        if (want != NO_SLOT) { /* its order may be beside the index */
            copy.kind = bot->wants.slots[want].kind;
            copy.qty_lots = bot->wants.slots[want].qty_lots;
            copy.filled_lots = bot->wants.slots[want].filled_lots;
        }
    } else {
        count_for_want(bot, id, lots, fill->side, &copy);
    }
    tell_strategy(
        bot, &(struct event){
                 .kind = EVENT_FILL,
                 .leg = leg_number,
                 .ts_ms = fill->ts_ms,
                 .key = key,
                 .side = fill->side,
                 .price_ticks = price_to_ticks(leg->instrument, fill->price, FLT_ROUND_HALF_EVEN),
                 .qty_lots = lots,
                 .filled_lots = copy.filled_lots,
                 .net_lots = leg->position_lots - position,
                 .done = copy.live.current && copy.kind == WANT_LIMIT &&
                         copy.filled_lots >= copy.qty_lots,
             });
    bot_pump(
        bot); /* what follows goes out first: its intents are in the ring, should we die here */
    orders_view(bot, &copy, &order, name, sizeof name);
    bot_emit(bot, &(struct bot_record){ .kind = BOT_RECORD_FILL,
                                        .fill = fill,
                                        .order = &order,
                                        .realised =
                                            flt_amt_sub(ledger_realised(&leg->ledger), before) });
    if (copy.live.qty_lots > 0 && copy.live.booked_lots > copy.live.qty_lots)
        bot_alarm(bot, "overfilled", "order %s traded %" PRId64 " of %" PRId64 " lots",
                  copy.live.coid, copy.live.booked_lots, copy.live.qty_lots);
    return true;
}

/* `fresh`: whoever tells it knows that it was not booked. */
static bool take(struct bot *bot, uint32_t number, const struct fill *fill, bool fresh)
{
    const unsigned leg = leg_of(bot, fill);
    struct flt_coid id = { 0 };

    if (leg == UINT32_MAX)
        return false;
    if (number != NO_SLOT) {
        const struct slot *slot = &bot->wants.slots[number];

        id.key = slot->key;
        id.sequence = slot->live.sequence;
    } else if (!flt_coid_parse(fill->client_order_id, &id) || id.owner != bot->owner) {
        return false; /* not ours */
    } else if (id.sequence > bot->last_sequence && id.epoch == bot->epoch) {
        bot->last_sequence = id.sequence;
    }
    if (is_seen(bot, hash_trade(fill->instrument, fill->trade_id, fill->order_id))) {
        bot->counters.duplicates++;
        return false;
    }
    if (number == NO_SLOT && !fresh && is_ambiguous(bot, fill)) {
        bot_fail(bot, "ambiguous_fill", "trade %s is older than what is remembered",
                 fill->trade_id);
        return false;
    }
    fills_remember(bot, fill, id.sequence);
    return book(bot, number, leg, &id, fill);
}

static void on_fill(struct bot *bot, enum tape_kind kind, const struct fill *told)
{
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = kind, .fills = told, .fill_count = 1 });
    const uint32_t number = orders_find(bot, told->client_order_id, told->order_id);
    struct fill named;
    const struct fill *fill = told;

    /* A venue's list of trades may name the order by its own id alone; the books name ours too. */
    if (number != NO_SLOT && !*told->client_order_id) {
        named = *told;
        memcpy(named.client_order_id, bot->wants.slots[number].live.coid,
               sizeof named.client_order_id);
        fill = &named;
    }
    bot->counters.events++;
    if (take(bot, number, fill, kind == TAPE_FRESH_FILL) && number != NO_SLOT)
        orders_settle(bot, number);
    bot_pump(bot);
}

void bot_on_fill(struct bot *bot, const struct fill *fill)
{
    on_fill(bot, TAPE_FILL, fill);
}

void bot_on_fresh_fill(struct bot *bot, const struct fill *fill)
{
    on_fill(bot, TAPE_FRESH_FILL, fill);
}

void bot_on_fills_result(struct bot *bot, const char *client_order_id,
                         const struct exchange_failure *failure, const struct fill *fills,
                         size_t count)
{
    if (bot_input(bot)) {
        struct tape_frame frame = {
            .kind = TAPE_FILLS_RESULT, .failure = *failure, .fills = fills, .fill_count = count
        };

        (void)snprintf(frame.coid, sizeof frame.coid, "%s", client_order_id);
        tape_put(bot, &frame);
    }
    bot->counters.events++;
    for (size_t i = 0; failure->error == EXCHANGE_OK && i < count; i++) {
        const uint32_t number = orders_find(bot, client_order_id, NULL);
        struct fill fill = fills[i];

        if (number == NO_SLOT)
            break; /* settled: whatever follows is known */
        if (*fill.order_id && *bot->wants.slots[number].live.order_id &&
            strcmp(fill.order_id, bot->wants.slots[number].live.order_id) != 0)
            continue;
        memcpy(fill.client_order_id, bot->wants.slots[number].live.coid,
               sizeof fill.client_order_id);
        (void)take(bot, number, &fill, false);
    }
    const uint32_t number = orders_find(bot, client_order_id, NULL);
    if (number != NO_SLOT) {
        struct live *live = &bot->wants.slots[number].live;

        if (live->asking == ASK_FILLS)
            live->asking = ASK_NOTHING;
        orders_settle(bot, number);
    }
    bot_pump(bot);
}
