/* Error codes of Binance (errors.md of binance-spot-api-docs, 2026-07-17). */
#define FLT_MOD "binance"
#include "exchanges/binance/binance.h"
#include <stdlib.h>
#include <string.h>

struct error_row {
    int64_t code;
    const char *part; /* of the message; NULL: any */
    enum exchange_error error;
};

/* First match wins: -2010, -2011 and -1013 say what they mean in their text only. */
static const struct error_row error_rows[] = {
    { -2010, "insufficient balance", EXCHANGE_INSUFFICIENT_FUNDS },
    { -2010, "Duplicate order", EXCHANGE_DUPLICATE_CLIENT_ID },
    { -2010, "immediately match", EXCHANGE_POST_ONLY_WOULD_TAKE },
    { -2010, "Market is closed", EXCHANGE_MARKET_CLOSED },
    { -2010, "not enabled", EXCHANGE_PERMISSION },
    { -2010, "not permitted", EXCHANGE_PERMISSION },
    { -2010, "Rest API trading is not enabled", EXCHANGE_PERMISSION },
    { -2010, NULL, EXCHANGE_INVALID_ORDER },
    { -2011, NULL, EXCHANGE_ORDER_NOT_FOUND },
    { -2013, NULL, EXCHANGE_ORDER_NOT_FOUND },
    { -2026, NULL, EXCHANGE_ORDER_NOT_FOUND }, /* archived: too old to be asked for */
    { -1013, NULL, EXCHANGE_INVALID_ORDER },
    { -1111, NULL, EXCHANGE_INVALID_ORDER },
    { -2038, NULL, EXCHANGE_INVALID_ORDER },
    { -2039, NULL, EXCHANGE_CONFLICT },
    { -2021, NULL, EXCHANGE_CONFLICT },
    { -2022, NULL, EXCHANGE_CONFLICT },
    { -2035, NULL, EXCHANGE_NOT_MODIFIED },
    { -1021, NULL, EXCHANGE_TIMESTAMP },
    { -1022, NULL, EXCHANGE_AUTH },
    { -2014, NULL, EXCHANGE_AUTH },
    { -2015, NULL, EXCHANGE_AUTH },
    { -1002, NULL, EXCHANGE_AUTH },
    { -1003, "banned", EXCHANGE_IP_BANNED },
    { -1003, NULL, EXCHANGE_RATE_LIMIT },
    { -1015, NULL, EXCHANGE_RATE_LIMIT },
    { -1034, NULL, EXCHANGE_RATE_LIMIT },
    { -1121, NULL, EXCHANGE_BAD_SYMBOL },
    { -1122, NULL, EXCHANGE_MARKET_CLOSED },
    { -1008, NULL, EXCHANGE_VENUE_BUSY },
    { -1016, NULL, EXCHANGE_VENUE_BUSY },
    { -1000, NULL, EXCHANGE_UNKNOWN_OUTCOME },
    { -1001, NULL, EXCHANGE_UNKNOWN_OUTCOME },
    { -1006, NULL, EXCHANGE_UNKNOWN_OUTCOME },
    { -1007, NULL, EXCHANGE_UNKNOWN_OUTCOME },
};

static enum exchange_error by_status(int status, bool has_code)
{
    if (status == 418)
        return EXCHANGE_IP_BANNED;
    if (status == 429 || (status == 403 && !has_code)) /* 403: the firewall, in HTML */
        return EXCHANGE_RATE_LIMIT;
    if (status == 401)
        return EXCHANGE_AUTH;
    if (status == 403)
        return EXCHANGE_PERMISSION;
    if (status == 409)
        return EXCHANGE_CONFLICT;
    if (status >= 500 || status == 408 || status == 0)
        return EXCHANGE_UNKNOWN_OUTCOME;
    return EXCHANGE_BAD_REQUEST;
}

enum exchange_error binance_error_class(int http_status, int64_t code, const char *message)
{
    for (size_t i = 0; i < FLT_COUNT(error_rows); i++)
        if (error_rows[i].code == code &&
            (!error_rows[i].part || strcasestr(message, error_rows[i].part))) {
            /* A ban is told by the status as well as by the words. */
            return http_status == 418 ? EXCHANGE_IP_BANNED : error_rows[i].error;
        }
    if (code <= -1100 && code > -2000)
        return EXCHANGE_BAD_REQUEST;
    return by_status(http_status ? http_status : (code < 0 ? 400 : 0), code != 0);
}

void binance_words(const char *text, size_t size, struct exchange_failure *out)
{
    size_t length = 0;

    for (size_t i = 0; i < size && length + 1 < sizeof out->message; i++) {
        const unsigned char c = (unsigned char)text[i];

        out->message[length++] = c < 0x20 || c == 0x7f ? ' ' : text[i];
    }
    out->message[length] = '\0';
}

/* "IP banned until 1700000120000": the venue's clock, ms. */
static int64_t ban_end(const char *message)
{
    const char *at = strstr(message, "until ");

    return at ? strtoll(at + 6, NULL, 10) : 0;
}

static void fill(int status, int64_t code, const char *message, struct result *out)
{
    out->failure.error = binance_error_class(status, code, message);
    out->failure.venue_code = code;
    binance_words(message, strlen(message), &out->failure);
    if (out->failure.error == EXCHANGE_IP_BANNED)
        out->banned_until_ms = ban_end(message);
}

/* A half-done replacement says its cause inside: {"code":-2021,"data":{"newOrderResponse":{..}}}.
 */
static bool replace_cause(struct json_object *body, int64_t *code, const char **message)
{
    static const char *const parts[] = { "newOrderResponse", "cancelResponse" };
    struct json_object *data = flt_json_get(body, "data");

    for (size_t i = 0; data && i < FLT_COUNT(parts); i++) {
        struct json_object *part = flt_json_get(data, parts[i]);

        if (part && flt_json_int(part, "code", code) && flt_json_str(part, "msg", message))
            return true;
    }
    return false;
}

static void retry_after(const struct codec_reply *reply, struct result *out)
{
    struct exchange_failure *failure = &out->failure;

    if (reply->retry_after) {
        const long long seconds = strtoll(reply->retry_after, NULL, 10);

        if (seconds > 0 && seconds < 30LL * 86400)
            failure->retry_after_ms = seconds * 1000;
    }
    if (failure->retry_after_ms == 0 && reply->now_ms > 0 && out->banned_until_ms > reply->now_ms)
        failure->retry_after_ms = out->banned_until_ms - reply->now_ms;
}

bool binance_failure(enum op op, const struct codec_reply *reply, struct json_object *body,
                     struct result *out)
{
    const char *message = "";
    int64_t code = 0;

    out->failure.http_status = reply->http_status;
    if (body && json_object_is_type(body, json_type_object) && flt_json_int(body, "code", &code) &&
        code < 0) {
        flt_json_str(body, "msg", &message);
        if (op == OP_AMEND_ORDER)
            (void)replace_cause(body, &code, &message);
        fill(reply->http_status, code, message, out);
    } else if (reply->http_status >= 400) {
        out->failure.error = by_status(reply->http_status, false);
        binance_words(reply->body, reply->size, &out->failure);
    } else if (!body) {
        out->failure.error = EXCHANGE_UNKNOWN_OUTCOME;
        binance_words("the reply is not JSON", 21, &out->failure);
    } else {
        return false;
    }
    retry_after(reply, out);
    return true;
}
