#define FLT_MOD "bridge"
#include "dashboard/bridge.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "dashboard/mqttscan.h"
#include "lib/fail.h"

#define HIGH_BYTES ((size_t)256 * 1024) /* more than this waits: stop reading the other side */
#define LOW_BYTES ((size_t)64 * 1024)
#define HARD_BYTES                                                                                 \
    ((size_t)4 * 1024 * 1024) /* what was on its way when reading stopped, and more */
#define PROBE_TIMEOUT_MS 2000
#define HELD_BYTES ((size_t)16 * 1024) /* a CONNECT is shorter */
#define IDLE_CHECK_MS 1000
#define IDLE_DEFAULT_S (12 * 3600)

/* WebSocket close codes, RFC 6455 section 7.4.1. */
enum { CLOSE_NORMAL = 1000, CLOSE_PROTOCOL = 1002, CLOSE_TOO_BIG = 1009, CLOSE_TRY_LATER = 1013 };

struct bridges {
    uv_loop_t *uv;
    const struct settings *settings;
    struct flt_loop *loop;
    struct limiter *limiter;
    struct flt_timer *timer;
    struct bridge *list; /* whose browser is there */
    unsigned count;      /* of these */
    uint64_t total;
    char chunk[65536]; /* one read at a time; it is copied before the next */
};

/* A connection to the broker: unix or TCP, the same from then on. */
union link {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tcp_t tcp;
};

struct bridge {
    union link link;
    struct bridges *bridges;
    struct bridge *next;   /* in the list */
    struct flt_peer *peer; /* NULL: the browser is gone */
    char address[48], user[64];
    struct mqttscan from_browser, from_broker;
    bool signed_in;  /* the broker let it in */
    bool connecting; /* its CONNECT was forwarded */
    char *held;      /* what came before the CONNECT was whole */
    size_t held_size;
    int64_t active_ms; /* the person last did anything */
    bool open;         /* the broker took the connection */
    bool ended;        /* closing or closed */
    bool peer_paused, broker_paused;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
};

struct write {
    uv_write_t request;
    char data[];
};

static void on_closed(uv_handle_t *handle)
{
    struct bridge *bridge = handle->data;

    free(bridge->held);
    free(bridge);
}

static int64_t now_ms(const struct bridges *bridges)
{
    return flt_mono_ms(flt_loop_clock(bridges->loop));
}

/* From here on only the handle's end is awaited. */
static void end(struct bridge *bridge)
{
    if (bridge->ended)
        return;
    bridge->ended = true;
    uv_close(&bridge->link.handle, on_closed);
}

static void hang_up(struct bridge *bridge, uint16_t code, const char *reason)
{
    if (bridge->peer)
        flt_peer_close(bridge->peer, code, reason); /* bridge_gone() comes when it is closed */
}

/* --- broker to browser -------------------------------------------------------------------------
 */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct bridges *bridges = ((struct bridge *)handle->data)->bridges;

    (void)suggested;
    *buf = uv_buf_init(bridges->chunk, sizeof bridges->chunk);
}

/* The broker's first packet says whether the login was good. */
static void look_for_answer(struct bridge *bridge, const uint8_t *data, size_t size)
{
    struct bridges *bridges = bridge->bridges;
    size_t used = 0;

    if (mqttscan_next(&bridge->from_broker, data, size, &used) != MQTT_CONNACK)
        return;
    bridge->signed_in = true; /* or is being hung up; nothing more is read in either case */
    if (mqttscan_connack(&bridge->from_broker) == 0) {
        limiter_passed(bridges->limiter, bridge->address, bridge->user);
        return;
    }
    FLT_LOG(WARN, "login_refused", "peer=%s reason=%d", bridge->address,
            mqttscan_connack(&bridge->from_broker));
    limiter_failed(bridges->limiter, bridge->address, bridge->user, now_ms(bridges));
}

