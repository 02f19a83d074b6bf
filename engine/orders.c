/* Live orders against wants, slot by slot, and what the venue says about them.
 *
 * A slot has one order at most; something new goes out for its key only when that one is settled:
 * ended, and every trade that the venue says it executed is booked. So a lost answer can delay an
 * order, but never double it. */
#define FLT_MOD "orders"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "engine/core.h"

#define ANSWER_MS 10000               /* a request without any answer for so long is in doubt */
#define RETRY_MS 1000                 /* after something that did not go out */
#define BACKOFF_MAX_MS 60000          /* between attempts that the venue refuses */
#define QUERY_MAX_MS 30000            /* between questions about the same order */
#define ASK_LOST_MS 15000             /* a question without an answer for so long is asked again */
#define STREAM_MS 1000                /* trades follow an order's end within this, or are fetched */
#define ABSENT_EXTRA_MS 2000          /* beyond the request's life, before "not found" counts */
#define ABSENT_DEFAULT_MS 60000       /* where requests do not expire */
#define EPOCH_MASK UINT32_C(0xFFFFFF) /* what an id carries of it */

/* --- finding
 * ---------------------------------------------------------------------------------------- */

uint32_t orders_find_sequence(const struct bot *bot, uint32_t epoch, uint32_t sequence)
{
    const struct wants *wants = &bot->wants;
    const uint32_t hash = lookup_mix(sequence);
    uint32_t at = hash, row;

    while ((row = lookup_next(&wants->sequences, hash, &at)) != LOOKUP_NONE)
        if (wants->slots[row].live.sequence == sequence &&
            (wants->slots[row].live.epoch & EPOCH_MASK) == (epoch & EPOCH_MASK))
            return row;
    return NO_SLOT;
}

static uint32_t hash_order_id(const char *order_id)
{
    return lookup_mix(lookup_text(0, order_id));
}

static uint32_t find_order_id(const struct bot *bot, const char *order_id)
{
    const struct wants *wants = &bot->wants;
    const uint32_t hash = hash_order_id(order_id);
    uint32_t at = hash, row;

    while ((row = lookup_next(&wants->order_ids, hash, &at)) != LOOKUP_NONE)
        if (!strcmp(wants->slots[row].live.order_id, order_id))
            return row;
    return NO_SLOT;
}

/* Our own id decides; the venue's is for words that carry none of ours. */
uint32_t orders_find(const struct bot *bot, const char *coid, const char *order_id)
{
    struct flt_coid id;

    if (coid && flt_coid_parse(coid, &id) && id.owner == bot->owner) {
        const uint32_t number = orders_find_sequence(bot, id.epoch, id.sequence);

        return number != NO_SLOT && bot->wants.slots[number].key == id.key ? number : NO_SLOT;
    }
    return order_id && *order_id ? find_order_id(bot, order_id) : NO_SLOT;
}

static bool rests(const struct live *live)
{
    return live->state != ORDER_BAD && !order_state_is_final(live->state);
}

int64_t orders_resting(const struct bot *bot, unsigned leg, enum side side, uint32_t except)
{
    const struct slot *slot = &bot->wants.slots[except];
    const bool mine = slot->leg == leg && slot->live.side == side;

    return bot->legs[leg].resting_lots[side] - (mine ? slot->live.rests_lots : 0);
}

void orders_count(struct bot *bot, uint32_t number)
{
    const struct slot *slot = &bot->wants.slots[number];
    struct live *live = &bot->wants.slots[number].live;
    const int64_t lots = rests(live) ? live->qty_lots - live->booked_lots : 0;

    bot->legs[slot->leg].resting_lots[live->side] += lots - live->rests_lots;
    live->rests_lots = lots;
}

void orders_begin(struct bot *bot, uint32_t number, const struct live *live)
{
    struct slot *slot = &bot->wants.slots[number];

    slot->live = *live;
    lookup_put(&bot->wants.sequences, lookup_mix(live->sequence), number);
    if (*live->order_id)
        lookup_put(&bot->wants.order_ids, hash_order_id(live->order_id), number);
    bot->wants.live_count++;
    bot->legs[slot->leg].begun++;
    bot->legs[slot->leg].clear = false;
    bot->orders_stale = true;
    orders_count(bot, number);
}

