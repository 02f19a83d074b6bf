/* What shapes this file (libwebsockets 4.1):
 *  - It joins our loop as a "foreign" libuv loop. Its resolver blocks, so it is given addresses;
 * name and port stay in `host`, from which it takes the Host header and SNI.
 *  - It gives a message in pieces, whatever its frames are: pieces are gathered until the last one.
 *  - It writes in its WRITEABLE callback only, and wants LWS_PRE bytes free before the data.
 *  - It never reconnects; ping and hang-up of idle connections come from its retry policy
 * (seconds).
 *  - A connection's `opaque_user_data` is its struct flt_ws; NULL once we do not want it any more.
 */
#include "lib/ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#define FLT_MOD "ws"
#include "lib/fail.h"

#define PROTOCOL "flotilla"
#define SEND_BYTES_MAX ((size_t)1024 * 1024)
#define PIECE_BYTES 65536
#define CONNECT_TIMEOUT_S 10
#define CONNECT_PATIENCE_MS (CONNECT_TIMEOUT_S * 1000 + 2000)
#define STABLE_MS 60000
#define REASON_MAX 192
#define ENDING_TURNS 4
#define HEADERS_MAX 16

struct vhost { /* one for each ca_file: libwebsockets has one TLS context a vhost */
    struct vhost *next;
    struct lws_vhost *lws;
    char ca_file[]; /* "": the system's */
};

struct idle { /* a connection that says goodbye may outlive its struct flt_ws, so these live here */
    struct idle *next;
    lws_retry_bo_t policy;
};

struct flt_ws_context {
    struct flt_loop *loop;
    struct lws_context *lws;
    struct vhost *vhosts;
    struct idle *idles;
    uv_idle_t ending; /* counts the turns of the loop until handles are closed */
    int turns;
    void *foreign_loops[1];
};

struct outgoing {
    struct outgoing *next;
    size_t size;
    unsigned char data[]; /* LWS_PRE bytes, then the message */
};

struct resolve {
    uv_getaddrinfo_t uv;
    struct flt_ws *ws; /* NULL: no longer wanted */
};

struct flt_ws {
    struct flt_ws_context *context;
    struct flt_ws_events events;
    struct lws_vhost *vhost;
    char *host, *path, *authority; /* authority: host:port as in the Host header */
    uint16_t port;
    bool is_tls;
    char *headers[HEADERS_MAX + 1];
    const lws_retry_bo_t *idle;
    size_t message_bytes_max;
    uint32_t backoff_base_ms, backoff_cap_ms;

    struct lws *wsi;
    struct resolve *resolve;
    struct flt_timer *timer; /* the next attempt, or the end of patience with this one */
    struct flt_timer *soon;  /* a report that may not be made inside a call of the owner */
    uint64_t backoff_ms;
    unsigned attempt;
    int64_t opened_ns;
    bool connecting, open, closed;
    int depth; /* inside a callback of the owner, or inside libwebsockets' connect */

    char *in; /* the message so far; NUL-terminated for the parsers' comfort */
    size_t in_size, in_capacity;
    struct outgoing *out, **out_end;
    size_t out_bytes;
    uint64_t dropped;
    char reason[REASON_MAX];
};

/* ---- life and death ---- */

static void free_ws(struct flt_ws *ws)
{
    flt_timer_destroy(ws->timer);
    flt_timer_destroy(ws->soon);
    for (int i = 0; i < HEADERS_MAX; i++)
        free(ws->headers[i]);
    free(ws->host);
    free(ws->path);
    free(ws->authority);
    free(ws->in);
    free(ws);
}

static void enter(struct flt_ws *ws)
{
    ws->depth++;
}

/* After it, `ws` may be gone: false then. */
static bool leave(struct flt_ws *ws)
{
    if (--ws->depth == 0 && ws->closed) {
        free_ws(ws);
        return false;
    }
    return !ws->closed;
}

