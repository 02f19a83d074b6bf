/* Eclipse Paho C (MQTTAsync) behind mqtt_link.h. Its two threads only copy into a ring and wake the
 * loop.
 *
 * What shapes this file (Paho C 1.3.12; what later releases fixed is not here yet in Debian 12):
 *  - Callbacks run on its send or its receive thread under one mutex of the whole process: they
 * copy and return. A lock of our own makes the two threads one producer of the ring.
 *  - Its reconnect, its buffer while offline and its resubscription are all wrong for us (a failed
 *    write can leave freed memory in its in-flight list, issues 1592 and 1621): a client is used
 * for one connection and destroyed, clean session, no persistence.
 *  - MQTTAsync_destroy of the last client sleeps in steps of 100 ms until its threads have ended,
 * so it runs on the pool, and no client is made meanwhile.
 *  - Its sender is not woken by a PUBACK when the window is full: a stall of a second. So never
 * more than 20 in flight, which is what mosquitto grants unless told otherwise.
 *  - It has no option for TCP_NODELAY (issue 530) and hides its descriptor; without it a QoS 1
 * command takes 88 ms. After the connect and before the first publish we set it on every TCP socket
 * of this process whose peer has the broker's port: it needs no interposed connect(), works with
 * TLS and does no harm to a socket that is not Paho's.
 *  - A message that on_arrived refuses stays in a queue of which one is offered for each that
 * comes: after one full ring the process stayed as far behind for ever (67 s at 10,000 fills a
 * second). So what does not fit into the ring is kept behind it.
 *  - Destroying a client whose socket is full leaks the messages that wait: a low bound on those.
 *  - It resolves names under that mutex: it is given addresses, except for TLS, which checks the
 * name.
 */
#include <MQTTAsync.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FLT_MOD "mqtt"
#include "lib/fail.h"
#include "lib/mqtt_link.h"
#include "lib/mqtt_url.h"
#include "lib/ring.h"

#define RING_BYTES ((size_t)4 * 1024 * 1024)
#define BATCH_MAX 256 /* records a turn of the loop */
#define SPILL_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define CONNECT_S 5
#define BUFFERED_MAX 1000 /* QoS 0 that the socket has not taken */
#define RETRY_MS 20       /* while another client is being destroyed */
#define CA_FOLDER "/etc/ssl/certs"

enum kind { KIND_UP, KIND_DOWN, KIND_MESSAGE, KIND_ACK, KIND_SUBSCRIBED };

struct record { /* in the ring, followed by its strings, each with a NUL */
    enum kind kind;
    uint32_t id;
    bool ok, refused;
    int qos;
    bool retained, has_response;
    size_t topic_size, payload_size, response_size, correlation_size;
};

struct spilled { /* a record that found the ring full, with its strings behind it */
    struct spilled *next;
    struct record record;
};

struct mqtt_link {
    struct flt_mqtt *core;
    struct flt_loop *loop;
    MQTTAsync client;
    enum flt_mqtt_version version;
    uint16_t port;
    uv_async_t wake;
    struct flt_timer *timer; /* starts the connect when no client is being destroyed */
    struct flt_ring *ring;
    pthread_mutex_t producer; /* of the ring; and guards the spill */
    struct spilled *spill, **spill_end;
    size_t spill_bytes;
    struct spilled *taken; /* the loop's: the spill until now, older than what the ring has */
    atomic_bool overflown; /* a record that may not be lost found no room */
    int depth;
    bool closed, told;
    /* for the connect: copies, as the target is the core's for the call only */
    char *username, *password, *ca_file, *cert_file, *key_file;
    char *will_topic, *will_payload;
    size_t will_size;
    bool will_retained, is_tls;
    uint16_t keepalive_s;
    unsigned window;
};

static atomic_int destroying; /* clients of this process on their way out */

/* ---- Paho's threads ---- */

