/* Dollar-cost averaging in rounds: a buy every `interval`, safety orders below the first buy, and
 * one resting sell of everything at the average price plus `take_profit_pct`, net of fees. When
 * that has sold, a new round begins. After a pause at most one buy is made up for. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "strategies/sizing.h"

#define SAFETY_MAX 50
#define SLIP_BPS 20.0
#define AGAIN_MS 3000 /* a buy that the price ran away from is priced again */

enum { KEY_TAKE_PROFIT = 1, KEY_SAFETY = 0x100, KEY_BUY = 0x10000 }; /* + number */

struct dca_params {
    struct flt_dec amount, budget;
    int64_t interval, max_orders, safety_orders;
    double take_profit_pct, safety_step_pct, safety_step_scale, safety_volume_scale;
};

struct dca_state {
    int64_t next_ms; /* of the next interval buy; 0: at once */
    int64_t buying;  /* number of the buy that is out; 0: none */
    int64_t buy_lots;
    int64_t priced_ms;
    int64_t serial;      /* buys ever, so that each has its own key */
    int64_t orders;      /* interval buys of this round */
    int64_t first_ticks; /* price of the round's first buy; 0: none yet */
    int64_t rounds;
    bool safety_done[SAFETY_MAX];
};

#define PARAM(f, t) .name = #f, .type = t, .offset = offsetof(struct dca_params, f)
static const struct field params[] = {
    { PARAM(amount, FIELD_DEC), .min = "0", .unit = "quote", .help = "Money for each buy.",
      .hot = true },
    { PARAM(interval, FIELD_DURATION), .def = "1h", .min = "1s", .max = "30d", .unit = "ms",
      .help = "Time between buys.", .hot = true },
    { PARAM(take_profit_pct, FIELD_DOUBLE), .def = "5", .min = "0.01", .max = "1000", .step = "0.1",
      .unit = "%", .help = "Sell everything so far above the average price, fees paid.",
      .hot = true },
    { PARAM(max_orders, FIELD_INT), .def = "0", .min = "0", .max = "100000", .step = "1",
      .unit = "", .help = "Interval buys in a round at most; 0: no limit.", .hot = true },
    { PARAM(budget, FIELD_DEC), .def = "0", .min = "0", .unit = "quote",
      .help = "Money in use at most; 0: no limit.", .hot = true },
    { PARAM(safety_orders, FIELD_INT), .def = "0", .min = "0", .max = "50", .step = "1", .unit = "",
      .help = "Resting buys below the first buy of a round." },
    { PARAM(safety_step_pct, FIELD_DOUBLE), .def = "1", .min = "0.01", .max = "50", .step = "0.1",
      .unit = "%", .help = "How far below the first buy the first safety order rests." },
    { PARAM(safety_step_scale, FIELD_DOUBLE), .def = "1", .min = "0.1", .max = "10", .step = "0.1",
      .unit = "", .help = "Each further step is so many times the one before." },
    { PARAM(safety_volume_scale, FIELD_DOUBLE), .def = "1", .min = "0.1", .max = "10",
      .step = "0.1", .unit = "", .help = "Each safety order is so many times the one before." },
    FIELD_END,
};
#undef PARAM

#define STATE(f) .name = #f, .offset = offsetof(struct dca_state, f)
static const struct field state_fields[] = {
    { STATE(next_ms), .type = FIELD_INT },
    { STATE(buying), .type = FIELD_INT },
    { STATE(buy_lots), .type = FIELD_INT },
    { STATE(priced_ms), .type = FIELD_INT },
    { STATE(serial), .type = FIELD_INT },
    { STATE(orders), .type = FIELD_INT },
    { STATE(first_ticks), .type = FIELD_INT },
    { STATE(rounds), .type = FIELD_INT },
    { STATE(safety_done), .type = FIELD_BOOL, .count = SAFETY_MAX },
    FIELD_END,
};
#undef STATE

static size_t dca_state_size(const void *params_)
{
    (void)params_;
    return sizeof(struct dca_state);
}

