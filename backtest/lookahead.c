#define FLT_MOD "lookahead"
#include "backtest/lookahead.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRICES = 4 };

struct other { /* the same past with another future */
    struct data data;
    int64_t *prices[PRICES];
    int64_t *trade, *bid, *ask; /* of the tape */
};

static void other_free(struct other *other)
{
    for (size_t i = 0; i < PRICES; i++)
        free(other->prices[i]);
    free(other->trade);
    free(other->bid);
    free(other->ask);
}

static int64_t *copy_of(const int64_t *from, size_t count)
{
    int64_t *copy = malloc((count + 1) * sizeof *copy);

    if (copy && count > 0)
        memcpy(copy, from, count * sizeof *copy);
    return copy;
}

static int other_make(const struct data *data, struct other *out)
{
    const int64_t *const from[PRICES] = { data->columns.open_ticks, data->columns.high_ticks,
                                          data->columns.low_ticks, data->columns.close_ticks };

    memset(out, 0, sizeof *out);
    out->data = *data;
    for (size_t i = 0; i < PRICES; i++)
        out->prices[i] = copy_of(from[i], data->count);
    out->trade = copy_of(data->trades.price_ticks, data->trades.count);
    out->bid = copy_of(data->quotes.bid_ticks, data->quotes.count);
    out->ask = copy_of(data->quotes.ask_ticks, data->quotes.count);
    if (!out->prices[0] || !out->prices[1] || !out->prices[2] || !out->prices[3] || !out->trade ||
        !out->bid || !out->ask) {
        other_free(out);
        return -ENOMEM;
    }
    out->data.trades.price_ticks = out->trade;
    out->data.quotes.bid_ticks = out->bid;
    out->data.quotes.ask_ticks = out->ask;
    out->data.columns.open_ticks = out->prices[0];
    out->data.columns.high_ticks = out->prices[1];
    out->data.columns.low_ticks = out->prices[2];
    out->data.columns.close_ticks = out->prices[3];
    return 0;
}

static int64_t mirrored(int64_t pivot, int64_t price)
{
    const int64_t other = pivot - 3 * (price - pivot);

    return other < 1 ? 1 : other;
}

/* From `bar` on the market goes the other way, three times as far (a price stays above zero): what
 * rose falls. */
static void perturb(struct other *other, size_t bar)
{
    const int64_t pivot = other->prices[3][bar - 1];

    for (size_t i = bar; i < other->data.count; i++) {
        int64_t v[PRICES];

        for (size_t k = 0; k < PRICES; k++) {
            v[k] = mirrored(pivot, other->prices[k][i]);
        }
        other->prices[0][i] = v[0];
        other->prices[1][i] = v[2]; /* a mirrored low is the high */
        other->prices[2][i] = v[1];
        other->prices[3][i] = v[3];
    }
}

/* The tape as well; what was the bid becomes the ask. */
static void perturb_tape(struct other *other, size_t bar)
{
    const struct data *data = &other->data;
    const int64_t pivot = other->prices[3][bar - 1];
    const int64_t from_ms = data->columns.ts_ms[bar - 1] + data->bar_ms;

    for (size_t i = 0; i < data->trades.count; i++)
        if (data->trades.ts_ms[i] >= from_ms)
            other->trade[i] = mirrored(pivot, other->trade[i]);
    for (size_t i = 0; i < data->quotes.count; i++)
        if (data->quotes.ts_ms[i] >= from_ms) {
            const int64_t bid = other->bid[i];

            other->bid[i] = mirrored(pivot, other->ask[i]);
            other->ask[i] = mirrored(pivot, bid);
        }
}

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

/* Fills before `bar`, and, when both were stopped there, the orders that were left. */
static void compare(const struct run_result *whole, const struct run_result *other, size_t bar,
                    const char *how, struct lookahead *out)
{
    const size_t a = fills_until(whole, bar), b = fills_until(other, bar);
    const size_t common = a < b ? a : b;
    size_t at = 0;

    while (at < common && same_fill(&whole->fills[at], &other->fills[at]))
        at++;
    out->decisions += common;
    out->runs++;
    if (out->found || (at == a && at == b))
        return;
    out->found = true;
    out->bar = bar;
    (void)snprintf(out->what, sizeof out->what,
                   "with the future %s from bar %zu on, fill %zu of the past is another one", how,
                   bar, at);
}

/* Both runs end before `bar`: then the orders that rest are decisions of the past as well. */
static void compare_orders(const struct run_result *a, const struct run_result *b, size_t bar,
                           struct lookahead *out)
{
    size_t at = 0;

    while (at < a->order_count && at < b->order_count && same_order(&a->orders[at], &b->orders[at]))
        at++;
    out->decisions += at;
    if (out->found || (at == a->order_count && at == b->order_count))
        return;
    out->found = true;
    out->bar = bar;
    (void)snprintf(out->what, sizeof out->what,
                   "with another future from bar %zu on, order %zu placed before it is another one",
                   bar, at);
}

static int run_over(const struct run_config *config, const struct data *data, size_t until,
                    struct run_result *out, struct flt_error *error)
{
    struct run_config other = *config;

    other.data = data;
    other.until = until;
    return run_backtest(&other, out, error);
}

/* The past up to `bar` against: nothing after it, and a mirrored market after it. The mirrored one
 * is stopped at `bar` for its orders too, with all its bars in the columns. */
static int check_point(const struct run_config *config, const struct run_result *whole, size_t bar,
                       struct lookahead *out, struct flt_error *error)
{
    struct run_result cut = { 0 }, mirrored = { 0 }, stopped = { 0 };
    struct data shorter = *config->data;
    struct other other;
    int err = other_make(config->data, &other);

    if (err)
        return err;
    shorter.count = bar;
    perturb(&other, bar);
    perturb_tape(&other, bar);
    err = run_over(config, &shorter, 0, &cut, error);
    if (!err)
        err = run_over(config, &other.data, 0, &mirrored, error);
    if (!err)
        err = run_over(config, &other.data, bar, &stopped, error);
    if (!err) {
        compare(whole, &cut, bar, "cut off", out);
        compare(whole, &mirrored, bar, "mirrored", out);
        compare_orders(&cut, &stopped, bar, out);
        out->points++;
    }
    run_free(&cut);
    run_free(&mirrored);
    run_free(&stopped);
    other_free(&other);
    return err;
}

int lookahead_check(const struct run_config *config, size_t points, struct lookahead *out,
                    struct flt_error *error)
{
    struct run_result whole = { 0 };
    const size_t count = config->data->count;
    int err = run_over(config, config->data, 0, &whole, error);

    memset(out, 0, sizeof *out);
    for (size_t i = 1; i <= points && !err; i++) {
        size_t bar = count * i / (points + 1);

        if (i % 2 == 0 && whole.fill_count > 0) /* where something happened */
            bar = whole.fills[(whole.fill_count - 1) * i / points].bar;
        if (bar >= 2 && bar < count)
            err = check_point(config, &whole, bar, out, error);
    }
    run_free(&whole);
    return err;
}
