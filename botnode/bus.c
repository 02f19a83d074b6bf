#define FLT_MOD "bus"
#include "botnode/bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "botnode/command.h"
#include "botnode/hosts.h"
#include "botnode/owner.h"
#include "botnode/report.h"
#include "lib/config.h"
#include "lib/db.h"
#include "lib/fail.h"

#define MESSAGE_BYTES_MAX ((size_t)1 << 20)
#define LINKS_MAX 16
#define BATCH_RECORDS_MAX 200
#define BEAT_LEAST_MS 100 /* between two heartbeats */
#define BATCH_BYTES_MAX                                                                            \
    (48 * 1024) /* well under the broker's packet limit, big enough to be cheap */

struct bus {
    struct botnode *node;
    struct flt_mqtt *mqtt;
    char src[64];
    uint64_t sequence;
    int64_t incarnation;
    int64_t term;
    int64_t heartbeat;
    int64_t beat_ms;     /* monotonic time of the last one */
    bool beat_due;       /* one before its time: bots wait for a grant */
    struct flt_buf will; /* the text of this connection's will */
    char will_topic[TOPIC_MAX];
    int64_t published; /* records of the stream sent on this connection, up to here */
    int64_t backed_up;
    int64_t cpu_us, cpu_at_ns; /* of the last heartbeat, for load */
    uint64_t malformed, old_terms;
};

/* --- out
 * ------------------------------------------------------------------------------------------------
 */

const char *bus_tenant(const struct bus *bus)
{
    return bus->node->config.tenant;
}

bool bus_is_up(const struct bus *bus)
{
    return bus->mqtt && flt_mqtt_is_up(bus->mqtt);
}

int64_t bus_term(const struct bus *bus)
{
    return bus->term;
}

int64_t bus_backed_up(const struct bus *bus)
{
    return bus->backed_up;
}

int64_t bus_incarnation(const struct bus *bus)
{
    return bus->incarnation;
}

void bus_envelope(struct bus *bus, struct msg_envelope *out)
{
    msg_envelope_init(out, bus->node->clock, bus->src, &bus->sequence);
}

bool bus_publish(struct bus *bus, const char *topic, const struct flt_buf *payload, int qos,
                 bool retained)
{
    const struct flt_mqtt_publish publish = {
        .topic = topic,
        .payload = payload->data ? payload->data : "",
        .payload_size = payload->length,
        .qos = qos,
        .retained = retained,
    };

    if (payload->failed || !bus_is_up(bus))
        return false;
    return flt_mqtt_publish(bus->mqtt, &publish) == 0;
}

static void publish_message(struct bus *bus, const struct msg_type *type, const void *message,
                            const char *topic, int qos, bool retained)
{
    struct flt_buf buf = FLT_BUF_INIT;

    msg_encode(type, &buf, NULL, message);
    bus_publish(bus, topic, &buf, qos, retained);
    flt_buf_finish(&buf);
}

/* --- presence
 * ------------------------------------------------------------------------------------------- */

static void presence_of(struct bus *bus, enum msg_n_presence_state state,
                        struct msg_n_presence *out)
{
    bus_envelope(bus, &out->env);
    out->state = state;
    out->incarnation = bus->incarnation;
    snprintf(out->boot, sizeof out->boot, "%s", bus->node->boot);
}

static void read_line(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");

    *out = '\0';
    if (!file)
        return;
    if (fgets(out, (int)size, file))
        out[strcspn(out, "\n")] = '\0';
    fclose(file);
}

