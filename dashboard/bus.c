#define FLT_MOD "bus"
#include "dashboard/bus.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/ids.h"
#include "lib/log.h"
#include "lib/mqtt.h"

#define ASK_MS 5000

struct bus {
    struct flt_loop *loop;
    const struct settings *settings;
    struct flt_mqtt *mqtt; /* NULL: no login is configured */
    struct flt_timer *timer;
    bool controller_known, controller_online, has_health;
    struct msg_health_result health;
    int64_t health_ms;
    struct bus_node *nodes;
    size_t node_count, node_capacity;
    struct bus_figure broker[BUS_BROKER_MAX];
    size_t broker_count;
    uint64_t malformed, sequence;
};

static int64_t now_ms(const struct bus *bus)
{
    return flt_mono_ms(flt_loop_clock(bus->loop));
}

/* --- what is heard
 * ---------------------------------------------------------------------------------- */

static struct bus_node *get_node(struct bus *bus, const char *name)
{
    for (size_t i = 0; i < bus->node_count; i++)
        if (strcmp(bus->nodes[i].name, name) == 0)
            return &bus->nodes[i];
    if (bus->node_count == BUS_NODES_MAX)
        return NULL;
    if (bus->node_count == bus->node_capacity) {
        const size_t capacity = bus->node_capacity ? 2 * bus->node_capacity : 8;
        struct bus_node *grown = realloc(bus->nodes, capacity * sizeof *grown);

        if (!grown)
            return NULL;
        bus->nodes = grown;
        bus->node_capacity = capacity;
    }
    struct bus_node *node = &bus->nodes[bus->node_count++];

    memset(node, 0, sizeof *node);
    snprintf(node->name, sizeof node->name, "%.32s", name);
    return node;
}

static void take_hb(struct bus *bus, const char *name, const struct flt_mqtt_message *message)
{
    struct bus_node *node;
    struct msg_n_hb hb;

    if (msg_parse(&msg_type_n_hb, message->payload, message->payload_size, MSG_PROGRAM, &hb,
                  NULL) != 0) {
        bus->malformed++;
        return;
    }
    node = get_node(bus, name);
    if (!node) {
        msg_n_hb_finish(&hb);
        return;
    }
    msg_n_hb_finish(&node->hb);
    node->hb = hb;
    node->heard_ms = now_ms(bus);
}

static void take_state(struct bus *bus, const struct flt_mqtt_message *message)
{
    struct msg_ctl_state state;

    if (msg_parse(&msg_type_ctl_state, message->payload, message->payload_size, MSG_PROGRAM, &state,
                  NULL) != 0) {
        bus->malformed++;
        return;
    }
    bus->controller_known = true;
    bus->controller_online = state.state == MSG_CTL_STATE_STATE_ONLINE;
    msg_ctl_state_finish(&state);
}

static void take_health(struct bus *bus, const struct flt_mqtt_message *message)
{
    struct json_object *tree = flt_json_parse(message->payload, message->payload_size, NULL);
    struct json_object *result = flt_json_get(tree, "result");
    struct msg_health_result health;

    if (result && msg_health_result_decode(result, MSG_PROGRAM, &health, NULL) == 0) {
        if (bus->has_health)
            msg_health_result_finish(&bus->health);
        bus->health = health;
        bus->has_health = true;
        bus->health_ms = now_ms(bus);
    } else {
        bus->malformed += result != NULL || !tree;
    }
    json_object_put(tree);
}

/* "$SYS/broker/clients/connected" becomes clients_connected; what is no number is left out. */
static void take_broker(struct bus *bus, const char *topic, const char *payload)
{
    char name[64], *end = NULL;
    const double value = strtod(payload, &end);
    size_t i = 0;

    for (; topic[i] && i + 1 < sizeof name; i++)
        name[i] = (topic[i] >= 'a' && topic[i] <= 'z') || (topic[i] >= '0' && topic[i] <= '9')
                      ? topic[i]
                      : '_';
    name[i] = '\0';
    if (end == payload || !isfinite(value))
        return;
    for (i = 0; i < bus->broker_count; i++)
        if (strcmp(bus->broker[i].name, name) == 0)
            break;
    if (i == BUS_BROKER_MAX)
        return;
    if (i == bus->broker_count)
        bus->broker_count++;
    memcpy(bus->broker[i].name, name, sizeof name);
    bus->broker[i].value = value;
}

static void on_message(void *ctx, const struct flt_mqtt_message *message)
{
    struct bus *bus = ctx;
    struct topic_ref topic;

    if (strncmp(message->topic, "$SYS/broker/", 12) == 0) {
        take_broker(bus, message->topic + 12, message->payload);
    } else if (topic_parse(message->topic, &topic)) {
        if (topic.id == TOPIC_NODE_HB)
            take_hb(bus, topic.node, message);
        else if (topic.id == TOPIC_CTL_STATE)
            take_state(bus, message);
        else if (topic.id == TOPIC_USER_RES)
            take_health(bus, message);
    }
}

/* --- asking
 * ----------------------------------------------------------------------------------------- */

