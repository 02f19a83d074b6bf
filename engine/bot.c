/* Phases, time and the strategy's calls. */
#define FLT_MOD "bot"
#include "engine/bot.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/core.h"

#define ALL_KINDS (~0u)
#define ASKS_OPEN "asks the venue whether an order is open"
#define PUMP_ROUNDS_MAX 64 /* a strategy that never comes to rest waits for the next event */

/* The members that hold the time are a cache: they change in a bot that does not. */
static struct bot *cache_of(const struct bot *bot)
{
    union {
        const struct bot *in;
        struct bot *out;
    } pointer = { bot };

    return pointer.out;
}

int64_t bot_mono_ns(const struct bot *bot)
{
    if (!bot->now_ns_read) {
        struct bot *cache = cache_of(bot);

        cache->now_ns = flt_mono_ns(bot->clock);
        cache->now_ns_read = true;
    }
    return bot->now_ns;
}

int64_t bot_mono_ms(const struct bot *bot)
{
    return bot_mono_ns(bot) / 1000000;
}

int64_t bot_wall_ms(const struct bot *bot)
{
    if (!bot->now_ms_read) {
        struct bot *cache = cache_of(bot);

        cache->now_ms = flt_wall_ms(bot->clock);
        cache->now_ms_read = true;
    }
    return bot->now_ms;
}

/* --- create
 * ------------------------------------------------------------------------------------------ */

static int check_config(const struct bot_config *config, struct flt_error *error)
{
    if (!config->strategy)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "strategy", "flotilla strategy ls",
                             "no such strategy");
    if (config->leg_count < 1 || config->leg_count > STRATEGY_LEGS_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "legs", "", "1 to %d legs, not %zu",
                             STRATEGY_LEGS_MAX, config->leg_count);
    for (size_t i = 0; i < config->leg_count; i++)
        if (config->instruments[i]->status != INSTRUMENT_TRADING)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "instrument", "",
                                 "%s does not trade now", config->instruments[i]->name);
    return 0;
}

/* Parameters, limits and needs, all checked, into the bot. */
static int read_params(struct bot *bot, const struct bot_config *config, struct flt_error *error)
{
    const struct strategy_ops *ops = config->strategy;
    int err = params_parse(ops->params, config->params, bot->params, ops->params_size, error);

    if (!err && ops->check)
        err = ops->check(bot->params, config->instruments, config->leg_count, error);
    if (err) {
        flt_error_prefix(error, "params");
        return err;
    }
    err =
        params_parse(risk_fields, config->risk, &bot->risk.limits, sizeof bot->risk.limits, error);
    if (err) {
        flt_error_prefix(error, "risk");
        return err;
    }
    err = ops->declare(bot->params, &bot->needs);
    if (!err && config->bar_ms > 0 && bot->needs.bar_ms > 0)
        bot->needs.bar_ms = config->bar_ms;
    if (!err && bot->needs.legs != config->leg_count)
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "legs", "", "%s trades %u instruments",
                            ops->name, bot->needs.legs);
    return err;
}

static void read_budget(struct bot *bot)
{
    const struct field *field = params_find(bot->ops->params, "budget");

    if (field && field->type == FIELD_DEC) {
        struct flt_dec budget;

        memcpy(&budget, (const char *)bot->params + field->offset, sizeof budget);
        bot->budget = flt_amt_from_dec(budget);
    }
}

static int build(struct bot *bot, const struct bot_config *config, struct flt_error *error)
{
    bot->params = calloc(1, config->strategy->params_size + 1);
    bot->legs = calloc(config->leg_count, sizeof *bot->legs);
    bot->seen = calloc(SEEN_MIN, sizeof *bot->seen);
    if (!bot->params || !bot->legs || !bot->seen || lookup_init(&bot->seen_rows, SEEN_MIN))
        return -ENOMEM;
    bot->seen_cap = SEEN_MIN;
    int err = read_params(bot, config, error);
    if (err)
        return err;
    bot->state_size = bot->ops->state_size(bot->params);
    bot->state = calloc(1, bot->state_size + 1);
    if (!bot->state)
        return -ENOMEM;
    for (size_t i = 0; i < config->leg_count; i++)
        bot->legs[i].instrument = config->instruments[i];
    err = wants_init(&bot->wants, bot, bot->needs.orders_max + config->leg_count);
    if (!err)
        err = view_init(bot);
    read_budget(bot);
    return err;
}

