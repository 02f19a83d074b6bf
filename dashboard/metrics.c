#include "dashboard/metrics.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* --- writing
 * ---------------------------------------------------------------------------------------- */

static void head(struct flt_buf *out, const char *name, const char *kind, const char *help)
{
    flt_buf_printf(out, "# HELP flotilla_%s %s\n# TYPE flotilla_%s %s\n", name, help, name, kind);
}

static void one(struct flt_buf *out, const char *name, const char *kind, const char *help,
                double value)
{
    head(out, name, kind, help);
    flt_buf_printf(out, "flotilla_%s %.15g\n", name, value);
}

/* Names and words here come from schemas that allow no quotes, line ends or backslashes. */
static void labelled(struct flt_buf *out, const char *name, const char *label, const char *word,
                     double value)
{
    flt_buf_printf(out, "flotilla_%s{%s=\"%s\"} %.15g\n", name, label, word, value);
}

/* Only letters, digits and _ - . of what a free object's keys hold. */
static void labelled_key(struct flt_buf *out, const char *name, const char *label, const char *key,
                         struct json_object *value)
{
    char word[64];
    size_t used = 0;

    for (const char *c = key; *c && used + 1 < sizeof word; c++)
        word[used++] = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                               (*c >= '0' && *c <= '9') || *c == '_' || *c == '-' || *c == '.'
                           ? *c
                           : '_';
    word[used] = '\0';
    labelled(out, name, label, word, json_object_get_double(value));
}

static void object(struct flt_buf *out, const char *name, const char *kind, const char *help,
                   const char *label, struct json_object *values)
{
    head(out, name, kind, help);
    if (!json_object_is_type(values, json_type_object))
        return;
    json_object_object_foreach(values, key, value) labelled_key(out, name, label, key, value);
}

/* --- nodes
 * ------------------------------------------------------------------------------------------ */

static double node_age(const struct bus_view *view, const struct bus_node *node)
{
    return (double)(view->now_ms - node->heard_ms) / 1000;
}

static double node_up(const struct bus_view *view, const struct bus_node *node)
{
    return view->now_ms - node->heard_ms <= 3500;
}

static double node_bots(const struct bus_view *view, const struct bus_node *node)
{
    (void)view;
    return (double)node->hb.bots;
}

static double node_running(const struct bus_view *view, const struct bus_node *node)
{
    (void)view;
    return (double)node->hb.running;
}

static double node_rss(const struct bus_view *view, const struct bus_node *node)
{
    (void)view;
    return (double)node->hb.rss_bytes;
}

static double node_heap(const struct bus_view *view, const struct bus_node *node)
{
    (void)view;
    return (double)node->hb.heap_bytes;
}

static double node_cache(const struct bus_view *view, const struct bus_node *node)
{
    (void)view;
    return (double)node->hb.cache_bytes;
}

static double node_lag(const struct bus_view *view, const struct bus_node *node)
{
    (void)view;
    return (double)node->hb.loop_lag_us / 1e6;
}

static double node_load(const struct bus_view *view, const struct bus_node *node)
{
    (void)view;
    return node->hb.load;
}

static double node_offset(const struct bus_view *view, const struct bus_node *node)
{
    (void)view;
    return (double)node->hb.clock_offset_ms / 1000;
}

static double node_head(const struct bus_view *view, const struct bus_node *node)
{
    (void)view;
    return (double)node->hb.head;
}

static const struct {
    const char *name, *kind, *help;
    double (*value)(const struct bus_view *view, const struct bus_node *node);
} node_rows[] = {
    { "node_up", "gauge", "Whether its heartbeat is younger than 3.5 s", node_up },
    { "node_heartbeat_age_seconds", "gauge", "Since its last heartbeat", node_age },
    { "node_bots", "gauge", "Bots it holds", node_bots },
    { "node_bots_running", "gauge", "Bots that run", node_running },
    { "node_memory_bytes", "gauge", "Resident memory", node_rss },
    { "node_heap_bytes", "gauge", "Memory that its allocator has given out", node_heap },
    { "node_cache_bytes", "gauge", "Of that, SQLite's pages and statements", node_cache },
    { "node_loop_lag_seconds", "gauge", "Delay of its event loop", node_lag },
    { "node_load", "gauge", "Share of one core", node_load },
    { "node_clock_offset_seconds", "gauge", "Venue clock minus its own", node_offset },
    { "node_records_total", "counter", "Newest record of its stream", node_head },
};