/* libwebsockets may go on with the connection for a moment, but we hear nothing of it. */
static void let_go(struct flt_ws *ws)
{
    struct lws *wsi = ws->wsi;
    struct outgoing *each;

    ws->wsi = NULL;
    ws->in_size = 0;
    while ((each = ws->out)) {
        ws->out = each->next;
        free(each);
    }
    ws->out_end = &ws->out;
    ws->out_bytes = 0;
    if (ws->resolve) {
        ws->resolve->ws = NULL;
        uv_cancel((uv_req_t *)&ws->resolve->uv);
        ws->resolve = NULL;
    }
    if (!wsi)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    if (ws->open)
        lws_callback_on_writable(wsi); /* where it says goodbye */
    else
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static void go_down(struct flt_ws *ws, const char *reason)
{
    char why[REASON_MAX];
    char quoted[REASON_MAX];
    const int64_t now_ns = flt_mono_ns(flt_loop_clock(ws->context->loop));

    snprintf(why, sizeof why, "%s", reason);
    let_go(ws);
    ws->reason[0] = '\0';
    if (ws->open && now_ns - ws->opened_ns > STABLE_MS * INT64_C(1000000))
        ws->backoff_ms = 0;
    ws->open = ws->connecting = false;
    ws->backoff_ms = flt_backoff_ms(ws->backoff_ms, ws->backoff_base_ms, ws->backoff_cap_ms);
    FLT_LOG(WARN, "ws_down", "host=%s retry_ms=%llu reason=%s", ws->authority,
            (unsigned long long)ws->backoff_ms, flt_log_quote(why, quoted, sizeof quoted));
    flt_timer_stop(ws->soon);
    flt_timer_start(ws->timer, ws->backoff_ms, 0);
    enter(ws);
    if (ws->events.on_close)
        ws->events.on_close(ws->events.ctx, why);
    leave(ws);
}

static void on_soon(void *arg)
{
    struct flt_ws *ws = arg;

    go_down(ws, ws->reason);
}

static void go_down_soon(struct flt_ws *ws, const char *reason)
{
    if (ws->reason[0] == '\0')
        snprintf(ws->reason, sizeof ws->reason, "%s", reason);
    flt_timer_start(ws->soon, 0, 0);
}

/* ---- libwebsockets' callbacks ---- */

static int append(struct flt_ws *ws, const void *data, size_t size)
{
    if (ws->in_size + size + 1 > ws->in_capacity) {
        size_t capacity = ws->in_capacity ? ws->in_capacity : 4096;
        while (capacity < ws->in_size + size + 1)
            capacity *= 2;
        char *grown = realloc(ws->in, capacity);
        if (!grown)
            return -ENOMEM;
        ws->in = grown;
        ws->in_capacity = capacity;
    }
    if (size > 0)
        memcpy(ws->in + ws->in_size, data, size);
    ws->in_size += size;
    ws->in[ws->in_size] = '\0';
    return 0;
}

/* -1 makes libwebsockets close the connection. */
static int on_piece(struct flt_ws *ws, const void *data, size_t size)
{
    struct lws *wsi = ws->wsi;

    if (ws->in_size + size > ws->message_bytes_max) {
        snprintf(ws->reason, sizeof ws->reason, "a message is larger than %zu bytes",
                 ws->message_bytes_max);
        return -1;
    }
    if (append(ws, data, size) < 0)
        return -1;
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
        return 0;
    const size_t whole = ws->in_size;
    ws->in_size = 0;
    enter(ws);
    if (ws->events.on_message)
        ws->events.on_message(ws->events.ctx, ws->in, whole, !lws_frame_is_binary(wsi));
    leave(ws);
    return 0;
}

static int on_writeable(struct flt_ws *ws, struct lws *wsi)
{
    struct outgoing *first = ws->out;

    if (!first)
        return 0;
    ws->out = first->next;
    if (!ws->out)
        ws->out_end = &ws->out;
    ws->out_bytes -= first->size;
    const int written = lws_write(wsi, first->data + LWS_PRE, first->size, LWS_WRITE_TEXT);
    const bool failed = written < 0 || (size_t)written < first->size;
    free(first);
    if (!failed && ws->out)
        lws_callback_on_writable(wsi);
    return failed ? -1 : 0;
}

static int add_headers(const struct flt_ws *ws, struct lws *wsi, unsigned char **at, size_t room)
{
    unsigned char *const end = *at + room;

    for (int i = 0; ws->headers[i]; i++) {
        char name[128]; /* with its colon */
        const char *const colon = strchr(ws->headers[i], ':');
        const char *value = colon + 1;
        snprintf(name, sizeof name, "%.*s:", (int)(colon - ws->headers[i]), ws->headers[i]);
        while (*value == ' ')
            value++;
        if (lws_add_http_header_by_name(wsi, (const unsigned char *)name,
                                        (const unsigned char *)value, (int)strlen(value), at, end))
            return -1;
    }
    return 0;
}

static void on_established(struct flt_ws *ws)
{
    ws->open = true;
    ws->connecting = false;
    ws->opened_ns = flt_mono_ns(flt_loop_clock(ws->context->loop));
    flt_timer_stop(ws->timer);
    FLT_LOG(INFO, "ws_up", "host=%s", ws->authority);
    enter(ws);
    if (ws->events.on_open)
        ws->events.on_open(ws->events.ctx);
    leave(ws);
}

/* The venue says why it leaves: a status (RFC 6455 section 7.4) and perhaps words. */
static void note_peer_close(struct flt_ws *ws, const unsigned char *data, size_t size)
{
    if (size >= 2)
        snprintf(ws->reason, sizeof ws->reason, "closed by the server: %d %.*s",
                 data[0] << 8 | data[1], (int)(size - 2), (const char *)data + 2);
    else
        snprintf(ws->reason, sizeof ws->reason, "closed by the server");
}

static void forget(struct flt_ws *ws, struct lws *wsi)
{
    ws->wsi = NULL;
    lws_set_opaque_user_data(wsi, NULL);
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons what, void *user, void *in,
                  size_t size)
{
    struct flt_ws *ws = wsi ? lws_get_opaque_user_data(wsi) : NULL;

    (void)user;
    if (!ws) {
        if (what != LWS_CALLBACK_CLIENT_WRITEABLE)
            return 0;
        lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum" /* it has a hundred */
    switch (what) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_headers(ws, wsi, in, size);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        ws->wsi = wsi;
        on_established(ws);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return on_piece(ws, in, size);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writeable(ws, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_peer_close(ws, in, size);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        forget(ws, wsi); /* it is being freed */
        go_down(ws, in ? in : "cannot connect");
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        forget(ws, wsi);
        go_down(ws, ws->reason[0] ? ws->reason : "the connection was lost");
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        /* Some attempts end with nothing but this. What is kept of one would, when patience with it
         * ends, be a connection of somebody else in the same memory: made deaf for ever. */
        if (ws->wsi == wsi) {
            forget(ws, wsi);
            go_down_soon(ws, "the connection was lost");
        }
        return 0;
    default:
        return 0;
    }
#pragma GCC diagnostic pop
}

/* ---- an attempt ---- */

static void open_connection(struct flt_ws *ws, const char *address)
{
    struct lws_client_connect_info info = { 0 };

    info.context = ws->context->lws;
    info.vhost = ws->vhost;
    info.address = address;
    info.port = ws->port;
    info.path = ws->path;
    info.host = ws->authority;
    info.local_protocol_name = PROTOCOL;
    info.ssl_connection = ws->is_tls ? LCCSCF_USE_SSL : 0;
    info.alpn = "http/1.1"; /* a WebSocket inside HTTP/2 is another thing */
    info.ietf_version_or_minus_one = -1;
    info.retry_and_idle_policy = ws->idle;
    info.opaque_user_data = ws;
    info.pwsi = &ws->wsi;
    /* Whatever libwebsockets does with it: an attempt may end without a word (a refused connect
     * seen inside this call), and an account would wait for its stream for ever. */
    flt_timer_start(ws->timer, CONNECT_PATIENCE_MS, 0);
    enter(ws);
    (void)!lws_client_connect_via_info(&info);
    (void)leave(ws);
}

static void on_resolved(uv_getaddrinfo_t *uv, int status, struct addrinfo *list)
{
    struct resolve *resolve = uv->data;
    struct flt_ws *ws = resolve->ws;
    char address[INET6_ADDRSTRLEN + 1] = "";
    unsigned count = 0;

    for (const struct addrinfo *each = list; each; each = each->ai_next)
        count++;
    if (ws && count > 0) {
        const struct addrinfo *chosen = list;
        for (unsigned turn = ws->attempt % count; turn > 0; turn--)
            chosen = chosen->ai_next; /* another one each attempt: one of them may be dead */
        uv_ip_name(chosen->ai_addr, address, sizeof address);
    }
    uv_freeaddrinfo(list);
    free(resolve);
    if (!ws)
        return;
    ws->resolve = NULL;
    ws->attempt++;
    if (status < 0 || address[0] == '\0') {
        char why[REASON_MAX];
        snprintf(why, sizeof why, "cannot resolve %.100s: %s", ws->host, uv_strerror(status));
        go_down(ws, why);
        return;
    }
    open_connection(ws, address);
}

static void start_resolve(struct flt_ws *ws)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct resolve *resolve = calloc(1, sizeof *resolve);

    if (!resolve) {
        go_down_soon(ws, "out of memory");
        return;
    }
    resolve->ws = ws;
    resolve->uv.data = resolve;
    const int err = uv_getaddrinfo(flt_loop_uv(ws->context->loop), &resolve->uv, on_resolved,
                                   ws->host, NULL, &hints);
    if (err < 0) {
        free(resolve);
        go_down_soon(ws, uv_strerror(err));
        return;
    }
    ws->resolve = resolve;
}

static void start_attempt(struct flt_ws *ws)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    ws->connecting = true;
    if (inet_pton(AF_INET, ws->host, bytes) == 1 || inet_pton(AF_INET6, ws->host, bytes) == 1)
        open_connection(ws, ws->host);
    else
        start_resolve(ws);
}

