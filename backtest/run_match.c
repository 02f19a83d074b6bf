/* Orders against one row of the data, by a fill model of bars. */
#define FLT_MOD "run"
#include <math.h>
#include "backtest/run_impl.h"

int64_t run_slip(const struct run *run, enum side side, int64_t price_ticks)
{
    const struct run_costs *costs = &run->config->costs;
    int64_t slip = costs->slip_ticks;

    if (costs->slip_rate.coef > 0) {
        const struct flt_dec part =
            flt_dec_mul((struct flt_dec){ price_ticks, 0 }, costs->slip_rate, FLT_ROUND_UP);

        slip += flt_dec_units(part, flt_dec_from_int(1), FLT_ROUND_UP);
    }
    if (side == SIDE_BUY)
        return price_ticks + slip;
    return price_ticks - slip > 0 ? price_ticks - slip : 1;
}

int64_t run_share(const struct run *run, int64_t lots)
{
    const int64_t ppm = run->config->costs.share_ppm;

    return ppm > 0 ? (int64_t)((flt_i128)lots * ppm / 1000000) : INT64_MAX;
}

/* The bar's volume in whole lots; what is a whole number but for the double's last digit is one. */
static int64_t volume_lots(const struct run *run)
{
    const double lots =
        run->columns->volume[run->bar] / flt_dec_to_double(run->result->instrument.lot);
    const double whole = nearbyint(lots);

    if (!(lots < 9e17))
        return INT64_MAX / 2;
    return (int64_t)(fabs(lots - whole) <= lots * 1e-15 ? whole : floor(lots));
}

/* The first bar that an order meets: what it would take there, it takes. */
static bool is_fresh(const struct run *run, const struct book_order *order)
{
    return run->bar == order->bar + 1 || run->columns->ts_ms[run->bar - 1] < order->active_ms;
}

static bool takes(const struct run *run, const struct book_order *order)
{
    const int64_t open = run->columns->open_ticks[run->bar];

    if (order->type == ORDER_MARKET || order->tif != TIF_GTC)
        return true;
    return is_fresh(run, order) &&
           (order->side == SIDE_BUY ? open <= order->price_ticks : open >= order->price_ticks);
}

static int64_t with_slippage(const struct run *run, const struct book_order *order, int64_t price)
{
    const int64_t slipped = run_slip(run, order->side, price);

    if (order->type == ORDER_MARKET)
        return slipped;
    if (order->side == SIDE_BUY)
        return slipped < order->price_ticks ? slipped : order->price_ticks;
    return slipped > order->price_ticks ? slipped : order->price_ticks;
}

/* Fills or ends the order, or leaves it to rest. */
static void match_order(struct run *run, size_t i)
{
    const struct book_order order = run->book.orders[i];
    const int64_t open_ms = run->columns->ts_ms[run->bar];
    int64_t lots = book_rest(&order);

    if (order.gone)
        return;
    if (order.cancel_ms != 0 && order.cancel_ms <= open_ms) {
        run_end(run, i, ORDER_STATUS_CANCELLED);
        return;
    }
    if (order.active_ms > open_ms)
        return;
    const int64_t price = run->config->fill->price(&order, run->columns, run->bar);

    if (lots > run->share_left)
        lots = run->share_left;
    if (price != NO_FILL && lots > 0) {
        const bool taker = takes(run, &order);

        run->share_left -= lots;
        run_fill(run, i, lots, taker ? with_slippage(run, &order, price) : price,
                 taker ? LIQUIDITY_TAKER : LIQUIDITY_MAKER, open_ms);
        if (run->book.orders[i].gone || order.tif == TIF_GTC)
            return; /* the rest of a market order ends, and the engine asks for it anew */
    } else if (order.tif == TIF_GTC || (order.type == ORDER_MARKET && price != NO_FILL)) {
        return;
    }
    run_end(run, i, ORDER_STATUS_EXPIRED);
}

/* An order that waits for its time, or for volume, is not offered to a model that sorts. */
static bool is_settled(const struct run *run, const struct book_order *order)
{
    const int64_t open_ms = run->columns->ts_ms[run->bar];

    return order->gone || order->met == run->bar ||
           (order->active_ms > open_ms && !(order->cancel_ms && order->cancel_ms <= open_ms));
}

/* The order that the model settles next of the first `count`: the nearest that fills, or one that
 * ends without a fill; `count`: none is left. */
static size_t pick(const struct run *run, size_t count)
{
    const struct fill_model *model = run->config->fill;
    int64_t nearest = INT64_MAX;
    size_t best = count;

    for (size_t i = 0; i < count; i++) {
        const struct book_order *order = &run->book.orders[i];

        if (is_settled(run, order))
            continue;
        const bool fills = model->price(order, run->columns, run->bar) != NO_FILL;
        if (!fills && order->tif == TIF_GTC && order->cancel_ms == 0)
            continue;
        const int64_t distance =
            fills ? model->distance(order, run->columns, run->bar) : INT64_MAX - 1;
        if (distance < nearest) {
            nearest = distance;
            best = i;
        }
    }
    return best;
}

/* Orders of earlier closes against this bar: in the order in which they were placed, unless the
 * model has another one. What is placed meanwhile stands behind them and works from the next bar
 * on. */
void run_match_bar(struct run *run)
{
    const struct fill_model *model = run->config->fill;
    const size_t count = run->book.count;

    run->share_left = INT64_MAX;
    if (run->config->costs.share_ppm > 0 && run->columns->volume)
        run->share_left = run_share(run, volume_lots(run));
    for (size_t i = 0; !model->distance && i < count && !run->err; i++)
        match_order(run, i);
    while (model->distance && !run->err) {
        const size_t next = pick(run, count);

        if (next == count)
            break;
        run->book.orders[next].met = run->bar;
        match_order(run, next);
    }
}
