/* flotilla apply, diff and export: the fleet as a file. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "lib/config.h"
#include "lib/json.h"

/* What a manifest would do, bot by bot. */
struct plan {
    struct session session;
    struct json_object *bots; /* the manifest's */
    struct json_object *rows; /* [{bot, change, node, changes}] */
    size_t adds, changes, removes;
};

static const struct column plan_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },   { "CHANGE", "change", COLUMN_STATE },
    { "NODE", "node", COLUMN_TEXT }, { "WHAT", "changes", COLUMN_TEXT },
    { NULL, NULL, COLUMN_TEXT },
};

static void add_row(struct plan *plan, const char *change, struct json_object *from,
                    struct json_object *changes)
{
    const char *bot = "", *node = NULL;

    flt_json_str(from, "bot", &bot);
    flt_json_str(from, "node", &node);
    struct json_object *row = args_of("bot", bot, "change", change, "node", node, NULL);

    json_object_object_add(row, "changes", changes ? changes : json_object_new_array());
    json_object_array_add(plan->rows, row);
}

static struct json_object *find_bot(struct json_object *bots, const char *key, const char *name)
{
    const char *own = "";

    for (size_t i = 0; i < json_object_array_length(bots); i++) {
        struct json_object *item = json_object_array_get_idx(bots, i);

        if (flt_json_str(item, key, &own) && strcmp(own, name) == 0)
            return item;
    }
    return NULL;
}

/* The controller checks the whole manifest and says what it would record. */
static int dry_run(struct plan *plan, struct json_object **deployed)
{
    struct cli *cli = plan->session.cli;
    struct json_object *args = json_object_new_object(), *result = NULL;

    json_object_object_add(args, "bots", json_object_get(plan->bots));
    deploy_switches(cli, args);
    json_object_object_add(args, "dry_run", json_object_new_boolean(true));
    int err = session_ask(&plan->session, "apply", args, &result);

    *deployed = json_object_get(flt_json_get(result, "bots"));
    json_object_put(result);
    return err;
}

/* Rows of new, changed and equal bots; what changed is found by comparing with the present spec. */
static int add_deployed(struct plan *plan, struct json_object *deployed)
{
    struct json_object *args = json_object_new_array();
    struct session_answers answers = { 0 };
    const char *bot = "";

    for (size_t i = 0; i < json_object_array_length(deployed); i++) {
        struct json_object *row = json_object_array_get_idx(deployed, i);
        bool created = false, changed = false;

        flt_json_bool(row, "created", &created);
        flt_json_bool(row, "changed", &changed);
        flt_json_str(row, "bot", &bot);
        if (changed && !created)
            json_object_array_add(args, args_of("bot", bot, NULL));
        else
            add_row(plan, created ? "add" : "same", row, NULL);
        plan->adds += created;
    }
    int err = session_ask_many(&plan->session, "bot-show", args, &answers);

    for (size_t i = 0; !err && i < json_object_array_length(answers.rows); i++) {
        struct json_object *shown = json_object_array_get_idx(answers.rows, i);

        flt_json_str(json_object_array_get_idx(args, i), "bot", &bot);
        /* The same number in another form (0.3 and "0.3") is no change to people. */
        struct json_object *changes =
            manifest_changes(flt_json_get(shown, "spec"), find_bot(plan->bots, "name", bot));
        const bool changed = json_object_array_length(changes) > 0;

        add_row(plan, changed ? "change" : "same", find_bot(deployed, "bot", bot), changes);
        plan->changes += changed;
    }
    json_object_put(answers.rows);
    json_object_put(args);
    return err;
}

