/* flotilla bot start, stop, pause, resume, rm: one bot, some, or all that match a filter. What will
 * happen is shown before it is asked for; each bot's outcome is a row. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "lib/json.h"

struct action {
    const char *verb, *word;  /* "bot-stop", "stop" */
    const char *const *goals; /* phases that --wait is content with; NULL: nothing to wait for */
    const char *effect;       /* for the preview */
    bool asks;                /* also for a bot that was named */
};

struct act {
    struct session *session;
    const struct action *action;
    struct json_object *rows; /* types/bot_row */
    size_t count;
    struct session_answers answers; /* in the rows' order */
};

static const char *bot_at(const struct act *act, size_t index)
{
    const char *bot = "";

    flt_json_str(json_object_array_get_idx(act->rows, index), "bot", &bot);
    return bot;
}

static struct json_object *args_for(const struct act *act, const char *bot)
{
    const struct cli *cli = act->session->cli;
    const bool stop = strcmp(act->action->verb, "bot-stop") == 0;
    const char *how = cli_has(cli, "flatten")  ? "flatten"
                      : cli_has(cli, "detach") ? "detach"
                                               : "cancel";
    struct json_object *args = args_of("bot", bot, stop ? "how" : NULL, stop ? how : NULL, NULL);

    if (cli_has(cli, "force"))
        json_object_object_add(args, "force", json_object_new_boolean(true));
    return args;
}

/* Asks for all; each answer that is an error gets its bot's name. */
static int run_all(struct act *act)
{
    struct json_object *args = json_object_new_array();

    act->count = json_object_array_length(act->rows);
    for (size_t i = 0; i < act->count; i++)
        json_object_array_add(args, args_for(act, bot_at(act, i)));
    int err = session_ask_many(act->session, act->action->verb, args, &act->answers);

    json_object_put(args);
    for (size_t i = 0; i < act->count && !err; i++)
        json_object_object_add(json_object_array_get_idx(act->answers.rows, i), "bot",
                               json_object_new_string(bot_at(act, i)));
    return err;
}

static int wait_all(struct act *act)
{
    struct wait_bot *bots = calloc(act->count, sizeof *bots);
    size_t count = 0;

    if (!bots)
        return -ENOMEM;
    for (size_t i = 0; i < act->count; i++) {
        struct json_object *row = json_object_array_get_idx(act->answers.rows, i);

        if (flt_json_get(row, "error"))
            continue;
        snprintf(bots[count].name, sizeof bots->name, "%s", bot_at(act, i));
        flt_json_int(row, "generation", &bots[count++].generation);
    }
    int err = count ? bots_wait(act->session, bots, count, act->action->goals) : 0;

    for (size_t i = 0, k = 0; i < act->count; i++) {
        struct json_object *row = json_object_array_get_idx(act->answers.rows, i);

        if (flt_json_get(row, "error"))
            continue;
        if (*bots[k].phase)
            json_object_object_add(row, "phase", json_object_new_string(bots[k].phase));
        k++;
    }
    free(bots);
    return err;
}

/* --- removal waits for what was told to stop
 * ------------------------------------------------------------------------------------------------
 */

static const char *const stopped[] = { "stopped", "flat", NULL };

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

/* A bot that nobody ever heard of is waited for only while its node can speak. */
static bool can_speak(struct session *session, const char *node)
{
    struct json_object *shown = NULL;
    char state[24] = "";

    if (session_ask(session, "node-show", args_of("node", node, NULL), &shown) == 0)
        out_text(shown, "node.state", state, sizeof state);
    else
        session->cli->error = (struct flt_error){ 0 }; /* bot-rm itself will say more */
    json_object_put(shown);
    return strcmp(state, "up") == 0 || strcmp(state, "suspect") == 0;
}

/* It was told to stop, and the controller has not heard yet that it is done. */
static bool is_on_its_way(struct session *session, struct json_object *row)
{
    char run[24], phase[24], node[64];
    int64_t generation = 0, applied = -1;

    if (!is_one_of(out_text(row, "run", run, sizeof run), stopped))
        return false;
    if (!*out_text(row, "phase", phase, sizeof phase))
        return can_speak(session, out_text(row, "node", node, sizeof node));
    flt_json_int(row, "generation", &generation);
    flt_json_int(row, "applied", &applied);
    return applied < generation || !is_one_of(phase, stopped);
}

