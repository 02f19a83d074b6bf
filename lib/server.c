#define FLT_MOD "server"
#include "lib/server.h"
#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/fail.h"
#include "lib/server_impl.h"
#include "lib/tcp.h"

static const char *const methods[] = {
    [LWSHUMETH_GET] = "GET",         [LWSHUMETH_POST] = "POST",   [LWSHUMETH_OPTIONS] = "OPTIONS",
    [LWSHUMETH_PUT] = "PUT",         [LWSHUMETH_PATCH] = "PATCH", [LWSHUMETH_DELETE] = "DELETE",
    [LWSHUMETH_CONNECT] = "CONNECT", [LWSHUMETH_HEAD] = "HEAD",
};

struct known_header {
    const char *name;
    enum lws_token_indexes token; /* WSI_TOKEN_COUNT: libwebsockets does not know it */
};

static const struct known_header known_headers[SERVER_HEADER_COUNT] = {
    { "host", WSI_TOKEN_HOST },
    { "origin", WSI_TOKEN_ORIGIN },
    { "accept-encoding", WSI_TOKEN_HTTP_ACCEPT_ENCODING },
    { "content-type", WSI_TOKEN_HTTP_CONTENT_TYPE },
    { "cookie", WSI_TOKEN_HTTP_COOKIE },
    { "authorization", WSI_TOKEN_HTTP_AUTHORIZATION },
    { "if-none-match", WSI_TOKEN_HTTP_IF_NONE_MATCH },
    { "x-mbx-apikey", WSI_TOKEN_COUNT },
    { "x-mbx-time-unit", WSI_TOKEN_COUNT },
    { "x-forwarded-for", WSI_TOKEN_X_FORWARDED_FOR },
    { "x-flotilla-token", WSI_TOKEN_COUNT },
    { "idempotency-key", WSI_TOKEN_COUNT },
};

/* --- requests ----------------------------------------------------------------------------------
 */

static void request_free(struct flt_request *request)
{
    free(request->path);
    free(request->query);
    free(request->body);
    free(request->out);
    for (size_t i = 0; i < SERVER_HEADER_COUNT; i++)
        free(request->headers[i]);
    free(request);
}