int bot_create(const struct bot_config *config, const struct engine_port *port,
               struct flt_error *error, struct bot **out)
{
    int err = check_config(config, error);

    if (err)
        return err;
    struct bot *bot = calloc(1, sizeof *bot);
    if (!bot)
        return -ENOMEM;
    (void)snprintf(bot->fleet, sizeof bot->fleet, "%s", config->fleet);
    (void)snprintf(bot->name, sizeof bot->name, "%s", config->name);
    bot->port = *port;
    bot->ops = config->strategy;
    bot->clock = config->clock;
    bot->mode = config->mode;
    bot->epoch = config->epoch;
    bot->owner = flt_coid_owner(config->fleet, config->name);
    bot->request_life_ms = config->request_life_ms;
    bot->leg_count = config->leg_count;
    bot->run = BOT_RUN_STOPPED;
    bot->lease_entries = bot->lease_send = bot->storage_entries = true;
    err = build(bot, config, error);
    if (err) {
        bot_destroy(bot);
        return err;
    }
    if (config->tape)
        tape_hold(bot, config);
    bot->since_ms = bot_wall_ms(bot);
    *out = bot;
    return 0;
}

void bot_destroy(struct bot *bot)
{
    if (!bot)
        return;
    if (bot->legs) {
        columns_finish(bot);
        view_finish(bot);
    }
    wants_finish(&bot->wants);
    free(bot->legs);
    free(bot->seen);
    lookup_finish(&bot->seen_rows);
    free(bot->state);
    free(bot->params);
    json_object_put(bot->past);
    free(bot);
}

int bot_check(const struct bot_config *config, struct flt_error *error)
{
    const struct engine_port none = { 0 };
    struct bot *bot = NULL;
    const int err = bot_create(config, &none, error, &bot);

    bot_destroy(bot);
    return err;
}

/* --- words to the host
 * -------------------------------------------------------------------------------- */

void bot_logf(struct bot *bot, enum flt_log_level level, const char *format, ...)
{
    char text[256];
    va_list args;

    if (!bot->port.log)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bot->port.log(bot->port.ctx, bot, level, text);
}

void bot_emit(struct bot *bot, struct bot_record *record)
{
    if (!bot->port.record) {
        bot->dirty_state = false;
        return;
    }
    record->ts_ms = bot_wall_ms(bot);
    const int err = bot->port.record(bot->port.ctx, bot, record);

    if (!err)
        bot->dirty_state = false;
    else if (record->kind == BOT_RECORD_FILL && bot->phase != BOT_ERROR)
        bot_fail(bot, "journal", "the journal takes no more records");
}

void bot_alarm(struct bot *bot, const char *code, const char *format, ...)
{
    char text[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bot_logf(bot, FLT_LOG_ERROR, "%s: %s", code, text);
    bot_emit(bot, &(struct bot_record){ .kind = BOT_RECORD_ALARM, .code = code, .message = text });
}

void bot_fail(struct bot *bot, const char *code, const char *format, ...)
{
    char text[160];
    va_list args;

    if (*bot->error_code)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)snprintf(bot->error_code, sizeof bot->error_code, "%s", code);
    (void)snprintf(bot->error_reason, sizeof bot->error_reason, "%s", text);
    (void)snprintf(bot->reason, sizeof bot->reason, "%s", text);
    bot_alarm(bot, code, "%s", text);
}

/* --- phases
 * --------------------------------------------------------------------------------------------- */

struct verdict {
    enum bot_phase phase;
    enum allow allow;
    const char *code, *reason;
};