static void on_broker_data(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct bridge *bridge = stream->data;

    if (size < 0) {
        (void)uv_read_stop(stream);
        hang_up(bridge, CLOSE_NORMAL,
                size == UV_EOF ? "the broker ended it" : "the broker is gone");
        return;
    }
    if (size == 0 || !bridge->peer)
        return;
    if (!bridge->signed_in)
        look_for_answer(bridge, (const uint8_t *)buf->base, (size_t)size);
    (void)flt_peer_send_binary(bridge->peer, buf->base,
                               (size_t)size); /* a failure closes the peer */
    if (flt_peer_queued(bridge->peer) > HIGH_BYTES) {
        (void)uv_read_stop(stream);
        bridge->broker_paused = true;
    }
}

void bridge_drained(struct bridge *bridge)
{
    if (bridge->ended || !bridge->broker_paused || flt_peer_queued(bridge->peer) > LOW_BYTES)
        return;
    bridge->broker_paused = false;
    (void)uv_read_start(&bridge->link.stream, on_alloc, on_broker_data);
}

/* --- browser to broker -------------------------------------------------------------------------
 */

static void on_written(uv_write_t *request, int status)
{
    struct bridge *bridge = request->handle->data;

    free(request->data);
    if (bridge->ended || !bridge->peer || status < 0)
        return;
    if (bridge->peer_paused && uv_stream_get_write_queue_size(&bridge->link.stream) <= LOW_BYTES) {
        bridge->peer_paused = false;
        flt_peer_read(bridge->peer, true);
    }
}

static void forward(struct bridge *bridge, const char *data, size_t size)
{
    const size_t waiting = uv_stream_get_write_queue_size(&bridge->link.stream) + size;
    struct write *write = waiting > HARD_BYTES ? NULL : malloc(sizeof *write + size);

    if (!write) {
        hang_up(bridge, CLOSE_TOO_BIG, "the broker takes it too slowly");
        return;
    }
    const uv_buf_t buf = uv_buf_init(write->data, (unsigned)size);

    memcpy(write->data, data, size);
    write->request.data = write;
    if (uv_write(&write->request, &bridge->link.stream, &buf, 1, on_written) != 0) {
        free(write);
        hang_up(bridge, CLOSE_NORMAL, "the broker is gone");
        return;
    }
    if (waiting > HIGH_BYTES && !bridge->peer_paused) {
        bridge->peer_paused = true;
        flt_peer_read(bridge->peer, false);
    }
}

/* Whether the login may be tried now; else the browser is told to wait. */
static bool may_try(struct bridge *bridge)
{
    struct bridges *bridges = bridge->bridges;
    const int64_t wait =
        limiter_wait_ms(bridges->limiter, bridge->address, bridge->user, now_ms(bridges));
    char reason[64];

    if (wait <= 0)
        return true;
    limiter_count_refusal(bridges->limiter);
    snprintf(reason, sizeof reason, "too many failed logins: wait %lld s",
             (long long)(wait + 999) / 1000);
    hang_up(bridge, BRIDGE_CLOSE_WAIT, reason);
    return false;
}

/* Reads along. True: the CONNECT is whole, or was before; false: more is needed, or it is over. */
static bool look_at(struct bridge *bridge, const uint8_t *data, size_t size)
{
    for (size_t at = 0, used = 0; at < size; at += used) {
        const int type = mqttscan_next(&bridge->from_browser, data + at, size - at, &used);

        if (type < 0 || (type > 0 && !bridge->connecting && type != MQTT_CONNECT)) {
            hang_up(bridge, CLOSE_PROTOCOL, "this is no MQTT");
            return false;
        }
        if (type != 0 && type != MQTT_PINGREQ && type != MQTT_PUBACK)
            bridge->active_ms = now_ms(bridge->bridges);
        if (type != MQTT_CONNECT)
            continue;
        bridge->connecting = true;
        if (!mqttscan_user(&bridge->from_browser, bridge->user, sizeof bridge->user))
            bridge->user[0] = '\0';
        if (!may_try(bridge))
            return false;
    }
    return bridge->connecting;
}