/* False: no memory, or far too much waits. */
static bool spill(struct mqtt_link *link, const struct flt_ring_part *parts, size_t count)
{
    size_t size = sizeof(struct spilled *), at = 0;
    struct spilled *spilled;

    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    if (size < sizeof *spilled)
        size = sizeof *spilled;
    if (link->spill_bytes + size > SPILL_BYTES_MAX || !(spilled = malloc(size)))
        return false;
    for (size_t i = 0; i < count; at += parts[i++].size)
        memcpy((char *)&spilled->record + at, parts[i].data, parts[i].size);
    spilled->next = NULL;
    *link->spill_end = spilled;
    link->spill_end = &spilled->next;
    link->spill_bytes += size;
    return true;
}

static bool push(struct mqtt_link *link, const struct record *record,
                 const struct flt_ring_part *texts, size_t count)
{
    struct flt_ring_part parts[5] = { { record, sizeof *record } };

    for (size_t i = 0; i < count; i++)
        parts[1 + i] = texts[i];
    pthread_mutex_lock(&link->producer);
    const bool done = (!link->spill && flt_ring_push(link->ring, parts, 1 + count)) ||
                      spill(link, parts, 1 + count);
    pthread_mutex_unlock(&link->producer);
    if (!done)
        atomic_store(&link->overflown, true);
    uv_async_send(&link->wake);
    return done;
}

static void push_down(struct mqtt_link *link, bool refused, const char *reason)
{
    const struct record record = { .kind = KIND_DOWN,
                                   .refused = refused,
                                   .topic_size = strlen(reason) };
    const struct flt_ring_part text = { reason, strlen(reason) + 1 };

    push(link, &record, &text, 1);
}

static void push_result(void *arg, enum kind kind, int token, bool ok)
{
    const struct record record = { .kind = kind, .id = (uint32_t)token, .ok = ok };

    push(arg, &record, NULL, 0);
}

static void on_connected(void *arg, MQTTAsync_successData *data)
{
    (void)data;
    push_result(arg, KIND_UP, 0, true);
}

static void on_connected5(void *arg, MQTTAsync_successData5 *data)
{
    (void)data;
    push_result(arg, KIND_UP, 0, true);
}

static void on_not_connected(void *arg, MQTTAsync_failureData *data)
{
    if (data && data->code > 0)
        push_down(arg, mqtt_connack_is_refusal(FLT_MQTT_311, data->code),
                  mqtt_connack_text(FLT_MQTT_311, data->code));
    else
        push_down(arg, false, data && data->message ? data->message : "cannot connect");
}

/* The CONNACK's code is in `code`, as of 3.1.1, and not in `reasonCode`. */
static void on_not_connected5(void *arg, MQTTAsync_failureData5 *data)
{
    const int code = !data ? 0 : data->code > 0 ? data->code : (int)data->reasonCode;

    if (code >= MQTTREASONCODE_UNSPECIFIED_ERROR)
        push_down(arg, mqtt_connack_is_refusal(FLT_MQTT_5, code),
                  mqtt_connack_text(FLT_MQTT_5, code));
    else
        push_down(arg, false, data && data->message ? data->message : "cannot connect");
}

static void on_lost(void *arg, char *cause)
{
    push_down(arg, false, cause ? cause : "the connection was lost");
}

static void on_server_disconnect(void *arg, MQTTProperties *properties, enum MQTTReasonCodes code)
{
    const char *const text = MQTTReasonCode_toString(code);

    (void)properties;
    push_down(arg, false, text ? text : "disconnected by the broker");
}

static void on_disconnected(void *arg, MQTTAsync_successData *data)
{
    (void)data;
    push_down(arg, false, "disconnected");
}

static void on_disconnected5(void *arg, MQTTAsync_successData5 *data)
{
    (void)data;
    push_down(arg, false, "disconnected");
}

static void on_published(void *arg, MQTTAsync_successData *data)
{
    push_result(arg, KIND_ACK, data->token, true);
}

static void on_published5(void *arg, MQTTAsync_successData5 *data)
{
    push_result(arg, KIND_ACK, data->token, data->reasonCode < MQTTREASONCODE_UNSPECIFIED_ERROR);
}