static void write_nodes(struct flt_buf *out, const struct bus_view *view)
{
    for (size_t i = 0; i < FLT_COUNT(node_rows); i++) {
        head(out, node_rows[i].name, node_rows[i].kind, node_rows[i].help);
        for (size_t j = 0; j < view->node_count; j++)
            labelled(out, node_rows[i].name, "node", view->nodes[j].name,
                     node_rows[i].value(view, &view->nodes[j]));
    }
    head(out, "venue_up", "gauge", "A node's connection to a venue");
    for (size_t i = 0; i < view->node_count; i++)
        for (size_t j = 0; j < view->nodes[i].hb.venues_count; j++)
            flt_buf_printf(out, "flotilla_venue_up{node=\"%s\",venue=\"%s\"} %d\n",
                           view->nodes[i].name, view->nodes[i].hb.venues[j].venue,
                           view->nodes[i].hb.venues[j].up);
    head(out, "feed_age_seconds", "gauge", "Since the last market data of a venue");
    for (size_t i = 0; i < view->node_count; i++)
        for (size_t j = 0; j < view->nodes[i].hb.venues_count; j++)
            if (view->nodes[i].hb.venues[j].has_age_ms)
                flt_buf_printf(out, "flotilla_feed_age_seconds{node=\"%s\",venue=\"%s\"} %.3f\n",
                               view->nodes[i].name, view->nodes[i].hb.venues[j].venue,
                               (double)view->nodes[i].hb.venues[j].age_ms / 1000);
}

/* --- the controller
 * ---------------------------------------------------------------------------------- */

static void write_controller(struct flt_buf *out, const struct bus_view *view)
{
    const struct msg_health_controller *of = view->health ? &view->health->controller : NULL;

    one(out, "controller_up", "gauge", "Whether the controller is connected to the broker",
        view->controller_known && view->controller_online);
    if (!of)
        return;
    const struct {
        const char *name, *kind, *help;
        double value;
    } rows[] = {
        { "controller_figures_age_seconds", "gauge", "Age of the controller's figures below",
          (double)view->health_age_ms / 1000 },
        { "controller_uptime_seconds", "gauge", "Since its start", (double)of->uptime_ms / 1000 },
        { "controller_memory_bytes", "gauge", "Resident memory", (double)of->rss_bytes },
        { "controller_cpu_seconds_total", "counter", "Processor time", (double)of->cpu_ms / 1000 },
        { "controller_loop_lag_seconds", "gauge", "Longest delay of its event loop in 10 s",
          (double)of->loop_lag_us / 1e6 },
        { "controller_messages_in_total", "counter", "Messages received", (double)of->messages_in },
        { "controller_messages_out_total", "counter", "Messages sent", (double)of->messages_out },
        { "controller_messages_dropped_total", "counter", "Messages that did not fit the queue",
          (double)of->messages_dropped },
        { "controller_connects_total", "counter", "Connections made to the broker",
          (double)of->connects },
        { "controller_queue", "gauge", "Messages that wait for the broker", (double)of->queue_out },
        { "commands_open", "gauge", "Commands to nodes that are under way",
          (double)of->commands_open },
        { "requests_total", "counter", "Requests of people and programs", (double)of->requests },
        { "requests_refused_total", "counter", "Of these, refused", (double)of->requests_refused },
        { "fills_total", "counter", "Fills in the books", (double)of->fills },
        { "fills_lag_seconds", "gauge", "Age of the newest fill when it was booked",
          (double)of->fills_lag_ms / 1000 },
        { "records_total", "counter", "Records of streams booked", (double)of->records },
        { "alerts", "gauge", "Alerts in force", (double)of->alerts },
        { "alerts_total", "counter", "Alerts raised", (double)of->alerts_raised },
        { "database_bytes", "gauge", "Size of the controller's database", (double)of->db_bytes },
        { "database_wal_bytes", "gauge", "Size of its write-ahead log", (double)of->wal_bytes },
        { "bots", "gauge", "Bots of the fleet", (double)of->bots },
        { "nodes", "gauge", "Nodes that are known", (double)of->nodes },
        { "nodes_up", "gauge", "Nodes that are up", (double)of->nodes_up },
    };

    for (size_t i = 0; i < FLT_COUNT(rows); i++)
        one(out, rows[i].name, rows[i].kind, rows[i].help, rows[i].value);
    object(out, "bots_by_phase", "gauge", "Bots by what they say they are", "phase",
           view->health->phases);
    object(out, "refused_total", "counter", "Messages and requests refused, by kind", "kind",
           view->health->refused);
    head(out, "node_records_behind", "gauge", "Records of a node that are not in the books yet");
    for (size_t i = 0; i < view->health->nodes_count; i++)
        labelled(out, "node_records_behind", "node", view->health->nodes[i].node,
                 (double)view->health->nodes[i].records_behind);
}

