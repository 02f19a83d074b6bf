#define FLT_MOD "bus"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/bus.h"
#include "lib/ids.h"
#include "lib/json.h"
#include "lib/roles.h"

#define FILTERS_MAX 8
#define PENDING_MAX 64
#define RESEND_FIRST_MS 1000
#define RESOLVE_MS 2000

struct pending {
    struct bus *bus;
    char id[FLT_ULID_MAX];      /* "": free */
    char resolve[FLT_ULID_MAX]; /* of the question what became of it */
    char verb[32];
    struct flt_timer *timer;
    char *text; /* the request, sent again until it is answered or too late */
    size_t size;
    int64_t deadline_ms, wait_ms; /* monotonic; between this sending and the next */
    bool sent;
    bool resolving; /* no answer came: what became of it is asked */
    uint64_t token; /* of its publish */
    bus_fn *fn;
    void *ctx;
};

struct bus {
    struct flt_loop *loop;
    struct flt_mqtt *mqtt;
    struct bus_events events;
    char root[64], user[33], session[FLT_ULID_MAX];
    char filters[FILTERS_MAX][96];
    size_t filter_count;
    uint64_t tokens;
    struct pending pending[PENDING_MAX];
    char reason[160]; /* why the last attempt to connect failed */
    struct flt_timer *wait;
    bool waiting, timed_out, denied;
};

static int64_t now_ms(const struct bus *bus)
{
    return flt_wall_ms(flt_loop_clock(bus->loop));
}

/* Answers of this session only, so that two commands of one user do not read each other's. */
static void response_topic(const struct bus *bus, char *out, size_t size)
{
    snprintf(out, size, "%su/%s/res/%s", bus->root, bus->user, bus->session);
}

static void subscribe(struct bus *bus, const char *filter)
{
    char topic[FLT_MQTT_TOPIC_MAX];

    snprintf(topic, sizeof topic, "%s%s", filter[0] == '$' ? "" : bus->root, filter);
    if (flt_mqtt_subscribe(bus->mqtt, topic, 1))
        FLT_LOG(WARN, "subscribe_failed", "filter=%s", filter);
}

static void on_timeout(void *ctx);

static void end_pending(struct pending *pending, struct json_object *result,
                        const struct flt_error *error)
{
    bus_fn *fn = pending->fn;

    pending->id[0] = 0;
    flt_timer_stop(pending->timer);
    free(pending->text);
    pending->text = NULL;
    fn(pending->ctx, result, error);
}

/* The envelope of a request (schemas/u/request.json). */
static void write_request(const struct bus *bus, const struct pending *pending,
                          struct json_object *args, uint32_t timeout_ms, struct flt_buf *buf)
{
    char src[48];

    snprintf(src, sizeof src, "user/%s/cli", bus->user);
    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "v", 1);
    flt_jw_str(buf, "id", pending->id);
    flt_jw_int(buf, "ts_ms", now_ms(bus));
    flt_jw_str(buf, "src", src);
    flt_jw_int(buf, "expires_ms", now_ms(bus) + timeout_ms);
    if (args)
        flt_jw_tree(buf, "args", args);
    flt_jw_end(buf, '}');
}

static bool publish_request(struct bus *bus, const struct pending *pending)
{
    char topic[FLT_MQTT_TOPIC_MAX], answer[FLT_MQTT_TOPIC_MAX];

    snprintf(topic, sizeof topic, "%su/%s/req/%s", bus->root, bus->user, pending->verb);
    response_topic(bus, answer, sizeof answer);
    const int64_t left = pending->deadline_ms - flt_mono_ms(flt_loop_clock(bus->loop));
    const struct flt_mqtt_publish publish = {
        .topic = topic,
        .payload = pending->text,
        .payload_size = pending->size,
        .qos = 1,
        .token = pending->token,
        .expiry_s = (uint32_t)(left > 0 ? left / 1000 : 0) + 1,
        .response_topic = answer,
        .correlation = pending->id,
        .correlation_size = strlen(pending->id),
    };

    return flt_mqtt_publish(bus->mqtt, &publish) == 0;
}

static bool send_request(struct bus *bus, struct pending *pending, struct json_object *args,
                         uint32_t timeout_ms)
{
    struct flt_buf buf = FLT_BUF_INIT;

    write_request(bus, pending, args, timeout_ms, &buf);
    pending->text = buf.failed ? NULL : buf.data; /* moves over */
    pending->size = buf.length;
    pending->deadline_ms = flt_mono_ms(flt_loop_clock(bus->loop)) + timeout_ms;
    pending->wait_ms = RESEND_FIRST_MS;
    pending->resolving = false;
    if (buf.failed)
        flt_buf_finish(&buf);
    return pending->text && publish_request(bus, pending);
}

