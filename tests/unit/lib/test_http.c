/* The client against a server of a few lines on the same loop, which answers, stalls, or hangs up
 * at the moment that the test is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/http.h"
#include "lib/log.h"

enum { LIMIT_MS = 60000, PATIENCE_MS = 30000 };

struct fixture {
    struct flt_loop *loop;
    struct flt_http *http;
    struct flt_timer *limit;
    uv_tcp_t listener;
    char url[64];
    int connections, requests;
    char last[8192]; /* the last request, head and body */
    /* the answer's outcome as seen by the client */
    int calls;
    struct flt_http_response seen;
    char body[256], reason[256], header[64];
    int stop_after;
    bool inside_send;
    struct flt_http_call *call;
};

struct peer {
    uv_tcp_t tcp;
    struct fixture *f;
    char in[8192];
    size_t size;
};

static void free_peer(uv_handle_t *handle)
{
    free(handle->data);
}

static void free_write(uv_write_t *write, int status)
{
    (void)status;
    free(write->data);
    free(write);
}

static void answer(struct peer *peer, const char *text)
{
    uv_write_t *write = calloc(1, sizeof *write);
    char *copy = strdup(text);
    uv_buf_t buf = uv_buf_init(copy, (unsigned)strlen(text));

    assert_non_null(write);
    write->data = copy;
    assert_int_equal(0, uv_write(write, (uv_stream_t *)&peer->tcp, &buf, 1, free_write));
}

