/* What the dashboard answers: the page's files, /config.json, /healthz, and the door of /mqtt. */
#pragma once
#include "dashboard/bridge.h"
#include "dashboard/settings.h"
#include "lib/loop.h"
#include "lib/server.h"

struct routes;

FLT_MUST_USE int routes_create(struct flt_loop *loop, const struct settings *settings,
                               struct routes **out);
void routes_destroy(struct routes *routes); /* after its server; NULL is fine */
/* The handlers and the headers (Content-Security-Policy and others) for flt_server_listen(). */
void routes_describe(struct routes *routes, struct flt_listener_config *config,
                     struct flt_listener_events *events);
