/* flotilla node upgrade: another flotilla-node for one node, checked, and the old one again when
 * bots do not come back. flotilla node ping: does a node speak at this broker?
 *
 * `flotilla up` starts each node through the link DIR/run/NODE.program; the choice outlives `up` as
 * the link DIR/NODE/program. */
#define FLT_MOD "cli"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "controller/cli/commands.h"
#include "controller/cli/procs.h"
#include "controller/cli/programs.h"
#include "controller/cli/session.h"
#include "lib/config.h"
#include "lib/json.h"

#define WAIT_MS 60000
#define PING_MS 5000
#define POLL_US 200000
#define END_MS 15000

/* --- ping
 * -------------------------------------------------------------------------------------------- */

struct ping {
    struct session session;
    struct flt_timer *timer;
    bool heard;
};

static void on_heartbeat(void *ctx, const char *topic, const struct flt_mqtt_message *message)
{
    struct ping *ping = ctx;

    (void)topic;
    if (message->retained)
        return;
    ping->heard = true;
    flt_loop_stop(ping->session.loop);
}

static void on_timeout(void *ctx)
{
    struct ping *ping = ctx;

    flt_loop_stop(ping->session.loop);
}

int cmd_node_ping(struct cli *cli)
{
    struct ping ping = { .session = { .ctx = &ping, .on_message = on_heartbeat } };
    const char *node = cli_arg(cli, 0);
    char filter[FLT_NAME_MAX + 8];
    int err = flt_name_ok(node) ? session_open(&ping.session, cli)
                                : CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "NODE", "flotilla node ls",
                                           "that is not a node's name");

    if (!err) {
        snprintf(filter, sizeof filter, "n/%s/hb", node);
        err = bus_subscribe(ping.session.bus, filter);
    }
    if (!err)
        err = flt_timer_create(ping.session.loop, on_timeout, &ping, &ping.timer);
    if (!err) {
        flt_timer_start(ping.timer, PING_MS, 0);
        flt_loop_run(ping.session.loop);
        flt_timer_destroy(ping.timer);
        if (!ping.heard)
            err = CLI_FAIL(cli, FLT_UNAVAILABLE, "NODE", "flotilla node ls; its log says more",
                           "no heartbeat of %s for %d s", node, PING_MS / 1000);
    }
    session_close(&ping.session);
    if (!err && cli->json)
        printf("{\"node\":\"%s\",\"alive\":true}\n", node);
    else if (!err)
        printf("%s is alive\n", node);
    return err;
}

/* --- upgrade
 * ---------------------------------------------------------------------------------------- */

/* What a node runs, to see that all of it comes back. */
struct picture {
    int64_t incarnation;
    char version[32];
    size_t running;
    char names[1024][FLT_NAME_MAX];
};

struct upgrade {
    struct cli *cli;
    const char *node;
    char program[BROKER_PATH_MAX]; /* the new one */
    char old[BROKER_PATH_MAX];     /* what the link said before */
    char version[32];              /* of the new one */
    struct picture *before, *after;
};

static int take_picture(struct upgrade *upgrade, struct picture *out)
{
    struct json_object *result = NULL, *row, *bots;
    char text[64];
    int err = ask_once(upgrade->cli, "node-show", args_of("node", upgrade->node, NULL), &result);

    memset(out, 0, sizeof *out);
    row = err ? NULL : flt_json_get(result, "node");
    bots = err ? NULL : flt_json_get(result, "bots");
    (void)flt_json_int(row, "incarnation", &out->incarnation);
    out_text(row, "version", text, sizeof text);
    snprintf(out->version, sizeof out->version, "%.31s", text);
    for (size_t i = 0; bots && i < json_object_array_length(bots); i++) {
        struct json_object *bot = json_object_array_get_idx(bots, i);

        if (out->running < FLT_COUNT(out->names) &&
            strcmp(out_text(bot, "phase", text, sizeof text), "running") == 0)
            out_text(bot, "bot", out->names[out->running++], FLT_NAME_MAX);
    }
    json_object_put(result);
    return err;
}

static bool runs(const struct picture *picture, const char *name)
{
    for (size_t i = 0; i < picture->running; i++)
        if (strcmp(picture->names[i], name) == 0)
            return true;
    return false;
}

