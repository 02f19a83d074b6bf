/* The inside of a bot, shared by the files of engine/ that make it: wants.c (what the strategy
 * wants, by key), orders.c (what is live, and the events that change it), risk.c, view.c (prices,
 * bars, indicator lines), recover.c, save.c, bot.c (phases and inputs). Nobody else includes it. */
#pragma once
#include "engine/bot.h"
#include "engine/lookup.h"
#include "engine/risk.h"
#include "engine/tape.h"
#include "engine/tape_bot.h"
#include "strategies/indicators/indicator.h"
#include "strategies/params.h"

#define NO_SLOT LOOKUP_NONE
#define KEY_CLOSE UINT32_C(0xFFFFFF00) /* the engine's own closing orders: this + leg */
#define ENDED_MAX 64                   /* ids of orders that ended last */
#define SEEN_MIN 256                   /* trades remembered against repeats, at least */

enum want_kind { WANT_NONE, WANT_LIMIT, WANT_TARGET };
enum asking { ASK_NOTHING, ASK_QUERY, ASK_FILLS };

struct live { /* an order at the venue, or on its way; state ORDER_BAD: none */
    enum order_state state;
    enum side side;
    enum order_type type;
    enum tif tif;
    bool post_only, reduce_only, exit;
    bool current;    /* placed for the present want: its fills count towards it */
    bool cancelling; /* a cancel is out */
    bool by_us;      /* we asked for its end at least once */
    bool alarmed;    /* unknown for long was reported */
    bool listed;     /* during an audit: the venue has it */
    bool missing;    /* trades of it are missing for long: counted in the bot */
    enum asking asking;
    uint8_t asks;
    uint32_t epoch, sequence;
    char coid[FLT_COID_MAX];
    char order_id[ORDER_ID_MAX];
    int64_t price_ticks, qty_lots;
    int64_t booked_lots, executed_lots;
    int64_t rests_lots; /* its share of the leg's resting_lots */
    int64_t created_ms; /* wall */
    int64_t ts_ms;      /* wall, last change */
    int64_t sent_ms;    /* monotonic */
    int64_t check_ms;   /* monotonic: when to ask next; 0: nothing to ask */
    int64_t asked_ms;   /* monotonic: the question that is out */
};

/* One key: what is wanted under it, and the one order that may be live for it. That there is never
 * more than one is thus a matter of shape. Orders of older epochs sit in slots outside the index.
 */
struct slot {
    uint32_t key;
    uint32_t stamp; /* of the full set that named it last */
    uint8_t leg;
    bool used, indexed, dirty;
    bool refused; /* the present want was refused once, and the strategy told */
    enum want_kind kind;
    enum side side;
    unsigned flags;
    int64_t price_ticks;
    int64_t qty_lots;    /* TARGET: the position to hold */
    int64_t filled_lots; /* of this want */
    int64_t retry_ms;    /* monotonic: not before */
    uint32_t backoff_ms;
    struct live live;
};

struct line_wake {
    enum line_test test;
    uint8_t a, b;
    double level;
};

struct wake {
    int64_t low_ticks, high_ticks, until_ms;
    unsigned kinds;
    unsigned line_count;
    struct line_wake line[WAKE_LINES_MAX];
};

static inline void wake_reset(struct wake *wake, unsigned kinds)
{
    wake->low_ticks = INT64_MIN;
    wake->high_ticks = wake->until_ms = INT64_MAX;
    wake->kinds = kinds;
    wake->line_count = 0;
}

struct wants {
    struct bot *bot;
    struct slot *slots;
    uint32_t slot_count, slot_cap; /* count: high-water mark */
    uint32_t free_head;            /* chain through slot.stamp of unused ones */
    struct lookup keys;            /* slots of the index */
    struct lookup sequences;       /* slots with a live order, by sequence */
    struct lookup order_ids;       /* those whose id of the venue is known */
    uint32_t *dirty;               /* FIFO of slot numbers */
    uint32_t dirty_head, dirty_count;
    uint32_t live_count; /* slots with a live order */
    uint32_t strays;     /* used slots beside the index: found at recovery, there to see them end */
    uint32_t stamp;
    uint32_t limit_count; /* slots with a limit order wanted */
    uint32_t named_count; /* those of the present stamp: when all are, a full set ends nothing */
    bool full_set, overflowed;
    bool waking; /* the strategy said when it wants to be called */
    char note[160];
};

