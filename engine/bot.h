/* One bot's core, the same for live, paper, shadow and backtest.
 *
 * It calls the strategy, diffs what that wants against what rests, checks risk, follows each order
 * through its states, books fills into an exact sub-ledger and recovers after a restart. It does no
 * I/O and knows no venue: whoever hosts it (node, backtest, test) gives it a struct engine_port and
 * feeds it events. Everything runs on the host's loop thread.
 *
 * Rules between bot and host:
 *  - port calls return at once; their results come later through bot_on_*, never inside the call
 *    (except from a test or backtest that says so by answering from its own loop);
 *  - intend() makes the intent durable against a crash BEFORE place() is called; when it fails,
 *    nothing is sent. An id is sent once, ever;
 *  - record() is called after the books changed; the host commits the record together with
 *    bot_save() in one transaction, and publishes after the commit;
 *  - events may come late, twice and in any order;
 *  - the clock stands still during an input: it is read once, so that an input and its time decide
 *    all that the bot does (engine/tape.h records both).
 */
#pragma once
#include "engine/bot_words.h"
#include "engine/ledger.h"
#include "engine/order_state.h"
#include "exchanges/exchange.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "strategies/indicators/indicator.h"
#include "strategies/strategy.h"

struct bot;
struct tape; /* engine/tape.h */

/* --- the host's side ---------------------------------------------------------------------------
 */

/* What is written to the journal before an order leaves. `id.sequence` is filled in by intend(). */
struct order_intent {
    struct flt_coid id;
    unsigned leg;
    enum side side;
    enum order_type type;
    enum tif tif;
    bool post_only, reduce_only;
    bool exit;           /* reduces the position: may pass when the disk is nearly full */
    int64_t price_ticks; /* 0 for market orders */
    int64_t qty_lots;
    int64_t ts_ms;
};

enum bot_record_kind {
    BOT_RECORD_FILL,
    BOT_RECORD_ORDER,      /* an order reached its end */
    BOT_RECORD_TRANSITION, /* the phase changed */
    BOT_RECORD_RISK,       /* a risk rule refused or tripped (at most one a second and rule) */
    BOT_RECORD_ALARM,      /* a person should know: mismatch, unknown for long, contradiction */
    BOT_RECORD_CHECKPOINT, /* nothing happened; the state changed and should be saved */
    BOT_RECORD_ADJUST      /* a person accepted the venue's word: bot_adjust() */
};

struct bot_order { /* one order as the engine knows it; borrowed for the call */
    const struct instrument *instrument;
    unsigned leg;
    const char *client_order_id, *order_id; /* order_id "": not known yet */
    const char *key_name;                   /* the strategy's word: "cell 17 buy" */
    uint32_t key, epoch, sequence;
    enum side side;
    enum order_type type;
    enum tif tif;
    bool post_only, reduce_only;
    enum order_state state;
    bool cancelling;
    int64_t price_ticks, qty_lots, filled_lots; /* filled: booked */
    int64_t executed_lots;                      /* what the venue says */
    int64_t created_ms, ts_ms;
};

struct bot_adjustment { /* borrowed for the call */
    unsigned leg;
    struct flt_amt qty; /* added to the position */
    const char *by, *reason;
};

struct bot_record {
    enum bot_record_kind kind;
    int64_t ts_ms;
    const struct fill *fill;       /* FILL */
    const struct bot_order *order; /* FILL, ORDER */
    const char *code, *message;    /* RISK (code: the rule), ALARM, TRANSITION: reason */
    bool pauses;                   /* RISK: the rule pauses the bot, else it refused an order */
    enum bot_phase from, to;       /* TRANSITION */
    struct flt_amt realised;       /* FILL: what this fill realised */
    const struct bot_adjustment *adjustment; /* ADJUST */
};

enum { BOT_PLACE_RESTS = 100 };

