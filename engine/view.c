/* What the strategy sees: newest prices, closed bars of its timeframe, and indicator lines. */
#define FLT_MOD "view"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "engine/core.h"

int64_t view_mark(const struct leg *leg)
{
    if (leg->last_ticks > 0)
        return leg->last_ticks;
    if (leg->quote.bid_ticks > 0 && leg->quote.ask_ticks > 0)
        return (leg->quote.bid_ticks + leg->quote.ask_ticks) / 2;
    return 0;
}

static void restart_lines(struct bot *bot, unsigned number)
{
    struct leg *leg = &bot->legs[number];

    for (size_t i = 0; i < bot->needs.line_count; i++) {
        const struct line_need *need = &bot->needs.line[i];

        if (need->leg != number)
            continue;
        bot->lines[i].indicator->init(leg->line_state[i], bot->lines[i].option);
        for (size_t k = 0; k < bot->needs.lines_back; k++)
            leg->lines[i][k] = (double)NAN;
    }
}

static int init_lines(struct bot *bot, unsigned number)
{
    struct leg *leg = &bot->legs[number];
    const size_t count = bot->needs.line_count;

    leg->line_state = calloc(count + 1, sizeof *leg->line_state);
    leg->lines = calloc(count + 1, sizeof *leg->lines);
    if (!leg->line_state || !leg->lines)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct line_need *need = &bot->needs.line[i];
        const struct line *line = &bot->lines[i];

        if (need->leg != number)
            continue;
        leg->line_state[i] = malloc(line->indicator->init(NULL, line->option));
        leg->lines[i] = calloc(bot->needs.lines_back, sizeof(double));
        if (!leg->line_state[i] || !leg->lines[i])
            return -ENOMEM;
    }
    restart_lines(bot, number);
    return 0;
}

static int init_leg(struct bot *bot, unsigned number)
{
    struct leg *leg = &bot->legs[number];

    leg->tick = flt_dec_to_double(leg->instrument->tick);
    leg->lot = flt_dec_to_double(leg->instrument->lot);
    wake_reset(&leg->wake, ~0u);
    leg->running.ts_ms = -1;
    if (bot->needs.bar_ms == 0)
        return 0;
    leg->bar_keep = bot->needs.bars > 0 ? bot->needs.bars : 1;
    leg->bars = calloc(leg->bar_keep * 2, sizeof *leg->bars);
    return leg->bars ? init_lines(bot, number) : -ENOMEM;
}

static int find_line(const struct line_need *need, struct line *line)
{
    struct flt_error error = { 0 };

    line->indicator = indicator_find(need->indicator);
    if (!line->indicator || need->output >= line->indicator->output_count)
        return FLT_FAIL(-EINVAL, "indicator=%s output=%u", need->indicator, need->output);
    line->option[0] = (double)need->period;
    memcpy(line->option + 1, need->option, sizeof need->option);
    if (indicator_options_check(line->indicator, line->option, &error) != 0)
        return FLT_FAIL(-EINVAL, "indicator=%s why=\"%s\"", need->indicator, error.message);
    return 0;
}

int view_init(struct bot *bot)
{
    const size_t orders = bot->wants.slot_cap;

    for (size_t i = 0; i < bot->needs.line_count; i++) {
        const int err = find_line(&bot->needs.line[i], &bot->lines[i]);

        if (err)
            return err;
    }
    if (bot->needs.lines_back < 1)
        bot->needs.lines_back = 1;
    bot->order_view_cap = orders;
    bot->views = calloc(bot->leg_count, sizeof *bot->views);
    bot->order_views = calloc(orders, sizeof *bot->order_views);
    bot->line_views = calloc(bot->leg_count * (bot->needs.line_count + 1), sizeof *bot->line_views);
    if (!bot->views || !bot->order_views || !bot->line_views)
        return -ENOMEM;
    for (unsigned i = 0; i < bot->leg_count; i++) {
        const int err = init_leg(bot, i);

        if (err)
            return err;
    }
    bot->orders_stale = true;
    return 0;
}

void view_finish(struct bot *bot)
{
    for (size_t i = 0; bot->legs && i < bot->leg_count; i++) {
        struct leg *leg = &bot->legs[i];

        for (size_t k = 0; k < bot->needs.line_count; k++) {
            if (leg->line_state)
                free(leg->line_state[k]);
            if (leg->lines)
                free(leg->lines[k]);
        }
        free(leg->line_state);
        free(leg->lines);
        free(leg->bars);
    }
    free(bot->views);
    free(bot->order_views);
    free(bot->line_views);
}

