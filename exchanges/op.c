#include "exchanges/op.h"
#define FLT_MOD "op"
#include <string.h>

struct op_row {
    const char *name;
    bool is_private, mutates;
};

static const struct op_row ops[OP_COUNT] = {
    [OP_SERVER_TIME] = { "server_time", false, false },
    [OP_STATUS] = { "status", false, false },
    [OP_INSTRUMENTS] = { "instruments", false, false },
    [OP_TICKER] = { "ticker", false, false },
    [OP_TICKERS] = { "tickers", false, false },
    [OP_LAST_PRICES] = { "last_prices", false, false },
    [OP_BOOK_TICKER] = { "book_ticker", false, false },
    [OP_KLINES] = { "klines", false, false },
    [OP_DEPTH] = { "depth", false, false },
    [OP_PUBLIC_TRADES] = { "public_trades", false, false },
    [OP_BALANCES] = { "balances", true, false },
    [OP_POSITIONS] = { "positions", true, false },
    [OP_PLACE_ORDER] = { "place_order", true, true },
    [OP_BATCH_PLACE] = { "batch_place", true, true },
    [OP_AMEND_ORDER] = { "amend_order", true, true },
    [OP_BATCH_AMEND] = { "batch_amend", true, true },
    [OP_CANCEL] = { "cancel", true, true },
    [OP_BATCH_CANCEL] = { "batch_cancel", true, true },
    [OP_CANCEL_ALL] = { "cancel_all", true, true },
    [OP_QUERY_ORDER] = { "query_order", true, false },
    [OP_OPEN_ORDERS] = { "open_orders", true, false },
    [OP_CLOSED_ORDERS] = { "closed_orders", true, false },
    [OP_ALL_ORDERS] = { "all_orders", true, false },
    [OP_MY_TRADES] = { "my_trades", true, false },
    [OP_TRADING_FEE] = { "trading_fee", true, false },
    [OP_KEY_RIGHTS] = { "key_rights", true, false },
    [OP_SET_LEVERAGE] = { "set_leverage", true, true },
    [OP_GET_LEVERAGE] = { "get_leverage", true, false },
    [OP_SET_MARGIN_MODE] = { "set_margin_mode", true, true },
    [OP_GET_MARGIN_MODE] = { "get_margin_mode", true, false },
    [OP_SET_POSITION_MODE] = { "set_position_mode", true, true },
    [OP_GET_POSITION_MODE] = { "get_position_mode", true, false },
    [OP_FUNDING_RATE] = { "funding_rate", false, false },
    [OP_FUNDING_RATE_HISTORY] = { "funding_rate_history", false, false },
    [OP_FUNDING_PAYMENTS] = { "funding_payments", true, false },
    [OP_MARK_PRICE] = { "mark_price", false, false },
    [OP_CLOSE_POSITION] = { "close_position", true, true },
    [OP_LEVERAGE_TIERS] = { "leverage_tiers", true, false },
    [OP_DEAD_MAN_SWITCH] = { "dead_man_switch", true, true },
};

const char *op_name(enum op op)
{
    return ops[op].name;
}

bool op_parse(const char *name, enum op *out)
{
    for (int i = 0; i < OP_COUNT; i++) {
        if (strcmp(ops[i].name, name) == 0) {
            *out = (enum op)i;
            return true;
        }
    }
    return false;
}

bool op_is_private(enum op op)
{
    return ops[op].is_private;
}

bool op_mutates(enum op op)
{
    return ops[op].mutates;
}

enum op_priority op_priority(enum op op, const struct op_args *args)
{
    /* The clock is looked at when nothing else can go on without it. */
    if (op == OP_CANCEL || op == OP_BATCH_CANCEL || op == OP_CANCEL_ALL || op == OP_SERVER_TIME)
        return PRIORITY_CANCEL;
    /* A query of an order decides whether something may be sent at all: as urgent as a close. */
    if (op == OP_CLOSE_POSITION || op == OP_DEAD_MAN_SWITCH || op == OP_QUERY_ORDER ||
        (op == OP_PLACE_ORDER && args->reduce_only))
        return PRIORITY_CLOSE;
    if ((op == OP_OPEN_ORDERS && args->instrument) || op == OP_MY_TRADES)
        return PRIORITY_RECOVER;
    return op_mutates(op) ? PRIORITY_ENTRY : PRIORITY_DATA;
}

/* One number against a grid that starts at `low`, and its bounds. */
static int check_grid(const char *field, struct flt_dec value, struct flt_dec step,
                      struct flt_dec low, struct flt_dec high, const char *instrument,
                      struct flt_error *error)
{
    char text[FLT_DEC_TEXT_MAX], step_text[FLT_DEC_TEXT_MAX];

    flt_dec_format(value, text);
    if (!flt_dec_ok(value) || flt_dec_cmp(value, FLT_DEC_ZERO) <= 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, field, "", "%s must be above zero",
                             field);
    if (flt_dec_cmp(step, FLT_DEC_ZERO) > 0 && !flt_dec_is_multiple(flt_dec_sub(value, low), step))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, field, "round it to the grid first",
                             "%s %s is not on the grid of %s, whose step is %s", field, text,
                             instrument, flt_dec_format(step, step_text));
    if (flt_dec_cmp(value, low) < 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, field, "", "%s %s is below %s of %s",
                             field, text, flt_dec_format(low, step_text), instrument);
    if (flt_dec_cmp(high, FLT_DEC_ZERO) > 0 && flt_dec_cmp(value, high) > 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, field, "", "%s %s is above %s of %s",
                             field, text, flt_dec_format(high, step_text), instrument);
    return 0;
}

int op_check_order(const struct op_args *args, struct flt_error *error)
{
    const struct instrument *instrument = args->instrument;
    int err = 0;

    if (!instrument)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "instrument", "",
                             "instrument is missing");
    if (flt_dec_is_zero(args->quote_qty))
        err = check_grid("qty", args->qty, instrument->lot, instrument->qty_min,
                         instrument->qty_max, instrument->name, error);
    if (err == 0 && args->type == ORDER_LIMIT)
        err = check_grid("price", args->price, instrument->tick, instrument->price_min,
                         instrument->price_max, instrument->name, error);
    return err;
}