/* "flotilla-node 0.2.0" -> "0.2.0": a program that does not say so is not one. */
static int read_version(struct upgrade *upgrade)
{
    char line[128] = "";
    int ends[2], status = -1;
    const int piped = pipe2(ends, O_CLOEXEC);
    const pid_t pid = piped == 0 ? fork() : -1;

    if (pid == 0) {
        dup2(ends[1], 1);
        execl(upgrade->program, upgrade->program, "--version", (char *)NULL);
        _exit(127);
    }
    if (piped == 0) {
        close(ends[1]);
        const ssize_t size = pid > 0 ? read(ends[0], line, sizeof line - 1) : -1;

        line[size > 0 ? size : 0] = 0;
        close(ends[0]);
    }
    if (pid > 0)
        (void)waitpid(pid, &status, 0);
    if (status != 0 || sscanf(line, "flotilla-node %31s", upgrade->version) != 1)
        return CLI_FAIL(upgrade->cli, FLT_INVALID_ARGUMENT, "program",
                        "it prints \"flotilla-node VERSION\" when asked --version",
                        "%s is not a flotilla-node", upgrade->program);
    return 0;
}

/* Replaces a link in one step. */
static int set_link(struct upgrade *upgrade, const char *target, bool running)
{
    char path[BROKER_PATH_MAX], temporary[BROKER_PATH_MAX + 8];
    int err = fleet_path(upgrade->cli->dir, path, &upgrade->cli->error,
                         running ? "run/%s.program" : "%s/program", upgrade->node);

    if (err)
        return err;
    snprintf(temporary, sizeof temporary, "%s.new", path);
    (void)unlink(temporary);
    if (symlink(target, temporary) != 0 || rename(temporary, path) != 0)
        return CLI_FAIL(upgrade->cli, flt_error_from_errno(-errno), "dir", "",
                        "cannot write %s: %s", path, strerror(errno));
    return 0;
}

static int choose(struct upgrade *upgrade, const char *target)
{
    const int err = set_link(upgrade, target, true);

    return err ? err : set_link(upgrade, target, false);
}

/* SIGTERM to the node's process; `up` starts what the link says. */
static int restart(struct upgrade *upgrade, bool kill_it)
{
    char run_dir[BROKER_PATH_MAX];
    const int err = fleet_path(upgrade->cli->dir, run_dir, &upgrade->cli->error, "run");
    const pid_t pid = err ? 0 : pidfile_alive(run_dir, upgrade->node);

    if (err)
        return err;
    if (pid == 0)
        return kill_it ? 0
                       : CLI_FAIL(upgrade->cli, FLT_UNAVAILABLE, "NODE",
                                  "on its own machine: systemctl restart flotilla-node@NODE",
                                  "%s is not run by flotilla up in %s", upgrade->node,
                                  upgrade->cli->dir);
    (void)kill(pid, kill_it ? SIGKILL : SIGTERM);
    if (!pidfile_wait(pid, END_MS))
        (void)kill(pid, SIGKILL); /* its orders are safe in the journal */
    return 0;
}

/* Until a newer incarnation of the wished version runs all that ran before. */
static bool wait_back(struct upgrade *upgrade, const char *version, int64_t timeout_ms,
                      char why[160])
{
    for (int64_t waited = 0; waited < timeout_ms; waited += POLL_US / 1000) {
        size_t missing = 0;

        (void)usleep(POLL_US);
        upgrade->cli->error = (struct flt_error){ 0 };
        if (take_picture(upgrade, upgrade->after) != 0) {
            snprintf(why, 160, "%.150s", upgrade->cli->error.message);
            continue;
        }
        if (upgrade->after->incarnation <= upgrade->before->incarnation) {
            snprintf(why, 160, "the new process did not come up");
            continue;
        }
        for (size_t i = 0; i < upgrade->before->running; i++)
            missing += !runs(upgrade->after, upgrade->before->names[i]);
        if (strcmp(upgrade->after->version, version) != 0)
            snprintf(why, 160, "it says version %s, not %s", upgrade->after->version, version);
        else if (missing > 0)
            snprintf(why, 160, "%zu of %zu bots are not running again", missing,
                     upgrade->before->running);
        else
            return true;
    }
    return false;
}

