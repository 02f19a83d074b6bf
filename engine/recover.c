/* Recovery, after a start, a reconnect or a takeover: every order that may live is in doubt until
 * the venue's list of open orders, or its answer to a question about that order, says what became
 * of it; orders of older epochs are cancelled; missed trades are fetched. Only when each of ours is
 * known, and booked as executed, does the bot go on. Orders of others are never touched. */
#define FLT_MOD "recover"
#include <errno.h>
#include <string.h>
#include "engine/core.h"

#define LIST_AGAIN_MS 2000
#define LIST_ANSWER_MS 15000
#define CLEAR_AGAIN_MS 500
#define SWEEP_ANSWER_MS 60000 /* it may be many pages */
#define AUDIT_SETTLED_MS 5000 /* a request is at the venue by then, or not on its way any more */

/* A slot for an order that is not in any yet: its key's own, when that is free and the order is of
 * our epoch, else one beside the index that is only there to see it end. */
static uint32_t adopt_slot(struct bot *bot, const struct flt_coid *id)
{
    uint32_t number = id->epoch == bot->epoch ? wants_slot(&bot->wants, id->key, true) : NO_SLOT;

    if (number != NO_SLOT && bot->wants.slots[number].live.state != ORDER_BAD)
        number = NO_SLOT;
    if (number == NO_SLOT)
        number = wants_slot(&bot->wants, id->key, false);
    return number;
}

/* `order` is what the caller knows of it. */
static int adopt(struct bot *bot, const struct flt_coid *id, unsigned leg, struct live *order)
{
    const uint32_t number = adopt_slot(bot, id);

    if (number == NO_SLOT) {
        bot_fail(bot, "no_memory", "no room for an order found at the venue");
        return -ENOMEM;
    }
    struct slot *slot = &bot->wants.slots[number];
    const int64_t now = bot_mono_ms(bot);
    const uint32_t want = wants_find(&bot->wants, id->key);

    if (slot->kind == WANT_NONE)
        slot->leg = (uint8_t)leg;
    order->state = ORDER_UNKNOWN;
    order->epoch = id->epoch;
    order->sequence = id->sequence;
    order->current = want != NO_SLOT && bot->wants.slots[want].kind != WANT_NONE;
    order->check_ms = now ? now : 1;
    flt_coid_format(id, order->coid);
    orders_begin(bot, number, order);
    wants_dirty(&bot->wants, number);
    return 0;
}

int bot_restore_intent(struct bot *bot, const struct order_intent *intent)
{
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_RESTORE_INTENT, .intent = *intent });
    const bool known =
        intent->id.epoch < bot->saved_epoch ||
        (intent->id.epoch == bot->saved_epoch && intent->id.sequence <= bot->saved_sequence);

    if (intent->id.owner != bot->owner || intent->leg >= bot->leg_count)
        return -EINVAL;
    if (intent->id.sequence > bot->last_sequence)
        bot->last_sequence = intent->id.sequence;
    if (known || orders_find_sequence(bot, intent->id.epoch, intent->id.sequence) != NO_SLOT)
        return 0; /* the snapshot has it, or saw it end */
    const int64_t age = bot_wall_ms(bot) - intent->ts_ms;
    struct live live = {
        .side = intent->side,
        .type = intent->type,
        .tif = intent->tif,
        .post_only = intent->post_only,
        .reduce_only = intent->reduce_only,
        .price_ticks = intent->price_ticks,
        .qty_lots = intent->qty_lots,
        .created_ms = intent->ts_ms,
        .ts_ms = intent->ts_ms,
        .sent_ms = bot_mono_ms(bot) - (age > 0 ? age : 0),
    };
    return adopt(bot, &intent->id, intent->leg, &live);
}