static void keep_bar(struct leg *leg, const struct bar *bar)
{
    if (leg->bar_count == leg->bar_keep) {
        leg->bar_at++;
        leg->bar_count--;
    }
    if (leg->bar_at + leg->bar_count == leg->bar_keep * 2) {
        memmove(leg->bars, leg->bars + leg->bar_at, leg->bar_count * sizeof *leg->bars);
        leg->bar_at = 0;
    }
    leg->bars[leg->bar_at + leg->bar_count++] = *bar;
}

void view_close_bar(struct bot *bot, unsigned number, const struct bar *bar)
{
    struct leg *leg = &bot->legs[number];
    double values[INDICATOR_OUTPUTS_MAX];

    keep_bar(leg, bar);
    for (size_t i = 0; i < bot->needs.line_count; i++) {
        const struct line_need *need = &bot->needs.line[i];
        double *line = leg->lines[i];

        if (need->leg != number)
            continue;
        memmove(line + 1, line, (bot->needs.lines_back - 1) * sizeof *line);
        bot->lines[i].indicator->update(leg->line_state[i], bar, leg->tick, values);
        line[0] = values[need->output];
    }
}

void bot_on_history(struct bot *bot, unsigned number, const struct bar *bars, size_t count)
{
    if (number >= bot->leg_count || bot->needs.bar_ms == 0)
        return;
    if (bot_input(bot))
        tape_put(bot,
                 &(struct tape_frame){
                     .kind = TAPE_HISTORY, .n = { number }, .bars = bars, .bar_count = count });
    struct leg *leg = &bot->legs[number];
    const int64_t now_ms = bot_wall_ms(bot);

    leg->bar_at = leg->bar_count = 0;
    leg->running.ts_ms = -1;
    restart_lines(bot, number);
    for (size_t i = 0; i < count; i++) {
        if (bars[i].ts_ms + bot->needs.bar_ms <= now_ms)
            view_close_bar(bot, number, &bars[i]);
        else
            leg->running = bars[i];
    }
}

static bool line_wakes(const struct line_wake *wake, double *const *lines, size_t lines_back)
{
    const double *a = lines[wake->a], *b = lines[wake->b];

    if (wake->test == LINE_ABOVE)
        return a[0] > wake->level;
    if (wake->test == LINE_BELOW)
        return a[0] < wake->level;
    return lines_back < 2 || line_order(a[0], b[0]) != line_order(a[1], b[1]);
}

bool view_wakes_at_close(const struct bot *bot, const struct leg *leg, int64_t close_ticks,
                         int64_t ts_ms)
{
    const struct wake *wake = &leg->wake;
    bool wakes = (wake->kinds & (1u << EVENT_BAR_CLOSED)) || close_ticks <= wake->low_ticks ||
                 close_ticks >= wake->high_ticks || ts_ms >= wake->until_ms;

    for (unsigned i = 0; !wakes && i < wake->line_count; i++)
        wakes = line_wakes(&wake->line[i], leg->lines, bot->needs.lines_back);
    return wakes;
}

static void close_running(struct bot *bot, unsigned number)
{
    struct leg *leg = &bot->legs[number];
    const struct bar bar = leg->running;
    const struct event event = { .kind = EVENT_BAR_CLOSED,
                                 .leg = number,
                                 .ts_ms = bar.ts_ms + bot->needs.bar_ms,
                                 .price_ticks = bar.close_ticks };

    leg->running.ts_ms = -1;
    view_close_bar(bot, number, &bar);
    if (view_wakes_at_close(bot, leg, bar.close_ticks, event.ts_ms))
        bot_call(bot, &event);
}

/* Bars of the stream into one of the strategy's timeframe, which closes when its time is over: at
 * its last part, or, after a gap, at the first part of the next. */
static void merge_bar(struct bot *bot, unsigned number, const struct bar *bar, int64_t bar_ms)
{
    struct leg *leg = &bot->legs[number];
    const int64_t start = bar->ts_ms - bar->ts_ms % bot->needs.bar_ms;

    if (leg->bar_count > 0 && start <= leg->bars[leg->bar_at + leg->bar_count - 1].ts_ms)
        return; /* history had it already */
    if (leg->running.ts_ms >= 0 && leg->running.ts_ms < start)
        close_running(bot, number);
    if (leg->running.ts_ms < 0) {
        leg->running = *bar;
        leg->running.ts_ms = start;
    } else {
        if (bar->high_ticks > leg->running.high_ticks)
            leg->running.high_ticks = bar->high_ticks;
        if (bar->low_ticks < leg->running.low_ticks)
            leg->running.low_ticks = bar->low_ticks;
        leg->running.close_ticks = bar->close_ticks;
        leg->running.volume += bar->volume;
    }
    if (bar->ts_ms + bar_ms >= start + bot->needs.bar_ms)
        close_running(bot, number);
}

