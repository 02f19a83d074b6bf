/* The REST gateway: a thin way to the verbs for programs that cannot speak MQTT. Each request goes
 * to the broker with the caller's own name (dashboard/pool.h); the controller's answer comes back
 * as it is, with a status from the code table. */
#pragma once
#include "dashboard/pool.h"
#include "lib/server.h"

struct api;

FLT_MUST_USE int api_create(struct flt_loop *loop, const struct settings *settings,
                            struct pool *pool, struct api **out);
void api_destroy(struct api *api); /* NULL is fine */
/* A request whose path begins with /api/v1/; it is answered, now or later. */
void api_take(struct api *api, struct flt_request *request);
/* Calls `fn` when the request's login is good; else answers it, and calls `drop` (may be NULL). */
typedef void api_allowed_fn(void *ctx, struct flt_request *request);
void api_guard(struct api *api, struct flt_request *request, api_allowed_fn *fn,
               void (*drop)(void *ctx), void *ctx);
