/* Price lines lower + k * step, and between each and the next a slot that holds one unit or none.
 *
 * It acts at the close of bars only. An idle slot whose line is below the close places a buy there,
 * which rests until filled; a slot that was bought places at the next close a sell one line higher;
 * when that is filled the slot is idle again. Slots are looked after in the order of their lines,
 * so their orders are placed in that order. Of what a slot bought it sells what is left after fees.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "strategies/sizing.h"
#include "strategies/timeframe.h"

#define LINES_MAX 501

enum slot { SLOT_IDLE, SLOT_BUYING, SLOT_BOUGHT, SLOT_SELLING };

struct grid_lines_params {
    struct flt_dec lower, step;
    int64_t lines, timeframe;
    struct sizing sizing;
};

struct grid_lines_state {
    int64_t rounds; /* bought and sold */
    int64_t slot[LINES_MAX];
    int64_t buy_lots[LINES_MAX]; /* of the present buy, whole */
    int64_t held_lots[LINES_MAX];
    int64_t sell_lots[LINES_MAX]; /* of the present sell, whole */
};

static const char *const slots[] = { "idle", "buying", "bought", "selling", NULL };

#define PARAM(f, t) .name = #f, .type = t, .offset = offsetof(struct grid_lines_params, f)
static const struct field params[] = {
    { PARAM(lower, FIELD_DEC), .min = "0", .unit = "quote", .help = "The lowest line." },
    { PARAM(step, FIELD_DEC), .min = "0", .unit = "quote", .help = "From one line to the next." },
    { PARAM(lines, FIELD_INT), .def = "21", .min = "2", .max = "501", .step = "1", .unit = "",
      .help = "Lines; there is a slot between each and the next." },
    SIZING_FIELDS(struct grid_lines_params),
    { PARAM(timeframe, FIELD_ENUM), .def = "1m", .choices = timeframe_choices, .unit = "",
      .help = "Length of a bar." },
    FIELD_END,
};
#undef PARAM

#define STATE(f, t, n)                                                                             \
    .name = #f, .type = t, .offset = offsetof(struct grid_lines_state, f), .count = n
static const struct field state_fields[] = {
    { STATE(rounds, FIELD_INT, 1) },
    { STATE(slot, FIELD_ENUM, LINES_MAX), .choices = slots },
    { STATE(buy_lots, FIELD_INT, LINES_MAX) },
    { STATE(held_lots, FIELD_INT, LINES_MAX) },
    { STATE(sell_lots, FIELD_INT, LINES_MAX) },
    FIELD_END,
};
#undef STATE

static size_t grid_lines_state_size(const void *params_)
{
    (void)params_;
    return sizeof(struct grid_lines_state);
}

/* lower + k * step, at the nearest tick. */
static int64_t line_ticks(const struct grid_lines_params *p, const struct instrument *instrument,
                          int64_t k)
{
    const struct flt_dec line = flt_dec_add(p->lower, flt_dec_times(p->step, k));

    return price_to_ticks(instrument, line, FLT_ROUND_HALF_EVEN);
}

/* The same for all lines: in whole ticks when lower and step are. */
struct lines {
    const struct grid_lines_params *p;
    const struct instrument *instrument;
    int64_t lower_ticks, step_ticks;
    bool whole;
};

static struct lines lines_of(const struct grid_lines_params *p, const struct instrument *instrument)
{
    return (struct lines){ .p = p,
                           .instrument = instrument,
                           .lower_ticks = price_to_ticks(instrument, p->lower, FLT_ROUND_DOWN),
                           .step_ticks = price_to_ticks(instrument, p->step, FLT_ROUND_DOWN),
                           .whole = flt_dec_is_multiple(p->lower, instrument->tick) &&
                                    flt_dec_is_multiple(p->step, instrument->tick) };
}

static int64_t line_at(const struct lines *lines, int64_t k)
{
    return lines->whole ? lines->lower_ticks + k * lines->step_ticks
                        : line_ticks(lines->p, lines->instrument, k);
}

static int check_lines(const struct grid_lines_params *p, const struct instrument *instrument,
                       struct flt_error *error)
{
    if (p->lower.coef <= 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "lower", "", "lower must be above 0");
    if (p->step.coef <= 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "step", "", "step must be above 0");
    for (int64_t k = 0; k < p->lines; k++) {
        const int64_t ticks = line_ticks(p, instrument, k);

        if (ticks <= 0 || ticks > LOTS_MAX)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "lower", "",
                                 "line %" PRId64 " is no price of %s", k, instrument->name);
        if (k > 0 && ticks <= line_ticks(p, instrument, k - 1))
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "step", "use a wider step",
                                 "the step is smaller than the tick of %s", instrument->name);
    }
    return 0;
}

static int grid_lines_check(const void *params_, const struct instrument *const *instruments,
                            size_t count, struct flt_error *error)
{
    const struct grid_lines_params *p = params_;

    if (count != 1)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "legs", "", "it trades one instrument");
    const int err = check_lines(p, instruments[0], error);

    return err ? err : sizing_check(&p->sizing, instruments[0], error);
}

