/* The processes of a fleet on one machine: their arguments, their order, and how each shows that it
 * is ready. Nothing here sleeps or trusts a pid: ready is an answer over its own protocol. */
#define FLT_MOD "up"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/programs.h"
#include "controller/cli/up.h"
#include "lib/json.h"

#define ASK_MS 2000

static int add(struct up *up, const char *name, enum ready_kind kind, unsigned stage,
               const char *const *argv)
{
    struct service *service = &up->services[up->service_count];
    int err = procs_add(up->procs, name, stage, argv, &service->proc);

    if (err)
        return err;
    service->up = up;
    service->name = procs_name(up->procs, service->proc);
    service->kind = kind;
    service->stage = stage;
    up->service_count++;
    return 0;
}

static int add_broker(struct up *up, struct flt_error *error)
{
    char program[BROKER_PATH_MAX], path[BROKER_PATH_MAX];
    int err = broker_find_program(program, sizeof program, error);

    if (!err)
        err = fleet_path(up->fleet.dir, path, error, "broker/mosquitto.conf");
    if (err)
        return err;
    const char *const argv[] = { program, "-c", path, NULL };

    return add(up, "broker", READY_BROKER, 0, argv);
}

static int add_sim(struct up *up, struct flt_error *error)
{
    char program[BROKER_PATH_MAX];
    const char *argv[PROCS_ARGS_MAX] = { program };
    size_t count = 1;
    int err = program_find("flotilla-sim", program, sizeof program, error);

    if (!err)
        err = demo_sim_args(up, argv, &count, error);
    if (err)
        return err;
    argv[count] = NULL;
    err = add(up, "sim", READY_HTTP, 0, argv);
    if (!err)
        snprintf(up->services[up->service_count - 1].url, sizeof up->services[0].url,
                 "http://127.0.0.1:%u/api/v3/ping", up->fleet.sim_port);
    return err;
}

static int add_daemon(struct up *up, const char *name, const char *program_name, const char *config,
                      enum ready_kind kind, unsigned stage, struct flt_error *error)
{
    char program[BROKER_PATH_MAX], path[BROKER_PATH_MAX];
    int err = program_find(program_name, program, sizeof program, error);

    if (!err)
        err = fleet_path(up->fleet.dir, path, error, "%s", config);
    if (err)
        return err;
    const char *const argv[] = { program, "--config", path, NULL };

    return add(up, name, kind, stage, argv);
}

/* A node's program is a link that `flotilla node upgrade` may change: DIR/run/NODE.program, made
 * anew at each start from the last choice, DIR/NODE/program, or else what is beside us. */
static int node_program(const struct up *up, const char *node, char out[BROKER_PATH_MAX],
                        struct flt_error *error)
{
    char chosen[BROKER_PATH_MAX], found[BROKER_PATH_MAX];
    ssize_t size = -1;
    int err = fleet_path(up->fleet.dir, chosen, error, "%s/program", node);

    if (!err)
        err = fleet_path(up->fleet.dir, out, error, "run/%s.program", node);
    if (err)
        return err;
    if (access(chosen, X_OK) == 0)
        size = readlink(chosen, found, sizeof found - 1);
    if (size > 0)
        found[size] = 0;
    else
        err = program_find("flotilla-node", found, sizeof found, error);
    (void)unlink(out);
    if (!err && symlink(found, out) != 0)
        err = flt_error_set(error, flt_error_from_errno(-errno), "dir", "", "cannot write %s", out);
    return err;
}

static int add_node(struct up *up, const char *name, const char *config, struct flt_error *error)
{
    char program[BROKER_PATH_MAX], path[BROKER_PATH_MAX];
    int err = node_program(up, name, program, error);

    if (!err)
        err = fleet_path(up->fleet.dir, path, error, "%s", config);
    if (err)
        return err;
    const char *const argv[] = { program, "--config", path, NULL };

    return add(up, name, READY_NODE, 2, argv);
}

int services_add(struct up *up, struct flt_error *error)
{
    char name[16], config[32];
    int err = add_broker(up, error);

    if (!err && up->fleet.demo)
        err = add_sim(up, error);
    if (!err)
        err = add_daemon(up, "controller", "flotilla-controller", "controller/controller.json",
                         READY_CONTROLLER, 1, error);
    for (int i = 1; i <= FLEET_NODES && !err; i++) {
        snprintf(name, sizeof name, "node-%d", i);
        snprintf(config, sizeof config, "node-%d/node.json", i);
        err = add_node(up, name, config, error);
    }
    if (!err)
        err = add_daemon(up, "dashboard", "flotilla-dashboard", "dashboard/dashboard.json",
                         READY_HTTP, 2, error);
    if (!err)
        snprintf(up->services[up->service_count - 1].url, sizeof up->services[0].url,
                 "http://127.0.0.1:%u/healthz", up->fleet.dashboard_port);
    return err;
}

static void mark_ready(struct service *service)
{
    if (service->ready)
        return;
    service->ready = true;
    FLT_LOG(INFO, "service_ready", "name=%s", service->name);
}

static void on_http(void *ctx, const struct flt_http_response *response)
{
    struct service *service = ctx;

    service->asked = false;
    /* The answer must be our child's, not that of whoever had the port before it. */
    if (response->outcome == FLT_HTTP_DONE && response->status == 200 &&
        procs_pid(service->up->procs, service->proc))
        mark_ready(service);
}

static void ask_http(struct service *service)
{
    const struct flt_http_request request = { .method = "GET",
                                              .url = service->url,
                                              .timeout_ms = ASK_MS };

    service->asked = flt_http_send(service->up->http, &request, on_http, service, NULL) == 0;
}

static void on_answer(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct service *service = ctx;

    service->asked = false;
    if (result)
        mark_ready(service);
    else
        FLT_LOG(DEBUG, "not_ready", "name=%s why=\"%s\"", service->name, error->message);
}

void service_check(struct service *service)
{
    struct up *up = service->up;

    if (service->asked)
        return;
    switch (service->kind) {
    case READY_BROKER:
        if (bus_is_up(up->bus))
            mark_ready(service);
        break;
    case READY_HTTP:
        ask_http(service);
        break;
    case READY_CONTROLLER:
        service->asked = bus_is_up(up->bus);
        if (service->asked) /* a short time: it may subscribe only after the first question */
            bus_request(up->bus, "status", NULL, 250, on_answer, service);
        break;
    case READY_NODE: /* service_heard() */
        break;
    }
}

/* A will comes on the same topic as a birth. */
static bool is_birth(const struct flt_mqtt_message *message)
{
    struct json_object *presence = flt_json_parse(message->payload, message->payload_size, NULL);
    const char *state = "";

    flt_json_str(presence, "state", &state);
    const bool up = strcmp(state, "up") == 0;

    json_object_put(presence);
    return up;
}

void service_heard(struct up *up, const char *topic, const struct flt_mqtt_message *message)
{
    const char *last = strrchr(topic, '/');

    if (strncmp(topic, "n/", 2) != 0 || (strcmp(last, "/presence") == 0 && !is_birth(message)))
        return;
    for (size_t i = 0; i < up->service_count; i++) {
        struct service *service = &up->services[i];
        const size_t length = strlen(service->name);

        if (service->kind == READY_NODE && strncmp(topic + 2, service->name, length) == 0 &&
            topic[2 + length] == '/')
            mark_ready(service);
    }
}