static void ask_health(void *ctx)
{
    struct bus *bus = ctx;
    const struct msg_config_dashboard *config = &bus->settings->config;
    const int64_t now = flt_wall_ms(flt_loop_clock(bus->loop));
    char topic[TOPIC_MAX], id[FLT_ULID_MAX], payload[200];

    if (!bus->mqtt || !flt_mqtt_is_up(bus->mqtt))
        return;
    const int size = snprintf(payload, sizeof payload,
                              "{\"v\":1,\"id\":\"%s\",\"ts_ms\":%lld,\"expires_ms\":%lld,"
                              "\"args\":{}}",
                              flt_ulid(now, id), (long long)now, (long long)(now + ASK_MS));
    const struct flt_mqtt_publish publish = {
        .topic = topic_user_req(topic, config->tenant, config->mqtt_username, "health"),
        .payload = payload,
        .payload_size = (size_t)size,
        .qos = 1
    };

    if (flt_mqtt_publish(bus->mqtt, &publish) != 0)
        FLT_LOG(DEBUG, "health_not_asked", "why=\"the broker is away\"");
}

static void on_up(void *ctx)
{
    struct bus *bus = ctx;
    const struct msg_config_dashboard *config = &bus->settings->config;
    static const char *const figures[] = {
        "$SYS/broker/clients/connected",
        "$SYS/broker/messages/received",
        "$SYS/broker/messages/sent",
        "$SYS/broker/publish/messages/dropped",
        "$SYS/broker/store/messages/count",
        "$SYS/broker/heap/current",
        "$SYS/broker/publish/messages/received",
        "$SYS/broker/bytes/received",
        "$SYS/broker/bytes/sent",
    };
    char topic[TOPIC_MAX];
    int err = flt_mqtt_subscribe(bus->mqtt, topic_node_hb(topic, config->tenant, "+"), 0);

    err |= flt_mqtt_subscribe(bus->mqtt, topic_ctl_state(topic, config->tenant), 1);
    err |= flt_mqtt_subscribe(bus->mqtt,
                              topic_user_res(topic, config->tenant, config->mqtt_username, "#"), 1);
    for (size_t i = 0; i < FLT_COUNT(figures); i++)
        err |= flt_mqtt_subscribe(bus->mqtt, figures[i], 0);
    if (err)
        FLT_LOG(WARN, "subscribe_failed", "err=%d", err);
    ask_health(bus);
}

static void on_down(void *ctx, const char *reason)
{
    struct bus *bus = ctx;

    (void)reason; /* lib/mqtt has logged it */
    bus->controller_known = false;
}

/* --- opening and ending
 * ----------------------------------------------------------------------------- */

static int open_mqtt(struct bus *bus)
{
    const struct msg_config_dashboard *own = &bus->settings->config;
    char url[160];
    size_t size = 0;
    char *password = flt_file_read(own->mqtt_password_file, 512, &size);
    const struct flt_mqtt_events events = {
        .ctx = bus, .on_up = on_up, .on_down = on_down, .on_message = on_message
    };
    int err;

    if (!password)
        return FLT_FAIL(-ENOENT, "path=%s why=\"the password cannot be read\"",
                        own->mqtt_password_file);
    password[strcspn(password, "\r\n")] = '\0';
    settings_broker_url(bus->settings, url, sizeof url);
    const struct flt_mqtt_config config = { .url = url,
                                            .client_id = "flotilla-dashboard",
                                            .username = own->mqtt_username,
                                            .password = password,
                                            .version = FLT_MQTT_5 };

    err = flt_mqtt_create(bus->loop, &config, &events, &bus->mqtt);
    flt_wipe(password, size);
    free(password);
    return err;
}

int bus_create(struct flt_loop *loop, const struct settings *settings, struct bus **out)
{
    struct bus *bus = calloc(1, sizeof *bus);
    const bool has_login =
        settings->config.has_mqtt_username && settings->config.has_mqtt_password_file;
    int err = bus ? 0 : -ENOMEM;

    if (err)
        return err;
    bus->loop = loop;
    bus->settings = settings;
    if (has_login)
        err = open_mqtt(bus);
    if (!err)
        err = flt_timer_create(loop, ask_health, bus, &bus->timer);
    if (err) {
        bus_destroy(bus);
        return err;
    }
    flt_timer_start(bus->timer, ASK_MS, ASK_MS);
    *out = bus;
    return 0;
}

void bus_destroy(struct bus *bus)
{
    if (!bus)
        return;
    if (bus->mqtt)
        flt_mqtt_close(bus->mqtt, 0, NULL, NULL);
    flt_timer_destroy(bus->timer);
    for (size_t i = 0; i < bus->node_count; i++)
        msg_n_hb_finish(&bus->nodes[i].hb);
    free(bus->nodes);
    if (bus->has_health)
        msg_health_result_finish(&bus->health);
    free(bus);
}

void bus_look(const struct bus *bus, struct bus_view *out)
{
    *out = (struct bus_view){
        .configured = bus->mqtt != NULL,
        .up = bus->mqtt && flt_mqtt_is_up(bus->mqtt),
        .controller_known = bus->controller_known,
        .controller_online = bus->controller_online,
        .health = bus->has_health ? &bus->health : NULL,
        .now_ms = now_ms(bus),
        .nodes = bus->nodes,
        .node_count = bus->node_count,
        .broker = bus->broker,
        .broker_count = bus->broker_count,
        .malformed = bus->malformed,
    };
    out->health_age_ms = bus->has_health ? out->now_ms - bus->health_ms : 0;
}