void orders_clear(struct bot *bot, uint32_t number)
{
    struct live *live = &bot->wants.slots[number].live;

    lookup_remove(&bot->wants.sequences, lookup_mix(live->sequence), number);
    if (*live->order_id)
        lookup_remove(&bot->wants.order_ids, hash_order_id(live->order_id), number);
    live->state = ORDER_BAD;
    orders_count(bot, number);
    bot->missing -= live->missing;
    memset(live, 0, sizeof *live);
    bot->wants.live_count--;
    bot->orders_stale = true;
}

void orders_learn_id(struct bot *bot, uint32_t number, const char *order_id)
{
    struct live *live = &bot->wants.slots[number].live;

    if (!*order_id || !strcmp(live->order_id, order_id))
        return;
    if (*live->order_id)
        lookup_remove(&bot->wants.order_ids, hash_order_id(live->order_id), number);
    (void)snprintf(live->order_id, sizeof live->order_id, "%s", order_id);
    lookup_put(&bot->wants.order_ids, hash_order_id(live->order_id), number);
}

bool orders_ended_lately(const struct bot *bot, uint32_t sequence)
{
    for (size_t i = 0; i < ENDED_MAX; i++)
        if (bot->ended[i] == sequence)
            return true;
    return false;
}

void orders_view(const struct bot *bot, const struct slot *slot, struct bot_order *out, char *name,
                 size_t size)
{
    const struct live *live = &slot->live;
    const char *word = bot->port.brief ? "" : bot_key_name(bot, slot->key, name, size);

    *out = (struct bot_order){
        .instrument = bot->legs[slot->leg].instrument,
        .leg = slot->leg,
        .client_order_id = live->coid,
        .order_id = live->order_id,
        .key_name = word,
        .key = slot->key,
        .epoch = live->epoch,
        .sequence = live->sequence,
        .side = live->side,
        .type = live->type,
        .tif = live->tif,
        .post_only = live->post_only,
        .reduce_only = live->reduce_only,
        .state = live->state,
        .cancelling = live->cancelling,
        .price_ticks = live->price_ticks,
        .qty_lots = live->qty_lots,
        .filled_lots = live->booked_lots,
        .executed_lots = live->executed_lots,
        .created_ms = live->created_ms,
        .ts_ms = live->ts_ms,
    };
}

/* --- the end of an order
 * -------------------------------------------------------------------------- */

static void back_off(struct bot *bot, struct slot *slot)
{
    slot->backoff_ms = slot->backoff_ms ? slot->backoff_ms * 2 : RETRY_MS;
    if (slot->backoff_ms > BACKOFF_MAX_MS)
        slot->backoff_ms = BACKOFF_MAX_MS;
    slot->retry_ms = bot_mono_ms(bot) + slot->backoff_ms;
}

static void count_end(struct bot *bot, const struct live *live)
{
    if (live->state == ORDER_REJECTED)
        bot->counters.rejected++;
    else if (live->state == ORDER_CANCELLED)
        bot->counters.cancelled++;
}

static void tell_end(struct bot *bot, const struct slot *slot, const struct live *live)
{
    const struct event event = { .kind = EVENT_ORDER_END,
                                 .leg = slot->leg,
                                 .ts_ms = bot_wall_ms(bot),
                                 .key = slot->key,
                                 .side = live->side,
                                 .price_ticks = live->price_ticks,
                                 .qty_lots = live->qty_lots,
                                 .filled_lots = slot->filled_lots,
                                 .rejected = live->state == ORDER_REJECTED };

    if (slot->key < KEY_CLOSE)
        bot_call(bot, &event);
}

