/* What shapes this file (libcurl 7.88):
 *  - When a kept-alive connection dies before an answer, libcurl sends the request again by itself,
 *    a POST too: an order could be placed twice. The prerequest callback sees each attempt to send
 *    and refuses the second one for everything but GET and HEAD; the outcome is UNCLEAR then.
 *  - HTTP/1.1 only: one request a connection keeps "was it sent" decidable and an answer from
 *    waiting behind another one's body.
 *  - Whether bytes left is CURLINFO_REQUEST_SIZE, which counts what the socket took.
 *  - After curl_multi_add_handle we drive the transfer at once, so that on a kept-alive connection
 *    the request is on the wire when flt_http_send returns; what ended there is told next turn.
 */
#include "lib/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FLT_MOD "http"
#include "lib/fail.h"

#define POOL_MAX 8                 /* idle easy handles kept; libcurl holds some 70 KB for each */
#define KEEP_BYTES_MAX (16 * 1024) /* a pooled call gives back a larger body buffer */
#define HEAD_BYTES_MAX (64 * 1024)
#define CACHED_CONNECTIONS_MAX 64

struct buffer {
    char *data; /* NUL-terminated when not NULL */
    size_t size, capacity;
};

struct flt_http_call {
    struct flt_http_response response; /* first: flt_http_header() gets the call from it */
    struct flt_http *http;
    struct flt_http_call *next, **link; /* in http->active, or in http->idle by `next` alone */
    CURL *easy;
    struct curl_slist *headers;
    flt_http_fn *fn;
    void *ctx;
    struct buffer body_out, body_in;
    struct buffer head; /* "name\0value\0" after another */
    size_t body_bytes_max;
    int64_t not_after_boot_ns;
    int sends;          /* times that libcurl was about to send the request */
    bool is_repeatable; /* GET and HEAD */
    bool too_large;
    char error[CURL_ERROR_SIZE];
};

struct flt_http {
    struct flt_loop *loop;
    CURLM *multi;
    struct flt_timer *timer; /* libcurl's */
    struct flt_timer *done;  /* a transfer ended inside flt_http_send */
    char *ca_file, *proxy;
    struct flt_http_call *active, *idle;
    unsigned idle_count;
    int active_count;
    int depth; /* inside a callback of ours */
    bool dead;
};

struct watch { /* a socket of libcurl's on our loop */
    uv_poll_t poll;
    struct flt_http *http;
    curl_socket_t fd;
};

/* ---- buffers ---- */

static int append(struct buffer *buffer, const void *data, size_t size)
{
    if (buffer->size + size + 1 > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity * 2 : 1024;
        while (capacity < buffer->size + size + 1)
            capacity *= 2;
        char *grown = realloc(buffer->data, capacity);
        if (!grown)
            return -ENOMEM;
        buffer->data = grown;
        buffer->capacity = capacity;
    }
    if (size > 0)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
    return 0;
}

static void reset(struct buffer *buffer)
{
    buffer->size = 0;
    if (buffer->capacity > KEEP_BYTES_MAX) {
        free(buffer->data);
        *buffer = (struct buffer){ 0 };
    }
}

/* ---- libcurl's callbacks: they store, nothing else ---- */

static size_t on_body(char *data, size_t one, size_t size, void *arg)
{
    struct flt_http_call *call = arg;

    (void)one; /* always 1 */
    if (call->body_in.size + size > call->body_bytes_max) {
        call->too_large = true;
        return 0;
    }
    return append(&call->body_in, data, size) < 0 ? 0 : size;
}

static size_t on_head(char *line, size_t one, size_t size, void *arg)
{
    struct flt_http_call *call = arg;
    const char *const colon = memchr(line, ':', size);
    const char *end = line + size;

    (void)one;
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0)
        call->head.size = 0; /* a new answer: after a 100 Continue, or a repeated GET */
    if (!colon || call->head.size + size > HEAD_BYTES_MAX)
        return size;
    const char *value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && strchr("\r\n \t", end[-1]))
        end--;
    if (append(&call->head, line, (size_t)(colon - line)) < 0 || append(&call->head, "", 1) < 0 ||
        append(&call->head, value, (size_t)(end - value)) < 0 || append(&call->head, "", 1) < 0)
        return 0;
    return size;
}

static int on_before_send(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
    struct flt_http_call *call = arg;

    (void)peer_ip;
    (void)own_ip;
    (void)peer_port;
    (void)own_port;
    if (call->sends++ > 0 && !call->is_repeatable)
        return CURL_PREREQFUNC_ABORT;
    if (call->not_after_boot_ns &&
        flt_boot_ns(flt_loop_clock(call->http->loop)) >= call->not_after_boot_ns)
        return CURL_PREREQFUNC_ABORT; /* connecting, or the process itself, took too long */
    call->body_in.size = 0;
    call->response.sent_ns = flt_mono_ns(flt_loop_clock(call->http->loop));
    return CURL_PREREQFUNC_OK;
}

/* ---- the end of a call ---- */

static void unlink_call(struct flt_http_call *call)
{
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    call->http->active_count--;
}

