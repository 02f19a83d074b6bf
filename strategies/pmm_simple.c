/* Pure market making: bids and asks at fixed spreads around the mid price, renewed every `refresh`
 * unless they are still within `tolerance_bps` of where they should be. Asks never offer more than
 * the bot holds. With `skew_bps` the whole ladder moves against the inventory. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "strategies/sizing.h"

#define SIDE_LEVELS_MAX 10

struct pmm_params {
    struct flt_dec amount, budget;
    double bid_spreads_bps[SIDE_LEVELS_MAX], ask_spreads_bps[SIDE_LEVELS_MAX];
    double tolerance_bps, skew_bps;
    int64_t refresh;
};

struct pmm_state {
    int64_t next_ms;
    int64_t price_ticks[2 * SIDE_LEVELS_MAX]; /* where each order was put; 0: not */
    int64_t renewals;
};

#define PARAM(f, t) .name = #f, .type = t, .offset = offsetof(struct pmm_params, f)
static const struct field params[] = {
    { PARAM(amount, FIELD_DEC), .min = "0", .unit = "quote", .help = "Money in each order.",
      .hot = true },
    { PARAM(bid_spreads_bps, FIELD_DOUBLE), .count = SIDE_LEVELS_MAX, .def = "20", .min = "0",
      .max = "5000", .step = "1", .unit = "bps", .help = "How far below the mid price bids rest.",
      .hot = true },
    { PARAM(ask_spreads_bps, FIELD_DOUBLE), .count = SIDE_LEVELS_MAX, .def = "20", .min = "0",
      .max = "5000", .step = "1", .unit = "bps", .help = "How far above the mid price asks rest.",
      .hot = true },
    { PARAM(refresh, FIELD_DURATION), .def = "15s", .min = "1s", .max = "1d", .unit = "ms",
      .help = "Time between renewals.", .hot = true },
    { PARAM(tolerance_bps, FIELD_DOUBLE), .def = "5", .min = "0", .max = "1000", .step = "1",
      .unit = "bps", .help = "An order this near to its new price stays.", .hot = true },
    { PARAM(budget, FIELD_DEC), .def = "0", .min = "0", .unit = "quote",
      .help = "Money in use at most; 0: no limit.", .hot = true },
    { PARAM(skew_bps, FIELD_DOUBLE), .def = "0", .min = "0", .max = "1000", .step = "1",
      .unit = "bps", .help = "How far a full inventory moves all prices down; needs a budget.",
      .hot = true },
    FIELD_END,
};
#undef PARAM

static const struct field state_fields[] = {
    { .name = "next_ms", .type = FIELD_INT, .offset = offsetof(struct pmm_state, next_ms) },
    { .name = "price_ticks",
      .type = FIELD_INT,
      .offset = offsetof(struct pmm_state, price_ticks),
      .count = 2 * SIDE_LEVELS_MAX },
    { .name = "renewals", .type = FIELD_INT, .offset = offsetof(struct pmm_state, renewals) },
    FIELD_END,
};

static size_t pmm_state_size(const void *params_)
{
    (void)params_;
    return sizeof(struct pmm_state);
}

static int pmm_check(const void *params_, const struct instrument *const *instruments, size_t count,
                     struct flt_error *error)
{
    const struct pmm_params *p = params_;
    const double fees = 2 * 10000 * flt_dec_to_double(instruments[0]->fee_maker);

    if (count != 1)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "legs", "", "it trades one instrument");
    if (p->bid_spreads_bps[0] + p->ask_spreads_bps[0] <= fees)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "bid_spreads_bps", "widen the spreads",
                             "a spread of %g bps does not cover two fees (%g bps)",
                             p->bid_spreads_bps[0] + p->ask_spreads_bps[0], fees);
    return sizing_check_amount(p->amount, instruments[0], error);
}

static int pmm_declare(const void *params_, struct needs *needs)
{
    (void)params_;
    *needs = (struct needs){ .legs = 1,
                             .feeds = 1, /* FEED_QUOTE */
                             .orders_max = 2 * SIDE_LEVELS_MAX,
                             .timer = true };
    return 0;
}

/* The price the ladder stands around: the mid, moved against the inventory (none held: up by half
 * the skew, all of the budget in base: down by half). */
