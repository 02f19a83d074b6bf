/* flotilla-controller --config FILE [--log-level LEVEL] */
#define FLT_MOD "main"
#include "controller/controller.h"
#include "lib/config.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/watchdog.h"

struct program {
    struct flt_loop *loop;
    struct controller *controller;
    struct flt_watchdog *watchdog; /* NULL: no service manager */
    int status;
};

static int run(const char *path);

static const struct flt_daemon daemon_entry = {
    .name = "flotilla-controller",
    .summary = "decides what runs where and keeps the books of a fleet",
    .config = "config/controller",
    .notes = "",
    .run = run,
};

static void on_closed(void *ctx)
{
    struct program *program = ctx;

    flt_loop_stop(program->loop);
}

static void on_signal(void *ctx, int signal)
{
    struct program *program = ctx;

    FLT_LOG(INFO, "stopping", "signal=%d", signal);
    if (program->controller->mqtt)
        controller_stop(program->controller, on_closed, program);
}

static void on_fatal(void *ctx)
{
    struct program *program = ctx;

    program->status = 1;
    flt_loop_stop(program->loop);
}

static int read_config(const char *path, struct msg_config_controller *out, struct flt_error *error)
{
    struct json_object *tree = flt_config_load(path, error);
    int err = -1;

    if (tree)
        err = msg_config_controller_decode(tree, MSG_PEOPLE, out, error);
    json_object_put(tree);
    return err;
}

static int run(const char *path)
{
    struct program program = { 0 };
    struct msg_config_controller config;
    struct flt_error error = { 0 };

    if (read_config(path, &config, &error) != 0)
        return flt_daemon_fail(&daemon_entry, &error);
    if (flt_loop_create(flt_clock_system(), &program.loop) != 0)
        return 1;
    if (controller_create(program.loop, &config, &error, &program.controller) != 0) {
        flt_loop_run(program.loop); /* lets what was opened close */
        flt_loop_destroy(program.loop);
        msg_config_controller_finish(&config);
        return flt_daemon_fail(&daemon_entry, &error);
    }
    program.controller->on_fatal = on_fatal;
    program.controller->fatal_ctx = &program;
    if (flt_loop_on_signal(program.loop, on_signal, &program) != 0)
        return 1;
    if (flt_watchdog_start(program.loop, &program.watchdog) != 0)
        FLT_LOG(WARN, "no_watchdog", "hint=\"the service manager will think this never started\"");
    flt_loop_run(program.loop);
    flt_watchdog_stop(program.watchdog);
    controller_destroy(program.controller);
    flt_loop_destroy(program.loop);
    msg_config_controller_finish(&config);
    FLT_LOG(INFO, "stopped", "status=%d", program.status);
    return program.status;
}

int main(int argc, char **argv)
{
    return flt_daemon_main(&daemon_entry, argc, argv);
}