static void end_order(struct bot *bot, uint32_t number)
{
    struct slot *slot = &bot->wants.slots[number];
    const struct slot ended = *slot; /* the strategy's call may move the slots */
    const bool ours = ended.live.by_us && ended.live.state == ORDER_CANCELLED;
    const bool complete = ended.live.booked_lots >= ended.live.qty_lots;
    char name[48];
    struct bot_order view;

    bot->ended[bot->ended_at++ % ENDED_MAX] = ended.live.sequence;
    count_end(bot, &ended.live);
    orders_clear(bot, number);
    bot->dirty_state = true;
    wants_dirty(&bot->wants, number);
    if (complete || ended.live.booked_lots > 0 || ours)
        slot->backoff_ms = 0;
    if (!complete && !ours)
        back_off(bot, slot);
    if (!complete && !ours && ended.live.current)
        tell_end(bot, &ended, &ended.live);
    if (bot->port.brief)
        return;
    orders_view(bot, &ended, &view, name, sizeof name);
    bot_emit(bot, &(struct bot_record){ .kind = BOT_RECORD_ORDER, .order = &view });
}

void orders_settle(struct bot *bot, uint32_t number)
{
    struct live *live = &bot->wants.slots[number].live;

    if (live->executed_lots < live->booked_lots)
        live->executed_lots = live->booked_lots;
    if (live->booked_lots < live->executed_lots) { /* trades are missing: the stream first */
        if (live->check_ms == 0)
            live->check_ms = bot_mono_ms(bot) + STREAM_MS;
        return;
    }
    bot->missing -= live->missing;
    live->missing = false;
    if (order_state_is_final(live->state))
        end_order(bot, number);
    else if (live->state != ORDER_UNKNOWN && !live->cancelling && live->state != ORDER_SENT)
        live->check_ms = 0;
}

/* --- events
 * ------------------------------------------------------------------------------------------ */

void orders_doubt(struct bot *bot, uint32_t number, int64_t after_ms)
{
    struct live *live = &bot->wants.slots[number].live;

    if (order_state_is_final(live->state))
        return;
    if (live->state != ORDER_UNKNOWN)
        bot->counters.unknowns++;
    live->state = order_state_next(live->state, ORDER_EV_DOUBT);
    live->asks = 0;
    live->check_ms = bot_mono_ms(bot) + after_ms;
    bot->orders_stale = true;
}

void orders_doubt_all(struct bot *bot)
{
    for (uint32_t i = 0; i < bot->wants.slot_count; i++)
        if (bot->wants.slots[i].used && bot->wants.slots[i].live.state != ORDER_BAD) {
            bot->wants.slots[i].live.cancelling = false;
            bot->wants.slots[i].live.asking = ASK_NOTHING;
            orders_doubt(bot, i, 0);
        }
}

static void take_event(struct bot *bot, uint32_t number, enum order_event event)
{
    struct live *live = &bot->wants.slots[number].live;
    const enum order_state next = order_state_next(live->state, event);

    if (next == ORDER_BAD) {
        bot->counters.contradictions++;
        bot_logf(bot, FLT_LOG_WARN, "order %s is %s and the venue says event %d", live->coid,
                 order_state_name(live->state), (int)event);
        orders_doubt(bot, number, 0);
        return;
    }
    if (next != live->state && next != ORDER_SENT)
        live->check_ms = 0;
    live->state = next;
    live->ts_ms = bot_wall_ms(bot);
    bot->orders_stale = true;
    orders_count(bot, number);
}

void orders_apply(struct bot *bot, uint32_t number, const struct order *order)
{
    struct slot *slot = &bot->wants.slots[number];
    struct live *live = &slot->live;
    const struct instrument *instrument = bot->legs[slot->leg].instrument;
    const int64_t executed = qty_to_lots(instrument, order->filled_qty, FLT_ROUND_DOWN);

    orders_learn_id(bot, number, order->order_id);
    if (live->qty_lots == 0) { /* found at the venue, with no intent of ours left */
        live->qty_lots = qty_to_lots(instrument, order->qty, FLT_ROUND_DOWN);
        live->price_ticks = price_to_ticks(instrument, order->price, FLT_ROUND_DOWN);
        orders_count(bot, number);
    }
    if (executed > live->executed_lots)
        live->executed_lots = executed;
    if (order->ts_ms > live->ts_ms)
        live->ts_ms = order->ts_ms;
    take_event(bot, number, order_event_of(order->status));
    if (live->state == ORDER_FILLED)
        live->executed_lots = live->qty_lots;
    wants_dirty(&bot->wants, number);
    orders_settle(bot, number);
}

