/* The operations of venues and their arguments, the same for every venue and for the command line.
 * Pure functions and tables; threads: any. */
#pragma once
#include "lib/attr.h"
#include "lib/fail.h"
#include "lib/market.h"

/* Every operation any venue has; names as in the fixtures and on the command line. */
enum op {
    OP_SERVER_TIME,
    OP_STATUS,
    OP_INSTRUMENTS,
    OP_TICKER,
    OP_TICKERS,
    OP_LAST_PRICES,
    OP_BOOK_TICKER,
    OP_KLINES,
    OP_DEPTH,
    OP_PUBLIC_TRADES,
    OP_BALANCES,
    OP_POSITIONS,
    OP_PLACE_ORDER,
    OP_BATCH_PLACE,
    OP_AMEND_ORDER,
    OP_BATCH_AMEND,
    OP_CANCEL,
    OP_BATCH_CANCEL,
    OP_CANCEL_ALL,
    OP_QUERY_ORDER,
    OP_OPEN_ORDERS,
    OP_CLOSED_ORDERS,
    OP_ALL_ORDERS,
    OP_MY_TRADES,
    OP_TRADING_FEE,
    OP_KEY_RIGHTS,
    OP_SET_LEVERAGE,
    OP_GET_LEVERAGE,
    OP_SET_MARGIN_MODE,
    OP_GET_MARGIN_MODE,
    OP_SET_POSITION_MODE,
    OP_GET_POSITION_MODE,
    OP_FUNDING_RATE,
    OP_FUNDING_RATE_HISTORY,
    OP_FUNDING_PAYMENTS,
    OP_MARK_PRICE,
    OP_CLOSE_POSITION,
    OP_LEVERAGE_TIERS,
    OP_DEAD_MAN_SWITCH,
    OP_COUNT
};

const char *op_name(enum op op);
bool op_parse(const char *name, enum op *out);
bool op_is_private(enum op op); /* is signed */
bool op_mutates(enum op op);    /* changes orders: without an answer it is never repeated */

/* Who goes first when a rate limit is near: lower is sooner. */
enum op_priority {
    PRIORITY_CANCEL,
    PRIORITY_CLOSE,
    PRIORITY_RECOVER, /* what a bot must know before it may go on: else others' entries starve it */
    PRIORITY_ENTRY,
    PRIORITY_DATA,
    PRIORITY_COUNT
};

/* Arguments of every operation, borrowed for the call. Zero or NULL: not given. */
struct op_args {
    const struct instrument *instrument;
    const struct instrument *const *instruments;
    size_t instrument_count;
    const char *order_id, *client_order_id, *new_client_order_id;
    enum side side;
    enum order_type type;
    enum tif tif;
    bool post_only, reduce_only;
    struct flt_dec qty, price;
    struct flt_dec quote_qty;   /* market orders: spend this much of the quote asset */
    struct flt_dec iceberg_qty; /* the part that is shown */
    const char *self_trade;     /* "expire_maker" ... */
    const char *interval;       /* "1m" */
    const char *from_trade_id;  /* first id wanted, inclusive */
    int64_t since_ms, until_ms;
    int limit;
    bool rolling; /* tickers over the last 24 h to the minute, where the venue has both */
};

enum op_priority op_priority(enum op op, const struct op_args *args);
/* Price and quantity against the instrument's grid and bounds; `error` names the field. */
FLT_MUST_USE int op_check_order(const struct op_args *args, struct flt_error *error);