/* `flotilla bot stop X && flotilla bot rm X`: no order may be left when it goes. */
static int wait_for_rest(struct act *act)
{
    struct cli *cli = act->session->cli;
    const size_t count = json_object_array_length(act->rows);
    struct wait_bot *bots = calloc(count, sizeof *bots);
    size_t waiting = 0;
    int err = bots ? 0 : -ENOMEM;

    for (size_t i = 0; i < count && bots; i++) {
        struct json_object *row = json_object_array_get_idx(act->rows, i);

        if (!is_on_its_way(act->session, row))
            continue;
        snprintf(bots[waiting].name, sizeof bots->name, "%s", bot_at(act, i));
        flt_json_int(row, "generation", &bots[waiting++].generation);
    }
    if (waiting) {
        out_note(cli, "%s%s told to stop; it is removed once it has: waiting", bots[0].name,
                 waiting > 1 ? " and others were" : " was");
        err = bots_wait(act->session, bots, waiting, stopped);
    }
    if (err && waiting) {
        char hint[sizeof cli->error.hint];

        snprintf(hint, sizeof hint, "nothing was removed; %.160s", cli->error.hint);
        memcpy(cli->error.hint, hint, sizeof hint);
        cli->exit_code = cli->exit_code == CLI_EXIT_PARTLY ? 0 : cli->exit_code;
    }
    free(bots);
    return err;
}

/* --- before anything is asked for
 * ---------------------------------------------------------------------- */

static const struct column plan_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },         { "NODE", "node", COLUMN_TEXT },
    { "PHASE", "phase", COLUMN_STATE },    { "INSTRUMENT", "instrument", COLUMN_TEXT },
    { "MODE", "mode", COLUMN_TEXT },       { "POSITION", "position", COLUMN_NUMBER },
    { "EQUITY", "equity", COLUMN_SIGNED }, { "ORDERS", "orders_open", COLUMN_NUMBER },
    { NULL, NULL, COLUMN_TEXT },
};

static void sentence(const struct act *act, char *out, size_t size)
{
    const struct cli *cli = act->session->cli;
    const size_t count = json_object_array_length(act->rows);
    int64_t orders = 0, open;
    size_t live = 0;
    const char *mode = "";

    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(act->rows, i);

        if (flt_json_int(row, "orders_open", &open))
            orders += open;
        live += flt_json_str(row, "mode", &mode) && strcmp(mode, "live") == 0;
    }
    const int used = snprintf(out, size, "%s %zu %s (%zu live)", act->action->word, count,
                              count == 1 ? "bot" : "bots", live);

    if (cli_has(cli, "flatten"))
        snprintf(out + used, size - (size_t)used,
                 ": %lld open orders are cancelled, positions are sold or bought back at market",
                 (long long)orders);
    else if (cli_has(cli, "detach"))
        snprintf(out + used, size - (size_t)used, ": %lld open orders stay at the venue, unwatched",
                 (long long)orders);
    else if (strcmp(act->action->word, "stop") == 0)
        snprintf(out + used, size - (size_t)used,
                 ": %lld open orders are cancelled, positions stay", (long long)orders);
    else
        snprintf(out + used, size - (size_t)used, ": %s", act->action->effect);
}

/* The whole fleet sold off asks for more than one letter. */
static int confirm_all(struct act *act)
{
    struct cli *cli = act->session->cli;
    char line[64];

    fprintf(stderr, "This sells everything. Type the fleet's name, %s, to go on: ",
            act->session->fleet.tenant);
    if (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        if (strcmp(line, act->session->fleet.tenant) == 0)
            return 0;
    }
    return CLI_FAIL(cli, FLT_CONFLICT, "", "", "not confirmed; nothing was changed");
}

static int confirm(struct act *act)
{
    struct cli *cli = act->session->cli;
    char question[256];

    if (cli_has(cli, "yes") || (!bots_selected(cli) && !act->action->asks))
        return 0;
    sentence(act, question, sizeof question);
    if (!isatty(STDIN_FILENO))
        return !bots_selected(cli)
                   ? 0
                   : CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "yes", "look first: --dry-run",
                              "%s; without a terminal it needs --yes", question);
    fprintf(stderr, "%s\n", question);
    if (cli_has(cli, "all") && cli_has(cli, "flatten"))
        return confirm_all(act);
    return cli_confirm(cli, "Go on?");
}