void bot_on_order(struct bot *bot, const struct order *order)
{
    if (bot_input(bot))
        tape_put_answer(bot, TAPE_ORDER, NULL, NULL, order);
    const uint32_t number = orders_find(bot, order->client_order_id, order->order_id);

    bot->counters.events++;
    if (number != NO_SLOT)
        orders_apply(bot, number, order);
    bot_pump(bot);
}

/* The venue refused the request itself. */
static void place_refused(struct bot *bot, uint32_t number, const struct exchange_failure *failure)
{
    struct live *live = &bot->wants.slots[number].live;

    bot_logf(bot, FLT_LOG_WARN, "order %s refused: %s %s", live->coid, failure->message,
             bot->wants.slots[number].key >= KEY_CLOSE ? "(closing)" : "");
    if (live->state == ORDER_SENT || live->state == ORDER_UNKNOWN)
        take_event(bot, number, ORDER_EV_REJECT);
    else
        orders_doubt(bot, number, 0); /* the stream said otherwise: ask */
    orders_settle(bot, number);
}

void bot_on_place_result(struct bot *bot, const char *client_order_id,
                         const struct exchange_failure *failure, const struct order *order)
{
    if (bot_input(bot))
        tape_put_answer(bot, TAPE_PLACE_RESULT, client_order_id, failure, order);
    const uint32_t number = orders_find(bot, client_order_id, NULL);

    bot->counters.events++;
    if (number == NO_SLOT)
        return;
    wants_dirty(&bot->wants, number);
    if (failure->error == EXCHANGE_OK && order) {
        orders_apply(bot, number, order);
    } else if (failure->error == EXCHANGE_OK) {
        take_event(bot, number, ORDER_EV_ACK);
        orders_settle(bot, number);
    } else if (failure->error == EXCHANGE_UNKNOWN_OUTCOME ||
               failure->error == EXCHANGE_DUPLICATE_CLIENT_ID) {
        orders_doubt(bot, number, 500);
    } else {
        place_refused(bot, number, failure);
    }
    bot_pump(bot);
}

void bot_on_cancel_result(struct bot *bot, const char *client_order_id,
                          const struct exchange_failure *failure)
{
    if (bot_input(bot))
        tape_put_answer(bot, TAPE_CANCEL_RESULT, client_order_id, failure, NULL);
    const uint32_t number = orders_find(bot, client_order_id, NULL);

    bot->counters.events++;
    if (number == NO_SLOT)
        return;
    struct live *live = &bot->wants.slots[number].live;
    const int64_t now = bot_mono_ms(bot);

    if (failure->error == EXCHANGE_OK) {
        if (live->check_ms == 0 || live->check_ms > now + STREAM_MS)
            live->check_ms = now + STREAM_MS; /* the stream tells the end and what had traded */
    } else {
        live->cancelling = false;
        bot->wants.slots[number].retry_ms = now + RETRY_MS;
        if (!order_state_is_final(live->state))
            orders_doubt(bot, number, failure->error == EXCHANGE_ORDER_NOT_FOUND ? 0 : RETRY_MS);
    }
    bot_pump(bot);
}

/* "Not found" is an answer only when no request of ours can arrive any more. */
static void absent(struct bot *bot, uint32_t number)
{
    struct live *live = &bot->wants.slots[number].live;
    const int64_t life =
        bot->request_life_ms > 0 ? bot->request_life_ms + ABSENT_EXTRA_MS : ABSENT_DEFAULT_MS;
    const int64_t age = live->asked_ms - live->sent_ms; /* when the question went out */

    if (live->state != ORDER_UNKNOWN)
        return;
    if (bot->mode == BOT_MODE_PAPER) { /* it was in the memory of the process before this one */
        live->executed_lots = live->booked_lots;
        take_event(bot, number, ORDER_EV_CANCEL);
        orders_settle(bot, number);
        return;
    }
    if (live->booked_lots > 0) {
        bot_alarm(bot, "order_vanished", "the venue does not know order %s that has traded",
                  live->coid);
    } else if (age >= life && bot->request_life_ms > 0) {
        take_event(bot, number, ORDER_EV_ABSENT);
        orders_settle(bot, number);
        return;
    } else if (age >= life) {
        bot_fail(bot, "unknown_order",
                 "the venue does not know order %s, and requests never expire", live->coid);
    }
    if (live->check_ms == 0 || live->check_ms < bot_mono_ms(bot) + RETRY_MS)
        live->check_ms = bot_mono_ms(bot) + RETRY_MS;
}

