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

static int run_checks(struct cli *cli)
{
    static const struct column columns[] = { { "STATE", "state", COLUMN_STATE },
                                             { "CHECK", "check", COLUMN_TEXT },
                                             { "FOUND", "message", COLUMN_TEXT },
                                             { NULL, NULL, COLUMN_TEXT } };
    struct session session = { 0 };
    struct fleet fleet;
    struct json_object *document, *checks;
    bool failed = false;
    int err = fleet_load(cli->dir, &fleet, &cli->error);

    if (err)
        return err;
    document = json_object_new_object();
    checks = json_object_new_array();
    check_machine(checks, &fleet);
    if (session_open(&session, cli) == 0)
        check_fleet(checks, &session);
    else
        check_add(checks, "broker", CHECK_FAIL, cli->error.hint, "%s", cli->error.message);
    session_close(&session);
    cli->error = (struct flt_error){ 0 };
    for (size_t i = 0; i < json_object_array_length(checks); i++) {
        char state[8];

        failed = failed || strcmp(out_text(json_object_array_get_idx(checks, i), "state", state,
                                           sizeof state),
                                  "fail") == 0;
    }
    json_object_object_add(document, "ok", json_object_new_boolean(!failed));
    json_object_object_add(document, "checks", checks);
    out_list(cli, document, checks, columns);
    if (!cli->json)
        print_hints(checks);
    json_object_put(document);
    cli->exit_code = failed ? flt_error_exit_code(FLT_UNAVAILABLE) : 0;
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
