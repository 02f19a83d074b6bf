#include "lib/mqtt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLT_MOD "mqtt"
#include "lib/fail.h"
#include "lib/mqtt_link.h"
#include "lib/mqtt_url.h"

#define CONNECT_TIMEOUT_MS 5000
#define REFUSED_MS 5000
#define STABLE_MS 60000 /* a connection that held so long starts the backoff anew */
#define QUEUE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define REASON_MAX 384

enum state { STATE_WAITING, STATE_RESOLVING, STATE_CONNECTING, STATE_UP, STATE_DISCONNECTING };

struct queued {
    struct queued *next;
    struct flt_mqtt_publish publish; /* its pointers lie behind this struct */
    size_t bytes;
};

struct inflight {
    uint32_t id;
    uint64_t token;
};

struct asked { /* a SUBSCRIBE without its SUBACK */
    struct asked *next;
    uint32_t id;
    char filter[];
};

struct resolve {
    uv_getaddrinfo_t uv;
    struct flt_mqtt *mqtt; /* NULL: no longer wanted */
};

struct flt_mqtt {
    struct flt_loop *loop;
    struct flt_mqtt_config config; /* strings are ours */
    struct mqtt_url url;
    struct flt_mqtt_events events;
    const struct mqtt_link_ops *ops;

    enum state state;
    struct mqtt_link *link;
    struct resolve *resolve;
    struct flt_timer *timer; /* the next attempt, or the end of patience with this one */
    struct flt_timer *soon;  /* what may not happen inside the caller's call */
    uint64_t backoff_ms;
    int64_t up_ns;
    unsigned attempt;
    bool broken; /* the link is dead, mqtt->soon will say so */
    char broken_why[REASON_MAX];

    struct inflight *inflight; /* config.window of them */
    unsigned inflight_count;
    struct queued *queue, **queue_end;
    size_t queue_bytes;
    struct asked *asked;
    struct flt_mqtt_stats stats;
    uint64_t publishes_refused;

    bool closing;
    bool linger_over;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void start_attempt(void *ctx);

/* ---- the queue behind the window, and what is in flight ---- */

static char *put(char **at, const void *data, size_t size)
{
    char *const start = *at;

    if (size > 0)
        memcpy(start, data, size);
    start[size] = '\0';
    *at += size + 1;
    return start;
}

static int enqueue(struct flt_mqtt *mqtt, const struct flt_mqtt_publish *publish)
{
    const char *const response = publish->response_topic ? publish->response_topic : "";
    const size_t bytes = sizeof(struct queued) + strlen(publish->topic) + publish->payload_size +
                         strlen(response) + publish->correlation_size + 4;

    if (mqtt->stats.queued >= FLT_MQTT_QUEUE_MAX || mqtt->queue_bytes + bytes > QUEUE_BYTES_MAX) {
        mqtt->stats.dropped++;
        return -ENOBUFS;
    }
    struct queued *queued = malloc(bytes);
    if (!queued)
        return -ENOMEM;
    char *at = (char *)(queued + 1);
    *queued = (struct queued){ .publish = *publish, .bytes = bytes };
    queued->publish.topic = put(&at, publish->topic, strlen(publish->topic));
    queued->publish.payload = put(&at, publish->payload, publish->payload_size);
    queued->publish.correlation = put(&at, publish->correlation, publish->correlation_size);
    if (publish->response_topic)
        queued->publish.response_topic = put(&at, response, strlen(response));
    *mqtt->queue_end = queued;
    mqtt->queue_end = &queued->next;
    mqtt->queue_bytes += bytes;
    mqtt->stats.queued++;
    return 0;
}

static struct queued *dequeue(struct flt_mqtt *mqtt)
{
    struct queued *queued = mqtt->queue;

