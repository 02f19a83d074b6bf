#define FLT_MOD "order"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/ledger.h"
#include "exchanges/sim/sim.h"
#include "exchanges/sim/user_data.h"

/* --- the tables ----------------------------------------------------------------------------------
 */

static size_t bucket_of(const struct sim *sim, const struct sim_account *account, const char *id)
{
    uint64_t hash = 1469598103934665603u + account->index;

    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 1099511628211u;
    return (size_t)(hash ^ (hash >> 32)) & (sim->bucket_count - 1);
}

static void put_in_bucket(struct sim *sim, struct sim_order *order)
{
    struct sim_order **bucket = &sim->buckets[bucket_of(sim, order->account, order->client_id)];

    order->same_bucket = *bucket;
    *bucket = order;
}

static void grow_buckets(struct sim *sim)
{
    const size_t count = sim->bucket_count ? sim->bucket_count * 4 : 4096;
    struct sim_order **buckets = calloc(count, sizeof(struct sim_order *));

    assert(buckets);
    free(sim->buckets);
    sim->buckets = buckets;
    sim->bucket_count = count;
    for (size_t i = 0; i < sim->order_count; i++)
        put_in_bucket(sim, sim->orders[i]);
}

void sim_order_add(struct sim *sim, struct sim_order *order)
{
    if (sim->order_count == sim->order_capacity) {
        sim->order_capacity = sim->order_capacity ? sim->order_capacity * 2 : 1024;
        sim->orders = realloc(sim->orders, sim->order_capacity * sizeof(struct sim_order *));
        assert(sim->orders);
    }
    if (sim->order_count >= sim->bucket_count)
        grow_buckets(sim);
    sim->orders[sim->order_count++] = order;
    order->order_id = (int64_t)sim->order_count;
    put_in_bucket(sim, order);
}

void sim_order_open(struct sim_order *order)
{
    struct sim_account *account = order->account;

    order->open_prev = NULL;
    order->open_next = account->open_first;
    if (account->open_first)
        account->open_first->open_prev = order;
    account->open_first = order;
    account->open_count++;
}

static void leave_open(struct sim_order *order)
{
    if (order->open_prev)
        order->open_prev->open_next = order->open_next;
    else
        order->account->open_first = order->open_next;
    if (order->open_next)
        order->open_next->open_prev = order->open_prev;
    order->account->open_count--;
}

bool sim_order_is_open(const struct sim_order *order)
{
    return order->status <= SIM_PARTIALLY_FILLED;
}

struct sim_order *sim_order_find(const struct sim *sim, const struct sim_account *account,
                                 const struct sim_market *market, int64_t order_id,
                                 const char *client_id)
{
    if (order_id > 0) {
        struct sim_order *order =
            (uint64_t)order_id <= sim->order_count ? sim->orders[order_id - 1] : NULL;
        const bool same = order && order->account == account && order->market == market;

        return same && (!client_id || strcmp(order->client_id, client_id) == 0) ? order : NULL;
    }
    if (!client_id || !sim->bucket_count)
        return NULL;
    for (struct sim_order *order = sim->buckets[bucket_of(sim, account, client_id)]; order;
         order = order->same_bucket)
        if (order->account == account && order->market == market &&
            strcmp(order->client_id, client_id) == 0)
            return order;
    return NULL;
}

/* --- what the match tells ------------------------------------------------------------------------
 */

static struct flt_amt lock_after(const struct sim_order *order, struct flt_amt paid)
{
    const struct sim_market *market = order->market;
    const struct fee_rule *rule = &market->sim->options.fees;
    const int64_t rest = order->qty_lots - order->filled_lots;
    const char *asset;

    if (order->type == SIM_MARKET)
        return flt_amt_sub(order->lock, paid); /* what is left of it goes back at the end */
    return funds_needed(&market->instrument, rule, order->side, sim_qty_amt(market, rest),
                        sim_cost_amt(market, (flt_i128)order->price_ticks * rest), &asset);
}

static void keep_fill(struct sim *sim, const struct sim_fill *fill)
{
    if (sim->fill_count == sim->fill_capacity) {
        sim->fill_capacity = sim->fill_capacity ? sim->fill_capacity * 2 : 1024;
        sim->fills = realloc(sim->fills, sim->fill_capacity * sizeof *sim->fills);
        assert(sim->fills);
    }
    sim->fills[sim->fill_count++] = *fill;
    sim_ledger_fill(sim->ledger, sim, sim->fill_count - 1);
}

static void settle(struct sim_order *order, struct sim_fill *fill, flt_i128 cost)
{
    const struct sim_market *market = order->market;
    struct funds_fill money = { .instrument = &market->instrument,
                                .side = order->side,
                                .qty = sim_qty_amt(market, fill->qty_lots),
                                .cost = sim_cost_amt(market, cost) };
    const struct fee_rule *rule = &market->sim->options.fees;

    fill->fee = funds_fee(rule, order->side, fill->maker ? LIQUIDITY_MAKER : LIQUIDITY_TAKER,
                          money.qty, money.cost, &fill->fee_in_base);
    money.fee = fill->fee;
    money.fee_in_base = fill->fee_in_base;
    const bool buys = order->side == SIDE_BUY;
    struct flt_amt paid = buys ? money.cost : money.qty;

    if (buys != fill->fee_in_base)
        paid = flt_amt_add(paid, buys ? fill->fee : FLT_AMT_ZERO);
    const int err =
        funds_settle(order->account->funds, &money, &order->lock, lock_after(order, paid));

    assert(err == 0);
    sim_ledger_balances(market->sim->ledger, order->account);
}