const char *bot_record_kind_name(enum bot_record_kind kind); /* "fill", "order", ... */
struct engine_port {
    void *ctx;
    /* Gives intent->id.sequence and makes the intent survive kill -9. 0, or negative: nothing is
     * sent now; tried again within a second. */
    int (*intend)(void *ctx, struct bot *bot, struct order_intent *intent);
    /* 0: on its way. BOT_PLACE_RESTS: it is at the venue already (a backtest's). EXCHANGE_BUSY or
     * negative: nothing was sent, tried again later. */
    int (*place)(void *ctx, struct bot *bot, const struct order_request *request);
    int (*cancel)(void *ctx, struct bot *bot, const struct instrument *instrument,
                  const char *client_order_id);
    /* Answer: bot_on_query_result */
    int (*query_order)(void *ctx, struct bot *bot, const struct instrument *instrument,
                       const char *client_order_id);
    /* The trades of one order; answer: bot_on_fills_result */
    int (*fetch_fills)(void *ctx, struct bot *bot, const struct instrument *instrument,
                       const char *order_id, const char *client_order_id);
    /* The account's open orders of an instrument; answer: bot_on_open_orders */
    int (*open_orders)(void *ctx, struct bot *bot, unsigned leg);
    /* NULL: nobody keeps records (backtest). The host calls bot_save() from inside. Negative: the
     * journal cannot take it; the bot stops entries and goes on. */
    int (*record)(void *ctx, struct bot *bot, const struct bot_record *record);
    void (*log)(void *ctx, struct bot *bot, enum flt_log_level level,
                const char *text); /* or NULL */
    /* No records of ended orders and no names of keys in records (bot_key_name), nor notes: for
     * backtests, where nobody reads them and time counts. */
    bool brief;
    /* Brings the trades of the leg's instrument that the venue made since the last booked one, by
     * bot_on_fill; answer: bot_on_swept. Asked for after bot_distrust() only. NULL: there can be
     * none (paper, backtest). Negative: asked again later. */
    int (*sweep)(void *ctx, struct bot *bot, unsigned leg);
};

struct bot_config { /* borrowed for bot_create only, except clock, strategy and instruments */
    const char *fleet, *name;
    uint32_t epoch;
    enum bot_mode mode;
    const struct strategy_ops *strategy;
    struct json_object *params, *risk;           /* NULL: defaults */
    const struct instrument *const *instruments; /* one a leg; pointers stay valid */
    size_t leg_count;
    const struct flt_clock *clock;
    int64_t request_life_ms; /* of the account (exchange_ops); 0: no expiry */
    int64_t bar_ms;          /* above 0: bars have this length, whatever the parameters say */
    struct tape *tape;       /* records all that goes in and out; outlives the bot, or is dropped */
};

/* Checks everything (parameters, risk, the strategy's own check) and says what is wrong in `error`.
 * -EINVAL, -ENOMEM. `port` is copied. */
FLT_MUST_USE int bot_create(const struct bot_config *config, const struct engine_port *port,
                            struct flt_error *error, struct bot **out);
void bot_destroy(struct bot *bot);   /* NULL is fine */
void bot_drop_tape(struct bot *bot); /* its last state goes on the tape; without a tape: nothing */
/* The checks of bot_create alone: for deploy with dry_run and the CLI. */
FLT_MUST_USE int bot_check(const struct bot_config *config, struct flt_error *error);

/* --- start and recovery ------------------------------------------------------------------------
 */

/* In this order, before bot_start(): the saved state (bot_save's text), the intents of this bot
 * that the journal still has (any order, any epoch), the trades booked last (at least the newest
 * 256). -EINVAL: the state is not ours or of a newer version; `error` says so. */
FLT_MUST_USE int bot_restore(struct bot *bot, struct json_object *state, struct flt_error *error);
FLT_MUST_USE int bot_restore_intent(struct bot *bot, const struct order_intent *intent);
void bot_restore_fill(struct bot *bot, const char *instrument, const char *trade_id,
                      const char *order_id, int64_t ts_ms);
/* What the host has to know of the state's origin: a small object that stands in each snapshot from
 * now on and comes back with it; the engine does not look into it. Borrowed; NULL: none. */
void bot_set_past(struct bot *bot, struct json_object *past);
struct json_object *bot_past(const struct bot *bot);
/* From here on the bot acts: with the link up it recovers (open orders, unknown orders, missed
 * fills), then does what is desired. */