    if (!queued)
        return NULL;
    mqtt->queue = queued->next;
    if (!mqtt->queue)
        mqtt->queue_end = &mqtt->queue;
    mqtt->queue_bytes -= queued->bytes;
    mqtt->stats.queued--;
    return queued;
}

static void tell_published(struct flt_mqtt *mqtt, uint64_t token, bool ok)
{
    if (token != 0 && !mqtt->closing && mqtt->events.on_published)
        mqtt->events.on_published(mqtt->events.ctx, token, ok);
}

/* What was on its way with a connection is lost with it: its owner has a journal. */
static void lose_everything(struct flt_mqtt *mqtt)
{
    const unsigned count = mqtt->inflight_count;
    struct queued *queued;
    struct asked *asked;

    mqtt->inflight_count = 0;
    for (unsigned i = 0; i < count; i++)
        tell_published(mqtt, mqtt->inflight[i].token, false);
    while ((queued = dequeue(mqtt))) {
        tell_published(mqtt, queued->publish.token, false);
        free(queued);
    }
    while ((asked = mqtt->asked)) {
        mqtt->asked = asked->next;
        free(asked);
    }
}

/* The link failed inside a call of ours: say so at the loop's next turn. */
static void set_broken(struct flt_mqtt *mqtt, const char *why)
{
    if (mqtt->broken)
        return;
    mqtt->broken = true;
    snprintf(mqtt->broken_why, sizeof mqtt->broken_why, "%s", why);
    flt_timer_start(mqtt->soon, 0, 0);
}

static int send_now(struct flt_mqtt *mqtt, const struct flt_mqtt_publish *publish)
{
    uint32_t id = 0;
    const int err = mqtt->ops->publish(mqtt->link, publish, &id);

    if (err == -ENOBUFS)
        mqtt->stats.dropped++;
    if (err == -ENOBUFS || err == -EMSGSIZE || err == -EINVAL || err == -ENOMEM)
        return err; /* this message's fault, not the connection's */
    if (err < 0) {
        set_broken(mqtt, "the connection failed while sending");
        return -ENOTCONN;
    }
    mqtt->stats.sent++;
    if (publish->qos > 0)
        mqtt->inflight[mqtt->inflight_count++] = (struct inflight){ id, publish->token };
    return 0;
}

static void send_queued(struct flt_mqtt *mqtt)
{
    while (mqtt->state == STATE_UP && !mqtt->broken && mqtt->queue &&
           mqtt->inflight_count < mqtt->config.window) {
        struct queued *queued = dequeue(mqtt);
        if (send_now(mqtt, &queued->publish) < 0)
            tell_published(mqtt, queued->publish.token, false);
        free(queued);
    }
}

/* ---- the end of a connection or of us ---- */

static void drop_link(struct flt_mqtt *mqtt)
{
    struct mqtt_link *link = mqtt->link;

    mqtt->link = NULL;
    mqtt->broken = false;
    flt_timer_stop(mqtt->timer);
    if (mqtt->resolve) {
        mqtt->resolve->mqtt = NULL;
        uv_cancel((uv_req_t *)&mqtt->resolve->uv);
        mqtt->resolve = NULL;
    }
    if (link)
        mqtt->ops->close(link);
}

static void free_config(struct flt_mqtt_config *config)
{
    char *strings[] = { (char *)(uintptr_t)config->client_id, (char *)(uintptr_t)config->username,
                        (char *)(uintptr_t)config->password,  (char *)(uintptr_t)config->ca_file,
                        (char *)(uintptr_t)config->cert_file, (char *)(uintptr_t)config->key_file };

    if (config->password)
        explicit_bzero(strings[2], strlen(strings[2]));
    for (size_t i = 0; i < FLT_COUNT(strings); i++)
        free(strings[i]);
}

static void free_mqtt(struct flt_mqtt *mqtt)
{
    flt_timer_destroy(mqtt->timer);
    flt_timer_destroy(mqtt->soon);
    free_config(&mqtt->config);
    free(mqtt->inflight);
    free(mqtt);
}

static void finish_close(struct flt_mqtt *mqtt)
{
    void (*const closed)(void *ctx) = mqtt->closed;
    void *const ctx = mqtt->closed_ctx;

    drop_link(mqtt);
    lose_everything(mqtt);
    free_mqtt(mqtt);
    if (closed)
        closed(ctx);
}

/* Closing, step by step: drain, DISCONNECT, free. Called whenever something has moved. */
static void go_on_closing(struct flt_mqtt *mqtt)
{
    const bool drained = mqtt->inflight_count == 0 && !mqtt->queue;

    if (mqtt->state == STATE_UP && !mqtt->broken && (drained || mqtt->linger_over)) {
        mqtt->state = STATE_DISCONNECTING;
        flt_timer_start(mqtt->timer, 500, 0); /* a frozen socket must not keep us */
        mqtt->ops->disconnect(mqtt->link);
    } else if (mqtt->state != STATE_UP && mqtt->state != STATE_DISCONNECTING) {
        finish_close(mqtt);
    } else if (mqtt->broken) {
        finish_close(mqtt);
    }
}

static void on_closing_timer(struct flt_mqtt *mqtt)
{
    if (mqtt->linger_over || mqtt->state == STATE_DISCONNECTING) {
        finish_close(mqtt);
        return;
    }
    mqtt->linger_over = true;
    go_on_closing(mqtt);
}

static void wait_for_next_attempt(struct flt_mqtt *mqtt, bool refused)
{
    const uint64_t cap_ms = mqtt->config.backoff_cap_ms;

    if (refused) /* wrong password: never often, from the first time on */
        mqtt->backoff_ms = flt_backoff_ms(REFUSED_MS, REFUSED_MS / 2, REFUSED_MS);
    else
        mqtt->backoff_ms = flt_backoff_ms(mqtt->backoff_ms, mqtt->config.backoff_base_ms, cap_ms);
    mqtt->state = STATE_WAITING;
    flt_timer_start(mqtt->timer, mqtt->backoff_ms, 0);
}

void mqtt_core_down(struct flt_mqtt *mqtt, bool refused, const char *reason)
{
    char why[REASON_MAX];
    char quoted[REASON_MAX];
    const bool was_up = mqtt->state == STATE_UP;

    snprintf(why, sizeof why, "%s", reason); /* the link may own it */
    drop_link(mqtt);
    if (mqtt->closing) {
        finish_close(mqtt);
        return;
    }
    if (was_up &&
        flt_mono_ns(flt_loop_clock(mqtt->loop)) - mqtt->up_ns > STABLE_MS * INT64_C(1000000))
        mqtt->backoff_ms = 0;
    wait_for_next_attempt(mqtt, refused);
    FLT_LOG(WARN, "mqtt_down", "client=%s url=%s was_up=%d retry_ms=%llu reason=%s",
            mqtt->config.client_id, mqtt->url.text, was_up, (unsigned long long)mqtt->backoff_ms,
            flt_log_quote(why, quoted, sizeof quoted));
    lose_everything(mqtt);
    if (!mqtt->closing && mqtt->events.on_down)
        mqtt->events.on_down(mqtt->events.ctx, why);
}

static void on_soon(void *ctx)
{
    struct flt_mqtt *mqtt = ctx;

    if (mqtt->closing)
        go_on_closing(mqtt);
    else if (mqtt->broken)
        mqtt_core_down(mqtt, false, mqtt->broken_why);
}

/* ---- an attempt ---- */

static void open_link(struct flt_mqtt *mqtt, const char *address)
{
    const struct mqtt_target target = { .is_unix = mqtt->url.is_unix,
                                        .is_tls = mqtt->url.is_tls,
                                        .host = mqtt->url.host,
                                        .address = address,
                                        .port = mqtt->url.port,
                                        .config = &mqtt->config };
    struct mqtt_will will = { 0 };

    mqtt->state = STATE_CONNECTING;
    if (mqtt->events.will && !mqtt->events.will(mqtt->events.ctx, &will.topic, &will.payload,
                                                &will.payload_size, &will.retained))
        will.topic = NULL;
    if (mqtt->closing)
        return;
    flt_timer_start(mqtt->timer, CONNECT_TIMEOUT_MS, 0);
    const int err = mqtt->ops->open(mqtt, mqtt->loop, &target, &will, &mqtt->link);
    if (err < 0)
        set_broken(mqtt, strerror(-err));
}

static void on_resolved(uv_getaddrinfo_t *uv, int status, struct addrinfo *list)
{
    struct resolve *resolve = uv->data;
    struct flt_mqtt *mqtt = resolve->mqtt;
    char address[INET6_ADDRSTRLEN + 1] = "";
    unsigned count = 0;

    for (const struct addrinfo *each = list; each; each = each->ai_next)
        count++;
    if (mqtt && count > 0) {
        const struct addrinfo *chosen = list;
        for (unsigned turn = mqtt->attempt % count; turn > 0; turn--)
            chosen = chosen->ai_next; /* another one each attempt: one of them may be dead */
        uv_ip_name(chosen->ai_addr, address, sizeof address);
    }
    uv_freeaddrinfo(list);
    free(resolve);
    if (!mqtt)
        return;
    mqtt->resolve = NULL;
    if (status < 0 || address[0] == '\0') {
        char why[REASON_MAX];
        snprintf(why, sizeof why, "cannot resolve %s: %s", mqtt->url.host, uv_strerror(status));
        mqtt_core_down(mqtt, false, why);
        return;
    }
    mqtt->attempt++;
    open_link(mqtt, address);
}

static int start_resolve(struct flt_mqtt *mqtt)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct resolve *resolve = calloc(1, sizeof *resolve);