static int roll_back(struct upgrade *upgrade, const char *why)
{
    char more[160];
    bool back;
    int err;

    out_note(upgrade->cli, "%s: going back to %s", why, upgrade->old);
    err = choose(upgrade, upgrade->old);
    if (!err)
        err = restart(upgrade, true);
    upgrade->before->incarnation = upgrade->after->incarnation > upgrade->before->incarnation
                                       ? upgrade->after->incarnation
                                       : upgrade->before->incarnation;
    back = !err && wait_back(upgrade, upgrade->before->version, WAIT_MS, more);
    upgrade->cli->error = (struct flt_error){ 0 };
    return CLI_FAIL(upgrade->cli, FLT_UNAVAILABLE, "program",
                    back ? "every bot runs again" : "look at log/ of the fleet's folder",
                    "not upgraded, %s: %s", back ? "the old program is back" : "and still down",
                    why);
}

static int prepare(struct upgrade *upgrade)
{
    const char *given = cli_flag(upgrade->cli, "program");
    char path[BROKER_PATH_MAX];
    char *real;
    ssize_t size;
    int err =
        fleet_path(upgrade->cli->dir, path, &upgrade->cli->error, "run/%s.program", upgrade->node);

    if (err)
        return err;
    size = readlink(path, upgrade->old, sizeof upgrade->old - 1);
    if (size <= 0)
        return CLI_FAIL(upgrade->cli, FLT_NOT_FOUND, "NODE",
                        "on its own machine: install, then systemctl restart flotilla-node@NODE",
                        "%s is not run by flotilla up in %s", upgrade->node, upgrade->cli->dir);
    upgrade->old[size] = 0;
    if (!given) { /* the one beside this flotilla */
        err = program_find("flotilla-node", path, sizeof path, &upgrade->cli->error);
        if (err)
            return err;
        given = path;
    }
    real = realpath(given, NULL);
    if (!real)
        return CLI_FAIL(upgrade->cli, FLT_NOT_FOUND, "program", "", "there is no %s", given);
    snprintf(upgrade->program, sizeof upgrade->program, "%s", real);
    free(real);
    err = read_version(upgrade);
    return err ? err : take_picture(upgrade, upgrade->before);
}

static int upgrade_node(struct upgrade *upgrade)
{
    const int64_t wait =
        cli_flag(upgrade->cli, "wait") ? cli_duration_ms(cli_flag(upgrade->cli, "wait")) : WAIT_MS;
    char question[256], why[160] = "";
    int err = wait < 0 ? CLI_FAIL(upgrade->cli, FLT_INVALID_ARGUMENT, "wait", "30s, 2m", "--wait?")
                       : prepare(upgrade);

    if (err)
        return err;
    snprintf(question, sizeof question, "%s: %s to %s; its %zu running bots pause for a moment",
             upgrade->node, upgrade->before->version, upgrade->version, upgrade->before->running);
    err = cli_confirm(upgrade->cli, question);
    if (!err)
        err = choose(upgrade, upgrade->program);
    if (!err)
        err = restart(upgrade, false);
    if (err)
        return err;
    if (!wait_back(upgrade, upgrade->version, wait, why))
        return roll_back(upgrade, why);
    upgrade->cli->error = (struct flt_error){ 0 };
    if (upgrade->cli->json)
        printf("{\"node\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"bots\":%zu}\n", upgrade->node,
               upgrade->before->version, upgrade->version, upgrade->before->running);
    else
        printf("%s runs %s, and its %zu bots again\n", upgrade->node, upgrade->version,
               upgrade->before->running);
    return 0;
}

int cmd_node_upgrade(struct cli *cli)
{
    struct upgrade upgrade = { .cli = cli,
                               .node = cli_arg(cli, 0),
                               .before = calloc(1, sizeof(struct picture)),
                               .after = calloc(1, sizeof(struct picture)) };
    int err = upgrade.before && upgrade.after ? 0 : -ENOMEM;

    if (!err && !flt_name_ok(upgrade.node))
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "NODE", "flotilla node ls",
                       "that is not a node's name");
    if (!err)
        err = upgrade_node(&upgrade);
    free(upgrade.before);
    free(upgrade.after);
    return err;
}
