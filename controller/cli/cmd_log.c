/* flotilla bot logs and flotilla log: what happened and why, once or until Ctrl-C. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/ask.h"
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "lib/json.h"

static void print_log(const struct cli *cli, struct json_object *line)
{
    int64_t ts_ms = 0;
    char iso[FLT_ISO_MAX], level[16], event[64], text[512], source[64], bot[64];

    if (cli->json) {
        out_json(line); /* with -f: one document a line */
        return;
    }
    flt_json_int(line, "ts_ms", &ts_ms);
    out_text(line, "source", source, sizeof source);
    out_text(line, "bot", bot, sizeof bot);
    printf("%s %-5s %s%s%s%s%s %s\n", flt_iso_format(ts_ms, iso),
           out_text(line, "level", level, sizeof level), source, *source ? " " : "",
           *source ? bot : "", *source && *bot ? " " : "",
           out_text(line, "event", event, sizeof event), out_text(line, "text", text, sizeof text));
}

static void on_log(void *ctx, const char *topic, const struct flt_mqtt_message *message)
{
    const struct session *session = ctx;
    const char *last = strrchr(topic, '/');
    struct json_object *tree = flt_json_parse(message->payload, message->payload_size, NULL);
    struct json_object *line = flt_json_get(tree, "line");

    if (line && last && strcmp(last, "/log") == 0) {
        print_log(session->cli, line);
        if (fflush(stdout) != 0)
            flt_loop_stop(session->loop); /* the reader is gone */
    }
    json_object_put(tree);
}

static void on_interrupt(void *ctx, int signum)
{
    struct session *session = ctx;

    (void)signum;
    session->on_message = NULL;
    flt_loop_stop(session->loop);
}

struct follow {
    struct session *session;
    const char *bot;
};

static void on_watched(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct follow *follow = ctx;

    if (result)
        return;
    follow->session->cli->error = *error;
    flt_loop_stop(follow->session->loop);
}

/* A watch ends by itself after a minute, so it is asked again before. */
static void watch(void *ctx)
{
    struct follow *follow = ctx;
    struct json_object *args = args_of("bot", follow->bot, NULL);

    json_object_object_add(args, "ttl_s", json_object_new_int(60));
    bus_request(follow->session->bus, "bot-watch", args, follow->session->cli->timeout_ms,
                on_watched, follow);
}

static int follow_log(struct session *session, const char *bot)
{
    struct follow follow = { session, bot };
    struct flt_timer *timer = NULL;
    char filter[96];
    int err;

    snprintf(filter, sizeof filter, "n/+/b/%s/log", bot);
    err = bus_subscribe(session->bus, filter);
    if (!err)
        err = flt_timer_create(session->loop, watch, &follow, &timer);
    if (!err)
        err = flt_loop_on_signal(session->loop, on_interrupt, session);
    if (err)
        return err;
    flt_timer_start(timer, 0, 30000);
    flt_loop_run(session->loop);
    flt_timer_destroy(timer);
    return session->cli->error.code == FLT_OK ? 0 : -EIO;
}

static const struct column log_columns[] = {
    { "TIME", "ts_ms", COLUMN_TIME },    { "LEVEL", "level", COLUMN_STATE },
    { "SOURCE", "source", COLUMN_TEXT }, { "BOT", "bot", COLUMN_TEXT },
    { "EVENT", "event", COLUMN_TEXT },   { "TEXT", "text", COLUMN_TEXT },
    { NULL, NULL, COLUMN_TEXT },
};

/* People read lines, and so does who follows; programs get the list as any other. */
static void show_lines(struct cli *cli, struct json_object *result, struct json_object *lines,
                       bool forever)
{
    if (!cli->people && !forever) {
        out_list(cli, result, lines, log_columns);
        return;
    }
    for (size_t i = 0; lines && i < json_object_array_length(lines); i++)
        print_log(cli, json_object_array_get_idx(lines, i));
}

