/* What others may know of a bot: names, status, records. */
#define FLT_MOD "report"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "engine/core.h"

static const char *const phase_names[BOT_PHASE_COUNT] = {
    "waiting", "recovering", "running", "paused", "stopping",
    "stopped", "flattening", "flat",    "error",
};
static const char *const run_names[] = { "running", "paused", "stopped", "flat" };
static const char *const stop_names[] = { "cancel", "flatten", "detach" };
static const char *const halt_names[] = { "none", "pause", "cancel", "flatten" };
static const char *const mode_names[] = { "live", "paper", "shadow", "backtest" };
static const char *const kind_names[] = { "fill",  "order",      "transition", "risk",
                                          "alarm", "checkpoint", "adjust" };

static bool find_name(const char *const *names, size_t count, const char *text, int *out)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], text)) {
            *out = (int)i;
            return true;
        }
    return false;
}

const char *bot_phase_name(enum bot_phase phase)
{
    return phase_names[phase];
}

const char *bot_run_name(enum bot_run run)
{
    return run_names[run];
}

bool bot_run_parse(const char *text, enum bot_run *out)
{
    int value = 0;
    const bool ok = find_name(run_names, FLT_COUNT(run_names), text, &value);

    if (ok)
        *out = (enum bot_run)value;
    return ok;
}

const char *bot_stop_name(enum bot_stop how)
{
    return stop_names[how];
}

bool bot_stop_parse(const char *text, enum bot_stop *out)
{
    int value = 0;
    const bool ok = find_name(stop_names, FLT_COUNT(stop_names), text, &value);

    if (ok)
        *out = (enum bot_stop)value;
    return ok;
}

const char *bot_halt_name(enum bot_halt halt)
{
    return halt_names[halt];
}

bool bot_halt_parse(const char *text, enum bot_halt *out)
{
    int value = 0;
    const bool ok = find_name(halt_names, FLT_COUNT(halt_names), text, &value);

    if (ok)
        *out = (enum bot_halt)value;
    return ok;
}

const char *bot_mode_name(enum bot_mode mode)
{
    return mode_names[mode];
}

bool bot_mode_parse(const char *text, enum bot_mode *out)
{
    int value = 0;
    const bool ok = find_name(mode_names, FLT_COUNT(mode_names), text, &value);

    if (ok)
        *out = (enum bot_mode)value;
    return ok;
}

const char *bot_record_kind_name(enum bot_record_kind kind)
{
    return kind_names[kind];
}

/* --- small reads
 * ------------------------------------------------------------------------------------ */

enum bot_phase bot_phase(const struct bot *bot)
{
    return bot->phase;
}

const char *bot_name(const struct bot *bot)
{
    return bot->name;
}

uint32_t bot_epoch(const struct bot *bot)
{
    return bot->epoch;
}

enum bot_mode bot_mode(const struct bot *bot)
{
    return bot->mode;
}

uint64_t bot_owner(const struct bot *bot)
{
    return bot->owner;
}

const struct strategy_ops *bot_strategy(const struct bot *bot)
{
    return bot->ops;
}

const struct needs *bot_needs(const struct bot *bot)
{
    return &bot->needs;
}

size_t bot_leg_count(const struct bot *bot)
{
    return bot->leg_count;
}

const struct instrument *bot_instrument(const struct bot *bot, unsigned leg)
{
    return bot->legs[leg].instrument;
}

const struct ledger *bot_ledger(const struct bot *bot, unsigned leg)
{
    return &bot->legs[leg].ledger;
}

int64_t bot_position_lots(const struct bot *bot, unsigned leg)
{
    return bot->legs[leg].position_lots;
}

void *bot_user(const struct bot *bot)
{
    return bot->user;
}

void bot_set_user(struct bot *bot, void *user)
{
    bot->user = user;
}

size_t bot_warmup_bars(const struct bot *bot)
{
    size_t bars = bot->needs.bar_ms > 0 ? bot->needs.bars + 1 : 0;

    for (size_t i = 0; i < bot->needs.line_count; i++) {
        const struct line *line = &bot->lines[i];
        const size_t settle = line->indicator->settle(line->option) + bot->needs.lines_back;

        if (settle > bars)
            bars = settle;
    }
    return bars;
}