/* Nothing that the venue would take is left of the position. */
static bool leg_is_flat(const struct leg *leg)
{
    const int64_t lots = leg->position_lots < 0 ? -leg->position_lots : leg->position_lots;
    const struct instrument *i = leg->instrument;
    const int64_t mark = view_mark(leg);

    if (lots == 0)
        return true;
    if (!flt_dec_is_zero(i->qty_min) && flt_dec_cmp(lots_to_qty(i, lots), i->qty_min) < 0)
        return true;
    return mark > 0 && flt_amt_cmp(flt_amt_product(ticks_to_price(i, mark), lots_to_qty(i, lots),
                                                   FLT_ROUND_DOWN),
                                   flt_amt_from_dec(i->notional_min)) < 0;
}

static bool is_flat(const struct bot *bot)
{
    for (size_t i = 0; i < bot->leg_count; i++)
        if (!leg_is_flat(&bot->legs[i]))
            return false;
    return bot->wants.live_count == 0;
}

static struct verdict decide_closing(const struct bot *bot)
{
    const bool halted = bot->halt == BOT_HALT_FLATTEN;
    const char *code = halted ? "halt" : "manual";
    const char *reason = halted ? bot->halt_reason : "";

    if (!is_flat(bot))
        return (struct verdict){ BOT_FLATTENING, ALLOW_CLOSE, code, reason };
    if (!recover_is_clear(bot))
        return (struct verdict){ BOT_FLATTENING, ALLOW_NOTHING, code, ASKS_OPEN };
    if (bot->run == BOT_RUN_STOPPED)
        return (struct verdict){ BOT_STOPPED, ALLOW_NOTHING, code, reason };
    return (struct verdict){ BOT_FLAT, ALLOW_NOTHING, code, reason };
}

/* Stopped is said when the venue says it too. */
static struct verdict decide_stopped(const struct bot *bot, const char *code, const char *reason)
{
    if (bot->how == BOT_STOP_DETACH && bot->wants.live_count > 0)
        return (struct verdict){ BOT_STOPPING, ALLOW_HOLD, "detached",
                                 "its orders were left at the venue and may trade" };
    if (bot->wants.live_count > 0)
        return (struct verdict){ BOT_STOPPING, ALLOW_NOTHING, code, reason };
    if (!recover_is_clear(bot))
        return (struct verdict){ BOT_STOPPING, ALLOW_NOTHING, code, *reason ? reason : ASKS_OPEN };
    return (struct verdict){ BOT_STOPPED, ALLOW_NOTHING, code, reason };
}

static struct verdict decide_active(const struct bot *bot)
{
    const bool close = bot->run == BOT_RUN_FLAT || bot->halt == BOT_HALT_FLATTEN ||
                       (bot->run == BOT_RUN_STOPPED && bot->how == BOT_STOP_FLATTEN);

    if (close)
        return decide_closing(bot);
    if (bot->run == BOT_RUN_STOPPED)
        return decide_stopped(bot, "manual", "");
    if (bot->halt == BOT_HALT_CANCEL)
        return (struct verdict){ BOT_PAUSED, ALLOW_NOTHING, "halt", bot->halt_reason };
    if (bot->halt == BOT_HALT_PAUSE)
        return (struct verdict){ BOT_PAUSED, ALLOW_EXITS, "halt", bot->halt_reason };
    if (bot->run == BOT_RUN_PAUSED)
        return (struct verdict){ BOT_PAUSED, ALLOW_EXITS, "manual", "" };
    if (bot->risk.tripped)
        return (struct verdict){ BOT_PAUSED, ALLOW_EXITS, bot->risk.tripped, bot->risk.message };
    if (*bot->drift)
        return (struct verdict){ BOT_PAUSED, ALLOW_EXITS, "drift", bot->drift };
    if (bot->missing > 0)
        return (struct verdict){ BOT_PAUSED, ALLOW_EXITS, "drift",
                                 "the venue does not tell all trades of an order" };
    return (struct verdict){ BOT_RUNNING, ALLOW_ALL, "", "" };
}