void bot_start(struct bot *bot);
/* Trades may have been lost with the disk: recovery begins anew, with a sweep. Also before
 * bot_start(); without it nothing is swept. */
void bot_distrust(struct bot *bot);

/* --- inputs -------------------------------------------------------------------------------------
 */

/* Bars for warm-up, oldest first, of bot_needs()->bar_ms; a last one that is still open seeds the
 * running bar. Called again after a gap. */
void bot_on_history(struct bot *bot, unsigned leg, const struct bar *bars, size_t count);
void bot_on_quote(struct bot *bot, unsigned leg, const struct quote *quote, int64_t received_ns);
void bot_on_trade(struct bot *bot, unsigned leg, const struct trade *trade, int64_t received_ns);
/* A closed bar of `bar_ms` (a minute from the streams; the engine makes longer ones), or, with
 * closed false, the running one (for prices only). */
void bot_on_bar(struct bot *bot, unsigned leg, const struct bar *bar, int64_t bar_ms, bool closed,
                int64_t received_ns);

void bot_on_order(struct bot *bot, const struct order *order);
void bot_on_fill(struct bot *bot, const struct fill *fill);
/* The same, of a trade that the host knows the bot has not booked: it may be older than what the
 * bot remembers, where it could not tell it from a repeat and would stop. */
void bot_on_fresh_fill(struct bot *bot, const struct fill *fill);
void bot_on_place_result(struct bot *bot, const char *client_order_id,
                         const struct exchange_failure *failure, const struct order *order);
void bot_on_cancel_result(struct bot *bot, const char *client_order_id,
                          const struct exchange_failure *failure);
void bot_on_query_result(struct bot *bot, const char *client_order_id,
                         const struct exchange_failure *failure, const struct order *order);
void bot_on_fills_result(struct bot *bot, const char *client_order_id,
                         const struct exchange_failure *failure, const struct fill *fills,
                         size_t count);
/* All open orders of the account on this leg's instrument; the bot finds its own and leaves the
 * others alone. */
void bot_on_open_orders(struct bot *bot, unsigned leg, const struct exchange_failure *failure,
                        const struct order *orders, size_t count);
/* The same list without the bot having asked for it, as a venue can lose an event of a stream that
 * stays up: what rests by our word, and was sent well before the host asked (`asked_ns`,
 * monotonic), and is not in it, is asked about. `orders` may hold those of other bots. */
void bot_on_audit(struct bot *bot, unsigned leg, const struct order *orders, size_t count,
                  int64_t asked_ns);
/* The trades that port.sweep was asked for were told; false: they could not be. */
void bot_on_swept(struct bot *bot, unsigned leg, bool told);
void bot_on_second(struct bot *bot); /* once a second of the clock */
/* The private stream (and with it the way to the venue). Up starts recovery. */
void bot_on_link(struct bot *bot, bool up, const char *reason);

void bot_set_desired(struct bot *bot, enum bot_run run, enum bot_stop how);
/* The strongest halt that applies, with its reason; NONE: told that there is none. Before the first
 * call the bot waits (`auto` bots wait for the controller's word, others get NONE from the host).
 */
void bot_set_halt(struct bot *bot, enum bot_halt halt, const char *reason);
/* The lease: without it no entry goes out, and with `send` false nothing at all. */
void bot_set_lease(struct bot *bot, bool entries, bool send);
/* The journal's word: false stops entries (full disk), exits and cancels go on. */
void bot_set_storage(struct bot *bot, bool entries);
/* Hot parameters and risk (NULL: keep). What cannot change while running is refused with -EBUSY and
 * the field's name, and nothing changes. */
FLT_MUST_USE int bot_set_params(struct bot *bot, struct json_object *params,
                                struct json_object *risk, struct flt_error *error);
void bot_cancel_order(struct bot *bot, const char *client_order_id); /* an operator's hand */
/* The venue holds less than the books say: the bot pauses, exits stay. NULL: no more so. */
void bot_set_drift(struct bot *bot, const char *message);
/* The venue's word is booked: the position moves by `qty` and its cost with it, the cash does not.
 * -ERANGE: it does not fit; nothing is booked then. */
