/* libmosquitto on the loop, without its threads: uv_poll on its socket, loop_misc once a second.
 *
 * What shapes this file (libmosquitto 2.0.11):
 *  - mosquitto_connect_async() connects without blocking but resolves names with getaddrinfo(). We
 *    hand it addresses; only TLS needs the name (it is checked against the certificate), and there
 *    the call runs on the thread pool, while nobody else touches the client.
 *  - A publish outside its callbacks writes to the socket at once; inside one it is queued, so the
 *    poll's events are set anew after every call.
 *  - What the socket does not take is queued in memory without bound: `backlog` bounds it.
 *  - mosquitto_destroy() inside a callback frees what the caller still uses: `depth` defers it.
 */
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FLT_MOD "mqtt"
#include "lib/fail.h"
#include "lib/mqtt_link.h"
#include "lib/mqtt_url.h"

#define MISC_MS 1000
#define READS_PER_TURN 32
#define RECEIVE_MAX 100 /* QoS 1 messages the broker may have on its way to us */
#define CA_FOLDER "/etc/ssl/certs"

struct mqtt_link {
    struct flt_mqtt *core;
    struct flt_loop *loop;
    struct mosquitto *mosq;
    enum flt_mqtt_version version;
    uv_poll_t poll;
    struct flt_timer *misc; /* also brings a report that may not be made inside a call */
    char *host;             /* for the thread pool: host and port outlive the target */
    uint16_t port;
    uint16_t keepalive_s;
    int connect_rc;
    int connect_errno;
    unsigned backlog; /* messages since the socket last took everything */
    int depth;        /* inside libmosquitto */
    bool has_poll, is_tcp, reading, on_pool, closed, ended, refused, told;
    char reason[160];
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* ---- life and death ---- */

static void free_link(struct mqtt_link *link)
{
    mosquitto_destroy(link->mosq);
    free(link->host);
    free(link);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free_link(handle->data);
}

/* The descriptor must leave epoll before libmosquitto closes it, so this comes before destroy. */
static void finish_link(struct mqtt_link *link)
{
    flt_timer_destroy(link->misc);
    link->misc = NULL;
    if (link->has_poll) {
        uv_poll_stop(&link->poll);
        uv_close((uv_handle_t *)&link->poll, on_poll_closed);
    } else {
        free_link(link);
    }
}

static void link_close(struct mqtt_link *link)
{
    link->closed = true;
    link->core = NULL;
    if (link->depth == 0 && !link->on_pool)
        finish_link(link);
}

static void set_ended(struct mqtt_link *link, const char *reason)
{
    if (link->reason[0] == '\0')
        snprintf(link->reason, sizeof link->reason, "%s", reason);
    link->ended = true;
    if (link->has_poll)
        uv_poll_stop(&link->poll); /* the descriptor may be closed as soon as we return */
}

static void tell_ended(struct mqtt_link *link)
{
    if (!link->ended || link->told || link->closed)
        return;
    link->told = true;
    mqtt_core_down(link->core, link->refused, link->reason);
}

static const char *error_text(int rc)
{
    return rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc);
}

static void watch(struct mqtt_link *link)
{
    if (!link->has_poll || link->ended)
        return;
    const bool wants_write = mosquitto_want_write(link->mosq);

    if (!wants_write)
        link->backlog = 0;
    uv_poll_start(&link->poll, UV_READABLE | (wants_write ? UV_WRITABLE : 0), on_poll);
}

/* Every entry from the loop into libmosquitto stands between enter and leave. After leave the link
 * may be gone. */
static void enter(struct mqtt_link *link)
{
    link->depth++;
}

static void leave(struct mqtt_link *link)
{
    link->depth--;
    if (link->closed) {
        finish_link(link);
        return;
    }
    watch(link);
    tell_ended(link);
}

/* The same for calls of the core, which may not be reported to: the timer will do that. */
static void leave_call(struct mqtt_link *link)
{
    if (link->depth > 0)
        return; /* called inside a report: leave() follows */
    watch(link);
    if (link->ended)
        flt_timer_start(link->misc, 0, MISC_MS);
}

/* ---- libmosquitto's callbacks ---- */

