/* What lib/server.c and lib/server_file.c share; nobody else includes it. */
#pragma once
#include <libwebsockets.h>
#include "lib/server.h"

#define SERVER_HEADER_COUNT 12
#define SERVER_FD_MAX 4096 /* connections of one server; pipelining is told by it */

struct server_kind { /* the first field of whatever a connection's data is */
    bool is_peer;
};

struct server_dirty { /* has something that waits for flt_server_release() */
    struct server_dirty *next, *prev;
    struct lws *wsi;
    bool queued;
};

struct flt_server {
    struct lws_context *context;
    uv_loop_t *uv;
    void *foreign[1];
    struct flt_listener *listeners;
    struct server_dirty *dirty;
    bool holding;
    uint64_t seen_bytes[SERVER_FD_MAX]; /* by socket: received when last answered */
    uint64_t batch, released;           /* what is queued now; the newest that may be sent */
};

struct flt_listener {
    struct flt_listener *next;
    struct flt_server *server;
    struct lws_vhost *vhost;
    struct flt_listener_events events;
    struct lws_protocols protocols[3]; /* http, perhaps a subprotocol, end */
    lws_retry_bo_t retry;
    char *headers, *subprotocol, *too_large;
    size_t body_bytes_max, message_bytes_max, queue_bytes_max;
};

struct flt_request {
    bool is_peer; /* false */
    bool handed_over, replied, closing;
    struct flt_listener *listener;
    struct lws *wsi; /* NULL: the client is gone */
    const char *method;
    char *path, *query, *body;
    size_t body_size, body_capacity;
    char *headers[SERVER_HEADER_COUNT];
    char peer[48];
    char *out; /* LWS_PRE bytes, then the reply */
    size_t out_size;
    uint64_t batch;
    struct server_dirty dirty;
};

struct server_message {
    struct server_message *next;
    size_t size;
    int protocol;
    uint64_t batch;
    unsigned char data[]; /* LWS_PRE bytes, then the message */
};

struct flt_peer {
    bool is_peer; /* true once accepted */
    bool closing; /* after what waits */
    bool cut;     /* at once */
    struct flt_listener *listener;
    struct lws *wsi;
    void *user;
    struct server_message *first, *last;
    size_t queued_bytes;
    char *in; /* a message whose fragments come one by one */
    size_t in_size, in_capacity;
    uint16_t close_code;
    char close_reason[100];
    struct server_dirty dirty;
};