static void dry_run(struct act *act)
{
    struct cli *cli = act->session->cli;
    struct json_object *document = json_object_new_object();
    char text[256];

    sentence(act, text, sizeof text);
    json_object_object_add(document, "dry_run", json_object_new_boolean(true));
    json_object_object_add(document, "plan", json_object_new_string(text));
    json_object_object_add(document, "items", json_object_get(act->rows));
    out_list(cli, document, act->rows, plan_columns);
    out_note(cli, "dry run, nothing was changed; it would %s", text);
    json_object_put(document);
}

/* --- after
 * ---------------------------------------------------------------------------------------------- */

static const struct column result_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },
    { "NODE", "node", COLUMN_TEXT },
    { "RUN", "run", COLUMN_TEXT },
    { "PHASE", "phase", COLUMN_STATE },
    { "ERROR", "error.code", COLUMN_TEXT },
    { "MESSAGE", "error.message", COLUMN_TEXT | COLUMN_WIDE },
    { NULL, NULL, COLUMN_TEXT },
};

static void print_results(struct act *act)
{
    struct cli *cli = act->session->cli;
    struct json_object *document = json_object_new_object();

    json_object_object_add(document, "items", json_object_get(act->answers.rows));
    if (act->count == 1 && !bots_selected(cli))
        out_list(cli, json_object_array_get_idx(act->answers.rows, 0), act->answers.rows,
                 result_columns);
    else
        out_list(cli, document, act->answers.rows, result_columns);
    json_object_put(document);
}

static int act_result(struct act *act)
{
    struct cli *cli = act->session->cli;

    if (act->answers.failed == 0)
        return 0;
    if (act->count == 1)
        return CLI_FAIL(cli, act->answers.first.code, act->answers.first.field,
                        act->answers.first.hint, "%s", act->answers.first.message);
    if (act->answers.failed < act->count)
        cli->exit_code = CLI_EXIT_PARTLY;
    return CLI_FAIL(cli, act->answers.first.code, act->answers.first.field, act->answers.first.hint,
                    "%zu of %zu refused: %s", act->answers.failed, act->count,
                    act->answers.first.message);
}

static int carry_out(struct act *act)
{
    struct cli *cli = act->session->cli;
    const bool removes = strcmp(act->action->verb, "bot-rm") == 0;
    int err = removes && !cli_has(cli, "force") ? wait_for_rest(act) : 0;

    if (!err)
        err = run_all(act);
    if (err)
        return err;
    if (act->action->goals && cli_has(cli, "wait"))
        err = wait_all(act);
    if (act->answers.failed < act->count && (!err || act->count > 1 || !cli->json))
        print_results(act);
    return err ? err : act_result(act);
}

static int act_on(struct cli *cli, const struct action *action)
{
    struct session session = { 0 };
    struct act act = { .session = &session, .action = action };
    int err = session_open(&session, cli);

    if (!err)
        err = bots_select(&session, &act.rows);
    if (!err && cli_has(cli, "dry-run")) {
        dry_run(&act);
    } else if (!err) {
        err = confirm(&act);
        if (!err)
            err = carry_out(&act);
        json_object_put(act.answers.rows);
    }
    json_object_put(act.rows);
    session_close(&session);
    return err;
}

static const char *const running[] = { "running", NULL };
static const char *const paused[] = { "paused", NULL };

int cmd_bot_start(struct cli *cli)
{
    return act_on(cli,
                  &(struct action){ "bot-start", "start", running, "they trade again", false });
}

int cmd_bot_stop(struct cli *cli)
{
    if (cli_has(cli, "flatten") && cli_has(cli, "detach"))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "detach", "one of them",
                        "--flatten and --detach contradict each other");
    return act_on(cli,
                  &(struct action){ "bot-stop", "stop", stopped, "", cli_has(cli, "flatten") });
}

int cmd_bot_pause(struct cli *cli)
{
    return act_on(cli, &(struct action){ "bot-pause", "pause", paused,
                                         "no new orders until resume, positions stay", false });
}

int cmd_bot_resume(struct cli *cli)
{
    return act_on(cli,
                  &(struct action){ "bot-resume", "resume", running, "they trade again", false });
}

int cmd_bot_rm(struct cli *cli)
{
    return act_on(cli, &(struct action){ "bot-rm", "remove", NULL,
                                         "gone from the fleet; fills stay in the books", true });
}
