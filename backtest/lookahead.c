#define FLT_MOD "lookahead"
#include "backtest/lookahead.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column { OPEN, HIGH, LOW, CLOSE, TRADE, TRADE_QTY, BID, BID_QTY, ASK, ASK_QTY, COLUMNS };

struct other { /* the same past with another future */
    struct data data;
    int64_t *at[COLUMNS];
    double *volume;
};

struct world { /* all instruments, as they were and with another future, at one instant */
    const struct portfolio_config *config;
    struct portfolio_result whole;
    struct other *others;    /* one an instrument */
    struct data *cut;        /* their data, cut off */
    struct run_config *runs; /* what is about to run */
    size_t *bars;            /* of each: the first row that the instant does not know */
};

/* --- another future
 * ------------------------------------------------------------------------------------------ */

static void other_free(struct other *other)
{
    for (size_t i = 0; i < COLUMNS; i++)
        free(other->at[i]);
    free(other->volume);
    memset(other, 0, sizeof *other);
}

static void *copy_of(const void *from, size_t count)
{
    char *copy = malloc((count + 1) * sizeof(int64_t));

    if (copy && from && count > 0)
        memcpy(copy, from, count * sizeof(int64_t));
    return copy;
}

static int other_make(const struct data *data, struct other *out)
{
    const struct indicator_columns *bars = &data->columns;
    const struct tape_trades *trades = &data->trades;
    const struct tape_quotes *quotes = &data->quotes;
    const struct {
        const int64_t *from;
        size_t count;
    } from[COLUMNS] = {
        { bars->open_ticks, data->count },      { bars->high_ticks, data->count },
        { bars->low_ticks, data->count },       { bars->close_ticks, data->count },
        { trades->price_ticks, trades->count }, { trades->qty_lots, trades->count },
        { quotes->bid_ticks, quotes->count },   { quotes->bid_lots, quotes->count },
        { quotes->ask_ticks, quotes->count },   { quotes->ask_lots, quotes->count },
    };
    bool whole = true;

    memset(out, 0, sizeof *out);
    out->data = *data;
    for (size_t i = 0; i < COLUMNS; i++) {
        out->at[i] = copy_of(from[i].from, from[i].count);
        whole = whole && out->at[i];
    }
    out->volume = bars->volume ? copy_of(bars->volume, data->count) : NULL;
    out->data.columns.open_ticks = out->at[OPEN];
    out->data.columns.high_ticks = out->at[HIGH];
    out->data.columns.low_ticks = out->at[LOW];
    out->data.columns.close_ticks = out->at[CLOSE];
    out->data.columns.volume = out->volume;
    out->data.trades.price_ticks = out->at[TRADE];
    out->data.trades.qty_lots = out->at[TRADE_QTY];
    out->data.quotes.bid_ticks = out->at[BID];
    out->data.quotes.bid_lots = out->at[BID_QTY];
    out->data.quotes.ask_ticks = out->at[ASK];
    out->data.quotes.ask_lots = out->at[ASK_QTY];
    return whole && (out->volume || !bars->volume) ? 0 : -ENOMEM;
}

static int64_t mirrored(int64_t pivot, int64_t price)
{
    const int64_t other = pivot - 3 * (price - pivot);

    return other < 1 ? 1 : other;
}

/* From `bar` on the market goes the other way, three times as far (a price stays above zero), and
 * three times as much is traded: what rose falls. */
static void perturb(struct other *other, size_t bar)
{
    const int64_t pivot = other->at[CLOSE][bar - 1];

    for (size_t i = bar; i < other->data.count; i++) {
        const int64_t low = mirrored(pivot, other->at[LOW][i]);

        other->at[OPEN][i] = mirrored(pivot, other->at[OPEN][i]);
        other->at[LOW][i] = mirrored(pivot, other->at[HIGH][i]);
        other->at[HIGH][i] = low; /* a mirrored low is the high */
        other->at[CLOSE][i] = mirrored(pivot, other->at[CLOSE][i]);
        if (other->volume)
            other->volume[i] = 3 * other->volume[i] + 1;
    }
}

