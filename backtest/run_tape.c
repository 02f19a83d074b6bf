/* Orders against recorded trades and quotes, one event after the other, within one row's time.
 *
 * An order works from its arrival (placed + latency) on, and so does a cancel; of things at one
 * millisecond an arrival comes first, then trades, then quotes. What rests fills at its own price
 * and never better: when a trade prints beyond it, up to the trade's quantity; at its price, after
 * the queue ahead of it has traded; in the model `book` also when the other side's best price is at
 * or beyond it, up to the size shown. Nothing shown is taken twice while its price stands. */
#define FLT_MOD "run"
#include "backtest/run_impl.h"

struct tape_event {
    int64_t ts_ms;
    int64_t price_ticks, lots; /* of a trade */
    int64_t left;              /* lots that our resting orders may still have of it */
    bool sold;
};

static bool by_quotes(const struct run *run)
{
    return run->config->fill->tape == TAPE_QUOTES;
}

static bool is_working(const struct book_order *order)
{
    return !order->gone && order->works;
}

static bool is_taker(const struct book_order *order)
{
    return order->type == ORDER_MARKET || order->tif != TIF_GTC;
}

static bool within(const struct book_order *order, int64_t price)
{
    if (order->type == ORDER_MARKET)
        return true;
    return order->side == SIDE_BUY ? price <= order->price_ticks : price >= order->price_ticks;
}

/* The limit is better for the market than this price. */
static bool beyond(const struct book_order *order, int64_t price)
{
    return order->side == SIDE_BUY ? order->price_ticks > price : order->price_ticks < price;
}

/* The working resting order that is first in line at or beyond `price`: by price, then time;
 * `count`: none. `strict`: beyond it only. */
static size_t first_in_line(const struct run *run, enum side side, int64_t price, bool strict,
                            size_t count)
{
    size_t best = count;

    for (size_t i = 0; i < count; i++) {
        const struct book_order *order = &run->book.orders[i];

        if (!is_working(order) || is_taker(order) || order->side != side ||
            !(strict ? beyond(order, price) : within(order, price)))
            continue;
        if (best == count || beyond(order, run->book.orders[best].price_ticks))
            best = i;
    }
    return best;
}

static int64_t slipped(const struct run *run, const struct book_order *order, int64_t price)
{
    const int64_t worse = run_slip(run, order->side, price);

    return within(order, worse) ? worse : order->price_ticks;
}

/* --- quotes
 * ------------------------------------------------------------------------------------------ */

/* The side that an order of `side` would take from, as it stands; its price, 0: nothing there. */
static int64_t shown(const struct run *run, enum side side, int64_t *lots)
{
    const struct tape_quotes *quotes = &run->config->data->quotes;

    *lots = 0;
    if (run->tape.quote == 0)
        return 0;
    const size_t at = run->tape.quote - 1;
    *lots = side == SIDE_BUY ? quotes->ask_lots[at] : quotes->bid_lots[at];
    return side == SIDE_BUY ? quotes->ask_ticks[at] : quotes->bid_ticks[at];
}

/* What is left of it for us. */
static int64_t left_of(const struct run *run, enum side side, int64_t lots)
{
    const int64_t share = run_share(run, lots);
    const int64_t taken = side == SIDE_BUY ? run->tape.ask_taken : run->tape.bid_taken;

    return (share < lots ? share : lots) - taken;
}

/* Takes what the other side shows: `liquidity` says at whose price. */
static void meet_quote(struct run *run, size_t i, enum liquidity liquidity, int64_t ts_ms)
{
    const struct book_order *order = &run->book.orders[i];
    const bool buy = order->side == SIDE_BUY;
    int64_t size;
    const int64_t price = shown(run, order->side, &size);
    const int64_t left = left_of(run, order->side, size);
    const int64_t lots = book_rest(order) < left ? book_rest(order) : left;

    if (price <= 0 || lots <= 0 || !within(order, price))
        return;
    *(buy ? &run->tape.ask_taken : &run->tape.bid_taken) += lots;
    run_set_clock(run, ts_ms);
    run_fill(run, i, lots,
             liquidity == LIQUIDITY_TAKER ? slipped(run, order, price) : order->price_ticks,
             liquidity, ts_ms);
    if (is_taker(&run->book.orders[i]) && !run->book.orders[i].gone)
        run_end(run, i, ORDER_STATUS_EXPIRED); /* it took what was shown */
}

/* Quotes say how much stands at our price: nobody is ahead in a longer queue than that. */
static void see_queue(const struct run *run, struct book_order *order)
{
    const enum side other = side_opposite(order->side);
    int64_t lots;
    const int64_t own = shown(run, other, &lots); /* the best of our own side */

    if (own <= 0)
        return;
    if (beyond(order, own))
        order->queue_lots = 0;
    else if (order->price_ticks == own && (order->queue_lots < 0 || order->queue_lots > lots))
        order->queue_lots = lots;
}