static void on_connect(struct mosquitto *mosq, void *arg, int code, int flags,
                       const mosquitto_property *properties)
{
    struct mqtt_link *link = arg;

    (void)mosq;
    (void)flags;
    (void)properties;
    if (link->closed)
        return;
    if (code == 0) {
        mqtt_core_up(link->core);
        return;
    }
    link->refused = mqtt_connack_is_refusal(link->version, code);
    set_ended(link, mqtt_connack_text(link->version, code));
}

static void on_disconnect(struct mosquitto *mosq, void *arg, int code,
                          const mosquitto_property *properties)
{
    struct mqtt_link *link = arg;

    (void)mosq;
    (void)properties;
    if (code >= 0x80) /* MQTT 5: the broker said why */
        set_ended(link, mosquitto_reason_string(code));
    else
        set_ended(link, code == 0 ? "disconnected" : error_text(code));
}

static void on_message(struct mosquitto *mosq, void *arg, const struct mosquitto_message *in,
                       const mosquitto_property *properties)
{
    struct mqtt_link *link = arg;
    char *response = NULL;
    void *correlation = NULL;
    uint16_t correlation_size = 0;

    (void)mosq;
    if (link->closed || in->payloadlen < 0 || in->payloadlen > FLT_MQTT_PAYLOAD_MAX)
        return;
    if (properties) {
        mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &response, false);
        mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation,
                                       &correlation_size, false);
    }
    const struct flt_mqtt_message message = {
        .topic = in->topic,
        .payload = in->payload ? in->payload : "", /* it allocates one byte more, zeroed */
        .payload_size = (size_t)in->payloadlen,
        .qos = in->qos,
        .retained = in->retain,
        .response_topic = response,
        .correlation = correlation,
        .correlation_size = correlation_size,
    };
    mqtt_core_message(link->core, &message);
    free(response);
    free(correlation);
}

/* While reading it is the PUBACK of a QoS 1 message; otherwise one of QoS 0 was written. */
static void on_publish(struct mosquitto *mosq, void *arg, int mid, int code,
                       const mosquitto_property *properties)
{
    struct mqtt_link *link = arg;

    (void)mosq;
    (void)properties;
    if (!link->closed && link->reading)
        mqtt_core_acked(link->core, (uint32_t)mid, code < 0x80);
}

static void on_subscribe(struct mosquitto *mosq, void *arg, int mid, int count, const int *granted,
                         const mosquitto_property *properties)
{
    struct mqtt_link *link = arg;

    (void)mosq;
    (void)properties;
    if (!link->closed)
        mqtt_core_subscribed(link->core, (uint32_t)mid, count > 0 && granted[0] < 0x80);
}

static void on_log(struct mosquitto *mosq, void *arg, int level, const char *text)
{
    char quoted[256];

    (void)mosq;
    (void)arg;
    if (level == MOSQ_LOG_ERR)
        FLT_LOG(WARN, "libmosquitto", "text=%s", flt_log_quote(text, quoted, sizeof quoted));
}