void bot_on_query_result(struct bot *bot, const char *client_order_id,
                         const struct exchange_failure *failure, const struct order *order)
{
    if (bot_input(bot))
        tape_put_answer(bot, TAPE_QUERY_RESULT, client_order_id, failure, order);
    const uint32_t number = orders_find(bot, client_order_id, NULL);

    bot->counters.events++;
    if (number == NO_SLOT)
        return;
    struct live *live = &bot->wants.slots[number].live;

    if (live->asking != ASK_QUERY)
        return; /* of a question given up */
    live->asking = ASK_NOTHING;
    if (failure->error == EXCHANGE_OK && order) {
        live->cancelling = false; /* still open after a cancel: cancel again */
        orders_apply(bot, number, order);
    } else if (failure->error == EXCHANGE_ORDER_NOT_FOUND) {
        absent(bot, number);
    }
    bot_pump(bot);
}

void bot_cancel_order(struct bot *bot, const char *client_order_id)
{
    if (bot_input(bot))
        tape_put_answer(bot, TAPE_CANCEL, client_order_id, NULL, NULL);
    const uint32_t number = orders_find(bot, client_order_id, NULL);

    if (number != NO_SLOT)
        orders_cancel(bot, number);
}

/* --- acting
 * ------------------------------------------------------------------------------------------ */

void orders_cancel(struct bot *bot, uint32_t number)
{
    struct slot *slot = &bot->wants.slots[number];
    struct live *live = &slot->live;
    const int64_t now = bot_mono_ms(bot);

    if (live->cancelling || now < slot->retry_ms || !bot->lease_send || !bot->link_up ||
        (live->state != ORDER_OPEN && live->state != ORDER_PARTLY_FILLED))
        return;
    live->by_us = true;
    if (bot->port.cancel(bot->port.ctx, bot, bot->legs[slot->leg].instrument, live->coid)) {
        slot->retry_ms = now + RETRY_MS;
        return;
    }
    live->cancelling = true;
    live->check_ms = now + ANSWER_MS;
}

/* What shall rest or trade for the slot now: 0 nothing. */
static int64_t wanted_lots(const struct bot *bot, const struct slot *slot, enum side *side)
{
    if (slot->kind == WANT_NONE || bot->allow <= ALLOW_NOTHING ||
        (bot->allow == ALLOW_CLOSE && slot->key < KEY_CLOSE))
        return 0;
    *side = slot->side;
    if (slot->kind == WANT_LIMIT)
        return slot->qty_lots - slot->filled_lots;
    const int64_t delta = slot->qty_lots - bot->legs[slot->leg].position_lots;

    *side = delta > 0 ? SIDE_BUY : SIDE_SELL;
    return delta > 0 ? delta : -delta;
}

static bool is_exit(const struct bot *bot, uint32_t number, enum side side, int64_t lots)
{
    const struct slot *slot = &bot->wants.slots[number];
    const int64_t position = bot->legs[slot->leg].position_lots;
    const int64_t room = side == SIDE_SELL ? position : -position;

    return room > 0 && lots <= room - orders_resting(bot, slot->leg, side, number);
}

/* Whether what rests is still right. With entries withdrawn, an order on the position's closing
 * side stays. */