static char *copy_header(struct lws *wsi, const struct known_header *header)
{
    const bool known = header->token != WSI_TOKEN_COUNT;
    char name[40];
    const int name_size = snprintf(name, sizeof name, "%s:", header->name);
    const int size = known ? lws_hdr_total_length(wsi, header->token)
                           : lws_hdr_custom_length(wsi, name, name_size);

    if (size <= 0)
        return NULL;
    char *text = calloc(1, (size_t)size + 1);

    if (!text)
        return NULL;
    if (known ? lws_hdr_copy(wsi, text, size + 1, header->token) < 0
              : lws_hdr_custom_copy(wsi, text, size + 1, name, name_size) < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static char *append_encoded(char *out, const char *text, size_t size)
{
    static const char hex[] = "0123456789ABCDEF";
    bool in_value = false;

    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                           (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.' || c == '~';

        if (plain || (c == '=' && !in_value)) {
            *out++ = (char)c;
        } else {
            *out++ = '%';
            *out++ = hex[c >> 4];
            *out++ = hex[c & 15];
        }
        in_value = in_value || c == '=';
    }
    return out;
}

/* The arguments, one by one as libwebsockets cut them, joined and encoded again. */
static char *copy_query(struct lws *wsi)
{
    size_t total = 1;
    int count = 0, size;

    while ((size = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, count)) > 0) {
        total += 3 * (size_t)size + 1;
        count++;
    }
    char *query = malloc(total), *end = query, *part = malloc(total + 1);

    if (!query || !part) {
        free(query);
        free(part);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        size = lws_hdr_copy_fragment(wsi, part, (int)total, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (size < 0)
            continue;
        if (i > 0)
            *end++ = '&';
        end = append_encoded(end, part, (size_t)size);
    }
    *end = '\0';
    free(part);
    return query;
}

static struct flt_request *request_new(struct flt_listener *listener, struct lws *wsi)
{
    struct flt_request *request = calloc(1, sizeof *request);
    char *uri = NULL;
    int uri_size = 0;
    const int method = lws_http_get_uri_and_method(wsi, &uri, &uri_size);

    if (!request)
        return NULL;
    request->listener = listener;
    request->wsi = wsi;
    if (method >= 0 && (size_t)method < FLT_COUNT(methods) && methods[method])
        request->method = methods[method];
    else
        request->method = "GET"; /* an upgrade */
    request->path = uri_size > 0 ? strndup(uri, (size_t)uri_size) : strdup("/");
    request->query = copy_query(wsi);
    for (size_t i = 0; i < SERVER_HEADER_COUNT; i++)
        request->headers[i] = copy_header(wsi, &known_headers[i]);
    lws_get_peer_simple(wsi, request->peer, sizeof request->peer);
    if (!request->path || !request->query) {
        request_free(request);
        return NULL;
    }
    return request;
}

const char *flt_request_method(const struct flt_request *request)
{
    return request->method;
}

const char *flt_request_path(const struct flt_request *request)
{
    return request->path;
}

const char *flt_request_query(const struct flt_request *request)
{
    return request->query;
}

const char *flt_request_body(const struct flt_request *request, size_t *size)
{
    if (size)
        *size = request->body_size;
    return request->body ? request->body : "";
}

const char *flt_request_peer(const struct flt_request *request)
{
    return request->peer;
}

const char *flt_request_header(const struct flt_request *request, const char *name)
{
    for (size_t i = 0; i < SERVER_HEADER_COUNT; i++)
        if (strcmp(known_headers[i].name, name) == 0)
            return request->headers[i];
    return NULL;
}

/* --- what waits to be written ------------------------------------------------------------------
 */

static void schedule(struct flt_server *server, struct lws *wsi, struct server_dirty *dirty)
{
    if (!server->holding) {
        lws_callback_on_writable(wsi);
        return;
    }
    if (dirty->queued)
        return;
    dirty->queued = true;
    dirty->wsi = wsi;
    dirty->next = server->dirty;
    dirty->prev = NULL;
    if (server->dirty)
        server->dirty->prev = dirty;
    server->dirty = dirty;
}

static void forget_dirty(struct flt_server *server, struct server_dirty *dirty)
{
    if (!dirty->queued)
        return;
    if (dirty->prev)
        dirty->prev->next = dirty->next;
    else
        server->dirty = dirty->next;
    if (dirty->next)
        dirty->next->prev = dirty->prev;
    dirty->queued = false;
}

void flt_server_hold(struct flt_server *server)
{
    server->holding = true;
}

void flt_server_release(struct flt_server *server)
{
    struct server_dirty *dirty;

    server->released = ++server->batch - 1;
    while ((dirty = server->dirty)) {
        forget_dirty(server, dirty);
        lws_callback_on_writable(dirty->wsi);
    }
}

static bool may_go(const struct flt_server *server, uint64_t batch)
{
    return !server->holding || batch <= server->released;
}

/* --- replies -----------------------------------------------------------------------------------
 */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 200, "OK" },
        { 204, "No Content" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 413, "Payload Too Large" },
        { 415, "Unsupported Media Type" },
        { 418, "I'm a teapot" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 500, "Internal Server Error" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
    };

    for (size_t i = 0; i < FLT_COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

void flt_request_reply(struct flt_request *request, const struct flt_reply *reply)
{
    struct flt_listener *listener = request->listener;

    if (!request->wsi) { /* the client is gone */
        request_free(request);
        return;
    }
    const char *type = reply->content_type ? reply->content_type : "application/json";
    const char *more = reply->headers ? reply->headers : "";
    const size_t size =
        LWS_PRE + 256 + strlen(type) + strlen(more) + strlen(listener->headers) + reply->size;
    const char *common = reply->bare ? "" : listener->headers;

    request->out = malloc(size);
    if (!request->out) {
        flt_request_drop(request);
        return;
    }
    const bool headless = strcmp(request->method, "HEAD") == 0 || reply->status == 304;
    char *start = request->out + LWS_PRE;
    int head = snprintf(start, size - LWS_PRE,
                        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s%s\r\n",
                        reply->status, reason_of(reply->status), type, reply->size,
                        request->closing ? "Connection: close\r\n" : "", common, more);

    if (!headless && reply->size)
        memcpy(start + head, reply->body, reply->size);
    request->out_size = (size_t)head + (headless ? 0 : reply->size);
    request->replied = true;
    request->batch = listener->server->batch;
    schedule(listener->server, request->wsi, &request->dirty);
}

void flt_request_reply_text(struct flt_request *request, int status, const char *body)
{
    const struct flt_reply reply = { .status = status, .body = body, .size = strlen(body) };

    flt_request_reply(request, &reply);
}

void flt_request_drop(struct flt_request *request)
{
    if (!request->wsi) {
        request_free(request);
        return;
    }
    request->replied = true;
    request->closing = true;
    request->out_size = 0;
    request->batch = 0;
    lws_callback_on_writable(request->wsi);
}

/* libwebsockets 4.1.6 takes the headers of a request with a body for that body, and then spins,
 * when the request was pipelined (it sits in its buffer already). So tell those by the connection's
 * count of received bytes, which did not grow since the answer before, and hang up. */
static uint64_t received_bytes(struct lws *wsi)
{
    return flt_tcp_received(lws_get_socket_fd(wsi));
}

static uint64_t *seen_bytes(struct flt_server *server, struct lws *wsi)
{
    const int fd = lws_get_socket_fd(wsi);

    return fd >= 0 && fd < SERVER_FD_MAX ? &server->seen_bytes[fd] : &server->seen_bytes[0];
}

static bool is_pipelined(struct flt_server *server, struct lws *wsi)
{
    const uint64_t seen = *seen_bytes(server, wsi);

    return seen && seen == received_bytes(wsi);
}

/* Writes the reply in one go and makes the connection ready for the next request. */
static int write_reply(struct lws *wsi, struct flt_request *request)
{
    if (!request->replied || !may_go(request->listener->server, request->batch))
        return 0;
    const bool closing = request->closing;
    int written = 0;

    /* Before the reply leaves: its reader may have sent the next request while we write. */
    *seen_bytes(request->listener->server, wsi) = received_bytes(wsi);
    if (request->out_size)
        written = lws_write(wsi, (unsigned char *)request->out + LWS_PRE, request->out_size,
                            LWS_WRITE_HTTP_FINAL);
    forget_dirty(request->listener->server, &request->dirty);
    lws_set_opaque_user_data(wsi, NULL);
    request_free(request);
    if (written < 0 || closing)
        return -1;
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int hand_over(struct lws *wsi, struct flt_request *request)
{
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* the answer may take its time */
    request->handed_over = true;
    request->listener->events.on_request(request->listener->events.ctx, request);
    return 0;
}

static int on_http(struct flt_listener *listener, struct lws *wsi)
{
    struct flt_request *request = request_new(listener, wsi);
    char length[24] = "";

    if (!request)
        return -1;
    lws_set_opaque_user_data(wsi, request);
    const bool told = lws_hdr_copy(wsi, length, sizeof length, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
    const long long size = told ? atoll(length) : 0;
    const bool posts = strcmp(request->method, "POST") == 0 ||
                       strcmp(request->method, "PUT") == 0 || strcmp(request->method, "PATCH") == 0;

    /* Without a length libwebsockets would wait for a body for ever; with one that it does not read
     * (DELETE) the rest of the stream is not to be trusted. */
    request->closing = (posts && !told) || (!posts && size > 0);
    if (size < 0 || (uint64_t)size > listener->body_bytes_max) {
        request->closing = true;
        request->handed_over = true;
        flt_request_reply_text(request, 413, listener->too_large);
        return 0;
    }
    if (!posts || size == 0)
        return hand_over(wsi, request);
    if (is_pipelined(listener->server, wsi))
        return -1;
    request->body = malloc((size_t)size + 1);
    request->body_capacity = (size_t)size;
    return request->body ? 0 : -1;
}

static int on_body(struct flt_request *request, const void *data, size_t size)
{
    if (!request || request->handed_over)
        return 0;
    if (size > request->body_capacity - request->body_size)
        return -1;
    memcpy(request->body + request->body_size, data, size);
    request->body_size += size;
    request->body[request->body_size] = '\0';
    return 0;
}

static void on_http_gone(struct flt_request *request)
{
    forget_dirty(request->listener->server, &request->dirty);
    request->wsi = NULL;
    if (!request->handed_over || request->replied)
        request_free(request); /* else its owner still holds it */
}

/* --- peers -------------------------------------------------------------------------------------
 */

static void peer_free(struct flt_peer *peer)
{
    struct server_message *message;

    while ((message = peer->first)) {
        peer->first = message->next;
        free(message);
    }
    free(peer->in);
    free(peer);
}

void flt_peer_set_user(struct flt_peer *peer, void *user)
{
    peer->user = user;
}

void *flt_peer_user(const struct flt_peer *peer)
{
    return peer->user;
}

size_t flt_peer_queued(const struct flt_peer *peer)
{
    return peer->queued_bytes;
}

static int enqueue(struct flt_peer *peer, const void *data, size_t size, int protocol)
{
    struct flt_server *server = peer->listener->server;

    if (peer->closing || !peer->wsi)
        return -ENOTCONN;
    if (peer->queued_bytes + size > peer->listener->queue_bytes_max) {
        FLT_LOG(WARN, "slow_peer", "queued_bytes=%zu", peer->queued_bytes);
        peer->closing = true;
        peer->cut = true;
        lws_callback_on_writable(peer->wsi);
        return -ENOBUFS;
    }
    struct server_message *message = malloc(sizeof *message + LWS_PRE + size);

    if (!message)
        return -ENOMEM;
    *message =
        (struct server_message){ .size = size, .protocol = protocol, .batch = server->batch };
    memcpy(message->data + LWS_PRE, data, size);
    if (peer->last)
        peer->last->next = message;
    else
        peer->first = message;
    peer->last = message;
    peer->queued_bytes += size;
    schedule(server, peer->wsi, &peer->dirty);
    return 0;
}

int flt_peer_send(struct flt_peer *peer, const char *data, size_t size)
{
    return enqueue(peer, data, size, LWS_WRITE_TEXT);
}

int flt_peer_send_binary(struct flt_peer *peer, const void *data, size_t size)
{
    return enqueue(peer, data, size, LWS_WRITE_BINARY);
}

int flt_peer_ping(struct flt_peer *peer, const char *data, size_t size)
{
    return size > 125 ? -EINVAL : enqueue(peer, data, size, LWS_WRITE_PING);
}

void flt_peer_close(struct flt_peer *peer, uint16_t code, const char *reason)
{
    if (peer->closing || !peer->wsi)
        return;
    peer->closing = true;
    peer->close_code = code;
    snprintf(peer->close_reason, sizeof peer->close_reason, "%s", reason ? reason : "");
    schedule(peer->listener->server, peer->wsi, &peer->dirty);
}

void flt_peer_read(struct flt_peer *peer, bool on)
{
    if (peer->wsi)
        (void)lws_rx_flow_control(peer->wsi, on ? 1 : 0);
}

/* libwebsockets hangs up without a close frame when the callback returns -1, so write our own. */
static int end_peer(struct flt_peer *peer)
{
    unsigned char frame[LWS_PRE + 4 + sizeof peer->close_reason] = { 0 };
    const size_t size = strlen(peer->close_reason);

    if (!peer->cut) {
        unsigned char *at = frame + LWS_PRE;

        *at++ = 0x88;
        *at++ = (unsigned char)(2 + size);
        *at++ = (unsigned char)(peer->close_code >> 8);
        *at++ = (unsigned char)(peer->close_code & 255);
        memcpy(at, peer->close_reason, size);
        (void)lws_write(peer->wsi, frame + LWS_PRE, size + 4, LWS_WRITE_HTTP); /* as it is */
    }
    return -1;
}

/* libwebsockets keeps what the kernel does not take, but wants no more until it is writable again.
 */
static int write_messages(struct flt_peer *peer)
{
    struct flt_server *server = peer->listener->server;
    struct server_message *message;
    const bool wrote = peer->first != NULL;

    if (peer->cut || (peer->closing && !peer->first))
        return end_peer(peer);
    while ((message = peer->first) && may_go(server, message->batch)) {
        const int written = lws_write(peer->wsi, message->data + LWS_PRE, message->size,
                                      (enum lws_write_protocol)message->protocol);

        peer->first = message->next;
        if (!peer->first)
            peer->last = NULL;
        peer->queued_bytes -= message->size;
        free(message);
        if (written < 0)
            return -1;
        if (lws_send_pipe_choked(peer->wsi))
            break;
    }
    if (peer->first ? may_go(server, peer->first->batch) : peer->closing)
        lws_callback_on_writable(peer->wsi);
    if (wrote && !peer->first && !peer->closing && peer->listener->events.on_drained)
        peer->listener->events.on_drained(peer->listener->events.ctx, peer);
    return 0;
}

/* True and a peer as the connection's data when the handler lets it in. */
static bool accept_peer(struct flt_listener *listener, struct lws *wsi)
{
    struct flt_peer *peer = calloc(1, sizeof *peer);
    struct flt_request *request = request_new(listener, wsi);
    bool accepted = false;

    if (peer && request && listener->events.on_accept) {
        peer->listener = listener;
        peer->wsi = wsi;
        accepted = listener->events.on_accept(listener->events.ctx, request, peer);
    }
    if (request)
        request_free(request);
    if (!accepted) {
        if (peer)
            peer_free(peer);
        return false;
    }
    peer->is_peer = true;
    lws_set_opaque_user_data(wsi, peer);
    return true;
}

static int on_received(struct flt_peer *peer, const char *data, size_t size)
{
    struct flt_listener *listener = peer->listener;
    const bool whole = lws_is_final_fragment(peer->wsi) && !lws_remaining_packet_payload(peer->wsi);

    if (size > listener->message_bytes_max - peer->in_size) {
        lws_close_reason(peer->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    if (whole && peer->in_size == 0) {
        listener->events.on_message(listener->events.ctx, peer, data, size,
                                    !lws_frame_is_binary(peer->wsi));
        return 0;
    }
    if (peer->in_size + size + 1 > peer->in_capacity) {
        const size_t capacity = (peer->in_size + size + 1) * 2;
        char *grown = realloc(peer->in, capacity);

        if (!grown)
            return -1;
        peer->in = grown;
        peer->in_capacity = capacity;
    }
    memcpy(peer->in + peer->in_size, data, size);
    peer->in_size += size;
    if (whole) {
        const size_t total = peer->in_size;

        peer->in_size = 0;
        listener->events.on_message(listener->events.ctx, peer, peer->in, total,
                                    !lws_frame_is_binary(peer->wsi));
    }
    return 0;
}

static void on_peer_gone(struct flt_peer *peer)
{
    forget_dirty(peer->listener->server, &peer->dirty);
    peer->wsi = NULL;
    if (peer->listener->events.on_gone)
        peer->listener->events.on_gone(peer->listener->events.ctx, peer);
    peer_free(peer);
}

/* --- libwebsockets' one callback ---------------------------------------------------------------
 */

static void on_destroyed(struct flt_listener *listener, struct lws *wsi)
{
    void *data = lws_get_opaque_user_data(wsi);

    if (listener)
        *seen_bytes(listener->server, wsi) = 0;
    if (!data)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    /* Both kinds begin with the same field. */
    if (((const struct server_kind *)data)->is_peer)
        on_peer_gone(data);
    else
        on_http_gone(data);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct lws_vhost *vhost = wsi ? lws_get_vhost(wsi) : NULL;
    struct flt_listener *listener = vhost ? lws_get_vhost_user(vhost) : NULL;
    void *data = wsi ? lws_get_opaque_user_data(wsi) : NULL;

    (void)user;
    /* Not a switch: libwebsockets has a hundred reasons, we have ten. */
    if (reason == LWS_CALLBACK_HTTP)
        return on_http(listener, wsi);
    if (reason == LWS_CALLBACK_HTTP_BODY)
        return on_body(data, in, size);
    if (reason == LWS_CALLBACK_HTTP_BODY_COMPLETION)
        return data && !((struct flt_request *)data)->handed_over ? hand_over(wsi, data) : 0;
    if (reason == LWS_CALLBACK_HTTP_WRITEABLE)
        return data ? write_reply(wsi, data) : 0;
    if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
        return accept_peer(listener, wsi) ? 0 : -1;
    if (reason == LWS_CALLBACK_ESTABLISHED && data && ((struct flt_peer *)data)->first)
        lws_callback_on_writable(wsi);
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE)
        return data ? write_messages(data) : 0;
    if (reason == LWS_CALLBACK_RECEIVE)
        return data ? on_received(data, in, size) : 0;
    if (reason == LWS_CALLBACK_RECEIVE_PONG && data && listener->events.on_pong)
        listener->events.on_pong(listener->events.ctx, data, in, size);
    if (reason == LWS_CALLBACK_CLOSED || reason == LWS_CALLBACK_CLOSED_HTTP ||
        reason == LWS_CALLBACK_WSI_DESTROY)
        on_destroyed(listener, wsi);
    return 0;
}

/* --- server and listeners ----------------------------------------------------------------------
 */

static void emit_log(int level, const char *line)
{
    char text[300], quoted[320];

    snprintf(text, sizeof text, "%s", line);
    text[strcspn(text, "\n")] = '\0';
    if (level == LLL_ERR)
        FLT_LOG(ERROR, "libwebsockets", "text=%s", flt_log_quote(text, quoted, sizeof quoted));
    else
        FLT_LOG(DEBUG, "libwebsockets", "text=%s", flt_log_quote(text, quoted, sizeof quoted));
}

int flt_server_create(struct flt_loop *loop, struct flt_server **out)
{
    struct flt_server *server = calloc(1, sizeof *server);

    if (!server)
        return -ENOMEM;
    server->uv = flt_loop_uv(loop);
    server->foreign[0] = server->uv;
    lws_set_log_level(LLL_ERR | LLL_WARN, emit_log);
    const struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .foreign_loops = server->foreign,
        .max_http_header_data2 = 16384,
        .max_http_header_pool2 = 512,
        .timeout_secs = 15, /* for the headers, and for each piece of a body */
        .keepalive_timeout = 600,
        .pt_serv_buf_size = 65536,
        .user = server,
    };

    server->context = lws_create_context(&info);
    if (!server->context) {
        free(server);
        return FLT_FAIL(-EIO, "why=\"libwebsockets does not start\"");
    }
    server->batch = 1;
    *out = server;
    return 0;
}

void flt_server_destroy(struct flt_server *server)
{
    if (!server)
        return;
    /* On a foreign loop the first call only begins to close: the handles end in loop turns. */
    lws_context_destroy(server->context);
    for (int i = 0; i < 64; i++)
        (void)uv_run(server->uv, UV_RUN_NOWAIT);
    lws_context_destroy(server->context);
    struct flt_listener *listener;

    while ((listener = server->listeners)) {
        server->listeners = listener->next;
        free(listener->headers);
        free(listener->too_large);
        free(listener->subprotocol);
        free(listener);
    }
    free(server);
}

/* The lines of `headers`, each ended by CR LF. */
static char *join_headers(const char *const *headers)
{
    size_t size = 1;

    for (size_t i = 0; headers && headers[i]; i++)
        size += strlen(headers[i]) + 2;
    char *text = calloc(1, size), *end = text;

    for (size_t i = 0; text && headers && headers[i]; i++)
        end += snprintf(end, size - (size_t)(end - text), "%s\r\n", headers[i]);
    return text;
}

static struct flt_listener *listener_new(struct flt_server *server,
                                         const struct flt_listener_config *config,
                                         const struct flt_listener_events *events)
{
    struct flt_listener *listener = calloc(1, sizeof *listener);

    if (!listener)
        return NULL;
    listener->server = server;
    listener->events = *events;
    listener->headers = join_headers(config->headers);
    listener->subprotocol = config->subprotocol ? strdup(config->subprotocol) : NULL;
    listener->body_bytes_max = config->body_bytes_max ? config->body_bytes_max : 1024 * 1024;
    listener->too_large = strdup(
        config->too_large ? config->too_large : "{\"code\":-1100,\"msg\":\"Body too large.\"}");
    listener->message_bytes_max =
        config->message_bytes_max ? config->message_bytes_max : 1024 * 1024;
    listener->queue_bytes_max = config->queue_bytes_max ? config->queue_bytes_max : 8 * 1024 * 1024;
    listener->retry.secs_since_valid_ping = (uint16_t)config->ping_s;
    listener->retry.secs_since_valid_hangup = (uint16_t)(config->ping_s * 2);
    listener->protocols[0] =
        (struct lws_protocols){ .name = "http", .callback = on_event, .rx_buffer_size = 32768 };
    if (listener->subprotocol)
        listener->protocols[1] = (struct lws_protocols){ .name = listener->subprotocol,
                                                         .callback = on_event,
                                                         .rx_buffer_size = 32768 };
    listener->next = server->listeners;
    server->listeners = listener;
    return listener->headers && listener->too_large ? listener : NULL;
}

int flt_server_listen(struct flt_server *server, const struct flt_listener_config *config,
                      const struct flt_listener_events *events, struct flt_listener **out)
{
    struct flt_listener *listener = listener_new(server, config, events);

    if (!listener)
        return -ENOMEM;
    const struct lws_context_creation_info info = {
        .port = config->port,
        .iface = config->host,
        .protocols = listener->protocols,
        /* With IPv6 on, libwebsockets 4.1 takes an IPv4 address for "any": the port was open to
           all. */
        .options =
            LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
            (config->host && !strchr(config->host, ':') ? LWS_SERVER_OPTION_DISABLE_IPV6 : 0u) |
            (config->tls_cert ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0u),
        .ssl_cert_filepath = config->tls_cert,
        .ssl_private_key_filepath = config->tls_key,
        .alpn = "http/1.1",
        .vhost_name = "default",
        .keepalive_timeout = 600,
        .timeout_secs = 15, /* for the headers, and for each piece of a body */
        .retry_and_idle_policy = config->ping_s ? &listener->retry : NULL,
        .user = listener,
    };

    listener->vhost = lws_create_vhost(server->context, &info);
    if (!listener->vhost)
        return FLT_FAIL(-EADDRINUSE, "port=%d host=%s why=\"cannot listen there\"", config->port,
                        config->host ? config->host : "*");
    *out = listener;
    return 0;
}

int flt_listener_port(const struct flt_listener *listener)
{
    return lws_get_vhost_listen_port(listener->vhost);
}