struct shown { /* money as the strategy sees it, and what it was made from */
    struct flt_amt cash, cost, budget;
    double cash_value, cost_value;
    int64_t free_units;
    bool known;
};

struct leg {
    const struct instrument *instrument;
    struct ledger ledger;
    struct quote quote;
    int64_t last_ticks;
    int64_t price_ns; /* monotonic arrival of the newest price; 0: never */
    int64_t position_lots;
    int64_t resting_lots[2]; /* what live orders could still trade, by side */
    double tick, lot;
    struct wake wake;
    struct shown shown;
    struct bar *bars; /* a window of bar_keep in a buffer of twice that */
    size_t bar_at, bar_count, bar_keep;
    struct bar running; /* the timeframe's unfinished bar; ts_ms -1: none */
    void **line_state;
    double **lines;                          /* [line][bars back] */
    const struct indicator_columns *columns; /* a backtest's bars; NULL: they come one by one */
    double **ahead;                          /* [line][bar] of columns */
    size_t column_count, at;                 /* at: the newest bar to be seen */
    int64_t column_ms;
    bool seek;   /* bars and lines are to be taken from columns again */
    bool listed; /* open orders are known since the link came up */
    bool listing;
    int64_t list_ms;
    bool sweep_due; /* trades may be missing: to be asked for once the list is known */
    bool sweeping;
    int64_t sweep_ms;
    bool clear;                 /* the venue's list had none of ours, and none was sent since */
    uint32_t begun, begun_then; /* orders sent; at the time the list was asked for */
    int64_t clear_ms;
};

struct seen_trade {
    uint64_t hash;
    uint32_t sequence; /* of the order; 0: not ours to know */
    int64_t ts_ms;
    int64_t lots; /* 0: restored */
};

enum allow { ALLOW_HOLD, ALLOW_NOTHING, ALLOW_CLOSE, ALLOW_EXITS, ALLOW_ALL };

struct bot {
    char fleet[64], name[FLT_NAME_MAX];
    struct engine_port port;
    const struct strategy_ops *ops;
    const struct flt_clock *clock;
    struct tape *tape;      /* NULL: nobody records */
    int64_t now_ms, now_ns; /* wall and monotonic time of this input, once read */
    bool now_ms_read, now_ns_read;
    void *user;
    void *params, *state;
    size_t state_size;
    struct risk risk;
    struct needs needs;
    enum bot_mode mode;
    uint32_t epoch;
    uint64_t owner;
    int64_t request_life_ms;

    enum bot_phase phase;
    enum bot_run run;
    enum bot_stop how;
    enum bot_halt halt;
    enum allow allow;
    bool started, link_up, halt_known, recovered, reset_due;
    bool lease_entries, lease_send, storage_entries;
    bool strategy_started; /* EVENT_START was given since it last could not act */
    bool in_strategy, pumping, dirty_state;
    uint32_t missing; /* orders whose trades the venue does not tell */
    char drift[160];  /* "": books and venue agree, as far as the host knows */
    char error_code[32], error_reason[160];
    char halt_reason[128], link_reason[128];
    char reason_code[32], reason[160];
    int64_t since_ms;

    struct wants wants;
    struct leg *legs;
    size_t leg_count;
    struct leg_view *views;
    struct order_view *order_views;
    const double **line_views;
    struct line { /* needs.line[i], looked up and checked */
        const struct indicator *indicator;
        double option[INDICATOR_OPTIONS_MAX];
    } lines[STRATEGY_LINES_MAX];
    size_t order_view_cap;
    bool orders_stale;
    int64_t budget_units; /* 1e-18 quote would not fit: 1e-8; INT64_MAX: no budget */
    struct flt_amt budget;
    struct flt_amt outside_cash; /* of the other bots of a shared account: a backtest's */

    struct seen_trade *seen;
    size_t seen_at, seen_count, seen_cap;
    struct lookup seen_rows; /* rows of `seen`, by hash */
    uint32_t ended[ENDED_MAX];
    size_t ended_at;
    uint32_t last_sequence;  /* of our intents */
    uint32_t saved_sequence; /* of the snapshot restored */
    uint32_t saved_epoch;
    int64_t last_fill_ms;
    struct json_object *past; /* see bot_set_past */
    struct bot_counters counters;
};

