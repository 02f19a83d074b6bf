#define FLT_MOD "pool"
#include "dashboard/pool.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/crypto.h"
#include "lib/fail.h"
#include "lib/ids.h"
#include "lib/json.h"
#include "lib/mqtt.h"

#define LINKS_MAX 64
#define WAITING_MAX 256 /* requests of one login */
#define IDLE_MS 60000
#define SIGN_IN_MS 5000
#define TICK_MS 250

struct waiting {
    struct waiting *next;
    char verb[32], id[49];
    char *payload; /* NULL: only the login is checked, or it was published */
    size_t size;
    bool sent;
    uint64_t token;
    int64_t deadline_ms;
    pool_fn *fn;
    void *ctx;
};

struct link {
    struct link *next;
    struct pool *pool;
    struct flt_mqtt *mqtt;
    struct pool_login login; /* its password is wiped once the client has it */
    uint8_t key[32];
    bool up, ending;
    int64_t used_ms, opened_ms;
    struct waiting *waiting;
    size_t count;
};

struct pool {
    struct flt_loop *loop;
    const struct settings *settings;
    struct limiter *limiter;
    struct flt_timer *timer;
    uint8_t secret[32]; /* names and passwords are compared by their MAC */
    struct link *links;
    size_t count;
    uint64_t token, requests, unknown;
    char url[160];
};

static int64_t now_ms(const struct pool *pool)
{
    return flt_mono_ms(flt_loop_clock(pool->loop));
}

/* --- endings
 * ---------------------------------------------------------------------------------------- */

static void waiting_free(struct waiting *waiting)
{
    free(waiting->payload);
    free(waiting);
}

static void tell(struct waiting *waiting, enum pool_outcome outcome, int64_t wait_ms,
                 struct json_object *answer)
{
    const struct pool_result result = { outcome, wait_ms, answer };

    waiting->fn(waiting->ctx, &result);
    waiting_free(waiting);
}

static void unlink_waiting(struct link *link, struct waiting *waiting)
{
    struct waiting **place = &link->waiting;

    while (*place && *place != waiting)
        place = &(*place)->next;
    if (*place) {
        *place = waiting->next;
        link->count--;
    }
}

/* Ends a connection and all that waits on it. What was published has an unknown outcome. */
static void link_end(struct link *link, enum pool_outcome unsent, int64_t wait_ms)
{
    struct pool *pool = link->pool;
    struct link **place = &pool->links;
    struct waiting *waiting;

    if (link->ending)
        return;
    link->ending = true;
    while (*place && *place != link)
        place = &(*place)->next;
    if (*place) {
        *place = link->next;
        pool->count--;
    }
    while ((waiting = link->waiting)) {
        unlink_waiting(link, waiting);
        pool->unknown += waiting->sent;
        tell(waiting, waiting->sent ? POOL_UNKNOWN : unsent, wait_ms, NULL);
    }
    if (link->mqtt)
        flt_mqtt_close(link->mqtt, 0, NULL, NULL);
    flt_wipe(&link->login, sizeof link->login);
    free(link);
}

/* --- the connection's events
 * -------------------------------------------------------------------------- */

static void publish(struct link *link, struct waiting *waiting)
{
    char topic[FLT_MQTT_TOPIC_MAX];
    const struct flt_mqtt_publish publish = { .topic = topic,
                                              .payload = waiting->payload,
                                              .payload_size = waiting->size,
                                              .qos = 1,
                                              .token = waiting->token };

    snprintf(topic, sizeof topic, "flt/v1/%s/u/%s/req/%s", link->pool->settings->config.tenant,
             link->login.user, waiting->verb);
    if (flt_mqtt_publish(link->mqtt, &publish) != 0)
        return; /* down: on_down comes */
    waiting->sent = true;
    free(waiting->payload);
    waiting->payload = NULL;
}

static void on_up(void *ctx)
{
    struct link *link = ctx;
    char filter[FLT_MQTT_TOPIC_MAX];

    link->up = true;
    limiter_passed(link->pool->limiter, link->login.address, link->login.user);
    snprintf(filter, sizeof filter, "flt/v1/%s/u/%s/res/#", link->pool->settings->config.tenant,
             link->login.user);
    if (flt_mqtt_subscribe(link->mqtt, filter, 1) != 0)
        FLT_LOG(WARN, "subscribe_failed", "user=%s", link->login.user);
    for (struct waiting *waiting = link->waiting, *next; waiting; waiting = next) {
        next = waiting->next;
        if (waiting->payload) {
            publish(link, waiting);
            continue;
        }
        if (!waiting->sent) {
            unlink_waiting(link, waiting);
            tell(waiting, POOL_SIGNED_IN, 0, NULL);
        }
    }
}

static bool is_bad_login(const char *reason)
{
    return strstr(reason, "user name") || strstr(reason, "authoris") || strstr(reason, "Authoriz");
}