/* A strategy decides about nothing before it sees a price; until then orders rest as they are. */
static bool has_prices(const struct bot *bot)
{
    for (size_t i = 0; i < bot->leg_count; i++)
        if (view_mark(&bot->legs[i]) <= 0)
            return false;
    return true;
}

/* In doubt nothing new is sent, and nothing closed; but a stop or a halt takes its orders away. */
static struct verdict decide_error(const struct bot *bot)
{
    const bool stop = bot->run == BOT_RUN_STOPPED && bot->how != BOT_STOP_DETACH;
    const bool cancel = stop || bot->run == BOT_RUN_FLAT || bot->halt >= BOT_HALT_CANCEL;
    const bool gone = stop && bot->started && bot->link_up && recover_is_clear(bot);

    if (gone || (stop && bot->phase == BOT_STOPPED && bot->wants.live_count == 0))
        return (struct verdict){ BOT_STOPPED, ALLOW_NOTHING, bot->error_code, bot->error_reason };
    return (struct verdict){ BOT_ERROR, cancel ? ALLOW_NOTHING : ALLOW_HOLD, bot->error_code,
                             bot->error_reason };
}

static struct verdict decide(const struct bot *bot)
{
    const bool resting =
        (bot->phase == BOT_STOPPED || bot->phase == BOT_FLAT) && bot->wants.live_count == 0;

    if (*bot->error_code)
        return decide_error(bot);
    if (!bot->started)
        return (struct verdict){ BOT_WAITING, ALLOW_HOLD, "starting", "" };
    if (!bot->link_up && resting && decide_active(bot).phase == bot->phase)
        return decide_active(bot); /* it needs no link to stay as it is */
    if (!bot->link_up)
        return (struct verdict){ BOT_WAITING, ALLOW_HOLD, "no_link", bot->link_reason };
    if (!bot->recovered)
        return (struct verdict){ BOT_RECOVERING, ALLOW_HOLD, "recovering",
                                 "asking the venue what became of the orders" };
    if (!bot->halt_known)
        return (struct verdict){ BOT_WAITING, ALLOW_HOLD, "no_halt_word",
                                 "waiting for the controller's word on halts" };
    const struct verdict verdict = decide_active(bot);
    if (verdict.allow >= ALLOW_CLOSE && !has_prices(bot))
        return (struct verdict){ BOT_WAITING, ALLOW_HOLD, "no_price", "waiting for a price" };
    return verdict;
}

static void close_positions(struct bot *bot, bool close)
{
    bool others = false;

    for (uint32_t i = 0; i < bot->wants.slot_count; i++)
        if (bot->wants.slots[i].used && bot->wants.slots[i].live.state != ORDER_BAD &&
            bot->wants.slots[i].key < KEY_CLOSE)
            others = true;
    for (unsigned i = 0; i < bot->leg_count; i++)
        wants_close(&bot->wants, i, close && !others && !leg_is_flat(&bot->legs[i]));
}

/* Flat means starting anew: what the strategy remembers of a position is no longer so. */
static void forget_strategy(struct bot *bot)
{
    memset(bot->state, 0, bot->state_size);
    wants_clear(&bot->wants);
    bot->dirty_state = true;
}

static void change_phase(struct bot *bot, const struct verdict *verdict)
{
    const enum bot_phase from = bot->phase;

    bot->phase = verdict->phase;
    bot->since_ms = bot_wall_ms(bot);
    if (from == BOT_FLATTENING && (bot->phase == BOT_FLAT || bot->phase == BOT_STOPPED))
        forget_strategy(bot);
    if (bot->phase != BOT_RUNNING && bot->phase != BOT_PAUSED)
        bot->strategy_started = false;
    bot_emit(bot, &(struct bot_record){ .kind = BOT_RECORD_TRANSITION,
                                        .code = verdict->code,
                                        .message = verdict->reason,
                                        .from = from,
                                        .to = bot->phase });
}

