/* The controller in figures: what it counts of itself, and the verb that tells. */
#define FLT_MOD "health"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controller/request.h"
#include "lib/config.h"

#define LAG_KEPT 10 /* seconds */

void health_count(struct controller *controller, const char *kind)
{
    struct health *health = &controller->health;

    for (size_t i = 0; i < health->kind_count; i++)
        if (strcmp(health->kinds[i].kind, kind) == 0) {
            health->kinds[i].count++;
            return;
        }
    if (health->kind_count == FLT_COUNT(health->kinds))
        return;
    snprintf(health->kinds[health->kind_count].kind, sizeof health->kinds[0].kind, "%s", kind);
    health->kinds[health->kind_count++].count = 1;
}

/* Called by a timer of one second: what is more than that is how long the loop was busy. */
void health_tick(struct controller *controller)
{
    struct health *health = &controller->health;
    const int64_t now_us = flt_mono_ns(controller->clock) / 1000;
    const int64_t late = health->tick_us ? now_us - health->tick_us - 1000000 : 0;

    health->tick_us = now_us;
    health->lag_us[health->turn++ % LAG_KEPT] = late > 0 ? late : 0;
}

static int64_t rss_bytes(void)
{
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    long long total = 0, resident = 0;

    if (file) {
        if (!fgets(text, sizeof text, file) || sscanf(text, "%lld %lld", &total, &resident) != 2)
            resident = 0;
        (void)fclose(file);
    }
    return resident * sysconf(_SC_PAGESIZE);
}