static void free_call(struct flt_http_call *call)
{
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    free(call->body_out.data);
    free(call->body_in.data);
    free(call->head.data);
    free(call);
}

static void recycle(struct flt_http_call *call)
{
    struct flt_http *http = call->http;

    curl_slist_free_all(call->headers);
    call->headers = NULL;
    reset(&call->body_out);
    reset(&call->body_in);
    reset(&call->head);
    if (http->dead || http->idle_count >= POOL_MAX) {
        free_call(call);
        return;
    }
    call->next = http->idle;
    http->idle = call;
    http->idle_count++;
}

static enum flt_http_outcome outcome_of(const struct flt_http_call *call, CURLcode code)
{
    long request_bytes = 0;

    if (code == CURLE_OK)
        return FLT_HTTP_DONE;
    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    return request_bytes == 0 && call->sends <= 1 ? FLT_HTTP_NOT_SENT : FLT_HTTP_UNCLEAR;
}

static const char *reason_of(const struct flt_http_call *call, CURLcode code)
{
    if (code == CURLE_OK)
        return "";
    if (call->too_large)
        return "the response is larger than allowed";
    if (call->sends > 1 && !call->is_repeatable)
        return "the connection was lost before an answer";
    return call->error[0] ? call->error : curl_easy_strerror(code);
}

/* Takes the call out, tells its owner, keeps the handle for the next one. */
static void end_call(struct flt_http_call *call, enum flt_http_outcome outcome, const char *reason)
{
    struct flt_http_response *response = &call->response;
    long status = 0;

    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(call->http->multi, call->easy);
    unlink_call(call);
    response->outcome = outcome;
    response->status = (int)status;
    response->body = call->body_in.data ? call->body_in.data : "";
    response->body_size = call->body_in.size;
    if (call->body_in.size == 0)
        response->body = "";
    response->reason = reason;
    response->received_ns = flt_mono_ns(flt_loop_clock(call->http->loop));
    if (call->fn)
        call->fn(call->ctx, response);
    recycle(call);
}

static void free_http(struct flt_http *http)
{
    struct flt_http_call *call;

    while ((call = http->idle)) {
        http->idle = call->next;
        free_call(call);
    }
    curl_multi_cleanup(http->multi);
    flt_timer_destroy(http->timer);
    flt_timer_destroy(http->done);
    free(http->ca_file);
    free(http->proxy);
    free(http);
}

static void tell_done(struct flt_http *http)
{
    CURLMsg *message;
    int left;

    http->depth++;
    while (!http->dead && (message = curl_multi_info_read(http->multi, &left))) {
        struct flt_http_call *call = NULL;
        const CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        end_call(call, outcome_of(call, code), reason_of(call, code));
    }
    http->depth--;
    if (http->dead && http->depth == 0)
        free_http(http);
}

static void on_done(void *ctx)
{
    tell_done(ctx);
}

/* ---- libcurl on the loop ---- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct watch *watch = poll->data;
    struct flt_http *http = watch->http;
    const int flags = ((events & UV_READABLE) ? CURL_CSELECT_IN : 0) |
                      ((events & UV_WRITABLE) ? CURL_CSELECT_OUT : 0) |
                      (status < 0 ? CURL_CSELECT_ERR : 0);
    int running;

    curl_multi_socket_action(http->multi, watch->fd, flags, &running);
    tell_done(http);
}

static void on_timer(void *ctx)
{
    struct flt_http *http = ctx;
    int running;

    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    tell_done(http);
}

static int on_multi_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct flt_http *http = arg;

    (void)multi;
    if (timeout_ms < 0)
        flt_timer_stop(http->timer);
    else
        flt_timer_start(http->timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watch *create_watch(struct flt_http *http, curl_socket_t fd)
{
    struct watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return NULL;
    watch->http = http;
    watch->fd = fd;
    if (uv_poll_init_socket(flt_loop_uv(http->loop), &watch->poll, fd) < 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    curl_multi_assign(http->multi, fd, watch);
    return watch;
}

static int on_multi_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct flt_http *http = arg;
    struct watch *watch = socket_arg;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, free_watch);
            curl_multi_assign(http->multi, fd, NULL);
        }
        return 0;
    }
    if (!watch && !(watch = create_watch(http, fd)))
        return -1;
    uv_poll_start(&watch->poll,
                  ((what & CURL_POLL_IN) ? UV_READABLE : 0) |
                      ((what & CURL_POLL_OUT) ? UV_WRITABLE : 0),
                  on_poll);
    return 0;
}

/* ---- a request ---- */

/* What is the same for every request of this client. */
static void set_fixed_options(struct flt_http_call *call)
{
    const struct flt_http *http = call->http;
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""); /* all that libcurl can decode */
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "flotilla/" FLT_VERSION);
    curl_easy_setopt(easy, CURLOPT_PROXY,
                     http->proxy ? http->proxy : ""); /* "": not from the env */
    if (http->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
}

static struct flt_http_call *take_call(struct flt_http *http)
{
    struct flt_http_call *call = http->idle;