void bus_request(struct bus *bus, const char *verb, struct json_object *args, uint32_t timeout_ms,
                 bus_fn *fn, void *ctx)
{
    struct pending *pending = NULL;

    for (size_t i = 0; i < PENDING_MAX && !pending; i++)
        if (!bus->pending[i].id[0])
            pending = &bus->pending[i];
    assert(pending && "callers ask a handful of things at a time");
    if (!pending->timer && flt_timer_create(bus->loop, on_timeout, pending, &pending->timer))
        abort(); /* no memory for a timer: nothing can be promised any more */
    pending->bus = bus;
    pending->fn = fn;
    pending->ctx = ctx;
    snprintf(pending->verb, sizeof pending->verb, "%s", verb);
    flt_ulid(now_ms(bus), pending->id);
    pending->token = ++bus->tokens;
    pending->sent = send_request(bus, pending, args, timeout_ms);
    json_object_put(args);
    flt_timer_start(pending->timer,
                    !pending->sent                 ? 0
                    : timeout_ms < RESEND_FIRST_MS ? timeout_ms
                                                   : RESEND_FIRST_MS,
                    0);
}

/* --- no answer
 * ---------------------------------------------------------------------------------- */

static bool is_reading(const char *verb)
{
    return flt_verb_allowed(verb, FLT_ROLE_VIEWER);
}

static void read_error(struct json_object *from, struct flt_error *error);

/* The word of command-show on a request that was not answered in its time; after its deadline the
 * controller carries it out no more, so "not found" is an answer. */
static void on_resolved(struct pending *pending, struct json_object *result,
                        const struct flt_error *why)
{
    struct flt_error error = { 0 };
    const char *state = "";

    flt_json_str(result, "state", &state);
    if (strcmp(state, "done") == 0) {
        end_pending(pending, flt_json_get(result, "result"), &error);
        return;
    }
    if (strcmp(state, "failed") == 0)
        read_error(flt_json_get(result, "error"), &error);
    else if (result)
        flt_error_set(&error, FLT_UNAVAILABLE, NULL, "flotilla command show ID says when it ends",
                      "the controller is still at %s, as %s", pending->verb, pending->id);
    else if (why->code == FLT_NOT_FOUND)
        flt_error_set(&error, FLT_UNAVAILABLE, NULL, "is the controller running? flotilla doctor",
                      "%s was not carried out: the controller did not take it in time",
                      pending->verb);
    else
        flt_error_set(&error, FLT_UNAVAILABLE, NULL, "later, flotilla command show ID tells",
                      "the controller did not answer; whether %s was carried out is not known, its "
                      "id is %s",
                      pending->verb, pending->id);
    end_pending(pending, NULL, &error);
}

static bool resolve(struct bus *bus, struct pending *pending)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char topic[FLT_MQTT_TOPIC_MAX], answer[FLT_MQTT_TOPIC_MAX];

    snprintf(topic, sizeof topic, "%su/%s/req/command-show", bus->root, bus->user);
    response_topic(bus, answer, sizeof answer);
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_int(&buf, "v", 1);
    flt_ulid(now_ms(bus), pending->resolve);
    flt_jw_str(&buf, "id", pending->resolve);
    flt_jw_begin(&buf, "args", '{');
    flt_jw_str(&buf, "id", pending->id);
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, '}');
    const struct flt_mqtt_publish publish = { .topic = topic,
                                              .payload = buf.data,
                                              .payload_size = buf.length,
                                              .qos = 1,
                                              .expiry_s = RESOLVE_MS / 1000 + 1,
                                              .response_topic = answer };
    const bool ok = !buf.failed && flt_mqtt_publish(bus->mqtt, &publish) == 0;

    flt_buf_finish(&buf);
    return ok;
}

static void give_up(struct bus *bus, struct pending *pending)
{
    struct flt_error error = { 0 };

    if (!pending->sent)
        flt_error_set(&error, FLT_UNAVAILABLE, NULL, "is it running? flotilla up; flotilla doctor",
                      "the broker is not reachable: %s", bus->reason);
    else if (is_reading(pending->verb))
        flt_error_set(&error, FLT_UNAVAILABLE, NULL, "flotilla doctor says what is down",
                      "the controller did not answer %s in time", pending->verb);
    if (error.code != FLT_OK) {
        end_pending(pending, NULL, &error);
        return;
    }
    if (!pending->resolving && resolve(bus, pending)) {
        pending->resolving = true;
        flt_timer_start(pending->timer, RESOLVE_MS, 0);
        return;
    }
    on_resolved(pending, NULL, &error);
}

