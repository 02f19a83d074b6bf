/* flotilla chaos: kills and freezes the processes of one's own demo, then shows whether the books
 * are right. Only a demo of `flotilla up` on this machine: nothing here touches a fleet that
 * trades. The plan comes from a seed; the broker and the simulator take part like everybody else.
 */
#define FLT_MOD "chaos"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/commands.h"
#include "controller/cli/doctor.h"
#include "controller/cli/procs.h"
#include "controller/cli/session.h"
#include "lib/json.h"

#define STEPS_MAX 64
#define STEP_EVERY_MS 5000
#define FREEZE_MS_MAX 12000
#define SETTLE_MS 90000
#define AGAIN_MS 500

struct step {
    int64_t at_ms;
    int64_t freeze_ms; /* 0: killed */
    const char *name;
};

struct chaos {
    struct cli *cli;
    struct fleet fleet;
    char run_dir[BROKER_PATH_MAX];
    struct step steps[STEPS_MAX];
    size_t count;
    int64_t seed, length_ms;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static int64_t now_ms(void)
{
    return flt_mono_ms(flt_clock_system());
}

/* splitmix64: the plan of a seed is the same on every machine. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void make_plan(struct chaos *chaos)
{
    static const char *const names[] = { "node-1",     "node-2", "node-1", "node-2",
                                         "controller", "broker", "sim",    "dashboard" };
    uint64_t state = (uint64_t)chaos->seed;
    int64_t at_ms = 0;

    for (chaos->count = 0; chaos->count < STEPS_MAX; chaos->count++) {
        struct step *step = &chaos->steps[chaos->count];

        at_ms += 1000 + (int64_t)(next(&state) % (2 * STEP_EVERY_MS - 1000));
        step->at_ms = at_ms;
        step->name = names[next(&state) % FLT_COUNT(names)];
        step->freeze_ms =
            next(&state) % 3 == 0 ? 1000 + (int64_t)(next(&state) % FREEZE_MS_MAX) : 0;
        if (at_ms >= chaos->length_ms && chaos->count > 0)
            break;
    }
}

static void print_plan(const struct chaos *chaos)
{
    out_note(chaos->cli, "seed %" PRId64 ", %.0f s on the demo in %s:", chaos->seed,
             (double)chaos->length_ms / 1000, chaos->cli->dir);
    for (size_t i = 0; i < chaos->count; i++) {
        const struct step *step = &chaos->steps[i];

        if (step->freeze_ms)
            out_note(chaos->cli, "  %5.1f s  freeze %s for %.1f s", (double)step->at_ms / 1000,
                     step->name, (double)step->freeze_ms / 1000);
        else
            out_note(chaos->cli, "  %5.1f s  kill -9 %s", (double)step->at_ms / 1000, step->name);
    }
}

/* Sleeps until then; false: somebody pressed Ctrl-C. */
static bool sleep_until(int64_t at_ms)
{
    while (!interrupted && now_ms() < at_ms)
        (void)poll(NULL, 0, (int)(at_ms - now_ms()));
    return !interrupted;
}

/* The pid file says which process it means; a name that is not running now is passed over. */
static void carry_out(const struct chaos *chaos, const struct step *step)
{
    const pid_t pid = pidfile_alive(chaos->run_dir, step->name);

    if (!pid) {
        out_note(chaos->cli, "%s does not run just now", step->name);
        return;
    }
    out_note(chaos->cli, "%s %s (pid %d)", step->freeze_ms ? "freezing" : "killing", step->name,
             (int)pid);
    if (!step->freeze_ms) {
        (void)kill(pid, SIGKILL);
        return;
    }
    if (kill(pid, SIGSTOP) != 0)
        return;
    (void)sleep_until(now_ms() + step->freeze_ms);
    if (pidfile_alive(chaos->run_dir, step->name) == pid)
        (void)kill(pid, SIGCONT);
}

static void play(const struct chaos *chaos)
{
    const int64_t begin_ms = now_ms();

    for (size_t i = 0; i < chaos->count && sleep_until(begin_ms + chaos->steps[i].at_ms); i++)
        carry_out(chaos, &chaos->steps[i]);
}

/* --- the verdict ---------------------------------------------------------------------------------
 */

/* 0 when each bot that should run says that it does; how many do not, or negative. */
static int not_running(struct session *session)
{
    struct json_object *result = NULL;
    int missing = 0;

    if (session_list(session, "bot-ls", json_object_new_object(), 0, &result) != 0)
        return -EIO;
    struct json_object *items = flt_json_get(result, "items");

    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *bot = json_object_array_get_idx(items, i);
        char run[16], phase[16];

        out_text(bot, "run", run, sizeof run);
        out_text(bot, "phase", phase, sizeof phase);
        missing += strcmp(run, "running") == 0 && strcmp(phase, "running") != 0;
    }
    json_object_put(result);
    return missing;
}

