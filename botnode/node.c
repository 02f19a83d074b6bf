#define FLT_MOD "node"
#include "botnode/node.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "botnode/accounts.h"
#include "botnode/audit.h"
#include "botnode/bus.h"
#include "botnode/command.h"
#include "botnode/hosts.h"
#include "botnode/keytest.h"
#include "botnode/lists.h"
#include "botnode/owner.h"
#include "botnode/report.h"
#include "botnode/sweep.h"
#include "botnode/truth.h"
#include "lib/config.h"
#include "lib/fail.h"
#include "lib/http.h"
#include "lib/watchdog.h"
#include "lib/ws.h"

#define PASSWORD_MAX 512
#define RECEIVE_WINDOW_MS 2000 /* inside LEASE_MARGIN_MS */
#define EXPIRE_PERIOD_S 3600
#define TRIM_PERIOD_S 15
#define TRIM_BYTES (16u << 20)
#define PRUNE_PERIOD_S 60 /* a bounded bite each time */

int64_t node_scaled_ms(const struct botnode *node, int64_t ms)
{
    return node->config.has_time_scale ? (int64_t)((double)ms * node->config.time_scale) : ms;
}

/* --- opening, in order
 * --------------------------------------------------------------------------------- */

static int config_open(struct botnode *node, const char *path, struct flt_error *error)
{
    struct json_object *tree = flt_config_load(path, error);
    int err = tree ? msg_config_node_decode(tree, MSG_PEOPLE, &node->config, error) : -EINVAL;
    size_t size;

    json_object_put(tree);
    if (err || !node->config.mqtt.has_password_file)
        return err;
    node->password = flt_file_read(node->config.mqtt.password_file, PASSWORD_MAX, &size);
    if (!node->password)
        return flt_error_set(error, FLT_NOT_FOUND, "mqtt.password_file",
                             "flotilla up writes it; is the path right?", "%s: %s",
                             node->config.mqtt.password_file, strerror(errno));
    node->password[strcspn(node->password, "\r\n")] = '\0';
    return 0;
}

/* One process a folder: the lock dies with its holder, so that a new process knows the old is gone.
 */
static int lock_open(struct botnode *node, struct flt_error *error)
{
    char path[300];

    if (flt_mkdir_p(node->config.dir) || flt_path_join(path, sizeof path, node->config.dir, "lock"))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "dir", "", "%s cannot be made: %s",
                             node->config.dir, strerror(errno));
    node->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (node->lock_fd < 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "dir", "", "%s: %s", path,
                             strerror(errno));
    if (flock(node->lock_fd, LOCK_EX | LOCK_NB))
        return flt_error_set(error, FLT_CONFLICT, "dir", "end the other process first",
                             "another process runs node %s on %s", node->config.node,
                             node->config.dir);
    return 0;
}

/* The private key of this node's box: 32 bytes of the file DIR/key. */
static int key_open(struct botnode *node, struct flt_error *error)
{
    char path[300];
    int err = flt_path_join(path, sizeof path, node->config.dir, "key");

    err = err ? err : flt_key_file(path, node->box_private);
    if (err)
        return flt_error_set(error, FLT_DENIED, "dir", "it must be readable by its owner alone",
                             "the key file %s cannot be used: %s", path, strerror(-err));
    err = flt_box_public(node->box_private, node->box_public);
    return err ? flt_error_set(error, FLT_INTERNAL, "", "", "the key file %s is no key", path) : 0;
}

static void on_committed(void *ctx, const struct journal_record *records, size_t count)
{
    struct botnode *node = ctx;

    if (node->bus)
        bus_on_committed(node->bus, records, count);
}

static void on_storage(void *ctx, bool entries, const char *reason)
{
    struct botnode *node = ctx;

    FLT_LOG(WARN, entries ? "storage_back" : "storage_stopped", "why=\"%s\"", reason);
    if (node->hosts)
        hosts_on_storage(node->hosts, entries);
}

static int journal_start(struct botnode *node, struct flt_error *error)
{
    const struct journal_options options = {
        .dir = node->config.dir,
        .loop = node->loop,
        .ctx = node,
        .on_committed = on_committed,
        .on_storage = on_storage,
    };

    return journal_open(&options, error, &node->journal);
}

