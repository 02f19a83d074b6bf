/* MQTT client: one narrow interface, two backends (lib/mqtt_mosquitto.c, lib/mqtt_paho.c) that pass
 * the same tests. MQTT is never on the trading path.
 *
 * Clean sessions only, and our own reconnect with jitter: `on_up` is the place to subscribe and to
 * publish what is true, each time. TCP_NODELAY is set. The bus may lose, repeat and reorder across
 * reconnects; a PUBACK says that the broker took it, nothing more. Thread: the loop's; Paho's own
 * threads end in a ring. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/loop.h"

struct flt_mqtt;

enum flt_mqtt_version { FLT_MQTT_5, FLT_MQTT_311 };

#define FLT_MQTT_PAYLOAD_MAX (1024 * 1024)
#define FLT_MQTT_TOPIC_MAX 256

struct flt_mqtt_message {
    const char *topic;   /* NUL-terminated; all borrowed for the callback */
    const char *payload; /* NUL-terminated too, for the parsers' comfort */
    size_t payload_size;
    int qos;
    bool retained;
    const char *response_topic; /* MQTT 5; NULL: none */
    const void *correlation;
    size_t correlation_size;
};

struct flt_mqtt_events {
    void *ctx;
    /* Before every connect, so that will and birth of one connection carry the same number. Sets
     * topic, payload (copied) and retained of the will; false: no will. May be NULL. */
    bool (*will)(void *ctx, const char **topic, const char **payload, size_t *size, bool *retained);
    void (*on_up)(void *ctx);
    void (*on_down)(void *ctx, const char *reason); /* also for each attempt that failed */
    void (*on_message)(void *ctx, const struct flt_mqtt_message *message);
    /* A QoS 1 publish given a `token` was acknowledged (ok) or is lost with its connection. */
    void (*on_published)(void *ctx, uint64_t token, bool ok);
};

struct flt_mqtt_config {
    const char *library; /* "mosquitto" or "paho"; NULL: the default of docs/ARCHITECTURE.md */
    const char *url;     /* "mqtt://host:1883", "mqtts://host:8883", "unix:/path/mosquitto.sock" */
    const char *client_id;
    const char *username, *password; /* NULL: none; the password is copied and wiped at the end */
    const char *ca_file, *cert_file, *key_file;
    enum flt_mqtt_version version;
    uint16_t keepalive_s; /* 0: 10 */
    /* Decorrelated jitter; 0: 100 and 2000, so that a fleet is back within 3 s of its broker. */
    uint32_t backoff_base_ms, backoff_cap_ms;
    unsigned window; /* QoS 1 in flight; 0: 20 */
};

struct flt_mqtt_publish {
    const char *topic;
    const void *payload;
    size_t payload_size;
    int qos; /* 0 or 1 */
    bool retained;
    uint64_t token;             /* 0: not interested in on_published */
    uint32_t expiry_s;          /* MQTT 5 message expiry; 0: none */
    const char *response_topic; /* MQTT 5; NULL: none */
    const void *correlation;
    size_t correlation_size;
};

struct flt_mqtt_stats {
    uint64_t sent, received, dropped, connects;
    uint64_t
        refused;   /* by the broker: publishes and subscriptions that the login has no right to */
    size_t queued; /* QoS 1 waiting for a place in the window */
};

FLT_MUST_USE int flt_mqtt_create(struct flt_loop *loop, const struct flt_mqtt_config *config,
                                 const struct flt_mqtt_events *events, struct flt_mqtt **out);
/* Publishes. -ENOTCONN: down (QoS 0 and 1 alike: what matters is in a journal and is sent again);
 * -ENOBUFS: the queue behind the window is full (FLT_MQTT_QUEUE_MAX), counted as dropped. */
#define FLT_MQTT_QUEUE_MAX 10000
FLT_MUST_USE int flt_mqtt_publish(struct flt_mqtt *mqtt, const struct flt_mqtt_publish *publish);
FLT_MUST_USE int flt_mqtt_subscribe(struct flt_mqtt *mqtt, const char *filter, int qos);
FLT_MUST_USE int flt_mqtt_unsubscribe(struct flt_mqtt *mqtt, const char *filter);
bool flt_mqtt_is_up(const struct flt_mqtt *mqtt);
void flt_mqtt_get_stats(const struct flt_mqtt *mqtt, struct flt_mqtt_stats *out);
void flt_mqtt_reconnect(struct flt_mqtt *mqtt); /* drops the connection; it comes back */
/* Sends what is queued for up to `linger_ms`, DISCONNECTs (no will) and frees; then `closed` (may
 * be NULL). No other callback comes after this call. */
void flt_mqtt_close(struct flt_mqtt *mqtt, uint32_t linger_ms, void (*closed)(void *ctx),
                    void *ctx);

/* Whether `topic` matches the subscription `filter` (+ and #). */
bool flt_topic_matches(const char *filter, const char *topic);