/* The client would come back by itself; a login that was good may no longer be, so it does not. */
static void on_down(void *ctx, const char *reason)
{
    struct link *link = ctx;
    struct pool *pool = link->pool;

    if (!link->up && is_bad_login(reason)) {
        limiter_failed(pool->limiter, link->login.address, link->login.user, now_ms(pool));
        FLT_LOG(WARN, "login_refused", "peer=%s", link->login.address);
        link_end(link, POOL_BAD_LOGIN, 0);
    } else {
        link_end(link, POOL_NO_BROKER, 0);
    }
}

static void on_message(void *ctx, const struct flt_mqtt_message *message)
{
    struct link *link = ctx;
    const char *id = strrchr(message->topic, '/');
    struct waiting *waiting = link->waiting;
    struct json_object *tree;

    while (waiting && id && strcmp(waiting->id, id + 1) != 0)
        waiting = waiting->next;
    if (!waiting || !id || !waiting->sent)
        return; /* of another connection of the same person */
    tree = flt_json_parse(message->payload, message->payload_size, NULL);
    if (!tree)
        return;
    unlink_waiting(link, waiting);
    tell(waiting, POOL_ANSWERED, 0, tree);
    json_object_put(tree);
}

static void on_published(void *ctx, uint64_t token, bool ok)
{
    struct link *link = ctx;
    struct waiting *waiting = link->waiting;

    while (waiting && waiting->token != token)
        waiting = waiting->next;
    if (ok || !waiting || !link->up || !flt_mqtt_is_up(link->mqtt))
        return; /* lost with its connection: on_down says so */
    unlink_waiting(link, waiting);
    tell(waiting, POOL_REFUSED, 0, NULL);
}

/* --- opening
 * ---------------------------------------------------------------------------------------- */

static int open_mqtt(struct link *link)
{
    const struct pool *pool = link->pool;
    char client[80], random[FLT_ULID_MAX];
    const struct flt_mqtt_config config = {
        .url = pool->url,
        .client_id = client,
        .username = link->login.user,
        .password = link->login.password,
        .version = FLT_MQTT_5,
        .keepalive_s = 30,
        .backoff_base_ms = 60000, /* it is closed before it would come back */
        .backoff_cap_ms = 60000,
    };
    const struct flt_mqtt_events events = { .ctx = link,
                                            .on_up = on_up,
                                            .on_down = on_down,
                                            .on_message = on_message,
                                            .on_published = on_published };

    flt_ulid(flt_wall_ms(flt_loop_clock(pool->loop)), random);
    snprintf(client, sizeof client, "rest-%s", random);
    return flt_mqtt_create(pool->loop, &config, &events, &link->mqtt);
}

static struct link *link_open(struct pool *pool, const struct pool_login *login,
                              const uint8_t key[32])
{
    struct link *link = pool->count < LINKS_MAX ? calloc(1, sizeof *link) : NULL;

    if (!link)
        return NULL;
    link->pool = pool;
    link->login = *login;
    memcpy(link->key, key, sizeof link->key);
    link->opened_ms = link->used_ms = now_ms(pool);
    if (open_mqtt(link) != 0) {
        flt_wipe(&link->login, sizeof link->login);
        free(link);
        return NULL;
    }
    flt_wipe(link->login.password, sizeof link->login.password);
    link->next = pool->links;
    pool->links = link;
    pool->count++;
    return link;
}

static struct link *link_get(struct pool *pool, const struct pool_login *login)
{
    char text[POOL_USER_MAX + POOL_PASSWORD_MAX];
    uint8_t key[32];

    memset(text, 0, sizeof text);
    snprintf(text, POOL_USER_MAX, "%s", login->user);
    snprintf(text + POOL_USER_MAX, POOL_PASSWORD_MAX, "%s", login->password);
    flt_hmac_sha256(pool->secret, sizeof pool->secret, text, sizeof text, key);
    flt_wipe(text, sizeof text);
    for (struct link *link = pool->links; link; link = link->next)
        if (flt_equal(link->key, key, sizeof key))
            return link;
    return link_open(pool, login, key);
}

static void refuse(pool_fn *fn, void *ctx, enum pool_outcome outcome, int64_t wait_ms)
{
    const struct pool_result result = { outcome, wait_ms, NULL };

    fn(ctx, &result);
}

/* The connection for a login that may be tried now; else `fn` has been told. */
static struct link *admit(struct pool *pool, const struct pool_login *login, pool_fn *fn, void *ctx)
{
    const int64_t wait = limiter_wait_ms(pool->limiter, login->address, login->user, now_ms(pool));
    struct link *link;

    if (wait > 0) {
        limiter_count_refusal(pool->limiter);
        refuse(fn, ctx, POOL_WAIT, wait);
        return NULL;
    }
    link = link_get(pool, login);
    if (!link || link->count >= WAITING_MAX) {
        refuse(fn, ctx, POOL_FULL, 0);
        return NULL;
    }
    link->used_ms = now_ms(pool);
    return link;
}