static void on_not_published(void *arg, MQTTAsync_failureData *data)
{
    push_result(arg, KIND_ACK, data->token, false);
}

static void on_not_published5(void *arg, MQTTAsync_failureData5 *data)
{
    push_result(arg, KIND_ACK, data->token, false);
}

static void on_subscribed(void *arg, MQTTAsync_successData *data)
{
    push_result(arg, KIND_SUBSCRIBED, data->token, data->alt.qos < 0x80);
}

static void on_subscribed5(void *arg, MQTTAsync_successData5 *data)
{
    push_result(arg, KIND_SUBSCRIBED, data->token,
                data->reasonCode < MQTTREASONCODE_UNSPECIFIED_ERROR);
}

static void on_not_subscribed(void *arg, MQTTAsync_failureData *data)
{
    push_result(arg, KIND_SUBSCRIBED, data->token, false);
}

static void on_not_subscribed5(void *arg, MQTTAsync_failureData5 *data)
{
    push_result(arg, KIND_SUBSCRIBED, data->token, false);
}

/* The ring wants each text with a NUL behind it; Paho's have none, so that is a part of its own. */
static void push_message(struct mqtt_link *link, const char *topic, size_t topic_size,
                         const MQTTAsync_message *message)
{
    MQTTProperties *properties = (MQTTProperties *)(uintptr_t)&message->properties;
    const MQTTProperty *response =
        MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC);
    const MQTTProperty *correlation =
        MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_CORRELATION_DATA);
    struct record record = { .kind = KIND_MESSAGE,
                             .qos = message->qos,
                             .retained = message->retained != 0,
                             .has_response = response != NULL,
                             .topic_size = topic_size,
                             .payload_size = (size_t)message->payloadlen };
    char tail[2048]; /* response topic and correlation data, with their NULs */
    size_t tail_size = 0;

    if (response && (size_t)response->value.data.len <= FLT_MQTT_TOPIC_MAX) {
        record.response_size = (size_t)response->value.data.len;
        memcpy(tail, response->value.data.data, record.response_size);
        tail_size = record.response_size;
    }
    tail[tail_size++] = '\0';
    if (correlation && (size_t)correlation->value.data.len < sizeof tail - tail_size) {
        record.correlation_size = (size_t)correlation->value.data.len;
        memcpy(tail + tail_size, correlation->value.data.data, record.correlation_size);
        tail_size += record.correlation_size;
    }
    char *const head = malloc(topic_size + 1 + record.payload_size + 1);
    if (!head) {
        atomic_store(&link->overflown, true);
        return;
    }
    memcpy(head, topic, topic_size);
    head[topic_size] = '\0';
    if (record.payload_size > 0)
        memcpy(head + topic_size + 1, message->payload, record.payload_size);
    head[topic_size + 1 + record.payload_size] = '\0';
    const struct flt_ring_part texts[] = { { head, topic_size + 1 + record.payload_size + 1 },
                                           { tail, tail_size } };
    push(link, &record, texts, FLT_COUNT(texts));
    free(head);
}