/* --- broker and this server
 * ------------------------------------------------------------------------- */

static double own_rss(void)
{
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    long total = 0, resident = 0;

    if (file) {
        if (!fgets(text, sizeof text, file) || sscanf(text, "%ld %ld", &total, &resident) != 2)
            resident = 0;
        (void)fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double own_cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void write_own(struct flt_buf *out, const struct bus_view *view,
                      const struct metrics_own *own)
{
    const struct {
        const char *name, *kind, *help;
        double value;
    } rows[] = {
        { "broker_up", "gauge", "Whether the broker takes connections", own->broker_up },
        { "dashboard_bus_up", "gauge", "Whether these figures' own login is connected", view->up },
        { "dashboard_sessions", "gauge", "Browsers connected", own->sessions },
        { "dashboard_sessions_total", "counter", "Browsers that connected",
          (double)own->sessions_total },
        { "dashboard_login_failures_total", "counter", "Logins the broker did not take",
          (double)own->login_failures },
        { "dashboard_login_refusals_total", "counter", "Logins told to wait",
          (double)own->login_refusals },
        { "dashboard_http_requests_total", "counter", "Requests over HTTP",
          (double)own->http_requests },
        { "dashboard_api_requests_total", "counter", "Of these, verbs asked",
          (double)own->pool.requests },
        { "dashboard_api_unknown_total", "counter", "Verbs asked whose answer did not come",
          (double)own->pool.unknown },
        { "dashboard_api_connections", "gauge", "Logins of programs that are connected",
          (double)own->pool.connections },
        { "dashboard_api_waiting", "gauge", "Verbs that wait for their answer",
          (double)own->pool.waiting },
        { "dashboard_malformed_total", "counter", "Messages heard that did not decode",
          (double)view->malformed },
        { "dashboard_uptime_seconds", "gauge", "Since its start", (double)own->uptime_ms / 1000 },
        { "dashboard_memory_bytes", "gauge", "Resident memory", own_rss() },
        { "dashboard_cpu_seconds_total", "counter", "Processor time", own_cpu() },
    };

    for (size_t i = 0; i < FLT_COUNT(rows); i++)
        one(out, rows[i].name, rows[i].kind, rows[i].help, rows[i].value);
    if (!view->broker_count)
        return;
    head(out, "broker_figure", "gauge", "The broker's own counters, by its name for them");
    for (size_t i = 0; i < view->broker_count; i++)
        labelled(out, "broker_figure", "name", view->broker[i].name, view->broker[i].value);
}

void metrics_write(struct flt_buf *out, const struct bus_view *view, const struct metrics_own *own)
{
    flt_buf_printf(out,
                   "# HELP flotilla_info Version of this server\n"
                   "# TYPE flotilla_info gauge\nflotilla_info{version=\"%s\"} 1\n",
                   FLT_VERSION);
    write_own(out, view, own);
    write_nodes(out, view);
    write_controller(out, view);
}
