/* flotilla bot deploy; manifests are in cmd_apply.c. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "lib/json.h"

/* --- deploying
 * ------------------------------------------------------------------------------------------ */

/* As YAML would read a plain word: true, false and integers are those, [11,22] is a list, all else
 * is text, so that a price keeps its digits. */
struct json_object *manifest_value(const char *text)
{
    char *end;

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_object_new_boolean(text[0] == 't');
    errno = 0;
    const long long value = strtoll(text, &end, 10);

    if (*text && !*end && !errno)
        return json_object_new_int64(value);
    struct json_object *list = *text == '[' ? flt_json_parse(text, strlen(text), NULL) : NULL;

    return list ? list : json_object_new_string(text);
}

/* --param levels=20 --param lower=60000: an object of its pairs; NULL: none was given. */
static int read_pairs(struct cli *cli, const char *flag, struct json_object *bot, const char *key)
{
    struct json_object *pairs = json_object_new_object();
    const char *text;

    for (size_t i = 0; (text = cli_nth(cli, flag, i)); i++) {
        const char *equals = strchr(text, '=');
        char name[64];

        if (!equals || equals == text || (size_t)(equals - text) >= sizeof name) {
            json_object_put(pairs);
            return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, flag, "for example --param levels=20",
                            "--%s is key=value, not %.64s", flag, text);
        }
        snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        json_object_object_add(pairs, name, manifest_value(equals + 1));
    }
    if (json_object_object_length(pairs))
        json_object_object_add(bot, key, pairs);
    else
        json_object_put(pairs);
    return 0;
}

/* Without --mode: live through an account (a real one also needs --live), else paper. */
static const char *choose_mode(struct cli *cli)
{
    const char *mode = cli_flag(cli, "mode");

    return mode ? mode : cli_has(cli, "live") || cli_flag(cli, "account") ? "live" : "paper";
}

static int read_bot(struct cli *cli, struct json_object **out)
{
    static const char *const needed[] = { "name", "strategy", "instrument" };
    struct json_object *placement =
        args_of("node", cli_flag(cli, "node"), "failover", cli_flag(cli, "failover"), NULL);

    *out = args_of("name", cli_flag(cli, "name"), "strategy", cli_flag(cli, "strategy"), "account",
                   cli_flag(cli, "account"), "venue", cli_flag(cli, "venue"), "instrument",
                   cli_flag(cli, "instrument"), "mode", choose_mode(cli), "note",
                   cli_flag(cli, "note"), NULL);
    if (json_object_object_length(placement))
        json_object_object_add(*out, "placement", placement);
    else
        json_object_put(placement);
    for (size_t i = 0; i < FLT_COUNT(needed); i++)
        if (!cli_flag(cli, needed[i]))
            return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, needed[i], "see: flotilla bot deploy --help",
                            "a bot needs --%s", needed[i]);
    int err = read_pairs(cli, "param", *out, "params");

    return err ? err : read_pairs(cli, "risk", *out, "risk");
}

void deploy_switches(struct cli *cli, struct json_object *args)
{
    if (cli_has(cli, "live"))
        json_object_object_add(args, "live", json_object_new_boolean(true));
    if (cli_has(cli, "dry-run"))
        json_object_object_add(args, "dry_run", json_object_new_boolean(true));
    if (cli_has(cli, "stopped"))
        json_object_object_add(args, "start", json_object_new_boolean(false));
}

/* All rows that a deploy recorded, until each runs (or is stopped, with --stopped). */
int deploy_wait(struct session *session, struct json_object *rows)
{
    static const char *const running[] = { "running", NULL };
    static const char *const stopped[] = { "stopped", "flat", NULL };
    struct cli *cli = session->cli;
    const size_t count = json_object_array_length(rows);
    struct wait_bot *bots;

    if (!cli_has(cli, "wait") || cli_has(cli, "dry-run") || count == 0)
        return 0;
    bots = calloc(count, sizeof *bots);
    if (!bots)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);

        out_text(row, "bot", bots[i].name, sizeof bots[i].name);
        flt_json_int(row, "generation", &bots[i].generation);
    }
    int err = bots_wait(session, bots, count, cli_has(cli, "stopped") ? stopped : running);

    free(bots);
    return err;
}

static const struct column deployed_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },         { "NODE", "node", COLUMN_TEXT },
    { "RUN", "run", COLUMN_TEXT },         { "GENERATION", "generation", COLUMN_NUMBER },
    { "CREATED", "created", COLUMN_TEXT }, { "CHANGED", "changed", COLUMN_TEXT },
    { NULL, NULL, COLUMN_TEXT },
};

static void print_deployed(struct cli *cli, struct json_object *result, struct json_object *rows)
{
    out_list(cli, result, rows, deployed_columns);
    if (cli_has(cli, "dry-run"))
        out_note(cli, "dry run: nothing was changed");
}

int cmd_bot_deploy(struct cli *cli)
{
    struct session session = { 0 };
    struct json_object *bot = NULL, *result = NULL, *args, *rows;
    int err = read_bot(cli, &bot);

    if (!err)
        err = session_open(&session, cli);
    if (err) {
        json_object_put(bot);
        session_close(&session);
        return err;
    }
    args = json_object_new_object();
    json_object_object_add(args, "bot", bot);
    deploy_switches(cli, args);
    err = session_ask(&session, "bot-deploy", args, &result);
    rows = json_object_new_array();
    if (!err)
        json_object_array_add(rows, json_object_get(result));
    if (!err)
        err = deploy_wait(&session, rows);
    session_close(&session);
    if (!err)
        print_deployed(cli, result, rows);
    json_object_put(rows);
    json_object_put(result);
    return err;
}