static void handle(struct peer *peer)
{
    struct fixture *f = peer->f;

    f->requests++;
    snprintf(f->last, sizeof f->last, "%s", peer->in);
    peer->size = 0;
    if (strstr(f->last, " /ok"))
        answer(peer, "HTTP/1.1 200 OK\r\nX-Used-Weight: 17 \r\nContent-Length: 5\r\n\r\nhello");
    else if (strstr(f->last, " /teapot"))
        answer(peer, "HTTP/1.1 418 Teapot\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nno");
    else if (strstr(f->last, " /redirect"))
        answer(peer, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    else if (strstr(f->last, " /half"))
        answer(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    else if (strstr(f->last, " /hangup") ||
             (strstr(f->last, " /once") && f->requests > 1)) /* taken, then gone: no answer */
        uv_close((uv_handle_t *)&peer->tcp, free_peer);
    else if (strstr(f->last, " /once"))
        answer(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
    /* else " /silent": nothing */
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct peer *peer = handle->data;

    (void)hint;
    *buf = uv_buf_init(peer->in + peer->size, (unsigned)(sizeof peer->in - 1 - peer->size));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct peer *peer = stream->data;

    (void)buf;
    if (count < 0) {
        if (!uv_is_closing((uv_handle_t *)stream))
            uv_close((uv_handle_t *)stream, free_peer);
        return;
    }
    peer->size += (size_t)count;
    peer->in[peer->size] = '\0';
    const char *const end = strstr(peer->in, "\r\n\r\n");
    const char *const length = strstr(peer->in, "Content-Length: ");
    const size_t body = length ? strtoul(length + 16, NULL, 10) : 0;
    if (end && peer->size >= (size_t)(end + 4 - peer->in) + body)
        handle(peer);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct fixture *f = listener->data;
    struct peer *peer = calloc(1, sizeof *peer);

    assert_int_equal(0, status);
    assert_non_null(peer);
    peer->f = f;
    f->connections++;
    uv_tcp_init(listener->loop, &peer->tcp);
    peer->tcp.data = peer;
    assert_int_equal(0, uv_accept(listener, (uv_stream_t *)&peer->tcp));
    uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
}

static void on_limit(void *ctx)
{
    (void)ctx;
    fail_msg("no outcome within %d ms", LIMIT_MS);
}

static int setup(void **ctx)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_in address;
    int size = sizeof address;

    assert_int_equal(0, flt_loop_create(flt_clock_system(), &f->loop));
    assert_int_equal(0, flt_http_create(f->loop, NULL, &f->http));
    assert_int_equal(0, flt_timer_create(f->loop, on_limit, f, &f->limit));
    flt_timer_start(f->limit, LIMIT_MS, 0);
    uv_tcp_init(flt_loop_uv(f->loop), &f->listener);
    f->listener.data = f;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(&f->listener, (struct sockaddr *)&address, 0);
    assert_int_equal(0, uv_listen((uv_stream_t *)&f->listener, 16, on_connection));
    uv_tcp_getsockname(&f->listener, (struct sockaddr *)&address, &size);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    *ctx = f;
    return 0;
}

static void close_peer(uv_handle_t *handle, void *arg)
{
    (void)arg; /* connections that the client left open: theirs is the only data that is a peer */
    if (handle->type == UV_TCP && !uv_is_closing(handle))
        uv_close(handle, handle->data && handle->data != arg ? free_peer : NULL);
}

static int teardown(void **ctx)
{
    struct fixture *f = *ctx;

    flt_http_destroy(f->http);
    flt_timer_destroy(f->limit);
    uv_walk(flt_loop_uv(f->loop), close_peer, f);
    flt_loop_destroy(f->loop);
    free(f);
    return 0;
}

static void on_response(void *ctx, const struct flt_http_response *response)
{
    struct fixture *f = ctx;
    const char *const header = flt_http_header(response, "x-used-weight");

    assert_false(f->inside_send);
    f->call = NULL;
    f->seen = *response;
    snprintf(f->body, sizeof f->body, "%s", response->body);
    snprintf(f->reason, sizeof f->reason, "%s", response->reason);
    snprintf(f->header, sizeof f->header, "%s", header ? header : "none");
    if (++f->calls == f->stop_after)
        flt_loop_stop(f->loop);
}

static void request(struct fixture *f, const char *method, const char *path, const char *body,
                    uint32_t timeout_ms, size_t bytes_max)
{
    static const char *const headers[] = { "X-MBX-APIKEY: abc", NULL };
    char url[128];

    snprintf(url, sizeof url, "%s%s", f->url, path);
    const struct flt_http_request r = { .method = method,
                                        .url = url,
                                        .headers = headers,
                                        .body = body,
                                        .body_size = body ? strlen(body) : 0,
                                        .timeout_ms = timeout_ms,
                                        .connect_timeout_ms = timeout_ms,
                                        .response_bytes_max = bytes_max };
    f->inside_send = true;
    assert_int_equal(0, flt_http_send(f->http, &r, on_response, f, &f->call));
    f->inside_send = false;
}

static void run_until(struct fixture *f, int more_calls)
{
    f->stop_after = f->calls + more_calls;
    flt_loop_run(f->loop);
}

static void fetch(struct fixture *f, const char *method, const char *path, const char *body)
{
    request(f, method, path, body, PATIENCE_MS, 0);
    run_until(f, 1);
}

static void an_answer_has_status_body_and_headers(void **ctx)
{
    struct fixture *f = *ctx;

    fetch(f, "POST", "/ok?symbol=BTC", "a=1");
    assert_int_equal(FLT_HTTP_DONE, f->seen.outcome);
    assert_int_equal(200, f->seen.status);
    assert_string_equal("hello", f->body);
    assert_string_equal("17", f->header);
    assert_string_equal("", f->reason);
    assert_true(f->seen.received_ns >= f->seen.sent_ns && f->seen.sent_ns > 0);
    assert_non_null(strstr(f->last, "POST /ok?symbol=BTC HTTP/1.1\r\n"));
    assert_non_null(strstr(f->last, "X-MBX-APIKEY: abc\r\n"));
    assert_non_null(strstr(f->last, "\r\n\r\na=1"));
}

static void methods_are_sent_as_named_on_one_kept_connection(void **ctx)
{
    static const char *const methods[] = { "DELETE", "GET", "PUT", "POST", "GET" };
    struct fixture *f = *ctx;

    for (size_t i = 0; i < FLT_COUNT(methods); i++) {
        char first[32];
        fetch(f, methods[i], "/ok", NULL);
        snprintf(first, sizeof first, "%s /ok HTTP/1.1", methods[i]);
        assert_non_null(strstr(f->last, first));
    }
    assert_int_equal(1, f->connections);
}

static void an_error_status_is_an_answer_and_redirects_are_not_followed(void **ctx)
{
    struct fixture *f = *ctx;

    fetch(f, "GET", "/teapot", NULL);
    assert_int_equal(FLT_HTTP_DONE, f->seen.outcome);
    assert_int_equal(418, f->seen.status);
    fetch(f, "GET", "/redirect", NULL);
    assert_int_equal(302, f->seen.status);
    assert_int_equal(2, f->requests);
}

static void a_refused_connection_was_not_sent(void **ctx)
{
    struct fixture *f = *ctx;

    uv_close((uv_handle_t *)&f->listener, NULL); /* its port refuses from now on */
    uv_run(flt_loop_uv(f->loop), UV_RUN_NOWAIT);
    fetch(f, "POST", "/ok", "order");
    assert_int_equal(FLT_HTTP_NOT_SENT, f->seen.outcome);
    assert_true(f->reason[0] != '\0');
}

static void a_name_that_does_not_resolve_was_not_sent(void **ctx)
{
    struct fixture *f = *ctx;

    snprintf(f->url, sizeof f->url, "http://no-such-host.invalid");
    request(f, "POST", "/ok", "order", 2000, 0); /* where no name server answers, too */
    run_until(f, 1);
    assert_int_equal(FLT_HTTP_NOT_SENT, f->seen.outcome);
}

/* Asks with ever more patience until the server has had the request: a machine that stops for
 * longer than that ends it before it left, which is no news about silence. */
static void ask_until_it_arrives(struct fixture *f, const char *path)
{
    for (uint32_t timeout_ms = 100; f->requests == 0; timeout_ms *= 2) {
        request(f, "POST", path, "order", timeout_ms, 0);
        run_until(f, 1);
        assert_true(f->requests > 0 || timeout_ms < 10000);
    }
}

static void silence_after_the_request_is_unclear(void **ctx)
{
    struct fixture *f = *ctx;

    ask_until_it_arrives(f, "/silent");
    assert_int_equal(1, f->requests);
    assert_int_equal(FLT_HTTP_UNCLEAR, f->seen.outcome);
}

static void a_hangup_after_the_request_or_in_its_answer_is_unclear(void **ctx)
{
    struct fixture *f = *ctx;

    fetch(f, "POST", "/hangup", "order");
    assert_int_equal(FLT_HTTP_UNCLEAR, f->seen.outcome);
    f->requests = 0;
    ask_until_it_arrives(f, "/half");
    assert_int_equal(FLT_HTTP_UNCLEAR, f->seen.outcome);
}

/* libcurl sends a request again when a kept connection dies before the answer: an order twice. */
static void an_order_is_never_sent_twice_when_a_kept_connection_dies(void **ctx)
{
    struct fixture *f = *ctx;

    fetch(f, "POST", "/once", "order");
    assert_int_equal(FLT_HTTP_DONE, f->seen.outcome);
    fetch(f, "POST", "/once", "order"); /* the same connection; the server takes it and hangs up */
    assert_int_equal(2, f->requests);
    assert_int_equal(FLT_HTTP_UNCLEAR, f->seen.outcome);
    assert_string_equal("the connection was lost before an answer", f->reason);
}

static void too_large_an_answer_is_refused(void **ctx)
{
    struct fixture *f = *ctx;

    request(f, "GET", "/ok", NULL, PATIENCE_MS, 4);
    run_until(f, 1);
    assert_int_equal(FLT_HTTP_UNCLEAR, f->seen.outcome);
    assert_string_equal("the response is larger than allowed", f->reason);
}

static void a_cancelled_call_ends_at_once_and_the_client_goes_on(void **ctx)
{
    struct fixture *f = *ctx;

    request(f, "GET", "/silent", NULL, PATIENCE_MS, 0);
    flt_http_cancel(f->call);
    assert_int_equal(1, f->calls);
    assert_int_equal(FLT_HTTP_CANCELLED, f->seen.outcome);
    fetch(f, "GET", "/ok", NULL);
    assert_int_equal(FLT_HTTP_DONE, f->seen.outcome);
}

static void many_at_once_share_eight_connections(void **ctx)
{
    struct fixture *f = *ctx;

    for (int i = 0; i < 100; i++)
        request(f, "GET", "/ok", NULL, PATIENCE_MS, 0);
    run_until(f, 100);
    assert_int_equal(100, f->requests);
    assert_true(f->connections <= 8);
}

static void destroy_in_response(void *ctx, const struct flt_http_response *response)
{
    struct fixture *f = ctx;

    f->calls++;
    if (response->outcome == FLT_HTTP_DONE) {
        flt_http_destroy(f->http);
        f->http = NULL;
        flt_loop_stop(f->loop);
    } else {
        assert_int_equal(FLT_HTTP_CANCELLED, response->outcome);
    }
}

static void the_client_may_be_destroyed_inside_a_response(void **ctx)
{
    struct fixture *f = *ctx;
    char ok[128], silent[128];

    snprintf(ok, sizeof ok, "%s/ok", f->url);
    snprintf(silent, sizeof silent, "%s/silent", f->url);
    const struct flt_http_request waits = { .url = silent };
    const struct flt_http_request answers = { .url = ok };
    assert_int_equal(0, flt_http_send(f->http, &waits, destroy_in_response, f, NULL));
    assert_int_equal(0, flt_http_send(f->http, &answers, destroy_in_response, f, NULL));
    flt_loop_run(f->loop);
    assert_int_equal(2, f->calls);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_answer_has_status_body_and_headers),
        CASE(methods_are_sent_as_named_on_one_kept_connection),
        CASE(an_error_status_is_an_answer_and_redirects_are_not_followed),
        CASE(a_refused_connection_was_not_sent),
        CASE(a_name_that_does_not_resolve_was_not_sent),
        CASE(silence_after_the_request_is_unclear),
        CASE(a_hangup_after_the_request_or_in_its_answer_is_unclear),
        CASE(an_order_is_never_sent_twice_when_a_kept_connection_dies),
        CASE(too_large_an_answer_is_refused),
        CASE(a_cancelled_call_ends_at_once_and_the_client_goes_on),
        CASE(many_at_once_share_eight_connections),
        CASE(the_client_may_be_destroyed_inside_a_response),
    };

    flt_log_set_level(FLT_LOG_OFF);
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