/* Never refused: one that cannot be kept ends the connection, and is asked for again. */
static int on_arrived(void *arg, char *topic, int topic_size, MQTTAsync_message *message)
{
    const bool fits = message->payloadlen >= 0 && message->payloadlen <= FLT_MQTT_PAYLOAD_MAX;
    const size_t size = topic_size > 0 ? (size_t)topic_size : strlen(topic);

    if (fits)
        push_message(arg, topic, size, message);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

/* ---- the end ---- */

static void drop_spilled(struct spilled *list)
{
    while (list) {
        struct spilled *next = list->next;

        free(list);
        list = next;
    }
}

static void free_link(uv_handle_t *handle)
{
    struct mqtt_link *link = handle->data;

    if (link->password)
        explicit_bzero(link->password, strlen(link->password));
    free(link->username);
    free(link->password);
    free(link->ca_file);
    free(link->cert_file);
    free(link->key_file);
    free(link->will_topic);
    free(link->will_payload);
    drop_spilled(link->spill);
    drop_spilled(link->taken);
    flt_ring_destroy(link->ring);
    pthread_mutex_destroy(&link->producer);
    free(link);
}

static void destroy_on_pool(void *arg)
{
    struct mqtt_link *link = arg;

    MQTTAsync_destroy(&link->client); /* no callback comes after it */
}

static void on_destroyed(void *arg)
{
    struct mqtt_link *link = arg;

    atomic_fetch_sub(&destroying, 1);
    uv_close((uv_handle_t *)&link->wake, free_link);
}

static void finish_link(struct mqtt_link *link)
{
    flt_timer_destroy(link->timer);
    link->timer = NULL;
    if (!link->client) {
        uv_close((uv_handle_t *)&link->wake, free_link);
        return;
    }
    atomic_fetch_add(&destroying, 1);
    if (flt_loop_work(link->loop, destroy_on_pool, on_destroyed, link) < 0) {
        destroy_on_pool(link);
        on_destroyed(link);
    }
}

static void link_close(struct mqtt_link *link)
{
    link->closed = true;
    link->core = NULL;
    if (link->depth == 0)
        finish_link(link);
}

/* ---- the loop's side of the ring ---- */

static bool set_nodelay_on(int fd, uint16_t port)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    const int on = 1;

    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        return false;
    const uint16_t peer_port =
        peer.ss_family == AF_INET    ? ntohs(((struct sockaddr_in *)&peer)->sin_port)
        : peer.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&peer)->sin6_port)
                                     : 0;
    return peer_port == port && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

static void set_nodelay(uint16_t port)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    int count = 0;

    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.' && set_nodelay_on(atoi(entry->d_name), port))
            count++;
    if (folder)
        closedir(folder);
    if (count == 0)
        FLT_LOG(WARN, "nodelay_not_set",
                "port=%u why=\"Paho's socket was not found: slow commands\"", port);
}

static void tell_down(struct mqtt_link *link, bool refused, const char *reason)
{
    if (link->told || link->closed)
        return;
    link->told = true;
    mqtt_core_down(link->core, refused, reason);
}

static void tell_message(struct mqtt_link *link, const struct record *record, const char *text)
{
    const char *const payload = text + record->topic_size + 1;
    const char *const response = payload + record->payload_size + 1;
    const struct flt_mqtt_message message = {
        .topic = text,
        .payload = payload,
        .payload_size = record->payload_size,
        .qos = record->qos,
        .retained = record->retained,
        .response_topic = record->has_response ? response : NULL,
        .correlation = record->correlation_size ? response + record->response_size + 1 : NULL,
        .correlation_size = record->correlation_size,
    };

    mqtt_core_message(link->core, &message);
}

static void tell(struct mqtt_link *link, const struct record *record)
{
    const char *const text = (const char *)(record + 1);

    switch (record->kind) {
    case KIND_UP:
        set_nodelay(link->port);
        mqtt_core_up(link->core);
        return;
    case KIND_DOWN:
        tell_down(link, record->refused, text);
        return;
    case KIND_MESSAGE:
        tell_message(link, record, text);
        return;
    case KIND_ACK:
        mqtt_core_acked(link->core, record->id, record->ok);
        return;
    case KIND_SUBSCRIBED:
        mqtt_core_subscribed(link->core, record->id, record->ok);
        return;
    }
}

/* The ring is empty: what was kept behind it is next, all of it before anything that comes. */
static bool take_spill(struct mqtt_link *link)
{
    size_t size;

    pthread_mutex_lock(&link->producer);
    if (!flt_ring_peek(link->ring, &size)) { /* still; and nobody fills it now */
        link->taken = link->spill;
        link->spill = NULL;
        link->spill_end = &link->spill;
        link->spill_bytes = 0;
    }
    pthread_mutex_unlock(&link->producer);
    return link->taken != NULL;
}