FLT_MUST_USE int bot_adjust(struct bot *bot, const struct bot_adjustment *adjustment);
/* The same for each order whose trades the venue does not tell; how many, or negative. */
FLT_MUST_USE int bot_accept_orders(struct bot *bot, const char *by, const char *reason);

/* --- inspection ---------------------------------------------------------------------------------
 */

struct bot_counters {
    uint64_t events, strategy_calls, placed, cancelled, rejected, fills, duplicates, queries,
        contradictions, unknowns, risk_refusals;
};

struct bot_status {
    enum bot_phase phase;
    char reason_code[32]; /* "", "halt", "stale_price", "unknown_order", ... */
    char reason[160];     /* a sentence; the strategy's note when nothing else is to say */
    enum bot_run desired;
    enum bot_halt halt;
    bool link_up;
    uint32_t epoch;
    /* Sums over legs in the first leg's quote asset (legs share it). */
    struct flt_amt cash; /* flow since the start: what sells brought minus what buys cost */
    struct flt_amt realised, unrealised, pnl; /* pnl = realised + unrealised, exactly */
    struct flt_amt budget;                    /* parameter `budget` of the strategy, else zero */
    struct flt_amt equity;                    /* budget + pnl */
    struct flt_amt day_pnl;                   /* since 00:00 UTC */
    int64_t mark_ticks;           /* of leg 0; 0: no price yet (then unrealised is at cost) */
    int64_t bid_ticks, ask_ticks; /* of leg 0; 0: that side is empty or not known */
    int64_t quote_age_ms;         /* -1: never */
    unsigned open_orders, unknown_orders;
    int64_t clear_ms; /* when the venue last listed no order of it, and none was sent since; 0 */
    int64_t last_fill_ms;   /* 0: none */
    int64_t first_start_ms; /* wall; kept over restarts */
    bool moved;             /* the snapshot it began with is of an older epoch */
    struct bot_counters counters;
};

void bot_status(const struct bot *bot, struct bot_status *out);
int64_t bot_mark_ticks(const struct bot *bot); /* the status' mark_ticks alone */
enum bot_phase bot_phase(const struct bot *bot);
const char *bot_name(const struct bot *bot);
uint32_t bot_epoch(const struct bot *bot);
enum bot_mode bot_mode(const struct bot *bot);
uint64_t bot_owner(const struct bot *bot); /* the 40 bits in its client order ids: for routing */
const struct strategy_ops *bot_strategy(const struct bot *bot);
const struct needs *bot_needs(const struct bot *bot); /* feeds and bars it has to be given */
size_t bot_warmup_bars(const struct bot *bot);        /* bars of bar_ms for bot_on_history */
size_t bot_ready_bars(const struct bot *bot); /* bars until each line has all that is looked at */
size_t bot_leg_count(const struct bot *bot);
const struct instrument *bot_instrument(const struct bot *bot, unsigned leg);
const struct ledger *bot_ledger(const struct bot *bot, unsigned leg);
int64_t bot_position_lots(const struct bot *bot, unsigned leg);
/* The strategy's word for a key: "cell 17 buy". Borrowed from `out` or constant. */
const char *bot_key_name(const struct bot *bot, uint32_t key, char *out, size_t size);
/* Live orders (not ended, or ended and not yet booked in full): index 0.. until false. */
bool bot_order_at(const struct bot *bot, size_t index, struct bot_order *out);
/* Whether the bot has an order with the venue's id: for fills that come without a client id. */
bool bot_has_order_id(const struct bot *bot, const char *order_id);

void *bot_user(const struct bot *bot); /* the host's own pointer */
void bot_set_user(struct bot *bot, void *user);

/* The snapshot: {"v":1, ...}; everything bot_restore needs. */
void bot_save(const struct bot *bot, struct flt_buf *buf);
void bot_write_params(const struct bot *bot, struct flt_buf *buf, const char *key);
/* The strategy's state alone, by name, for `bot show --state`. */
void bot_write_state(const struct bot *bot, struct flt_buf *buf, const char *key);
