#define FLT_MOD "rest"
#include "exchanges/transport/rest.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 4096
#define ENTRY_WAIT_MS 1000 /* an older entry was decided on another market */
#define SYNC_EVERY_MS 60000
#define SYNC_WAIT_MS 3000 /* signed requests wait that long for a look at the clock */
#define TRIES_MAX 3
#define CLOCK_ERROR_MS 1000

struct call {
    struct call *next, **link; /* in a queue; link NULL: in flight */
    struct rest *rest;
    struct rest_account *account;
    enum op op;
    enum op_priority priority;
    struct op_args args;
    char order_id[ORDER_ID_MAX], client_order_id[FLT_COID_MAX], from_trade_id[ORDER_ID_MAX];
    char interval[8];
    rest_fn *fn;
    void *ctx;
    struct op_cost cost;
    struct flt_http_call *http;
    int64_t queued_ms, not_before_ms;
    int64_t not_after_boot_ns; /* 0: whenever */
    unsigned tries;
    bool resynced, dropped;
    enum exchange_error early; /* ends without being sent, at the next turn of the loop */
    char why[160];
};

struct queue {
    struct call *head, **tail;
};

struct rest_account {
    struct rest *rest;
    struct signer *signer;
    struct rate rate;
    int64_t not_after_boot_ns;
};

struct rest {
    struct exchange_env env;
    const struct flt_clock *clock;
    const struct codec *codec;
    const struct instruments *table;
    char url[256];
    struct rate rate;
    uint32_t units[RATE_LIMITS_MAX];
    struct queue queues[PRIORITY_COUNT];
    struct queue flying;
    size_t queued;
    struct flt_timer *pump_timer, *sync_timer;
    struct wire wire;
    /* The venue's time is ours since boot and this: a jump of the wall clock moves no signature. */
    int64_t venue_at_boot_ms;
    int64_t best_rtt_ms;
    int64_t sync_sent_ms;  /* since boot */
    int64_t sync_until_ms; /* signed requests wait for the clock until then */
    bool has_time;         /* of the venue, however old: before that the wall clock has to do */
    bool synced, syncing;
};

static void pump(void *ctx);

static int64_t mono_ms(const struct rest *rest)
{
    return flt_mono_ms(rest->clock);
}

static int64_t boot_ms(const struct rest *rest)
{
    return flt_boot_ns(rest->clock) / 1000000;
}

int64_t rest_now_ms(const struct rest *rest)
{
    return rest->has_time ? boot_ms(rest) + rest->venue_at_boot_ms : flt_wall_ms(rest->clock);
}

int64_t rest_clock_offset_ms(const struct rest *rest)
{
    return rest_now_ms(rest) - flt_wall_ms(rest->clock);
}

static int64_t receive_window_ms(const struct rest *rest)
{
    const int64_t most_ms = rest->env.receive_window_ms, own_ms = rest->codec->receive_window_ms;

    return most_ms > 0 && own_ms > most_ms ? most_ms : own_ms;
}

int64_t rest_request_life_ms(const struct rest *rest)
{
    const int64_t window_ms = receive_window_ms(rest);

    return window_ms ? window_ms + CLOCK_ERROR_MS : 0;
}

/* --- queues --- */

static void queue_init(struct queue *queue)
{
    queue->head = NULL;
    queue->tail = &queue->head;
}

static void push(struct queue *queue, struct call *call)
{
    call->next = NULL;
    call->link = queue->tail;
    *queue->tail = call;
    queue->tail = &call->next;
}

static void take(struct queue *queue, struct call *call)
{
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    else
        queue->tail = call->link;
    call->link = NULL;
}

static void enqueue(struct call *call)
{
    push(&call->rest->queues[call->priority], call);
    call->rest->queued++;
}

static void dequeue(struct call *call)
{
    take(&call->rest->queues[call->priority], call);
    call->rest->queued--;
}

/* --- ends --- */

static void finish(struct call *call, const struct result *result)
{
    rest_fn *fn = call->fn;
    void *ctx = call->ctx;

    free(call);
    fn(ctx, result);
}

static void finish_failed(struct call *call, enum exchange_error error, const char *why)
{
    struct result result = { .failure = { .error = error } };

    snprintf(result.failure.message, sizeof result.failure.message, "%s", why);
    finish(call, &result);
}