    if (call) {
        http->idle = call->next;
        http->idle_count--;
        return call;
    }
    call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->http = http;
    call->easy = curl_easy_init();
    if (!call->easy) {
        free(call);
        return NULL;
    }
    set_fixed_options(call);
    return call;
}

static int set_headers(struct flt_http_call *call, const char *const *headers)
{
    struct curl_slist *list =
        curl_slist_append(NULL, "Expect:"); /* no 100 Continue: a round trip */

    for (size_t i = 0; list && headers && headers[i]; i++) {
        struct curl_slist *longer = curl_slist_append(list, headers[i]);
        if (!longer)
            curl_slist_free_all(list);
        list = longer;
    }
    call->headers = list;
    if (!list)
        return -ENOMEM;
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, list);
    return 0;
}

static int set_method_and_body(struct flt_http_call *call, const struct flt_http_request *request)
{
    const char *const method = request->method ? request->method : "GET";
    const bool is_head = strcmp(method, "HEAD") == 0;
    const bool is_get = strcmp(method, "GET") == 0;
    CURL *easy = call->easy;

    call->is_repeatable = is_get || is_head;
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    if (request->body_size > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
        if (append(&call->body_out, request->body, request->body_size) < 0)
            return -ENOMEM;
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body_out.data);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    if (is_head)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, is_get || is_head ? NULL : method);
    return 0;
}

static int set_request(struct flt_http_call *call, const struct flt_http_request *request)
{
    CURL *easy = call->easy;
    const long timeout_ms = request->timeout_ms ? (long)request->timeout_ms : 10000;
    const long connect_ms = request->connect_timeout_ms ? (long)request->connect_timeout_ms : 3000;

    call->response = (struct flt_http_response){
        .sent_ns = flt_mono_ns(flt_loop_clock(call->http->loop)),
    };
    call->body_bytes_max =
        request->response_bytes_max ? request->response_bytes_max : (size_t)16 * 1024 * 1024;
    call->not_after_boot_ns = request->not_after_boot_ns;
    call->sends = 0;
    call->too_large = false;
    call->error[0] = '\0';
    if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK ||
        set_headers(call, request->headers) < 0 || set_method_and_body(call, request) < 0)
        return -ENOMEM;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    return 0;
}

int flt_http_send(struct flt_http *http, const struct flt_http_request *request, flt_http_fn *fn,
                  void *ctx, struct flt_http_call **out)
{
    int running = 0;

    if (http->dead)
        return -ESHUTDOWN;
    struct flt_http_call *call = take_call(http);
    if (!call)
        return -ENOMEM;
    call->fn = fn;
    call->ctx = ctx;
    const int err = set_request(call, request);
    if (err < 0 || curl_multi_add_handle(http->multi, call->easy) != CURLM_OK) {
        recycle(call);
        return FLT_FAIL(err < 0 ? err : -EIO, "url=\"%.*s\"", (int)strcspn(request->url, "?"),
                        request->url);
    }
    call->next = http->active;
    call->link = &http->active;
    if (call->next)
        call->next->link = &call->next;
    http->active = call;
    http->active_count++;
    if (out)
        *out = call;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    if (running < http->active_count)
        flt_timer_start(http->done, 0, 0);
    return 0;
}

void flt_http_cancel(struct flt_http_call *call)
{
    if (call)
        end_call(call, FLT_HTTP_CANCELLED, "cancelled");
}

const char *flt_http_header(const struct flt_http_response *response, const char *name)
{
    const struct flt_http_call *call = (const struct flt_http_call *)response;
    const char *at = call->head.data;
    const char *const end = at ? at + call->head.size : NULL;

    while (at && at < end) {
        const char *const value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

/* ---- the client ---- */

static void init_library(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void set_multi_options(struct flt_http *http, unsigned connections_per_host)
{
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_multi_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_multi_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      connections_per_host ? (long)connections_per_host : 8L);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CACHED_CONNECTIONS_MAX);
}

int flt_http_create(struct flt_loop *loop, const struct flt_http_config *config,
                    struct flt_http **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct flt_http *http = calloc(1, sizeof *http);

    if (!http)
        return -ENOMEM;
    pthread_once(&once, init_library);
    http->loop = loop;
    http->ca_file = config && config->ca_file ? strdup(config->ca_file) : NULL;
    http->proxy = config && config->proxy ? strdup(config->proxy) : NULL;
    http->multi = curl_multi_init();
    if (!http->multi || (config && config->ca_file && !http->ca_file) ||
        (config && config->proxy && !http->proxy) ||
        flt_timer_create(loop, on_timer, http, &http->timer) < 0 ||
        flt_timer_create(loop, on_done, http, &http->done) < 0) {
        free_http(http);
        return -ENOMEM;
    }
    set_multi_options(http, config ? config->max_connections_per_host : 0);
    *out = http;
    return 0;
}

void flt_http_destroy(struct flt_http *http)
{
    if (!http || http->dead)
        return;
    http->dead = true;
    http->depth++;
    while (http->active)
        end_call(http->active, FLT_HTTP_CANCELLED, "the client is closing");
    http->depth--;
    if (http->depth == 0)
        free_http(http);
}
