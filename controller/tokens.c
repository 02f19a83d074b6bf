/* Tokens of programs. A token is a login of the broker, token-<name>, with a role of its own: the
 * broker keeps its password (hashed) and enforces its rights, over MQTT as over REST. Here is who
 * made it and until when it holds. */
#define FLT_MOD "tokens"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/changes.h"
#include "controller/users.h"
#include "lib/crypto.h"
#include "lib/log.h"

#define TTL_DEFAULT_S (30 * 86400)
#define NAME_MAX_CHARS 26 /* "token-" goes before it */
#define TOKENS_MAX 500
#define USED_EVERY_MS 60000

#define TOKEN_COLUMNS                                                                              \
    "SELECT name, role, made_by, created_ms, expires_ms, coalesce(used_ms, 0) FROM tokens"

static void login_of(const char *name, char out[FLT_NAME_MAX])
{
    snprintf(out, FLT_NAME_MAX, "token-%.26s", name);
}

static void read_token(sqlite3_stmt *stmt, struct msg_token_row *row)
{
    unsigned role = 0;

    flt_db_copy(stmt, 0, row->name, sizeof row->name);
    login_of(row->name, row->user);
    (void)msg_enum_parse(&msg_enum_role, flt_db_str(stmt, 1), &role);
    row->role = (enum msg_role)role;
    flt_db_copy(stmt, 2, row->made_by, sizeof row->made_by);
    row->created_ms = flt_db_int(stmt, 3);
    row->expires_ms = flt_db_int(stmt, 4);
    row->used_ms = flt_db_int(stmt, 5);
    row->has_used_ms = row->used_ms > 0;
}

static bool find_token(struct controller *controller, const char *name, struct msg_token_row *row)
{
    sqlite3_stmt *stmt = store_read(&controller->store, TOKEN_COLUMNS " WHERE name = ?");

    memset(row, 0, sizeof *row);
    flt_db_bind_str(stmt, 1, name);
    if (!store_next(&controller->store, stmt))
        return false;
    read_token(stmt, row);
    sqlite3_reset(stmt);
    return true;
}

static void forget_token(struct controller *controller, const char *name)
{
    sqlite3_stmt *stmt = store_write(&controller->store, "DELETE FROM tokens WHERE name = ?");

    flt_db_bind_str(stmt, 1, name);
    controller_check(controller, store_run(&controller->store, stmt));
}

/* --- making one
 * -------------------------------------------------------------------------------------- */

static void save_token(struct controller *controller, const struct msg_token_row *row)
{
    sqlite3_stmt *stmt =
        store_write(&controller->store, "INSERT OR REPLACE INTO tokens (name, role, made_by,"
                                        " created_ms, expires_ms) VALUES (?, ?, ?, ?, ?)");

    flt_db_bind_str(stmt, 1, row->name);
    flt_db_bind_str(stmt, 2, msg_role_name(row->role));
    flt_db_bind_str(stmt, 3, row->made_by);
    flt_db_bind_int(stmt, 4, row->created_ms);
    flt_db_bind_int(stmt, 5, row->expires_ms);
    controller_check(controller, store_run(&controller->store, stmt));
}

static void finish_add(struct controller *controller, struct user_call *call)
{
    struct msg_token_add_result out = { 0 };

    snprintf(out.row.name, sizeof out.row.name, "%s", call->name + strlen("token-"));
    snprintf(out.row.user, sizeof out.row.user, "%s", call->name);
    snprintf(out.row.made_by, sizeof out.row.made_by, "%s", call->request->user);
    out.row.role = call->role;
    out.row.created_ms = controller_now_ms(controller);
    out.row.expires_ms = call->expires_ms;
    save_token(controller, &out.row);
    user_save(controller, call->name, call->role);
    snprintf(out.token, sizeof out.token, "flt_%s_%s", out.row.name, call->password);
    request_answer(call->request, &out);
    flt_wipe(&out, sizeof out);
}

static int check_new(struct request *request, const struct msg_token_add_args *in,
                     enum msg_role role, struct flt_error *error)
{
    struct controller *controller = request->controller;
    const enum msg_role own = user_role(controller, request->user, MSG_ROLE_VIEWER);
    struct msg_token_row row;
    enum msg_role was;
    char login[FLT_NAME_MAX];

    login_of(in->name, login);
    if (strlen(in->name) > NAME_MAX_CHARS)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "name", "choose a shorter name",
                             "a token's name has up to %d characters", NAME_MAX_CHARS);
    if (strncmp(request->user, "token-", 6) == 0)
        return flt_error_set(error, FLT_DENIED, "", "sign in as a person",
                             "a token makes no tokens");
    if (role > own)
        return flt_error_set(error, FLT_DENIED, "role", "choose your own role or a lower one",
                             "a token may do no more than who makes it: %s is %s", request->user,
                             msg_role_name(own));
    if (find_token(controller, in->name, &row) || user_find(controller, login, &was))
        return flt_error_set(error, FLT_CONFLICT, "name", "choose another, or token-rm it first",
                             "there is a token %s", in->name);
    return 0;
}

