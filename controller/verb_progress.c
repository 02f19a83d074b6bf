/* How far a halt is: bot by bot, from what nodes last said, with the reason where one lags. */
#define FLT_MOD "halt"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/request.h"

static bool covers(const struct msg_halt *halt, const struct bot *bot)
{
    switch (halt->scope) {
    case MSG_HALT_SCOPE_FLEET:
        return true;
    case MSG_HALT_SCOPE_NODE:
        return strcmp(halt->target, bot->node) == 0;
    case MSG_HALT_SCOPE_ACCOUNT:
        return bot->spec.has_account && strcmp(halt->target, bot->spec.account) == 0;
    case MSG_HALT_SCOPE_BOT:
        return strcmp(halt->target, bot->name) == 0;
    }
    return false;
}

static void lags(struct msg_halt_bot *row, enum msg_halt_bot_why why, const char *message)
{
    row->confirmed = false;
    row->has_why = row->has_message = true;
    row->why = why;
    snprintf(row->message, sizeof row->message, "%s", message);
}

static bool is_at_rest(enum msg_phase phase)
{
    return phase == MSG_PHASE_STOPPED || phase == MSG_PHASE_FLAT;
}

/* It has seen the halt; whether it has carried it out. */
static void judge(const struct msg_halt *halt, const struct bot *bot, struct msg_halt_bot *row)
{
    const struct msg_n_state *state = &bot->state;
    char text[160];

    row->confirmed = true;
    if (!halt || is_at_rest(state->phase))
        return;
    if (halt->how == MSG_HALT_HOW_FLATTEN) {
        snprintf(text, sizeof text, "%s, %" PRId64 " orders open", msg_phase_name(state->phase),
                 state->orders_open);
        lags(row, MSG_HALT_BOT_WHY_FLATTENING, text);
    } else if (halt->how == MSG_HALT_HOW_CANCEL && state->orders_open > 0) {
        snprintf(text, sizeof text, "%" PRId64 " orders still open", state->orders_open);
        lags(row, MSG_HALT_BOT_WHY_CANCELLING, text);
    } else if (state->phase == MSG_PHASE_RUNNING) {
        lags(row, MSG_HALT_BOT_WHY_NOT_SEEN, "it still says that it runs");
    }
}

static void fill_row(struct controller *controller, const struct bot *bot,
                     const struct msg_halt *halt, int64_t number, struct msg_halt_bot *row)
{
    const int64_t now = controller_mono_ms(controller);
    const struct node *node = inventory_find_node(&controller->inventory, bot->node);
    char text[160];

    snprintf(row->bot, sizeof row->bot, "%s", bot->name);
    snprintf(row->node, sizeof row->node, "%s", bot->node);
    if (bot->has_state) {
        row->has_phase = row->has_orders_open = row->has_age_ms = true;
        row->phase = bot->state.phase;
        row->orders_open = bot->state.orders_open;
        row->age_ms = now - bot->heard_ms;
        row->has_halt = bot->state.has_halt;
        row->halt = bot->state.halt;
    }
    if (!node || !node_is_up(node, now)) {
        if (node && node->heard_ms >= 0)
            snprintf(text, sizeof text, "%s has not been heard of for %" PRId64 " s", bot->node,
                     (now - node->heard_ms) / 1000);
        else
            snprintf(text, sizeof text, "%s has not been heard of", bot->node);
        lags(row, MSG_HALT_BOT_WHY_NODE_AWAY, text);
    } else if (!bot->has_state) {
        lags(row, MSG_HALT_BOT_WHY_SILENT, "its node has said nothing of it yet");
    } else if (!bot->state.has_halt || bot->state.halt < number) {
        snprintf(text, sizeof text, "it has seen number %" PRId64 " of %" PRId64,
                 bot->state.has_halt ? bot->state.halt : 0, number);
        lags(row, MSG_HALT_BOT_WHY_NOT_SEEN, text);
    } else {
        judge(halt, bot, row);
    }
}

static int find_halt(struct controller *controller, int64_t number, struct msg_halt *out)
{
    struct msg_halt *list = NULL;
    size_t count = 0;
    int err = halts_read(controller, &list, &count);
    bool found = false;

    for (size_t i = 0; i < count && !err; i++)
        if (list[i].number == number) {
            *out = list[i];
            found = true;
        }
    free(list);
    return err ? err : found;
}

HANDLER(verb_halt_show)
{
    const struct msg_halt_show_args *in = args;
    struct msg_halt_show_result *out = result;
    struct controller *controller = request->controller;
    const struct inventory *inventory = &controller->inventory;
    const int64_t number = in->has_number ? in->number : controller->halt_number;
    const int found = find_halt(controller, number, &out->halt);

    if (found < 0)
        return found;
    if (number > controller->halt_number)
        return flt_error_set(error, FLT_NOT_FOUND, "number", "list them with halt-ls",
                             "the newest number is %" PRId64, controller->halt_number);
    out->number = number;
    out->in_force = out->has_halt = found == 1;
    out->bots = calloc(inventory->bot_count + 1, sizeof *out->bots);
    out->waiting = calloc(inventory->bot_count + 1, sizeof *out->waiting);
    if (!out->bots || !out->waiting)
        return -ENOMEM;
    out->has_bots = true;
    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];
        struct msg_halt_bot row = { 0 };

        if (!bot_listed(bot) || (found == 1 && !covers(&out->halt, bot)))
            continue;
        fill_row(controller, bot, found == 1 ? &out->halt : NULL, number, &row);
        out->covered++;
        out->confirmed += row.confirmed;
        if (!row.confirmed)
            out->waiting[out->waiting_count++] = row;
        if (out->bots_count < 1000)
            out->bots[out->bots_count++] = row;
    }
    return 0;
}
