#include "exchanges/exchange.h"
#include <string.h>

static const char *const names[EXCHANGE_ERROR_COUNT] = {
    [EXCHANGE_OK] = "OK",
    [EXCHANGE_AUTH] = "AUTH",
    [EXCHANGE_PERMISSION] = "PERMISSION",
    [EXCHANGE_TIMESTAMP] = "TIMESTAMP",
    [EXCHANGE_RATE_LIMIT] = "RATE_LIMIT",
    [EXCHANGE_IP_BANNED] = "IP_BANNED",
    [EXCHANGE_INSUFFICIENT_FUNDS] = "INSUFFICIENT_FUNDS",
    [EXCHANGE_ORDER_NOT_FOUND] = "ORDER_NOT_FOUND",
    [EXCHANGE_DUPLICATE_CLIENT_ID] = "DUPLICATE_CLIENT_ID",
    [EXCHANGE_INVALID_ORDER] = "INVALID_ORDER",
    [EXCHANGE_POST_ONLY_WOULD_TAKE] = "POST_ONLY_WOULD_TAKE",
    [EXCHANGE_REDUCE_ONLY_REJECTED] = "REDUCE_ONLY_REJECTED",
    [EXCHANGE_IOC_NOT_FILLED] = "IOC_NOT_FILLED",
    [EXCHANGE_BAD_SYMBOL] = "BAD_SYMBOL",
    [EXCHANGE_BAD_REQUEST] = "BAD_REQUEST",
    [EXCHANGE_MARKET_CLOSED] = "MARKET_CLOSED",
    [EXCHANGE_CONFLICT] = "CONFLICT",
    [EXCHANGE_NOT_MODIFIED] = "NOT_MODIFIED",
    [EXCHANGE_VENUE_BUSY] = "EXCHANGE_BUSY",
    [EXCHANGE_MAINTENANCE] = "MAINTENANCE",
    [EXCHANGE_UNKNOWN_OUTCOME] = "UNKNOWN_OUTCOME",
};

const char *exchange_error_name(enum exchange_error error)
{
    return error < EXCHANGE_ERROR_COUNT ? names[error] : "UNKNOWN_OUTCOME";
}

bool exchange_error_parse(const char *name, enum exchange_error *out)
{
    for (int i = 0; i < EXCHANGE_ERROR_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum exchange_error)i;
            return true;
        }
    }
    return false;
}
