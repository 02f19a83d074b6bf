/* What a venue's wire protocol is made of: pure functions, the same shape for every venue.
 *
 * A codec builds requests from typed arguments and turns replies and stream frames into the
 * normalised objects of lib/market.h. It does no I/O, reads no clock and keeps nothing between
 * calls but the caller's scratch memory; exchanges/transport/ does connections, rates and retries,
 * and exchanges/cli.c runs codecs offline. To add a venue: a folder with a `struct codec`, a row in
 * exchange.c, recorded replies beside its tests.
 *
 * Decimals are exact; a missing one is FLT_DEC_BAD and written as null. Threads: any, with a
 * scratch and a result of one's own.
 */
#pragma once
#include "exchanges/exchange.h"
#include "exchanges/instruments.h"
#include "exchanges/op.h"
#include "exchanges/wire.h"
#include "lib/json.h"

struct candle {
    int64_t ts_ms; /* open time */
    struct flt_dec open, high, low, close;
    struct flt_amt volume; /* base asset */
};

struct ticker {
    char instrument[INSTRUMENT_NAME_MAX];
    struct flt_dec bid, bid_qty, ask, ask_qty, last;
    int64_t ts_ms; /* 0: not said */
};

struct level {
    struct flt_dec price, qty; /* quantity 0 in a delta: the level is gone */
};

struct book { /* levels are the owner's memory; bids descending, asks ascending */
    char instrument[INSTRUMENT_NAME_MAX];
    struct level *bids, *asks;
    size_t bid_count, ask_count;
    int64_t first_sequence; /* of a delta; 0 in a snapshot */
    int64_t sequence, ts_ms;
};

struct market_trade {
    char instrument[INSTRUMENT_NAME_MAX];
    char trade_id[ORDER_ID_MAX];
    struct flt_dec price, qty;
    enum side aggressor;
    int64_t ts_ms;
};

struct fee_rate {
    char instrument[INSTRUMENT_NAME_MAX];
    struct flt_dec maker, taker;
};

#define RATE_LIMITS_MAX 4

/* A list grows as it is filled; its owner frees it. */
struct list {
    void *items;
    size_t count, capacity;
};

enum result_kind {
    RESULT_NOTHING,
    RESULT_TIME,
    RESULT_INSTRUMENTS,
    RESULT_TICKERS,
    RESULT_CANDLES,
    RESULT_BOOK,
    RESULT_TRADES,
    RESULT_BALANCES,
    RESULT_ORDERS,
    RESULT_FILLS,
    RESULT_FEES,
    RESULT_RIGHTS /* struct key_rights */
};

struct result {
    struct exchange_failure failure; /* error EXCHANGE_OK: the rest is valid */
    int64_t banned_until_ms;         /* venue's clock; 0: not said */
    enum result_kind kind;
    bool single; /* one object by the nature of the answer, not a list of one */
    int64_t server_time_ms;
    uint32_t limit_units[RATE_LIMITS_MAX]; /* of instruments' replies that say them; 0: not said */
    struct list items;                     /* of the kind's struct */
    struct list fills;                     /* struct fill: of an order's reply that carries them */
    struct list bids, asks;                /* struct level: memory of `book` */
    struct book book;
};

/* What a reply says: zeroed before use; result_finish() frees and zeroes it again. */
void result_finish(struct result *result);
/* A zeroed item at the end of the list; NULL: no memory. */
void *list_add(struct list *list, size_t item_size);
#define RESULT_ITEMS(result, type) ((type *)(result)->items.items)

struct codec_reply {
    int http_status; /* 0: not known, judged by the body */
    const char *body;
    size_t size;
    const char *retry_after; /* header, NULL: none */
    int64_t now_ms;          /* venue's clock, for ban ends; 0: not known */
};

/* --- streams -----------------------------------------------------------------------------------
 */

enum stream_kind {
    STREAM_TRADE,
    STREAM_QUOTE,
    STREAM_CANDLE,
    STREAM_TICKER,
    STREAM_BOOK,
    STREAM_BOOK_DELTA,
    STREAM_ORDER,
    STREAM_FILL,
    STREAM_BALANCE,
    STREAM_ACK,      /* of a subscription or login */
    STREAM_ERROR,    /* a request of ours on the stream was refused: `failure` */
    STREAM_SHUTDOWN, /* the venue ends this connection: reconnect now */
    STREAM_END,      /* the account's stream has ended: log in again */
    STREAM_IGNORED,  /* well-formed and of no interest */
    STREAM_UNKNOWN   /* not understood; `text` says why */
};