/* Tells the oldest record; false: there is none. */
static bool tell_next(struct mqtt_link *link)
{
    const struct record *record;
    size_t size;

    if (!link->taken) {
        record = flt_ring_peek(link->ring, &size);
        if (record) {
            tell(link, record);
            flt_ring_pop(link->ring);
            return true;
        }
        if (!take_spill(link))
            return flt_ring_peek(link->ring, &size) != NULL; /* came meanwhile: the next turn's */
    }
    struct spilled *first = link->taken;

    link->taken = first->next;
    tell(link, &first->record);
    free(first);
    return true;
}

static void on_wake(uv_async_t *wake)
{
    struct mqtt_link *link = wake->data;
    int count = 0;

    if (link->closed)
        return; /* it is being destroyed on the pool */
    link->depth++;
    while (!link->closed && !link->told && count++ < BATCH_MAX && tell_next(link))
        ;
    if (atomic_load(&link->overflown))
        tell_down(link, false, "the loop fell behind its MQTT library");
    link->depth--;
    if (link->closed)
        finish_link(link);
    else if (count > BATCH_MAX)
        uv_async_send(&link->wake);
}

/* ---- the connect ---- */

static int start_connect(struct mqtt_link *link)
{
    const bool is_5 = link->version == FLT_MQTT_5;
    MQTTAsync_connectOptions options3 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions options5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions options = is_5 ? options5 : options3;
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;

    options.MQTTVersion = is_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    options.cleansession = !is_5;
    options.cleanstart = is_5;
    options.keepAliveInterval = link->keepalive_s;
    options.connectTimeout = CONNECT_S;
    options.maxInflight = (int)link->window;
    options.username = link->username;
    options.password = link->password;
    options.context = link;
    options.onSuccess = is_5 ? NULL : on_connected;
    options.onFailure = is_5 ? NULL : on_not_connected;
    options.onSuccess5 = is_5 ? on_connected5 : NULL;
    options.onFailure5 = is_5 ? on_not_connected5 : NULL;
    if (link->will_topic) {
        will.topicName = link->will_topic;
        will.payload.data = link->will_payload;
        will.payload.len = (int)link->will_size;
        will.qos = 1;
        will.retained = link->will_retained;
        options.will = &will;
    }
    if (link->is_tls) {
        tls.trustStore = link->ca_file;
        tls.CApath = link->ca_file ? NULL : CA_FOLDER;
        tls.keyStore = link->cert_file;
        tls.privateKey = link->key_file;
        tls.enableServerCertAuth = 1;
        tls.verify = 1;
        options.ssl = &tls;
    }
    return MQTTAsync_connect(link->client, &options);
}

static int create_client(struct mqtt_link *link, const char *uri, const char *client_id)
{
    MQTTAsync_createOptions options3 = MQTTAsync_createOptions_initializer;
    MQTTAsync_createOptions options5 = MQTTAsync_createOptions_initializer5;
    MQTTAsync_createOptions options = link->version == FLT_MQTT_5 ? options5 : options3;

    options.MQTTVersion = link->version == FLT_MQTT_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    options.sendWhileDisconnected = 0;
    options.allowDisconnectedSendAtAnyTime = 0;
    options.maxBufferedMessages = BUFFERED_MAX;
    options.restoreMessages = 0;
    options.persistQoS0 = 0;
    int rc = MQTTAsync_createWithOptions(&link->client, uri, client_id, MQTTCLIENT_PERSISTENCE_NONE,
                                         NULL, &options);
    if (rc == MQTTASYNC_SUCCESS)
        rc = MQTTAsync_setCallbacks(link->client, link, on_lost, on_arrived, NULL);
    if (rc == MQTTASYNC_SUCCESS && link->version == FLT_MQTT_5)
        rc = MQTTAsync_setDisconnected(link->client, link, on_server_disconnect);
    return rc;
}

