/* WebSocket client: libwebsockets on the loop. Whole messages, ping, reconnect with jitter.
 *
 * A connection reconnects by itself until closed: `on_open` is the place to (re)subscribe.
 * Names are resolved by uv_getaddrinfo (libwebsockets' own resolver blocks). Thread: the loop's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/loop.h"

struct flt_ws;
struct flt_ws_context; /* one per loop: TLS contexts and libwebsockets' own state */

struct flt_ws_events {
    void *ctx;
    void (*on_open)(void *ctx);
    void (*on_message)(void *ctx, const char *data, size_t size, bool text); /* whole message */
    void (*on_close)(void *ctx,
                     const char *reason); /* it will be tried again unless closed by us */
};

struct flt_ws_config {
    const char *url;                          /* ws:// or wss://host:port/path */
    const char *const *headers;               /* as in http.h; NULL: none */
    const char *ca_file;                      /* NULL: the system's */
    uint32_t ping_ms;                         /* idle time before a ping; 0: 15000 */
    uint32_t dead_ms;                         /* idle time after which it is dead; 0: 25000 */
    size_t message_bytes_max;                 /* 0: 8 MiB */
    uint32_t backoff_base_ms, backoff_cap_ms; /* 0: 250 and 10000 */
};

FLT_MUST_USE int flt_ws_context_create(struct flt_loop *loop, struct flt_ws_context **out);
void flt_ws_context_destroy(struct flt_ws_context *context);
FLT_MUST_USE int flt_ws_connect(struct flt_ws_context *context, const struct flt_ws_config *config,
                                const struct flt_ws_events *events, struct flt_ws **out);
/* Queues a text message. -ENOTCONN: not open; -ENOBUFS: over 1 MiB is waiting (counted). */
FLT_MUST_USE int flt_ws_send(struct flt_ws *ws, const char *data, size_t size);
bool flt_ws_is_open(const struct flt_ws *ws);
void flt_ws_reconnect(struct flt_ws *ws); /* drops the connection; it comes back */
void flt_ws_close(struct flt_ws *ws);     /* NULL is fine; no callback after it */
