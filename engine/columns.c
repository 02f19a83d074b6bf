/* A backtest's bars as columns: what the strategy sees of them, and which it wants to be called at.
 * Nothing here looks beyond the bar it was told of: lines are made in the order of time, and a scan
 * for the next wake tells the host only when, never the strategy what. */
#define FLT_MOD "columns"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "engine/bot_columns.h"
#include "engine/core.h"

#define HUGE_PAGE ((size_t)2 << 20)

/* A column of doubles; a long one asks for huge pages, as five hundred times the page faults cost
 * more than the indicator. */
static double *new_column(size_t count)
{
    const size_t size = (count * sizeof(double) + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;

    if (size <= HUGE_PAGE)
        return malloc(count * sizeof(double));
    double *column = aligned_alloc(HUGE_PAGE, size);
    if (column)
        (void)madvise(column, size, MADV_HUGEPAGE); /* a kernel without them: no harm */
    return column;
}

/* One line over all bars, by the indicator's batch form; outputs that nobody asked for are dropped.
 */
static int run_line(struct bot *bot, unsigned number, size_t line)
{
    struct leg *leg = &bot->legs[number];
    const struct line *row = &bot->lines[line];
    const size_t wanted = bot->needs.line[line].output;
    double *out[INDICATOR_OUTPUTS_MAX] = { NULL };
    int err = 0;

    for (size_t k = 0; k < row->indicator->output_count; k++) {
        out[k] = new_column(leg->column_count + 1);
        if (!out[k])
            err = -ENOMEM;
    }
    if (!err) {
        (void)row->indicator->init(leg->line_state[line], row->option);
        row->indicator->run(leg->line_state[line], leg->columns, leg->column_count, leg->tick, out);
        leg->ahead[line] = out[wanted];
        out[wanted] = NULL;
    }
    for (size_t k = 0; k < row->indicator->output_count; k++)
        free(out[k]);
    return err;
}

int bot_use_columns(struct bot *bot, unsigned number, const struct indicator_columns *columns,
                    size_t count, int64_t bar_ms)
{
    struct leg *leg = &bot->legs[number];
    int err = 0;

    leg->columns = columns;
    leg->column_count = count;
    leg->column_ms = bar_ms;
    leg->ahead = calloc(bot->needs.line_count + 1, sizeof *leg->ahead);
    if (!leg->ahead)
        return -ENOMEM;
    for (size_t i = 0; !err && leg->lines && i < bot->needs.line_count; i++)
        if (bot->needs.line[i].leg == number)
            err = run_line(bot, number, i);
    return err;
}

void columns_finish(struct bot *bot)
{
    for (size_t i = 0; i < bot->leg_count; i++) {
        for (size_t k = 0; bot->legs[i].ahead && k < bot->needs.line_count; k++)
            free(bot->legs[i].ahead[k]);
        free(bot->legs[i].ahead);
    }
}

static struct bar bar_at(const struct indicator_columns *columns, size_t i)
{
    return (struct bar){
        .ts_ms = columns->ts_ms[i],
        .open_ticks = columns->open_ticks[i],
        .high_ticks = columns->high_ticks[i],
        .low_ticks = columns->low_ticks[i],
        .close_ticks = columns->close_ticks[i],
        .volume = columns->volume ? columns->volume[i] : 0,
    };
}

void columns_show(struct bot *bot, unsigned number)
{
    struct leg *leg = &bot->legs[number];
    const size_t at = leg->at;

    leg->seek = false;
    if (!leg->bars)
        return;
    leg->bar_at = 0;
    leg->bar_count = leg->bar_keep < at + 1 ? leg->bar_keep : at + 1;
    for (size_t i = 0; i < leg->bar_count; i++)
        leg->bars[i] = bar_at(leg->columns, at + 1 - leg->bar_count + i);
    for (size_t k = 0; k < bot->needs.line_count; k++)
        for (size_t back = 0; leg->ahead[k] && back < bot->needs.lines_back; back++)
            leg->lines[k][back] = back <= at ? leg->ahead[k][at - back] : (double)NAN;
}

/* What a strategy of quotes sees of a bar: bid and ask at its close. */
static struct quote quote_at(const struct leg *leg, size_t bar)
{
    const int64_t close = leg->columns->close_ticks[bar];

    return (struct quote){ leg->columns->ts_ms[bar] + leg->column_ms, close, close, 0, 0 };
}

void bot_seek(struct bot *bot, unsigned number, size_t bar)
{
    struct leg *leg = &bot->legs[number];

    (void)bot_input(bot);
    leg->at = bar;
    leg->seek = true;
    leg->last_ticks = leg->columns->close_ticks[bar];
    leg->price_ns = bot_mono_ns(bot);
    if (!leg->bars)
        leg->quote = quote_at(leg, bar);
}

void bot_set_price(struct bot *bot, unsigned number, int64_t price_ticks)
{
    struct leg *leg = &bot->legs[number];

    (void)bot_input(bot);
    leg->last_ticks = price_ticks;
    leg->price_ns = bot_mono_ns(bot);
}

void bot_set_outside_cash(struct bot *bot, struct flt_amt cash)
{
    bot->outside_cash = cash;
    for (size_t i = 0; i < bot->leg_count; i++)
        bot->legs[i].shown.known = false;
}

static void close_column(struct bot *bot, unsigned number)
{
    struct leg *leg = &bot->legs[number];
    const int64_t close = leg->columns->close_ticks[leg->at];
    const struct event event = { .kind = EVENT_BAR_CLOSED,
                                 .leg = number,
                                 .ts_ms = leg->columns->ts_ms[leg->at] + leg->column_ms,
                                 .price_ticks = close };

    columns_show(bot, number);
    if (view_wakes_at_close(bot, leg, close, event.ts_ms))
        bot_call(bot, &event);
}

void bot_on_column(struct bot *bot, unsigned number, size_t bar)
{
    struct leg *leg = &bot->legs[number];

    bot_seek(bot, number, bar);
    if (!bot->strategy_started)
        bot_pump(bot); /* it starts with the first price */
    if (!leg->bars) {
        const struct quote quote = quote_at(leg, bar);

        bot_on_quote(bot, number, &quote, leg->price_ns);
        return;
    }
    bot->counters.events++;
    close_column(bot, number);
    bot_pump(bot);
}

/* --- the next wake
 * --------------------------------------------------------------------------------- */

static size_t scan_above(const double *line, double level, size_t from, size_t to)
{
    while (from < to && !(line[from] > level))
        from++;
    return from;
}

static size_t scan_below(const double *line, double level, size_t from, size_t to)
{
    while (from < to && !(line[from] < level))
        from++;
    return from;
}

static size_t scan_cross(const double *a, const double *b, size_t from, size_t to)
{
    if (from >= to || from == 0)
        return from;
    int before = line_order(a[from - 1], b[from - 1]);

    for (; from < to; from++) {
        const int now = line_order(a[from], b[from]);

        if (now != before)
            return from;
        before = now;
    }
    return to;
}

static size_t scan_line(const struct leg *leg, const struct line_wake *wake, size_t from, size_t to)
{
    const double *a = leg->ahead[wake->a], *b = leg->ahead[wake->b];

    switch (wake->test) {
    case LINE_ABOVE:
        return scan_above(a, wake->level, from, to);
    case LINE_BELOW:
        return scan_below(a, wake->level, from, to);
    case LINE_CROSS:
        return scan_cross(a, b, from, to);
    }
    return from;
}

static size_t scan_close(const struct leg *leg, const struct wake *wake, size_t from, size_t to)
{
    const int64_t *close = leg->columns->close_ticks;

    if (wake->low_ticks == INT64_MIN && wake->high_ticks == INT64_MAX)
        return to;
    while (from < to && close[from] > wake->low_ticks && close[from] < wake->high_ticks)
        from++;
    return from;
}

static size_t scan_time(const struct leg *leg, const struct wake *wake, size_t from, size_t to)
{
    if (wake->until_ms == INT64_MAX)
        return to;
    while (from < to && leg->columns->ts_ms[from] + leg->column_ms < wake->until_ms)
        from++;
    return from;
}

size_t bot_next_wake(const struct bot *bot, unsigned number, size_t from, size_t to)
{
    const struct leg *leg = &bot->legs[number];
    const struct wake *wake = &leg->wake;
    const unsigned kind = leg->bars ? EVENT_BAR_CLOSED : EVENT_QUOTE;

    if (!bot->strategy_started || (wake->kinds & (1u << kind)))
        return from;
    to = scan_close(leg, wake, from, to);
    to = scan_time(leg, wake, from, to);
    for (unsigned i = 0; leg->bars && i < wake->line_count; i++)
        to = scan_line(leg, &wake->line[i], from, to);
    return to;
}

/* Something is wanted that did not go out, or an order's state is to be asked for. */
static bool slot_waits(const struct bot *bot, const struct slot *slot)
{
    if (!slot->used)
        return false;
    if (slot->live.state != ORDER_BAD)
        return slot->live.check_ms != 0;
    if (slot->kind == WANT_NONE || slot->retry_ms <= 0 || slot->retry_ms == INT64_MAX)
        return false;
    return slot->kind == WANT_LIMIT ? slot->filled_lots < slot->qty_lots
                                    : slot->qty_lots != bot->legs[slot->leg].position_lots;
}

bool bot_waits_for_time(const struct bot *bot)
{
    const struct risk_limits *limits = &bot->risk.limits;
    bool waits = limits->max_daily_loss.coef != 0 || limits->max_drawdown_pct > 0 ||
                 limits->price_stop_low.coef != 0 || limits->price_stop_high.coef != 0 ||
                 limits->time_stop_ms != 0;

    for (size_t i = 0; !waits && i < bot->leg_count; i++)
        waits = bot->needs.timer && (bot->legs[i].wake.kinds & (1u << EVENT_TIMER));
    for (uint32_t i = 0; !waits && i < bot->wants.slot_count; i++)
        waits = slot_waits(bot, &bot->wants.slots[i]);
    return waits;
}