static void on_timer(void *arg)
{
    struct flt_ws *ws = arg;

    if (ws->connecting)
        go_down(ws, "no connection in time");
    else
        start_attempt(ws);
}

/* ---- the context ---- */

static void on_log(int level, const char *line)
{
    char quoted[256];

    if (level == LLL_ERR)
        FLT_LOG(ERROR, "libwebsockets", "text=%s", flt_log_quote(line, quoted, sizeof quoted));
    else
        FLT_LOG(WARN, "libwebsockets", "text=%s", flt_log_quote(line, quoted, sizeof quoted));
}

static struct vhost *find_vhost(struct flt_ws_context *context, const char *ca_file)
{
    static const struct lws_protocols protocols[] = { { .name = PROTOCOL, .callback = on_lws },
                                                      { 0 } };
    struct lws_context_creation_info info = { 0 };
    struct vhost *vhost;

    for (vhost = context->vhosts; vhost; vhost = vhost->next)
        if (strcmp(vhost->ca_file, ca_file) == 0)
            return vhost;
    vhost = malloc(sizeof *vhost + strlen(ca_file) + 1);
    if (!vhost)
        return NULL;
    memcpy(vhost->ca_file, ca_file, strlen(ca_file) + 1);
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.vhost_name = PROTOCOL; /* kept by pointer */
    if (ca_file[0]) {
        info.client_ssl_ca_filepath = vhost->ca_file;
        info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
    }
    vhost->lws = lws_create_vhost(context->lws, &info);
    if (!vhost->lws) {
        free(vhost);
        return NULL;
    }
    vhost->next = context->vhosts;
    context->vhosts = vhost;
    return vhost;
}