void bot_on_bar(struct bot *bot, unsigned number, const struct bar *bar, int64_t bar_ms,
                bool closed, int64_t received_ns)
{
    if (number >= bot->leg_count)
        return;
    if (bot_input(bot))
        tape_put(bot, &(struct tape_frame){ .kind = TAPE_BAR,
                                            .n = { number, bar_ms, closed, received_ns },
                                            .bars = bar,
                                            .bar_count = 1 });
    struct leg *leg = &bot->legs[number];

    bot->counters.events++;
    leg->last_ticks = bar->close_ticks;
    leg->price_ns = received_ns;
    if (!closed || bar_ms <= 0 || bot->needs.bar_ms < bar_ms || !leg->bars)
        return;
    merge_bar(bot, number, bar, bar_ms);
    bot_pump(bot);
}

static void refresh_orders(struct bot *bot)
{
    size_t used = 0;

    for (size_t leg = 0; leg < bot->leg_count; leg++) {
        bot->views[leg].orders = bot->order_views + used;
        const size_t first = used;
        for (uint32_t i = 0; i < bot->wants.slot_count && used < bot->order_view_cap; i++) {
            const struct slot *slot = &bot->wants.slots[i];

            if (!slot->used || slot->leg != leg || slot->live.state == ORDER_BAD)
                continue;
            bot->order_views[used++] =
                (struct order_view){ slot->key, slot->live.side, slot->live.price_ticks,
                                     slot->live.qty_lots, slot->live.booked_lots };
        }
        bot->views[leg].order_count = used - first;
    }
    bot->orders_stale = false;
}

/* Budget left, in 1e-8 quote. */
static int64_t free_quote(struct flt_amt budget, struct flt_amt cash)
{
    const struct flt_amt left = flt_amt_add(budget, cash);

    if (flt_amt_sign(budget) == 0)
        return INT64_MAX;
    return flt_amt_ok(left) ? (int64_t)(left.units / 10000000000) : 0;
}

/* Divisions of 128 bits, made again only when the books changed. */
static const struct shown *show_money(const struct bot *bot, struct leg *leg)
{
    const struct ledger *ledger = &leg->ledger;
    struct shown *shown = &leg->shown;

    if (shown->known && shown->cash.units == ledger->cash.units &&
        shown->cost.units == ledger->cost.units && shown->budget.units == bot->budget.units)
        return shown;
    const struct flt_amt cash = flt_amt_add(ledger->cash, bot->outside_cash);

    *shown = (struct shown){ ledger->cash,
                             ledger->cost,
                             bot->budget,
                             flt_amt_sign(bot->budget) == 0
                                 ? (double)NAN
                                 : flt_amt_to_double(flt_amt_add(bot->budget, cash)),
                             flt_amt_to_double(ledger->cost),
                             free_quote(bot->budget, cash),
                             true };
    return shown;
}

void view_refresh(struct bot *bot, struct view *out)
{
    const int64_t now_ns = bot_mono_ns(bot);

    if (bot->orders_stale && bot->needs.orders)
        refresh_orders(bot);
    for (unsigned i = 0; i < bot->leg_count; i++) {
        struct leg *leg = &bot->legs[i];
        const struct shown *shown = show_money(bot, leg);
        struct leg_view *view = &bot->views[i];
        const double **lines = bot->line_views + i * (bot->needs.line_count + 1);

        if (leg->seek)
            columns_show(bot, i);
        for (size_t k = 0; leg->lines && k < bot->needs.line_count; k++)
            lines[k] = leg->lines[k];
        view->bars = leg->bars ? leg->bars + leg->bar_at : NULL;
        view->bar_count = leg->bar_count;
        view->lines = lines;
        view->position_lots = leg->position_lots;
        view->position_cost = shown->cost_value;
        view->quote = leg->quote;
        view->last_ticks = view_mark(leg);
        view->quote_age_ms = leg->price_ns ? (now_ns - leg->price_ns) / 1000000 : -1;
        view->instrument = leg->instrument;
        view->tick = leg->tick;
        view->lot = leg->lot;
        view->free_quote_units = shown->free_units;
        view->cash = shown->cash_value;
    }
    *out = (struct view){ 0, bot->views, bot->leg_count };
}
