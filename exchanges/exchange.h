/* What a node sees of a venue: market data shared by all bots, and trading accounts.
 *
 * A call queues its request and returns at once; results arrive through the events on the loop
 * thread, never inside the call. Outcome of a call: EXCHANGE_BUSY (no room under the rate limit
 * within a second, or too many are queued: nothing will happen, ask again later). A venue is a
 * codec (exchanges/<venue>/) behind the one transport (exchanges/transport/), or the paper venue
 * (exchanges/paper/) over another venue's market data: its account_open takes any venue's market.
 *
 * Orders: `on_place_result` tells what became of the request, on_order what the venue says of the
 * order, on_fill each trade. They may come in any order and more than once; the engine books by
 * trade id. EXCHANGE_UNKNOWN_OUTCOME means that the order may exist: ask, never resend. A request
 * that certainly did not leave ends as EXCHANGE_VENUE_BUSY or EXCHANGE_RATE_LIMIT.
 *
 * Closing an account or a market drops what is under way without a callback; do it outside their
 * callbacks. Accounts are closed before their market. */
#pragma once
#include "lib/attr.h"
#include "lib/fail.h"
#include "lib/loop.h"
#include "lib/market.h"

enum { EXCHANGE_BUSY = 1 };

/* What an error means, for every venue (exchanges/error.c has the names). */
enum exchange_error {
    EXCHANGE_OK,
    EXCHANGE_AUTH,
    EXCHANGE_PERMISSION,
    EXCHANGE_TIMESTAMP,
    EXCHANGE_RATE_LIMIT,
    EXCHANGE_IP_BANNED,
    EXCHANGE_INSUFFICIENT_FUNDS,
    EXCHANGE_ORDER_NOT_FOUND,
    EXCHANGE_DUPLICATE_CLIENT_ID,
    EXCHANGE_INVALID_ORDER,
    EXCHANGE_POST_ONLY_WOULD_TAKE,
    EXCHANGE_REDUCE_ONLY_REJECTED,
    EXCHANGE_IOC_NOT_FILLED,
    EXCHANGE_BAD_SYMBOL,
    EXCHANGE_BAD_REQUEST,
    EXCHANGE_MARKET_CLOSED,
    EXCHANGE_CONFLICT,
    EXCHANGE_NOT_MODIFIED,
    EXCHANGE_VENUE_BUSY, /* "EXCHANGE_BUSY" on the wire and in fixtures */
    EXCHANGE_MAINTENANCE,
    EXCHANGE_UNKNOWN_OUTCOME,
    EXCHANGE_ERROR_COUNT
};

const char *exchange_error_name(enum exchange_error error); /* "POST_ONLY_WOULD_TAKE" */
bool exchange_error_parse(const char *name, enum exchange_error *out);

struct exchange_failure {
    enum exchange_error error;
    int http_status;
    int64_t venue_code;
    int64_t retry_after_ms; /* 0: not said */
    char message[160];      /* the venue's own words, control characters removed */
};

/* --- market data: one connection per venue and node, however many bots watch ----------------- */

enum feed { FEED_QUOTE = 1, FEED_TRADE = 2, FEED_BAR_1M = 4, FEED_BOOK = 8 };

struct exchange_market;
struct exchange_account;

struct exchange_market_events {
    void *ctx;
    /* Instruments are loaded (again); pointers stay valid and keep their addresses till close. */
    void (*on_instruments)(void *ctx);
    /* received_ns: monotonic time at which the bytes were there; for latency and staleness. */
    void (*on_quote)(void *ctx, const struct instrument *instrument, const struct quote *quote,
                     int64_t received_ns);
    void (*on_trade)(void *ctx, const struct instrument *instrument, const struct trade *trade,
                     int64_t received_ns);
    void (*on_bar)(void *ctx, const struct instrument *instrument, const struct bar *bar,
                   bool closed, int64_t received_ns);
    void (*on_link)(void *ctx, bool up, const char *reason); /* streams connected or lost */
};

struct exchange_urls {
    const char *rest, *stream, *ws_api; /* NULL: the venue's live addresses */
    const char *ca_file;
    const char *source; /* paper: the venue whose market it is; NULL: binance */
};

struct exchange_env { /* what venues share in a process; outlives them */
    struct flt_loop *loop;
    struct flt_http *http;
    struct flt_ws_context *ws;
    int64_t receive_window_ms; /* at most this; 0: the venue's own */
    int64_t
        stream_silence_ms; /* a market stream without a word for so long is made anew; 0: 60000 */
};

typedef void exchange_bars_fn(void *ctx, const struct exchange_failure *failure,
                              const struct instrument *instrument, const struct bar *bars,
                              size_t count);

/* --- a trading account ------------------------------------------------------------------------ */

#define EXCHANGE_PAPER_FUNDS 100000 /* of each quote asset, unless told otherwise */

struct exchange_credentials {    /* borrowed for the call of account_open; copied, wiped at close */
    const char *key, *secret;    /* HMAC */
    const char *private_key_pem; /* Ed25519; NULL: HMAC */
    const char *passphrase;      /* venues that have one */
    /* paper: what the account begins with, "USDT=100000,BTC=0.5"; NULL: `key` when that has the
     * same form, else EXCHANGE_PAPER_FUNDS of each quote asset at its first order. */
    const char *paper_balances;
};

