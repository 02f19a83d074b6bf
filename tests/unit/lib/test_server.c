/* The client is a blocking socket on a pool thread; the server runs on the loop beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/config.h"
#include "lib/server.h"

struct rig {
    struct flt_loop *loop;
    struct flt_server *server;
    struct flt_listener *listener;
    int port;
    long patience_us;    /* how long the client waits for a byte; 0: 5 s, or 60 for an answer */
    const char *send;    /* what the client says, all at once */
    size_t expect_count; /* it reads until it has seen `expect` so often */
    const char *expect;
    char got[65536];
    size_t got_size;
    int requests, messages, gone;
    struct flt_request *kept;
    struct flt_peer *peer;
    char dir[64];
};

static void on_request(void *ctx, struct flt_request *request)
{
    struct rig *rig = ctx;
    char text[4096];
    const char *key = flt_request_header(request, "x-mbx-apikey");

    rig->requests++;
    if (strcmp(flt_request_path(request), "/keep") == 0) {
        rig->kept = request;
        return;
    }
    if (strncmp(flt_request_path(request), "/file", 5) == 0) {
        flt_request_reply_file(request, rig->dir, flt_request_path(request) + 5);
        return;
    }
    snprintf(text, sizeof text, "<%s %s ?%s body=%s key=%s>", flt_request_method(request),
             flt_request_path(request), flt_request_query(request), flt_request_body(request, NULL),
             key ? key : "-");
    flt_request_reply_text(request, 200, text);
}

static bool on_accept(void *ctx, const struct flt_request *request, struct flt_peer *peer)
{
    struct rig *rig = ctx;

    if (strcmp(flt_request_path(request), "/ws") != 0)
        return false;
    rig->peer = peer;
    return true;
}

static void on_message(void *ctx, struct flt_peer *peer, const char *data, size_t size, bool text)
{
    struct rig *rig = ctx;
    char back[256];

    rig->messages++;
    const int n = snprintf(back, sizeof back, "got %zu %.*s %d", size, (int)(size < 40 ? size : 40),
                           data, text);

    assert_int_equal(flt_peer_send(peer, back, (size_t)n), 0);
    flt_peer_close(peer, 1000, "bye");
}

static void on_gone(void *ctx, struct flt_peer *peer)
{
    struct rig *rig = ctx;

    assert_ptr_equal(peer, rig->peer);
    rig->gone++;
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        count++;
    return count;
}

/* A process that was stopped goes on with EINTR here, as there is a time-out. */
static ssize_t receive(int fd, char *out, size_t size)
{
    ssize_t n;

    do
        n = recv(fd, out, size, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

static void client(void *arg)
{
    struct rig *rig = arg;
    const struct timeval wait = { rig->patience_us ? 0 : rig->expect ? 60 : 5, rig->patience_us };
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)rig->port) };
    ssize_t n;

    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, rig->send, strlen(rig->send), 0) > 0)
        while (rig->got_size < sizeof rig->got - 1 &&
               (n = receive(fd, rig->got + rig->got_size, sizeof rig->got - 1 - rig->got_size)) >
                   0) {
            rig->got_size += (size_t)n;
            rig->got[rig->got_size] = '\0';
            if (rig->expect && count_of(rig->got, rig->expect) >= rig->expect_count)
                break;
        }
    close(fd);
}

static void client_done(void *arg)
{
    flt_loop_stop(((struct rig *)arg)->loop);
}

static void talk(struct rig *rig, const char *text, const char *expect, size_t count)
{
    rig->send = text;
    rig->expect = expect;
    rig->expect_count = count;
    rig->got_size = 0;
    rig->got[0] = '\0';
    assert_int_equal(flt_loop_work(rig->loop, client, client_done, rig), 0);
    assert_int_equal(flt_loop_run(rig->loop), 0);
}