/* ---- the loop's side ---- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct mqtt_link *link = poll->data;
    int rc = MOSQ_ERR_SUCCESS;

    enter(link);
    if (status < 0 || (events & UV_READABLE)) {
        link->reading = true;
        for (int i = 0; i < READS_PER_TURN && rc == 0 && !link->closed && !link->ended; i++) {
            errno = 0;
            rc = mosquitto_loop_read(link->mosq, 1);
            if (errno == EAGAIN)
                break;
        }
        link->reading = false;
    }
    if (rc == 0 && (events & UV_WRITABLE) && !link->closed && !link->ended)
        rc = mosquitto_loop_write(link->mosq, 1);
    if (rc != 0 && !link->ended)
        set_ended(link, error_text(rc));
    leave(link);
}

static void on_misc(void *arg)
{
    struct mqtt_link *link = arg;

    enter(link);
    if (!link->ended && link->has_poll) {
        const int rc = mosquitto_loop_misc(link->mosq);
        if (rc != 0 && !link->ended)
            set_ended(link, rc == MOSQ_ERR_KEEPALIVE ? "the broker is silent" : error_text(rc));
    }
    leave(link);
}

static int start_polling(struct mqtt_link *link)
{
    const int fd = mosquitto_socket(link->mosq);
    const int on = 1;

    if (fd < 0)
        return -ENOTCONN;
    if (link->is_tcp)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int err = uv_poll_init_socket(flt_loop_uv(link->loop), &link->poll, fd);
    if (err < 0)
        return err;
    link->poll.data = link;
    link->has_poll = true;
    flt_timer_start(link->misc, MISC_MS, MISC_MS);
    watch(link);
    return 0;
}

static void connect_on_pool(void *arg)
{
    struct mqtt_link *link = arg;

    link->connect_rc =
        mosquitto_connect_async(link->mosq, link->host, link->port, link->keepalive_s);
    link->connect_errno = errno;
}

static void on_pool_done(void *arg)
{
    struct mqtt_link *link = arg;

    link->on_pool = false;
    if (link->closed) {
        finish_link(link);
        return;
    }
    errno = link->connect_errno;
    if (link->connect_rc > 0)
        set_ended(link, error_text(link->connect_rc));
    else if (start_polling(link) < 0)
        set_ended(link, "no socket");
    tell_ended(link);
}

static int start_connect(struct mqtt_link *link, const struct mqtt_target *target)
{
    if (target->is_tls && strcmp(target->host, target->address) != 0) {
        link->on_pool = true;
        const int err = flt_loop_work(link->loop, connect_on_pool, on_pool_done, link);
        link->on_pool = err == 0;
        return err;
    }
    enter(link);
    connect_on_pool(link);
    link->depth--;
    errno = link->connect_errno;
    if (link->connect_rc <= 0) /* MOSQ_ERR_CONN_PENDING is negative */
        return start_polling(link);
    set_ended(link, error_text(link->connect_rc));
    flt_timer_start(link->misc, 0, MISC_MS);
    return 0;
}

/* ---- the link ---- */

static void init_library(void)
{
    mosquitto_lib_init();
}

static int set_tls(struct mosquitto *mosq, const struct flt_mqtt_config *config)
{
    const int rc = mosquitto_tls_set(mosq, config->ca_file, config->ca_file ? NULL : CA_FOLDER,
                                     config->cert_file, config->key_file, NULL);
    if (rc != MOSQ_ERR_SUCCESS)
        return FLT_FAIL(-EINVAL, "ca_file=%s why=\"%s\"", config->ca_file ? config->ca_file : "",
                        mosquitto_strerror(rc));
    return 0;
}