static void on_venue(void *ctx, struct venue *venue)
{
    struct botnode *node = ctx;

    if (node->hosts)
        hosts_on_venue(node->hosts, venue);
}

static int venues_start(struct botnode *node)
{
    const struct exchange_env env = { .loop = node->loop,
                                      .http = node->http,
                                      .ws = node->ws,
                                      .receive_window_ms =
                                          node_scaled_ms(node, RECEIVE_WINDOW_MS) };
    const struct msg_config_venue *binance = &node->config.venues.binance;
    const struct venue_urls urls[] = {
        { .name = "binance",
          .urls = { .rest = binance->has_rest_url ? binance->rest_url : NULL,
                    .stream = binance->has_stream_url ? binance->stream_url : NULL,
                    .ws_api = binance->has_ws_api_url ? binance->ws_api_url : NULL,
                    .ca_file = binance->has_ca_file ? binance->ca_file : NULL } },
    };

    return venues_create(&env, urls, FLT_COUNT(urls), on_venue, node, &node->venues);
}

static int loop_start(struct botnode *node)
{
    const struct flt_http_config http = { 0 };
    int err = flt_loop_create(node->clock, &node->loop);

    err = err ? err : flt_http_create(node->loop, &http, &node->http);
    return err ? err : flt_ws_context_create(node->loop, &node->ws);
}

static void on_part(void *ctx)
{
    struct botnode *node = ctx;

    node->slice = (node->slice + 1) % HOSTS_SLICES;
    hosts_on_slice(node->hosts, node->slice);
    owner_tick(node->owner);
    bus_on_part(node->bus);
}

static void on_beat(void *ctx)
{
    struct botnode *node = ctx;

    bus_on_second(node->bus);
}

/* What a burst of messages took is given back: the allocator keeps it for ever otherwise. */
static void trim_memory(struct botnode *node)
{
    const struct mallinfo2 info = mallinfo2();

    node->heap_bytes = (int64_t)(info.uordblks + info.hblkhd);
    if (info.fordblks > node->trimmed_free + TRIM_BYTES)
        malloc_trim(0);
    else if (info.fordblks >= node->trimmed_free)
        return;
    node->trimmed_free = info.fordblks;
}

static void on_second(void *ctx)
{
    struct botnode *node = ctx;
    struct host *host;
    const int64_t uptime_s = flt_mono_ms(node->clock) / 1000;

    if (flt_step_seen(&node->clock_steps, flt_wall_ms(node->clock), flt_mono_ms(node->clock))) {
        flt_refuse(&node->refused, FLT_REFUSED_CLOCK_STEP);
        FLT_LOG(WARN, "clock_step", "hint=\"leases and timers do not follow it\"");
    }
    audit_second(node->audit);
    truth_second(node->truth);
    if (uptime_s % EXPIRE_PERIOD_S == 0)
        journal_commands_expire(node->journal, flt_wall_ms(node->clock));
    if (uptime_s % TRIM_PERIOD_S == 0)
        trim_memory(node);
    if (uptime_s % PRUNE_PERIOD_S == 0)
        journal_prune(node->journal, bus_backed_up(node->bus), flt_wall_ms(node->clock));
    for (size_t i = 0; (host = hosts_at(node->hosts, i)); i++) {
        if (host_is_watched(host))
            report_live(host);
    }
}

static int parts_start(struct botnode *node, struct flt_error *error)
{
    int err = journal_start(node, error);

    err = err ? err : venues_start(node);
    err = err ? err : owner_create(node, &node->owner);
    err = err ? err : hosts_create(node, &node->hosts);
    err = err ? err : accounts_create(node, &node->accounts);
    err = err ? err : audit_create(node, &node->audit);
    err = err ? err : lists_create(node, &node->lists);
    err = err ? err : sweeps_create(node, &node->sweeps);
    err = err ? err : truth_create(node, &node->truth);
    err = err ? err : bus_create(node, &node->bus);
    err = err ? err : accounts_restore(node->accounts);
    err = err ? err : hosts_restore(node->hosts);
    err = err ? err : flt_timer_create(node->loop, on_part, node, &node->part);
    err = err ? err : flt_timer_create(node->loop, on_beat, node, &node->beat);
    return err ? err : flt_timer_create(node->loop, on_second, node, &node->second);
}

