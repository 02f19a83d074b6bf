/* A strategy is a function from what it sees to what it wants.
 *
 * It does no I/O, reads no clock, allocates nothing and keeps its memory in `state`, plain bytes
 * described by a table of fields. Live, paper, shadow and backtest run the same code, and the same
 * input gives the same orders. Prices are ticks and quantities lots of the leg's instrument.
 *
 * Wants stay wanted until changed: a call that does not touch them keeps them. wants_begin() starts
 * a new full set. The engine diffs wants against live orders by key, journals, places and cancels;
 * a strategy never sees an order id and never asks whether an order was accepted.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/fail.h"
#include "lib/market.h"

/* --- parameters and state: tables of fields ----------------------------------------------------
 */

enum field_type { FIELD_INT, FIELD_DOUBLE, FIELD_DEC, FIELD_BOOL, FIELD_ENUM, FIELD_DURATION };

/* One row of a parameter table or a state table. Values live in the strategy's own struct at
 * `offset`: int64_t for INT, DURATION (ms) and ENUM (index into `choices`), double, struct flt_dec,
 * bool. The table makes JSON Schema, web form, CLI help, defaults, checks and optimiser bounds. */
struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    uint32_t count;               /* state: array length; 0 and 1: one value */
    const char *def;              /* default as text; NULL: required (parameters), zero (state) */
    const char *min, *max, *step; /* as text; NULL: none */
    const char *unit;             /* "quote", "base", "%", "bps", "ms", "" */
    const char *help;             /* one sentence */
    const char *const *choices;   /* ENUM: NULL-terminated */
    bool hot;                     /* may change while the bot runs */
};

#define FIELD_END                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* --- needs --------------------------------------------------------------------------------------
 */

#define STRATEGY_LINES_MAX 16
#define STRATEGY_LEGS_MAX 64

#define LINE_OPTIONS_MAX 4

/* An indicator the engine streams for the strategy (strategies/indicators/, docs/indicators.md). */
struct line_need {
    const char *indicator; /* "sma", "rsi", "ema" */
    unsigned leg;
    int64_t period;                  /* its first option */
    unsigned output;                 /* which of its outputs; 0: the first */
    double option[LINE_OPTIONS_MAX]; /* its further options, in the table's order; 0: the default */
};

struct needs {
    unsigned legs;
    unsigned feeds;    /* enum feed bits: quotes, trades */
    int64_t bar_ms;    /* timeframe of bars; 0: none */
    size_t bars;       /* closed bars kept for view->leg[i].bars, besides the lines' warm-up */
    size_t lines_back; /* how many bars back lines are read, at least 1 */
    struct line_need line[STRATEGY_LINES_MAX];
    size_t line_count;
    size_t orders_max; /* resting orders at most */
    bool timer;        /* EVENT_TIMER once a second */
    bool orders;       /* it reads leg_view.orders; else there are none */
};

/* --- what it sees --------------------------------------------------------------------------------
 */

enum event_kind {
    EVENT_START,      /* first call after create, restore or a change of parameters */
    EVENT_BAR_CLOSED, /* view->leg[leg].bars[bar_count - 1] is new */
    EVENT_QUOTE,
    EVENT_TRADE,
    EVENT_FILL,      /* one of our orders traded: key, side, price_ticks, qty_lots */
    EVENT_ORDER_END, /* one of our orders ended without (more) fills: key, rejected */
    EVENT_TIMER      /* 1 s of the venue's time has passed */
};

struct event {
    enum event_kind kind;
    unsigned leg;
    int64_t ts_ms; /* the venue's time; the only time a strategy knows */
    uint32_t key;  /* FILL, ORDER_END */
    enum side side;
    int64_t price_ticks; /* FILL, TRADE */
    int64_t qty_lots;    /* FILL, TRADE: this one's */
    int64_t filled_lots; /* FILL, ORDER_END: of this key so far, as wants_limit() counts it */
    int64_t net_lots;    /* FILL: by how much position_lots changed, fees in base taken off; the sum
                            of these is the position, so shares of it can be kept per cell */
    bool done;           /* FILL: all that was wanted under this key has traded */
    bool rejected;       /* ORDER_END: refused by the venue or by risk, never rested */
};

struct order_view { /* one of our own live orders */
    uint32_t key;
    enum side side;
    int64_t price_ticks, qty_lots, filled_lots;
};

