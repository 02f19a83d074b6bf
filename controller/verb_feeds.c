/* Instruments that bots trade, as their nodes see them: the freshest word of any of them. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/market.h"
#include "controller/request.h"

#define NAMES_MAX 20

static struct msg_market_row *find_row(struct msg_market_ls_result *out, const struct bot *bot)
{
    for (size_t i = 0; i < out->items_count; i++)
        if (strcmp(out->items[i].venue, bot->venue) == 0 &&
            strcmp(out->items[i].instrument, bot->spec.instrument) == 0)
            return &out->items[i];
    struct msg_market_row *row = &out->items[out->items_count++];

    snprintf(row->venue, sizeof row->venue, "%s", bot->venue);
    snprintf(row->instrument, sizeof row->instrument, "%s", bot->spec.instrument);
    return row;
}

static double spread_bps(struct flt_dec bid, struct flt_dec ask)
{
    const double low = flt_dec_to_double(bid), high = flt_dec_to_double(ask);

    return low + high > 0 ? (high - low) / ((high + low) / 2) * 10000 : 0;
}

static int add_bot(const struct controller *controller, struct msg_market_row *row,
                   const struct bot *bot)
{
    const bool has_price = bot->has_state && bot->state.has_price && bot->heard_ms >= 0;
    const int64_t age = has_price ? controller_mono_ms(controller) - bot->heard_ms +
                                        (bot->state.has_price_age_ms ? bot->state.price_age_ms : 0)
                                  : 0;

    row->bots++;
    if (!row->names)
        row->names = calloc(NAMES_MAX, sizeof *row->names);
    if (!row->names)
        return -ENOMEM;
    row->has_names = true;
    if (row->names_count < NAMES_MAX)
        snprintf(row->names[row->names_count++], sizeof *row->names, "%s", bot->name);
    if (!has_price || (row->has_age_ms && row->age_ms <= age))
        return 0;
    row->has_last = row->has_age_ms = row->has_node = true;
    row->last = bot->state.price;
    row->has_bid = bot->state.has_bid;
    row->bid = bot->state.bid;
    row->has_ask = bot->state.has_ask;
    row->ask = bot->state.ask;
    row->has_spread_bps = row->has_bid && row->has_ask;
    row->spread_bps = row->has_spread_bps ? spread_bps(row->bid, row->ask) : 0;
    row->age_ms = age;
    snprintf(row->node, sizeof row->node, "%s", bot->node);
    return 0;
}

static void add_rules(struct controller *controller, struct msg_market_row *row)
{
    const struct instrument *rules = market_find(controller->market, row->venue, row->instrument);

    if (!rules)
        return;
    row->has_status = row->has_tick = true;
    row->status = (enum msg_market_row_status)rules->status; /* the same words */
    row->tick = rules->tick;
}

_Static_assert((int)MSG_MARKET_ROW_STATUS_TRADING == (int)INSTRUMENT_TRADING &&
                   (int)MSG_MARKET_ROW_STATUS_DELISTED == (int)INSTRUMENT_DELISTED,
               "market_row and struct instrument have the same words");

HANDLER(verb_market_ls)
{
    const struct msg_market_ls_args *in = args;
    struct msg_market_ls_result *out = result;
    struct controller *controller = request->controller;
    int err = 0;

    (void)error;
    out->items = calloc(controller->inventory.bot_count + 1, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < controller->inventory.bot_count && !err; i++) {
        const struct bot *bot = controller->inventory.bots[i];

        if (bot_listed(bot) && bot->spec.has_instrument &&
            (!in->has_venue || strcmp(bot->venue, in->venue) == 0))
            err = add_bot(controller, find_row(out, bot), bot);
    }
    for (size_t i = 0; i < out->items_count; i++)
        add_rules(controller, &out->items[i]);
    return err;
}