int botnode_open(const char *config_path, struct flt_error *error, struct botnode **out)
{
    struct botnode *node = calloc(1, sizeof *node);
    int err;

    if (!node)
        return -ENOMEM;
    node->lock_fd = -1;
    node->clock = flt_clock_system();
    node->started_ms = flt_wall_ms(node->clock);
    node->started_ns = flt_mono_ns(node->clock);
    flt_ulid(node->started_ms, node->boot);
    err = config_open(node, config_path, error);
    err = err ? err : lock_open(node, error);
    err = err ? err : key_open(node, error);
    err = err ? err : loop_start(node);
    err = err ? err : parts_start(node, error);
    if (err) {
        botnode_close(node);
        return err;
    }
    *out = node;
    return 0;
}

/* --- running and ending
 * ------------------------------------------------------------------------------------ */

static void on_goodbye(void *ctx)
{
    struct botnode *node = ctx;

    node->bus = NULL;
    flt_loop_stop(node->loop);
}

static void on_signal(void *ctx, int signal)
{
    struct botnode *node = ctx;
    struct bus *bus = node->bus;

    FLT_LOG(INFO, "ending", "signal=%d", signal);
    if (node->stopping || !bus) {
        flt_loop_stop(node->loop); /* asked twice */
        return;
    }
    node->stopping = true; /* orders stay at the venue; the journal knows them */
    flt_watchdog_stop(node->watchdog);
    node->watchdog = NULL;
    flt_timer_stop(node->second);
    flt_timer_stop(node->beat);
    flt_timer_stop(node->part);
    node->bus = NULL;
    bus_close(bus, on_goodbye, node);
}

int botnode_run(struct botnode *node)
{
    int err = flt_loop_on_signal(node->loop, on_signal, node);

    if (err)
        return err;
    const uint64_t beat_ms = (uint64_t)node_scaled_ms(node, NODE_HEARTBEAT_MS);

    bus_start(node->bus);
    flt_timer_start(node->beat, beat_ms, beat_ms);
    flt_timer_start(node->second, NODE_HEARTBEAT_MS, NODE_HEARTBEAT_MS);
    flt_timer_start(node->part, NODE_HEARTBEAT_MS / HOSTS_SLICES, NODE_HEARTBEAT_MS / HOSTS_SLICES);
    for (unsigned slice = 0; slice < HOSTS_SLICES; slice++)
        hosts_on_slice(node->hosts, slice);
    FLT_LOG(INFO, "started", "node=%s bots=%zu version=%s start_ms=%lld", node->config.node,
            hosts_count(node->hosts), FLT_VERSION,
            (long long)((flt_mono_ns(node->clock) - node->started_ns) / 1000000));
    if (flt_watchdog_start(node->loop, &node->watchdog) != 0)
        FLT_LOG(WARN, "no_watchdog", "hint=\"the service manager will think this never started\"");
    err = flt_loop_run(node->loop);
    return node->failure ? node->failure : err;
}

void botnode_close(struct botnode *node)
{
    if (!node)
        return;
    node->stopping = true;
    if (node->bus)
        bus_close(node->bus, NULL, NULL);
    node->bus = NULL;
    flt_watchdog_stop(node->watchdog);
    flt_timer_destroy(node->second);
    flt_timer_destroy(node->beat);
    flt_timer_destroy(node->part);
    keytests_destroy(node);
    hosts_destroy(node->hosts);
    node->hosts = NULL;
    owner_destroy(node->owner);
    accounts_destroy(node->accounts);
    truth_destroy(node->truth);
    sweeps_destroy(node->sweeps);
    lists_destroy(node->lists);
    audit_destroy(node->audit);
    venues_destroy(node->venues);
    journal_close(node->journal);
    commands_destroy(node);
    if (node->ws)
        flt_ws_context_destroy(node->ws);
    if (node->http)
        flt_http_destroy(node->http);
    if (node->loop)
        flt_loop_destroy(node->loop);
    if (node->password)
        flt_wipe(node->password, strlen(node->password));
    free(node->password);
    flt_wipe(node->box_private, sizeof node->box_private);
    if (node->lock_fd >= 0)
        close(node->lock_fd);
    msg_config_node_finish(&node->config);
    free(node);
}
