/* A grid over a fixed range: `levels` cells between `lower` and `upper`, each of which buys at its
 * lower bound and sells what it got at its upper one, over and over, with resting post-only orders.
 *
 * Cell i: level(i) .. level(i + 1). A cell that buys has one resting buy; when that is complete it
 * sells its own quantity (net of a fee in base), and when that is sold it buys again. At the start
 * the cells above the price are filled by one purchase at the market (`initial_buy`), or wait until
 * the price has risen above them. Outside the range nothing is left to do on one side, and it
 * waits.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "strategies/sizing.h"

#define CELLS_MAX 250
#define KEY_INITIAL UINT32_C(0x10000)
#define INITIAL_SLIP_BPS 20.0
#define INITIAL_AGAIN_MS 3000 /* a purchase that the price ran away from is priced again */

enum spacing { ARITHMETIC, GEOMETRIC };
enum cell { CELL_BUYING, CELL_SELLING, CELL_FILLING }; /* filling: waits for the first purchase */

struct grid_params {
    struct flt_dec lower, upper, budget;
    int64_t levels, spacing;
    bool initial_buy;
};

struct grid_state {
    bool started;
    int64_t initial_lots; /* of the first purchase; 0: none or done */
    int64_t initial_pool; /* net lots of it that no cell has yet */
    int64_t priced_ms;
    int64_t rounds; /* bought and sold */
    int64_t cell[CELLS_MAX];
    int64_t bought_lots[CELLS_MAX]; /* of the present buy */
    int64_t held_lots[CELLS_MAX];   /* net, for this cell to sell */
    int64_t sell_lots[CELLS_MAX];   /* of the present sell, whole */
};

static const char *const spacings[] = { "arithmetic", "geometric", NULL };
static const char *const cells[] = { "buying", "selling", "filling", NULL };

#define PARAM(f, t) .name = #f, .type = t, .offset = offsetof(struct grid_params, f)
static const struct field params[] = {
    { PARAM(lower, FIELD_DEC), .min = "0", .unit = "quote", .help = "Lowest price of the range." },
    { PARAM(upper, FIELD_DEC), .min = "0", .unit = "quote", .help = "Highest price of the range." },
    { PARAM(levels, FIELD_INT), .def = "20", .min = "1", .max = "250", .step = "1", .unit = "",
      .help =
          "Cells between lower and upper; each buys at its lower bound and sells at its upper." },
    { PARAM(budget, FIELD_DEC), .min = "0", .unit = "quote",
      .help = "Money for all cells together." },
    { PARAM(spacing, FIELD_ENUM), .def = "arithmetic", .choices = spacings, .unit = "",
      .help = "Equal steps in price (arithmetic) or in percent (geometric)." },
    { PARAM(initial_buy, FIELD_BOOL), .def = "true", .unit = "",
      .help = "Buy at the start what the cells above the price will sell." },
    FIELD_END,
};
#undef PARAM

#define STATE(f, t, n) .name = #f, .type = t, .offset = offsetof(struct grid_state, f), .count = n
static const struct field state_fields[] = {
    { STATE(started, FIELD_BOOL, 1) },
    { STATE(initial_lots, FIELD_INT, 1) },
    { STATE(initial_pool, FIELD_INT, 1) },
    { STATE(priced_ms, FIELD_INT, 1) },
    { STATE(rounds, FIELD_INT, 1) },
    { STATE(cell, FIELD_ENUM, CELLS_MAX), .choices = cells },
    { STATE(bought_lots, FIELD_INT, CELLS_MAX) },
    { STATE(held_lots, FIELD_INT, CELLS_MAX) },
    { STATE(sell_lots, FIELD_INT, CELLS_MAX) },
    FIELD_END,
};
#undef STATE

static size_t grid_state_size(const void *params_)
{
    (void)params_;
    return sizeof(struct grid_state);
}

/* --- levels and quantities
 * ------------------------------------------------------------------------- */

static int64_t level_ticks(const struct grid_params *p, const struct instrument *instrument,
                           int64_t i)
{
    const int64_t low = price_to_ticks(instrument, p->lower, FLT_ROUND_HALF_EVEN);
    const int64_t high = price_to_ticks(instrument, p->upper, FLT_ROUND_HALF_EVEN);

    if (p->spacing == GEOMETRIC)
        return llround((double)low *
                       pow((double)high / (double)low, (double)i / (double)p->levels));
    return low + ((high - low) * i + p->levels / 2) / p->levels;
}