static void free_context(struct flt_ws_context *context)
{
    struct vhost *vhost;
    struct idle *idle;

    while ((vhost = context->vhosts)) {
        context->vhosts = vhost->next;
        free(vhost);
    }
    while ((idle = context->idles)) {
        context->idles = idle->next;
        free(idle);
    }
    free(context);
}

static void on_ended(uv_handle_t *handle)
{
    free_context(handle->data);
}

/* On a foreign loop libwebsockets frees itself when it is asked again after its handles are closed.
 */
static void on_ending(uv_idle_t *idle)
{
    struct flt_ws_context *context = idle->data;

    if (++context->turns < ENDING_TURNS)
        return;
    if (context->lws)
        lws_context_destroy(context->lws);
    uv_close((uv_handle_t *)idle, on_ended);
}

int flt_ws_context_create(struct flt_loop *loop, struct flt_ws_context **out)
{
    struct flt_ws_context *context = calloc(1, sizeof *context);
    struct lws_context_creation_info info = { 0 };

    if (!context)
        return -ENOMEM;
    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    context->loop = loop;
    context->foreign_loops[0] = flt_loop_uv(loop);
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.foreign_loops = context->foreign_loops;
    info.pcontext = &context->lws; /* set to NULL at its very end */
    info.pt_serv_buf_size = PIECE_BYTES;
    info.timeout_secs = CONNECT_TIMEOUT_S;
    info.gid = -1; /* stay who we are */
    info.uid = -1;
    context->lws = lws_create_context(&info);
    if (!context->lws) {
        free_context(context);
        return FLT_FAIL(-EIO,
                        "why=\"libwebsockets has no context; is libwebsockets-evlib-uv there?\"");
    }
    *out = context;
    return 0;
}

