/* flotilla-dashboard: the web application, and its WebSocket way to the broker, on one port. */
#define FLT_MOD "dashboard"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dashboard/routes.h"
#include "lib/fail.h"

static const char HELP[] =
    "flotilla-dashboard: the web page of a fleet, and its way to the broker, on one port.\n"
    "\n"
    "  flotilla-dashboard --config FILE [--log-level debug|info|warn|error]\n"
    "\n"
    "  --config FILE      JSON or YAML, see docs/reference/config.md (config/dashboard)\n"
    "  --log-level LEVEL  default info; logs go to standard error\n"
    "  --help, --version\n"
    "\n"
    "Serves / (the page), /mqtt (MQTT over WebSocket, bridged to the broker), /healthz.\n"
    "Listens beyond loopback only with tls_cert and tls_key, or allow_remote behind a proxy.\n"
    "Ends cleanly on SIGINT and SIGTERM.\n";

struct dashboard {
    struct settings settings;
    struct flt_loop *loop;
    struct flt_server *server;
    struct routes *routes;
};

static int complain(const struct flt_error *error)
{
    fprintf(stderr, "flotilla-dashboard: %s%s%s\n", error->field, *error->field ? ": " : "",
            *error->message ? error->message : "could not start");
    if (*error->hint)
        fprintf(stderr, "  %s\n", error->hint);
    return flt_error_exit_code(error->code == FLT_OK ? FLT_INTERNAL : error->code);
}

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
        return complain(&error);
    int code = open_all(&dashboard, &error) == 0 ? 0 : complain(&error);

    if (code == 0 && flt_loop_run(dashboard.loop) != 0)
        code = EXIT_FAILURE;
    close_all(&dashboard);
    return code;
}

static int set_level(const char *text)
{
    const int level = flt_log_level_parse(text);

    if (level < 0) {
        fprintf(stderr, "flotilla-dashboard: no log level %s; debug, info, warn or error\n", text);
        return 2;
    }
    flt_log_set_level((enum flt_log_level)level);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "log-level", required_argument, NULL, 'l' },
                                             { "help", no_argument, NULL, 'h' },
                                             { "version", no_argument, NULL, 'v' },
                                             { 0 } };
    const char *config = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "c:hv", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 'l':
            if (set_level(optarg) != 0)
                return 2;
            break;
        case 'h':
            fputs(HELP, stdout);
            return 0;
        case 'v':
            puts("flotilla-dashboard " FLT_VERSION);
            return 0;
        default:
            return 2;
        }
    }
    if (!config) {
        fputs("flotilla-dashboard: --config FILE is missing; see --help\n", stderr);
        return 2;
    }
    return run(config);
}