/* The same id again while there is time: the controller carries it out once however often it comes,
 * and may have been away when it came first. */
static void on_timeout(void *ctx)
{
    struct pending *pending = ctx;
    struct bus *bus = pending->bus;
    const int64_t now = flt_mono_ms(flt_loop_clock(bus->loop));

    if (!pending->id[0])
        return;
    if (pending->resolving || now >= pending->deadline_ms || !pending->text) {
        give_up(bus, pending);
        return;
    }
    pending->sent |= publish_request(bus, pending);
    pending->wait_ms = pending->wait_ms < 2000 ? pending->wait_ms * 2 : 2000;
    const int64_t left = pending->deadline_ms - now;

    flt_timer_start(pending->timer,
                    (uint32_t)(left < pending->wait_ms ? left + 1 : pending->wait_ms), 0);
}

static void read_error(struct json_object *from, struct flt_error *error)
{
    const char *code = "internal", *message = "the controller gave no reason", *hint = "",
               *field = "";

    flt_json_str(from, "code", &code);
    flt_json_str(from, "message", &message);
    flt_json_str(from, "hint", &hint);
    flt_json_str(from, "field", &field);
    flt_error_set(error, flt_error_from_name(code), field, hint, "%s", message);
}

static void on_answer(struct bus *bus, const struct flt_mqtt_message *message)
{
    struct flt_error error = { 0 };
    struct json_object *answer = flt_json_parse(message->payload, message->payload_size, NULL);
    const char *re = "";
    bool ok = false;

    flt_json_str(answer, "re", &re);
    for (size_t i = 0; i < PENDING_MAX && *re; i++) {
        struct pending *pending = &bus->pending[i];

        if (!pending->id[0])
            continue;
        if (pending->resolving && strcmp(pending->resolve, re) == 0) {
            struct json_object *shown = flt_json_get(answer, "result");

            if (!shown)
                read_error(flt_json_get(answer, "error"), &error);
            on_resolved(pending, shown, &error);
            break;
        }
        if (strcmp(pending->id, re) != 0)
            continue;
        flt_json_bool(answer, "ok", &ok);
        struct json_object *result = ok ? flt_json_get(answer, "result") : NULL;

        if (!result)
            read_error(flt_json_get(answer, "error"), &error);
        end_pending(pending, result, &error);
        break;
    }
    json_object_put(answer);
}

static void on_message(void *ctx, const struct flt_mqtt_message *message)
{
    struct bus *bus = ctx;
    const size_t root = strlen(bus->root);
    char answer[FLT_MQTT_TOPIC_MAX];

    response_topic(bus, answer, sizeof answer);
    if (strcmp(message->topic, answer) == 0)
        on_answer(bus, message);
    else if (strncmp(message->topic, bus->root, root) == 0 && bus->events.on_message)
        bus->events.on_message(bus->events.ctx, message->topic + root, message);
    else if (message->topic[0] == '$' && bus->events.on_message)
        bus->events.on_message(bus->events.ctx, message->topic, message);
}

static void on_up(void *ctx)
{
    struct bus *bus = ctx;
    char answer[FLT_MQTT_TOPIC_MAX];

    response_topic(bus, answer, sizeof answer);
    subscribe(bus, answer + strlen(bus->root));
    for (size_t i = 0; i < bus->filter_count; i++)
        subscribe(bus, bus->filters[i]);
    if (bus->waiting)
        flt_loop_stop(bus->loop);
    if (bus->events.on_up)
        bus->events.on_up(bus->events.ctx);
}

/* The broker's word on a request: it refuses topics that the user's role does not list. */
static void on_published(void *ctx, uint64_t token, bool ok)
{
    struct bus *bus = ctx;
    struct flt_error error = { 0 };

    for (size_t i = 0; i < PENDING_MAX && !ok && bus_is_up(bus); i++) {
        struct pending *pending = &bus->pending[i];

        if (!pending->id[0] || pending->token != token)
            continue;
        flt_error_set(&error, FLT_DENIED, NULL, "an admin changes roles: flotilla user add",
                      "the role of %s does not allow %s", bus->user, pending->verb);
        end_pending(pending, NULL, &error);
        return;
    }
}

static void on_down(void *ctx, const char *reason)
{
    struct bus *bus = ctx;

    snprintf(bus->reason, sizeof bus->reason, "%s", reason ? reason : "connection lost");
    bus->denied = strncmp(bus->reason, "not authorised", 14) == 0; /* lib/mqtt_url.c */
    if (bus->waiting && bus->denied)
        flt_loop_stop(bus->loop);
    if (bus->events.on_down)
        bus->events.on_down(bus->events.ctx, bus->reason);
}