static int grid_lines_declare(const void *params_, struct needs *needs)
{
    const struct grid_lines_params *p = params_;

    *needs = (struct needs){ .legs = 1,
                             .feeds = 1 | 4, /* FEED_QUOTE, FEED_BAR_1M */
                             .bar_ms = timeframe_ms(timeframe_choices[p->timeframe]),
                             .orders_max = (size_t)p->lines * 2 };
    return 0;
}

static uint32_t buy_key(int64_t k)
{
    return (uint32_t)k * 2;
}

static uint32_t sell_key(int64_t k)
{
    return (uint32_t)k * 2 + 1;
}

/* --- slots
 * ------------------------------------------------------------------------------------------------
 */

static void buy_slot(struct grid_lines_state *s, const struct grid_lines_params *p,
                     const struct leg_view *leg, int64_t k, struct wants *wants)
{
    s->buy_lots[k] = sizing_buy_lots(&p->sizing, leg);
    if (s->buy_lots[k] <= 0)
        return;
    wants_drop(wants, sell_key(k));
    s->slot[k] = SLOT_BUYING;
    s->held_lots[k] = s->sell_lots[k] = 0;
    wants_limit(wants, 0, buy_key(k), SIDE_BUY, line_ticks(p, leg->instrument, k), s->buy_lots[k],
                0);
}

static void sell_slot(struct grid_lines_state *s, const struct grid_lines_params *p,
                      const struct leg_view *leg, int64_t k, struct wants *wants)
{
    wants_drop(wants, buy_key(k));
    s->slot[k] = SLOT_SELLING;
    s->sell_lots[k] = s->held_lots[k];
    wants_limit(wants, 0, sell_key(k), SIDE_SELL, line_ticks(p, leg->instrument, k + 1),
                s->sell_lots[k], 0);
}

static void on_close(struct grid_lines_state *s, const struct grid_lines_params *p,
                     const struct leg_view *leg, struct wants *wants)
{
    const struct lines lines = lines_of(p, leg->instrument);

    for (int64_t k = 0; k < p->lines - 1; k++) {
        if (s->slot[k] == SLOT_IDLE && line_at(&lines, k) < leg->last_ticks)
            buy_slot(s, p, leg, k, wants);
        else if (s->slot[k] == SLOT_BOUGHT)
            sell_slot(s, p, leg, k, wants);
    }
}

static void on_fill(struct grid_lines_state *s, const struct grid_lines_params *p,
                    const struct event *event)
{
    const int64_t k = event->key / 2;

    if (k >= p->lines - 1)
        return;
    s->held_lots[k] += event->net_lots;
    if (s->slot[k] == SLOT_BUYING && event->side == SIDE_BUY && event->done) {
        s->slot[k] = s->held_lots[k] > 0 ? SLOT_BOUGHT : SLOT_IDLE;
    } else if (s->slot[k] == SLOT_SELLING && event->side == SIDE_SELL && s->held_lots[k] <= 0) {
        s->slot[k] = SLOT_IDLE;
        s->rounds++;
    }
}

/* Until the next close when a slot waits for it, else until a close above the lowest idle line. */
static void sleep_until(const struct grid_lines_state *s, const struct grid_lines_params *p,
                        const struct leg_view *leg, struct wants *wants)
{
    int64_t lowest = -1;

    for (int64_t k = p->lines - 2; k >= 0; k--) {
        if (s->slot[k] == SLOT_IDLE)
            lowest = k;
        if (s->slot[k] == SLOT_BOUGHT) {
            wants_wake(wants, 0, INT64_MIN, INT64_MAX, INT64_MAX, 1u << EVENT_BAR_CLOSED);
            return;
        }
    }
    wants_wake(wants, 0, INT64_MIN,
               lowest >= 0 ? line_ticks(p, leg->instrument, lowest) + 1 : INT64_MAX, INT64_MAX, 0);
}

static void grid_lines_on_event(void *state_, const void *params_, const struct event *event,
                                const struct view *view, struct wants *wants)
{
    struct grid_lines_state *s = state_;
    const struct grid_lines_params *p = params_;
    const struct leg_view *leg = &view->leg[0];

    if (event->kind == EVENT_FILL)
        on_fill(s, p, event);
    else if (event->kind == EVENT_BAR_CLOSED)
        on_close(s, p, leg, wants);
    sleep_until(s, p, leg, wants);
    wants_note(wants, "%" PRId64 " rounds", s->rounds);
}

static const char *grid_lines_key_name(const void *params_, uint32_t key, char *out, size_t size)
{
    (void)params_;
    (void)snprintf(out, size, "slot %" PRIu32 " %s", key / 2, key % 2 ? "sell" : "buy");
    return out;
}

const struct strategy_ops strategy_grid_lines = {
    .name = "grid_lines",
    .help = "Buys at fixed price lines below the market and sells each one line higher.",
    .params = params,
    .params_size = sizeof(struct grid_lines_params),
    .state = state_fields,
    .state_size = grid_lines_state_size,
    .check = grid_lines_check,
    .declare = grid_lines_declare,
    .on_event = grid_lines_on_event,
    .key_name = grid_lines_key_name,
};