/* wants.c */
int wants_init(struct wants *wants, struct bot *bot, size_t orders_max);
void wants_finish(struct wants *wants);
uint32_t wants_find(const struct wants *wants, uint32_t key);
/* The key's slot, made when missing; NO_SLOT: no memory. `indexed` false: beside the index. */
uint32_t wants_slot(struct wants *wants, uint32_t key, bool indexed);
void wants_release(struct wants *wants, uint32_t number); /* when nothing is wanted and live */
void wants_dirty(struct wants *wants, uint32_t number);
void wants_dirty_all(struct wants *wants);
void wants_commit(struct wants *wants); /* after a call of the strategy: ends a full set */
void wants_unwant(struct wants *wants, uint32_t number);
void wants_restore(struct wants *wants, uint32_t number, enum want_kind kind); /* from a snapshot */
void wants_clear(struct wants *wants);
void wants_close(struct wants *wants, unsigned leg, bool close); /* the engine's closing target */

/* orders.c: acts for one slot; the inputs about orders are there too */
void orders_step(struct bot *bot, uint32_t number);
void orders_second(struct bot *bot);
void orders_apply(struct bot *bot, uint32_t number, const struct order *order);
void orders_settle(struct bot *bot, uint32_t number);
void orders_cancel(struct bot *bot, uint32_t number);
uint32_t orders_find(const struct bot *bot, const char *coid, const char *order_id);
uint32_t orders_find_sequence(const struct bot *bot, uint32_t epoch, uint32_t sequence);
/* An order lives in the slot, and is gone; between them, orders_count() follows each change of what
 * it could still trade. */
void orders_begin(struct bot *bot, uint32_t number, const struct live *live);
void orders_clear(struct bot *bot, uint32_t number);
void orders_count(struct bot *bot, uint32_t number);
void orders_learn_id(struct bot *bot, uint32_t number, const char *order_id); /* "": no news */
void orders_doubt(struct bot *bot, uint32_t number, int64_t after_ms); /* ask the venue, then */
void orders_doubt_all(struct bot *bot);
int64_t orders_resting(const struct bot *bot, unsigned leg, enum side side, uint32_t except);
bool orders_ended_lately(const struct bot *bot, uint32_t sequence);
void orders_view(const struct bot *bot, const struct slot *slot, struct bot_order *out, char *name,
                 size_t size);

/* fills.c: books */
int64_t fills_lots_of(const struct bot *bot, uint32_t sequence); /* booked in this process */
void fills_remember(struct bot *bot, const struct fill *fill, uint32_t sequence);

/* view.c */
int view_init(struct bot *bot);
void view_finish(struct bot *bot);
void view_close_bar(struct bot *bot, unsigned leg, const struct bar *bar);
void view_refresh(struct bot *bot, struct view *out);
int64_t view_mark(const struct leg *leg);

bool view_wakes_at_close(const struct bot *bot, const struct leg *leg, int64_t close_ticks,
                         int64_t ts_ms);

/* columns.c */
void columns_show(struct bot *bot, unsigned leg); /* bars and lines as of leg->at */
void columns_finish(struct bot *bot);

/* recover.c */
void recover_second(struct bot *bot);
void recover_check(struct bot *bot); /* whether it is done */
void recover_begin_leg(struct leg *leg);
bool recover_is_clear(const struct bot *bot);
void recover_ask_clear(struct bot *bot); /* asks for lists where it is not known */

/* The first act of each input: its time is read anew, and true is returned when it goes on a tape.
 */
static inline bool bot_input(struct bot *bot)
{
    bot->now_ms_read = bot->now_ns_read = false;
    return bot->tape != NULL;
}

/* bot.c: the time of the present input */
int64_t bot_mono_ns(const struct bot *bot);
int64_t bot_mono_ms(const struct bot *bot);
int64_t bot_wall_ms(const struct bot *bot);
void bot_call(struct bot *bot, const struct event *event);
void bot_pump(struct bot *bot); /* acts on what changed; the end of each input */
void bot_update_phase(struct bot *bot);
void bot_emit(struct bot *bot, struct bot_record *record);
void bot_alarm(struct bot *bot, const char *code, const char *format, ...) FLT_PRINTF(3, 4);
void bot_fail(struct bot *bot, const char *code, const char *format, ...) FLT_PRINTF(3, 4);
void bot_logf(struct bot *bot, enum flt_log_level level, const char *format, ...) FLT_PRINTF(3, 4);