/* How far below the first buy safety order `i` rests, in percent. */
static double safety_depth(const struct dca_params *p, int64_t i)
{
    double depth = 0, step = p->safety_step_pct;

    for (int64_t k = 0; k <= i; k++, step *= p->safety_step_scale)
        depth += step;
    return depth;
}

static int dca_check(const void *params_, const struct instrument *const *instruments, size_t count,
                     struct flt_error *error)
{
    const struct dca_params *p = params_;
    const double fees = 100 * 2 * flt_dec_to_double(instruments[0]->fee_taker);

    if (count != 1)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "legs", "", "it trades one instrument");
    if (p->safety_orders > 0 && safety_depth(p, p->safety_orders - 1) >= 100)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "safety_orders",
                             "use fewer, or smaller steps",
                             "the last safety order would rest %.1f%% below the first buy",
                             safety_depth(p, p->safety_orders - 1));
    if (p->take_profit_pct <= fees)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "take_profit_pct", "raise it",
                             "a profit of %g%% does not cover two fees (%g%%)", p->take_profit_pct,
                             fees);
    return sizing_check_amount(p->amount, instruments[0], error);
}

static int dca_declare(const void *params_, struct needs *needs)
{
    const struct dca_params *p = params_;

    *needs = (struct needs){ .legs = 1,
                             .feeds = 1, /* FEED_QUOTE */
                             .orders_max = (size_t)p->safety_orders + 2,
                             .timer = true };
    return 0;
}

/* --- the three kinds of orders
 * ------------------------------------------------------------------------- */

static void want_buy(struct dca_state *s, const struct leg_view *leg, int64_t now_ms,
                     struct wants *wants)
{
    const int64_t price = sizing_buy_now(leg, SLIP_BPS);

    if (s->buying == 0 || price <= 0)
        return;
    wants_limit(wants, 0, (uint32_t)(KEY_BUY + s->buying), SIDE_BUY, price, s->buy_lots, 0);
    s->priced_ms = now_ms;
}

/* average price * (1 + profit), and the fee of selling, rounded up to a tick. */
static void want_take_profit(const struct dca_params *p, const struct leg_view *leg,
                             struct wants *wants)
{
    const double fee = fmax(flt_dec_to_double(leg->instrument->fee_maker), 0);
    const double qty = (double)leg->position_lots * leg->lot;

    wants_drop(wants, KEY_TAKE_PROFIT);
    if (leg->position_lots <= 0)
        return;
    const double price = leg->position_cost / qty * (1 + p->take_profit_pct / 100) / (1 - fee);
    wants_limit(wants, 0, KEY_TAKE_PROFIT, SIDE_SELL, (int64_t)ceil(price / leg->tick - 1e-9),
                leg->position_lots, 0);
}

static void want_safety(const struct dca_state *s, const struct dca_params *p,
                        const struct leg_view *leg, struct wants *wants)
{
    double quote = flt_dec_to_double(p->amount);

    for (int64_t i = 0; i < p->safety_orders && s->first_ticks > 0; i++) {
        const double at = (double)s->first_ticks * (1 - safety_depth(p, i) / 100);
        const int64_t price = (int64_t)floor(at + 1e-9);

        quote *= p->safety_volume_scale;
        if (!s->safety_done[i] && price > 0)
            wants_limit(wants, 0, (uint32_t)(KEY_SAFETY + i), SIDE_BUY, price,
                        sizing_lots(leg, quote, price), WANT_POST_ONLY);
    }
}

/* --- rounds
 * ------------------------------------------------------------------------------------------------
 */

static void end_round(struct dca_state *s, const struct dca_params *p, int64_t now_ms,
                      struct wants *wants)
{
    for (int64_t i = 0; i < p->safety_orders; i++)
        wants_drop(wants, (uint32_t)(KEY_SAFETY + i));
    wants_drop(wants, KEY_TAKE_PROFIT);
    memset(s->safety_done, 0, sizeof s->safety_done);
    s->rounds++;
    s->orders = 0;
    s->first_ticks = 0;
    s->next_ms = now_ms + p->interval;
}