/* With --prune: bots of the fleet that the manifest does not have. */
static int add_removed(struct plan *plan)
{
    struct json_object *result = NULL;
    const char *bot = "";

    if (!cli_has(plan->session.cli, "prune"))
        return 0;
    int err = session_list(&plan->session, "bot-ls", json_object_new_object(), 0, &result);
    struct json_object *items = flt_json_get(result, "items");

    for (size_t i = 0; !err && i < json_object_array_length(items); i++) {
        struct json_object *row = json_object_array_get_idx(items, i);

        flt_json_str(row, "bot", &bot);
        if (find_bot(plan->bots, "name", bot))
            continue;
        add_row(plan, "remove", row, NULL);
        plan->removes++;
    }
    json_object_put(result);
    return err;
}

/* A refused manifest's error names the line; standard input was read once, and is gone. */
static void say_line(struct cli *cli, const char *path)
{
    size_t size;
    char *text = strncmp(cli->error.field, "bots[", 5) == 0 && strcmp(path, "-") != 0
                     ? flt_file_read(path, 4 << 20, &size)
                     : NULL;

    if (text)
        (void)manifest_refused(cli, path, text);
    free(text);
}

static int make_plan(struct cli *cli, struct plan *plan)
{
    struct json_object *deployed = NULL;
    int err = manifest_load(cli, cli_flag(cli, "file"), &plan->bots);

    plan->rows = json_object_new_array();
    if (!err)
        err = session_open(&plan->session, cli);
    if (!err)
        err = dry_run(plan, &deployed);
    if (err && cli->error.code != FLT_OK)
        say_line(cli, cli_flag(cli, "file"));
    if (!err)
        err = add_deployed(plan, deployed);
    if (!err)
        err = add_removed(plan);
    json_object_put(deployed);
    return err;
}

static void end_plan(struct plan *plan)
{
    session_close(&plan->session);
    json_object_put(plan->bots);
    json_object_put(plan->rows);
}

static void show_plan(struct cli *cli, struct plan *plan)
{
    struct json_object *document = json_object_new_object();

    json_object_object_add(document, "dry_run", json_object_new_boolean(true));
    json_object_object_add(document, "items", json_object_get(plan->rows));
    out_list(cli, document, plan->rows, plan_columns);
    out_note(cli, "%zu to add, %zu to change, %zu to remove; nothing was changed", plan->adds,
             plan->changes, plan->removes);
    json_object_put(document);
}

int cmd_diff(struct cli *cli)
{
    struct plan plan = { 0 };
    int err = make_plan(cli, &plan);

    if (!err) {
        show_plan(cli, &plan);
        if (plan.adds + plan.changes + plan.removes)
            cli->exit_code = flt_error_exit_code(FLT_CONFLICT);
    }
    end_plan(&plan);
    return err;
}

/* --- apply
 * ---------------------------------------------------------------------------------------------- */

/* On a terminal the differences are shown and asked about; a script is told to say --yes only where
 * bots would go. */
static int confirm(struct cli *cli, struct plan *plan)
{
    char question[160];

    snprintf(question, sizeof question, "Add %zu, change %zu, remove %zu bots?", plan->adds,
             plan->changes, plan->removes);
    if (cli_has(cli, "yes") || plan->adds + plan->changes + plan->removes == 0)
        return 0;
    if (!isatty(STDIN_FILENO))
        return plan->removes
                   ? CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "yes",
                              "look first: flotilla diff -f FILE --prune",
                              "--prune removes %zu bots; without a terminal it needs --yes",
                              plan->removes)
                   : 0;
    for (size_t i = 0; i < json_object_array_length(plan->rows); i++) {
        struct json_object *row = json_object_array_get_idx(plan->rows, i);
        char bot[64], change[16];

        if (strcmp(out_text(row, "change", change, sizeof change), "same") != 0)
            fprintf(stderr, "  %-7s %s\n", change, out_text(row, "bot", bot, sizeof bot));
    }
    return cli_confirm(cli, question);
}

