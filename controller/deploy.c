#define FLT_MOD "deploy"
#include "controller/deploy.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/market.h"
#include "lib/log.h"
#include "strategies/params.h"
#include "strategies/strategy.h"

struct check {
    struct request *request;
    const struct msg_bot *spec;
    bool live;
    struct deploy_plan *plan;
    struct flt_error *error;
};

static const struct strategy_ops *check_strategy(const struct check *check)
{
    const struct strategy_ops *ops = strategy_find(check->spec->strategy);
    const char *names[128];
    char hint[96] = "list them with strategy-ls";
    size_t count = 0;

    if (ops)
        return ops;
    const struct strategy_ops *const *list = strategy_list(&count);
    count = count < FLT_COUNT(names) ? count : FLT_COUNT(names);
    for (size_t i = 0; i < count; i++)
        names[i] = list[i]->name;
    const char *near = flt_nearest(check->spec->strategy, names, count);
    if (near)
        snprintf(hint, sizeof hint, "did you mean %s?", near);
    (void)flt_error_set(check->error, FLT_NOT_FOUND, "strategy", hint, "there is no strategy %s",
                        check->spec->strategy);
    return NULL;
}

static int check_account(const struct check *check)
{
    const struct msg_bot *spec = check->spec;
    struct account_row row;

    if (!spec->has_account) {
        if (spec->mode == MSG_MODE_LIVE)
            return flt_error_set(check->error, FLT_INVALID_ARGUMENT, "account",
                                 "name one of account-ls", "a live bot needs an account");
        if (!spec->has_venue)
            return flt_error_set(check->error, FLT_INVALID_ARGUMENT, "venue",
                                 "name the venue whose market data it follows",
                                 "neither account nor venue is given");
        snprintf(check->plan->venue, sizeof check->plan->venue, "%s", spec->venue);
        return 0;
    }
    if (!store_find_account(&check->request->controller->store, spec->account, &row))
        return flt_error_set(check->error, FLT_NOT_FOUND, "account",
                             "list them with account-ls, or add it", "there is no account %s",
                             spec->account);
    if (spec->has_venue && strcmp(spec->venue, row.account.venue) != 0)
        return flt_error_set(check->error, FLT_INVALID_ARGUMENT, "venue", "leave it out",
                             "account %s is on %s", spec->account, row.account.venue);
    snprintf(check->plan->venue, sizeof check->plan->venue, "%s", row.account.venue);
    check->plan->sandbox = row.account.sandbox;
    return 0;
}

static int check_mode(const struct check *check)
{
    if (check->spec->mode == MSG_MODE_BACKTEST)
        return flt_error_set(check->error, FLT_INVALID_ARGUMENT, "mode",
                             "choose live, paper or shadow", "a fleet does not run backtests");
    if (check->spec->mode == MSG_MODE_LIVE && !check->plan->sandbox && !check->live)
        return flt_error_set(check->error, FLT_DENIED, "mode",
                             "confirm with live: true (--live on the command line)",
                             "this would trade real money on %s", check->plan->venue);
    return 0;
}

static int unknown_instrument(const struct check *check, const char *name, const char *field)
{
    struct market *market = check->request->controller->market;
    const char *names[256];
    char hint[96] = "list them with instrument-ls";
    size_t count = 0, used = 0;
    const struct instrument *const *list = market_instruments(market, check->plan->venue, &count);

    if (count == 0)
        return flt_error_set(check->error, FLT_UNAVAILABLE, field, "try again in a moment",
                             "the instruments of %s are not loaded yet", check->plan->venue);
    for (size_t i = 0; i < count && used < FLT_COUNT(names); i++)
        names[used++] = list[i]->name;
    const char *near = flt_nearest(name, names, used);
    if (near)
        snprintf(hint, sizeof hint, "did you mean %s?", near);
    return flt_error_set(check->error, FLT_NOT_FOUND, field, hint, "%s has no instrument %s",
                         check->plan->venue, name);
}

/* Finds the rules of every leg; `count` 0 when the venue's rules are not known here. */
static int check_instruments(const struct check *check, const struct instrument **out,
                             size_t *count)
{
    const struct msg_bot *spec = check->spec;
    struct market *market = check->request->controller->market;
    const size_t legs = spec->has_legs ? spec->legs_count : spec->has_instrument;

    *count = 0;
    if (legs == 0 || (spec->has_legs && spec->has_instrument))
        return flt_error_set(check->error, FLT_INVALID_ARGUMENT, "instrument", "give one of them",
                             "a bot has either an instrument or legs");
    if (!market_knows(market, check->plan->venue)) {
        snprintf(check->plan->warning, sizeof check->plan->warning,
                 "the rules of %s are not known to the controller; the node checks them",
                 check->plan->venue);
        return 0;
    }
    for (size_t i = 0; i < legs; i++) {
        const char *name = spec->has_legs ? spec->legs[i].instrument : spec->instrument;
        char field[40] = "instrument";

        if (spec->has_legs)
            snprintf(field, sizeof field, "legs[%zu].instrument", i);
        out[i] = market_find(market, check->plan->venue, name);
        if (!out[i])
            return unknown_instrument(check, name, field);
        if (out[i]->status != INSTRUMENT_TRADING)
            return flt_error_set(check->error, FLT_CONFLICT, field, "", "%s does not trade now",
                                 name);
    }
    *count = legs;
    return 0;
}

