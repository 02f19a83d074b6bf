/* /api/v1: from method, path, query and body to a verb of the contract and its arguments.
 *
 *   POST /api/v1/<verb>          any verb, its arguments as the JSON body
 *   GET  /api/v1/<verb>?k=v      any verb that only reads
 *   readable routes              GET /api/v1/bots, POST /api/v1/bots/{bot}/start ... (api_routes)
 *
 * Pure functions; what comes in is anybody's bytes. */
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include "lib/attr.h"
#include "lib/fail.h"
#include "schemas/schemas_msg.h"

#define API_ROOT "/api/v1/"
#define API_NAME_MAX 65

enum api_kind { API_VERB, API_OPENAPI, API_BACKTESTS, API_REPORT, API_TICKET };

struct api_route {                /* a readable route */
    const char *method, *pattern; /* below /api/v1/; "bots/{bot}/start" */
    const char *verb;             /* NULL: `kind` says what */
    const char *fixed;            /* JSON of arguments that are always so; NULL: none */
    const char *into;             /* the argument that the query's keys go into; NULL: the top */
    enum api_kind kind;
};

extern const struct api_route api_routes[];
extern const size_t api_route_count;

struct api_target {
    enum api_kind kind;
    const struct msg_verb *verb;
    struct json_object *args; /* of a verb; the caller puts it */
    char name[API_NAME_MAX];  /* of a backtest */
    const char *allow;        /* on a wrong method: which are right */
};

/* 0, or a negative errno with `error`: FLT_NOT_FOUND, FLT_INVALID_ARGUMENT; a wrong method sets
 * `allow`. `body` may be empty. */
FLT_MUST_USE int api_find(const char *method, const char *path, const char *query, const char *body,
                          size_t body_size, struct api_target *out, struct flt_error *error);

/* A query's value by key, decoded; false: it is not there, or does not fit. */
bool api_query_get(const char *query, const char *key, char *out, size_t size);

/* The Authorization header: "Basic base64(user:password)" or "Bearer flt_<name>_<secret>", which is
 * the login token-<name>. False: neither, or with a user that cannot be one. */
bool api_login(const char *header, char *user, size_t user_size, char *password,
               size_t password_size);

/* HTTP's status for an error of the contract. */
int api_status(enum flt_error_code code);