int cmd_bot_logs(struct cli *cli)
{
    struct session session = { 0 };
    struct json_object *result = NULL, *lines;
    struct json_object *args = args_of("bot", cli_arg(cli, 0), NULL);
    const bool forever = cli_has(cli, "follow");
    size_t limit = 0;
    int err = cli_limit(cli, 100, &limit);

    session.ctx = &session;
    session.on_message = on_log;
    json_object_object_add(args, "limit",
                           json_object_new_int64(limit < 1000 ? (int64_t)limit : 1000));
    if (!err)
        err = session_open(&session, cli);
    if (err)
        json_object_put(args);
    else
        err = session_ask(&session, "bot-logs", args, &result);
    lines = flt_json_get(result, "lines");
    if (!err)
        show_lines(cli, result, lines, forever);
    json_object_put(result);
    if (!err && forever)
        err = follow_log(&session, cli_arg(cli, 0));
    session_close(&session);
    return err;
}

/* --- the whole fleet's
 * ---------------------------------------------------------------------------------- */

struct tail {
    struct session *session;
    struct flt_timer *timer;
    size_t limit;
    int64_t last_ms; /* of what was printed */
    size_t at_last;  /* lines with that time that were printed */
    bool asked;
};

static struct json_object *log_args(const struct cli *cli, size_t limit)
{
    struct json_object *args =
        args_of("node", cli_flag(cli, "node"), "bot", cli_flag(cli, "bot"), "level",
                cli_flag(cli, "level"), "text", cli_flag(cli, "grep"), NULL);

    json_object_object_add(args, "limit",
                           json_object_new_int64(limit < 1000 ? (int64_t)limit : 1000));
    return args;
}

/* Lines come oldest first; those of the newest printed millisecond are counted off. */
static void print_new(struct tail *tail, struct json_object *items)
{
    size_t skip = tail->at_last;
    const int64_t seen_ms = tail->last_ms;

    for (size_t i = 0; items && i < json_object_array_length(items); i++) {
        struct json_object *line = json_object_array_get_idx(items, i);
        int64_t ts_ms = 0;

        flt_json_int(line, "ts_ms", &ts_ms);
        if (ts_ms < seen_ms || (ts_ms == seen_ms && skip)) {
            skip -= ts_ms == seen_ms;
            continue;
        }
        print_log(tail->session->cli, line);
        tail->at_last = ts_ms == tail->last_ms ? tail->at_last + 1 : 1;
        tail->last_ms = ts_ms;
    }
    if (fflush(stdout) != 0)
        flt_loop_stop(tail->session->loop); /* the reader is gone */
}

static void on_lines(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct tail *tail = ctx;

    tail->asked = false;
    if (result) {
        print_new(tail, flt_json_get(result, "items"));
    } else if (error->code != FLT_UNAVAILABLE) { /* away: it is asked again */
        tail->session->cli->error = *error;
        flt_loop_stop(tail->session->loop);
    }
}

static void ask_lines(void *ctx)
{
    struct tail *tail = ctx;
    struct cli *cli = tail->session->cli;

    if (tail->asked)
        return;
    tail->asked = true;
    bus_request(tail->session->bus, "log-ls", log_args(cli, tail->last_ms ? 1000 : tail->limit),
                cli->timeout_ms, on_lines, tail);
}

static int tail_log(struct session *session, size_t limit)
{
    struct tail tail = { .session = session, .limit = limit };
    int err = flt_timer_create(session->loop, ask_lines, &tail, &tail.timer);

    if (!err)
        err = flt_loop_on_signal(session->loop, on_interrupt, session);
    if (!err) {
        flt_timer_start(tail.timer, 0, 1000);
        flt_loop_run(session->loop);
    }
    flt_timer_destroy(tail.timer);
    if (err)
        return err;
    return session->cli->error.code == FLT_OK ? 0 : -EIO;
}

int cmd_log(struct cli *cli)
{
    struct session session = { 0 };
    struct json_object *result = NULL;
    size_t limit = 0;
    int err = cli_limit(cli, 100, &limit);

    if (!err)
        err = session_open(&session, cli);
    if (!err && cli_has(cli, "follow")) {
        err = tail_log(&session, limit);
    } else if (!err) {
        err = session_ask(&session, "log-ls", log_args(cli, limit), &result);
        if (!err)
            show_lines(cli, result, flt_json_get(result, "items"), false);
        json_object_put(result);
    }
    session_close(&session);
    return err;
}