static void on_quote(struct run *run, size_t count)
{
    const struct tape_quotes *quotes = &run->config->data->quotes;
    const size_t at = run->tape.quote++;

    if (at == 0 || quotes->bid_ticks[at] != quotes->bid_ticks[at - 1])
        run->tape.bid_taken = 0;
    if (at == 0 || quotes->ask_ticks[at] != quotes->ask_ticks[at - 1])
        run->tape.ask_taken = 0;
    for (size_t i = 0; i < count; i++) {
        struct book_order *order = &run->book.orders[i];

        if (is_working(order) && !is_taker(order))
            see_queue(run, order);
        else if (is_working(order) && by_quotes(run))
            meet_quote(run, i, LIQUIDITY_TAKER, quotes->ts_ms[at]);
    }
    for (int side = SIDE_BUY; by_quotes(run) && side <= SIDE_SELL; side++) {
        int64_t lots;
        const int64_t price = shown(run, (enum side)side, &lots);
        size_t i;

        while (price > 0 && left_of(run, (enum side)side, lots) > 0 && !run->err &&
               (i = first_in_line(run, (enum side)side, price, false, count)) < count)
            meet_quote(run, i, LIQUIDITY_MAKER, quotes->ts_ms[at]);
    }
}

/* --- trades
 * ------------------------------------------------------------------------------------------ */

static void take_trade(struct run *run, size_t i, const struct tape_event *event)
{
    const struct book_order order = run->book.orders[i];
    const int64_t share = run_share(run, event->lots);
    const int64_t lots = book_rest(&order) < share ? book_rest(&order) : share;

    run_set_clock(run, event->ts_ms);
    if (lots > 0 && within(&order, event->price_ticks))
        run_fill(run, i, lots, slipped(run, &order, event->price_ticks), LIQUIDITY_TAKER,
                 event->ts_ms);
    if ((order.type != ORDER_MARKET || lots > 0) && !run->book.orders[i].gone)
        run_end(run, i, ORDER_STATUS_EXPIRED); /* the engine asks for the rest anew */
}

static void fill_rest(struct run *run, size_t i, int64_t most, struct tape_event *event)
{
    struct book_order *order = &run->book.orders[i];
    int64_t lots = book_rest(order) < most ? book_rest(order) : most;

    if (lots > event->left)
        lots = event->left;
    if (lots <= 0)
        return;
    event->left -= lots;
    run_set_clock(run, event->ts_ms);
    run_fill(run, i, lots, order->price_ticks, LIQUIDITY_MAKER, event->ts_ms);
}

/* It printed beyond our price: all that stood there is gone. */
static void trade_through(struct run *run, enum side side, struct tape_event *event, size_t count)
{
    size_t i;

    for (size_t k = 0; k < count; k++)
        if (is_working(&run->book.orders[k]) && run->book.orders[k].side == side &&
            beyond(&run->book.orders[k], event->price_ticks))
            run->book.orders[k].queue_lots = 0;
    while (event->left > 0 && !run->err &&
           (i = first_in_line(run, side, event->price_ticks, true, count)) < count)
        fill_rest(run, i, INT64_MAX, event);
}

/* It printed at our price: the queue first, which is the same for all of ours behind it. */
static void trade_at(struct run *run, struct tape_event *event, size_t count)
{
    const enum side side = event->sold ? SIDE_BUY : SIDE_SELL;
    int64_t served = 0, ours = 0;

    for (size_t i = 0; i < count && !run->err; i++) {
        struct book_order *order = &run->book.orders[i];

        if (!is_working(order) || is_taker(order) || order->side != side ||
            order->price_ticks != event->price_ticks || order->queue_lots < 0)
            continue;
        int64_t ahead = order->queue_lots > served ? order->queue_lots - served : 0;

        if (ahead > event->lots - served - ours)
            ahead = event->lots - served - ours;
        served += ahead;
        order->queue_lots = order->queue_lots > served ? order->queue_lots - served : 0;
        const int64_t before = event->left;

        if (order->queue_lots == 0)
            fill_rest(run, i, event->lots - served - ours, event);
        ours += before - event->left;
    }
}

static void on_trade(struct run *run, size_t count)
{
    const struct tape_trades *trades = &run->config->data->trades;
    const size_t at = run->tape.trade++;
    struct tape_event event = { trades->ts_ms[at], trades->price_ticks[at], trades->qty_lots[at], 0,
                                trades->sold[at] };
    const int64_t share = run_share(run, event.lots);

    if (!run->book.taking && event.price_ticks > run->book.buy_ticks &&
        event.price_ticks < run->book.sell_ticks)
        return;
    event.left = share < event.lots ? share : event.lots;
    for (size_t i = 0; i < count && !by_quotes(run) && !run->err; i++)
        if (is_working(&run->book.orders[i]) && is_taker(&run->book.orders[i]))
            take_trade(run, i, &event);
    trade_through(run, SIDE_BUY, &event, count);
    trade_through(run, SIDE_SELL, &event, count);
    trade_at(run, &event, count);
}

