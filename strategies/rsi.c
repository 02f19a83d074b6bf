/* Wilder's RSI of closed bars: buys when it is below `buy_below` and nothing is held, sells all
 * when it is above `sell_above`. One signal a bar. */
#include <math.h>
#include <stdio.h>
#include "strategies/sizing.h"
#include "strategies/timeframe.h"

enum { KEY_POSITION = 1 };
enum { RSI_SEED, RSI_FLAT }; /* options of the line, after its period */

static const char *const flats[] = { "talib", "neutral", NULL }; /* as the line numbers them */

struct rsi_params {
    int64_t period, timeframe, flat;
    struct sizing sizing;
    double buy_below, sell_above;
};

struct rsi_state {
    int64_t entries, exits;
};

#define PARAM(f, t) .name = #f, .type = t, .offset = offsetof(struct rsi_params, f)
static const struct field params[] = {
    SIZING_FIELDS(struct rsi_params),
    { PARAM(period, FIELD_INT), .def = "14", .min = "2", .max = "500", .step = "1", .unit = "bars",
      .help = "Period of the index." },
    { PARAM(buy_below, FIELD_DOUBLE), .def = "30", .min = "1", .max = "99", .step = "1", .unit = "",
      .help = "Buy when the index is below this.", .hot = true },
    { PARAM(sell_above, FIELD_DOUBLE), .def = "70", .min = "1", .max = "99", .step = "1",
      .unit = "", .help = "Sell when the index is above this.", .hot = true },
    { PARAM(timeframe, FIELD_ENUM), .def = "1m", .choices = timeframe_choices, .unit = "",
      .help = "Length of a bar." },
    { PARAM(flat, FIELD_ENUM), .def = "talib", .choices = flats, .unit = "",
      .help = "The index of a market that did not move: 0 (talib), which buys, or 50 (neutral)." },
    FIELD_END,
};
#undef PARAM

static const struct field state_fields[] = {
    { .name = "entries", .type = FIELD_INT, .offset = offsetof(struct rsi_state, entries) },
    { .name = "exits", .type = FIELD_INT, .offset = offsetof(struct rsi_state, exits) },
    FIELD_END,
};

static size_t rsi_state_size(const void *params_)
{
    (void)params_;
    return sizeof(struct rsi_state);
}

static int rsi_check(const void *params_, const struct instrument *const *instruments, size_t count,
                     struct flt_error *error)
{
    const struct rsi_params *p = params_;

    if (count != 1)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "legs", "", "it trades one instrument");
    if (p->buy_below >= p->sell_above)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "buy_below", "30 and 70 are usual",
                             "buy_below (%g) must be below sell_above (%g)", p->buy_below,
                             p->sell_above);
    return sizing_check(&p->sizing, instruments[0], error);
}

static int rsi_declare(const void *params_, struct needs *needs)
{
    const struct rsi_params *p = params_;

    *needs = (struct needs){
        .legs = 1,
        .feeds = 1 | 4, /* FEED_QUOTE, FEED_BAR_1M */
        .bar_ms = timeframe_ms(timeframe_choices[p->timeframe]),
        .bars = 1,
        .lines_back = 1,
        .line = { { "rsi", 0, p->period, 0, { [RSI_FLAT] = (double)p->flat } } },
        .line_count = 1,
        .orders_max = 1,
    };
    return 0;
}

static void rsi_on_event(void *state_, const void *params_, const struct event *event,
                         const struct view *view, struct wants *wants)
{
    struct rsi_state *s = state_;
    const struct rsi_params *p = params_;
    const struct leg_view *leg = &view->leg[0];
    const double rsi = leg->lines[0][0];

    wants_wake(wants, 0, INT64_MIN, INT64_MAX, INT64_MAX, 0);
    if (leg->position_lots == 0)
        wants_wake_line(wants, 0, 0, LINE_BELOW, p->buy_below);
    else
        wants_wake_line(wants, 0, 0, LINE_ABOVE, p->sell_above);
    if (isnan(rsi)) {
        wants_note(wants, "warming up");
        return;
    }
    if (leg->position_lots > 0)
        wants_note(wants, "holding until the index is above %g", p->sell_above);
    else
        wants_note(wants, "waiting for the index to be below %g", p->buy_below);
    if (event->kind != EVENT_BAR_CLOSED)
        return; /* what was wanted stays wanted */
    if (rsi < p->buy_below && leg->position_lots == 0) {
        s->entries++;
        wants_target(wants, 0, KEY_POSITION, sizing_buy_lots(&p->sizing, leg), NO_LIMIT);
    } else if (rsi > p->sell_above && leg->position_lots > 0) {
        s->exits++;
        wants_target(wants, 0, KEY_POSITION, 0, NO_LIMIT);
    }
}

static const char *rsi_key_name(const void *params_, uint32_t key, char *out, size_t size)
{
    (void)params_;
    (void)key;
    (void)snprintf(out, size, "position");
    return out;
}

const struct strategy_ops strategy_rsi = {
    .name = "rsi",
    .help = "Buys when the market is oversold, sells when it is overbought.",
    .params = params,
    .params_size = sizeof(struct rsi_params),
    .state = state_fields,
    .state_size = rsi_state_size,
    .check = rsi_check,
    .declare = rsi_declare,
    .on_event = rsi_on_event,
    .key_name = rsi_key_name,
};
