/* What can be asked of the fleet in one request: status, nodes, strategies, profit, halts, users.
 */
#define FLT_MOD "cli"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/ask.h"
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "controller/cli/session.h"
#include "lib/json.h"

static int show_list(struct cli *cli, const char *verb, struct json_object *args,
                     const struct column *columns)
{
    struct json_object *result = NULL;
    int err = list_once(cli, verb, args, 0, &result);

    if (!err)
        out_list(cli, result, flt_json_get(result, "items"), columns);
    json_object_put(result);
    return err;
}

static int show_object(struct cli *cli, const char *verb, struct json_object *args)
{
    struct json_object *result = NULL;
    int err = ask_once(cli, verb, args, &result);

    if (!err)
        out_object(cli, result);
    json_object_put(result);
    return err;
}

static const struct column halt_columns[] = {
    { "NUMBER", "number", COLUMN_NUMBER }, { "SCOPE", "scope", COLUMN_TEXT },
    { "TARGET", "target", COLUMN_TEXT },   { "HOW", "how", COLUMN_TEXT },
    { "REASON", "reason", COLUMN_TEXT },   { "BY", "by", COLUMN_TEXT },
    { "SINCE", "ts_ms", COLUMN_TIME },     { NULL, NULL, COLUMN_TEXT },
};

int cmd_status(struct cli *cli)
{
    struct json_object *result = NULL;
    char a[64], b[64];
    int err = ask_once(cli, "status", NULL, &result);

    if (err)
        return err;
    if (cli->format == OUT_NAME) {
        puts(out_text(result, "fleet", a, sizeof a));
    } else if (!cli->people) {
        out_object(cli, result);
    } else {
        printf("fleet    %s, version %s\n", out_text(result, "fleet", a, sizeof a),
               out_text(result, "version", b, sizeof b));
        printf("nodes    %s of %s up\n", out_text(result, "nodes_up", a, sizeof a),
               out_text(result, "nodes", b, sizeof b));
        printf("bots     %s of %s running\n", out_text(result, "running", a, sizeof a),
               out_text(result, "bots", b, sizeof b));
        printf("fills    %s\n", out_text(result, "fills", a, sizeof a));
        struct json_object *halts = flt_json_get(result, "halts");
        struct json_object *pnl = flt_json_get(result, "pnl");

        if (pnl && json_object_array_length(pnl))
            out_list(cli, result, pnl, pnl_columns);
        if (halts && json_object_array_length(halts)) {
            puts("halted:");
            out_list(cli, result, halts, halt_columns);
        }
    }
    json_object_put(result);
    return 0;
}

static const struct column node_columns[] = {
    { "NODE", "node", COLUMN_TEXT },
    { "STATE", "state", COLUMN_STATE },
    { "LEASE", "lease.state", COLUMN_STATE },
    { "DRAINING", "draining", COLUMN_TEXT },
    { "BOTS", "bots", COLUMN_NUMBER },
    { "CAPACITY", "capacity", COLUMN_NUMBER },
    { "AGE ms", "age_ms", COLUMN_NUMBER },
    { "LAG us", "loop_lag_us", COLUMN_NUMBER },
    { "MEMORY", "rss_bytes", COLUMN_BYTES },
    { "VERSION", "version", COLUMN_TEXT },
    { "HOST", "host", COLUMN_TEXT },
    { "HEAD", "head", COLUMN_NUMBER | COLUMN_WIDE },
    { "BOOKED", "committed", COLUMN_NUMBER | COLUMN_WIDE },
    { "CLOCK ms", "clock_offset_ms", COLUMN_NUMBER | COLUMN_WIDE },
    { "LOAD", "load", COLUMN_NUMBER | COLUMN_WIDE },
    { NULL, NULL, COLUMN_TEXT },
};

int cmd_node_ls(struct cli *cli)
{
    return show_list(cli, "node-ls", json_object_new_object(), node_columns);
}

int cmd_node_show(struct cli *cli)
{
    struct json_object *result = NULL;
    int err = ask_once(cli, "node-show", args_of("node", cli_arg(cli, 0), NULL), &result);

    if (err)
        return err;
    if (cli->json) {
        out_json(result);
    } else if (!cli->people) { /* its bots: flotilla bot ls --node */
        out_object(cli, flt_json_get(result, "node"));
    } else {
        out_object(cli, flt_json_get(result, "node"));
        putchar('\n');
        out_list(cli, result, flt_json_get(result, "bots"), bot_columns);
    }
    json_object_put(result);
    return 0;
}