static void on_fill(struct dca_state *s, const struct dca_params *p, const struct event *event,
                    const struct leg_view *leg, struct wants *wants)
{
    if (event->side == SIDE_SELL) {
        if (!sizing_ok(leg, leg->position_lots, event->price_ticks))
            end_round(s, p, event->ts_ms, wants);
        return;
    }
    if (s->first_ticks == 0)
        s->first_ticks = event->price_ticks;
    if (event->key >= KEY_BUY && event->key - KEY_BUY == s->buying && event->done) {
        wants_drop(wants, event->key);
        s->buying = 0;
    } else if (event->key >= KEY_SAFETY && event->key < KEY_SAFETY + SAFETY_MAX && event->done) {
        s->safety_done[event->key - KEY_SAFETY] = true;
        wants_drop(wants, event->key);
    }
    want_safety(s, p, leg, wants);
    want_take_profit(p, leg, wants);
}

static bool may_buy(const struct dca_state *s, const struct dca_params *p,
                    const struct leg_view *leg, int64_t now_ms)
{
    const double amount = flt_dec_to_double(p->amount);

    return s->buying == 0 && now_ms >= s->next_ms && leg->last_ticks > 0 &&
           (p->max_orders == 0 || s->orders < p->max_orders) &&
           (leg->free_quote_units == INT64_MAX || (double)leg->free_quote_units / 1e8 >= amount);
}

static void begin_buy(struct dca_state *s, const struct dca_params *p, const struct leg_view *leg,
                      int64_t now_ms, struct wants *wants)
{
    s->buy_lots = sizing_lots(leg, flt_dec_to_double(p->amount), sizing_buy_now(leg, 0));
    s->next_ms = now_ms + p->interval;
    if (s->buy_lots <= 0)
        return;
    s->buying = ++s->serial;
    s->orders++;
    want_buy(s, leg, now_ms, wants);
}

static void dca_on_event(void *state_, const void *params_, const struct event *event,
                         const struct view *view, struct wants *wants)
{
    struct dca_state *s = state_;
    const struct dca_params *p = params_;
    const struct leg_view *leg = &view->leg[0];

    if (event->kind == EVENT_FILL) {
        on_fill(s, p, event, leg, wants);
    } else if (event->kind == EVENT_START) {
        wants_begin(wants);
        want_buy(s, leg, event->ts_ms, wants);
        want_safety(s, p, leg, wants);
        want_take_profit(p, leg, wants);
    } else if (may_buy(s, p, leg, event->ts_ms)) {
        begin_buy(s, p, leg, event->ts_ms, wants);
    } else if (s->buying != 0 && event->ts_ms >= s->priced_ms + AGAIN_MS) {
        want_buy(s, leg, event->ts_ms, wants);
    }
    wants_note(wants, "round %" PRId64 ", %" PRId64 " buys", s->rounds + 1, s->orders);
    const int64_t until = s->buying != 0 ? s->priced_ms + AGAIN_MS : s->next_ms;
    wants_wake(wants, 0, INT64_MIN, INT64_MAX, until, leg->last_ticks > 0 ? 0 : 1u << EVENT_QUOTE);
}

static const char *dca_key_name(const void *params_, uint32_t key, char *out, size_t size)
{
    (void)params_;
    if (key == KEY_TAKE_PROFIT)
        return "take profit";
    if (key >= KEY_BUY)
        (void)snprintf(out, size, "buy %" PRIu32, key - KEY_BUY);
    else
        (void)snprintf(out, size, "safety order %" PRIu32, key - KEY_SAFETY + 1);
    return out;
}

const struct strategy_ops strategy_dca = {
    .name = "dca",
    .help = "Buys a fixed amount regularly and sells all of it at a profit.",
    .params = params,
    .params_size = sizeof(struct dca_params),
    .state = state_fields,
    .state_size = dca_state_size,
    .check = dca_check,
    .declare = dca_declare,
    .on_event = dca_on_event,
    .key_name = dca_key_name,
};