void bot_update_phase(struct bot *bot)
{
    if (!bot->recovered)
        recover_check(bot);
    const struct verdict verdict = decide(bot);

    if (verdict.allow == ALLOW_NOTHING)
        recover_ask_clear(bot);
    if (verdict.allow != bot->allow)
        wants_dirty_all(&bot->wants);
    bot->allow = verdict.allow;
    if (verdict.allow == ALLOW_CLOSE || bot->phase == BOT_FLATTENING)
        close_positions(bot, verdict.allow == ALLOW_CLOSE);
    if (*bot->reason != *verdict.reason || strcmp(bot->reason, verdict.reason) != 0)
        (void)snprintf(bot->reason, sizeof bot->reason, "%s", verdict.reason);
    if (*bot->reason_code != *verdict.code || strcmp(bot->reason_code, verdict.code) != 0)
        (void)snprintf(bot->reason_code, sizeof bot->reason_code, "%s", verdict.code);
    if (verdict.phase != bot->phase)
        change_phase(bot, &verdict);
}

/* --- the strategy
 * ----------------------------------------------------------------------------------------- */

static bool listens(const struct bot *bot, enum event_kind kind)
{
    if (kind == EVENT_FILL || kind == EVENT_ORDER_END)
        return true;
    return bot->strategy_started || (kind == EVENT_START && bot->allow >= ALLOW_EXITS);
}

void bot_call(struct bot *bot, const struct event *event)
{
    struct view view;

    assert(!bot->in_strategy);
    if (!listens(bot, event->kind))
        return;
    view_refresh(bot, &view);
    view.ts_ms = event->ts_ms;
    bot->in_strategy = true;
    bot->wants.waking = false;
    for (size_t i = 0; i < bot->leg_count; i++)
        wake_reset(&bot->legs[i].wake, ALL_KINDS);
    bot->ops->on_event(bot->state, bot->params, event, &view, &bot->wants);
    wants_commit(&bot->wants);
    bot->in_strategy = false;
    bot->counters.strategy_calls++;
    if (bot->wants.overflowed) {
        bot->wants.overflowed = false;
        bot_fail(bot, "too_many_orders", "the strategy wants more orders than there is room for");
    }
}

static void start_strategy(struct bot *bot)
{
    if (bot->strategy_started || bot->allow < ALLOW_EXITS)
        return;
    bot->strategy_started = true;
    bot_call(bot, &(struct event){ .kind = EVENT_START, .ts_ms = bot_wall_ms(bot) });
}

void bot_pump(struct bot *bot)
{
    struct wants *wants = &bot->wants;

    if (bot->pumping || !bot->started)
        return;
    bot->pumping = true;
    for (int round = 0; round < PUMP_ROUNDS_MAX; round++) {
        bot_update_phase(bot);
        start_strategy(bot);
        if (wants->dirty_count == 0)
            break;
        for (uint32_t left = wants->dirty_count; left > 0; left--) {
            const uint32_t number = wants->dirty[wants->dirty_head];

            if (++wants->dirty_head == wants->slot_cap)
                wants->dirty_head = 0;
            wants->dirty_count--;
            wants->slots[number].dirty = false;
            orders_step(bot, number);
        }
    }
    bot->pumping = false;
}

/* --- market data
 * ------------------------------------------------------------------------------------------ */

static bool wakes(const struct leg *leg, enum event_kind kind, int64_t low, int64_t high,
                  int64_t ts_ms)
{
    const struct wake *wake = &leg->wake;

    return (wake->kinds & (1u << kind)) || low <= wake->low_ticks || high >= wake->high_ticks ||
           ts_ms >= wake->until_ms;
}

void bot_on_quote(struct bot *bot, unsigned number, const struct quote *quote, int64_t received_ns)
{
    if (number >= bot->leg_count)
        return;
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){
                          .kind = TAPE_QUOTE, .n = { number, received_ns }, .quote = *quote });
    struct leg *leg = &bot->legs[number];

    bot->counters.events++;
    leg->quote = *quote;
    leg->price_ns = received_ns;
    if (quote->ask_ticks > 0 && leg->last_ticks > quote->ask_ticks)
        leg->last_ticks = quote->ask_ticks; /* the last trade is no longer the market */
    else if (leg->last_ticks > 0 && leg->last_ticks < quote->bid_ticks)
        leg->last_ticks = quote->bid_ticks;
    if (!wakes(leg, EVENT_QUOTE, quote->bid_ticks > 0 ? quote->bid_ticks : INT64_MAX,
               quote->ask_ticks > 0 ? quote->ask_ticks : INT64_MIN + 1, quote->ts_ms))
        return;
    bot_call(bot, &(struct event){ .kind = EVENT_QUOTE, .leg = number, .ts_ms = quote->ts_ms });
    bot_pump(bot);
}