static const struct column strategy_columns[] = {
    { "STRATEGY", "strategy", COLUMN_TEXT },
    { "WHAT IT DOES", "help", COLUMN_TEXT },
    { NULL, NULL, COLUMN_TEXT },
};

static const struct column param_columns[] = {
    { "PARAMETER", "name", COLUMN_TEXT },  { "TYPE", "type", COLUMN_TEXT },
    { "DEFAULT", "default", COLUMN_TEXT }, { "MIN", "min", COLUMN_NUMBER },
    { "MAX", "max", COLUMN_NUMBER },       { "UNIT", "unit", COLUMN_TEXT },
    { "WHAT IT IS", "help", COLUMN_TEXT }, { NULL, NULL, COLUMN_TEXT },
};

int cmd_strategy_ls(struct cli *cli)
{
    return show_list(cli, "strategy-ls", json_object_new_object(), strategy_columns);
}

int cmd_strategy_show(struct cli *cli)
{
    struct json_object *result = NULL;
    char help[256];
    int err = ask_once(cli, "strategy-show", args_of("strategy", cli_arg(cli, 0), NULL), &result);

    if (err)
        return err;
    if (cli->people)
        printf("%s: %s\n\n", cli_arg(cli, 0), out_text(result, "help", help, sizeof help));
    out_list(cli, result, flt_json_get(result, "params"), param_columns);
    json_object_put(result);
    return 0;
}

/* --- halts
 * ------------------------------------------------------------------------------------------- */

/* --reason, or what the person at the terminal says: in an emergency nobody knows all flags. */
static int find_reason(struct cli *cli, const char *what, char out[192])
{
    const char *given = cli_flag(cli, "reason");

    snprintf(out, 192, "%s", given ? given : "");
    if (!given && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
        fprintf(stderr, "Reason (it stays in the audit log): ");
        if (fgets(out, 192, stdin))
            out[strcspn(out, "\r\n")] = 0;
    }
    return *out ? 0
                : CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "reason",
                           "for example --reason \"venue maintenance\"; it stays in the audit log",
                           "a %s needs --reason", what);
}

/* A target alone means a bot; --scope says another kind, and fleet needs none. */
static int halt_args(struct cli *cli, const char *reason, struct json_object **out)
{
    const char *target = cli_arg(cli, 0);
    const char *scope = cli_flag(cli, "scope");

    scope = scope ? scope : target ? "bot" : "fleet";
    if (!target && strcmp(scope, "fleet") != 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "target", "", "--scope %s needs its name",
                        scope);
    *out = args_of("scope", scope, "target", target, "how", cli_flag(cli, "how"), "reason", reason,
                   NULL);
    return 0;
}

#define PROGRESS_MS 10000
#define PROGRESS_EVERY_US 250000

static const struct column waiting_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },         { "NODE", "node", COLUMN_TEXT },
    { "PHASE", "phase", COLUMN_STATE },    { "WHY", "why", COLUMN_TEXT },
    { "WHAT IS", "message", COLUMN_TEXT }, { NULL, NULL, COLUMN_TEXT },
};

static bool is_confirmed(struct json_object *shown, int64_t *confirmed, int64_t *covered)
{
    return flt_json_int(shown, "confirmed", confirmed) && flt_json_int(shown, "covered", covered) &&
           *confirmed == *covered;
}

/* Said is not done: counts the bots that obey, and names those that do not within 10 s. */
static void show_progress(struct cli *cli, struct json_object *changed)
{
    const int64_t end_ms = flt_mono_ms(flt_clock_system()) + PROGRESS_MS;
    int64_t number = 0, confirmed = 0, covered = 0;
    struct json_object *shown = NULL;

    if (!cli->people || !flt_json_int(changed, "number", &number))
        return;
    for (bool again = true; again;) {
        struct json_object *args = json_object_new_object();

        json_object_put(shown);
        shown = NULL;
        json_object_object_add(args, "number", json_object_new_int64(number));
        if (ask_once(cli, "halt-show", args, &shown) != 0)
            break;
        again =
            !is_confirmed(shown, &confirmed, &covered) && flt_mono_ms(flt_clock_system()) < end_ms;
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\r\033[K%lld of %lld bots confirm", (long long)confirmed,
                    (long long)covered);
        if (again)
            usleep(PROGRESS_EVERY_US);
    }
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    out_note(cli, "%lld of %lld bots confirm", (long long)confirmed, (long long)covered);
    if (shown && confirmed < covered)
        out_list(cli, shown, flt_json_get(shown, "waiting"), waiting_columns);
    json_object_put(shown);
}