size_t bot_ready_bars(const struct bot *bot)
{
    size_t bars = bot->needs.bars;

    for (size_t i = 0; i < bot->needs.line_count; i++) {
        const struct line *line = &bot->lines[i];
        const size_t ready = line->indicator->first(line->option) + bot->needs.lines_back - 1;

        if (ready > bars)
            bars = ready;
    }
    return bars;
}

void bot_write_params(const struct bot *bot, struct flt_buf *buf, const char *key)
{
    params_write(bot->ops->params, bot->params, buf, key);
}

const char *bot_key_name(const struct bot *bot, uint32_t key, char *out, size_t size)
{
    const char *word = NULL;

    (void)snprintf(out, size, "%" PRIu32, key);
    if (key >= KEY_CLOSE)
        return "close position";
    if (bot->ops->key_name)
        word = bot->ops->key_name(bot->params, key, out, size);
    return word ? word : out;
}

bool bot_order_at(const struct bot *bot, size_t index, struct bot_order *out)
{
    static char name[48]; /* one loop thread; borrowed until the next call */

    for (uint32_t i = 0; i < bot->wants.slot_count; i++)
        if (bot->wants.slots[i].used && bot->wants.slots[i].live.state != ORDER_BAD &&
            index-- == 0) {
            orders_view(bot, &bot->wants.slots[i], out, name, sizeof name);
            return true;
        }
    return false;
}

bool bot_has_order_id(const struct bot *bot, const char *order_id)
{
    return orders_find(bot, NULL, order_id) != NO_SLOT;
}

/* --- status
 * ------------------------------------------------------------------------------------------- */

static void add_leg(const struct leg *leg, struct bot_status *out)
{
    const int64_t mark = view_mark(leg);

    out->cash = flt_amt_add(out->cash, leg->ledger.cash);
    out->realised = flt_amt_add(out->realised, ledger_realised(&leg->ledger));
    if (mark > 0)
        out->unrealised =
            flt_amt_add(out->unrealised,
                        ledger_unrealised(&leg->ledger, ticks_to_price(leg->instrument, mark)));
}

static void count_orders(const struct bot *bot, struct bot_status *out)
{
    for (uint32_t i = 0; i < bot->wants.slot_count; i++) {
        const struct slot *slot = &bot->wants.slots[i];

        if (!slot->used || slot->live.state == ORDER_BAD)
            continue;
        if (slot->live.state == ORDER_UNKNOWN)
            out->unknown_orders++;
        if (!order_state_is_final(slot->live.state))
            out->open_orders++;
    }
}

void bot_status(const struct bot *bot, struct bot_status *out)
{
    const struct leg *leg = &bot->legs[0];
    const bool quiet = bot->reason[0] == '\0';

    memset(out, 0, sizeof *out);
    out->phase = bot->phase;
    (void)snprintf(out->reason_code, sizeof out->reason_code, "%s", bot->reason_code);
    (void)snprintf(out->reason, sizeof out->reason, "%s", quiet ? bot->wants.note : bot->reason);
    out->desired = bot->run;
    out->halt = bot->halt;
    out->link_up = bot->link_up;
    out->epoch = bot->epoch;
    for (size_t i = 0; i < bot->leg_count; i++)
        add_leg(&bot->legs[i], out);
    out->pnl = flt_amt_add(out->realised, out->unrealised);
    out->budget = bot->budget;
    out->equity = flt_amt_add(out->budget, out->pnl);
    out->day_pnl = risk_day_pnl(&bot->risk, out->pnl);
    out->mark_ticks = view_mark(leg);
    out->bid_ticks = leg->quote.bid_ticks;
    out->ask_ticks = leg->quote.ask_ticks;
    out->quote_age_ms = leg->price_ns ? (flt_mono_ns(bot->clock) - leg->price_ns) / 1000000 : -1;
    count_orders(bot, out);
    out->last_fill_ms = bot->last_fill_ms;
    out->first_start_ms = bot->risk.started_ms;
    out->moved = bot->saved_epoch != 0 && bot->saved_epoch != bot->epoch;
    out->clear_ms = recover_is_clear(bot) ? bot->legs[0].clear_ms : 0;
    out->counters = bot->counters;
}

int64_t bot_mark_ticks(const struct bot *bot)
{
    return view_mark(&bot->legs[0]);
}