static void publish_birth(struct bus *bus)
{
    struct botnode *node = bus->node;
    struct msg_n_presence message = { 0 };
    size_t count;
    const struct strategy_ops *const *strategies = strategy_list(&count);
    char topic[TOPIC_MAX];

    presence_of(bus, MSG_N_PRESENCE_STATE_UP, &message);
    read_line("/proc/sys/kernel/random/boot_id", message.kernel_boot, sizeof message.kernel_boot);
    message.has_kernel_boot = *message.kernel_boot != '\0';
    message.has_place = true;
    snprintf(message.place, sizeof message.place, "%s", owner_place(bus->node->owner));
    message.has_host = gethostname(message.host, sizeof message.host - 1) == 0;
    message.has_pid = message.has_version = message.has_started_ms = message.has_hb_ms = true;
    message.pid = getpid();
    snprintf(message.version, sizeof message.version, "%s", FLT_VERSION);
    message.started_ms = node->started_ms;
    message.hb_ms = node_scaled_ms(node, NODE_HEARTBEAT_MS);
    if (message.hb_ms < 100)
        message.hb_ms = 100; /* less is not said */
    message.has_capacity = message.has_box_key = message.has_journal = message.has_term = true;
    message.capacity = node->config.has_capacity ? node->config.capacity : NODE_CAPACITY_DEFAULT;
    message.has_labels = node->config.has_labels;
    message.labels = node->config.labels;
    flt_hex(node->box_public, sizeof node->box_public, message.box_key);
    snprintf(message.journal.stream, sizeof message.journal.stream, "%s",
             journal_stream(node->journal));
    message.journal.first = 1;
    message.journal.head = journal_committed(node->journal);
    message.term = bus->term;
    message.strategies = calloc(count + 1, sizeof *message.strategies);
    for (size_t i = 0; message.strategies && i < count; i++)
        snprintf(message.strategies[message.strategies_count++], sizeof *message.strategies, "%s",
                 strategies[i]->name);
    message.has_strategies = true;
    publish_message(bus, &msg_type_n_presence, &message,
                    topic_node_presence(topic, bus_tenant(bus), node->config.node), 1, true);
    free(message.strategies);
}

static bool on_will(void *ctx, const char **topic, const char **payload, size_t *size,
                    bool *retained)
{
    struct bus *bus = ctx;
    struct msg_n_presence message = { 0 };

    /* Stored before every connect, so that a late will of an older connection is known as such. */
    bus->incarnation = journal_int(bus->node->journal, "incarnation") + 1;
    if (journal_set_int(bus->node->journal, "incarnation", bus->incarnation))
        FLT_LOG(ERROR, "incarnation_not_stored", "incarnation=%lld", (long long)bus->incarnation);
    presence_of(bus, MSG_N_PRESENCE_STATE_LOST, &message);
    flt_buf_reset(&bus->will);
    msg_n_presence_encode(&bus->will, &message);
    topic_node_presence(bus->will_topic, bus_tenant(bus), bus->node->config.node);
    *topic = bus->will_topic;
    *payload = bus->will.data;
    *size = bus->will.length;
    *retained = true;
    return !bus->will.failed;
}

/* --- the stream
 * ------------------------------------------------------------------------------------------- */

struct batch {
    struct bus *bus;
    struct flt_buf buf;
    char topic[TOPIC_MAX];
    const char *req; /* NULL: the stream itself; else a replay */
    int64_t first;
    size_t count;
};

static void batch_begin(struct batch *batch, int64_t first)
{
    struct msg_envelope env = { 0 };

    bus_envelope(batch->bus, &env);
    flt_buf_reset(&batch->buf);
    flt_jw_begin(&batch->buf, NULL, '{');
    flt_jw_int(&batch->buf, "v", env.v);
    flt_jw_str(&batch->buf, "id", env.id);
    flt_jw_int(&batch->buf, "ts_ms", env.ts_ms);
    flt_jw_str(&batch->buf, "src", env.src);
    flt_jw_int(&batch->buf, "seq", env.seq);
    flt_jw_str(&batch->buf, "stream", journal_stream(batch->bus->node->journal));
    flt_jw_int(&batch->buf, "first", first);
    flt_jw_begin(&batch->buf, "records", '[');
    batch->first = first;
    batch->count = 0;
}

