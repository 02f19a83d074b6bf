/* flotilla bot parity: a bot is recorded where it runs, and the recording played through the same
 * engine here: the same inputs must give the same orders. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backtest/parity.h"
#include "controller/cli/commands.h"
#include "controller/cli/session.h"
#include "lib/json.h"

#define FOR_DEFAULT_MS 60000
#define FOR_MAX_MS (INT64_C(24) * 3600 * 1000)
#define SPARE_S 30 /* by which a recording outlives us when nobody ends it */
#define PROGRESS_MS 10000

struct wait {
    struct session *session;
    struct flt_timer *timer;
    const char *bot;
    int64_t for_ms, left_ms;
};

static void on_interrupt(void *ctx, int signum)
{
    const struct wait *wait = ctx;

    (void)signum;
    out_note(wait->session->cli, "ended early; what was recorded is replayed");
    flt_loop_stop(wait->session->loop);
}

static void on_progress(void *ctx)
{
    struct wait *wait = ctx;
    const int64_t step = wait->left_ms < PROGRESS_MS ? wait->left_ms : PROGRESS_MS;

    if (step == 0) {
        flt_loop_stop(wait->session->loop);
        return;
    }
    if (wait->left_ms < wait->for_ms && isatty(STDERR_FILENO))
        out_note(wait->session->cli, "%s: %" PRId64 " of %" PRId64 " s", wait->bot,
                 (wait->for_ms - wait->left_ms) / 1000, wait->for_ms / 1000);
    wait->left_ms -= step;
    flt_timer_start(wait->timer, (uint64_t)step, 0);
}

static int wait_for(struct wait *wait)
{
    int err = flt_timer_create(wait->session->loop, on_progress, wait, &wait->timer);

    if (!err)
        err = flt_loop_on_signal(wait->session->loop, on_interrupt, wait);
    if (!err) {
        flt_timer_start(wait->timer, 0, 0);
        flt_loop_run(wait->session->loop);
    }
    flt_timer_destroy(wait->timer);
    return err;
}

static int ask(struct session *session, const char *bot, int64_t ttl_s, struct json_object **result)
{
    struct json_object *args = args_of("bot", bot, NULL);

    json_object_object_add(args, "ttl_s", json_object_new_int64(ttl_s));
    return session_ask(session, "bot-record", args, result);
}

/* Where the node has put it: under the fleet's folder, as long as it runs on this machine. */
static int find_file(const struct session *session, struct json_object *result, char *path)
{
    struct cli *cli = session->cli;
    const char *node = "", *file = "";
    int err;

    if (!flt_json_str(result, "node", &node) || !flt_json_str(result, "file", &file))
        return CLI_FAIL(cli, FLT_INTERNAL, "", "", "the node does not say where its recording is");
    err = fleet_path(session->fleet.dir, path, &cli->error, "%s/%s", node, file);
    if (!err && access(path, R_OK) != 0)
        return CLI_FAIL(cli, FLT_UNAVAILABLE, "bot",
                        "copy it from there, then: flotilla bot parity --file FILE",
                        "the recording is on the machine of node %s, in its folder as %s", node,
                        file);
    return err;
}

static int record(struct cli *cli, const char *bot, int64_t for_ms, char *path)
{
    struct session session = { 0 };
    struct wait wait = { .session = &session, .bot = bot, .for_ms = for_ms, .left_ms = for_ms };
    struct json_object *begun = NULL, *result = NULL;
    const char *ended = "";
    int err = session_open(&session, cli);

    if (!err)
        err = ask(&session, bot, for_ms / 1000 + SPARE_S, &begun);
    if (!err) {
        out_note(cli, "records %s for %" PRId64 " s", bot, for_ms / 1000);
        err = wait_for(&wait);
    }
    if (!err)
        err = ask(&session, bot, 0, &result);
    if (!err && flt_json_str(result, "ended", &ended) && strcmp(ended, "it was asked to end") != 0)
        out_note(cli, "the recording ended before its time: %s", ended);
    if (!err)
        err = find_file(&session, result, path);
    json_object_put(begun);
    json_object_put(result);
    session_close(&session);
    return err;
}

/* --- printing
 * ------------------------------------------------------------------------------------- */

/* What was asked for then and what now, one below the other: as columns they fit no terminal. */
static void print_difference(const struct parity_difference *row)
{
    char time[FLT_ISO_MAX];

    printf("%s  %s, input %" PRIu64 " (%s)\n", flt_iso_format(row->ts_ms, time),
           parity_what_name(row->what), row->input, row->input_kind);
    printf("  recorded  %s\n", *row->expected ? row->expected : "-");
    printf("  replayed  %s\n", *row->got ? row->got : "-");
}

static void print_report(struct cli *cli, const struct parity_report *report,
                         struct json_object *tree)
{
    if (cli->json) {
        out_json(tree);
        return;
    }
    for (size_t i = 0; i < report->shown_count; i++)
        print_difference(&report->shown[i]);
    if (report->differences > report->shown_count)
        printf("... and %" PRIu64 " more\n", report->differences - report->shown_count);
    printf("%s (%s), %.1f s: %" PRIu64 " inputs, %" PRIu64 " orders placed, %" PRIu64
           " cancelled, %" PRIu64 " fills, %" PRIu64 " records\n",
           report->bot, report->strategy, (double)(report->to_ms - report->from_ms) / 1000.0,
           report->inputs, report->placed, report->cancelled, report->fills, report->records);
    printf("%" PRIu64 " %s\n", report->differences,
           report->differences == 1 ? "difference" : "differences");
    if (strcmp(report->version, FLT_VERSION) != 0)
        printf("recorded by version %s, replayed by %s\n", report->version, FLT_VERSION);
}

static int replay(struct cli *cli, const char *path)
{
    struct parity_report *report = calloc(1, sizeof *report);
    struct flt_buf buf = FLT_BUF_INIT;
    struct json_object *tree = NULL;
    int err = report ? parity_file(path, report, &cli->error) : -ENOMEM;

    if (!err) {
        flt_jw_begin(&buf, NULL, '{');
        flt_jw_str(&buf, "file", path);
        parity_write(report, &buf);
        flt_jw_end(&buf, '}');
        tree = buf.failed ? NULL : flt_json_parse(buf.data, buf.length, &cli->error);
        err = tree ? 0 : -ENOMEM;
    }
    if (!err) {
        print_report(cli, report, tree);
        cli->exit_code = report->differences ? flt_error_exit_code(FLT_CONFLICT) : 0;
    }
    json_object_put(tree);
    flt_buf_finish(&buf);
    free(report);
    return err;
}

int cmd_bot_parity(struct cli *cli)
{
    const char *bot = cli_arg(cli, 0), *file = cli_flag(cli, "file"), *text = cli_flag(cli, "for");
    const int64_t for_ms = text ? cli_duration_ms(text) : FOR_DEFAULT_MS;
    char path[CLI_DIR_MAX + 64];
    int err;

    if (!bot == !file)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, bot ? "file" : "bot",
                        "flotilla bot parity BOT, or --file FILE",
                        "give a bot to record or a recording, one of both");
    if (for_ms < 1000 || for_ms > FOR_MAX_MS)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "for", "", "--for is a time of 1s to 24h");
    if (file)
        return replay(cli, file);
    err = record(cli, bot, for_ms, path);
    return err ? err : replay(cli, path);
}