static int prune(struct cli *cli, struct plan *plan)
{
    struct json_object *args = json_object_new_array();
    struct session_answers answers = { 0 };
    char bot[64], change[16];

    for (size_t i = 0; i < json_object_array_length(plan->rows); i++) {
        struct json_object *row = json_object_array_get_idx(plan->rows, i);

        if (strcmp(out_text(row, "change", change, sizeof change), "remove") != 0)
            continue;
        struct json_object *one = args_of("bot", out_text(row, "bot", bot, sizeof bot), NULL);

        if (cli_has(cli, "force"))
            json_object_object_add(one, "force", json_object_new_boolean(true));
        json_object_array_add(args, one);
    }
    int err = session_ask_many(&plan->session, "bot-rm", args, &answers);

    json_object_put(args);
    json_object_put(answers.rows);
    if (err || !answers.failed)
        return err;
    cli->exit_code = CLI_EXIT_PARTLY;
    return CLI_FAIL(cli, answers.first.code, "prune", "stop them first, or --force",
                    "%zu of %zu bots were not removed: %s", answers.failed, plan->removes,
                    answers.first.message);
}

static const struct column deployed_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },         { "NODE", "node", COLUMN_TEXT },
    { "RUN", "run", COLUMN_TEXT },         { "GENERATION", "generation", COLUMN_NUMBER },
    { "CREATED", "created", COLUMN_TEXT }, { "CHANGED", "changed", COLUMN_TEXT },
    { NULL, NULL, COLUMN_TEXT },
};

static int carry_out(struct cli *cli, struct plan *plan)
{
    struct json_object *args = json_object_new_object(), *result = NULL;

    json_object_object_add(args, "bots", json_object_get(plan->bots));
    deploy_switches(cli, args);
    int err = session_ask(&plan->session, "apply", args, &result);
    struct json_object *rows = flt_json_get(result, "bots");

    if (!err && plan->removes)
        err = prune(cli, plan);
    if (!err && rows)
        err = deploy_wait(&plan->session, rows);
    if (result && (!err || cli->people))
        out_list(cli, result, rows, deployed_columns);
    json_object_put(result);
    return err;
}

int cmd_apply(struct cli *cli)
{
    struct plan plan = { 0 };
    int err = make_plan(cli, &plan);

    if (!err && cli_has(cli, "dry-run")) {
        show_plan(cli, &plan);
    } else if (!err) {
        err = confirm(cli, &plan);
        if (!err)
            err = carry_out(cli, &plan);
    }
    end_plan(&plan);
    return err;
}

/* --- export
 * --------------------------------------------------------------------------------------------- */

static int show_specs(struct session *session, struct json_object *rows, struct json_object *specs)
{
    struct json_object *args = json_object_new_array();
    struct session_answers answers = { 0 };
    const char *bot = "";

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        flt_json_str(json_object_array_get_idx(rows, i), "bot", &bot);
        json_object_array_add(args, args_of("bot", bot, NULL));
    }
    int err = session_ask_many(session, "bot-show", args, &answers);

    json_object_put(args);
    for (size_t i = 0; !err && i < json_object_array_length(answers.rows); i++) {
        struct json_object *spec = flt_json_get(json_object_array_get_idx(answers.rows, i), "spec");

        if (spec)
            json_object_array_add(specs, json_object_get(spec));
    }
    json_object_put(answers.rows);
    if (!err && answers.failed)
        err = CLI_FAIL(session->cli, answers.first.code, "bot", answers.first.hint, "%s",
                       answers.first.message);
    return err;
}

int cmd_export(struct cli *cli)
{
    struct session session = { 0 };
    struct json_object *rows = NULL, *specs = json_object_new_array(), *document;
    int err = session_open(&session, cli);

    if (!err && (cli->parse.arg_count || bots_selected(cli)))
        err = bots_select(&session, &rows);
    else if (!err)
        err = bots_filtered(&session, &rows);
    if (!err)
        err = show_specs(&session, rows, specs);
    session_close(&session);
    json_object_put(rows);
    document = json_object_new_object();
    json_object_object_add(document, "bots", specs);
    if (!err && cli->json)
        out_json(document);
    else if (!err)
        manifest_print(stdout, specs);
    json_object_put(document);
    return err;
}