void bot_on_trade(struct bot *bot, unsigned number, const struct trade *trade, int64_t received_ns)
{
    if (number >= bot->leg_count)
        return;
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){
                          .kind = TAPE_TRADE, .n = { number, received_ns }, .trade = *trade });
    struct leg *leg = &bot->legs[number];

    bot->counters.events++;
    leg->last_ticks = trade->price_ticks;
    leg->price_ns = received_ns;
    if (!wakes(leg, EVENT_TRADE, trade->price_ticks, trade->price_ticks, trade->ts_ms))
        return;
    bot_call(bot, &(struct event){ .kind = EVENT_TRADE,
                                   .leg = number,
                                   .ts_ms = trade->ts_ms,
                                   .side = trade->aggressor,
                                   .price_ticks = trade->price_ticks,
                                   .qty_lots = trade->qty_lots });
    bot_pump(bot);
}

/* --- time
 * ---------------------------------------------------------------------------------------------------
 */

static struct flt_amt total_pnl(const struct bot *bot)
{
    struct flt_amt sum = FLT_AMT_ZERO;

    for (size_t i = 0; i < bot->leg_count; i++) {
        const struct leg *leg = &bot->legs[i];
        const int64_t mark = view_mark(leg);

        sum = flt_amt_add(sum, mark > 0
                                   ? ledger_pnl(&leg->ledger, ticks_to_price(leg->instrument, mark))
                                   : ledger_realised(&leg->ledger));
    }
    return sum;
}

static void watch_risk(struct bot *bot)
{
    const struct leg *leg = &bot->legs[0];
    const struct flt_dec mark = ticks_to_price(leg->instrument, view_mark(leg));

    if (!risk_watch(&bot->risk, bot_wall_ms(bot), total_pnl(bot), bot->budget, mark) ||
        !bot->risk.tripped)
        return;
    bot_emit(bot, &(struct bot_record){ .kind = BOT_RECORD_RISK,
                                        .code = bot->risk.tripped,
                                        .message = bot->risk.message,
                                        .pauses = true });
}

static void tick_strategy(struct bot *bot)
{
    const int64_t now = bot_wall_ms(bot);

    for (unsigned i = 0; bot->needs.timer && i < bot->leg_count; i++)
        if (bot->legs[i].wake.kinds & (1u << EVENT_TIMER) || now >= bot->legs[i].wake.until_ms) {
            bot_call(bot, &(struct event){ .kind = EVENT_TIMER, .ts_ms = now });
            return;
        }
}

void bot_on_second(struct bot *bot)
{
    if (!bot->started)
        return;
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_SECOND });
    recover_second(bot);
    orders_second(bot);
    watch_risk(bot);
    tick_strategy(bot);
    bot_pump(bot);
    if (bot->dirty_state)
        bot_emit(bot, &(struct bot_record){ .kind = BOT_RECORD_CHECKPOINT });
}

/* --- the host's word
 * ------------------------------------------------------------------------------------------ */

static void begin_recovery(struct bot *bot)
{
    bot->recovered = false;
    orders_doubt_all(bot);
    for (uint32_t i = 0; i < bot->wants.slot_count; i++)
        if (bot->wants.slots[i].used && bot->wants.slots[i].live.state != ORDER_BAD)
            orders_settle(bot, i); /* what had ended and was not recorded so */
    for (size_t i = 0; i < bot->leg_count; i++)
        recover_begin_leg(&bot->legs[i]);
    recover_second(bot);
}