/* Nothing of a login is forwarded before it is known that it may be tried. */
static void hold(struct bridge *bridge, const char *data, size_t size)
{
    char *grown = bridge->held_size + size > HELD_BYTES
                      ? NULL
                      : realloc(bridge->held, bridge->held_size + size);

    if (!grown) {
        hang_up(bridge, CLOSE_TOO_BIG, "this CONNECT is too long");
        return;
    }
    memcpy(grown + bridge->held_size, data, size);
    bridge->held = grown;
    bridge->held_size += size;
}

void bridge_send(struct bridge *bridge, const char *data, size_t size)
{
    const bool was_connecting = bridge->connecting;

    if (bridge->ended || size == 0)
        return;
    if (!look_at(bridge, (const uint8_t *)data, size)) {
        if (!bridge->connecting && !bridge->from_browser.bad)
            hold(bridge, data, size);
        return;
    }
    if (!was_connecting && bridge->held_size)
        forward(bridge, bridge->held, bridge->held_size);
    forward(bridge, data, size);
}

/* --- opening and ending ------------------------------------------------------------------------
 */

static void on_connected(uv_connect_t *request, int status)
{
    struct bridge *bridge = request->handle->data;

    if (bridge->ended || status == UV_ECANCELED)
        return;
    if (status < 0) {
        FLT_LOG(WARN, "broker_unreachable", "why=\"%s\"", uv_strerror(status));
        hang_up(bridge, CLOSE_TRY_LATER, "the broker does not answer");
        return;
    }
    bridge->open = true;
    (void)uv_read_start(&bridge->link.stream, on_alloc, on_broker_data);
}

/* Begins to connect; both kinds take writes from now on. Negative: a libuv error; the handle is
 * initialised (and must be closed) in every case. */
static int dial(const struct bridges *bridges, union link *link, uv_connect_t *request,
                uv_connect_cb done)
{
    const struct settings *settings = bridges->settings;
    struct sockaddr_storage address = { 0 };

    if (settings->broker_path[0]) {
        (void)uv_pipe_init(bridges->uv, &link->pipe, 0);
        uv_pipe_connect(request, &link->pipe, settings->broker_path, done);
        return 0;
    }
    (void)uv_tcp_init(bridges->uv, &link->tcp);
    int err = strchr(settings->broker_host, ':')
                  ? uv_ip6_addr(settings->broker_host, settings->broker_port,
                                (struct sockaddr_in6 *)&address)
                  : uv_ip4_addr(settings->broker_host, settings->broker_port,
                                (struct sockaddr_in *)&address);

    if (err == 0)
        err = uv_tcp_connect(request, &link->tcp, (const struct sockaddr *)&address, done);
    if (err == 0)
        err = uv_tcp_nodelay(&link->tcp, 1);
    return err;
}

struct bridge *bridge_open(struct bridges *bridges, struct flt_peer *peer, const char *address)
{
    struct bridge *bridge;

    if (bridges->count >= BRIDGE_CLIENTS_MAX) {
        FLT_LOG(WARN, "too_many_clients", "clients=%u", bridges->count);
        return NULL;
    }
    bridge = calloc(1, sizeof *bridge);
    if (!bridge)
        return NULL;
    bridge->bridges = bridges;
    bridge->peer = peer;
    bridge->active_ms = now_ms(bridges);
    snprintf(bridge->address, sizeof bridge->address, "%s", address);
    const int err = dial(bridges, &bridge->link, &bridge->connect, on_connected);

    bridge->link.handle.data = bridge;
    if (err != 0) {
        end(bridge);
        return NULL;
    }
    bridges->count++;
    bridges->total++;
    bridge->next = bridges->list;
    bridges->list = bridge;
    return bridge;
}

static void on_shut(uv_shutdown_t *request, int status)
{
    struct bridge *bridge = request->handle->data;

    (void)status;
    end(bridge);
}