struct stream_event {
    enum stream_kind kind;
    const struct instrument *instrument; /* NULL: of no instrument, or one not in the table */
    const char *symbol;                  /* the venue's, not NUL-terminated */
    size_t symbol_size;
    int64_t ts_ms;    /* 0: the venue does not say */
    int64_t id;       /* ACK, ERROR: of the request; 0: none */
    int64_t sequence; /* QUOTE: update id; 0: none */
    const char *text;
    union {
        struct market_trade trade; /* instrument left empty: see above */
        struct ticker ticker;      /* QUOTE and TICKER, likewise */
        struct {
            struct candle candle;
            char interval[8];
            bool closed;
        } bar;
        struct book book;
        struct order order;
        struct fill fill;
        struct balance balance;
        struct exchange_failure failure;
    };
};

typedef void stream_event_fn(void *ctx, const struct stream_event *event);

struct stream_scratch { /* zeroed before first use, freed with stream_scratch_finish() */
    struct list bids, asks;
    struct stream_event event;
};
void stream_scratch_finish(struct stream_scratch *scratch);

struct stream_channel {
    const struct instrument *instrument;
    enum feed feed;
};

struct stream_rules {
    unsigned messages_per_s; /* that we may send */
    unsigned channels_max;   /* on one connection */
    unsigned channels_per_message;
    int64_t life_ms;       /* after which the venue ends a connection; 0: never */
    const char *ping_text; /* the venue wants pings as messages; NULL: frames suffice */
    uint32_t ping_ms;
};

/* --- the codec ----------------------------------------------------------------------------------
 */

struct rate_limit {
    const char *name;
    bool per_account; /* else shared by all that uses this address */
    uint32_t units;
    int64_t interval_ms;
    const char *used_header; /* in which the venue says what it has counted; NULL: it does not */
};
struct op_cost {
    uint32_t units[RATE_LIMITS_MAX]; /* by index of codec.limits */
};

struct codec_env {
    const char *rest_url;        /* without a slash at the end */
    const struct signer *signer; /* NULL: public requests only */
    int64_t now_ms;              /* the venue's clock */
    int64_t receive_window_ms;   /* 0: the codec's */
};

enum { CODEC_LOGGED_IN = 1 };

struct codec {
    const char *name;
    struct exchange_urls live;
    const struct rate_limit *limits;
    size_t limit_count;
    struct stream_rules stream;
    int64_t receive_window_ms; /* 0: requests of this venue do not expire */

    bool (*supports)(enum op op);
    void (*cost)(enum op op, const struct op_args *args, struct op_cost *out);
    /* Negative: refused, `error` says which argument and why; nothing may be sent. */
    int (*build)(const struct codec_env *env, enum op op, const struct op_args *args,
                 struct wire *out, struct flt_error *error);
    /* Always fills `out`, if only with a failure. `args`: of the request, for what the reply leaves
     * out (the instrument of a book); NULL is fine. Unknown symbols keep the venue's name. */
    void (*parse)(const struct instruments *table, enum op op, const struct op_args *args,
                  const struct codec_reply *reply, struct result *out);

    /* The address of the public (or a signed account's) stream. */
    int (*stream_url)(const struct exchange_urls *urls, bool account, char *out, size_t size);
    /* One message that subscribes (or ends) up to channels_per_message channels. */
    int (*subscribe)(bool on, const struct stream_channel *channels, size_t count, int64_t id,
                     struct flt_buf *out);
    /* The message of login step `step`, from 0; each is sent after the ack of the one before.
     * CODEC_LOGGED_IN: all steps are done, nothing was written. */
    int (*login)(const struct signer *signer, int64_t now_ms, unsigned step, struct flt_buf *out);
    /* Calls `emit` for each event in the message, none or several; never fails. */
    void (*frame)(const struct instruments *table, const char *data, size_t size,
                  struct stream_scratch *scratch, stream_event_fn *emit, void *ctx);
};

/* NULL: no such venue. exchange.c has the list. */
const struct codec *codec_find(const char *name);
const struct codec *const *codec_list(size_t *count);