HANDLER(verb_token_add)
{
    const struct msg_token_add_args *in = args;
    struct controller *controller = request->controller;
    const enum msg_role role = in->has_role ? in->role : MSG_ROLE_VIEWER;
    const int64_t ttl_s = in->has_ttl_s ? in->ttl_s : TTL_DEFAULT_S;
    struct flt_buf payload = FLT_BUF_INIT;
    struct user_call *call;
    char login[FLT_NAME_MAX];
    const int err = check_new(request, in, role, error);

    (void)result;
    if (err)
        return err;
    login_of(in->name, login);
    request_changed(request, NULL, "role", NULL, msg_role_name(role));
    call = user_call_create(controller, CALL_OTHER, login, request);
    if (!call || user_new_password(call->password) != 0)
        return -ENOMEM;
    call->role = role;
    call->expires_ms = controller_now_ms(controller) + ttl_s * 1000;
    call->done = finish_add;
    flt_dynsec_create(&payload, controller->config.tenant, user_kind_of(role), login,
                      call->password, call->id);
    return user_call_ask(controller, call, &payload);
}

/* --- the list
 * --------------------------------------------------------------------------------------- */

HANDLER(verb_token_ls)
{
    struct msg_token_ls_result *out = result;
    struct controller *controller = request->controller;
    const bool all = user_role(controller, request->user, MSG_ROLE_VIEWER) == MSG_ROLE_ADMIN;
    sqlite3_stmt *stmt = store_read(&controller->store, TOKEN_COLUMNS
                                    " WHERE ?1 IS NULL OR made_by = ?1 ORDER BY name LIMIT 500");

    (void)args;
    (void)error;
    out->items = calloc(TOKENS_MAX, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    flt_db_bind_str(stmt, 1, all ? NULL : request->user);
    while (out->items_count < TOKENS_MAX && store_next(&controller->store, stmt))
        read_token(stmt, &out->items[out->items_count++]);
    sqlite3_reset(stmt);
    return 0;
}

/* --- ending one
 * ------------------------------------------------------------------------------------- */

static void finish_rm(struct controller *controller, struct user_call *call)
{
    struct msg_token_rm_result out = { 0 };

    snprintf(out.name, sizeof out.name, "%s", call->name + strlen("token-"));
    forget_token(controller, out.name);
    user_forget(controller, call->name);
    FLT_LOG(INFO, "token_ended", "name=%s", out.name);
    if (call->request)
        request_answer(call->request, &out);
}

/* `request` NULL: our own doing, and tried again when it fails (the token is refused meanwhile). */
static int end_token(struct controller *controller, const struct msg_token_row *row,
                     struct request *request)
{
    struct flt_buf payload = FLT_BUF_INIT;
    struct user_call *call = user_call_create(controller, CALL_OTHER, row->user, request);

    if (!call)
        return -ENOMEM;
    call->done = finish_rm;
    flt_dynsec_remove(&payload, user_kind_of(row->role), row->user, call->id);
    return user_call_ask(controller, call, &payload);
}

HANDLER(verb_token_rm)
{
    const struct msg_token_rm_args *in = args;
    struct controller *controller = request->controller;
    const bool admin = user_role(controller, request->user, MSG_ROLE_VIEWER) == MSG_ROLE_ADMIN;
    struct msg_token_row row;

    (void)result;
    if (!find_token(controller, in->name, &row) ||
        (!admin && strcmp(row.made_by, request->user) != 0))
        return flt_error_set(error, FLT_NOT_FOUND, "name", "list them with token-ls",
                             "there is no token %s of yours", in->name);
    request_changed(request, NULL, "role", msg_role_name(row.role), NULL);
    return end_token(controller, &row, request);
}

/* Ends all that the statement finds; their removal is under way when this returns. */
static void end_found(struct controller *controller, sqlite3_stmt *stmt)
{
    struct msg_token_row rows[16] = { 0 };
    size_t count = 0;

    while (count < FLT_COUNT(rows) && store_next(&controller->store, stmt))
        read_token(stmt, &rows[count++]);
    sqlite3_reset(stmt);
    for (size_t i = 0; i < count; i++)
        if (end_token(controller, &rows[i], NULL) != REQUEST_LATER)
            FLT_LOG(WARN, "token_not_ended", "name=%s", rows[i].name);
}

/* What may no longer be is over from this moment on; the broker learns it within seconds. */
void tokens_above(struct controller *controller, const char *user, const enum msg_role *role)
{
    sqlite3_stmt *stmt = store_write(
        &controller->store, "UPDATE tokens SET expires_ms = 0 WHERE made_by = ?1 AND (?2 < 0 OR"
                            " CASE role WHEN 'admin' THEN 2 WHEN 'trader' THEN 1 ELSE 0 END > ?2)");

    flt_db_bind_str(stmt, 1, user);
    flt_db_bind_int(stmt, 2, role ? (int64_t)*role : -1);
    controller_check(controller, store_run(&controller->store, stmt));
}

void tokens_on_second(struct controller *controller)
{
    sqlite3_stmt *stmt;

    if (controller->user_calls || !flt_mqtt_is_up(controller->mqtt))
        return; /* one thing at a time */
    stmt = store_read(&controller->store, TOKEN_COLUMNS " WHERE expires_ms <= ? LIMIT 16");
    flt_db_bind_int(stmt, 1, controller_now_ms(controller));
    end_found(controller, stmt);
}

bool token_use(struct controller *controller, const char *user)
{
    const int64_t now = controller_now_ms(controller);
    struct msg_token_row row;
    sqlite3_stmt *stmt;

    if (strncmp(user, "token-", 6) != 0)
        return true;
    if (!find_token(controller, user + 6, &row) || row.expires_ms <= now)
        return false;
    if (now - row.used_ms < USED_EVERY_MS)
        return true;
    stmt = store_write(&controller->store, "UPDATE tokens SET used_ms = ? WHERE name = ?");
    flt_db_bind_int(stmt, 1, now);
    flt_db_bind_str(stmt, 2, row.name);
    controller_check(controller, store_run(&controller->store, stmt));
    return true;
}