struct key_rights { /* what the venue lets this key do */
    bool trade, withdraw;
    bool bound; /* to addresses that its owner listed */
};

/* `seq` tells events of one order apart in time where the venue numbers them; else 0. */
struct exchange_account_events {
    void *ctx;
    /* The private stream is up (ask for the truth of what may have been missed) or lost. */
    void (*on_link)(void *ctx, bool up, const char *reason);
    void (*on_order)(void *ctx, const struct order *order);
    void (*on_fill)(void *ctx, const struct fill *fill);
    void (*on_balance)(void *ctx, const struct balance *balance);
    /* The end of a place or cancel request. failure->error OK: accepted (`order` is what the venue
     * answered, or NULL when it answers with an acknowledgement only). */
    void (*on_place_result)(void *ctx, const char *client_order_id,
                            const struct exchange_failure *failure, const struct order *order);
    void (*on_cancel_result)(void *ctx, const char *client_order_id,
                             const struct exchange_failure *failure);
};

/* Answers of queries; `failure->error` says whether the rest is valid; arrays are borrowed. */
typedef void exchange_order_fn(void *ctx, const struct exchange_failure *failure,
                               const struct order *order);
typedef void exchange_orders_fn(void *ctx, const struct exchange_failure *failure,
                                const struct order *orders, size_t count);
typedef void exchange_fills_fn(void *ctx, const struct exchange_failure *failure,
                               const struct fill *fills, size_t count);
typedef void exchange_balances_fn(void *ctx, const struct exchange_failure *failure,
                                  const struct balance *balances, size_t count);

typedef void exchange_rights_fn(void *ctx, const struct exchange_failure *failure,
                                const struct key_rights *rights);

struct fills_query {
    const struct instrument *instrument;
    const char *order_id;      /* fills of one order; NULL: of the instrument */
    const char *from_trade_id; /* exclusive; NULL: from since_ms */
    int64_t since_ms;          /* 0: the newest `limit` */
    int limit;                 /* 0: the venue's maximum */
};

struct exchange_ops {
    const char *name; /* "binance", "paper": the word in config files and topics */

    int (*market_open)(const struct exchange_env *env, const struct exchange_urls *urls,
                       const struct exchange_market_events *events, struct exchange_market **out);
    void (*market_close)(struct exchange_market *market);
    /* All instruments known so far; count 0 until on_instruments. */
    const struct instrument *const *(*instruments)(struct exchange_market *market, size_t *count);
    /* Feeds are counted: as many unsubscribes end one. */
    int (*subscribe)(struct exchange_market *market, const struct instrument *instrument,
                     unsigned feeds);
    void (*unsubscribe)(struct exchange_market *market, const struct instrument *instrument,
                        unsigned feeds);
    /* Closed bars, oldest first; `timeframe` as in timeframe_ms(); since_ms 0: the newest `limit`.
     */
    int (*bars)(struct exchange_market *market, const struct instrument *instrument,
                const char *timeframe, int64_t since_ms, int limit, exchange_bars_fn *fn,
                void *ctx);
    int64_t (*clock_offset_ms)(struct exchange_market *market); /* venue minus ours */

    int (*account_open)(struct exchange_market *market,
                        const struct exchange_credentials *credentials,
                        const struct exchange_account_events *events,
                        struct exchange_account **out);
    /* Questions under way are answered inside, with EXCHANGE_UNKNOWN_OUTCOME, so that whoever asked
     * can free what it kept; there are no events any more. */
    void (*account_close)(struct exchange_account *account);
    /* What is asked from now on leaves before this boot time or not at all, queued and repeated
     * requests too; 0: no limit. The end of a lease (docs/ARCHITECTURE.md, Who may trade). NULL:
     * nothing leaves the process. */
    void (*set_deadline)(struct exchange_account *account, int64_t not_after_boot_ns);
    int (*place)(struct exchange_account *account, const struct order_request *request);
    int (*cancel)(struct exchange_account *account, const struct instrument *instrument,
                  const char *client_order_id);
    int (*query_order)(struct exchange_account *account, const struct instrument *instrument,
                       const char *client_order_id, exchange_order_fn *fn, void *ctx);
    /* The same by the venue's own id: whose order a trade belongs to. */
    int (*query_order_id)(struct exchange_account *account, const struct instrument *instrument,
                          const char *order_id, exchange_order_fn *fn, void *ctx);
    int (*open_orders)(struct exchange_account *account, const struct instrument *instrument,
                       exchange_orders_fn *fn, void *ctx); /* instrument NULL: all */
    int (*fills)(struct exchange_account *account, const struct fills_query *query,
                 exchange_fills_fn *fn, void *ctx);
    int (*balances)(struct exchange_account *account, exchange_balances_fn *fn, void *ctx);
    /* NULL: the venue does not say. */
    int (*rights)(struct exchange_account *account, exchange_rights_fn *fn, void *ctx);
    /* Longest time after which a request that got no answer can still be executed by the venue
     * (signed timestamp + receive window + clock error), ms. 0: no expiry. */
    int64_t (*request_life_ms)(struct exchange_account *account);
};

/* NULL: no such venue. The list is exchanges/exchange.c. */
const struct exchange_ops *exchange_find(const char *name);
const struct exchange_ops *const *exchange_list(size_t *count);
