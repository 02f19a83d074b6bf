/* HTTP/1.1 and WebSocket server: libwebsockets on the loop. Routes, static files, whole messages.
 *
 * A server is one libwebsockets context; each listener is a port with its own handlers. A request
 * is answered once, now or later, by flt_request_reply(); until then it stays valid even when its
 * client goes away (the reply is then dropped). Replies and messages leave on a later loop turn;
 * with flt_server_hold() not before flt_server_release(), so that what they say can be committed
 * first.
 *
 * libwebsockets decodes %XX in queries; `query` is encoded again the way everybody encodes
 * (unreserved characters stay, upper-case hex), which is what a signature was made over unless the
 * client encodes in a way of its own. Thread: the loop's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/loop.h"

struct flt_server;
struct flt_listener;
struct flt_request;
struct flt_peer; /* one accepted WebSocket */

struct flt_listener_events {
    void *ctx;
    void (*on_request)(void *ctx, struct flt_request *request);
    /* A WebSocket asks to be let in: true accepts, and the peer may be sent to at once. Path, query
     * and headers of `request` are valid for this call only; it is not replied to. */
    bool (*on_accept)(void *ctx, const struct flt_request *request, struct flt_peer *peer);
    void (*on_message)(void *ctx, struct flt_peer *peer, const char *data, size_t size, bool text);
    void (*on_pong)(void *ctx, struct flt_peer *peer, const char *data,
                    size_t size); /* may be NULL */
    /* All that was queued for it has been handed to the kernel: the place to read its source again.
     */
    void (*on_drained)(void *ctx, struct flt_peer *peer); /* may be NULL */
    void (*on_gone)(void *ctx, struct flt_peer *peer);    /* the last word; also after our close */
};

struct flt_listener_config {
    const char *host;               /* "127.0.0.1"; NULL: all addresses */
    int port;                       /* 0: a free one */
    const char *tls_cert, *tls_key; /* files; NULL: no TLS */
    const char *subprotocol; /* WebSocket subprotocol that is accepted too ("mqtt"); NULL: none */
    const char *const
        *headers;             /* "Name: value" lines of every reply, NULL-terminated; NULL: none */
    size_t body_bytes_max;    /* of a request, else 413; 0: 1 MiB */
    const char *too_large;    /* the body of that 413, JSON; NULL: as Binance says it */
    size_t message_bytes_max; /* of a received message, else closed; 0: 1 MiB */
    size_t queue_bytes_max;   /* waiting for a slow reader, else closed; 0: 8 MiB */
    unsigned ping_s; /* idle WebSockets: libwebsockets pings, hangs up after twice that; 0: off */
};

FLT_MUST_USE int flt_server_create(struct flt_loop *loop, struct flt_server **out);
void flt_server_destroy(
    struct flt_server *server); /* NULL is fine; runs the loop till all is closed */
/* -EADDRINUSE and others. Handlers and config are copied, their strings too. */
FLT_MUST_USE int flt_server_listen(struct flt_server *server,
                                   const struct flt_listener_config *config,
                                   const struct flt_listener_events *events,
                                   struct flt_listener **out);
int flt_listener_port(const struct flt_listener *listener);

/* From hold on, replies and messages wait; release lets go what was queued so far. */
void flt_server_hold(struct flt_server *server);
void flt_server_release(struct flt_server *server);

/* --- requests ----------------------------------------------------------------------------------
 */

const char *flt_request_method(const struct flt_request *request); /* "GET" */
const char *flt_request_path(const struct flt_request *request);   /* decoded, begins with '/' */
const char *flt_request_query(const struct flt_request *request);  /* without '?'; "" when none */
const char *flt_request_body(const struct flt_request *request, size_t *size); /* NUL-terminated */
const char *flt_request_peer(const struct flt_request *request); /* the client's address */
/* Headers named here (lower case) are kept, others not: host, origin, accept-encoding,
 * content-type, cookie, authorization, if-none-match, x-mbx-apikey, x-mbx-time-unit,
 * x-forwarded-for, x-flotilla-token, idempotency-key. NULL: not sent. */
const char *flt_request_header(const struct flt_request *request, const char *name);

struct flt_reply {
    int status;
    const char *content_type; /* NULL: application/json */
    const char *headers;      /* more header lines, each ended by "\r\n"; NULL: none */
    const char *body;
    size_t size;
    bool bare; /* without the listener's headers: `headers` has all it needs */
};

void flt_request_reply(struct flt_request *request, const struct flt_reply *reply);
void flt_request_reply_text(struct flt_request *request, int status, const char *body);
/* A file below `dir` (whose path cannot be left), with its type by its ending, an ETag and 304;
 * "/" is /index.html. Files to 8 MiB; 404 otherwise. */
void flt_request_reply_file(struct flt_request *request, const char *dir, const char *path);
/* Ends it without a word, closing the connection. */
void flt_request_drop(struct flt_request *request);

/* --- peers -------------------------------------------------------------------------------------
 */

void flt_peer_set_user(struct flt_peer *peer, void *user);
void *flt_peer_user(const struct flt_peer *peer);
/* Copies and queues. -ENOBUFS: over queue_bytes_max is waiting, and the peer is being closed. */
int flt_peer_send(struct flt_peer *peer, const char *data, size_t size);
int flt_peer_send_binary(struct flt_peer *peer, const void *data, size_t size);
int flt_peer_ping(struct flt_peer *peer, const char *data, size_t size); /* at most 125 bytes */
void flt_peer_close(struct flt_peer *peer, uint16_t code,
                    const char *reason);             /* after what waits */
size_t flt_peer_queued(const struct flt_peer *peer); /* bytes waiting */
/* Flow control: received data waits in the kernel while false. */
void flt_peer_read(struct flt_peer *peer, bool on);
