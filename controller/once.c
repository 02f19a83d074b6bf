/* At most once: what a request with this id was answered, kept for a day and over restarts. The row
 * is written with the request's effects, in one transaction with its answer. */
#define FLT_MOD "once"
#include "controller/once.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/crypto.h"
#include "lib/log.h"

#define KEEP_MS (INT64_C(24) * 3600 * 1000)

/* Their answers carry a password: at rest they are sealed. */
static bool is_secret(const char *verb)
{
    static const char *const verbs[] = { "user-add", "user-passwd", "token-add", "login-add" };

    for (size_t i = 0; i < FLT_COUNT(verbs); i++)
        if (strcmp(verbs[i], verb) == 0)
            return true;
    return false;
}

static void aad_of(const struct request *request, char *out, size_t size)
{
    snprintf(out, size, "request:%s:%s", request->user, request->id);
}

static char *open_answer(const struct request *request, const void *blob, size_t size)
{
    char aad[128];
    char *text = calloc(1, size + 1);

    if (!text || !is_secret(request->verb->name)) {
        if (text && size)
            memcpy(text, blob, size);
        return text;
    }
    aad_of(request, aad, sizeof aad);
    if (size > FLT_SEAL_OVERHEAD &&
        flt_unseal(request->controller->key, aad, blob, size, text) == 0)
        return text;
    free(text);
    return NULL;
}

static int conflict(const struct request *request, struct flt_error *error)
{
    return flt_error_set(error, FLT_CONFLICT, "id", "give each request an id of its own",
                         "%s was the id of another request", request->id);
}

int once_begin(struct request *request, char **answer, struct flt_error *error)
{
    struct store *store = &request->controller->store;
    sqlite3_stmt *stmt = store_read(store, "SELECT verb, digest, state, term, answer FROM requests"
                                           " WHERE user = ? AND id = ?");
    bool same, pending, ours;

    flt_db_bind_str(stmt, 1, request->user);
    flt_db_bind_str(stmt, 2, request->id);
    if (!store_next(store, stmt)) {
        stmt = store_write(store, "INSERT INTO requests (user, id, verb, digest, state, term,"
                                  " created_ms) VALUES (?, ?, ?, ?, 'accepted', ?, ?)");
        flt_db_bind_str(stmt, 1, request->user);
        flt_db_bind_str(stmt, 2, request->id);
        flt_db_bind_str(stmt, 3, request->verb->name);
        flt_db_bind_str(stmt, 4, request->digest);
        flt_db_bind_int(stmt, 5, request->controller->term);
        flt_db_bind_int(stmt, 6, controller_now_ms(request->controller));
        return store_run(store, stmt);
    }
    same = strcmp(flt_db_str(stmt, 0), request->verb->name) == 0 &&
           strcmp(flt_db_str(stmt, 1), request->digest) == 0;
    pending = strcmp(flt_db_str(stmt, 2), "accepted") == 0;
    ours = flt_db_int(stmt, 3) == request->controller->term;
    if (same && !pending)
        *answer = open_answer(request, sqlite3_column_blob(stmt, 4),
                              (size_t)sqlite3_column_bytes(stmt, 4));
    sqlite3_reset(stmt);
    if (!same)
        return conflict(request, error);
    flt_refuse(&request->controller->refused, FLT_REFUSED_REPEATED);
    if (pending && !ours)
        return flt_error_set(error, FLT_UNAVAILABLE, "id", "look at what is, then ask anew",
                             "the controller ended while it carried this out");
    return ONCE_REPEATED;
}

void once_end(const struct request *request, const char *text, size_t size, bool ok)
{
    struct store *store = &request->controller->store;
    uint8_t *sealed = NULL;
    char aad[128];
    sqlite3_stmt *stmt;

    if (is_secret(request->verb->name)) {
        aad_of(request, aad, sizeof aad);
        sealed = malloc(size + FLT_SEAL_OVERHEAD);
        if (!sealed || flt_seal(request->controller->key, aad, text, size, sealed) != 0) {
            free(sealed);
            return; /* a repeat is told that the outcome is not known */
        }
    }
    stmt = store_write(store, "UPDATE requests SET state = ?, ended_ms = ?, answer = ?"
                              " WHERE user = ? AND id = ?");
    flt_db_bind_str(stmt, 1, ok ? "done" : "failed");
    flt_db_bind_int(stmt, 2, controller_now_ms(request->controller));
    if (stmt)
        sqlite3_bind_blob(stmt, 3, sealed ? (const void *)sealed : text,
                          (int)(size + (sealed ? FLT_SEAL_OVERHEAD : 0)), SQLITE_TRANSIENT);
    flt_db_bind_str(stmt, 4, request->user);
    flt_db_bind_str(stmt, 5, request->id);
    controller_check(request->controller, store_run(store, stmt));
    free(sealed);
}

bool once_find(struct request *request, const char *id, struct msg_command_show_result *out)
{
    struct store *store = &request->controller->store;
    sqlite3_stmt *stmt = store_read(store, "SELECT user, verb, state, created_ms, ended_ms, answer"
                                           " FROM requests WHERE id = ?1 ORDER BY user = ?2 DESC");
    struct json_object *tree = NULL;
    unsigned state = 0;

    flt_db_bind_str(stmt, 1, id);
    flt_db_bind_str(stmt, 2, request->user);
    if (!store_next(store, stmt))
        return false;
    flt_db_copy(stmt, 0, out->user, sizeof out->user);
    flt_db_copy(stmt, 1, out->verb, sizeof out->verb);
    out->has_user = out->has_verb = out->has_accepted_ms = true;
    (void)msg_enum_parse(&msg_enum_command_show_result_state, flt_db_str(stmt, 2), &state);
    out->state = (enum msg_command_show_result_state)state;
    out->created_ms = out->accepted_ms = flt_db_int(stmt, 3);
    out->has_ended_ms = sqlite3_column_type(stmt, 4) != SQLITE_NULL;
    out->ended_ms = flt_db_int(stmt, 4);
    out->changed_ms = out->has_ended_ms ? out->ended_ms : out->created_ms;
    if (!is_secret(out->verb) && strcmp(out->user, request->user) == 0)
        tree = flt_json_parse(sqlite3_column_blob(stmt, 5), (size_t)sqlite3_column_bytes(stmt, 5),
                              NULL);
    sqlite3_reset(stmt);
    out->result = json_object_get(flt_json_get(tree, "result"));
    out->has_result = out->result != NULL;
    out->has_error =
        flt_json_get(tree, "error") &&
        msg_error_decode(flt_json_get(tree, "error"), MSG_PROGRAM, &out->error, NULL) == 0;
    json_object_put(tree);
    return true;
}

void once_expire(struct controller *controller)
{
    sqlite3_stmt *stmt =
        store_write(&controller->store, "DELETE FROM requests WHERE created_ms < ?");

    flt_db_bind_int(stmt, 1, controller_now_ms(controller) - KEEP_MS);
    controller_check(controller, store_run(&controller->store, stmt));
}
