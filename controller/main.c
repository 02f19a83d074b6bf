/* flotilla-controller --config FILE [--log-level LEVEL] */
#define FLT_MOD "main"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/config.h"
#include "lib/log.h"

struct program {
    struct flt_loop *loop;
    struct controller *controller;
    int status;
};

static const char usage[] =
    "flotilla-controller --config FILE\n"
    "Decides what runs where and keeps the books of a fleet.\n"
    "  --config FILE      JSON or YAML; see docs/reference/config.md, config/controller\n"
    "  --log-level LEVEL  debug, info (default), warn, error or off; logs go to stderr\n"
    "  --version, --help\n";

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

static int fail(const struct flt_error *error)
{
    fprintf(stderr, "flotilla-controller: %s%s%s\n", error->message, error->hint[0] ? "; " : "",
            error->hint);
    return flt_error_exit_code(error->code);
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
        return fail(&error);
    if (flt_loop_create(flt_clock_system(), &program.loop) != 0)
        return 1;
    if (controller_create(program.loop, &config, &error, &program.controller) != 0) {
        flt_loop_run(program.loop); /* lets what was opened close */
        flt_loop_destroy(program.loop);
        msg_config_controller_finish(&config);
        return fail(&error);
    }
    program.controller->on_fatal = on_fatal;
    program.controller->fatal_ctx = &program;
    if (flt_loop_on_signal(program.loop, on_signal, &program) != 0)
        return 1;
    flt_loop_run(program.loop);
    controller_destroy(program.controller);
    flt_loop_destroy(program.loop);
    msg_config_controller_finish(&config);
    FLT_LOG(INFO, "stopped", "status=%d", program.status);
    return program.status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { "log-level", required_argument, NULL, 'l' },
        { "version", no_argument, NULL, 'v' },
        { NULL, 0, NULL, 0 },
    };
    const char *path = NULL;

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        const int level = option == 'l' ? flt_log_level_parse(optarg) : 0;

        if (option == 'c') {
            path = optarg;
        } else if (option == 'l' && level >= 0) {
            flt_log_set_level((enum flt_log_level)level);
        } else if (option == 'h' || option == 'v') {
            fputs(option == 'h' ? usage : "flotilla-controller " FLT_VERSION "\n", stdout);
            return 0;
        } else {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (!path) {
        fputs(usage, stderr);
        return 2;
    }
    return run(path);
}
