/* Halts: numbered, durable, and said to all nodes in one retained list and in each lease. */
#define FLT_MOD "halt"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "controller/changes.h"
#include "lib/log.h"

static int check_target(struct request *request, enum msg_halt_scope scope, bool has,
                        const char *target, struct flt_error *error)
{
    struct account_row row;

    if (scope == MSG_HALT_SCOPE_FLEET)
        return has ? flt_error_set(error, FLT_INVALID_ARGUMENT, "target", "leave it out",
                                   "a halt of the fleet has no target")
                   : 0;
    if (!has)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "target", "name it", "which %s?",
                             msg_halt_scope_name(scope));
    if (scope == MSG_HALT_SCOPE_NODE)
        return request_node(request, target, "target", error) ? 0 : -ENOENT;
    if (scope == MSG_HALT_SCOPE_BOT)
        return request_bot(request, target, error) ? 0 : -ENOENT;
    if (!store_find_account(&request->controller->store, target, &row))
        return flt_error_set(error, FLT_NOT_FOUND, "target", "list them with account-ls",
                             "there is no account %s", target);
    return 0;
}

/* How the halt in force stops trading, into `out`; false: there is none. */
static bool find_how(struct store *store, enum msg_halt_scope scope, const char *target,
                     char out[16])
{
    sqlite3_stmt *stmt = store_read(store, "SELECT how FROM halts WHERE scope = ? AND target = ?");

    flt_db_bind_str(stmt, 1, msg_halt_scope_name(scope));
    flt_db_bind_str(stmt, 2, target);
    const bool found = store_next(store, stmt);

    if (found)
        flt_db_copy(stmt, 0, out, 16);
    sqlite3_reset(stmt);
    return found;
}

/* "halt fleet: - -> pause", "halt bot btc-grid: pause -> -". */
static void note_halt(struct request *request, enum msg_halt_scope scope, const char *target,
                      const char *new)
{
    char old[16], key[96];
    const bool was = find_how(&request->controller->store, scope, target, old);

    snprintf(key, sizeof key, "halt %s%s%s", msg_halt_scope_name(scope), *target ? " " : "",
             target);
    request_changed(request, NULL, key, was ? old : NULL, new);
}

static int next_number(struct controller *controller)
{
    controller->halt_number++;
    return store_set_meta_int(&controller->store, "halt_number", controller->halt_number);
}

static int answer_list(struct controller *controller, int64_t *number, struct msg_halt **halts,
                       size_t *count)
{
    if (!controller_commit(controller))
        return -EIO;
    halts_publish(controller);
    *number = controller->halt_number;
    return halts_read(controller, halts, count);
}

static int put_halt(struct request *request, const struct msg_halt_args *in)
{
    struct controller *controller = request->controller;
    sqlite3_stmt *stmt = store_write(
        &controller->store, "INSERT OR REPLACE INTO halts (number, scope, target, how, reason, by,"
                            " ts_ms) VALUES (?, ?, ?, ?, ?, ?, ?)");
    char by[40];

    flt_db_bind_int(stmt, 1, controller->halt_number);
    flt_db_bind_str(stmt, 2, msg_halt_scope_name(in->scope));
    flt_db_bind_str(stmt, 3, in->target);
    flt_db_bind_str(stmt, 4, msg_halt_how_name(in->has_how ? in->how : MSG_HALT_HOW_PAUSE));
    flt_db_bind_str(stmt, 5, in->reason);
    flt_db_bind_str(stmt, 6, request_by(request, by));
    flt_db_bind_int(stmt, 7, controller_now_ms(controller));
    return store_run(&controller->store, stmt);
}

HANDLER(verb_halt)
{
    const struct msg_halt_args *in = args;
    struct msg_halt_result *out = result;
    struct controller *controller = request->controller;
    int err = check_target(request, in->scope, in->has_target, in->target, error);

    if (err)
        return err;
    note_halt(request, in->scope, in->target,
              msg_halt_how_name(in->has_how ? in->how : MSG_HALT_HOW_PAUSE));
    err = next_number(controller);
    if (!err)
        err = put_halt(request, in);
    controller_check(controller, err);
    if (err)
        return err;
    FLT_LOG(WARN, "halt", "number=%" PRId64 " scope=%s target=%s by=%s", controller->halt_number,
            msg_halt_scope_name(in->scope), in->target, request->user);
    return answer_list(controller, &out->number, &out->halts, &out->halts_count);
}

HANDLER(verb_resume)
{
    const struct msg_resume_args *in = args;
    struct msg_resume_result *out = result;
    struct controller *controller = request->controller;
    sqlite3_stmt *stmt;
    int err;

    note_halt(request, in->scope, in->target, NULL);
    stmt = store_write(&controller->store, "DELETE FROM halts WHERE scope = ? AND target = ?");

    flt_db_bind_str(stmt, 1, msg_halt_scope_name(in->scope));
    flt_db_bind_str(stmt, 2, in->target);
    err = store_run(&controller->store, stmt);
    controller_check(controller, err);
    if (err)
        return err;
    if (sqlite3_changes(flt_db_handle(controller->store.db)) == 0)
        return flt_error_set(error, FLT_NOT_FOUND, "scope", "list them with halt-ls",
                             "no such halt is in force");
    err = next_number(controller);
    controller_check(controller, err);
    FLT_LOG(WARN, "halt_lifted", "number=%" PRId64 " scope=%s target=%s by=%s",
            controller->halt_number, msg_halt_scope_name(in->scope), in->target, request->user);
    return err ? err : answer_list(controller, &out->number, &out->halts, &out->halts_count);
}