/* An order of ours at the venue that neither snapshot nor ring knows (a power loss, a takeover). */
static void adopt_open(struct bot *bot, unsigned leg, const struct flt_coid *id,
                       const struct order *order)
{
    /* trades of it may have come before the list did */
    const struct instrument *instrument = bot->legs[leg].instrument;
    struct live live = {
        .side = order->side,
        .type = order->type,
        .tif = order->tif,
        .price_ticks = price_to_ticks(instrument, order->price, FLT_ROUND_DOWN),
        .qty_lots = qty_to_lots(instrument, order->qty, FLT_ROUND_DOWN),
        .booked_lots = fills_lots_of(bot, id->sequence),
        .created_ms = order->ts_ms,
        .ts_ms = order->ts_ms,
        .sent_ms = bot_mono_ms(bot),
    };

    if (adopt(bot, id, leg, &live) == 0)
        bot_logf(bot, FLT_LOG_INFO, "adopted order %s of epoch %u", live.coid, id->epoch);
}

static void take_open(struct bot *bot, unsigned leg, const struct order *order)
{
    struct flt_coid id;

    if (!flt_coid_parse(order->client_order_id, &id) || id.owner != bot->owner ||
        strcmp(order->instrument, bot->legs[leg].instrument->name) != 0)
        return;
    if (orders_ended_lately(bot, id.sequence))
        return; /* the list is older than its end */
    if (orders_find(bot, order->client_order_id, NULL) == NO_SLOT)
        adopt_open(bot, leg, &id, order);
    const uint32_t number = orders_find(bot, order->client_order_id, NULL);
    if (number != NO_SLOT)
        orders_apply(bot, number, order);
}

static bool lists_ours(const struct bot *bot, const struct order *orders, size_t count)
{
    struct flt_coid id;

    for (size_t i = 0; i < count; i++)
        if (flt_coid_parse(orders[i].client_order_id, &id) && id.owner == bot->owner)
            return true;
    return false;
}

void bot_on_open_orders(struct bot *bot, unsigned number, const struct exchange_failure *failure,
                        const struct order *orders, size_t count)
{
    if (number >= bot->leg_count)
        return;
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_OPEN_ORDERS,
                                            .n = { number },
                                            .failure = *failure,
                                            .orders = orders,
                                            .order_count = count });
    struct leg *leg = &bot->legs[number];

    bot->counters.events++;
    if (failure->error != EXCHANGE_OK) {
        leg->listing = false;
        leg->list_ms = bot_mono_ms(bot) + LIST_AGAIN_MS;
        bot_logf(bot, FLT_LOG_WARN, "open orders not told: %s", failure->message);
        return;
    }
    if (!leg->listing)
        return; /* asked before the link was lost again */
    leg->listing = false;
    leg->listed = true;
    leg->clear = leg->begun == leg->begun_then && !lists_ours(bot, orders, count);
    leg->clear_ms = leg->clear ? bot_wall_ms(bot) : 0;
    leg->list_ms = leg->clear ? 0 : bot_mono_ms(bot) + CLEAR_AGAIN_MS;
    for (size_t i = 0; i < count; i++)
        take_open(bot, number, &orders[i]);
    recover_second(bot); /* what is not in the list is asked about, now */
    orders_second(bot);
    bot_pump(bot);
}

static bool rests_since(const struct live *live, int64_t ms)
{
    return (live->state == ORDER_OPEN || live->state == ORDER_PARTLY_FILLED) && live->sent_ms <= ms;
}

void bot_on_audit(struct bot *bot, unsigned number, const struct order *orders, size_t count,
                  int64_t asked_ns)
{
    const int64_t before_ms = asked_ns / 1000000 - AUDIT_SETTLED_MS;

    if (number >= bot->leg_count || !bot->recovered || !bot->link_up)
        return; /* recovery asks more than this does */
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_AUDIT,
                                            .n = { number, asked_ns },
                                            .orders = orders,
                                            .order_count = count });
    bot->counters.events++;
    for (uint32_t i = 0; i < bot->wants.slot_count; i++)
        bot->wants.slots[i].live.listed = false;
    for (size_t i = 0; i < count; i++) {
        const uint32_t slot = orders_find(bot, orders[i].client_order_id, NULL);

        if (slot != NO_SLOT)
            bot->wants.slots[slot].live.listed = true;
        take_open(bot, number, &orders[i]);
    }
    for (uint32_t i = 0; i < bot->wants.slot_count; i++) {
        const struct slot *slot = &bot->wants.slots[i];

        if (!slot->used || slot->leg != number || slot->live.listed ||
            !rests_since(&slot->live, before_ms))
            continue;
        bot_logf(bot, FLT_LOG_WARN, "order %s should rest and is not in the venue's list",
                 slot->live.coid);
        orders_doubt(bot, i, 0);
    }
    orders_second(bot); /* asks at once */
    bot_pump(bot);
}

