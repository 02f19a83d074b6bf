/* The simulated venue: Binance spot's REST and WebSocket APIs over exchanges/match.
 *
 * One loop thread. A request is answered after the ledger's commit of the same loop turn, so
 * whatever a client was told is in the file. Times are wall times (plus a fault's skew); recorded
 * market data are rebased to now. */
#pragma once
#include "exchanges/match/funds.h"
#include "exchanges/match/match.h"
#include "exchanges/sim/candles.h"
#include "exchanges/sim/source.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/server.h"

#define SIM_CLIENT_ID_MAX 37
#define SIM_TRADES_KEPT 1000
#define SIM_DIFF_MAX 200

enum sim_type { SIM_LIMIT, SIM_MARKET, SIM_LIMIT_MAKER };
enum sim_status {
    SIM_NEW,
    SIM_PARTIALLY_FILLED,
    SIM_FILLED,
    SIM_CANCELED,
    SIM_EXPIRED,
    SIM_EXPIRED_IN_MATCH
};
enum sim_stp { SIM_STP_NONE, SIM_STP_EXPIRE_MAKER, SIM_STP_EXPIRE_TAKER, SIM_STP_EXPIRE_BOTH };

struct sim;
struct sim_topic;
struct sim_session;
struct late;

struct sim_market {
    struct sim *sim;
    struct instrument instrument;
    struct match *match;
    struct sim_source *source;
    struct sim_event next; /* of the source, not yet due */
    bool has_next;
    char *spec;       /* of the source */
    int64_t begin_ms; /* of the source, at the start of this process: history before it is past */
    struct sim_candles minutes, seconds;
    struct trade trades[SIM_TRADES_KEPT]; /* a ring of public ones; trade_id - 1 is the place */
    int64_t trade_count;                  /* ids so far */
    int64_t update_id;
    int64_t last_ticks;
    struct match_level shown[2][SIM_DIFF_MAX]; /* depth as last told to diff streams */
    size_t shown_count[2];
    int64_t shown_id;
    struct sim_topic *topics;
    struct quote told; /* the book ticker as last sent */
    bool in_trade;     /* an event of the source is being applied */
};

struct sim_account {
    char key[80], secret[80];
    char *public_pem; /* Ed25519; NULL: HMAC */
    size_t index;
    bool can_withdraw; /* what its key is said to be able to; nothing here withdraws */
    struct funds *funds;
    struct sim_session *sessions;   /* user data subscriptions */
    int64_t window_10s, window_day; /* which 10 s and day the counters are of */
    int orders_10s, orders_day;
    struct sim_order *open_first;
    size_t open_count;
};

struct sim_order {
    int64_t order_id; /* place in sim->orders plus one */
    struct sim_account *account;
    struct sim_market *market;
    char client_id[SIM_CLIENT_ID_MAX], cancel_id[SIM_CLIENT_ID_MAX];
    enum side side;
    enum sim_type type;
    enum tif tif;
    enum sim_stp stp;
    enum sim_status status;
    int64_t price_ticks, qty_lots, filled_lots;
    flt_i128 cost;            /* ticks * lots */
    struct flt_amt quote_qty; /* market orders by quote amount; zero otherwise */
    struct flt_amt lock;      /* what of it is locked in funds */
    int64_t time_ms, update_ms;
    struct match_order *resting;
    size_t held; /* by quote amount: place in sim->fills plus one of the trade not told yet */
    struct sim_order *same_bucket;           /* by client id, newest first */
    struct sim_order *open_next, *open_prev; /* of the account */
    bool dirty;                              /* to be written at the commit */
};

struct sim_fill {
    int64_t trade_id, order_id, ts_ms;
    int64_t price_ticks, qty_lots;
    struct flt_amt fee;
    bool fee_in_base, maker;
};

struct sim_options {
    char *listen_host, *control_host;
    int listen_port, control_port;
    const char *db_path;
    struct fee_rule fees;
    uint64_t seed;
    double speed;
    bool loop;
    int64_t history_min;
    int limit_weight, limit_orders_10s, limit_orders_day;
};

struct sim_error {
    int http; /* 0: none */
    int code;
    char msg[200];
};

/* One request of either API on its way. */
struct sim_params;
struct sim_call {
    struct sim *sim;
    const struct sim_params *params;
    struct sim_account *account; /* of signed requests */
    const char *ip;
    struct flt_buf out; /* the reply's JSON */
    struct sim_error error;
    bool counts_order;
};

struct sim_clock {
    double speed;
    bool paused;
    int64_t source_ms; /* how far the sources were played, counted from the start */
    int64_t last_mono_ns;
    double rest_ms;
};

