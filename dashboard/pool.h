/* The gateway's connections to the broker: one per person or token, made with their own name and
 * password, so that the broker enforces what they may ask. Idle ones end after a minute.
 *
 * A request is published once. When no answer comes it is not repeated: its outcome is unknown,
 * and who asked is told so. Thread: the loop's. */
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include "dashboard/limiter.h"
#include "dashboard/settings.h"
#include "lib/attr.h"
#include "lib/loop.h"

#define POOL_USER_MAX 64
#define POOL_PASSWORD_MAX 128

struct pool;

struct pool_login {
    char user[POOL_USER_MAX], password[POOL_PASSWORD_MAX];
    char address[48]; /* who asks, for the limiter */
};

enum pool_outcome {
    POOL_ANSWERED,  /* `answer` is the whole response message */
    POOL_SIGNED_IN, /* of pool_check */
    POOL_BAD_LOGIN, /* the broker does not know this name and password */
    POOL_WAIT,      /* too many failed logins: `wait_ms` */
    POOL_NO_BROKER, /* nothing was sent */
    POOL_FULL,      /* too much is under way; nothing was sent */
    POOL_BUSY_ID,   /* a request with this id is under way */
    POOL_REFUSED,   /* the broker did not let it pass: the login may not ask this verb */
    POOL_UNKNOWN    /* it was sent, and no answer came */
};

struct pool_result {
    enum pool_outcome outcome;
    int64_t wait_ms;
    struct json_object *answer; /* borrowed for the callback */
};

typedef void pool_fn(void *ctx, const struct pool_result *result);

struct pool_request {
    const char *verb, *id;    /* both levels of a topic */
    struct json_object *args; /* borrowed */
    int64_t timeout_ms;
};

struct pool_stats {
    size_t connections, waiting;
    uint64_t requests, unknown;
};

FLT_MUST_USE int pool_create(struct flt_loop *loop, const struct settings *settings,
                             struct limiter *limiter, struct pool **out);
void pool_destroy(struct pool *pool); /* what waits ends as unknown; NULL is fine */
/* `fn` is called once, perhaps before this returns. */
void pool_ask(struct pool *pool, const struct pool_login *login, const struct pool_request *request,
              pool_fn *fn, void *ctx);
/* Whether the login is good; asks nothing. */
void pool_check(struct pool *pool, const struct pool_login *login, pool_fn *fn, void *ctx);
void pool_get_stats(const struct pool *pool, struct pool_stats *out);