/* Everything was restarted by `up`; all bots find back by themselves. */
static int settle(struct cli *cli)
{
    const int64_t end_ms = now_ms() + SETTLE_MS;
    int missing = -EIO;

    while (now_ms() < end_ms && !interrupted) {
        struct session session = { 0 };

        if (session_open(&session, cli) == 0)
            missing = not_running(&session);
        session_close(&session);
        if (missing == 0) {
            cli->error = (struct flt_error){ 0 };
            return 0;
        }
        (void)sleep_until(now_ms() + AGAIN_MS);
    }
    return CLI_FAIL(cli, FLT_UNAVAILABLE, "", "flotilla doctor",
                    missing > 0 ? "%d bots do not run again" : "the fleet does not answer",
                    missing);
}

static int compare(struct cli *cli, struct json_object **report)
{
    struct session session = { 0 };
    int err = session_open(&session, cli);

    if (!err)
        err = reconcile(&session, report);
    session_close(&session);
    return err;
}

static int judge(struct chaos *chaos, int64_t settled_ms)
{
    const int64_t end_ms = now_ms() + SETTLE_MS;
    struct cli *cli = chaos->cli;
    struct json_object *report = NULL;
    int64_t fills = 0;
    bool equal = false;
    int err;

    /* The simulator may be the one that is just being started again. */
    while ((err = compare(cli, &report)) && now_ms() < end_ms && !interrupted)
        (void)sleep_until(now_ms() + AGAIN_MS);
    if (err)
        return err;
    cli->error = (struct flt_error){ 0 };
    flt_json_bool(report, "equal", &equal);
    flt_json_int(report, "fills", &fills);
    json_object_object_add(report, "seed", json_object_new_int64(chaos->seed));
    json_object_object_add(report, "steps", json_object_new_int64((int64_t)chaos->count));
    json_object_object_add(report, "settled_ms", json_object_new_int64(settled_ms));
    if (cli->json)
        out_json(report);
    else
        printf("seed %" PRId64 ": %zu blows, all bots run again after %.1f s, %" PRId64
               " fills: books and venue %s\n",
               chaos->seed, chaos->count, (double)settled_ms / 1000, fills,
               equal ? "agree to the last digit" : "DIFFER; see: flotilla doctor --reconcile");
    json_object_put(report);
    cli->exit_code = equal ? 0 : flt_error_exit_code(FLT_CONFLICT);
    return 0;
}

/* --- the command ---------------------------------------------------------------------------------
 */

static int read_flags(struct chaos *chaos)
{
    struct cli *cli = chaos->cli;
    const char *seed = cli_flag(cli, "seed"), *length = cli_flag(cli, "for");
    char *end = NULL;

    chaos->seed = seed ? strtoll(seed, &end, 10) : flt_wall_ms(flt_clock_system()) / 1000 % 1000000;
    if (seed && (*end || end == seed || chaos->seed < 0))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "seed", "", "--seed is a number from 0 on");
    chaos->length_ms = length ? cli_duration_ms(length) : 60000;
    if (chaos->length_ms < 1000 || chaos->length_ms > STEPS_MAX * STEP_EVERY_MS)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "for", "", "--for is a time from 1s to 5m");
    return 0;
}

static int open_fleet(struct chaos *chaos)
{
    struct cli *cli = chaos->cli;
    int err = fleet_load(cli->dir, &chaos->fleet, &cli->error);

    if (!err && !chaos->fleet.demo)
        return CLI_FAIL(cli, FLT_DENIED, "dir", "flotilla up --demo --dir SOMEWHERE-ELSE",
                        "%s is no demo: chaos kills processes, and does so only to demos",
                        cli->dir);
    if (!err)
        err = fleet_path(cli->dir, chaos->run_dir, &cli->error, "run");
    if (!err && !pidfile_alive(chaos->run_dir, "up"))
        return CLI_FAIL(cli, FLT_UNAVAILABLE, "dir", "flotilla up --demo",
                        "the fleet in %s does not run: nobody would start again what is killed",
                        cli->dir);
    return err;
}

int cmd_chaos(struct cli *cli)
{
    struct chaos chaos = { .cli = cli };
    const struct sigaction action = { .sa_handler = on_signal };
    int err = read_flags(&chaos);

    if (!err)
        err = open_fleet(&chaos);
    if (err)
        return err;
    make_plan(&chaos);
    print_plan(&chaos);
    if (cli_has(cli, "dry-run"))
        return 0;
    err = cli_confirm(cli, "Do that to the demo?");
    if (err)
        return err;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    play(&chaos);
    const int64_t calm_ms = now_ms();

    out_note(cli, "that was all; waiting until every bot runs again");
    err = settle(cli);
    if (interrupted) {
        cli->error = (struct flt_error){ 0 };
        cli->exit_code = CLI_EXIT_INTERRUPTED;
        return 0;
    }
    return err ? err : judge(&chaos, now_ms() - calm_ms);
}