struct sim {
    struct flt_loop *loop;
    struct flt_server *server;
    struct flt_listener *listener, *control;
    struct sim_options options;
    struct sim_market **markets;
    size_t market_count;
    struct sim_account **accounts;
    size_t account_count;
    struct sim_order **orders;
    size_t order_count, order_capacity;
    struct sim_fill *fills;
    size_t fill_count, fill_capacity;
    struct sim_order **buckets; /* by client id */
    size_t bucket_count;
    struct sim_ledger *ledger;
    struct sim_faults *faults;
    struct sim_limits *limits;
    struct sim_clock clock;
    int64_t skew_ms;
    struct sim_session *sessions; /* all WebSockets */
    struct late *kept;            /* requests without an answer yet (rest.c) */
    struct flt_timer *timer;
    uv_check_t check;
    uint64_t requests, events;
    bool stopping;
};

/* --- base.c */
int64_t sim_now(const struct sim *sim);
FLT_PRINTF(4, 5)
int sim_fail(struct sim_error *error, int http, int code, const char *format, ...); /* -1 */

/* --- market.c */
FLT_MUST_USE int sim_market_open(struct sim *sim, const char *spec, const char *instruments_path,
                                 struct flt_error *error);
void sim_market_close(struct sim_market *market);
struct sim_market *sim_market_find(const struct sim *sim, const char *symbol);
/* All events until `clock_ms` of the sources' clock. */
void sim_market_play(struct sim_market *market, int64_t clock_ms);
void sim_market_note(const struct sim_market *market); /* in the ledger: how far it was played */
/* A public trade of ours or the outside's; returns its id. */
int64_t sim_market_publish_trade(struct sim_market *market, int64_t price, int64_t lots,
                                 enum side aggressor);
void sim_market_changed(struct sim_market *market); /* the book: tells bookTicker streams */
const struct trade *sim_market_trade(const struct sim_market *market, int64_t trade_id);

/* --- order.c */
struct sim_place {
    struct sim_market *market;
    char client_id[SIM_CLIENT_ID_MAX];
    enum side side;
    enum sim_type type;
    enum tif tif;
    enum sim_stp stp;
    int64_t price_ticks, qty_lots;
    struct flt_amt quote_qty;
};
/* -1: refused, `error` is filled. The order's fills are the newest of sim->fills. */
int sim_order_place(struct sim *sim, struct sim_account *account, const struct sim_place *place,
                    struct sim_order **out, struct sim_error *error);
int sim_order_check(struct sim *sim, struct sim_account *account, const struct sim_place *place,
                    struct sim_error *error); /* all but doing it */
void sim_order_cancel(struct sim *sim, struct sim_order *order, const char *cancel_id);
struct sim_order *sim_order_find(const struct sim *sim, const struct sim_account *account,
                                 const struct sim_market *market, int64_t order_id,
                                 const char *client_id);
void sim_order_add(struct sim *sim, struct sim_order *order); /* to the tables; owned by them */
void sim_order_open(struct sim_order *order);                 /* into the account's open list */
const struct match_events *sim_order_events(struct sim_market *market);
struct flt_amt sim_cost_amt(const struct sim_market *market, flt_i128 cost);
struct flt_amt sim_price_amt(const struct sim_market *market, int64_t ticks);
struct flt_amt sim_qty_amt(const struct sim_market *market, int64_t lots);
bool sim_order_is_open(const struct sim_order *order);

/* --- text.c: numbers as the venue writes them, and the names of its enums */
#define SIM_NUM_MAX 48
char *sim_num(struct flt_amt value, char *out); /* 8 decimals */
void sim_jw_amt(struct flt_buf *buf, const char *key, struct flt_amt value);
void sim_jw_price(struct flt_buf *buf, const char *key, const struct sim_market *market,
                  int64_t ticks);
void sim_jw_qty(struct flt_buf *buf, const char *key, const struct sim_market *market,
                int64_t lots);
void sim_jw_cost(struct flt_buf *buf, const char *key, const struct sim_market *market,
                 flt_i128 cost);
void sim_jw_levels(struct flt_buf *buf, const char *key, const struct sim_market *market,
                   const struct match_level *levels, size_t count);
const char *sim_type_name(enum sim_type type);
const char *sim_status_name(enum sim_status status);
const char *sim_stp_name(enum sim_stp stp);
const char *sim_tif_name(enum tif tif);
const char *sim_side_name(enum side side);
extern const struct sim_interval {
    const char *name;
    int64_t step_ms; /* 0: calendar months */
} sim_intervals[16];
int sim_interval_find(const char *name); /* its place; -1: none */
/* Candle of any interval by opening time, oldest first, up to `max`; from < 0: the newest. */
size_t sim_klines(const struct sim_market *market, int interval, int64_t from_ms, int64_t to_ms,
                  struct sim_kline *out, size_t max);
int64_t sim_interval_open(int interval, int64_t ts_ms);
int64_t sim_interval_close(int interval, int64_t open_ms); /* last ms of it */