    if (!resolve)
        return -ENOMEM;
    resolve->mqtt = mqtt;
    resolve->uv.data = resolve;
    const int err = uv_getaddrinfo(flt_loop_uv(mqtt->loop), &resolve->uv, on_resolved,
                                   mqtt->url.host, NULL, &hints);
    if (err < 0) {
        free(resolve);
        return err;
    }
    mqtt->resolve = resolve;
    mqtt->state = STATE_RESOLVING;
    flt_timer_start(mqtt->timer, CONNECT_TIMEOUT_MS, 0);
    return 0;
}

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void start_attempt(void *ctx)
{
    struct flt_mqtt *mqtt = ctx;

    if (mqtt->url.is_unix || is_address(mqtt->url.host)) {
        open_link(mqtt, mqtt->url.host);
        return;
    }
    const int err = start_resolve(mqtt);
    if (err < 0)
        set_broken(mqtt, strerror(-err));
}

static void on_timer(void *ctx)
{
    struct flt_mqtt *mqtt = ctx;

    if (mqtt->closing)
        on_closing_timer(mqtt);
    else if (mqtt->state == STATE_WAITING)
        start_attempt(mqtt);
    else
        mqtt_core_down(mqtt, false, "no answer from the broker in 5 s");
}

/* ---- what a link reports ---- */