static bool batch_send(struct batch *batch, bool last)
{
    flt_jw_end(&batch->buf, ']');
    if (batch->req) {
        flt_jw_str(&batch->buf, "req", batch->req);
        flt_jw_bool(&batch->buf, "last", last);
    }
    flt_jw_end(&batch->buf, '}');
    batch->count = 0;
    return bus_publish(batch->bus, batch->topic, &batch->buf, 1, false);
}

static void batch_add(void *ctx, const struct journal_record *record)
{
    struct batch *batch = ctx;

    if (batch->count == BATCH_RECORDS_MAX || (batch->count && batch->buf.length > BATCH_BYTES_MAX))
        batch_send(batch, false);
    if (!batch->count)
        batch_begin(batch, record->n);
    flt_buf_printf(&batch->buf, "%s{\"n\":%lld,%s", batch->count ? "," : "", (long long)record->n,
                   record->body + 1);
    batch->buf.comma = true;
    batch->count++;
}

void bus_on_committed(struct bus *bus, const struct journal_record *records, size_t count)
{
    struct batch batch = { .bus = bus };

    if (!count || !bus_is_up(bus))
        return; /* the controller asks for what it lacks when we are back */
    topic_node_ev(batch.topic, bus_tenant(bus), bus->node->config.node);
    for (size_t i = 0; i < count; i++)
        batch_add(&batch, &records[i]);
    batch_send(&batch, false);
    bus->published = records[count - 1].n;
    flt_buf_finish(&batch.buf);
}

void bus_replay(struct bus *bus, const char *stream, const char *req, int64_t from, int64_t to)
{
    struct batch batch = { .bus = bus, .req = req };
    struct journal *journal = bus->node->journal;

    topic_node_rp(batch.topic, bus_tenant(bus), bus->node->config.node, req);
    if (strcmp(stream, journal_stream(journal)) != 0)
        FLT_LOG(WARN, "replay_of_other_stream", "asked=%s have=%s", stream,
                journal_stream(journal));
    else if (journal_read(journal, from, to, 5000, batch_add, &batch) < 0)
        FLT_LOG(ERROR, "replay_failed", "from=%lld to=%lld", (long long)from, (long long)to);
    if (!batch.count)
        batch_begin(&batch, 0);
    batch_send(&batch, true);
    flt_buf_finish(&batch.buf);
}

/* --- heartbeat
 * ---------------------------------------------------------------------------------------------- */

static double take_load(struct bus *bus)
{
    struct rusage usage;
    const int64_t now_ns = flt_mono_ns(bus->node->clock);
    const int64_t span_us = (now_ns - bus->cpu_at_ns) / 1000;
    int64_t cpu_us, used_us;

    getrusage(RUSAGE_SELF, &usage);
    cpu_us = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
             usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    used_us = cpu_us - bus->cpu_us;
    bus->cpu_us = cpu_us;
    bus->cpu_at_ns = now_ns;
    return span_us > 0 ? (double)used_us / (double)span_us : 0;
}