static int setup(void **ctx)
{
    static const char *const headers[] = { "X-Frame-Options: DENY", NULL };
    struct rig *rig = test_calloc(1, sizeof *rig);
    const struct flt_listener_events events = { rig,  on_request, on_accept, on_message,
                                                NULL, NULL,       on_gone };
    const struct flt_listener_config config = {
        .host = "127.0.0.1", .headers = headers, .body_bytes_max = 64, .message_bytes_max = 64
    };

    assert_int_equal(flt_loop_create(flt_clock_system(), &rig->loop), 0);
    assert_int_equal(flt_server_create(rig->loop, &rig->server), 0);
    assert_int_equal(flt_server_listen(rig->server, &config, &events, &rig->listener), 0);
    rig->port = flt_listener_port(rig->listener);
    assert_in_range(rig->port, 1, 65535);
    *ctx = rig;
    return 0;
}

static int teardown(void **ctx)
{
    struct rig *rig = *ctx;

    flt_server_destroy(rig->server);
    flt_loop_destroy(rig->loop);
    test_free(rig);
    return 0;
}

static void a_request_arrives_whole_and_the_connection_is_kept(void **ctx)
{
    struct rig *rig = *ctx;

    talk(rig,
         "GET /a/b?symbols=%5B%22BTC%22%5D&x=a+b&sig=ab%2Fc%3D%3D HTTP/1.1\r\nHost: h\r\n"
         "X-MBX-APIKEY: k1\r\n\r\n"
         "DELETE /d HTTP/1.1\r\nHost: h\r\n\r\n"
         "POST /empty HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
         "GET /last HTTP/1.1\r\nHost: h\r\n\r\n",
         ">", 4);
    assert_non_null(strstr(rig->got, "<GET /a/b ?symbols=%5B%22BTC%22%5D&x=a%20b&sig=ab%2Fc%3D%3D "
                                     "body= key=k1>"));
    assert_non_null(strstr(rig->got, "<DELETE /d ? body= key=->"));
    assert_non_null(strstr(rig->got, "<POST /empty ? body= key=->"));
    assert_non_null(strstr(rig->got, "<GET /last"));
    assert_int_equal(count_of(rig->got, "X-Frame-Options: DENY\r\n"), 4);
}

static void a_body_comes_with_its_request_but_not_pipelined(void **ctx)
{
    struct rig *rig = *ctx;

    talk(rig, "POST /p?q=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", ">", 1);
    assert_non_null(strstr(rig->got, "<POST /p ?q=1 body=hello key=->"));
    /* libwebsockets would spin for ever here */
    talk(rig,
         "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
         "POST /p?q=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
         NULL, 0);
    assert_non_null(strstr(rig->got, "<GET /a"));
    assert_null(strstr(rig->got, "<POST"));
}

static void a_post_without_a_length_is_answered_and_closed(void **ctx)
{
    struct rig *rig = *ctx;

    talk(rig, "POST /p?q=2 HTTP/1.1\r\nHost: h\r\n\r\n", NULL, 0);
    assert_non_null(strstr(rig->got, "<POST /p ?q=2 body= key=->"));
    assert_non_null(strstr(rig->got, "Connection: close"));
}