void mqtt_core_up(struct flt_mqtt *mqtt)
{
    mqtt->state = STATE_UP;
    if (mqtt->closing)
        return; /* mqtt->soon is on its way and will DISCONNECT */
    flt_timer_stop(mqtt->timer);
    mqtt->up_ns = flt_mono_ns(flt_loop_clock(mqtt->loop));
    mqtt->stats.connects++;
    FLT_LOG(INFO, "mqtt_up", "client=%s url=%s library=%s", mqtt->config.client_id, mqtt->url.text,
            mqtt->ops->name);
    if (mqtt->events.on_up)
        mqtt->events.on_up(mqtt->events.ctx);
}

void mqtt_core_message(struct flt_mqtt *mqtt, const struct flt_mqtt_message *message)
{
    if (mqtt->closing)
        return;
    mqtt->stats.received++;
    if (mqtt->events.on_message)
        mqtt->events.on_message(mqtt->events.ctx, message);
}

#define NO_RIGHT "the broker gives this login no right to it: are tenant and name its own?"

void mqtt_core_acked(struct flt_mqtt *mqtt, uint32_t id, bool ok)
{
    if (!ok && flt_mqtt_is_up(mqtt)) {
        mqtt->stats.refused++;
        if (mqtt->publishes_refused++ % 100 == 0) /* said once in a hundred */
            FLT_LOG(ERROR, "publish_refused", "client=%s count=%llu hint=\"%s\"",
                    mqtt->config.client_id, (unsigned long long)mqtt->publishes_refused, NO_RIGHT);
    }
    for (unsigned i = 0; i < mqtt->inflight_count; i++) {
        if (mqtt->inflight[i].id != id)
            continue;
        const uint64_t token = mqtt->inflight[i].token;
        mqtt->inflight_count--;
        memmove(&mqtt->inflight[i], &mqtt->inflight[i + 1],
                (mqtt->inflight_count - i) * sizeof mqtt->inflight[0]);
        send_queued(mqtt);
        tell_published(mqtt, token, ok);
        if (mqtt->closing) /* not here: the link is in the middle of its report */
            flt_timer_start(mqtt->soon, 0, 0);
        return;
    }
}