static void retry(struct call *call, int64_t delay_ms)
{
    call->not_before_ms = mono_ms(call->rest) + delay_ms;
    enqueue(call);
    pump(call->rest);
}

/* --- answers --- */

static void learn_limits(struct call *call, const struct flt_http_response *response)
{
    struct rest *rest = call->rest;

    for (size_t i = 0; i < rest->codec->limit_count; i++) {
        const struct rate_limit *limit = &rest->codec->limits[i];
        const char *used =
            limit->used_header ? flt_http_header(response, limit->used_header) : NULL;

        if (!used)
            continue;
        struct rate *rate =
            limit->per_account ? (call->account ? &call->account->rate : NULL) : &rest->rate;

        if (rate)
            rate_sync(rate, i, (uint32_t)strtoul(used, NULL, 10), mono_ms(rest));
    }
}

/* 429 and 418 stop everything that goes to this address until the venue's time has passed. */
static void obey(struct call *call, const struct result *result)
{
    struct rest *rest = call->rest;
    const enum exchange_error error = result->failure.error;
    int64_t wait_ms = result->failure.retry_after_ms;

    if (error != EXCHANGE_RATE_LIMIT && error != EXCHANGE_IP_BANNED)
        return;
    if (wait_ms <= 0)
        wait_ms = error == EXCHANGE_IP_BANNED ? 120000 : 5000;
    /* The order limit is the account's own affair; the others may go on. */
    const bool own = error == EXCHANGE_RATE_LIMIT && call->account && op_mutates(call->op) &&
                     result->failure.venue_code == -1015;

    rate_hold(own ? &call->account->rate : &rest->rate, mono_ms(rest) + wait_ms);
    FLT_LOG(WARN, "rate_limited", "venue=%s op=%s class=%s wait_ms=%" PRId64, rest->codec->name,
            op_name(call->op), exchange_error_name(error), wait_ms);
}

static bool may_repeat(const struct call *call, enum exchange_error error)
{
    if (call->tries >= TRIES_MAX)
        return false;
    if (error == EXCHANGE_VENUE_BUSY || error == EXCHANGE_UNKNOWN_OUTCOME)
        return !op_mutates(call->op);
    return error == EXCHANGE_RATE_LIMIT && call->priority == PRIORITY_CANCEL;
}

static void answered(struct call *call, const struct flt_http_response *response)
{
    struct rest *rest = call->rest;
    struct result result = { 0 };
    const struct codec_reply reply = { .http_status = response->status,
                                       .body = response->body,
                                       .size = response->body_size,
                                       .retry_after = flt_http_header(response, "Retry-After"),
                                       .now_ms = rest_now_ms(rest) };

    rest->codec->parse(rest->table, call->op, &call->args, &reply, &result);
    learn_limits(call, response);
    obey(call, &result);
    if (result.failure.error == EXCHANGE_TIMESTAMP) {
        rest->synced = false;
        rest->sync_until_ms = mono_ms(rest) + SYNC_WAIT_MS;
        rest_sync_clock(rest);
    }
    /* Refused before matching, so it may go again with a better clock; but not an order: its id
     * leaves once, ever, and its lease was looked at for the first time. */
    if (result.failure.error == EXCHANGE_TIMESTAMP && !call->resynced &&
        call->op != OP_PLACE_ORDER) {
        call->resynced = true;
        retry(call, 0);
    } else if (may_repeat(call, result.failure.error)) {
        retry(call, (int64_t)flt_backoff_ms(0, 200, 2000));
    } else {
        finish(call, &result);
        pump(rest);
    }
    result_finish(&result);
}

static void on_response(void *ctx, const struct flt_http_response *response)
{
    struct call *call = ctx;
    struct rest *rest = call->rest;
    char why[160];

    if (call->dropped) {
        free(call); /* its rest is gone */
        return;
    }
    take(&rest->flying, call);
    call->http = NULL;
    if (response->outcome == FLT_HTTP_DONE) {
        answered(call, response);
        return;
    }
    snprintf(why, sizeof why, "%s", response->reason);
    const bool sent = response->outcome != FLT_HTTP_NOT_SENT;
    const bool again = call->tries < TRIES_MAX && (!sent || !op_mutates(call->op));

    FLT_LOG(WARN, "request_failed", "venue=%s op=%s sent=%d again=%d why=\"%s\"", rest->codec->name,
            op_name(call->op), sent, again, why);
    if (again)
        retry(call, (int64_t)flt_backoff_ms(0, 100, 2000));
    else
        finish_failed(call, sent ? EXCHANGE_UNKNOWN_OUTCOME : EXCHANGE_VENUE_BUSY, why);
}

