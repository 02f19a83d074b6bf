#define FLT_MOD "routes"
#include "dashboard/routes.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dashboard/api.h"
#include "dashboard/api_route.h"
#include "dashboard/assets.h"
#include "dashboard/metrics.h"
#include "lib/fail.h"

#define MESSAGE_BYTES_MAX ((size_t)1024 * 1024)
#define QUEUE_BYTES_MAX ((size_t)1024 * 1024)
#define PING_S 30
#define BODY_BYTES_MAX ((size_t)256 * 1024)
#define CONTROLLER_SILENT_MS 15000

struct routes {
    struct flt_loop *loop;
    const struct settings *settings;
    struct limiter *limiter;
    struct bridges *bridges;
    struct pool *pool;
    struct api *api;
    struct bus *bus;
    uint64_t requests;
    int64_t started_ms;
};

/* No inline script or style, nothing from elsewhere, in nobody's frame. connect-src 'self' includes
 * the page's own ws: and wss: (CSP level 3, section 6.7.2.8). */
static const char *const headers[] = {
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; font-src 'self'; "
    "frame-src 'self'; base-uri "
    "'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: DENY",
    "Referrer-Policy: no-referrer",
    "Cross-Origin-Opener-Policy: same-origin",
    "Cross-Origin-Resource-Policy: same-origin",
    "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    NULL,
};

static void refuse(struct flt_request *request, int status, const char *code, const char *message)
{
    char body[256];

    snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n", code,
             message);
    const struct flt_reply reply = { .status = status,
                                     .headers = status == 405 ? "Allow: GET, HEAD\r\n" : NULL,
                                     .body = body,
                                     .size = strlen(body) };

    flt_request_reply(request, &reply);
}

/* --- files -------------------------------------------------------------------------------------
 */

static bool takes_gzip(const struct flt_request *request)
{
    const char *accepted = flt_request_header(request, "accept-encoding");

    return accepted && strstr(accepted, "gzip") && !strstr(accepted, "gzip;q=0");
}

static void reply_asset(struct flt_request *request, const struct asset *asset)
{
    const char *seen = flt_request_header(request, "if-none-match");
    const bool same = seen && strcmp(seen, asset->etag) == 0;
    const bool gzip = takes_gzip(request);
    char *plain = same || gzip ? NULL : asset_inflate(asset);
    char lines[200];

    if (!same && !gzip && !plain) {
        refuse(request, 503, "unavailable", "no memory for this file");
        return;
    }
    snprintf(lines, sizeof lines, "ETag: %s\r\nCache-Control: %s\r\nVary: Accept-Encoding\r\n%s",
             asset->etag, asset->hashed ? "public, max-age=31536000, immutable" : "no-cache",
             gzip && !same ? "Content-Encoding: gzip\r\n" : "");
    const struct flt_reply reply = {
        .status = same ? 304 : 200,
        .content_type = asset->type,
        .headers = lines,
        .body = same   ? NULL
                : gzip ? (const char *)asset->gz
                       : plain,
        .size = same   ? 0
                : gzip ? asset->gz_size
                       : asset->size,
    };

    flt_request_reply(request, &reply);
    free(plain);
}

static void reply_file(struct routes *routes, struct flt_request *request, const char *path)
{
    const struct msg_config_dashboard *config = &routes->settings->config;

    if (config->has_web_dir && config->web_dir[0]) {
        flt_request_reply_file(request, config->web_dir, path);
        return;
    }
    const struct asset *asset = asset_find(path);

    if (asset)
        reply_asset(request, asset);
    else
        refuse(request, 404, "not_found", "there is no such page");
}

/* --- /config.json and /healthz ------------------------------------------------------------------
 */

static void reply_json(struct flt_request *request, int status, const char *body)
{
    const struct flt_reply reply = { .status = status,
                                     .headers = "Cache-Control: no-store\r\n",
                                     .body = body,
                                     .size = strlen(body) };

    flt_request_reply(request, &reply);
}

static void reply_config(const struct routes *routes, struct flt_request *request)
{
    char body[160];

    snprintf(body, sizeof body, "{\"tenant\":\"%s\",\"version\":\"%s\",\"contract\":1}\n",
             routes->settings->config.tenant, FLT_VERSION);
    reply_json(request, 200, body);
}

struct health {
    struct routes *routes;
    struct flt_request *request;
    bool metrics; /* else the health */
};