/* The tape as well; what was the bid becomes the ask. */
static void perturb_tape(struct other *other, size_t bar)
{
    const struct data *data = &other->data;
    const int64_t pivot = other->at[CLOSE][bar - 1];
    const int64_t from_ms = data->columns.ts_ms[bar - 1] + data->bar_ms;

    for (size_t i = 0; i < data->trades.count; i++)
        if (data->trades.ts_ms[i] >= from_ms) {
            other->at[TRADE][i] = mirrored(pivot, other->at[TRADE][i]);
            other->at[TRADE_QTY][i] = other->at[TRADE_QTY][i] * 2 + 1;
        }
    for (size_t i = 0; i < data->quotes.count; i++)
        if (data->quotes.ts_ms[i] >= from_ms) {
            const int64_t bid = other->at[BID][i], bid_lots = other->at[BID_QTY][i];

            other->at[BID][i] = mirrored(pivot, other->at[ASK][i]);
            other->at[ASK][i] = mirrored(pivot, bid);
            other->at[BID_QTY][i] = other->at[ASK_QTY][i] * 2 + 1;
            other->at[ASK_QTY][i] = bid_lots * 2 + 1;
        }
}

/* --- comparing
 * ------------------------------------------------------------------------------------------ */

static bool same_fill(const struct run_fill *a, const struct run_fill *b)
{
    return a->bar == b->bar && a->side == b->side && a->price_ticks == b->price_ticks &&
           a->qty_lots == b->qty_lots && flt_amt_cmp(a->cash, b->cash) == 0;
}

static size_t fills_until(const struct run_result *result, size_t bar)
{
    size_t count = 0;

    while (count < result->fill_count && result->fills[count].bar < bar)
        count++;
    return count;
}

static bool same_order(const struct book_order *a, const struct book_order *b)
{
    return a->side == b->side && a->type == b->type && a->price_ticks == b->price_ticks &&
           a->qty_lots == b->qty_lots && a->bar == b->bar;
}

static void found(const struct run_result *run, bool several, const char *how, size_t bar,
                  const char *what, size_t at, struct lookahead *out)
{
    if (out->found)
        return;
    out->found = true;
    out->bar = bar;
    (void)snprintf(out->what, sizeof out->what,
                   "with the future %s from bar %zu on, %s %zu of the past%s%s is another one", how,
                   bar, what, at, several ? " of " : "", several ? run->instrument.name : "");
}

/* Fills before the instant. */
static void compare(const struct world *world, const struct portfolio_result *other,
                    const char *how, struct lookahead *out)
{
    for (size_t k = 0; k < other->count; k++) {
        const struct run_result *mine = &world->whole.runs[k], *theirs = &other->runs[k];
        const size_t a = fills_until(mine, world->bars[k]), b = fills_until(theirs, world->bars[k]);
        const size_t common = a < b ? a : b;
        size_t at = 0;

        while (at < common && same_fill(&mine->fills[at], &theirs->fills[at]))
            at++;
        out->decisions += common;
        if (at < a || at < b)
            found(mine, other->count > 1, how, world->bars[k], "fill", at, out);
    }
    out->runs++;
}

/* Both runs end at the instant: then the orders that rest are decisions of the past as well. */
static void compare_orders(const struct world *world, const struct portfolio_result *a,
                           const struct portfolio_result *b, struct lookahead *out)
{
    for (size_t k = 0; k < a->count; k++) {
        const struct run_result *mine = &a->runs[k], *theirs = &b->runs[k];
        size_t at = 0;

        while (at < mine->order_count && at < theirs->order_count &&
               same_order(&mine->orders[at], &theirs->orders[at]))
            at++;
        out->decisions += at;
        if (at < mine->order_count || at < theirs->order_count)
            found(mine, a->count > 1, "mirrored", world->bars[k], "order", at, out);
    }
}

/* --- running
 * -------------------------------------------------------------------------------------------- */

/* One instrument by the loop of one, several on their clock. */
static int run_world(const struct world *world, struct portfolio_result *out,
                     struct flt_error *error)
{
    struct portfolio_config config = *world->config;

    config.runs = world->runs;
    if (config.count > 1)
        return portfolio_run(&config, out, error);
    *out = (struct portfolio_result){ .count = 1, .cash = config.cash };
    out->runs = calloc(1, sizeof *out->runs);
    const int err = out->runs ? run_backtest(&config.runs[0], out->runs, error) : -ENOMEM;
    if (err)
        portfolio_free(out);
    return err;
}

/* At the close of `bar` - 1 of that instrument: what each of the others knows then. Of one that has
 * not begun, one row: it is not seen before its close, so it does no harm. */
