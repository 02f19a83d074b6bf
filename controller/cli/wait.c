/* Waiting until bots are what they should be, as their own nodes report it. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/bots.h"
#include "controller/cli/text.h"
#include "lib/json.h"

#define WAIT_MS_DEFAULT 30000
#define LINES_MAX 40 /* more bots than this: a count instead of a line each */

struct wait {
    struct session *session;
    struct wait_bot *bots;
    size_t count, left, failed;
    const char *const *goals;
    int64_t start_ns;
    bool late, interrupted, drawn;
};

static void say(struct wait *wait, const struct wait_bot *bot)
{
    const double seconds = (double)(flt_mono_ns(flt_clock_system()) - wait->start_ns) / 1e9;
    const size_t done = wait->count - wait->left;

    if (wait->count > LINES_MAX && isatty(STDERR_FILENO) && wait->session->cli->people) {
        fprintf(stderr, "\r\033[K%zu of %zu %s", done, wait->count, wait->goals[0]);
        wait->drawn = true;
    } else if (wait->count <= LINES_MAX || bot->failed || wait->left == 0) {
        out_note(wait->session->cli, "%s %s after %.1f s%s%s  (%zu of %zu)", bot->name, bot->phase,
                 seconds, *bot->reason ? ": " : "", bot->reason, done, wait->count);
    }
}

static void take_state(struct wait *wait, struct wait_bot *bot, struct json_object *state)
{
    int64_t generation = -1;

    if (!flt_json_int(state, "generation", &generation) || generation < bot->generation)
        return;
    bot->heard = true;
    out_text(state, "phase", bot->phase, sizeof bot->phase);
    out_text(state, "reason.code", bot->reason, sizeof bot->reason);
    bot->halted = strcmp(bot->reason, "halt") == 0;
    out_text(state, "reason.message", bot->reason, sizeof bot->reason);
    for (const char *const *goal = wait->goals; *goal; goal++)
        bot->reached = bot->reached || strcmp(*goal, bot->phase) == 0;
    bot->failed = !bot->reached && strcmp(bot->phase, "error") == 0;
    if (!bot->reached && !bot->failed)
        return;
    wait->left--;
    wait->failed += bot->failed;
    say(wait, bot);
}

static void on_state(void *ctx, const char *topic, const struct flt_mqtt_message *message)
{
    struct wait *wait = ctx;
    struct json_object *state;
    char name[64];
    const size_t length = strlen(topic);

    if (length < 6 || strcmp(topic + length - 6, "/state") != 0)
        return;
    state = flt_json_parse(message->payload, message->payload_size, NULL);
    out_text(state, "bot", name, sizeof name);
    for (size_t i = 0; state && i < wait->count; i++) {
        struct wait_bot *bot = &wait->bots[i];

        if (!bot->reached && !bot->failed && strcmp(bot->name, name) == 0)
            take_state(wait, bot, state);
    }
    if (wait->left == 0)
        flt_loop_stop(wait->session->loop);
    json_object_put(state);
}

static void on_late(void *ctx)
{
    struct wait *wait = ctx;

    wait->late = true;
    flt_loop_stop(wait->session->loop);
}

static void on_signal(void *ctx, int signum)
{
    struct wait *wait = ctx;

    (void)signum;
    wait->interrupted = true;
    flt_loop_stop(wait->session->loop);
}

/* The first that is not there, as the example of all. */
static const struct wait_bot *first_left(const struct wait *wait)
{
    const struct wait_bot *first = NULL;

    for (size_t i = 0; i < wait->count && !first; i++)
        if (wait->bots[i].failed || (!wait->failed && !wait->bots[i].reached))
            first = &wait->bots[i];
    return first;
}

static int wait_result(struct cli *cli, const struct wait *wait, int64_t limit_ms)
{
    const struct wait_bot *bot = first_left(wait);
    const size_t reached = wait->count - wait->left - wait->failed;
    char hint[128];

    if (!bot)
        return 0;
    snprintf(hint, sizeof hint, "look again: flotilla bot show %s%s", bot->name,
             wait->failed ? "; flotilla bot logs" : "");
    if (wait->interrupted) {
        cli->exit_code = CLI_EXIT_INTERRUPTED;
        snprintf(hint, sizeof hint, "look again: flotilla bot ls%s%s", wait->count == 1 ? " " : "",
                 wait->count == 1 ? bot->name : "");
        return CLI_FAIL(cli, FLT_UNAVAILABLE, "wait", hint,
                        "interrupted with %zu of %zu %s; the fleet goes on without this command",
                        reached, wait->count, wait->goals[0]);
    }
    if (reached)
        cli->exit_code = CLI_EXIT_PARTLY;
    if (wait->failed)
        return CLI_FAIL(cli, FLT_CONFLICT, "bot", hint, "%s ended in error%s%s%s", bot->name,
                        *bot->reason ? ": " : "", bot->reason,
                        wait->failed > 1 ? ", and others" : "");
    if (bot->halted)
        snprintf(hint, sizeof hint, "a halt holds it: flotilla halts, then flotilla resume");
    return CLI_FAIL(cli, FLT_UNAVAILABLE, "wait", hint,
                    "%s is not %s after %" PRId64 " %s: %s%s%s%s", bot->name, wait->goals[0],
                    limit_ms < 1000 ? limit_ms : limit_ms / 1000, limit_ms < 1000 ? "ms" : "s",
                    bot->heard ? bot->phase : "no word from its node yet", *bot->reason ? ", " : "",
                    bot->reason,
                    wait->left > 1 ? "; nor are others; it goes on without this command"
                                   : "; it goes on without this command");
}

int bots_wait(struct session *session, struct wait_bot *bots, size_t count,
              const char *const *goals)
{
    struct cli *cli = session->cli;
    const char *text = cli_flag(cli, "wait");
    const int64_t limit_ms = text ? cli_duration_ms(text) : WAIT_MS_DEFAULT;
    struct wait wait = { .session = session,
                         .bots = bots,
                         .count = count,
                         .left = count,
                         .goals = goals,
                         .start_ns = flt_mono_ns(flt_clock_system()) };
    struct flt_timer *timer = NULL;
    int err;

    if (limit_ms <= 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "wait", "for example --wait=30s",
                        "--wait is not a duration: %.64s", text);
    session->ctx = &wait;
    session->on_message = on_state;
    err = flt_timer_create(session->loop, on_late, &wait, &timer);
    if (!err)
        err = flt_loop_on_signal(session->loop, on_signal, &wait);
    if (!err) /* the retained states come first */
        err = bus_subscribe(session->bus, "n/+/b/+/state");
    if (!err) {
        flt_timer_start(timer, (uint64_t)limit_ms, 0);
        while (wait.left && !wait.late && !wait.interrupted)
            flt_loop_run(session->loop);
    }
    flt_timer_destroy(timer);
    session->on_message = NULL;
    if (flt_loop_on_signal(session->loop, NULL, NULL) != 0 && !err) /* `wait` ends here */
        err = -EIO;
    if (wait.drawn)
        fputs("\r\033[K", stderr);
    return err ? err : wait_result(cli, &wait, limit_ms);
}