/* What a cell buys: its share of the budget, with room for the fee. */
static int64_t cell_lots(const struct grid_params *p, const struct instrument *instrument,
                         int64_t i)
{
    const double share = flt_dec_to_double(p->budget) / (double)p->levels;
    const double fee =
        fmax(flt_dec_to_double(instrument->fee_maker), flt_dec_to_double(instrument->fee_taker));
    const double price =
        (double)level_ticks(p, instrument, i) * flt_dec_to_double(instrument->tick);

    const double lots = share / (price * (1 + fmax(fee, 0))) / flt_dec_to_double(instrument->lot);

    return (int64_t)floor(fmin(lots * (1 + 1e-12), (double)LOTS_MAX));
}

/* --- check
 * -------------------------------------------------------------------------------------------- */

static int check_range(const struct grid_params *p, const struct instrument *instrument,
                       struct flt_error *error)
{
    if (flt_dec_cmp(p->lower, FLT_DEC_ZERO) <= 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "lower", "", "lower must be above 0");
    if (flt_dec_cmp(p->upper, p->lower) <= 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "upper", "swap them, or raise upper",
                             "upper must be above lower");
    const int64_t top = price_to_ticks(instrument, p->upper, FLT_ROUND_HALF_EVEN);
    if (top <= 0 || top > LOTS_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "upper", "", "upper is no price of %s",
                             instrument->name);
    if (flt_dec_cmp(p->budget, FLT_DEC_ZERO) <= 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "budget", "", "budget must be above 0");
    for (int64_t i = 0; i < p->levels; i++)
        if (level_ticks(p, instrument, i + 1) <= level_ticks(p, instrument, i) ||
            level_ticks(p, instrument, i) <= 0)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "levels",
                                 "use fewer levels or a wider range",
                                 "the steps are smaller than the tick of %s", instrument->name);
    return 0;
}

/* The most levels whose steps still cover two fees; of equal steps in price the topmost is the
 * smallest in percent: step > 2 * fee * upper / (1 + fee). */
static double most_levels(const struct grid_params *p, double fee)
{
    const double low = flt_dec_to_double(p->lower), high = flt_dec_to_double(p->upper);

    if (p->spacing == GEOMETRIC)
        return floor(log(high / low) / log((1 + fee) / (1 - fee)) * 0.999);
    return floor((high - low) * (1 + fee) / (2 * fee * high) * 0.999);
}

static int check_fees(const struct grid_params *p, const struct instrument *instrument,
                      struct flt_error *error)
{
    const double fee = flt_dec_to_double(instrument->fee_maker);
    char hint[128];

    for (int64_t i = 0; i < p->levels; i++) {
        const double buy = (double)level_ticks(p, instrument, i);
        const double sell = (double)level_ticks(p, instrument, i + 1);

        if (sell * (1 - fee) > buy * (1 + fee))
            continue;
        (void)snprintf(hint, sizeof hint, "use at most %.0f levels, or a wider range",
                       fmax(fmin(most_levels(p, fee), (double)p->levels - 1), 1));
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "levels", hint,
                             "a step of %.3f%% does not cover two fees of %.3f%%",
                             100 * (sell / buy - 1), 100 * fee);
    }
    return 0;
}

static int check_sizes(const struct grid_params *p, const struct instrument *instrument,
                       struct flt_error *error)
{
    const double tick = flt_dec_to_double(instrument->tick);
    const double lot = flt_dec_to_double(instrument->lot);
    const double least = flt_dec_to_double(instrument->notional_min);
    const double least_qty = fmax(flt_dec_to_double(instrument->qty_min), lot);
    const double fee = fmax(flt_dec_to_double(instrument->fee_maker), 0);
    char hint[128];

    for (int64_t i = 0; i < p->levels; i++) {
        const double qty = (double)cell_lots(p, instrument, i) * lot;
        const double sold = floor(qty * (1 - fee) / lot + 1e-9) * lot;
        const double buy = (double)level_ticks(p, instrument, i) * tick;
        const double sell = (double)level_ticks(p, instrument, i + 1) * tick;
        const double need = fmax(least + lot * sell, (least_qty + lot) * buy) * (1 + 3 * fee);

        if (qty >= least_qty && sold >= least_qty && qty * buy >= least && sold * sell >= least)
            continue;
        (void)snprintf(hint, sizeof hint, "use a budget of at least %.2f, or at most %.0f levels",
                       ceil(need * (double)p->levels * 100) / 100,
                       fmax(floor(flt_dec_to_double(p->budget) / need), 1));
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "budget", hint,
                             "%.8g %s in a cell is under the minimum of %s (%.8g)", qty * buy,
                             instrument->quote, instrument->name, fmax(least, least_qty * buy));
    }
    return 0;
}