struct leg_view {           /* one instrument on one venue, borrowed for the call */
    const struct bar *bars; /* bars[0] oldest .. bars[bar_count - 1] newest, all closed */
    size_t bar_count;
    const double *const
        *lines;            /* lines[i][k]: the i-th indicator declared, k bars ago; NaN: warm-up */
    int64_t position_lots; /* base asset of this bot, floored; negative is short */
    double position_cost;  /* quote paid for it (average price * position), for thresholds */
    struct quote quote;    /* newest; all zero before the first */
    int64_t last_ticks;    /* last trade, else close of the last bar, else mid; 0: unknown */
    int64_t quote_age_ms;  /* monotonic age since arrival; -1: never */
    const struct order_view *orders;
    size_t order_count;
    const struct instrument *instrument; /* tick, lot, minimums, fees */
    double tick, lot;                    /* the same as doubles, for sizing */
    int64_t free_quote_units;            /* budget left, in units of 1e-8 quote, floored */
    double cash;                         /* the same in quote, below 0 when spent; NaN: no budget */
};

/* -1, 0, 1: `a` against `b`; what differs by no more than rounding noise is equal. NaN: 0. */
static inline int line_order(double a, double b)
{
    const double noise = (b < 0 ? -b : b) * 1e-11;

    return a > b + noise ? 1 : a < b - noise ? -1 : 0;
}

struct view {
    int64_t ts_ms;
    const struct leg_view *leg;
    size_t leg_count;
};

/* --- what it wants -------------------------------------------------------------------------------
 */

struct wants; /* the engine's (engine/wants.h) */

#define NO_LIMIT INT64_MIN
#define LOTS_MAX INT64_C(100000000000000000) /* no price or quantity wanted is beyond this */
enum { WANT_POST_ONLY = 1, WANT_REDUCE_ONLY = 2 };

void wants_begin(struct wants *wants); /* a new full set of resting orders: all others go */
/* A limit order that shall rest. The same key is the same order: a changed price or quantity
 * replaces it, beyond the engine's tolerance. `qty_lots` is the whole wanted quantity: what has
 * filled of this key since it was first wanted counts towards it, until the key is dropped. */
void wants_limit(struct wants *wants, unsigned leg, uint32_t key, enum side side,
                 int64_t price_ticks, int64_t qty_lots, unsigned flags);
void wants_drop(struct wants *wants, uint32_t key); /* this resting order is no longer wanted */
/* Hold this position, trading at once up to `limit_ticks` (NO_LIMIT: at market). The engine trades
 * target - (booked + in flight) and never past it, so repeats and restarts are harmless. */
void wants_target(struct wants *wants, unsigned leg, uint32_t key, int64_t target_lots,
                  int64_t limit_ticks);
/* Nothing to do before one of these: a price at or beyond low or high of the leg (of a bar: its
 * close), the time, or an event kind of `kinds` (1u << EVENT_x). Obeyed in every mode; lets a
 * backtest scan. */
void wants_wake(struct wants *wants, unsigned leg, int64_t low_ticks, int64_t high_ticks,
                int64_t until_ms, unsigned kinds);
/* In addition to wants_wake(): at the close of a bar where a line says so. Compared in full
 * precision, but for crossings: averages within 1e-11 of each other are equal there (line_order).
 */
enum line_test {
    LINE_ABOVE, /* line a > level */
    LINE_BELOW, /* line a < level */
    LINE_CROSS  /* the order of lines a and b is another than a bar ago */
};
#define WAKE_LINES_MAX 4
void wants_wake_line(struct wants *wants, unsigned leg, unsigned a, enum line_test test,
                     double level);
void wants_wake_cross(struct wants *wants, unsigned leg, unsigned a, unsigned b);
/* A sentence for people (bot log and state.reason), e.g. why the strategy waits. Copied, cut at
 * 159. */
FLT_PRINTF(2, 3) void wants_note(struct wants *wants, const char *format, ...);

/* --- the table
 * ------------------------------------------------------------------------------------ */

struct strategy_ops {
    const char *name;
    const char *help;           /* one sentence */
    const struct field *params; /* ends with FIELD_END; offsets into the params struct */
    size_t params_size;
    const struct field *state; /* ends with FIELD_END; offsets into the state; saved as JSON */
    size_t (*state_size)(const void *params);
    /* Checks that no single field can say (upper above lower, a step that covers two fees), with
     * the instrument's rules. 0, or a negative errno with `error` filled. May be NULL. */
    int (*check)(const void *params, const struct instrument *const *instruments, size_t count,
                 struct flt_error *error);
    int (*declare)(const void *params, struct needs *needs);
    void (*on_event)(void *state, const void *params, const struct event *event,
                     const struct view *view, struct wants *wants);
    const char *(*key_name)(const void *params, uint32_t key, char *out, size_t size);
};

const struct strategy_ops *strategy_find(const char *name); /* NULL: no such strategy */
const struct strategy_ops *const *strategy_list(size_t *count);