/* As the bus says it; without a login of our own nobody has looked. */
static const char *controller_word(const struct bus_view *view)
{
    if (!view->configured)
        return "not_watched";
    if (!view->up || !view->controller_known)
        return "unknown";
    if (!view->controller_online)
        return "offline";
    return view->health && view->health_age_ms < CONTROLLER_SILENT_MS ? "online" : "silent";
}

static void write_health(const struct routes *routes, struct flt_request *request, bool reachable)
{
    const int64_t now_ms = flt_mono_ms(flt_loop_clock(routes->loop));
    struct flt_buf body = FLT_BUF_INIT;
    struct bus_view view;

    bus_look(routes->bus, &view);
    const char *word = controller_word(&view);
    const bool ok = reachable && (!view.configured || strcmp(word, "online") == 0);

    flt_jw_begin(&body, NULL, '{');
    flt_jw_bool(&body, "ok", ok);
    flt_jw_str(&body, "broker", reachable ? "reachable" : "unreachable");
    flt_jw_str(&body, "controller", reachable ? word : "unknown");
    if (view.health)
        flt_jw_int(&body, "controller_age_ms", view.health_age_ms);
    flt_jw_int(&body, "uptime_ms", now_ms - routes->started_ms);
    flt_jw_int(&body, "clients", bridges_count(routes->bridges));
    flt_jw_str(&body, "version", FLT_VERSION);
    flt_jw_end(&body, '}');
    flt_buf_append(&body, "\n", 1);
    reply_json(request, ok ? 200 : 503, body.data);
    flt_buf_finish(&body);
}

static void write_metrics(const struct routes *routes, struct flt_request *request, bool reachable)
{
    struct metrics_own own = { .broker_up = reachable,
                               .sessions = bridges_count(routes->bridges),
                               .sessions_total = bridges_total(routes->bridges),
                               .login_failures = limiter_failures(routes->limiter),
                               .login_refusals = limiter_refusals(routes->limiter),
                               .http_requests = routes->requests,
                               .uptime_ms =
                                   flt_mono_ms(flt_loop_clock(routes->loop)) - routes->started_ms };
    struct flt_buf body = FLT_BUF_INIT;
    struct bus_view view;

    bus_look(routes->bus, &view);
    pool_get_stats(routes->pool, &own.pool);
    metrics_write(&body, &view, &own);
    const struct flt_reply reply = { .status = body.failed ? 500 : 200,
                                     .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                     .headers = "Cache-Control: no-store\r\n",
                                     .body = body.data,
                                     .size = body.failed ? 0 : body.length };

    flt_request_reply(request, &reply);
    flt_buf_finish(&body);
}

static void on_probed(void *ctx, bool reachable)
{
    struct health *health = ctx;

    if (health->metrics)
        write_metrics(health->routes, health->request, reachable);
    else
        write_health(health->routes, health->request, reachable);
    free(health);
}

static void probe(struct routes *routes, struct flt_request *request, bool metrics)
{
    struct health *health = malloc(sizeof *health);

    if (!health) {
        refuse(request, 503, "unavailable", "no memory");
        return;
    }
    *health = (struct health){ routes, request, metrics };
    bridge_probe(routes->bridges, on_probed, health);
}

static void metrics_allowed(void *ctx, struct flt_request *request)
{
    probe(ctx, request, true);
}

/* From this machine without a login, unless a proxy may stand before us: then all come from it. */
static void reply_metrics(struct routes *routes, struct flt_request *request)
{
    const struct msg_config_dashboard *config = &routes->settings->config;
    const bool proxied = config->has_allow_remote && config->allow_remote;

    if (settings_is_loopback(flt_request_peer(request)) && !proxied)
        probe(routes, request, true);
    else
        api_guard(routes->api, request, metrics_allowed, NULL, routes);
}

static void on_request(void *ctx, struct flt_request *request)
{
    struct routes *routes = ctx;
    const char *method = flt_request_method(request);
    const char *path = flt_request_path(request);

    routes->requests++;
    if (strncmp(path, API_ROOT, sizeof API_ROOT - 1) == 0)
        api_take(routes->api, request);
    else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        refuse(request, 405, "invalid_argument", "only GET and HEAD here");
    else if (strcmp(path, "/healthz") == 0)
        probe(routes, request, false);
    else if (strcmp(path, "/healthz/live") == 0) /* of this process alone: for supervisors */
        reply_json(request, 200, "{\"ok\":true}\n");
    else if (strcmp(path, "/metrics") == 0)
        reply_metrics(routes, request);
    else if (strcmp(path, "/config.json") == 0)
        reply_config(routes, request);
    else if (strcmp(path, "/mqtt") == 0)
        refuse(request, 400, "invalid_argument", "this is a WebSocket, subprotocol mqtt");
    else
        reply_file(routes, request, path);
}