/* Needs a few more turns of the loop (flt_loop_destroy makes them) to free everything. */
void flt_ws_context_destroy(struct flt_ws_context *context)
{
    if (!context)
        return;
    lws_context_destroy(context->lws);
    uv_idle_init(flt_loop_uv(context->loop), &context->ending);
    context->ending.data = context;
    uv_idle_start(&context->ending, on_ending);
}

/* ---- the interface ---- */

static int bad_url(const char *url)
{
    return FLT_FAIL(-EINVAL, "url=\"%.*s\" why=\"need ws://host:port/path or wss://\"",
                    (int)strcspn(url, "?"), url);
}

/* "ws://host[:port][/path]", "[v6]" as host. */
static int parse_url(struct flt_ws *ws, const char *url)
{
    ws->is_tls = strncmp(url, "wss://", 6) == 0;
    if (!ws->is_tls && strncmp(url, "ws://", 5) != 0)
        return bad_url(url);
    const char *const at = url + (ws->is_tls ? 6 : 5);
    const bool is_v6 = at[0] == '[';
    const char *const host = is_v6 ? at + 1 : at;
    const size_t size = strcspn(host, is_v6 ? "]/" : ":/?#@");
    const char *rest = host + size;

    if (size == 0 || (is_v6 && *rest++ != ']'))
        return bad_url(url);
    ws->port = ws->is_tls ? 443 : 80;
    if (*rest == ':') {
        char *end;
        const unsigned long port = strtoul(rest + 1, &end, 10);
        if (rest[1] < '0' || rest[1] > '9' || port == 0 || port > UINT16_MAX)
            return bad_url(url);
        ws->port = (uint16_t)port;
        rest = end;
    }
    if (*rest != '\0' && *rest != '/' && *rest != '?')
        return bad_url(url);
    ws->host = strndup(host, size);
    ws->authority = strndup(at, (size_t)(rest - at));
    if (asprintf(&ws->path, "%s%s", *rest == '/' ? "" : "/", rest) < 0)
        ws->path = NULL;
    return ws->host && ws->authority && ws->path ? 0 : -ENOMEM;
}

static int copy_headers(struct flt_ws *ws, const char *const *headers)
{
    for (int i = 0; headers && headers[i]; i++) {
        if (i >= HEADERS_MAX || !strchr(headers[i], ':') || strpbrk(headers[i], "\r\n"))
            return FLT_FAIL(-EINVAL, "header_index=%d why=\"not 'Name: value', or too many\"", i);
        ws->headers[i] = strdup(headers[i]);
        if (!ws->headers[i])
            return -ENOMEM;
    }
    return 0;
}

static uint16_t seconds(uint32_t ms, uint16_t otherwise)
{
    if (ms == 0)
        return otherwise;
    return ms > 3600000 ? 3600 : (uint16_t)((ms + 999) / 1000);
}