static void on_wait_over(void *ctx)
{
    struct bus *bus = ctx;

    bus->timed_out = true;
    flt_loop_stop(bus->loop);
}

int bus_open(struct flt_loop *loop, const struct bus_config *config,
             const struct bus_events *events, struct bus **out)
{
    struct bus *bus = calloc(1, sizeof *bus);
    char client_id[64];

    if (!bus)
        return -ENOMEM;
    bus->loop = loop;
    if (events)
        bus->events = *events;
    snprintf(bus->root, sizeof bus->root, "flt/v1/%s/", config->tenant);
    snprintf(bus->user, sizeof bus->user, "%s", config->user);
    snprintf(bus->reason, sizeof bus->reason, "no connection yet");
    flt_ulid(now_ms(bus), bus->session);
    snprintf(client_id, sizeof client_id, "cli-%s", bus->session);
    const struct flt_mqtt_config mqtt = { .url = config->url,
                                          .client_id = client_id,
                                          .username = config->user,
                                          .password = config->password,
                                          .ca_file = config->ca_file,
                                          .backoff_base_ms = 30,
                                          .backoff_cap_ms = 1000 };
    const struct flt_mqtt_events mqtt_events = { .ctx = bus,
                                                 .on_up = on_up,
                                                 .on_down = on_down,
                                                 .on_message = on_message,
                                                 .on_published = on_published };
    int err = flt_timer_create(loop, on_wait_over, bus, &bus->wait);

    if (!err)
        err = flt_mqtt_create(loop, &mqtt, &mqtt_events, &bus->mqtt);
    if (err) {
        flt_timer_destroy(bus->wait);
        free(bus);
        return err;
    }
    *out = bus;
    return 0;
}

bool bus_is_up(const struct bus *bus)
{
    return bus && flt_mqtt_is_up(bus->mqtt);
}

int bus_subscribe(struct bus *bus, const char *filter)
{
    size_t at = 0;

    while (at < bus->filter_count && strcmp(bus->filters[at], filter) != 0)
        at++;
    if (at == FILTERS_MAX)
        return -ENOSPC;
    if (at == bus->filter_count)
        snprintf(bus->filters[bus->filter_count++], sizeof bus->filters[0], "%s", filter);
    if (bus_is_up(bus))
        subscribe(bus, filter);
    return 0;
}

void bus_close(struct bus *bus)
{
    if (!bus)
        return;
    for (size_t i = 0; i < PENDING_MAX; i++) {
        flt_timer_destroy(bus->pending[i].timer);
        free(bus->pending[i].text);
    }
    flt_timer_destroy(bus->wait);
    flt_mqtt_close(bus->mqtt, 100, NULL, NULL);
    free(bus);
}

int bus_wait_up(struct bus *bus, uint32_t timeout_ms, struct flt_error *error)
{
    if (bus_is_up(bus))
        return 0;
    bus->waiting = true;
    bus->timed_out = false;
    flt_timer_start(bus->wait, timeout_ms, 0);
    while (!bus_is_up(bus) && !bus->timed_out && !bus->denied)
        flt_loop_run(bus->loop);
    flt_timer_stop(bus->wait);
    bus->waiting = false;
    if (bus_is_up(bus))
        return 0;
    if (bus->denied)
        return flt_error_set(error, FLT_DENIED, "user", "an admin: flotilla user passwd NAME",
                             "the broker refuses %s: wrong password, or no such user", bus->user);
    return flt_error_set(error, FLT_UNAVAILABLE, NULL,
                         "is it running? flotilla up; flotilla doctor",
                         "the broker is not reachable: %s", bus->reason);
}

struct ask {
    struct bus *bus;
    struct json_object *result;
    struct flt_error error;
    bool done;
};

static void on_asked(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct ask *ask = ctx;

    ask->result = json_object_get(result);
    ask->error = *error;
    ask->done = true;
    flt_loop_stop(ask->bus->loop);
}

int bus_ask(struct bus *bus, const char *verb, struct json_object *args, uint32_t timeout_ms,
            struct json_object **result, struct flt_error *error)
{
    struct ask ask = { .bus = bus };

    bus_request(bus, verb, args, timeout_ms, on_asked, &ask);
    while (!ask.done)
        flt_loop_run(bus->loop);
    if (ask.result) {
        *result = ask.result;
        return 0;
    }
    return flt_error_set(error, ask.error.code, ask.error.field, ask.error.hint, "%s",
                         ask.error.message);
}