void mqtt_core_subscribed(struct flt_mqtt *mqtt, uint32_t id, bool ok)
{
    for (struct asked **at = &mqtt->asked; *at; at = &(*at)->next) {
        struct asked *asked = *at;
        if (asked->id != id)
            continue;
        if (!ok) {
            mqtt->stats.refused++;
            FLT_LOG(ERROR, "subscribe_refused", "client=%s filter=%s hint=\"%s\"",
                    mqtt->config.client_id, asked->filter, NO_RIGHT);
        }
        *at = asked->next;
        free(asked);
        return;
    }
}

/* ---- the interface ---- */

static int copy_string(const char *from, const char **to)
{
    *to = from ? strdup(from) : NULL;
    return from && !*to ? -ENOMEM : 0;
}

static int copy_config(const struct flt_mqtt_config *from, struct flt_mqtt_config *to)
{
    *to = (struct flt_mqtt_config){
        .version = from->version,
        .keepalive_s = from->keepalive_s ? from->keepalive_s : 10,
        .backoff_base_ms = from->backoff_base_ms ? from->backoff_base_ms : 100,
        .backoff_cap_ms = from->backoff_cap_ms ? from->backoff_cap_ms : 2000,
        .window = from->window ? from->window : 20,
    };
    if (to->keepalive_s < 5)
        to->keepalive_s = 5; /* libmosquitto takes nothing below */
    if (copy_string(from->client_id, &to->client_id) < 0 ||
        copy_string(from->username, &to->username) < 0 ||
        copy_string(from->password, &to->password) < 0 ||
        copy_string(from->ca_file, &to->ca_file) < 0 ||
        copy_string(from->cert_file, &to->cert_file) < 0 ||
        copy_string(from->key_file, &to->key_file) < 0)
        return -ENOMEM;
    return 0;
}

static int choose_library(const char *library, bool is_unix, const struct mqtt_link_ops **out)
{
    /* Without a name the first one that can: Paho, for a Unix socket libmosquitto. */
    static const struct mqtt_link_ops *const all[] = { &mqtt_link_paho, &mqtt_link_mosquitto };

    *out = NULL;
    for (size_t i = 0; i < FLT_COUNT(all); i++) {
        const bool wanted =
            library ? strcmp(all[i]->name, library) == 0 : !is_unix || all[i]->has_unix_sockets;
        if (wanted && !*out)
            *out = all[i];
    }
    if (!*out)
        return FLT_FAIL(-EINVAL, "library=%s why=\"no such MQTT library; mosquitto or paho\"",
                        library);
    if (is_unix && !(*out)->has_unix_sockets)
        return FLT_FAIL(-EPROTONOSUPPORT,
                        "library=%s why=\"it has no Unix sockets: use mosquitto for a unix: url\"",
                        library);
    return 0;
}

int flt_mqtt_create(struct flt_loop *loop, const struct flt_mqtt_config *config,
                    const struct flt_mqtt_events *events, struct flt_mqtt **out)
{
    struct flt_mqtt *mqtt = calloc(1, sizeof *mqtt);
    int err = -ENOMEM;

    if (!mqtt)
        return err;
    mqtt->loop = loop;
    mqtt->events = *events;
    mqtt->queue_end = &mqtt->queue;
    if (!config->client_id || config->client_id[0] == '\0') {
        err = FLT_FAIL(-EINVAL, "url=%s why=\"an MQTT client needs an id\"", config->url);
        goto fail;
    }
    if ((err = mqtt_url_parse(config->url, &mqtt->url)) < 0 ||
        (err = choose_library(config->library, mqtt->url.is_unix, &mqtt->ops)) < 0 ||
        (err = copy_config(config, &mqtt->config)) < 0)
        goto fail;
    if (mqtt->config.window > mqtt->ops->window_max)
        mqtt->config.window = mqtt->ops->window_max;
    mqtt->inflight = calloc(mqtt->config.window, sizeof mqtt->inflight[0]);
    err = mqtt->inflight ? 0 : -ENOMEM;
    if (err < 0 || (err = flt_timer_create(loop, on_timer, mqtt, &mqtt->timer)) < 0 ||
        (err = flt_timer_create(loop, on_soon, mqtt, &mqtt->soon)) < 0)
        goto fail;
    mqtt->state = STATE_WAITING;
    flt_timer_start(mqtt->timer, 0, 0);
    *out = mqtt;
    return 0;

fail:
    free_mqtt(mqtt);
    return err;
}