static void on_timer(void *arg)
{
    struct mqtt_link *link = arg;

    if (atomic_load(&destroying) > 0) { /* Paho may be stopping its threads */
        flt_timer_start(link->timer, RETRY_MS, 0);
        return;
    }
    const int rc = start_connect(link);
    if (rc != MQTTASYNC_SUCCESS)
        tell_down(link, false, MQTTAsync_strerror(rc) ? MQTTAsync_strerror(rc) : "cannot connect");
}

static int copy(const char *from, char **to)
{
    *to = from ? strdup(from) : NULL;
    return from && !*to ? -ENOMEM : 0;
}

static int copy_target(struct mqtt_link *link, const struct mqtt_target *target,
                       const struct mqtt_will *will)
{
    const struct flt_mqtt_config *config = target->config;

    link->version = config->version;
    link->port = target->port;
    link->is_tls = target->is_tls;
    link->keepalive_s = config->keepalive_s;
    link->window = config->window;
    link->will_size = will->payload_size;
    link->will_retained = will->retained;
    if (will->topic) {
        link->will_payload = malloc(will->payload_size + 1);
        if (!link->will_payload)
            return -ENOMEM;
        if (will->payload_size > 0)
            memcpy(link->will_payload, will->payload, will->payload_size);
    }
    if (copy(config->username, &link->username) < 0 ||
        copy(config->password, &link->password) < 0 || copy(config->ca_file, &link->ca_file) < 0 ||
        copy(config->cert_file, &link->cert_file) < 0 ||
        copy(config->key_file, &link->key_file) < 0 || copy(will->topic, &link->will_topic) < 0)
        return -ENOMEM;
    return 0;
}

static void init_library(void)
{
    MQTTAsync_init_options options = MQTTAsync_init_options_initializer;

    options.do_openssl_init = 1;
    MQTTAsync_global_init(&options);
}

static int link_open(struct flt_mqtt *core, struct flt_loop *loop, const struct mqtt_target *target,
                     const struct mqtt_will *will, struct mqtt_link **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct mqtt_link *link = calloc(1, sizeof *link);
    char uri[MQTT_URL_MAX + 32];
    int err;

    if (!link)
        return -ENOMEM;
    pthread_once(&once, init_library);
    link->core = core;
    link->loop = loop;
    pthread_mutex_init(&link->producer, NULL);
    uv_async_init(flt_loop_uv(loop), &link->wake, on_wake);
    link->wake.data = link;
    link->spill_end = &link->spill;
    const char *const host = target->is_tls ? target->host : target->address;
    snprintf(uri, sizeof uri, strchr(host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
             target->is_tls ? "ssl" : "tcp", host, target->port);
    if ((err = copy_target(link, target, will)) < 0 ||
        (err = flt_ring_create(RING_BYTES, &link->ring)) < 0 ||
        (err = flt_timer_create(loop, on_timer, link, &link->timer)) < 0)
        goto fail;
    const int rc = create_client(link, uri, target->config->client_id);
    if (rc != MQTTASYNC_SUCCESS) {
        err = FLT_FAIL(-EINVAL, "uri=%s code=%d", uri, rc);
        goto fail;
    }
    flt_timer_start(link->timer, 0, 0);
    *out = link;
    return 0;

fail:
    link->closed = true;
    finish_link(link);
    return err;
}

/* ---- calls ---- */

static int result(int rc)
{
    switch (rc) {
    case MQTTASYNC_SUCCESS:
        return 0;
    case MQTTASYNC_MAX_BUFFERED_MESSAGES:
    case MQTTASYNC_NO_MORE_MSGIDS:
        return -ENOBUFS;
    case MQTTASYNC_BAD_UTF8_STRING:
    case MQTTASYNC_BAD_QOS:
    case MQTTASYNC_NULL_PARAMETER:
        return -EINVAL;
    default:
        return -ENOTCONN;
    }
}

static MQTTAsync_responseOptions response_options(struct mqtt_link *link)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

    options.context = link;
    return options;
}