static int change_halts(struct cli *cli, const char *verb, const char *reason)
{
    struct json_object *result = NULL, *args = NULL;
    int err = halt_args(cli, reason, &args);

    if (!err)
        err = ask_once(cli, verb, args, &result);
    if (!err)
        out_list(cli, result, flt_json_get(result, "halts"), halt_columns);
    if (!err)
        show_progress(cli, result);
    json_object_put(result);
    return err;
}

static const struct column halted_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },         { "NODE", "node", COLUMN_TEXT },
    { "PHASE", "phase", COLUMN_STATE },    { "INSTRUMENT", "instrument", COLUMN_TEXT },
    { "MODE", "mode", COLUMN_TEXT },       { "POSITION", "position", COLUMN_NUMBER },
    { "EQUITY", "equity", COLUMN_SIGNED }, { "ORDERS", "orders_open", COLUMN_NUMBER },
    { NULL, NULL, COLUMN_TEXT },
};

/* The bots that a halt of this scope holds: those whose `scope` ("node", ...) is `target`. */
static struct json_object *bots_in_scope(struct json_object *items, const char *scope,
                                         const char *target, int64_t *orders)
{
    struct json_object *rows = json_object_new_array();
    char value[64];
    int64_t open;

    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *row = json_object_array_get_idx(items, i);

        if (target && strcmp(out_text(row, scope, value, sizeof value), target) != 0)
            continue;
        json_object_array_add(rows, json_object_get(row));
        if (flt_json_int(row, "orders_open", &open))
            *orders += open;
    }
    return rows;
}

/* A name that is nobody's holds nothing: said as the halt itself would say it. */
static int check_target(struct session *session, const char *scope, const char *target)
{
    const bool account = strcmp(scope, "account") == 0;
    struct json_object *result = NULL;
    bool known = !account;
    char text[64];

    if (!target || strcmp(scope, "fleet") == 0)
        return 0;
    snprintf(text, sizeof text, "%s-show", scope);
    int err = account ? session_list(session, "account-ls", json_object_new_object(), 0, &result)
                      : session_ask(session, text, args_of(scope, target, NULL), &result);
    struct json_object *items = account ? flt_json_get(result, "items") : NULL;

    for (size_t i = 0; items && i < json_object_array_length(items) && !known; i++)
        known = strcmp(out_text(json_object_array_get_idx(items, i), "name", text, sizeof text),
                       target) == 0;
    json_object_put(result);
    if (err || known)
        return err;
    return CLI_FAIL(session->cli, FLT_NOT_FOUND, "target", "see: flotilla account ls",
                    "there is no account %.64s", target);
}

static void show_halted(struct cli *cli, struct json_object *rows, int64_t orders)
{
    struct json_object *document = json_object_new_object();
    const char *how = cli_flag(cli, "how");
    const size_t count = json_object_array_length(rows);
    char plan[192];

    how = how ? how : "pause";
    if (strcmp(how, "pause") == 0)
        snprintf(plan, sizeof plan, "halt %zu %s: no new orders until resume", count,
                 count == 1 ? "bot" : "bots");
    else
        snprintf(plan, sizeof plan, "halt %zu %s: %lld open orders are cancelled%s", count,
                 count == 1 ? "bot" : "bots", (long long)orders,
                 strcmp(how, "flatten") == 0 ? ", positions are sold or bought back at market"
                                             : ", positions stay");
    json_object_object_add(document, "dry_run", json_object_new_boolean(true));
    json_object_object_add(document, "plan", json_object_new_string(plan));
    json_object_object_add(document, "items", json_object_get(rows));
    out_list(cli, document, rows, halted_columns);
    out_note(cli, "dry run, nothing was changed; it would %s", plan);
    json_object_put(document);
}