static char *write_payload(const struct pool *pool, const struct link *link,
                           const struct pool_request *request, size_t *size)
{
    const int64_t now = flt_wall_ms(flt_loop_clock(pool->loop));
    struct flt_buf buf = FLT_BUF_INIT;
    char src[POOL_USER_MAX + 16];

    snprintf(src, sizeof src, "user/%.32s/api", link->login.user);
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_int(&buf, "v", 1);
    flt_jw_str(&buf, "id", request->id);
    flt_jw_int(&buf, "ts_ms", now);
    flt_jw_str(&buf, "src", src);
    /* Whoever waited no longer must not be surprised later. */
    flt_jw_int(&buf, "expires_ms", now + request->timeout_ms);
    flt_jw_tree(&buf, "args", request->args);
    flt_jw_end(&buf, '}');
    if (buf.failed) {
        flt_buf_finish(&buf);
        return NULL;
    }
    *size = buf.length;
    return buf.data;
}

void pool_ask(struct pool *pool, const struct pool_login *login, const struct pool_request *request,
              pool_fn *fn, void *ctx)
{
    struct link *link = admit(pool, login, fn, ctx);
    struct waiting *waiting;

    if (!link)
        return;
    for (waiting = link->waiting; waiting; waiting = waiting->next)
        if (strcmp(waiting->id, request->id) == 0) {
            refuse(fn, ctx, POOL_BUSY_ID, 0);
            return;
        }
    waiting = calloc(1, sizeof *waiting);
    if (waiting)
        waiting->payload = write_payload(pool, link, request, &waiting->size);
    if (!waiting || !waiting->payload) {
        free(waiting);
        refuse(fn, ctx, POOL_FULL, 0);
        return;
    }
    pool->requests++;
    snprintf(waiting->verb, sizeof waiting->verb, "%s", request->verb);
    snprintf(waiting->id, sizeof waiting->id, "%s", request->id);
    waiting->token = ++pool->token;
    waiting->deadline_ms = now_ms(pool) + request->timeout_ms;
    waiting->fn = fn;
    waiting->ctx = ctx;
    waiting->next = link->waiting;
    link->waiting = waiting;
    link->count++;
    if (link->up)
        publish(link, waiting);
}

void pool_check(struct pool *pool, const struct pool_login *login, pool_fn *fn, void *ctx)
{
    struct link *link = admit(pool, login, fn, ctx);
    struct waiting *waiting;

    if (!link)
        return;
    if (link->up) {
        refuse(fn, ctx, POOL_SIGNED_IN, 0);
        return;
    }
    waiting = calloc(1, sizeof *waiting);
    if (!waiting) {
        refuse(fn, ctx, POOL_FULL, 0);
        return;
    }
    waiting->token = ++pool->token;
    waiting->deadline_ms = now_ms(pool) + SIGN_IN_MS;
    waiting->fn = fn;
    waiting->ctx = ctx;
    waiting->next = link->waiting;
    link->waiting = waiting;
    link->count++;
}

/* --- time
 * ------------------------------------------------------------------------------------------- */

static void expire_waiting(struct link *link, int64_t now)
{
    for (struct waiting *waiting = link->waiting, *next; waiting; waiting = next) {
        next = waiting->next;
        if (now < waiting->deadline_ms)
            continue;
        unlink_waiting(link, waiting);
        link->pool->unknown += waiting->sent;
        tell(waiting, waiting->sent ? POOL_UNKNOWN : POOL_NO_BROKER, 0, NULL);
    }
}

static void on_tick(void *ctx)
{
    struct pool *pool = ctx;
    const int64_t now = now_ms(pool);

    for (struct link *link = pool->links, *next; link; link = next) {
        next = link->next;
        expire_waiting(link, now);
        if (!link->up && now - link->opened_ms > SIGN_IN_MS)
            link_end(link, POOL_NO_BROKER, 0);
        else if (!link->waiting && now - link->used_ms > IDLE_MS)
            link_end(link, POOL_NO_BROKER, 0);
    }
}

int pool_create(struct flt_loop *loop, const struct settings *settings, struct limiter *limiter,
                struct pool **out)
{
    struct pool *pool = calloc(1, sizeof *pool);
    int err = pool ? flt_random(pool->secret, sizeof pool->secret) : -ENOMEM;

    if (!err) {
        pool->loop = loop;
        pool->settings = settings;
        pool->limiter = limiter;
        settings_broker_url(settings, pool->url, sizeof pool->url);
        err = flt_timer_create(loop, on_tick, pool, &pool->timer);
    }
    if (err) {
        free(pool);
        return err;
    }
    flt_timer_start(pool->timer, TICK_MS, TICK_MS);
    *out = pool;
    return 0;
}

void pool_destroy(struct pool *pool)
{
    if (!pool)
        return;
    while (pool->links)
        link_end(pool->links, POOL_NO_BROKER, 0);
    flt_timer_destroy(pool->timer);
    free(pool);
}

void pool_get_stats(const struct pool *pool, struct pool_stats *out)
{
    *out = (struct pool_stats){ .connections = pool->count,
                                .requests = pool->requests,
                                .unknown = pool->unknown };
    for (const struct link *link = pool->links; link; link = link->next)
        out->waiting += link->count;
}