static bool matches(const struct bot *bot, struct slot *slot)
{
    struct live *live = &slot->live;
    enum side side = slot->side;
    const int64_t lots = wanted_lots(bot, slot, &side);
    const int64_t rest = live->qty_lots - live->booked_lots;

    if (lots <= 0 || live->epoch != bot->epoch)
        return false;
    if (slot->kind == WANT_TARGET || live->booked_lots < live->executed_lots)
        return true; /* it ends by itself; or: what it did is not known in full yet */
    if (bot->allow == ALLOW_EXITS) {
        const int64_t position = bot->legs[slot->leg].position_lots;

        if (side == SIDE_SELL ? position <= 0 : position >= 0)
            return false;
    }
    if (side != live->side || rest != lots || slot->price_ticks != live->price_ticks)
        return false;
    live->current = true;
    return true;
}

static void refuse(struct bot *bot, uint32_t number, const char *rule, const char *why)
{
    struct slot *slot = &bot->wants.slots[number];
    const int64_t now = bot_wall_ms(bot);

    bot->counters.risk_refusals++;
    slot->retry_ms = bot_mono_ms(bot) + RETRY_MS;
    if (bot->risk.last_rule == rule && now - bot->risk.last_ms < 1000 * 60)
        return;
    bot->risk.last_rule = rule;
    bot->risk.last_ms = now;
    bot_emit(bot, &(struct bot_record){ .kind = BOT_RECORD_RISK, .code = rule, .message = why });
}

/* The price that risk judges an order at. */
static int64_t judged_price(const struct leg *leg, enum side side, int64_t price_ticks)
{
    if (price_ticks > 0)
        return price_ticks;
    const int64_t far = side == SIDE_BUY ? leg->quote.ask_ticks : leg->quote.bid_ticks;

    return far > 0 ? far : view_mark(leg);
}

static bool allowed(struct bot *bot, uint32_t number, enum side side, int64_t price, int64_t lots)
{
    const struct slot *slot = &bot->wants.slots[number];
    const struct leg *leg = &bot->legs[slot->leg];
    const int64_t now_ns = bot_mono_ns(bot);
    const struct risk_order order = {
        .instrument = leg->instrument,
        .side = side,
        .price_ticks = judged_price(leg, side, price),
        .qty_lots = lots,
        .position_lots = leg->position_lots,
        .resting_lots = orders_resting(bot, slot->leg, side, number),
        .mark_ticks = view_mark(leg),
        .price_age_ms = leg->price_ns ? (now_ns - leg->price_ns) / 1000000 : -1,
        .open_orders = bot->wants.live_count,
        .now_ms = now_ns / 1000000,
    };
    char why[160];
    const char *rule = risk_check(&bot->risk, &order, why, sizeof why);

    if (rule)
        refuse(bot, number, rule, why);
    return !rule;
}

/* Below the venue's minimum nothing can be sent: what is left is dust. */
static bool too_small(const struct bot *bot, const struct slot *slot, enum side side, int64_t price,
                      int64_t lots)
{
    const struct leg *leg = &bot->legs[slot->leg];
    const struct instrument *i = leg->instrument;
    const struct flt_dec qty = lots_to_qty(i, lots);
    const struct flt_dec at = ticks_to_price(i, judged_price(leg, side, price));

    if (!flt_dec_is_zero(i->qty_min) && flt_dec_cmp(qty, i->qty_min) < 0)
        return true;
    return !flt_dec_is_zero(i->notional_min) &&
           flt_amt_cmp(flt_amt_product(at, qty, FLT_ROUND_DOWN),
                       flt_amt_from_dec(i->notional_min)) < 0;
}

static bool would_take(const struct leg *leg, enum side side, int64_t price)
{
    return side == SIDE_BUY ? leg->quote.ask_ticks > 0 && price >= leg->quote.ask_ticks
                            : leg->quote.bid_ticks > 0 && price <= leg->quote.bid_ticks;
}

