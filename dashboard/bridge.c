#define FLT_MOD "bridge"
#include "dashboard/bridge.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "lib/fail.h"

#define HIGH_BYTES ((size_t)256 * 1024) /* more than this waits: stop reading the other side */
#define LOW_BYTES ((size_t)64 * 1024)
#define HARD_BYTES                                                                                 \
    ((size_t)4 * 1024 * 1024) /* what was on its way when reading stopped, and more */
#define PROBE_TIMEOUT_MS 2000

/* WebSocket close codes, RFC 6455 section 7.4.1. */
enum { CLOSE_NORMAL = 1000, CLOSE_TOO_BIG = 1009, CLOSE_TRY_LATER = 1013 };

struct bridges {
    uv_loop_t *uv;
    const struct settings *settings;
    unsigned count;    /* whose browser is there */
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
    struct flt_peer *peer; /* NULL: the browser is gone */
    bool open;             /* the broker took the connection */
    bool ended;            /* closing or closed */
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
    free(handle->data);
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

void bridge_send(struct bridge *bridge, const char *data, size_t size)
{
    if (bridge->ended || size == 0)
        return;
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

struct bridge *bridge_open(struct bridges *bridges, struct flt_peer *peer)
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
    const int err = dial(bridges, &bridge->link, &bridge->connect, on_connected);

    bridge->link.handle.data = bridge;
    if (err != 0) {
        end(bridge);
        return NULL;
    }
    bridges->count++;
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
    bridge->peer = NULL;
    bridge->bridges->count--;
    /* What the browser said last (a DISCONNECT) still goes out; without it the broker tells its
     * will. */
    if (bridge->ended || !bridge->open ||
        uv_shutdown(&bridge->shutdown, &bridge->link.stream, on_shut) != 0)
        end(bridge);
}

int bridges_create(struct flt_loop *loop, const struct settings *settings, struct bridges **out)
{
    struct bridges *bridges = calloc(1, sizeof *bridges);

    if (!bridges)
        return -ENOMEM;
    bridges->uv = flt_loop_uv(loop);
    bridges->settings = settings;
    *out = bridges;
    return 0;
}

void bridges_destroy(struct bridges *bridges)
{
    free(bridges);
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