static double center(const struct pmm_params *p, const struct leg_view *leg)
{
    const double mid = (double)sizing_mid(leg);
    const double budget = flt_dec_to_double(p->budget);
    const double held = (double)leg->position_lots * leg->lot * mid * leg->tick;

    if (budget <= 0 || p->skew_bps <= 0)
        return mid;
    return mid * (1 - (fmin(held / budget, 1) - 0.5) * p->skew_bps / 10000);
}

static bool near(int64_t old_ticks, int64_t new_ticks, double tolerance_bps)
{
    return old_ticks > 0 &&
           fabs((double)(new_ticks - old_ticks)) * 10000 <= tolerance_bps * (double)old_ticks;
}

/* Where the level rests: its old price while that is near enough to the new one. */
static int64_t level_price(struct pmm_state *s, const struct pmm_params *p, size_t level,
                           int64_t price)
{
    if (!near(s->price_ticks[level], price, p->tolerance_bps))
        s->price_ticks[level] = price;
    return s->price_ticks[level];
}

static void renew(struct pmm_state *s, const struct pmm_params *p, const struct leg_view *leg,
                  struct wants *wants)
{
    const double quote = flt_dec_to_double(p->amount), mid = center(p, leg);
    double free =
        leg->free_quote_units == INT64_MAX ? HUGE_VAL : (double)leg->free_quote_units / 1e8;
    int64_t left = leg->position_lots;

    wants_begin(wants);
    s->renewals++;
    for (size_t i = 0; i < SIDE_LEVELS_MAX; i++) {
        const size_t bid = i * 2, ask = i * 2 + 1;

        if ((i == 0 || p->bid_spreads_bps[i] > 0) && free >= quote) {
            const double at = mid * (1 - p->bid_spreads_bps[i] / 10000);
            const int64_t price = level_price(s, p, bid, (int64_t)floor(at));

            wants_limit(wants, 0, (uint32_t)bid, SIDE_BUY, price, sizing_lots(leg, quote, price),
                        WANT_POST_ONLY);
            free -= quote;
        }
        if (i == 0 || p->ask_spreads_bps[i] > 0) {
            const double at = mid * (1 + p->ask_spreads_bps[i] / 10000);
            const int64_t price = level_price(s, p, ask, (int64_t)ceil(at));
            const int64_t whole = sizing_lots(leg, quote, price);
            const int64_t lots = whole < left ? whole : left;

            if (!sizing_ok(leg, lots, price))
                continue;
            wants_limit(wants, 0, (uint32_t)ask, SIDE_SELL, price, lots, WANT_POST_ONLY);
            left -= lots;
        }
    }
}

static void pmm_on_event(void *state_, const void *params_, const struct event *event,
                         const struct view *view, struct wants *wants)
{
    struct pmm_state *s = state_;
    const struct pmm_params *p = params_;
    const struct leg_view *leg = &view->leg[0];

    if (event->kind == EVENT_FILL && event->done) {
        wants_drop(wants, event->key); /* renewed with the next refresh, not chased */
        if (event->key < 2 * SIDE_LEVELS_MAX)
            s->price_ticks[event->key] = 0;
    } else if (event->kind == EVENT_START) {
        s->next_ms = 0;
    } else if (event->ts_ms >= s->next_ms && sizing_mid(leg) > 0) {
        s->next_ms = event->ts_ms + p->refresh;
        renew(s, p, leg, wants);
    }
    wants_note(wants, "%" PRId64 " renewals", s->renewals);
    wants_wake(wants, 0, INT64_MIN, INT64_MAX, s->next_ms,
               sizing_mid(leg) > 0 ? 0 : 1u << EVENT_QUOTE);
}

static const char *pmm_key_name(const void *params_, uint32_t key, char *out, size_t size)
{
    (void)params_;
    (void)snprintf(out, size, "%s %" PRIu32, key % 2 ? "ask" : "bid", key / 2 + 1);
    return out;
}

const struct strategy_ops strategy_pmm_simple = {
    .name = "pmm_simple",
    .help = "Quotes both sides of the market around the mid price.",
    .params = params,
    .params_size = sizeof(struct pmm_params),
    .state = state_fields,
    .state_size = pmm_state_size,
    .check = pmm_check,
    .declare = pmm_declare,
    .on_event = pmm_on_event,
    .key_name = pmm_key_name,
};