static void fill_intent(const struct bot *bot, const struct slot *slot, enum side side,
                        int64_t lots, bool exit, struct order_intent *out)
{
    const bool target = slot->kind == WANT_TARGET;
    const bool market = target && slot->price_ticks == NO_LIMIT;

    *out = (struct order_intent){
        .id = { .owner = bot->owner, .epoch = bot->epoch, .key = slot->key },
        .leg = slot->leg,
        .side = side,
        .type = market ? ORDER_MARKET : ORDER_LIMIT,
        .tif = target ? TIF_IOC : TIF_GTC,
        .post_only = !target && (slot->flags & WANT_POST_ONLY),
        .reduce_only = slot->flags & WANT_REDUCE_ONLY,
        .exit = exit,
        .price_ticks = market ? 0 : slot->price_ticks,
        .qty_lots = lots,
        .ts_ms = bot_wall_ms(bot),
    };
}

static void begin_live(struct bot *bot, uint32_t number, const struct order_intent *intent)
{
    struct live live = {
        .state = ORDER_INTENDED,
        .side = intent->side,
        .type = intent->type,
        .tif = intent->tif,
        .post_only = intent->post_only,
        .reduce_only = intent->reduce_only,
        .exit = intent->exit,
        .current = true,
        .epoch = intent->id.epoch,
        .sequence = intent->id.sequence,
        .price_ticks = intent->price_ticks,
        .qty_lots = intent->qty_lots,
        .created_ms = intent->ts_ms,
        .ts_ms = intent->ts_ms,
        .sent_ms = bot_mono_ms(bot),
    };
    flt_coid_format(&intent->id, live.coid);
    orders_begin(bot, number, &live);
    bot->last_sequence = intent->id.sequence;
    bot->dirty_state = true;
}

static void dispatch(struct bot *bot, uint32_t number, const struct order_intent *intent)
{
    struct slot *slot = &bot->wants.slots[number];
    const struct instrument *instrument = bot->legs[slot->leg].instrument;
    struct order_request request = {
        .instrument = instrument,
        .side = intent->side,
        .type = intent->type,
        .tif = intent->tif,
        .post_only = intent->post_only,
        .reduce_only = intent->reduce_only,
        .price = ticks_to_price(instrument, intent->price_ticks),
        .qty = lots_to_qty(instrument, intent->qty_lots),
    };

    begin_live(bot, number, intent);
    memcpy(request.client_order_id, slot->live.coid, sizeof request.client_order_id);
    const int err = bot->port.place(bot->port.ctx, bot, &request);

    if (err && err != BOT_PLACE_RESTS) { /* known not to be sent: its id is spent */
        orders_clear(bot, number);
        slot->retry_ms = bot_mono_ms(bot) + RETRY_MS;
        return;
    }
    slot->live.state = order_state_next(slot->live.state, ORDER_EV_SEND);
    slot->live.check_ms = slot->live.sent_ms + ANSWER_MS;
    if (err == BOT_PLACE_RESTS) {
        slot->live.state = order_state_next(slot->live.state, ORDER_EV_ACK);
        slot->live.check_ms = 0;
    }
    bot->counters.placed++;
    risk_spend(&bot->risk, slot->live.sent_ms);
}

/* An order of the same key that recovery found lives beside the index: it has to end first. */
static bool has_stray(const struct bot *bot, uint32_t number)
{
    const struct wants *wants = &bot->wants;

    for (uint32_t i = 0; wants->strays > 0 && i < wants->slot_count; i++)
        if (i != number && wants->slots[i].used && wants->slots[i].live.state != ORDER_BAD &&
            wants->slots[i].key == wants->slots[number].key)
            return true;
    return false;
}

