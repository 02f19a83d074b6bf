/* Two moving averages of closed bars: in when the fast one rises above the slow one, out when it
 * falls below; or the other way round (short), or always on one side (both). Signals are not made
 * up for: what crossed while the bot did not run is past. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include "strategies/sizing.h"
#include "strategies/timeframe.h"

enum { KEY_POSITION = 1 };
enum { LINE_FAST, LINE_SLOW };

enum { DIRECTION_LONG, DIRECTION_SHORT, DIRECTION_BOTH };
static const char *const directions[] = { "long", "short", "both", NULL };

struct sma_cross_params {
    int64_t fast, slow, timeframe, direction;
    struct sizing sizing;
};

struct sma_cross_state {
    int64_t entries, exits;
};

#define PARAM(f, t) .name = #f, .type = t, .offset = offsetof(struct sma_cross_params, f)
static const struct field params[] = {
    SIZING_FIELDS(struct sma_cross_params),
    { PARAM(fast, FIELD_INT), .def = "10", .min = "1", .max = "1000", .step = "1", .unit = "bars",
      .help = "Period of the fast average." },
    { PARAM(slow, FIELD_INT), .def = "30", .min = "2", .max = "5000", .step = "1", .unit = "bars",
      .help = "Period of the slow average." },
    { PARAM(timeframe, FIELD_ENUM), .def = "1m", .choices = timeframe_choices, .unit = "",
      .help = "Length of a bar." },
    { PARAM(direction, FIELD_ENUM), .def = "long", .choices = directions, .unit = "",
      .help = "Sides it takes; short and both need an instrument that can be sold short." },
    FIELD_END,
};
#undef PARAM

static const struct field state_fields[] = {
    { .name = "entries", .type = FIELD_INT, .offset = offsetof(struct sma_cross_state, entries) },
    { .name = "exits", .type = FIELD_INT, .offset = offsetof(struct sma_cross_state, exits) },
    FIELD_END,
};

static size_t sma_cross_state_size(const void *params_)
{
    (void)params_;
    return sizeof(struct sma_cross_state);
}

static int sma_cross_check(const void *params_, const struct instrument *const *instruments,
                           size_t count, struct flt_error *error)
{
    const struct sma_cross_params *p = params_;

    if (count != 1)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "legs", "", "it trades one instrument");
    if (p->fast >= p->slow)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "fast", "swap fast and slow",
                             "fast (%" PRId64 ") must be below slow (%" PRId64 ")", p->fast,
                             p->slow);
    if (p->direction != DIRECTION_LONG && instruments[0]->kind == INSTRUMENT_SPOT)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "direction",
                             "a perpetual's name ends with -PERP",
                             "%s is spot: it cannot be sold short", instruments[0]->name);
    return sizing_check(&p->sizing, instruments[0], error);
}

static int sma_cross_declare(const void *params_, struct needs *needs)
{
    const struct sma_cross_params *p = params_;

    *needs = (struct needs){
        .legs = 1,
        .feeds = 1 | 4, /* FEED_QUOTE, FEED_BAR_1M */
        .bar_ms = timeframe_ms(timeframe_choices[p->timeframe]),
        .bars = 2,
        .lines_back = 2,
        .line = { { .indicator = "sma", .period = p->fast },
                  { .indicator = "sma", .period = p->slow } },
        .line_count = 2,
        .orders_max = 1,
    };
    return 0;
}

/* To a position of that sign, if it has not one already; 0 is flat. */
static void turn(struct sma_cross_state *s, const struct sma_cross_params *p,
                 const struct leg_view *leg, struct wants *wants, int sign)
{
    const int64_t held = leg->position_lots;

    if (sign == 0) {
        s->exits++;
        wants_target(wants, 0, KEY_POSITION, 0, NO_LIMIT);
    } else if (sign > 0 ? held <= 0 : held >= 0) {
        s->entries++;
        wants_target(wants, 0, KEY_POSITION, sign * sizing_buy_lots(&p->sizing, leg), NO_LIMIT);
    }
}

static void sma_cross_on_event(void *state_, const void *params_, const struct event *event,
                               const struct view *view, struct wants *wants)
{
    struct sma_cross_state *s = state_;
    const struct sma_cross_params *p = params_;
    const struct leg_view *leg = &view->leg[0];
    const double *fast = leg->lines[LINE_FAST], *slow = leg->lines[LINE_SLOW];

    wants_wake(wants, 0, INT64_MIN, INT64_MAX, INT64_MAX, 0);
    wants_wake_cross(wants, 0, LINE_FAST, LINE_SLOW);
    if (isnan(slow[1])) {
        wants_note(wants, "warming up");
        return;
    }
    if (event->kind != EVENT_BAR_CLOSED)
        return; /* what was wanted stays wanted */
    const int before = line_order(fast[1], slow[1]), now = line_order(fast[0], slow[0]);
    if (before <= 0 && now > 0)
        turn(s, p, leg, wants, p->direction != DIRECTION_SHORT ? 1 : 0);
    else if (before >= 0 && now < 0)
        turn(s, p, leg, wants, p->direction != DIRECTION_LONG ? -1 : 0);
    wants_note(wants, "the fast average is %s the slow one",
               now < 0   ? "below"
               : now > 0 ? "above"
                         : "at");
}

static const char *sma_cross_key_name(const void *params_, uint32_t key, char *out, size_t size)
{
    (void)params_;
    (void)key;
    (void)snprintf(out, size, "position");
    return out;
}

const struct strategy_ops strategy_sma_cross = {
    .name = "sma_cross",
    .help = "Holds while a fast moving average is above a slow one.",
    .params = params,
    .params_size = sizeof(struct sma_cross_params),
    .state = state_fields,
    .state_size = sma_cross_state_size,
    .check = sma_cross_check,
    .declare = sma_cross_declare,
    .on_event = sma_cross_on_event,
    .key_name = sma_cross_key_name,
};