/* --- arrivals
 * ------------------------------------------------------------------------------------------ */

static int64_t due_ms(const struct book_order *order)
{
    if (order->gone)
        return INT64_MAX;
    return !order->works ? order->active_ms : order->cancel_ms ? order->cancel_ms : INT64_MAX;
}

/* The order to which something happens next by the clock; `count`: none. */
static size_t next_due(const struct run *run)
{
    const size_t count = run->book.count;
    size_t best = count;

    for (size_t i = 0; i < count; i++)
        if (due_ms(&run->book.orders[i]) <
            (best == count ? INT64_MAX : due_ms(&run->book.orders[best])))
            best = i;
    return best;
}

static void arrive(struct run *run, size_t i)
{
    struct book_order *order = &run->book.orders[i];
    const int64_t ts_ms = due_ms(order);
    int64_t lots;

    run_set_clock(run, ts_ms);
    run->book.stale = true;
    if (order->works) {
        run_end(run, i, ORDER_STATUS_CANCELLED);
        return;
    }
    order->works = true;
    order->queue_lots = run->config->costs.own_queue ? run->config->costs.queue_lots : -1;
    see_queue(run, order);
    if (!by_quotes(run))
        return;
    const int64_t price = shown(run, order->side, &lots);
    const bool crosses = price > 0 && within(order, price);
    const bool now_or_never = order->type != ORDER_MARKET && order->tif != TIF_GTC;

    if (order->post_only && crosses) {
        run_end(run, i, ORDER_STATUS_REJECTED);
        return;
    }
    if (crosses)
        meet_quote(run, i, LIQUIDITY_TAKER, ts_ms);
    if (now_or_never && !run->book.orders[i].gone)
        run_end(run, i, ORDER_STATUS_EXPIRED);
}

/* The first of `ts_ms` at or after `ms`, from `at` on. */
static size_t lower_bound(const int64_t *ts_ms, size_t at, size_t count, int64_t ms)
{
    while (at < count) {
        const size_t mid = at + (count - at) / 2;

        if (ts_ms[mid] < ms)
            at = mid + 1;
        else
            count = mid;
    }
    return at;
}

/* To quote number `to` without a look at those between, but whether a price moved of which we have
 * taken: what was taken is gone as long as it stands. */
static void skip_quotes(struct run *run, size_t to)
{
    const struct tape_quotes *quotes = &run->config->data->quotes;

    for (size_t at = run->tape.quote; at < to && run->tape.bid_taken > 0; at++)
        if (at == 0 || quotes->bid_ticks[at] != quotes->bid_ticks[at - 1])
            run->tape.bid_taken = 0;
    for (size_t at = run->tape.quote; at < to && run->tape.ask_taken > 0; at++)
        if (at == 0 || quotes->ask_ticks[at] != quotes->ask_ticks[at - 1])
            run->tape.ask_taken = 0;
    run->tape.quote = to;
}

/* Nothing works yet: the tape up to the first arrival concerns nobody. */
static void skip(struct run *run)
{
    const struct data *data = run->config->data;
    const size_t due = next_due(run);

    for (size_t i = 0; i < run->book.count; i++)
        if (is_working(&run->book.orders[i]))
            return;
    if (due == run->book.count)
        return;
    const int64_t ms = due_ms(&run->book.orders[due]);

    run->tape.trade = lower_bound(data->trades.ts_ms, run->tape.trade, data->trades.count, ms);
    skip_quotes(run, lower_bound(data->quotes.ts_ms, run->tape.quote, data->quotes.count, ms));
}

void run_match_tape(struct run *run)
{
    const struct data *data = run->config->data;
    const int64_t end_ms = run->columns->ts_ms[run->bar] + data->bar_ms;

    skip(run);
    run->book.stale = true;
    size_t due = run->book.count;

    while (!run->err) {
        if (run->book.stale) {
            book_refresh(&run->book);
            due = next_due(run);
        }
        const size_t count = run->book.count;
        const int64_t due_at = due < count ? due_ms(&run->book.orders[due]) : INT64_MAX;
        const int64_t trade =
            run->tape.trade < data->trades.count ? data->trades.ts_ms[run->tape.trade] : INT64_MAX;
        const int64_t quote =
            run->tape.quote < data->quotes.count ? data->quotes.ts_ms[run->tape.quote] : INT64_MAX;

        if (!run->book.any || (due_at >= end_ms && trade >= end_ms && quote >= end_ms))
            return;
        if (due_at <= trade && due_at <= quote)
            arrive(run, due);
        else if (trade <= quote)
            on_trade(run, count);
        else
            on_quote(run, count);
    }
}