static void place(struct bot *bot, uint32_t number)
{
    struct slot *slot = &bot->wants.slots[number];
    const struct leg *leg = &bot->legs[slot->leg];
    enum side side = slot->side;
    const int64_t lots = wanted_lots(bot, slot, &side);
    const int64_t price = slot->price_ticks == NO_LIMIT ? 0 : slot->price_ticks;
    struct order_intent intent;

    if (lots <= 0 || bot_mono_ms(bot) < slot->retry_ms || !bot->lease_send || !bot->link_up ||
        has_stray(bot, number) || too_small(bot, slot, side, price, lots))
        return;
    const bool exit = slot->key >= KEY_CLOSE || is_exit(bot, number, side, lots);
    if (!exit && (bot->allow != ALLOW_ALL || !bot->lease_entries || !bot->storage_entries)) {
        if (slot->kind == WANT_TARGET)
            wants_unwant(&bot->wants, number); /* an old signal is not made up for later */
        return;
    }
    if ((slot->flags & WANT_POST_ONLY) && would_take(leg, side, price)) {
        slot->retry_ms = bot_mono_ms(bot) + RETRY_MS; /* the venue would only say so */
        return;
    }
    if (!exit && !allowed(bot, number, side, price, lots))
        return;
    fill_intent(bot, slot, side, lots, exit, &intent);
    if (bot->mode == BOT_MODE_SHADOW) {
        slot->retry_ms = INT64_MAX; /* decided, logged, never sent */
        bot_logf(bot, FLT_LOG_INFO, "shadow: would %s %" PRId64 " lots at %" PRId64 " ticks",
                 side_name(side), lots, price);
        return;
    }
    if (bot->port.intend(bot->port.ctx, bot, &intent)) {
        slot->retry_ms = bot_mono_ms(bot) + RETRY_MS;
        return;
    }
    dispatch(bot, number, &intent);
}

void orders_step(struct bot *bot, uint32_t number)
{
    struct slot *slot = &bot->wants.slots[number];

    if (!slot->used)
        return;
    if (slot->live.state != ORDER_BAD) {
        const bool fenced = slot->live.epoch != bot->epoch; /* an older epoch's goes, always */

        if ((bot->allow != ALLOW_HOLD || fenced) && !matches(bot, slot))
            orders_cancel(bot, number);
        return;
    }
    if (slot->kind == WANT_NONE) {
        wants_release(&bot->wants, number);
        return;
    }
    if (bot->allow > ALLOW_NOTHING)
        place(bot, number);
}

/* --- once a second
 * ------------------------------------------------------------------------------------ */

static int64_t next_ask(const struct live *live, int64_t now)
{
    const int64_t step = (int64_t)RETRY_MS << (live->asks < 5 ? live->asks : 5);

    return now + (step > QUERY_MAX_MS ? QUERY_MAX_MS : step);
}

/* Asks the venue about an order: what it is, or which trades are missing. */
static void ask(struct bot *bot, uint32_t number, int64_t now)
{
    struct slot *slot = &bot->wants.slots[number];
    struct live *live = &slot->live;
    const struct instrument *instrument = bot->legs[slot->leg].instrument;
    const bool trades = live->state != ORDER_UNKNOWN && live->booked_lots < live->executed_lots;
    const int err =
        trades ? bot->port.fetch_fills(bot->port.ctx, bot, instrument, live->order_id, live->coid)
               : bot->port.query_order(bot->port.ctx, bot, instrument, live->coid);

    live->check_ms = next_ask(live, now);
    if (err)
        return;
    live->asking = trades ? ASK_FILLS : ASK_QUERY;
    live->asked_ms = now;
    bot->counters.queries++;
    if (live->asks < UINT8_MAX)
        live->asks++;
    if (live->asks == 6 && !live->alarmed) {
        live->alarmed = true;
        live->missing = trades;
        bot->missing += trades;
        bot_alarm(bot, trades ? "trades_missing" : "unknown_order",
                  "order %s: executed %" PRId64 " lots, booked %" PRId64, live->coid,
                  live->executed_lots, live->booked_lots);
    }
}

void orders_second(struct bot *bot)
{
    const int64_t now = bot_mono_ms(bot);
    const bool can_ask = bot->link_up && bot->lease_send;

    for (uint32_t i = 0; i < bot->wants.slot_count; i++) {
        struct slot *slot = &bot->wants.slots[i];
        struct live *live = &slot->live;

        if (!slot->used)
            continue;
        if (live->state == ORDER_BAD || !live->cancelling)
            wants_dirty(&bot->wants, i); /* what waited for its time */
        if (live->state == ORDER_BAD || live->check_ms == 0 || now < live->check_ms || !can_ask)
            continue;
        if (live->asking != ASK_NOTHING && now < live->asked_ms + ASK_LOST_MS)
            continue;
        if (live->state == ORDER_SENT)
            orders_doubt(bot, i, 0);
        ask(bot, i, now);
    }
}