static void add_property(MQTTProperties *list, enum MQTTPropertyCodes code, const void *data,
                         size_t size)
{
    MQTTProperty property = { .identifier = code };

    property.value.data.data = (char *)(uintptr_t)data;
    property.value.data.len = (int)size;
    MQTTProperties_add(list, &property);
}

static void add_properties(const struct flt_mqtt_publish *publish, MQTTProperties *list)
{
    if (publish->expiry_s > 0) {
        MQTTProperty expiry = { .identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL };
        expiry.value.integer4 = publish->expiry_s;
        MQTTProperties_add(list, &expiry);
    }
    if (publish->response_topic)
        add_property(list, MQTTPROPERTY_CODE_RESPONSE_TOPIC, publish->response_topic,
                     strlen(publish->response_topic));
    if (publish->correlation_size > 0)
        add_property(list, MQTTPROPERTY_CODE_CORRELATION_DATA, publish->correlation,
                     publish->correlation_size);
}

static int link_publish(struct mqtt_link *link, const struct flt_mqtt_publish *publish,
                        uint32_t *id)
{
    const bool is_5 = link->version == FLT_MQTT_5;
    MQTTAsync_responseOptions options = response_options(link);
    MQTTAsync_message message = MQTTAsync_message_initializer;

    if (publish->qos > 0) {
        options.onSuccess = is_5 ? NULL : on_published;
        options.onFailure = is_5 ? NULL : on_not_published;
        options.onSuccess5 = is_5 ? on_published5 : NULL;
        options.onFailure5 = is_5 ? on_not_published5 : NULL;
    }
    message.payload = (void *)(uintptr_t)publish->payload;
    message.payloadlen = (int)publish->payload_size;
    message.qos = publish->qos;
    message.retained = publish->retained;
    if (is_5)
        add_properties(publish, &message.properties);
    const int rc = MQTTAsync_sendMessage(link->client, publish->topic, &message, &options);
    MQTTProperties_free(&message.properties);
    *id = (uint32_t)options.token;
    return result(rc);
}

static int link_subscribe(struct mqtt_link *link, const char *filter, int qos, uint32_t *id)
{
    const bool is_5 = link->version == FLT_MQTT_5;
    MQTTAsync_responseOptions options = response_options(link);

    options.onSuccess = is_5 ? NULL : on_subscribed;
    options.onFailure = is_5 ? NULL : on_not_subscribed;
    options.onSuccess5 = is_5 ? on_subscribed5 : NULL;
    options.onFailure5 = is_5 ? on_not_subscribed5 : NULL;
    const int rc = MQTTAsync_subscribe(link->client, filter, qos, &options);
    *id = (uint32_t)options.token;
    return result(rc);
}

static int link_unsubscribe(struct mqtt_link *link, const char *filter)
{
    MQTTAsync_responseOptions options = response_options(link);

    return result(MQTTAsync_unsubscribe(link->client, filter, &options));
}

static void link_disconnect(struct mqtt_link *link)
{
    const bool is_5 = link->version == FLT_MQTT_5;
    MQTTAsync_disconnectOptions options3 = MQTTAsync_disconnectOptions_initializer;
    MQTTAsync_disconnectOptions options5 = MQTTAsync_disconnectOptions_initializer5;
    MQTTAsync_disconnectOptions options = is_5 ? options5 : options3;

    options.timeout = 100;
    options.context = link;
    options.onSuccess = is_5 ? NULL : on_disconnected;
    options.onSuccess5 = is_5 ? on_disconnected5 : NULL;
    if (MQTTAsync_disconnect(link->client, &options) != MQTTASYNC_SUCCESS)
        push_down(link, false, "disconnected");
}

const struct mqtt_link_ops mqtt_link_paho = {
    .name = "paho",
    .has_unix_sockets = false,
    .window_max = 20,
    .open = link_open,
    .publish = link_publish,
    .subscribe = link_subscribe,
    .unsubscribe = link_unsubscribe,
    .disconnect = link_disconnect,
    .close = link_close,
};
