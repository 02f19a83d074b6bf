/* HTTP client: libcurl's multi interface on the loop. Keep-alive, timeouts, bounded bodies.
 *
 * The only module that includes libcurl. Redirects are not followed, certificates are always
 * verified (`ca_file` may name another authority), proxies come only from the configuration.
 * Thread: the loop's. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/loop.h"

struct flt_http;
struct flt_http_call;

struct flt_http_config {
    const char *ca_file;               /* NULL: the system's */
    const char *proxy;                 /* NULL: none */
    unsigned max_connections_per_host; /* 0: 8 */
};

struct flt_http_request {
    const char *method;         /* "GET" */
    const char *url;            /* whole, with its query, percent-encoded */
    const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
    const char *body;           /* borrowed for the call of flt_http_send only (it is copied) */
    size_t body_size;
    uint32_t timeout_ms;         /* whole exchange; 0: 10000 */
    uint32_t connect_timeout_ms; /* 0: 3000 */
    size_t response_bytes_max;   /* 0: 16 MiB */
    int64_t not_after_boot_ns;   /* boot time from which no byte of it leaves any more; 0: none */
};

enum flt_http_outcome {
    FLT_HTTP_DONE,     /* status, headers and body are there */
    FLT_HTTP_NOT_SENT, /* no byte of the request left: safe to try again */
    FLT_HTTP_UNCLEAR, /* it may have been received (timeout, connection lost): ask, do not repeat */
    FLT_HTTP_CANCELLED
};

struct flt_http_response {
    enum flt_http_outcome outcome;
    int status;
    const char *body; /* NUL-terminated, borrowed for the callback */
    size_t body_size;
    const char *reason;           /* for logs; "" when DONE */
    int64_t sent_ns, received_ns; /* monotonic */
};

typedef void flt_http_fn(void *ctx, const struct flt_http_response *response);

FLT_MUST_USE int flt_http_create(struct flt_loop *loop, const struct flt_http_config *config,
                                 struct flt_http **out);
void flt_http_destroy(struct flt_http *http); /* calls under way end with CANCELLED first */
/* `fn` is called once, never inside flt_http_send. `call` (may be NULL) can be cancelled. */
FLT_MUST_USE int flt_http_send(struct flt_http *http, const struct flt_http_request *request,
                               flt_http_fn *fn, void *ctx, struct flt_http_call **call);
void flt_http_cancel(struct flt_http_call *call);
/* A header of the response, by name without case, during `fn`; NULL: not there. */
const char *flt_http_header(const struct flt_http_response *response, const char *name);