static void ask_list(struct bot *bot, unsigned number, int64_t now)
{
    struct leg *leg = &bot->legs[number];

    leg->listing = true;
    leg->begun_then = leg->begun;
    leg->list_ms = now + LIST_ANSWER_MS;
    if (bot->port.open_orders(bot->port.ctx, bot, number)) {
        leg->listing = false;
        leg->list_ms = now + LIST_AGAIN_MS;
    }
}

/* After the lists, so that a trade finds its order: an order that traded in full and is in neither
 * snapshot nor ring (a power loss) shows in nothing but its trades. */
static void sweep_legs(struct bot *bot, int64_t now)
{
    for (size_t i = 0; i < bot->leg_count; i++)
        if (!bot->legs[i].listed)
            return;
    for (unsigned i = 0; i < bot->leg_count; i++) {
        struct leg *leg = &bot->legs[i];

        if (!leg->sweep_due || now < leg->sweep_ms)
            continue;
        leg->sweeping = true;
        leg->sweep_ms = now + SWEEP_ANSWER_MS;
        if (bot->port.sweep(bot->port.ctx, bot, i)) {
            leg->sweeping = false;
            leg->sweep_ms = now + LIST_AGAIN_MS;
        }
    }
}

void recover_second(struct bot *bot)
{
    const int64_t now = bot_mono_ms(bot);

    if (bot->recovered || !bot->started || !bot->link_up || !bot->lease_send)
        return;
    for (unsigned i = 0; i < bot->leg_count; i++) {
        struct leg *leg = &bot->legs[i];

        if (leg->listed || now < leg->list_ms)
            continue;
        ask_list(bot, i, now);
    }
    sweep_legs(bot, now);
    recover_check(bot);
}

void bot_on_swept(struct bot *bot, unsigned number, bool told)
{
    if (number >= bot->leg_count)
        return;
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_SWEPT, .n = { number, told } });
    struct leg *leg = &bot->legs[number];

    bot->counters.events++;
    if (!leg->sweeping)
        return; /* asked before the link was lost again */
    leg->sweeping = false;
    leg->sweep_due = !told;
    if (!told)
        leg->sweep_ms = bot_mono_ms(bot) + LIST_AGAIN_MS;
    recover_second(bot);
    bot_pump(bot);
}

void recover_begin_leg(struct leg *leg)
{
    leg->listed = leg->listing = leg->sweeping = leg->clear = false;
    leg->list_ms = leg->sweep_ms = 0;
}

/* --- the end of a bot's orders: the venue's list has the last word
 * ------------------------------------------------------------------ */

bool recover_is_clear(const struct bot *bot)
{
    if (bot->port.brief)
        return bot->wants.live_count == 0; /* a backtest's orders are where we see them */
    for (size_t i = 0; i < bot->leg_count; i++)
        if (!bot->legs[i].clear)
            return false;
    return bot->wants.live_count == 0;
}

void recover_ask_clear(struct bot *bot)
{
    const int64_t now = bot_mono_ms(bot);

    if (bot->wants.live_count > 0 || !bot->recovered || !bot->link_up || !bot->lease_send)
        return;
    for (unsigned i = 0; i < bot->leg_count; i++)
        if (!bot->legs[i].clear && now >= bot->legs[i].list_ms)
            ask_list(bot, i, now);
}

void recover_check(struct bot *bot)
{
    if (bot->recovered || !bot->link_up)
        return;
    for (size_t i = 0; i < bot->leg_count; i++)
        if (!bot->legs[i].listed || bot->legs[i].sweep_due)
            return;
    for (uint32_t i = 0; i < bot->wants.slot_count; i++) {
        const struct live *live = &bot->wants.slots[i].live;

        if (bot->wants.slots[i].used && live->state != ORDER_BAD &&
            (live->state == ORDER_UNKNOWN || live->state == ORDER_INTENDED ||
             live->epoch != bot->epoch || live->booked_lots != live->executed_lots))
            return;
    }
    bot->recovered = true;
}
