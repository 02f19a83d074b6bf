/* flotilla bot: list, show, start, stop and follow bots; deploying them is in cmd_deploy.c. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "lib/json.h"

const struct column bot_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },
    { "NODE", "node", COLUMN_TEXT },
    { "PHASE", "phase", COLUMN_STATE },
    { "STRATEGY", "strategy", COLUMN_TEXT },
    { "INSTRUMENT", "instrument", COLUMN_TEXT },
    { "MODE", "mode", COLUMN_TEXT },
    { "POSITION", "position", COLUMN_NUMBER },
    { "EQUITY", "equity", COLUMN_SIGNED },
    { "FILLS", "fills", COLUMN_NUMBER },
    { "ORDERS", "orders_open", COLUMN_NUMBER },
    { "AGE", "age_ms", COLUMN_SPAN },
    { "ACCOUNT", "account", COLUMN_TEXT | COLUMN_WIDE },
    { "VENUE", "venue", COLUMN_TEXT | COLUMN_WIDE },
    { "RUN", "run", COLUMN_TEXT | COLUMN_WIDE },
    { "PRICE", "price", COLUMN_NUMBER | COLUMN_WIDE },
    { "REALISED", "realised", COLUMN_SIGNED | COLUMN_WIDE },
    { "UNREALISED", "unrealised", COLUMN_SIGNED | COLUMN_WIDE },
    { "FEES", "fees", COLUMN_TEXT | COLUMN_WIDE },
    { "EPOCH", "epoch", COLUMN_NUMBER | COLUMN_WIDE },
    { "GENERATION", "generation", COLUMN_NUMBER | COLUMN_WIDE },
    { "REASON", "reason.message|reason.code", COLUMN_TEXT | COLUMN_WIDE },
    { NULL, NULL, COLUMN_TEXT },
};

int cmd_bot_ls(struct cli *cli)
{
    struct session session = { 0 };
    struct json_object *items = NULL, *document;
    int err = session_open(&session, cli);

    if (!err)
        err = bots_filtered(&session, &items);
    session_close(&session);
    if (err)
        return err;
    document = json_object_new_object();
    json_object_object_add(document, "items", items);
    out_list(cli, document, items, bot_columns);
    json_object_put(document);
    return 0;
}

int cmd_bot_show(struct cli *cli)
{
    struct json_object *result = NULL;
    int err = ask_once(cli, "bot-show", args_of("bot", cli_arg(cli, 0), NULL), &result);

    if (!err)
        out_object(cli, result);
    json_object_put(result);
    return err;
}

/* --- orders, fills, logs
 * ---------------------------------------------------------------------------------- */

int cmd_bot_orders(struct cli *cli)
{
    static const struct column columns[] = {
        { "INSTRUMENT", "instrument", COLUMN_TEXT },
        { "SIDE", "side", COLUMN_TEXT },
        { "TYPE", "type", COLUMN_TEXT },
        { "PRICE", "price", COLUMN_NUMBER },
        { "QTY", "qty", COLUMN_NUMBER },
        { "FILLED", "filled_qty", COLUMN_NUMBER },
        { "STATUS", "status", COLUMN_TEXT },
        { "ORDER", "order_id", COLUMN_TEXT },
        { "AGE", "ts_ms", COLUMN_AGE },
        { NULL, NULL, COLUMN_TEXT },
    };
    struct json_object *result = NULL;
    int err = ask_once(cli, "bot-orders", args_of("bot", cli_arg(cli, 0), NULL), &result);

    if (!err)
        out_list(cli, result, flt_json_get(result, "orders"), columns);
    json_object_put(result);
    return err;
}

static int read_limit(struct cli *cli, size_t fallback, size_t *out)
{
    const char *text = cli_flag(cli, "limit");
    char *end = NULL;
    const long value = text ? strtol(text, &end, 10) : (long)fallback;

    if ((text && *end) || value < 1 || value > 1000000)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "limit", "",
                        "--limit is a number of 1 to 1000000");
    *out = (size_t)value;
    return 0;
}

int cmd_bot_fills(struct cli *cli)
{
    static const struct column columns[] = {
        { "TIME", "ts_ms", COLUMN_TIME },
        { "BOT", "bot", COLUMN_TEXT },
        { "INSTRUMENT", "instrument", COLUMN_TEXT },
        { "SIDE", "side", COLUMN_TEXT },
        { "PRICE", "price", COLUMN_NUMBER },
        { "QTY", "qty", COLUMN_NUMBER },
        { "FEE", "fee", COLUMN_NUMBER },
        { "IN", "fee_asset", COLUMN_TEXT },
        { "LIQUIDITY", "liquidity", COLUMN_TEXT },
        { "TRADE", "trade_id", COLUMN_TEXT },
        { NULL, NULL, COLUMN_TEXT },
    };
    struct json_object *result = NULL;
    size_t limit = 0;
    int err = read_limit(cli, 50, &limit);

    if (!err)
        err = list_once(cli, "bot-fills", args_of("bot", cli_arg(cli, 0), NULL), limit, &result);
    if (!err)
        out_list(cli, result, flt_json_get(result, "items"), columns);
    json_object_put(result);
    return err;
}

static void print_log(const struct cli *cli, struct json_object *line)
{
    int64_t ts_ms = 0;
    char iso[FLT_ISO_MAX], level[16], event[64], text[512];

    if (cli->json) {
        out_json(line); /* with -f: one document a line */
        return;
    }
    flt_json_int(line, "ts_ms", &ts_ms);
    printf("%s %-5s %s %s\n", flt_iso_format(ts_ms, iso),
           out_text(line, "level", level, sizeof level),
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

int cmd_bot_logs(struct cli *cli)
{
    struct session session = { 0 };
    struct json_object *result = NULL, *lines;
    struct json_object *args = args_of("bot", cli_arg(cli, 0), NULL);
    const bool forever = cli_has(cli, "follow");
    size_t limit = 0;
    int err = read_limit(cli, 100, &limit);

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
    if (!err && cli->json && !forever)
        out_json(result);
    for (size_t i = 0;
         !err && lines && (forever || !cli->json) && i < json_object_array_length(lines); i++)
        print_log(cli, json_object_array_get_idx(lines, i));
    json_object_put(result);
    if (!err && forever)
        err = follow_log(&session, cli_arg(cli, 0));
    session_close(&session);
    return err;
}
