/* Buys once, at the first bar that closes, and holds: what every other strategy is compared with.
 */
#include <stdio.h>
#include "strategies/sizing.h"
#include "strategies/timeframe.h"

enum { KEY_POSITION = 1 };

struct hold_params {
    int64_t timeframe;
    struct sizing sizing;
};

struct hold_state {
    int64_t entries;
};

static const struct field params[] = {
    SIZING_FIELDS(struct hold_params),
    { .name = "timeframe",
      .type = FIELD_ENUM,
      .offset = offsetof(struct hold_params, timeframe),
      .def = "1m",
      .choices = timeframe_choices,
      .unit = "",
      .help = "Length of a bar." },
    FIELD_END,
};

static const struct field state_fields[] = {
    { .name = "entries", .type = FIELD_INT, .offset = offsetof(struct hold_state, entries) },
    FIELD_END,
};

static size_t hold_state_size(const void *params_)
{
    (void)params_;
    return sizeof(struct hold_state);
}

static int hold_check(const void *params_, const struct instrument *const *instruments,
                      size_t count, struct flt_error *error)
{
    const struct hold_params *p = params_;

    if (count != 1)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "legs", "", "it trades one instrument");
    return sizing_check(&p->sizing, instruments[0], error);
}

static int hold_declare(const void *params_, struct needs *needs)
{
    const struct hold_params *p = params_;

    *needs = (struct needs){ .legs = 1,
                             .feeds = 1 | 4, /* FEED_QUOTE, FEED_BAR_1M */
                             .bar_ms = timeframe_ms(timeframe_choices[p->timeframe]),
                             .orders_max = 1 };
    return 0;
}

static void hold_on_event(void *state_, const void *params_, const struct event *event,
                          const struct view *view, struct wants *wants)
{
    struct hold_state *s = state_;
    const struct hold_params *p = params_;

    if (event->kind == EVENT_BAR_CLOSED && s->entries == 0) {
        const int64_t lots = sizing_buy_lots(&p->sizing, &view->leg[0]);

        if (lots > 0) {
            s->entries++;
            wants_target(wants, 0, KEY_POSITION, lots, NO_LIMIT);
        }
    }
    wants_wake(wants, 0, INT64_MIN, INT64_MAX, INT64_MAX,
               s->entries == 0 ? 1u << EVENT_BAR_CLOSED : 0);
    wants_note(wants, "%s", s->entries == 0 ? "waiting for a bar to close" : "holding");
}

static const char *hold_key_name(const void *params_, uint32_t key, char *out, size_t size)
{
    (void)params_;
    (void)key;
    (void)snprintf(out, size, "position");
    return out;
}

const struct strategy_ops strategy_hold = {
    .name = "hold",
    .help = "Buys once and holds.",
    .params = params,
    .params_size = sizeof(struct hold_params),
    .state = state_fields,
    .state_size = hold_state_size,
    .check = hold_check,
    .declare = hold_declare,
    .on_event = hold_on_event,
    .key_name = hold_key_name,
};