static int grid_check(const void *params_, const struct instrument *const *instruments,
                      size_t count, struct flt_error *error)
{
    const struct grid_params *p = params_;
    int err;

    if (count != 1)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "legs", "", "a grid has one instrument");
    err = check_range(p, instruments[0], error);
    if (!err)
        err = check_fees(p, instruments[0], error);
    return err ? err : check_sizes(p, instruments[0], error);
}

static int grid_declare(const void *params_, struct needs *needs)
{
    const struct grid_params *p = params_;

    *needs = (struct needs){ .legs = 1,
                             .feeds = 1, /* FEED_QUOTE */
                             .orders_max = (size_t)p->levels + 1,
                             .timer = true };
    return 0;
}

/* --- wanting
 * -------------------------------------------------------------------------------------------- */

static uint32_t buy_key(int64_t i)
{
    return (uint32_t)i * 2;
}

static uint32_t sell_key(int64_t i)
{
    return (uint32_t)i * 2 + 1;
}

static void want_cell(const struct grid_state *s, const struct grid_params *p,
                      const struct instrument *instrument, int64_t i, struct wants *wants)
{
    if (s->cell[i] == CELL_BUYING)
        wants_limit(wants, 0, buy_key(i), SIDE_BUY, level_ticks(p, instrument, i),
                    cell_lots(p, instrument, i), WANT_POST_ONLY);
    else if (s->cell[i] == CELL_SELLING)
        wants_limit(wants, 0, sell_key(i), SIDE_SELL, level_ticks(p, instrument, i + 1),
                    s->sell_lots[i], WANT_POST_ONLY);
}

static void want_initial(struct grid_state *s, const struct leg_view *leg, int64_t now_ms,
                         struct wants *wants)
{
    if (s->initial_lots <= 0)
        return;
    wants_limit(wants, 0, KEY_INITIAL, SIDE_BUY, sizing_buy_now(leg, INITIAL_SLIP_BPS),
                s->initial_lots, 0);
    s->priced_ms = now_ms;
}

static void want_all(struct grid_state *s, const struct grid_params *p, const struct leg_view *leg,
                     int64_t now_ms, struct wants *wants)
{
    wants_begin(wants);
    for (int64_t i = 0; i < p->levels; i++)
        want_cell(s, p, leg->instrument, i, wants);
    want_initial(s, leg, now_ms, wants);
}

/* --- cells
 * ------------------------------------------------------------------------------------------------
 */

static void sell_cell(struct grid_state *s, const struct grid_params *p,
                      const struct instrument *instrument, int64_t i, struct wants *wants)
{
    wants_drop(wants, buy_key(i));
    s->bought_lots[i] = 0;
    s->sell_lots[i] = s->held_lots[i];
    s->cell[i] = s->held_lots[i] > 0 ? CELL_SELLING : CELL_BUYING;
    want_cell(s, p, instrument, i, wants);
}

static void buy_cell(struct grid_state *s, const struct grid_params *p,
                     const struct instrument *instrument, int64_t i, struct wants *wants)
{
    wants_drop(wants, sell_key(i));
    s->sell_lots[i] = 0;
    s->bought_lots[i] = 0;
    s->cell[i] = CELL_BUYING;
    want_cell(s, p, instrument, i, wants);
}

/* What the first purchase brought goes to the cells from below; the last may get less (a fee). */
static void share_initial(struct grid_state *s, const struct grid_params *p,
                          const struct instrument *instrument, bool last, struct wants *wants)
{
    for (int64_t i = 0; i < p->levels; i++) {
        const int64_t need = cell_lots(p, instrument, i);

        if (s->cell[i] != CELL_FILLING || (s->initial_pool < need && !last))
            continue;
        s->held_lots[i] = s->initial_pool < need ? s->initial_pool : need;
        s->initial_pool -= s->held_lots[i];
        sell_cell(s, p, instrument, i, wants);
    }
}

static void begin_grid(struct grid_state *s, const struct grid_params *p,
                       const struct leg_view *leg)
{
    s->started = true;
    s->initial_lots = 0;
    for (int64_t i = 0; i < p->levels; i++) {
        const bool above = level_ticks(p, leg->instrument, i) >= leg->last_ticks;

        s->cell[i] = above && p->initial_buy ? CELL_FILLING : CELL_BUYING;
        if (s->cell[i] == CELL_FILLING)
            s->initial_lots += cell_lots(p, leg->instrument, i);
    }
}

static void on_initial_fill(struct grid_state *s, const struct grid_params *p,
                            const struct event *event, const struct leg_view *leg,
                            struct wants *wants)
{
    s->initial_pool += event->net_lots;
    if (event->filled_lots >= s->initial_lots) {
        wants_drop(wants, KEY_INITIAL);
        s->initial_lots = 0;
    }
    share_initial(s, p, leg->instrument, s->initial_lots == 0, wants);
}