void bot_start(struct bot *bot)
{
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_START });
    bot->started = true;
    risk_start(&bot->risk, bot_wall_ms(bot), bot_mono_ms(bot));
    if (bot->link_up)
        begin_recovery(bot);
    bot_pump(bot);
}

void bot_distrust(struct bot *bot)
{
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_DISTRUST });
    for (size_t i = 0; i < bot->leg_count; i++)
        bot->legs[i].sweep_due = bot->port.sweep != NULL;
    if (!bot->started)
        return;
    bot->recovered = false;
    if (bot->link_up)
        begin_recovery(bot);
    bot_pump(bot);
}

void bot_on_link(struct bot *bot, bool up, const char *reason)
{
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_LINK, .n = { up }, .text = reason });
    (void)snprintf(bot->link_reason, sizeof bot->link_reason, "%s", reason ? reason : "");
    bot->link_up = up;
    if (up && bot->started)
        begin_recovery(bot);
    bot_pump(bot);
}

void bot_set_desired(struct bot *bot, enum bot_run run, enum bot_stop how)
{
    const bool again = *bot->error_code && run == BOT_RUN_RUNNING;

    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_DESIRED, .n = { run, how } });
    bot->run = run;
    bot->how = how;
    bot->dirty_state = true;
    if (run == BOT_RUN_RUNNING && bot->risk.tripped && strcmp(bot->risk.tripped, "daily_loss") != 0)
        bot->risk.tripped = NULL; /* a person started it again */
    if (again) {
        bot->error_code[0] = '\0';
        if (bot->link_up && bot->started)
            begin_recovery(bot);
    }
    bot_pump(bot);
}

void bot_set_halt(struct bot *bot, enum bot_halt halt, const char *reason)
{
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_HALT, .n = { halt }, .text = reason });
    bot->halt_known = true;
    bot->halt = halt;
    (void)snprintf(bot->halt_reason, sizeof bot->halt_reason, "%s", reason ? reason : "");
    bot_pump(bot);
}

void bot_set_lease(struct bot *bot, bool entries, bool send)
{
    if (bot->lease_entries == entries && bot->lease_send == send)
        return;
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_LEASE, .n = { entries, send } });
    bot->lease_entries = entries;
    bot->lease_send = send;
    wants_dirty_all(&bot->wants);
    bot_pump(bot);
}

void bot_set_storage(struct bot *bot, bool entries)
{
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_STORAGE, .n = { entries } });
    bot->storage_entries = entries;
    if (entries)
        wants_dirty_all(&bot->wants);
    bot_pump(bot);
}

static int update_params(struct bot *bot, struct json_object *params, void *next,
                         struct flt_error *error)
{
    const struct instrument *instruments[STRATEGY_LEGS_MAX];
    int err =
        params_update(bot->ops->params, params, bot->params, next, bot->ops->params_size, error);

    for (size_t i = 0; i < bot->leg_count; i++)
        instruments[i] = bot->legs[i].instrument;
    if (!err && bot->ops->check)
        err = bot->ops->check(next, instruments, bot->leg_count, error);
    if (err)
        flt_error_prefix(error, "params");
    return err;
}

int bot_set_params(struct bot *bot, struct json_object *params, struct json_object *risk,
                   struct flt_error *error)
{
    struct risk_limits limits = bot->risk.limits;
    void *next = calloc(1, bot->ops->params_size + 1);
    int err = next ? 0 : -ENOMEM;

    if (bot_input(bot))
        tape_put_params(bot, params, risk);
    if (!err && risk) {
        err = params_parse(risk_fields, risk, &limits, sizeof limits, error);
        if (err)
            flt_error_prefix(error, "risk");
    }
    if (!err && params)
        err = update_params(bot, params, next, error);
    if (err) {
        free(next);
        return err;
    }
    bot->risk.limits = limits;
    if (risk)
        bot->risk.tripped = NULL; /* judged again within a second, by the new limits */
    if (params) {
        memcpy(bot->params, next, bot->ops->params_size);
        bot->strategy_started = false;
        read_budget(bot);
    }
    free(next);
    bot_pump(bot);
    return 0;
}
