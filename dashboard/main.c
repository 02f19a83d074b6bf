/* flotilla-dashboard: the web application, and its WebSocket way to the broker, on one port. */
#define FLT_MOD "dashboard"
#include <stdlib.h>
#include "dashboard/routes.h"
#include "lib/daemon.h"
#include "lib/watchdog.h"

static int run(const char *config);

static const struct flt_daemon program = {
    .name = "flotilla-dashboard",
    .summary = "the web page of a fleet, and its way to the broker, on one port",
    .config = "config/dashboard",
    .notes =
        "Serves / (the page), /mqtt (MQTT over WebSocket, bridged to the broker), /healthz.\n"
        "Listens beyond loopback only with tls_cert and tls_key, or allow_remote behind a proxy.\n"
        "Ends cleanly on SIGINT and SIGTERM.\n",
    .run = run,
};

struct dashboard {
    struct settings settings;
    struct flt_loop *loop;
    struct flt_server *server;
    struct routes *routes;
    struct flt_watchdog *watchdog; /* NULL: no service manager */
};

static void on_signal(void *ctx, int number)
{
    const struct dashboard *dashboard = ctx;

    FLT_LOG(INFO, "stopping", "signal=%d", number);
    flt_loop_stop(dashboard->loop);
}

static int open_all(struct dashboard *dashboard, struct flt_error *error)
{
    struct flt_listener_config config;
    struct flt_listener_events events;
    struct flt_listener *listener = NULL;
    const struct settings *settings = &dashboard->settings;

    if (flt_loop_create(flt_clock_system(), &dashboard->loop) != 0 ||
        flt_loop_on_signal(dashboard->loop, on_signal, dashboard) != 0 ||
        flt_server_create(dashboard->loop, &dashboard->server) != 0 ||
        routes_create(dashboard->loop, settings, &dashboard->routes) != 0)
        return flt_error_set(error, FLT_INTERNAL, "", "", "could not start the server");
    routes_describe(dashboard->routes, &config, &events);
    if (flt_server_listen(dashboard->server, &config, &events, &listener) != 0)
        return flt_error_set(error, FLT_UNAVAILABLE, "listen",
                             "another program has the port, or the certificate does not fit",
                             "cannot listen on %s", settings->config.listen);
    FLT_LOG(INFO, "listening", "host=%s port=%d tls=%s", settings->host,
            flt_listener_port(listener), settings->config.has_tls_cert ? "yes" : "no");
    return 0;
}

static void close_all(struct dashboard *dashboard)
{
    flt_server_destroy(dashboard->server);
    if (dashboard->loop) /* the last words to the broker, and the ends of its connections */
        for (int i = 0; i < 8; i++)
            (void)uv_run(flt_loop_uv(dashboard->loop), UV_RUN_NOWAIT);
    routes_destroy(dashboard->routes);
    flt_loop_destroy(dashboard->loop);
}

static int run(const char *config)
{
    struct flt_error error = { 0 };
    static struct dashboard dashboard; /* zero */

    if (settings_load(config, &dashboard.settings, &error) != 0)
        return flt_daemon_fail(&program, &error);
    int code = open_all(&dashboard, &error) == 0 ? 0 : flt_daemon_fail(&program, &error);

    if (code == 0 && flt_watchdog_start(dashboard.loop, &dashboard.watchdog) != 0)
        FLT_LOG(WARN, "no_watchdog", "hint=\"the service manager will think this never started\"");
    if (code == 0 && flt_loop_run(dashboard.loop) != 0)
        code = EXIT_FAILURE;
    flt_watchdog_stop(dashboard.watchdog);
    close_all(&dashboard);
    return code;
}

int main(int argc, char **argv)
{
    return flt_daemon_main(&program, argc, argv);
}
