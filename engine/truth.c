/* Where books and venue differ: a pause with the numbers, and a person's word that ends it. */
#define FLT_MOD "truth"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "engine/core.h"

void bot_set_drift(struct bot *bot, const char *message)
{
    const char *text = message ? message : "";

    if (!strcmp(bot->drift, text))
        return;
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){
                          .kind = TAPE_DRIFT, .n = { message != NULL }, .text = text });
    const bool news = *text && !*bot->drift;

    (void)snprintf(bot->drift, sizeof bot->drift, "%s", text);
    if (news)
        bot_alarm(bot, "drift", "%s", text);
    bot_pump(bot);
}

static int adjust(struct bot *bot, const struct bot_adjustment *adjustment)
{
    struct leg *leg = &bot->legs[adjustment->leg];
    const int err = ledger_adjust(&leg->ledger, adjustment->qty);

    if (err)
        return err;
    leg->position_lots = ledger_position_lots(&leg->ledger, leg->instrument);
    bot->dirty_state = true;
    bot_logf(bot, FLT_LOG_WARN, "the books of %s were set to the venue's by %s: %s",
             leg->instrument->name, adjustment->by, adjustment->reason);
    bot_emit(bot, &(struct bot_record){ .kind = BOT_RECORD_ADJUST, .adjustment = adjustment });
    return 0;
}

int bot_adjust(struct bot *bot, const struct bot_adjustment *adjustment)
{
    char text[FLT_AMT_TEXT_MAX];

    if (adjustment->leg >= bot->leg_count || !flt_amt_ok(adjustment->qty))
        return -ERANGE;
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_ADJUST,
                                            .n = { adjustment->leg },
                                            .text = flt_amt_format(adjustment->qty, text) });
    const int err = adjust(bot, adjustment);

    wants_dirty_all(&bot->wants);
    bot_pump(bot);
    return err;
}

/* What the venue says it executed counts as booked; the trades themselves are not known. */
static int accept_order(struct bot *bot, uint32_t number, const char *by, const char *reason)
{
    struct slot *slot = &bot->wants.slots[number];
    const int64_t lots = slot->live.executed_lots - slot->live.booked_lots;
    const struct flt_amt qty = flt_amt_from_dec(lots_to_qty(bot->legs[slot->leg].instrument, lots));
    const struct bot_adjustment adjustment = {
        .leg = slot->leg,
        .qty = slot->live.side == SIDE_BUY ? qty : flt_amt_neg(qty),
        .by = by,
        .reason = reason,
    };
    const int err = adjust(bot, &adjustment);

    if (err)
        return err;
    slot->live.booked_lots = slot->live.executed_lots;
    orders_count(bot, number);
    orders_settle(bot, number);
    return 1;
}

int bot_accept_orders(struct bot *bot, const char *by, const char *reason)
{
    int count = 0;

    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_ADJUST, .n = { 0, 1 }, .text = "0" });
    for (uint32_t i = 0; i < bot->wants.slot_count; i++) {
        const struct slot *slot = &bot->wants.slots[i];
        int done;

        if (!slot->used || !slot->live.missing ||
            slot->live.executed_lots <= slot->live.booked_lots)
            continue;
        done = accept_order(bot, i, by, reason);
        if (done < 0)
            return done;
        count += done;
    }
    wants_dirty_all(&bot->wants);
    bot_pump(bot);
    return count;
}