static int64_t cpu_ms(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static int64_t file_bytes(const struct controller *controller, const char *name)
{
    char path[512];
    struct stat stat_;

    return flt_path_join(path, sizeof path, controller->config.dir, name) == 0 &&
                   stat(path, &stat_) == 0
               ? (int64_t)stat_.st_size
               : 0;
}

static void write_bus(const struct controller *controller, struct msg_health_controller *out)
{
    struct flt_mqtt_stats stats = { 0 };

    flt_mqtt_get_stats(controller->mqtt, &stats);
    out->messages_in = (int64_t)stats.received;
    out->messages_out = (int64_t)stats.sent;
    out->messages_dropped = (int64_t)stats.dropped;
    out->connects = (int64_t)stats.connects;
    out->queue_out = (int64_t)stats.queued;
    out->commands_open = (int64_t)commands_open(controller);
}

static void write_controller(struct controller *controller, struct msg_health_controller *out)
{
    const struct health *health = &controller->health;
    const int64_t now = controller_mono_ms(controller);

    snprintf(out->version, sizeof out->version, "%s", FLT_VERSION);
    out->uptime_ms = now - controller->started_ms;
    out->term = controller->term;
    out->rss_bytes = rss_bytes();
    out->cpu_ms = cpu_ms();
    for (size_t i = 0; i < LAG_KEPT; i++)
        if (health->lag_us[i] > out->loop_lag_us)
            out->loop_lag_us = health->lag_us[i];
    write_bus(controller, out);
    out->requests = health->requests;
    out->requests_refused = health->requests_refused;
    out->fills = controller->fills_total;
    out->fills_lag_ms = health->fills_lag_ms;
    out->records = health->records;
    out->alerts = (int64_t)controller->alert_count;
    out->alerts_raised = controller->alerts_raised;
    out->db_bytes = file_bytes(controller, "controller.db");
    out->wal_bytes = file_bytes(controller, "controller.db-wal");
    out->nodes = (int64_t)controller->inventory.node_count;
    for (size_t i = 0; i < controller->inventory.node_count; i++)
        out->nodes_up += node_is_up(controller->inventory.nodes[i], now);
    for (size_t i = 0; i < controller->inventory.bot_count; i++)
        out->bots += bot_listed(controller->inventory.bots[i]);
}

static void write_node(struct controller *controller, const struct node *node,
                       struct msg_health_node *out)
{
    const int64_t now = controller_mono_ms(controller);
    const int64_t committed = store_stream_position(&controller->store, node->stream);

    snprintf(out->node, sizeof out->node, "%s", node->name);
    out->state = (enum msg_health_node_state)node_state(node, now); /* the same words */
    out->bots = (int64_t)inventory_bots_of(&controller->inventory, node->name);
    out->has_age_ms = node->heard_ms >= 0;
    out->age_ms = now - node->heard_ms;
    if (!node->has_hb)
        return;
    out->has_running = node->hb.has_running;
    out->running = node->hb.running;
    out->has_rss_bytes = node->hb.has_rss_bytes;
    out->rss_bytes = node->hb.rss_bytes;
    out->has_loop_lag_us = node->hb.has_loop_lag_us;
    out->loop_lag_us = node->hb.loop_lag_us;
    out->has_load = node->hb.has_load;
    out->load = node->hb.load;
    out->has_clock_offset_ms = node->hb.has_clock_offset_ms;
    out->clock_offset_ms = node->hb.clock_offset_ms;
    if (node->hb.head > (committed < 0 ? 0 : committed))
        out->records_behind = node->hb.head - (committed < 0 ? 0 : committed);
}

_Static_assert((int)MSG_HEALTH_NODE_STATE_NEVER == (int)MSG_NODE_ROW_STATE_NEVER &&
                   (int)MSG_HEALTH_NODE_STATE_LOST == (int)MSG_NODE_ROW_STATE_LOST,
               "health_node and node_row have the same states");

static struct json_object *count_phases(const struct controller *controller)
{
    struct json_object *tree = json_object_new_object();
    int64_t counts[16] = { 0 }, unheard = 0;

    for (size_t i = 0; i < controller->inventory.bot_count; i++) {
        const struct bot *bot = controller->inventory.bots[i];

        if (!bot_listed(bot))
            continue;
        if (bot->has_state && (size_t)bot->state.phase < FLT_COUNT(counts))
            counts[bot->state.phase]++;
        else
            unheard++;
    }
    for (size_t i = 0; i < msg_enum_phase.count; i++)
        if (counts[i])
            json_object_object_add(tree, msg_phase_name((enum msg_phase)i),
                                   json_object_new_int64(counts[i]));
    if (unheard)
        json_object_object_add(tree, "unheard", json_object_new_int64(unheard));
    return tree;
}

/* lib/refusal.h's kinds, of the controller and of all nodes as their heartbeats say. */
static void add_messages(const struct controller *controller, struct json_object *refused)
{
    struct flt_mqtt_stats stats = { 0 };

    flt_mqtt_get_stats(controller->mqtt, &stats);
    for (int i = 0; i < FLT_REFUSED_COUNT; i++) {
        const char *name = flt_refusal_name((enum flt_refusal)i);
        int64_t sum = (int64_t)controller->refused.count[i], told = 0;
        char kind[48];

        if (i == FLT_REFUSED_DENIED)
            sum += (int64_t)stats.refused; /* by the broker, to us */
        for (size_t k = 0; k < controller->inventory.node_count; k++)
            if (flt_json_int(controller->inventory.nodes[k]->hb.refused, name, &told))
                sum += told;
        snprintf(kind, sizeof kind, "message_%s", name);
        if (sum)
            json_object_object_add(refused, kind, json_object_new_int64(sum));
    }
}

HANDLER(verb_health)
{
    struct msg_health_result *out = result;
    struct controller *controller = request->controller;
    const struct inventory *inventory = &controller->inventory;

    (void)args;
    (void)error;
    out->nodes = calloc(inventory->node_count + 1, sizeof *out->nodes);
    out->phases = count_phases(controller);
    out->refused = json_object_new_object();
    if (!out->nodes || !out->phases || !out->refused)
        return -ENOMEM;
    write_controller(controller, &out->controller);
    for (size_t i = 0; i < inventory->node_count; i++)
        write_node(controller, inventory->nodes[i], &out->nodes[out->nodes_count++]);
    for (size_t i = 0; i < controller->health.kind_count; i++)
        json_object_object_add(out->refused, controller->health.kinds[i].kind,
                               json_object_new_int64(controller->health.kinds[i].count));
    add_messages(controller, out->refused);
    return 0;
}