static void on_fill(struct grid_state *s, const struct grid_params *p, const struct event *event,
                    const struct leg_view *leg, struct wants *wants)
{
    const int64_t i = event->key / 2;

    if (event->key == KEY_INITIAL) {
        on_initial_fill(s, p, event, leg, wants);
        return;
    }
    if (i >= p->levels)
        return;
    s->held_lots[i] += event->net_lots;
    if (event->side == SIDE_BUY) {
        s->bought_lots[i] += event->qty_lots;
        if (s->cell[i] == CELL_BUYING && s->bought_lots[i] >= cell_lots(p, leg->instrument, i))
            sell_cell(s, p, leg->instrument, i, wants);
    } else if (s->cell[i] == CELL_SELLING && s->held_lots[i] <= 0) {
        s->held_lots[i] = 0;
        s->rounds++;
        buy_cell(s, p, leg->instrument, i, wants);
    }
}

/* A buy that traded in part while the price went up to where the cell sells: sell the part. */
static bool rescue_parts(struct grid_state *s, const struct grid_params *p,
                         const struct leg_view *leg, struct wants *wants)
{
    bool parts = false;

    for (int64_t i = 0; i < p->levels; i++) {
        if (s->cell[i] != CELL_BUYING || s->bought_lots[i] == 0)
            continue;
        const int64_t exit = level_ticks(p, leg->instrument, i + 1);

        parts = true;
        if (leg->last_ticks >= exit && sizing_ok(leg, s->held_lots[i], exit))
            sell_cell(s, p, leg->instrument, i, wants);
    }
    return parts;
}

/* A note for people, and when to be called again: fills come anyway, so besides them only to look
 * after parts, or when the price enters or leaves the range. */
static void say_and_sleep(const struct grid_state *s, const struct grid_params *p,
                          const struct leg_view *leg, bool parts, struct wants *wants)
{
    const int64_t low = level_ticks(p, leg->instrument, 0);
    const int64_t high = level_ticks(p, leg->instrument, p->levels);
    const unsigned kinds = parts || s->initial_lots > 0 ? 1u << EVENT_TIMER : 0;

    if (leg->last_ticks <= 0) {
        wants_note(wants, "waiting for a price");
    } else if (leg->last_ticks < low) {
        wants_note(wants, "the price is below the range; holding until it returns");
        wants_wake(wants, 0, INT64_MIN, low, INT64_MAX, kinds);
    } else if (leg->last_ticks > high) {
        wants_note(wants, "the price is above the range; all sold, waiting until it returns");
        wants_wake(wants, 0, high, INT64_MAX, INT64_MAX, kinds);
    } else {
        wants_note(wants, "%" PRId64 " rounds", s->rounds);
        wants_wake(wants, 0, low - 1, high + 1, INT64_MAX, kinds);
    }
}

static void grid_on_event(void *state_, const void *params_, const struct event *event,
                          const struct view *view, struct wants *wants)
{
    struct grid_state *s = state_;
    const struct grid_params *p = params_;
    const struct leg_view *leg = &view->leg[0];
    bool parts = false;

    if (event->kind == EVENT_FILL) {
        on_fill(s, p, event, leg, wants);
    } else if (!s->started && leg->last_ticks > 0) {
        begin_grid(s, p, leg);
        want_all(s, p, leg, event->ts_ms, wants);
    } else if (s->started && event->kind == EVENT_START) {
        want_all(s, p, leg, event->ts_ms, wants);
    } else if (s->initial_lots > 0 && event->ts_ms >= s->priced_ms + INITIAL_AGAIN_MS) {
        want_initial(s, leg, event->ts_ms, wants);
    }
    if (s->started)
        parts = rescue_parts(s, p, leg, wants);
    say_and_sleep(s, p, leg, parts, wants);
}

static const char *grid_key_name(const void *params_, uint32_t key, char *out, size_t size)
{
    (void)params_;
    if (key == KEY_INITIAL)
        return "first purchase";
    (void)snprintf(out, size, "cell %" PRIu32 " %s", key / 2, key % 2 ? "sell" : "buy");
    return out;
}

const struct strategy_ops strategy_grid = {
    .name = "grid",
    .help = "Buys low and sells high, over and over, between two prices.",
    .params = params,
    .params_size = sizeof(struct grid_params),
    .state = state_fields,
    .state_size = grid_state_size,
    .check = grid_check,
    .declare = grid_declare,
    .on_event = grid_on_event,
    .key_name = grid_key_name,
};