static int64_t rss_bytes(void)
{
    char line[128];
    long long pages_all = 0, pages = 0;

    read_line("/proc/self/statm", line, sizeof line);
    if (sscanf(line, "%lld %lld", &pages_all, &pages) != 2)
        return 0;
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

void bus_beat_soon(struct bus *bus)
{
    if (bus)
        bus->beat_due = true;
}

void bus_on_part(struct bus *bus)
{
    const int64_t least_ms = node_scaled_ms(bus->node, BEAT_LEAST_MS);

    if (bus->beat_due && flt_mono_ms(bus->node->clock) - bus->beat_ms >= least_ms)
        bus_on_second(bus);
}

/* What the broker refused us is counted where the messages are refused, too. */
static void count_denied(struct bus *bus)
{
    struct flt_mqtt_stats stats = { 0 };

    flt_mqtt_get_stats(bus->mqtt, &stats);
    bus->node->refused.count[FLT_REFUSED_DENIED] = stats.refused;
}

/* The venues and how they stand; `links` has room for LINKS_MAX. */
static void add_venues(const struct botnode *node, struct msg_venue_link *links,
                       struct msg_n_hb *message)
{
    struct venue_view views[LINKS_MAX];
    const size_t count = venues_view(node->venues, views, LINKS_MAX);
    const int64_t now_ns = flt_mono_ns(node->clock);

    for (size_t i = 0; i < count; i++) {
        struct msg_venue_link *link = &links[i];

        snprintf(link->venue, sizeof link->venue, "%s", views[i].name);
        link->up = views[i].up;
        link->has_age_ms = views[i].heard_ns > 0;
        link->age_ms = now_ns > views[i].heard_ns ? (now_ns - views[i].heard_ns) / 1000000 : 0;
        link->has_reason = *views[i].reason != '\0';
        snprintf(link->reason, sizeof link->reason, "%s", views[i].reason);
    }
    message->has_venues = count > 0;
    message->venues = links;
    message->venues_count = count;
}

void bus_on_second(struct bus *bus)
{
    struct botnode *node = bus->node;
    struct msg_n_hb message = { 0 };
    struct msg_venue_link links[LINKS_MAX] = { 0 };
    char topic[TOPIC_MAX];

    if (!bus_is_up(bus))
        return;
    bus_envelope(bus, &message.env);
    message.k = ++bus->heartbeat;
    bus->beat_due = false;
    bus->beat_ms = flt_mono_ms(node->clock);
    message.incarnation = bus->incarnation;
    snprintf(message.boot, sizeof message.boot, "%s", node->boot);
    message.mono_ms = flt_mono_ms(node->clock);
    owner_on_beat(node->owner, message.k, bus->incarnation); /* the lease counts from here */
    message.boot_ms = flt_boot_ns(node->clock) / 1000000;
    snprintf(message.stream, sizeof message.stream, "%s", journal_stream(node->journal));
    message.head = journal_committed(node->journal);
    message.bots = (int64_t)hosts_count(node->hosts);
    hosts_hash(node->hosts, message.bots_hash);
    message.has_place = true;
    snprintf(message.place, sizeof message.place, "%s", owner_place(node->owner));
    message.has_running = message.has_load = message.has_rss_bytes = true;
    message.running = (int64_t)hosts_running(node->hosts);
    message.load = take_load(bus);
    message.rss_bytes = rss_bytes();
    message.has_heap_bytes = node->heap_bytes > 0;
    message.heap_bytes = node->heap_bytes;
    message.has_cache_bytes = true;
    message.cache_bytes = flt_db_memory_bytes();
    message.has_loop_lag_us = message.has_halt = message.has_term = true;
    message.loop_lag_us = flt_loop_lag_us(node->loop);
    message.halt = hosts_halt_number(node->hosts);
    message.term = bus->term;
    count_denied(bus);
    message.has_clock_offset_ms = true;
    message.clock_offset_ms = venues_clock_offset_ms(node->venues);
    add_venues(node, links, &message);
    message.refused = flt_refusals_tree(&node->refused);
    message.has_refused = message.refused != NULL;
    publish_message(bus, &msg_type_n_hb, &message,
                    topic_node_hb(topic, bus_tenant(bus), node->config.node), 0, false);
    json_object_put(message.refused);
}

/* --- in
 * -------------------------------------------------------------------------------------------------------
 */

bool bus_take_term(struct bus *bus, int64_t term)
{
    if (term < bus->term) {
        bus->old_terms++;
        flt_refuse(&bus->node->refused, FLT_REFUSED_OLD_TERM);
        FLT_LOG(WARN, "old_term", "term=%lld have=%lld", (long long)term, (long long)bus->term);
        return false;
    }
    if (term > bus->term) {
        bus->term = term;
        if (journal_set_int(bus->node->journal, "term", term))
            FLT_LOG(ERROR, "term_not_stored", "term=%lld", (long long)term);
    }
    return true;
}

static void malformed(struct bus *bus, const char *topic, const struct flt_error *error)
{
    char quoted[300];

    flt_refuse(&bus->node->refused, FLT_REFUSED_MALFORMED);
    if (++bus->malformed % 100 == 1) /* counted each time, said once in a hundred */
        FLT_LOG(WARN, "malformed", "topic=%s count=%llu why=%s", topic,
                (unsigned long long)bus->malformed,
                flt_log_quote(error->message, quoted, sizeof quoted));
}

static void take_desired(struct bus *bus, const char *topic, struct json_object *tree)
{
    struct flt_error error = { 0 };
    struct msg_c_desired doc = { 0 };

    if (msg_c_desired_decode(tree, MSG_PROGRAM, &doc, &error)) {
        malformed(bus, topic, &error);
        return;
    }
    if (bus_take_term(bus, doc.term)) {
        const int outcome = hosts_apply(bus->node->hosts, &doc, tree);

        if (outcome == HOSTS_FULL)
            FLT_LOG(ERROR, "node_full", "bot=%s", doc.bot);
    }
    msg_c_desired_finish(&doc);
}

static void take_halts(struct bus *bus, const char *topic, struct json_object *tree)
{
    struct flt_error error = { 0 };
    struct msg_ctl_halt message = { 0 };

    if (msg_ctl_halt_decode(tree, MSG_PROGRAM, &message, &error)) {
        malformed(bus, topic, &error);
        return;
    }
    if (bus_take_term(bus, message.term))
        hosts_set_halts(bus->node->hosts, &message);
    msg_ctl_halt_finish(&message);
}

static void take_lease(struct bus *bus, const char *topic, struct json_object *tree)
{
    struct flt_error error = { 0 };
    struct msg_c_lease lease = { 0 };

    if (msg_c_lease_decode(tree, MSG_PROGRAM, &lease, &error)) {
        malformed(bus, topic, &error);
        return;
    }
    /* One that knows of a newer halt than we do counts only when that halt is here: a bot that
     * comes back sees it before it trades. The controller sends it again with our next heartbeat.
     */
    if (bus_take_term(bus, lease.term) && lease.halt <= hosts_halt_number(bus->node->hosts))
        owner_take_lease(bus->node->owner, &lease);
    msg_c_lease_finish(&lease);
}

/* Our disk is older than their books: what we told since under used numbers is told again under new
 * ones, and what the disk lost is fetched from the venues. */
static void leave_stream(struct bus *bus, int64_t from, int64_t committed)
{
    struct journal *journal = bus->node->journal;

    if (from > journal_first(journal) + 1)
        from = journal_first(journal) + 1; /* told before we were connected, too */
    FLT_LOG(ERROR, "stream_behind", "head=%lld began=%lld controller=%lld again_from=%lld",
            (long long)journal_head(journal), (long long)journal_first(journal),
            (long long)committed, (long long)from);
    if (journal_restream(journal, from) != 0)
        return; /* the disk is busy or full: the next word of the controller tries it again */
    bus->backed_up = 0;
    publish_birth(bus);
    hosts_distrust(bus->node->hosts);
}

static void take_sack(struct bus *bus, const char *topic, struct json_object *tree)
{
    struct flt_error error = { 0 };
    struct msg_c_sack sack = { 0 };
    struct journal *journal = bus->node->journal;

    if (msg_c_sack_decode(tree, MSG_PROGRAM, &sack, &error)) {
        malformed(bus, topic, &error);
        return;
    }
    if (bus_take_term(bus, sack.term) && strcmp(sack.stream, journal_stream(journal)) == 0) {
        if (sack.has_conflict || sack.committed > journal_head(journal)) {
            leave_stream(bus, sack.has_conflict ? sack.conflict : journal_first(journal) + 1,
                         sack.committed);
        } else {
            bus->backed_up = sack.backed_up;
            if (sack.has_replay)
                bus_replay(bus, sack.stream, sack.replay.req, sack.replay.from, sack.replay.to);
        }
    }
    msg_c_sack_finish(&sack);
}

/* Another process with our name: the broker closes one of us each time the other connects. Which of
 * us goes on is not for us to say, but for whoever gives the lease (owner.c). */
static void take_presence(struct bus *bus, struct json_object *tree)
{
    struct msg_n_presence message = { 0 };
    struct flt_error error = { 0 };

    if (msg_n_presence_decode(tree, MSG_PROGRAM, &message, &error))
        return;
    if (message.incarnation == bus->incarnation && strcmp(message.boot, bus->node->boot) == 0 &&
        message.state == MSG_N_PRESENCE_STATE_LOST) {
        FLT_LOG(WARN, "declared_lost", "incarnation=%lld", (long long)bus->incarnation);
        flt_mqtt_reconnect(bus->mqtt);
    } else if (strcmp(message.boot, bus->node->boot) != 0 &&
               message.state == MSG_N_PRESENCE_STATE_UP &&
               message.env.ts_ms >= bus->node->started_ms) {
        FLT_LOG(WARN, "rival", "host=%s pid=%lld why=\"another process says that it is %s\"",
                message.host, (long long)message.pid, bus->node->config.node);
    }
    msg_n_presence_finish(&message);
}

static void unreadable(struct bus *bus, const struct flt_mqtt_message *message,
                       const struct flt_error *error)
{
    char quoted[300];

    flt_refuse(&bus->node->refused,
               flt_refusal_of(message->payload, message->payload_size, MESSAGE_BYTES_MAX));
    if (++bus->malformed % 100 == 1)
        FLT_LOG(WARN, "malformed", "topic=%s count=%llu why=%s", message->topic,
                (unsigned long long)bus->malformed,
                flt_log_quote(error->message, quoted, sizeof quoted));
}

/* Only the controller may write to these topics, and it says so in each message. */
static bool is_controllers(struct bus *bus, struct json_object *tree)
{
    const char *src = "";

    if (flt_json_str(tree, "src", &src) && strcmp(src, "controller") == 0)
        return true;
    flt_refuse(&bus->node->refused, FLT_REFUSED_FORGED);
    return false;
}

static void on_message(void *ctx, const struct flt_mqtt_message *message)
{
    struct bus *bus = ctx;
    struct flt_error error = { 0 };
    struct topic_ref ref;
    struct json_object *tree;

    if (!message->payload_size || !topic_parse(message->topic, &ref))
        return; /* an emptied retained topic, or none of ours */
    if (strcmp(ref.tenant, bus_tenant(bus)) != 0) {
        flt_refuse(&bus->node->refused, FLT_REFUSED_TENANT);
        return;
    }
    tree = message->payload_size > MESSAGE_BYTES_MAX
               ? NULL
               : flt_json_parse(message->payload, message->payload_size, &error);
    if (!tree) {
        unreadable(bus, message, &error);
        return;
    }
    if (ref.id != TOPIC_NODE_PRESENCE && !is_controllers(bus, tree)) {
        json_object_put(tree);
        return;
    }
    if (ref.id == TOPIC_DESIRED)
        take_desired(bus, message->topic, tree);
    else if (ref.id == TOPIC_CMD)
        command_take(bus->node, tree, message->retained);
    else if (ref.id == TOPIC_CTL_HALT)
        take_halts(bus, message->topic, tree);
    else if (ref.id == TOPIC_LEASE)
        take_lease(bus, message->topic, tree);
    else if (ref.id == TOPIC_SACK)
        take_sack(bus, message->topic, tree);
    else if (ref.id == TOPIC_NODE_PRESENCE)
        take_presence(bus, tree);
    json_object_put(tree);
}

static void subscribe(struct bus *bus, const char *topic, int qos)
{
    if (flt_mqtt_subscribe(bus->mqtt, topic, qos))
        FLT_LOG(ERROR, "subscribe_failed", "topic=%s", topic);
}

static void on_up(void *ctx)
{
    struct bus *bus = ctx;
    const char *tenant = bus_tenant(bus), *node = bus->node->config.node;
    char topic[TOPIC_MAX];
    struct host *host;

    subscribe(bus, topic_cmd(topic, tenant, node), 1);
    subscribe(bus, topic_desired(topic, tenant, node, "+"), 1);
    subscribe(bus, topic_lease(topic, tenant, node), 0);
    subscribe(bus, topic_sack(topic, tenant, node), 0);
    subscribe(bus, topic_ctl_state(topic, tenant), 1);
    subscribe(bus, topic_ctl_halt(topic, tenant), 1);
    subscribe(bus, topic_node_presence(topic, tenant, node), 1);
    publish_birth(bus);
    bus_on_second(bus);
    for (size_t i = 0; (host = hosts_at(bus->node->hosts, i)); i++)
        report_state(host);
    FLT_LOG(INFO, "bus_up", "incarnation=%lld", (long long)bus->incarnation);
}

static void on_down(void *ctx, const char *reason)
{
    char quoted[200];

    (void)ctx;
    FLT_LOG(WARN, "bus_down", "why=%s", flt_log_quote(reason, quoted, sizeof quoted));
}

/* --- life
 * ---------------------------------------------------------------------------------------------------------
 */

int bus_create(struct botnode *node, struct bus **out)
{
    struct bus *bus = calloc(1, sizeof *bus);

    if (!bus)
        return -ENOMEM;
    bus->node = node;
    snprintf(bus->src, sizeof bus->src, "node/%s", node->config.node);
    bus->term = journal_int(node->journal, "term");
    *out = bus;
    return 0;
}

void bus_start(struct bus *bus)
{
    const struct msg_config_mqtt *config = &bus->node->config.mqtt;
    const struct flt_mqtt_events events = {
        .ctx = bus,
        .will = on_will,
        .on_up = on_up,
        .on_down = on_down,
        .on_message = on_message,
    };
    char client_id[96];
    const struct flt_mqtt_config mqtt = {
        .library = config->has_library ? msg_config_mqtt_library_name(config->library) : NULL,
        .url = config->url,
        .client_id = client_id,
        .username = config->has_username ? config->username : NULL,
        .password = bus->node->password,
        .ca_file = config->has_ca_file ? config->ca_file : NULL,
        .cert_file = config->has_cert_file ? config->cert_file : NULL,
        .key_file = config->has_key_file ? config->key_file : NULL,
        .version = FLT_MQTT_5,
        .keepalive_s = 10,
    };

    snprintf(client_id, sizeof client_id, "%s-%s-ctl", bus->node->config.fleet,
             bus->node->config.node);
    if (flt_mqtt_create(bus->node->loop, &mqtt, &events, &bus->mqtt))
        flt_loop_stop(bus->node->loop);
}

void bus_close(struct bus *bus, void (*closed)(void *ctx), void *ctx)
{
    struct msg_n_presence message = { 0 };
    char topic[TOPIC_MAX];

    if (!bus)
        return;
    presence_of(bus, MSG_N_PRESENCE_STATE_DOWN, &message);
    publish_message(bus, &msg_type_n_presence, &message,
                    topic_node_presence(topic, bus_tenant(bus), bus->node->config.node), 1, true);
    if (bus->mqtt)
        flt_mqtt_close(bus->mqtt, 1000, closed, ctx);
    else if (closed)
        closed(ctx);
    flt_buf_finish(&bus->will);
    free(bus);
}
