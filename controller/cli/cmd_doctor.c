#define FLT_MOD "cli"
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "controller/cli/commands.h"
#include "controller/cli/doctor.h"
#include "lib/json.h"

static const char *const state_names[] = { "ok", "warn", "fail" };

void check_add(struct json_object *checks, const char *name, enum check_state state,
               const char *hint, const char *format, ...)
{
    struct json_object *row = args_of("check", name, "state", state_names[state], NULL);
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    json_object_object_add(row, "message", json_object_new_string(message));
    json_object_object_add(row, "hint", json_object_new_string(hint));
    json_object_array_add(checks, row);
}

static void print_hints(struct json_object *checks)
{
    for (size_t i = 0; i < json_object_array_length(checks); i++) {
        struct json_object *row = json_object_array_get_idx(checks, i);
        char name[64], hint[256];

        if (*out_text(row, "hint", hint, sizeof hint))
            printf("%s: %s\n", out_text(row, "check", name, sizeof name), hint);
    }
}

static enum check_state worst_of(struct json_object *checks)
{
    enum check_state worst = CHECK_OK;
    char state[8];

    for (size_t i = 0; i < json_object_array_length(checks); i++) {
        out_text(json_object_array_get_idx(checks, i), "state", state, sizeof state);
        for (enum check_state at = CHECK_OK; at <= CHECK_FAIL; at++)
            if (strcmp(state, state_names[at]) == 0 && at > worst)
                worst = at;
    }
    return worst;
}

static void print_checks(struct cli *cli, struct json_object *checks)
{
    static const struct column columns[] = {
        { "STATE", "state", COLUMN_STATE },  { "CHECK", "check", COLUMN_TEXT },
        { "FOUND", "message", COLUMN_TEXT }, { "WHAT TO DO", "hint", COLUMN_TEXT | COLUMN_WIDE },
        { NULL, NULL, COLUMN_TEXT },
    };
    struct json_object *document = json_object_new_object();
    const enum check_state worst = worst_of(checks);

    json_object_object_add(document, "ok", json_object_new_boolean(worst != CHECK_FAIL));
    json_object_object_add(document, "worst", json_object_new_string(state_names[worst]));
    json_object_object_add(document, "checks", json_object_get(checks));
    cli->width = 0; /* what was found is not cut */
    out_list(cli, document, checks, columns);
    if (cli->format == OUT_TABLE)
        print_hints(checks);
    json_object_put(document);
    cli->exit_code = worst == CHECK_FAIL   ? flt_error_exit_code(FLT_UNAVAILABLE)
                     : worst == CHECK_WARN ? CLI_EXIT_PARTLY
                                           : 0;
}

/* A fleet elsewhere (--context with an address) has no folder here: the bus alone is asked. */
static int run_checks(struct cli *cli)
{
    struct session session = { 0 };
    struct fleet fleet;
    struct json_object *checks;
    int err = cli->url ? 0 : fleet_load(cli->dir, &fleet, &cli->error);

    if (err)
        return err;
    checks = json_object_new_array();
    if (!cli->url)
        check_machine(checks, &fleet);
    if (session_open(&session, cli) == 0)
        check_fleet(checks, &session);
    else
        check_add(checks, "broker", CHECK_FAIL, cli->error.hint, "%s", cli->error.message);
    session_close(&session);
    cli->error = (struct flt_error){ 0 };
    print_checks(cli, checks);
    json_object_put(checks);
    return 0;
}

static int run_reconcile(struct cli *cli)
{
    static const struct column columns[] = { { "INSTRUMENT", "instrument", COLUMN_TEXT },
                                             { "BOOKS", "books", COLUMN_NUMBER },
                                             { "VENUE", "venue", COLUMN_NUMBER },
                                             { "QTY", "qty", COLUMN_NUMBER },
                                             { "FEES", "fees", COLUMN_TEXT },
                                             { "MISSING", "missing", COLUMN_NUMBER },
                                             { "EXTRA", "extra", COLUMN_NUMBER },
                                             { NULL, NULL, COLUMN_TEXT } };
    static const struct column differences[] = { { "WHERE", "where", COLUMN_TEXT },
                                                 { "FILL", "fill", COLUMN_TEXT },
                                                 { NULL, NULL, COLUMN_TEXT } };
    struct session session = { 0 };
    struct json_object *report = NULL;
    bool equal = false;
    int err = session_open(&session, cli);

    if (!err)
        err = reconcile(&session, &report);
    session_close(&session);
    if (err)
        return err;
    flt_json_bool(report, "equal", &equal);
    out_list(cli, report, flt_json_get(report, "items"), columns);
    if (!cli->json) {
        if (!equal)
            out_list(cli, report, flt_json_get(report, "differences"), differences);
        puts(equal ? "books and venue agree to the last digit" : "books and venue DIFFER");
    }
    json_object_put(report);
    cli->exit_code = equal ? 0 : flt_error_exit_code(FLT_CONFLICT);
    return 0;
}

int cmd_doctor(struct cli *cli)
{
    return cli_has(cli, "reconcile") ? run_reconcile(cli) : run_checks(cli);
}