static const lws_retry_bo_t *find_idle(struct flt_ws_context *context, uint16_t ping_s,
                                       uint16_t dead_s)
{
    struct idle *idle;

    for (idle = context->idles; idle; idle = idle->next)
        if (idle->policy.secs_since_valid_ping == ping_s &&
            idle->policy.secs_since_valid_hangup == dead_s)
            return &idle->policy;
    idle = calloc(1, sizeof *idle);
    if (!idle)
        return NULL;
    idle->policy.secs_since_valid_ping = ping_s;
    idle->policy.secs_since_valid_hangup = dead_s;
    idle->next = context->idles;
    context->idles = idle;
    return &idle->policy;
}

int flt_ws_connect(struct flt_ws_context *context, const struct flt_ws_config *config,
                   const struct flt_ws_events *events, struct flt_ws **out)
{
    struct flt_ws *ws = calloc(1, sizeof *ws);
    int err = -ENOMEM;

    if (!ws)
        return err;
    ws->context = context;
    ws->events = *events;
    ws->out_end = &ws->out;
    ws->message_bytes_max =
        config->message_bytes_max ? config->message_bytes_max : (size_t)8 * 1024 * 1024;
    ws->backoff_base_ms = config->backoff_base_ms ? config->backoff_base_ms : 250;
    ws->backoff_cap_ms = config->backoff_cap_ms ? config->backoff_cap_ms : 10000;
    ws->idle = find_idle(context, seconds(config->ping_ms, 15), seconds(config->dead_ms, 25));
    if (!ws->idle)
        goto fail;
    if ((err = parse_url(ws, config->url)) < 0 || (err = copy_headers(ws, config->headers)) < 0)
        goto fail;
    struct vhost *vhost = find_vhost(context, config->ca_file ? config->ca_file : "");
    if (!vhost) {
        err = FLT_FAIL(-EINVAL, "ca_file=%s why=\"no TLS context\"",
                       config->ca_file ? config->ca_file : "");
        goto fail;
    }
    ws->vhost = vhost->lws;
    if ((err = flt_timer_create(context->loop, on_timer, ws, &ws->timer)) < 0 ||
        (err = flt_timer_create(context->loop, on_soon, ws, &ws->soon)) < 0)
        goto fail;
    flt_timer_start(ws->timer, 0, 0);
    *out = ws;
    return 0;

fail:
    free_ws(ws);
    return err;
}

int flt_ws_send(struct flt_ws *ws, const char *data, size_t size)
{
    if (!ws->open || !ws->wsi)
        return -ENOTCONN;
    if (ws->out_bytes + size > SEND_BYTES_MAX) {
        ws->dropped++;
        FLT_LOG(WARN, "ws_send_full", "host=%s dropped=%llu", ws->authority,
                (unsigned long long)ws->dropped);
        return -ENOBUFS;
    }
    struct outgoing *outgoing = malloc(sizeof *outgoing + LWS_PRE + size);
    if (!outgoing)
        return -ENOMEM;
    outgoing->next = NULL;
    outgoing->size = size;
    if (size > 0)
        memcpy(outgoing->data + LWS_PRE, data, size);
    *ws->out_end = outgoing;
    ws->out_end = &outgoing->next;
    ws->out_bytes += size;
    lws_callback_on_writable(ws->wsi);
    return 0;
}

bool flt_ws_is_open(const struct flt_ws *ws)
{
    return ws->open;
}

void flt_ws_reconnect(struct flt_ws *ws)
{
    if (ws->open)
        go_down_soon(ws, "we asked for a new connection");
    else if (!ws->connecting)
        flt_timer_start(ws->timer, 0, 0); /* no need to wait for the backoff */
}

void flt_ws_close(struct flt_ws *ws)
{
    if (!ws || ws->closed)
        return;
    ws->closed = true;
    let_go(ws);
    flt_timer_stop(ws->timer);
    flt_timer_stop(ws->soon);
    if (ws->depth == 0)
        free_ws(ws);
}