/* Whether a trade was the last one of an order by quote amount is known at its end only, and then
 * the trade's event has to say FILLED; so each waits for the next. */
static void tell_held(struct sim_order *order)
{
    const struct sim *sim = order->market->sim;
    const size_t held = order->held;

    order->held = 0;
    if (held)
        sim_user_order(order, "TRADE", &sim->fills[held - 1]);
}

static void on_fill(void *ctx, const struct match_fill *match_fill)
{
    struct sim_market *market = ctx;
    struct sim *sim = market->sim;
    struct sim_order *order = match_fill->order->req.user;
    const bool maker = match_fill->liquidity == LIQUIDITY_MAKER;
    const flt_i128 cost = (flt_i128)match_fill->price_ticks * match_fill->qty_lots;
    struct sim_fill fill = { .order_id = order->order_id,
                             .ts_ms = sim_now(sim),
                             .price_ticks = match_fill->price_ticks,
                             .qty_lots = match_fill->qty_lots,
                             .maker = maker };

    /* The two sides of one trade share its id: the taker's side comes first and publishes it. */
    fill.trade_id =
        maker && match_fill->other
            ? market->trade_count
            : sim_market_publish_trade(market, fill.price_ticks, fill.qty_lots,
                                       maker ? side_opposite(order->side) : order->side);
    tell_held(order);
    order->filled_lots = match_fill->order->filled_lots;
    order->cost = match_fill->order->cost;
    order->update_ms = fill.ts_ms;
    order->status = order->qty_lots && order->filled_lots == order->qty_lots ? SIM_FILLED
                                                                             : SIM_PARTIALLY_FILLED;
    settle(order, &fill, cost);
    if (order->account->orders_10s > 0 && order->status == SIM_FILLED)
        order->account->orders_10s--; /* the venue counts unfilled orders */
    keep_fill(sim, &fill);
    sim_ledger_order(sim->ledger, order);
    order->held = sim->fill_count;
    if (order->qty_lots)
        tell_held(order);
}

static void on_ack(void *ctx, const struct match_order *match_order)
{
    (void)ctx;
    sim_user_order(match_order->req.user, "NEW", NULL);
}

static void on_done(void *ctx, const struct match_order *match_order, enum match_end end)
{
    struct sim_market *market = ctx;
    struct sim_order *order = match_order->req.user;

    order->resting = NULL;
    order->update_ms = sim_now(market->sim);
    if (end != MATCH_FILLED)
        tell_held(order);
    order->status = end == MATCH_FILLED      ? SIM_FILLED
                    : end == MATCH_CANCELLED ? SIM_CANCELED
                    : end == MATCH_EXPIRED   ? SIM_EXPIRED
                                             : SIM_EXPIRED_IN_MATCH;
    if (order->qty_lots == 0)
        order->qty_lots = order->filled_lots; /* by quote amount: known only now */
    tell_held(order);
    funds_unlock(order->account->funds,
                 order->side == SIDE_BUY ? market->instrument.quote : market->instrument.base,
                 order->lock);
    order->lock = FLT_AMT_ZERO;
    leave_open(order);
    sim_ledger_balances(market->sim->ledger, order->account);
    sim_ledger_order(market->sim->ledger, order);
    if (end != MATCH_FILLED)
        sim_user_order(order, end == MATCH_CANCELLED ? "CANCELED" : "EXPIRED", NULL);
    sim_user_balances(order);
}

const struct match_events *sim_order_events(struct sim_market *market)
{
    static _Thread_local struct match_events events;

    events = (struct match_events){ market, on_ack, on_fill, on_done };
    return &events;
}

/* --- placing ------------------------------------------------------------------------------------
 */

static void make_request(const struct sim_account *account, const struct sim_place *place,
                         struct match_request *out)
{
    static const enum match_stp stps[] = { [SIM_STP_NONE] = MATCH_STP_NONE,
                                           [SIM_STP_EXPIRE_MAKER] = MATCH_STP_EXPIRE_MAKER,
                                           [SIM_STP_EXPIRE_TAKER] = MATCH_STP_EXPIRE_TAKER,
                                           [SIM_STP_EXPIRE_BOTH] = MATCH_STP_EXPIRE_BOTH };
    const struct instrument *instrument = &place->market->instrument;