static int halt_dry_run(struct cli *cli)
{
    struct session session = { 0 };
    struct json_object *args = NULL, *result = NULL;
    char scope[16];
    int64_t orders = 0;
    int err = halt_args(cli, NULL, &args);

    out_text(args, "scope", scope, sizeof scope);
    json_object_put(args);
    if (!err)
        err = session_open(&session, cli);
    if (!err)
        err = check_target(&session, scope, cli_arg(cli, 0));
    if (!err)
        err = session_list(&session, "bot-ls", json_object_new_object(), 0, &result);
    session_close(&session);
    if (err)
        return err;
    struct json_object *rows =
        bots_in_scope(flt_json_get(result, "items"), scope,
                      strcmp(scope, "fleet") == 0 ? NULL : cli_arg(cli, 0), &orders);

    show_halted(cli, rows, orders);
    json_object_put(rows);
    json_object_put(result);
    return 0;
}

int cmd_halt(struct cli *cli)
{
    char question[160], reason[192];

    if (cli_has(cli, "dry-run"))
        return halt_dry_run(cli);
    int err = find_reason(cli, "halt", reason);

    if (err)
        return err;
    snprintf(question, sizeof question, "Halt %s: no new orders until resume?",
             cli_arg(cli, 0) ? cli_arg(cli, 0) : "the whole fleet");
    err = cli_confirm(cli, question);
    return err ? err : change_halts(cli, "halt", reason);
}

int cmd_resume(struct cli *cli)
{
    char reason[192];
    int err = find_reason(cli, "resume", reason);

    return err ? err : change_halts(cli, "resume", reason);
}

int cmd_halt_ls(struct cli *cli)
{
    struct json_object *result = NULL;

    if (cli_arg(cli, 0))
        return ask_run(cli, &ask_halt_show);
    int err = ask_once(cli, "halt-ls", NULL, &result);

    if (!err)
        out_list(cli, result, flt_json_get(result, "halts"), halt_columns);
    json_object_put(result);
    return err;
}

/* --- users
 * ------------------------------------------------------------------------------------------- */

static const struct column user_columns[] = {
    { "USER", "name", COLUMN_TEXT },
    { "ROLE", "role", COLUMN_TEXT },
    { "SINCE", "created_ms", COLUMN_TIME },
    { NULL, NULL, COLUMN_TEXT },
};

int cmd_user_ls(struct cli *cli)
{
    return show_list(cli, "user-ls", json_object_new_object(), user_columns);
}

int cmd_user_add(struct cli *cli)
{
    const char *role = cli_flag(cli, "role");

    return show_object(cli, "user-add",
                       args_of("name", cli_arg(cli, 0), "role", role ? role : "viewer", NULL));
}

/* The folder's own copy of a password (admin's, up's) follows, or this program locks itself out. */
static int keep_password(struct cli *cli, const char *name, struct json_object *result)
{
    char path[BROKER_PATH_MAX];
    const char *password;
    int err = fleet_path(cli->dir, path, &cli->error, "secrets/%s.password", name);

    if (err || access(path, F_OK) != 0 || !flt_json_str(result, "password", &password))
        return err;
    return fleet_set_password(cli->dir, name, password, &cli->error);
}

int cmd_user_passwd(struct cli *cli)
{
    struct json_object *result = NULL;
    char path[BROKER_PATH_MAX];
    int err = fleet_path(cli->dir, path, &cli->error, "secrets/up.password");

    /* The broker ends a user's connections when the password changes, so who changes their own
     * would never read the new one; this machine's own login asks instead. */
    if (!err && strcmp(cli->user, cli_arg(cli, 0)) == 0 && access(path, R_OK) == 0)
        cli->user = strcmp(cli->user, "up") == 0 ? "admin" : "up";
    if (!err)
        err = ask_once(cli, "user-passwd", args_of("name", cli_arg(cli, 0), NULL), &result);

    if (!err)
        err = keep_password(cli, cli_arg(cli, 0), result);
    if (!err)
        out_object(cli, result);
    json_object_put(result);
    return err;
}

int cmd_user_rm(struct cli *cli)
{
    int err = cli_confirm(cli, "Remove the user and end their sessions?");

    return err ? err : show_object(cli, "user-rm", args_of("name", cli_arg(cli, 0), NULL));
}