/* --- /mqtt -------------------------------------------------------------------------------------
 */

static bool on_accept(void *ctx, const struct flt_request *request, struct flt_peer *peer)
{
    struct routes *routes = ctx;
    const struct settings *settings = routes->settings;
    const bool remote = settings->config.has_allow_remote && settings->config.allow_remote;
    const char *origin = flt_request_header(request, "origin");
    char quoted[160];

    if (strcmp(flt_request_path(request), "/mqtt") != 0)
        return false;
    if (!settings_origin_ok(origin, flt_request_header(request, "host"),
                            settings->local && !remote)) {
        FLT_LOG(WARN, "origin_refused", "origin=%s peer=%s",
                flt_log_quote(origin ? origin : "", quoted, sizeof quoted),
                flt_request_peer(request));
        return false;
    }
    struct bridge *bridge = bridge_open(routes->bridges, peer, flt_request_peer(request));

    flt_peer_set_user(peer, bridge);
    return bridge != NULL;
}

static void on_message(void *ctx, struct flt_peer *peer, const char *data, size_t size, bool text)
{
    (void)ctx;
    if (text) /* MQTT 5 section 6: binary frames only */
        flt_peer_close(peer, 1003, "binary frames only");
    else
        bridge_send(flt_peer_user(peer), data, size);
}

static void on_drained(void *ctx, struct flt_peer *peer)
{
    (void)ctx;
    bridge_drained(flt_peer_user(peer));
}

static void on_gone(void *ctx, struct flt_peer *peer)
{
    (void)ctx;
    bridge_gone(flt_peer_user(peer));
}

void routes_describe(struct routes *routes, struct flt_listener_config *config,
                     struct flt_listener_events *events)
{
    const struct settings *settings = routes->settings;

    *config = (struct flt_listener_config){
        .host = settings->host,
        .port = settings->port,
        .tls_cert = settings->config.has_tls_cert ? settings->config.tls_cert : NULL,
        .tls_key = settings->config.has_tls_key ? settings->config.tls_key : NULL,
        .subprotocol = "mqtt",
        .headers = headers,
        .body_bytes_max = BODY_BYTES_MAX,
        .too_large =
            "{\"ok\":false,\"error\":{\"code\":\"invalid_argument\",\"message\":\"the body is "
            "longer than 256 KiB\",\"hint\":\"send it in parts\"}}\n",
        .message_bytes_max = MESSAGE_BYTES_MAX,
        .queue_bytes_max = QUEUE_BYTES_MAX,
        .ping_s = PING_S,
    };
    *events = (struct flt_listener_events){ .ctx = routes,
                                            .on_request = on_request,
                                            .on_accept = on_accept,
                                            .on_message = on_message,
                                            .on_drained = on_drained,
                                            .on_gone = on_gone };
}

int routes_create(struct flt_loop *loop, const struct settings *settings, struct routes **out)
{
    struct routes *routes = calloc(1, sizeof *routes);

    if (!routes)
        return -ENOMEM;
    routes->loop = loop;
    routes->settings = settings;
    routes->started_ms = flt_mono_ms(flt_loop_clock(loop));
    int err = limiter_create(&routes->limiter);

    if (!err)
        err = bridges_create(loop, settings, routes->limiter, &routes->bridges);
    if (!err)
        err = pool_create(loop, settings, routes->limiter, &routes->pool);
    if (!err)
        err = api_create(loop, settings, routes->pool, &routes->api);
    if (!err)
        err = bus_create(loop, settings, &routes->bus);
    if (err) {
        routes_destroy(routes);
        return err;
    }
    *out = routes;
    return 0;
}

void routes_destroy(struct routes *routes)
{
    if (!routes)
        return;
    bus_destroy(routes->bus);
    api_destroy(routes->api);
    pool_destroy(routes->pool);
    bridges_destroy(routes->bridges);
    limiter_destroy(routes->limiter);
    free(routes);
}