static int set_options(struct mqtt_link *link, const struct mqtt_target *target,
                       const struct mqtt_will *will)
{
    const struct flt_mqtt_config *config = target->config;
    struct mosquitto *mosq = link->mosq;
    int rc =
        mosquitto_int_option(mosq, MOSQ_OPT_PROTOCOL_VERSION,
                             config->version == FLT_MQTT_5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
    if (link->is_tcp)
        mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(mosq, MOSQ_OPT_RECEIVE_MAXIMUM, RECEIVE_MAX);
    mosquitto_int_option(mosq, MOSQ_OPT_SEND_MAXIMUM, (int)config->window);
    if (rc == 0 && (config->username || config->password))
        rc = mosquitto_username_pw_set(mosq, config->username ? config->username : "",
                                       config->password);
    if (rc == 0 && will->topic)
        rc = mosquitto_will_set(mosq, will->topic, (int)will->payload_size, will->payload, 1,
                                will->retained);
    if (rc != 0)
        return FLT_FAIL(-EINVAL, "client=%s why=\"%s\"", config->client_id, mosquitto_strerror(rc));
    return target->is_tls ? set_tls(mosq, config) : 0;
}

static void set_callbacks(struct mosquitto *mosq)
{
    mosquitto_connect_v5_callback_set(mosq, on_connect);
    mosquitto_disconnect_v5_callback_set(mosq, on_disconnect);
    mosquitto_message_v5_callback_set(mosq, on_message);
    mosquitto_publish_v5_callback_set(mosq, on_publish);
    mosquitto_subscribe_v5_callback_set(mosq, on_subscribe);
    mosquitto_log_callback_set(mosq, on_log);
}

static int link_open(struct flt_mqtt *core, struct flt_loop *loop, const struct mqtt_target *target,
                     const struct mqtt_will *will, struct mqtt_link **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct mqtt_link *link = calloc(1, sizeof *link);
    int err = -ENOMEM;

    if (!link)
        return err;
    pthread_once(&once, init_library);
    link->core = core;
    link->loop = loop;
    link->version = target->config->version;
    link->is_tcp = !target->is_unix;
    link->port = target->port; /* 0: a Unix socket */
    link->keepalive_s = target->config->keepalive_s;
    link->host = strdup(target->is_tls ? target->host : target->address);
    link->mosq = mosquitto_new(target->config->client_id, true, link);
    if (!link->host || !link->mosq || flt_timer_create(loop, on_misc, link, &link->misc) < 0)
        goto fail;
    set_callbacks(link->mosq);
    if ((err = set_options(link, target, will)) < 0 || (err = start_connect(link, target)) < 0)
        goto fail;
    *out = link;
    return 0;

fail:
    link->closed = true;
    finish_link(link);
    return err;
}

static int add_properties(const struct flt_mqtt_publish *publish, mosquitto_property **list)
{
    int rc = 0;

    if (publish->expiry_s > 0)
        rc = mosquitto_property_add_int32(list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                          publish->expiry_s);
    if (rc == 0 && publish->response_topic)
        rc = mosquitto_property_add_string(list, MQTT_PROP_RESPONSE_TOPIC, publish->response_topic);
    if (rc == 0 && publish->correlation_size > 0)
        rc = mosquitto_property_add_binary(list, MQTT_PROP_CORRELATION_DATA, publish->correlation,
                                           (uint16_t)publish->correlation_size);
    return rc;
}

static int result(int rc)
{
    switch (rc) {
    case MOSQ_ERR_SUCCESS:
        return 0;
    case MOSQ_ERR_NOMEM:
        return -ENOMEM;
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8:
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
    case MOSQ_ERR_RETAIN_NOT_SUPPORTED:
        return -EINVAL;
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
        return -EMSGSIZE;
    default:
        return -ENOTCONN;
    }
}

static int link_publish(struct mqtt_link *link, const struct flt_mqtt_publish *publish,
                        uint32_t *id)
{
    mosquitto_property *properties = NULL;
    int mid = 0;

    if (link->ended)
        return -ENOTCONN;
    if (link->backlog >= FLT_MQTT_QUEUE_MAX)
        return -ENOBUFS;
    int rc = link->version == FLT_MQTT_5 ? add_properties(publish, &properties) : 0;
    if (rc == 0)
        rc = mosquitto_publish_v5(link->mosq, &mid, publish->topic, (int)publish->payload_size,
                                  publish->payload, publish->qos, publish->retained, properties);
    mosquitto_property_free_all(&properties);
    link->backlog++;
    *id = (uint32_t)mid;
    leave_call(link);
    return result(rc);
}

static int link_subscribe(struct mqtt_link *link, const char *filter, int qos, uint32_t *id)
{
    int mid = 0;

    if (link->ended)
        return -ENOTCONN;
    const int rc = mosquitto_subscribe(link->mosq, &mid, filter, qos);
    *id = (uint32_t)mid;
    leave_call(link);
    return result(rc);
}

static int link_unsubscribe(struct mqtt_link *link, const char *filter)
{
    if (link->ended)
        return -ENOTCONN;
    const int rc = mosquitto_unsubscribe(link->mosq, NULL, filter);
    leave_call(link);
    return result(rc);
}

static void link_disconnect(struct mqtt_link *link)
{
    if (!link->ended)
        mosquitto_disconnect(link->mosq);
    leave_call(link);
}

const struct mqtt_link_ops mqtt_link_mosquitto = {
    .name = "mosquitto",
    .has_unix_sockets = true,
    .window_max = 1000,
    .open = link_open,
    .publish = link_publish,
    .subscribe = link_subscribe,
    .unsubscribe = link_unsubscribe,
    .disconnect = link_disconnect,
    .close = link_close,
};
