/* What a backend of lib/mqtt.h does: one connection, from one attempt to its end.
 *
 * lib/mqtt.c owns everything that outlives a connection (reconnect, backoff, the QoS 1 window and
 * the queue behind it) and opens a new link for each attempt, so no state of a library survives a
 * failure. A link reports through the mqtt_core_ functions, always from the loop and never from
 * inside a call of `open`, `subscribe`, `unsubscribe`, `publish` or `disconnect`. It reports
 * mqtt_core_down at most once, and nothing after `close`, which may come inside any report. Thread:
 * the loop's.
 */
#pragma once
#include "lib/mqtt.h"

struct mqtt_link;

struct mqtt_target {
    bool is_unix, is_tls;
    const char *host;    /* a name, an address, or the path of a Unix socket */
    const char *address; /* numeric, resolved from `host`; for TCP only */
    uint16_t port;
    const struct flt_mqtt_config *config; /* with its defaults filled in */
};

struct mqtt_will {
    const char *topic; /* NULL: no will */
    const char *payload;
    size_t payload_size;
    bool retained;
};

struct mqtt_link_ops {
    const char *name;
    bool has_unix_sockets;
    unsigned window_max; /* more QoS 1 in flight than this it cannot handle */
    /* Starts to connect; all is copied. mqtt_core_up or mqtt_core_down follows. */
    int (*open)(struct flt_mqtt *core, struct flt_loop *loop, const struct mqtt_target *target,
                const struct mqtt_will *will, struct mqtt_link **out);
    /* `id` is for mqtt_core_acked (QoS 1) and mqtt_core_subscribed. -ENOBUFS: too many
     * messages (FLT_MQTT_QUEUE_MAX at most) wait for the socket. Other failures: the connection is
     * gone. */
    int (*publish)(struct mqtt_link *link, const struct flt_mqtt_publish *publish, uint32_t *id);
    int (*subscribe)(struct mqtt_link *link, const char *filter, int qos, uint32_t *id);
    int (*unsubscribe)(struct mqtt_link *link, const char *filter);
    void (*disconnect)(struct mqtt_link *link); /* DISCONNECT, then mqtt_core_down */
    void (*close)(struct mqtt_link *link);      /* drops the connection and frees */
};

extern const struct mqtt_link_ops mqtt_link_mosquitto;
extern const struct mqtt_link_ops mqtt_link_paho;

void mqtt_core_up(struct flt_mqtt *core);
/* `refused`: the broker said no to this name and password, so hurry does not help. */
void mqtt_core_down(struct flt_mqtt *core, bool refused, const char *reason);
void mqtt_core_message(struct flt_mqtt *core, const struct flt_mqtt_message *message);
void mqtt_core_acked(struct flt_mqtt *core, uint32_t id, bool ok);
void mqtt_core_subscribed(struct flt_mqtt *core, uint32_t id, bool ok);