void bridge_gone(struct bridge *bridge)
{
    struct bridge **place = &bridge->bridges->list;

    while (*place && *place != bridge)
        place = &(*place)->next;
    if (*place)
        *place = bridge->next;
    bridge->peer = NULL;
    bridge->bridges->count--;
    /* What the browser said last (a DISCONNECT) still goes out; without it the broker tells its
     * will. */
    if (bridge->ended || !bridge->open ||
        uv_shutdown(&bridge->shutdown, &bridge->link.stream, on_shut) != 0)
        end(bridge);
}

static void end_idle(void *ctx)
{
    struct bridges *bridges = ctx;
    const struct msg_config_dashboard *config = &bridges->settings->config;
    const int64_t idle_s = config->has_session_idle_s ? config->session_idle_s : IDLE_DEFAULT_S;
    const int64_t now = now_ms(bridges);

    for (struct bridge *bridge = bridges->list; bridge && idle_s > 0; bridge = bridge->next)
        if (now - bridge->active_ms > idle_s * 1000)
            hang_up(bridge, BRIDGE_CLOSE_IDLE, "nobody was there: sign in again");
}

int bridges_create(struct flt_loop *loop, const struct settings *settings, struct limiter *limiter,
                   struct bridges **out)
{
    struct bridges *bridges = calloc(1, sizeof *bridges);

    if (!bridges)
        return -ENOMEM;
    bridges->uv = flt_loop_uv(loop);
    bridges->loop = loop;
    bridges->settings = settings;
    bridges->limiter = limiter;
    if (flt_timer_create(loop, end_idle, bridges, &bridges->timer) != 0) {
        free(bridges);
        return -ENOMEM;
    }
    flt_timer_start(bridges->timer, IDLE_CHECK_MS, IDLE_CHECK_MS);
    *out = bridges;
    return 0;
}

void bridges_destroy(struct bridges *bridges)
{
    if (!bridges)
        return;
    flt_timer_destroy(bridges->timer);
    free(bridges);
}

uint64_t bridges_total(const struct bridges *bridges)
{
    return bridges->total;
}

unsigned bridges_count(const struct bridges *bridges)
{
    return bridges->count;
}

/* --- is the broker there? ----------------------------------------------------------------------
 */

struct probe {
    union link link;
    uv_timer_t timer;
    uv_connect_t connect;
    bridge_probe_fn *fn;
    void *ctx;
    int handles;
};

static void on_probe_closed(uv_handle_t *handle)
{
    struct probe *probe = handle->data;

    if (--probe->handles == 0)
        free(probe);
}

static void probe_end(struct probe *probe, bool reachable)
{
    bridge_probe_fn *fn = probe->fn;

    if (!fn)
        return;
    probe->fn = NULL;
    uv_close(&probe->link.handle, on_probe_closed);
    uv_close((uv_handle_t *)&probe->timer, on_probe_closed);
    fn(probe->ctx, reachable);
}

static void on_probe(uv_connect_t *request, int status)
{
    probe_end(request->handle->data, status == 0);
}

static void on_probe_timeout(uv_timer_t *timer)
{
    probe_end(timer->data, false);
}

void bridge_probe(struct bridges *bridges, bridge_probe_fn *fn, void *ctx)
{
    struct probe *probe = calloc(1, sizeof *probe);

    if (!probe) {
        fn(ctx, false);
        return;
    }
    probe->fn = fn;
    probe->ctx = ctx;
    probe->handles = 2;
    const int err = dial(bridges, &probe->link, &probe->connect, on_probe);

    probe->link.handle.data = probe;
    (void)uv_timer_init(bridges->uv, &probe->timer);
    probe->timer.data = probe;
    (void)uv_timer_start(&probe->timer, on_probe_timeout, PROBE_TIMEOUT_MS, 0);
    if (err != 0)
        probe_end(probe, false);
}