    *out = (struct match_request){ .account = (uint32_t)account->index,
                                   .side = place->side,
                                   .kind = place->type == SIM_MARKET ? MATCH_MARKET : MATCH_LIMIT,
                                   .tif = place->tif,
                                   .post_only = place->type == SIM_LIMIT_MAKER,
                                   .stp = stps[place->stp],
                                   .price_ticks = place->price_ticks,
                                   .qty_lots = place->qty_lots };
    if (flt_amt_sign(place->quote_qty) > 0) { /* quote amount -> ticks * lots, rounded down */
        const struct flt_amt unit = sim_cost_amt(place->market, 1);

        out->budget = place->quote_qty.units / unit.units;
        out->qty_lots = 0;
        if (flt_dec_ok(instrument->qty_max) && !flt_dec_is_zero(instrument->qty_max))
            out->qty_lots = 0;
    }
}

/* What it has to lock, and the matcher's form of it. */
static struct flt_amt price_it(const struct sim_account *account, const struct sim_place *place,
                               struct match_request *request, const char **asset)
{
    const struct sim_market *market = place->market;
    const struct fee_rule *rule = &market->sim->options.fees;
    struct match_preview preview = { 0, 0, MATCH_NO_PRICE };
    int64_t lots = place->qty_lots;
    flt_i128 cost = (flt_i128)place->price_ticks * lots;

    make_request(account, place, request);
    if (request->kind == MATCH_MARKET) {
        match_preview(market->match, request, &preview);
        cost = preview.cost;
        if (request->budget)
            lots = preview.lots;
    }
    return funds_needed(&market->instrument, rule, place->side, sim_qty_amt(market, lots),
                        sim_cost_amt(market, cost), asset);
}

static int refuse_funds(struct sim_error *error)
{
    return sim_fail(error, 400, -2010, "Account has insufficient balance for requested action.");
}

int sim_order_check(struct sim *sim, struct sim_account *account, const struct sim_place *place,
                    struct sim_error *error)
{
    struct match_request request;
    const char *asset;
    const struct sim_order *same = sim_order_find(sim, account, place->market, 0, place->client_id);
    const struct flt_amt need = price_it(account, place, &request, &asset);
    const struct balance *balance = funds_find(account->funds, asset);

    /* The id of an order that has ended may come again, as at the venue. */
    if (same && sim_order_is_open(same))
        return sim_fail(error, 400, -2010, "Duplicate order sent.");
    if (!flt_amt_ok(need))
        return sim_fail(error, 400, -1013, "Filter failure: LOT_SIZE");
    if (flt_amt_sign(need) > 0 && (!balance || flt_amt_cmp(balance->free, need) < 0))
        return refuse_funds(error);
    if (request.post_only) {
        const int64_t best = match_best(place->market->match, place->side);
        const bool takes =
            best != MATCH_NO_PRICE &&
            (place->side == SIDE_BUY ? place->price_ticks >= best : place->price_ticks <= best);

        if (takes)
            return sim_fail(error, 400, -2010, "Order would immediately match and take.");
    }
    return 0;
}

static struct sim_order *make_order(struct sim *sim, struct sim_account *account,
                                    const struct sim_place *place)
{
    struct sim_order *order = calloc(1, sizeof *order);

    assert(order);
    *order = (struct sim_order){ .account = account,
                                 .market = place->market,
                                 .side = place->side,
                                 .type = place->type,
                                 .tif = place->tif,
                                 .stp = place->stp,
                                 .price_ticks = place->price_ticks,
                                 .qty_lots = place->qty_lots,
                                 .quote_qty = place->quote_qty,
                                 .time_ms = sim_now(sim),
                                 .update_ms = sim_now(sim) };
    snprintf(order->client_id, sizeof order->client_id, "%s", place->client_id);
    return order;
}

int sim_order_place(struct sim *sim, struct sim_account *account, const struct sim_place *place,
                    struct sim_order **out, struct sim_error *error)
{
    struct match_request request;
    struct match_order *resting = NULL;
    const char *asset;

    if (sim_order_check(sim, account, place, error) != 0)
        return -1;
    const struct flt_amt need = price_it(account, place, &request, &asset);

    if (match_count(place->market->match, place->side) >= 4000)
        return sim_fail(error, 400, -1013, "Filter failure: MAX_NUM_ORDERS");
    if (funds_lock(account->funds, asset, need) != 0)
        return refuse_funds(error);
    struct sim_order *order = make_order(sim, account, place);

    order->lock = need;
    sim_order_add(sim, order);
    sim_order_open(order);
    request.id = (uint64_t)order->order_id;
    request.user = order;
    sim_ledger_order(sim->ledger, order);
    sim_ledger_balances(sim->ledger, account);
    const int outcome = match_place(place->market->match, order->time_ms, &request, &resting);

    assert(outcome == 0); /* everything it refuses was checked above */
    order->resting = resting;
    if (resting)
        sim_user_balances(order);
    sim_market_changed(place->market);
    *out = order;
    return 0;
}

void sim_order_cancel(struct sim *sim, struct sim_order *order, const char *cancel_id)
{
    assert(order->resting);
    snprintf(order->cancel_id, sizeof order->cancel_id, "%s", cancel_id);
    match_cancel(order->market->match, sim_now(sim), order->resting);
    sim_market_changed(order->market);
}