/* --- sending --- */

/* Ends the call at the next turn of the loop: results never come inside the call that asked. */
static void end_early(struct call *call, enum exchange_error error, const char *why)
{
    call->early = error;
    snprintf(call->why, sizeof call->why, "%.*s", (int)sizeof call->why - 1, why);
    enqueue(call);
    flt_timer_start(call->rest->pump_timer, 0, 0);
}

static int build(struct call *call, int64_t now_ms, struct flt_error *error)
{
    struct rest *rest = call->rest;
    const struct codec_env env = { rest->url, call->account ? call->account->signer : NULL, now_ms,
                                   receive_window_ms(rest) };

    return rest->codec->build(&env, call->op, &call->args, &rest->wire, error);
}

static bool is_late(const struct call *call)
{
    return call->not_after_boot_ns && flt_boot_ns(call->rest->clock) >= call->not_after_boot_ns;
}

static void dispatch(struct call *call)
{
    struct rest *rest = call->rest;
    const struct wire *wire = &rest->wire;
    const char *headers[WIRE_HEADERS_MAX + 1] = { NULL };
    struct flt_error error = { 0 };
    /* The signed time is read BEFORE the lease is looked at: if we are frozen between the two, the
     * look comes late and refuses; if we are frozen after it, the venue refuses the old signature.
     * The other way round a frozen process would wake up with a fresh signature and a stale look.
     */
    const int64_t now_ms = rest_now_ms(rest);

    if (is_late(call)) {
        end_early(call, EXCHANGE_VENUE_BUSY, "not sent: the lease is over");
        return;
    }
    if (build(call, now_ms, &error) != 0) {
        end_early(call, op_mutates(call->op) ? EXCHANGE_INVALID_ORDER : EXCHANGE_BAD_REQUEST,
                  error.message);
        return;
    }
    for (size_t i = 0; i < wire->header_count; i++)
        headers[i] = wire->headers[i];
    const struct flt_http_request request = { .method = wire->method,
                                              .url = wire->url.data,
                                              .headers = headers,
                                              .body = wire->body.data,
                                              .body_size = wire->body.length,
                                              .timeout_ms = call->account ? 5000 : 15000,
                                              .not_after_boot_ns = call->not_after_boot_ns };

    call->tries++;
    rate_take(&rest->rate, &call->cost, mono_ms(rest));
    if (call->account)
        rate_take(&call->account->rate, &call->cost, mono_ms(rest));
    push(&rest->flying, call);
    if (flt_http_send(rest->env.http, &request, on_response, call, &call->http) != 0) {
        take(&rest->flying, call);
        end_early(call, EXCHANGE_VENUE_BUSY, "the HTTP client refused the request");
    }
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* 0: may go now. Signed requests wait for the first look at the venue's clock. `shared`: it waits
 * for room that those behind it would use up. */
static int64_t wait_ms(struct call *call, bool *shared)
{
    struct rest *rest = call->rest;
    const int64_t now_ms = mono_ms(rest);
    int64_t wait = rate_wait_ms(&rest->rate, &call->cost, call->priority, now_ms);

    *shared = wait > 0;
    wait = longer(wait, call->not_before_ms - now_ms);
    if (call->account) {
        wait =
            longer(wait, rate_wait_ms(&call->account->rate, &call->cost, call->priority, now_ms));
        if (!rest->synced && now_ms < rest->sync_until_ms)
            wait = longer(wait, 20);
    }
    return wait;
}

static bool is_stale(const struct call *call)
{
    return call->priority == PRIORITY_ENTRY &&
           mono_ms(call->rest) - call->queued_ms > ENTRY_WAIT_MS + SYNC_WAIT_MS;
}

/* Its turn has come, or is over. */
static void leave_queue(struct call *call, int64_t wait)
{
    dequeue(call);
    if (call->early != EXCHANGE_OK)
        finish_failed(call, call->early, call->why);
    else if (wait > 0)
        finish_failed(call, EXCHANGE_RATE_LIMIT, "not sent: waited too long for its turn");
    else
        dispatch(call);
}

/* What may go, most urgent first. A class that waits for the shared limits holds back those below
 * it, so that they cannot eat the room it waits for. */
static void pump(void *ctx)
{
    struct rest *rest = ctx;
    int64_t next_ms = INT64_MAX;
    bool blocked = false;

    for (int priority = 0; priority < PRIORITY_COUNT && !blocked; priority++) {
        struct call *call = rest->queues[priority].head;

        while (call) {
            bool shared = false;
            const int64_t wait = call->early != EXCHANGE_OK ? 0 : wait_ms(call, &shared);

            if (wait == 0 || is_stale(call)) {
                leave_queue(call, wait);
                call = rest->queues[priority].head; /* a callback may have changed the queue */
                continue;
            }
            blocked = blocked || shared;
            if (wait < next_ms)
                next_ms = wait;
            call = call->next;
        }
    }
    if (next_ms != INT64_MAX)
        flt_timer_start(rest->pump_timer, (uint64_t)next_ms, 0);
}

static const char *keep(char *out, size_t size, const char *text)
{
    if (!text || snprintf(out, size, "%s", text) >= (int)size)
        return NULL;
    return out;
}

static struct call *call_create(struct rest *rest, struct rest_account *account, enum op op,
                                const struct op_args *args)
{
    struct call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    call->rest = rest;
    call->account = account;
    call->op = op;
    call->args = *args;
    call->priority = op_priority(op, args);
    /* A spot venue has no such word; the flag has done its work as a priority. */
    if (args->instrument && args->instrument->kind == INSTRUMENT_SPOT)
        call->args.reduce_only = false;
    call->args.order_id = keep(call->order_id, sizeof call->order_id, args->order_id);
    call->args.client_order_id =
        keep(call->client_order_id, sizeof call->client_order_id, args->client_order_id);
    call->args.from_trade_id =
        keep(call->from_trade_id, sizeof call->from_trade_id, args->from_trade_id);
    call->args.interval = keep(call->interval, sizeof call->interval, args->interval);
    call->queued_ms = mono_ms(rest);
    call->not_after_boot_ns = account ? account->not_after_boot_ns : 0;
    rest->codec->cost(op, args, &call->cost);
    return call;
}

int rest_send(struct rest *rest, struct rest_account *account, enum op op,
              const struct op_args *args, rest_fn *fn, void *ctx)
{
    if (rest->queued >= QUEUE_MAX)
        return EXCHANGE_BUSY;
    struct call *call = call_create(rest, account, op, args);

    if (!call)
        return -ENOMEM;
    call->fn = fn;
    call->ctx = ctx;
    bool shared;
    const int64_t wait = wait_ms(call, &shared);

    if (wait > ENTRY_WAIT_MS && call->priority == PRIORITY_ENTRY) {
        free(call);
        return EXCHANGE_BUSY;
    }
    bool first = wait == 0;

    for (int priority = 0; priority <= (int)call->priority; priority++)
        first = first && !rest->queues[priority].head;
    if (first) {
        dispatch(call);
        return 0;
    }
    enqueue(call);
    flt_timer_start(rest->pump_timer, 0, 0);
    return 0;
}

void rest_learn_limits(struct rest *rest, const struct result *result)
{
    for (size_t i = 0; i < rest->codec->limit_count; i++)
        if (result->limit_units[i] > 0)
            rest->units[i] = result->limit_units[i];
}

/* --- the clock --- */

static void on_time(void *ctx, const struct result *result)
{
    struct rest *rest = ctx;
    const int64_t now_ms = boot_ms(rest);
    const int64_t rtt_ms = now_ms - rest->sync_sent_ms;

    rest->syncing = false;
    if (result->failure.error != EXCHANGE_OK)
        return;
    /* A slow answer says little; but a clock that was refused must be taken as it comes. */
    if (rest->synced && rest->best_rtt_ms > 0 && rtt_ms > 4 * rest->best_rtt_ms + 50)
        return;
    rest->best_rtt_ms =
        rest->best_rtt_ms && rtt_ms > rest->best_rtt_ms ? rest->best_rtt_ms : rtt_ms;
    rest->venue_at_boot_ms = result->server_time_ms - (now_ms - rtt_ms / 2);
    rest->has_time = rest->synced = true;
    pump(rest);
}

void rest_sync_clock(struct rest *rest)
{
    const struct op_args args = { 0 };

    if (rest->syncing)
        return;
    rest->syncing = true;
    rest->sync_sent_ms = boot_ms(rest);
    if (rest_send(rest, NULL, OP_SERVER_TIME, &args, on_time, rest) != 0)
        rest->syncing = false;
}

static void on_sync_timer(void *ctx)
{
    rest_sync_clock(ctx);
}

/* --- life --- */

int rest_open(const struct exchange_env *env, const struct codec *codec, const char *rest_url,
              const struct instruments *table, struct rest **out)
{
    struct rest *rest = calloc(1, sizeof *rest);

    if (!rest)
        return -ENOMEM;
    rest->env = *env;
    rest->clock = flt_loop_clock(env->loop);
    rest->codec = codec;
    rest->table = table;
    rest->sync_until_ms = mono_ms(rest) + SYNC_WAIT_MS;
    for (int i = 0; i < PRIORITY_COUNT; i++)
        queue_init(&rest->queues[i]);
    queue_init(&rest->flying);
    for (size_t i = 0; i < codec->limit_count; i++)
        rest->units[i] = codec->limits[i].units;
    rate_init(&rest->rate, codec->limits, codec->limit_count, false, rest->units);
    int err = snprintf(rest->url, sizeof rest->url, "%s", rest_url) < (int)sizeof rest->url
                  ? 0
                  : FLT_FAIL(-EINVAL, "why=\"address too long\"");

    for (size_t size = strlen(rest->url); size > 0 && rest->url[size - 1] == '/'; size--)
        rest->url[size - 1] = '\0';
    if (err == 0)
        err = flt_timer_create(env->loop, pump, rest, &rest->pump_timer);
    if (err == 0)
        err = flt_timer_create(env->loop, on_sync_timer, rest, &rest->sync_timer);
    if (err != 0) {
        rest_close(rest);
        return err;
    }
    flt_timer_start(rest->sync_timer, SYNC_EVERY_MS, SYNC_EVERY_MS);
    rest_sync_clock(rest);
    *out = rest;
    return 0;
}

static void end_dropped(struct call *call)
{
    const struct result result = { .failure = { .error = EXCHANGE_UNKNOWN_OUTCOME,
                                                .message = "the connection was closed" } };

    call->fn(call->ctx, &result);
}

static void drop_flying(struct rest *rest, struct call *call)
{
    struct flt_http_call *http = call->http;

    take(&rest->flying, call);
    call->dropped = true; /* freed by its response, which says CANCELLED */
    end_dropped(call);
    flt_http_cancel(http);
}

/* Ends the calls of `account`, or all of them. */
static void drop(struct rest *rest, const struct rest_account *account, bool all)
{
    struct call *call, *next;

    for (int i = 0; i < PRIORITY_COUNT; i++) {
        for (call = rest->queues[i].head; call; call = next) {
            next = call->next;
            if (all || call->account == account) {
                dequeue(call);
                end_dropped(call);
                free(call);
            }
        }
    }
    for (call = rest->flying.head; call; call = next) {
        next = call->next;
        if (all || call->account == account)
            drop_flying(rest, call);
    }
}

void rest_close(struct rest *rest)
{
    if (!rest)
        return;
    drop(rest, NULL, true);
    flt_timer_destroy(rest->pump_timer);
    flt_timer_destroy(rest->sync_timer);
    wire_finish(&rest->wire);
    free(rest);
}

int rest_account_open(struct rest *rest, const struct exchange_credentials *keys,
                      struct rest_account **out)
{
    struct rest_account *account = calloc(1, sizeof *account);

    if (!account)
        return -ENOMEM;
    const int err = signer_create(keys, &account->signer);

    if (err != 0) {
        free(account);
        return err;
    }
    account->rest = rest;
    rate_init(&account->rate, rest->codec->limits, rest->codec->limit_count, true, rest->units);
    *out = account;
    return 0;
}

void rest_account_close(struct rest_account *account)
{
    if (!account)
        return;
    drop(account->rest, account, false);
    signer_destroy(account->signer);
    free(account);
}

void rest_account_set_deadline(struct rest_account *account, int64_t not_after_boot_ns)
{
    account->not_after_boot_ns = not_after_boot_ns;
}

const struct signer *rest_account_signer(const struct rest_account *account)
{
    return account->signer;
}