static void set_instant(struct world *world, size_t leg, size_t bar)
{
    const struct data *own = world->config->runs[leg].data;
    const int64_t now_ms = own->columns.ts_ms[bar - 1] + own->bar_ms;

    for (size_t k = 0; k < world->config->count; k++) {
        const struct data *data = world->config->runs[k].data;
        size_t known = 1;

        while (known < data->count && data->columns.ts_ms[known] + data->bar_ms <= now_ms)
            known++;
        world->bars[k] = known;
    }
}

static int make_futures(struct world *world)
{
    int err = 0;

    for (size_t k = 0; !err && k < world->config->count; k++) {
        const struct data *data = world->config->runs[k].data;

        other_free(&world->others[k]);
        err = other_make(data, &world->others[k]);
        if (err)
            return err;
        perturb(&world->others[k], world->bars[k]);
        perturb_tape(&world->others[k], world->bars[k]);
        world->cut[k] = *data;
        world->cut[k].count = world->bars[k];
    }
    return err;
}

static void use(struct world *world, bool cut, bool until)
{
    for (size_t k = 0; k < world->config->count; k++) {
        world->runs[k] = world->config->runs[k];
        world->runs[k].data = cut ? &world->cut[k] : &world->others[k].data;
        world->runs[k].until = until ? world->bars[k] : 0;
    }
}

/* The past against: nothing after it, and a mirrored market after it. The mirrored one is stopped
 * at the instant for its orders too, with all its bars in the columns. */
static int check_point(struct world *world, struct lookahead *out, struct flt_error *error)
{
    struct portfolio_result cut = { 0 }, other = { 0 }, stopped = { 0 };
    int err = make_futures(world);

    if (err)
        return err;
    use(world, true, false);
    err = run_world(world, &cut, error);
    use(world, false, false);
    if (!err)
        err = run_world(world, &other, error);
    use(world, false, true);
    if (!err)
        err = run_world(world, &stopped, error);
    if (!err) {
        compare(world, &cut, "cut off", out);
        compare(world, &other, "mirrored", out);
        compare_orders(world, &cut, &stopped, out);
        out->points++;
    }
    portfolio_free(&cut);
    portfolio_free(&other);
    portfolio_free(&stopped);
    return err;
}

/* Points are spread over the data and, every other one, over the fills; of several instruments each
 * in turn says where. */
static int check_points(struct world *world, size_t points, struct lookahead *out,
                        struct flt_error *error)
{
    int err = 0;

    for (size_t i = 1; i <= points && !err; i++) {
        const size_t leg = (i - 1) / 2 % world->config->count;
        const struct run_result *whole = &world->whole.runs[leg];
        const size_t count = world->config->runs[leg].data->count;
        size_t bar = count * i / (points + 1);

        if (i % 2 == 0 && whole->fill_count > 0) /* where something happened */
            bar = whole->fills[(whole->fill_count - 1) * i / points].bar;
        if (bar < 2 || bar >= count)
            continue;
        set_instant(world, leg, bar);
        err = check_point(world, out, error);
    }
    return err;
}

int lookahead_check_all(const struct portfolio_config *config, size_t points, struct lookahead *out,
                        struct flt_error *error)
{
    const size_t n = config->count;
    struct world world = { .config = config,
                           .others = calloc(n, sizeof *world.others),
                           .cut = calloc(n, sizeof *world.cut),
                           .runs = calloc(n, sizeof *world.runs),
                           .bars = calloc(n, sizeof *world.bars) };
    int err = world.others && world.cut && world.runs && world.bars ? 0 : -ENOMEM;

    memset(out, 0, sizeof *out);
    for (size_t k = 0; !err && k < n; k++)
        world.runs[k] = config->runs[k];
    if (!err)
        err = run_world(&world, &world.whole, error);
    if (!err)
        err = check_points(&world, points, out, error);
    for (size_t k = 0; world.others && k < n; k++)
        other_free(&world.others[k]);
    portfolio_free(&world.whole);
    free(world.others);
    free(world.cut);
    free(world.runs);
    free(world.bars);
    return err;
}

int lookahead_check(const struct run_config *config, size_t points, struct lookahead *out,
                    struct flt_error *error)
{
    const struct portfolio_config one = { .runs = config, .count = 1, .cash = config->cash };

    return lookahead_check_all(&one, points, out, error);
}