static int check_params(const struct check *check, const struct strategy_ops *ops,
                        const struct instrument *const *instruments, size_t count)
{
    void *params = calloc(1, ops->params_size ? ops->params_size : 1);
    int err = -ENOMEM;

    if (params)
        err = params_parse(ops->params, check->spec->has_params ? check->spec->params : NULL,
                           params, ops->params_size, check->error);
    if (!err && ops->check && count)
        err = ops->check(params, instruments, count, check->error);
    free(params);
    if (err)
        flt_error_prefix(check->error, "params");
    return err;
}

static int check_risk(const struct check *check, const struct instrument *instrument)
{
    const struct msg_risk *risk = &check->spec->risk;
    char text[FLT_DEC_TEXT_MAX];

    if (!check->spec->has_risk || !instrument || !risk->has_max_order_notional)
        return 0;
    if (instrument->notional_min.coef &&
        flt_dec_cmp(risk->max_order_notional, instrument->notional_min) < 0)
        return flt_error_set(check->error, FLT_INVALID_ARGUMENT, "risk.max_order_notional",
                             "raise the limit",
                             "no order could be sent: %s takes orders from %s %s", instrument->name,
                             flt_dec_format(instrument->notional_min, text), instrument->quote);
    if (risk->has_price_stop_low && risk->has_price_stop_high &&
        flt_dec_cmp(risk->price_stop_low, risk->price_stop_high) >= 0)
        return flt_error_set(check->error, FLT_INVALID_ARGUMENT, "risk.price_stop_high",
                             "swap the two", "price_stop_high must be above price_stop_low");
    return 0;
}

static bool same_text(bool has_a, const char *a, bool has_b, const char *b)
{
    return has_a == has_b && (!has_a || strcmp(a, b) == 0);
}

/* What a bot is may not change under its position and history. */
static int check_existing(const struct check *check)
{
    const struct msg_bot *spec = check->spec;
    const struct bot *bot = inventory_find_bot(&check->request->controller->inventory, spec->name);

    if (!bot || !bot_listed(bot))
        return 0;
    check->plan->existing = bot;
    if (bot->release)
        return flt_error_set(check->error, FLT_CONFLICT, "name", "wait until it is gone",
                             "%s is being removed", spec->name);
    if (strcmp(bot->spec.strategy, spec->strategy) == 0 && bot->spec.mode == spec->mode &&
        same_text(bot->spec.has_account, bot->spec.account, spec->has_account, spec->account) &&
        same_text(bot->spec.has_instrument, bot->spec.instrument, spec->has_instrument,
                  spec->instrument))
        return 0;
    return flt_error_set(
        check->error, FLT_CONFLICT, "name", "choose another name, or remove the bot first",
        "%s exists with another strategy, account, instrument or mode", spec->name);
}

static int choose_place(const struct check *check)
{
    const struct msg_bot *spec = check->spec;
    const struct node *node =
        placement_choose(check->request->controller, spec, check->plan->venue, NULL);

    if (!node)
        return flt_error_set(check->error, FLT_UNAVAILABLE, "placement",
                             "see node-ls: one must be up, have room, the labels and the strategy, "
                             "and not be drained",
                             "no node can take %s now", spec->name);
    snprintf(check->plan->node, sizeof check->plan->node, "%s", node->name);
    return 0;
}

static int check_place(const struct check *check)
{
    const struct controller *controller = check->request->controller;
    const struct msg_bot *spec = check->spec;
    const char *wants =
        spec->has_placement && spec->placement.has_node ? spec->placement.node : NULL;
    const struct bot *existing = check->plan->existing;
    const struct node *node;

    if (existing && (!wants || strcmp(existing->node, wants) == 0)) {
        snprintf(check->plan->node, sizeof check->plan->node, "%s", existing->node);
        return 0;
    }
    if (existing)
        return flt_error_set(check->error, FLT_CONFLICT, "placement.node", "move it with bot-move",
                             "%s is on node %s", spec->name, existing->node);
    if (!wants)
        return choose_place(check);
    node = request_node(check->request, wants, "placement.node", check->error);
    if (!node)
        return -ENOENT;
    snprintf(check->plan->node, sizeof check->plan->node, "%s", node->name);
    return placement_check(controller, node, spec, check->plan->venue, "placement.node",
                           check->error);
}

static int check_all(const struct check *check)
{
    const struct strategy_ops *ops = check_strategy(check);
    const struct instrument *instruments[64] = { NULL };
    size_t count = 0;
    int err = ops ? check_account(check) : -ENOENT;

    if (!err)
        err = check_mode(check);
    if (!err)
        err = check_instruments(check, instruments, &count);
    if (!err)
        err = check_params(check, ops, instruments, count);
    if (!err)
        err = check_risk(check, instruments[0]);
    if (!err)
        err = check_existing(check);
    return err ? err : check_place(check);
}

int deploy_check(struct request *request, const struct msg_bot *spec, bool live, const char *prefix,
                 struct deploy_plan *plan, struct flt_error *error)
{
    const struct check check = { request, spec, live, plan, error };
    int err;

    memset(plan, 0, sizeof *plan);
    err = check_all(&check);
    if (err)
        flt_error_prefix(error, prefix);
    return err;
}