static void a_body_that_is_too_large_is_refused(void **ctx)
{
    struct rig *rig = *ctx;

    talk(rig, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 65\r\n\r\n", NULL, 0);
    assert_non_null(strstr(rig->got, "HTTP/1.1 413"));
    assert_int_equal(rig->requests, 0);
}

static void release(void *arg)
{
    struct rig *rig = arg;

    assert_int_equal(rig->got_size, 0);
    flt_server_release(rig->server);
}

static void what_is_held_leaves_only_after_the_release(void **ctx)
{
    struct rig *rig = *ctx;
    struct flt_timer *timer;

    flt_server_hold(rig->server);
    assert_int_equal(flt_timer_create(rig->loop, release, rig, &timer), 0);
    flt_timer_start(timer, 60, 0);
    talk(rig, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", ">", 1);
    assert_non_null(strstr(rig->got, "<GET /a"));
    flt_timer_destroy(timer);
}

static void a_reply_to_someone_who_left_is_dropped(void **ctx)
{
    struct rig *rig = *ctx;

    rig->patience_us = 50000;
    talk(rig, "GET /keep HTTP/1.1\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\n", "never", 0);
    for (int i = 0; i < 200 && !rig->kept; i++)
        (void)uv_run(flt_loop_uv(rig->loop), UV_RUN_ONCE);
    assert_non_null(rig->kept);
    flt_request_reply_text(rig->kept, 200, "late");
}

static void files_come_with_type_and_tag_and_nothing_from_outside(void **ctx)
{
    struct rig *rig = *ctx;
    char path[100];

    snprintf(rig->dir, sizeof rig->dir, "/tmp/flt-server-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    snprintf(path, sizeof path, "%s/index.html", rig->dir);
    assert_int_equal(flt_file_write(path, "<p>hi</p>", 9, 0600), 0);
    talk(rig, "GET /file/ HTTP/1.1\r\nHost: h\r\n\r\n", "</p>", 1);
    assert_non_null(strstr(rig->got, "Content-Type: text/html; charset=utf-8\r\n"));
    assert_non_null(strstr(rig->got, "ETag: \""));
    talk(rig, "GET /file/../etc/passwd HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", NULL, 0);
    assert_null(strstr(rig->got, "root:"));
    unlink(path);
    rmdir(rig->dir);
}

static const char upgrade[] = "GET %s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n%s";

static void a_websocket_is_let_in_by_its_path(void **ctx)
{
    struct rig *rig = *ctx;
    char text[512];
    /* "hello" in two frames, masked with zeros so that it can be read here */
    char frames[] = "\x01\x83\x01\x01\x01\x01idm\x80\x82\x01\x01\x01\x01mn";

    snprintf(text, sizeof text, upgrade, "/ws?x=1", frames);
    talk(rig, text, NULL, 0);
    assert_non_null(strstr(rig->got, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_non_null(strstr(rig->got, "got 5 hello 1"));
    assert_non_null(strstr(rig->got, "bye"));
    assert_int_equal(rig->messages, 1);
    for (int i = 0; i < 200 && !rig->gone; i++)
        (void)uv_run(flt_loop_uv(rig->loop), UV_RUN_ONCE);
    assert_int_equal(rig->gone, 1);
    snprintf(text, sizeof text, upgrade, "/other", "");
    talk(rig, text, NULL, 0);
    assert_null(strstr(rig->got, "101 Switching"));
}

static void a_message_that_is_too_large_ends_the_connection(void **ctx)
{
    struct rig *rig = *ctx;
    char text[512], frame[80];

    memset(frame, 'x', sizeof frame);
    memcpy(frame, "\x81\xc6\x01\x01\x01\x01", 6); /* 70 bytes */
    frame[76] = '\0';
    snprintf(text, sizeof text, upgrade, "/ws", frame);
    talk(rig, text, NULL, 0);
    assert_non_null(strstr(rig->got, "101 Switching"));
    assert_int_equal(rig->messages, 0);
}

static void a_busy_port_is_refused(void **ctx)
{
    struct rig *rig = *ctx;
    struct flt_listener *listener;
    const struct flt_listener_events events = { .ctx = rig };
    struct flt_listener_config config = { .host = "127.0.0.1" };
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    config.port = ntohs(address.sin_port);
    assert_int_equal(flt_server_listen(rig->server, &config, &events, &listener), -EADDRINUSE);
    close(fd);
}

/* Once 127.0.0.1 was listened to as [::], which is every address of the machine. */
static void only_the_address_that_was_asked_for_listens(void **ctx)
{
    const struct rig *rig = *ctx;
    static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
    char line[512], address[64];
    unsigned port, state, found = 0;

    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(tables[i], "re");

        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, " %*d: %63[0-9A-F]:%x %*s %x", address, &port, &state) == 3 &&
                (int)port == rig->port && state == 10) {
                assert_string_equal(address, "0100007F");
                found++;
            }
        if (file)
            fclose(file);
    }
    assert_int_equal(found, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_request_arrives_whole_and_the_connection_is_kept),
        CASE(a_body_comes_with_its_request_but_not_pipelined),
        CASE(a_post_without_a_length_is_answered_and_closed),
        CASE(a_body_that_is_too_large_is_refused),
        CASE(what_is_held_leaves_only_after_the_release),
        CASE(a_reply_to_someone_who_left_is_dropped),
        CASE(files_come_with_type_and_tag_and_nothing_from_outside),
        CASE(a_websocket_is_let_in_by_its_path),
        CASE(a_message_that_is_too_large_ends_the_connection),
        CASE(a_busy_port_is_refused),
        CASE(only_the_address_that_was_asked_for_listens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