static bool topic_is_good(const char *topic)
{
    const size_t size = topic ? strlen(topic) : 0;

    return size > 0 && size <= FLT_MQTT_TOPIC_MAX && !strpbrk(topic, "+#");
}

int flt_mqtt_publish(struct flt_mqtt *mqtt, const struct flt_mqtt_publish *publish)
{
    if (!flt_mqtt_is_up(mqtt))
        return -ENOTCONN;
    if (publish->payload_size > FLT_MQTT_PAYLOAD_MAX)
        return FLT_FAIL(-EMSGSIZE, "topic=%s bytes=%zu", publish->topic, publish->payload_size);
    if (!topic_is_good(publish->topic) || publish->qos < 0 || publish->qos > 1 ||
        (publish->response_topic && !topic_is_good(publish->response_topic)) ||
        publish->correlation_size > UINT16_MAX)
        return FLT_FAIL(-EINVAL, "topic=\"%s\" qos=%d", publish->topic ? publish->topic : "",
                        publish->qos);
    if (publish->qos == 1 && (mqtt->queue || mqtt->inflight_count >= mqtt->config.window))
        return enqueue(mqtt, publish);
    return send_now(mqtt, publish);
}

int flt_mqtt_subscribe(struct flt_mqtt *mqtt, const char *filter, int qos)
{
    const size_t size = strlen(filter) + 1;

    if (!flt_mqtt_is_up(mqtt))
        return -ENOTCONN;
    struct asked *asked = malloc(sizeof *asked + size);
    if (!asked)
        return -ENOMEM;
    memcpy(asked->filter, filter, size);
    const int err = mqtt->ops->subscribe(mqtt->link, filter, qos, &asked->id);
    if (err == -EINVAL) {
        free(asked);
        return FLT_FAIL(err, "filter=\"%s\" qos=%d", filter, qos);
    }
    if (err < 0) {
        free(asked);
        set_broken(mqtt, "the connection failed while subscribing");
        return -ENOTCONN;
    }
    asked->next = mqtt->asked;
    mqtt->asked = asked;
    return 0;
}

int flt_mqtt_unsubscribe(struct flt_mqtt *mqtt, const char *filter)
{
    if (!flt_mqtt_is_up(mqtt))
        return -ENOTCONN;
    const int err = mqtt->ops->unsubscribe(mqtt->link, filter);
    if (err == -EINVAL)
        return FLT_FAIL(err, "filter=\"%s\"", filter);
    if (err < 0) {
        set_broken(mqtt, "the connection failed while unsubscribing");
        return -ENOTCONN;
    }
    return 0;
}

bool flt_mqtt_is_up(const struct flt_mqtt *mqtt)
{
    return mqtt->state == STATE_UP && !mqtt->broken && !mqtt->closing;
}

void flt_mqtt_get_stats(const struct flt_mqtt *mqtt, struct flt_mqtt_stats *out)
{
    *out = mqtt->stats;
}

void flt_mqtt_reconnect(struct flt_mqtt *mqtt)
{
    if (mqtt->closing)
        return;
    if (mqtt->state == STATE_WAITING)
        flt_timer_start(mqtt->timer, 0, 0); /* no need to wait for the backoff */
    else
        set_broken(mqtt, "we asked for a new connection");
}

void flt_mqtt_close(struct flt_mqtt *mqtt, uint32_t linger_ms, void (*closed)(void *ctx), void *ctx)
{
    if (!mqtt) {
        if (closed)
            closed(ctx);
        return;
    }
    mqtt->closing = true;
    mqtt->closed = closed;
    mqtt->closed_ctx = ctx;
    flt_timer_start(mqtt->timer, linger_ms, 0);
    flt_timer_start(mqtt->soon, 0, 0);
}
